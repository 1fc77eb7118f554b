//! Checks of outbound addresses: requests go to the public internet only.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv6Net};
use url::{Host, Url};

/// Why the HTTP client refuses to call a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockedUrl {
    /// The text is not a URL. The message does not include it, because a URL can contain a secret.
    #[error("invalid URL")]
    InvalidUrl,
    /// The scheme is not `https`.
    #[error("URLs must use https, not '{0}'")]
    UnsupportedScheme(String),
    /// The URL contains a user name or password, which would end up in logs.
    #[error("the URL contains a user name or password: send them in a header")]
    EmbeddedCredentials,
    /// The host is, or resolves to, an address that is not public.
    #[error("{0} is not a public address")]
    NotPublic(String),
}

/// The IPv6 range for the public internet (RFC 4291, IANA). Addresses outside of it are internal (ULA), or
/// embed an IPv4 address that can be internal (NAT64, IPv4-translated, local NAT64).
const GLOBAL_UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Special-purpose ranges (IANA registries): private, loopback, link-local with the metadata services,
/// CGNAT, documentation, benchmarking, multicast, reserved; and the public IPv6 ranges that embed an IPv4
/// address (6to4, Teredo), which could reach any of those.
static SPECIAL_PURPOSE_RANGES: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    ]
    .iter()
    .filter_map(|net| net.parse().ok())
    .collect()
});

/// Returns whether an address belongs to the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => match embedded_ipv4(v6) {
            Some(v4) => IpAddr::V4(v4),
            None if GLOBAL_UNICAST.contains(&v6) => address,
            None => return false,
        },
        IpAddr::V4(_) => address,
    };
    !SPECIAL_PURPOSE_RANGES.iter().any(|net| net.contains(&address))
}

fn embedded_ipv4(address: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    // `to_ipv4` covers both the IPv4-mapped and the deprecated IPv4-compatible form.
    if address == Ipv6Addr::LOCALHOST || address == Ipv6Addr::UNSPECIFIED {
        None
    } else {
        address.to_ipv4()
    }
}

/// Parses a URL and checks it before its host name is resolved. `allow_local` permits plain `http` and any
/// address, for a stack on one machine.
pub fn check_url(text: &str, allow_local: bool) -> Result<Url, BlockedUrl> {
    let url = Url::parse(text).map_err(|_| BlockedUrl::InvalidUrl)?;
    let scheme_fits = url.scheme() == "https" || (allow_local && url.scheme() == "http");
    if !scheme_fits {
        return Err(BlockedUrl::UnsupportedScheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BlockedUrl::EmbeddedCredentials);
    }
    let literal = match url.host() {
        None => return Err(BlockedUrl::InvalidUrl),
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
    };
    match literal {
        Some(address) if !allow_local && !is_public(address) => {
            Err(BlockedUrl::NotPublic(address.to_string()))
        }
        _ => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_special_purpose_range_parses() {
        assert_eq!(SPECIAL_PURPOSE_RANGES.len(), 19);
    }

    #[test]
    fn rejects_internal_addresses_in_every_notation() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "4000::1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::7f00:1",
            "2001::7f00:1",
            "2001:db8::1",
            "2002:7f00:1::",
            "255.255.255.255",
            "224.0.0.1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["34.141.248.107", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn rejects_unsafe_urls_before_resolution() {
        assert!(check_url("https://hooks.example.com/x", false).is_ok());
        for bad in [
            "http://example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "gopher://example.com/_x",
            "data:text/plain,x",
            "javascript:alert(1)",
            "//example.com/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://0/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://2130706433/",
            "https://\u{ff11}27.0.0.1/",
            "https://127\u{3002}0\u{3002}0\u{3002}1/",
            "https://%31%32%37.0.0.1/",
            "https:169.254.169.254/latest/meta-data",
            "https:\\\\169.254.169.254\\latest",
            "https://169.254.169.254\t/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:0:7f00:1]/",
            "https://[64:ff9b::127.0.0.1]/",
            "https://[fe80::1%25eth0]/",
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "https://example.com@169.254.169.254/",
            "https://:@example.com:x/",
            "nonsense",
            "",
            "https://",
            "https://exa mple.com/",
            "https://example.com:99999/",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert!(check_url("http://127.0.0.1:8080/x", true).is_ok());
    }

    proptest! {
        /// An IPv4 address embedded in an IPv6 address is judged as the IPv4 address, or rejected.
        #[test]
        fn embedding_in_ipv6_does_not_make_an_internal_address_public(bits in any::<u32>()) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let internal = !is_public(v4.into());
            let low = u128::from(bits);
            let prefixes: [u128; 6] = [
                0,
                0xffff << 32,
                0xffff << 48,
                0x0064_ff9b_u128 << 96,
                (0x0064_ff9b_u128 << 96) | (1 << 80),
                0xfe80_u128 << 112,
            ];
            for prefix in prefixes {
                let v6 = Ipv6Addr::from_bits(prefix | low);
                prop_assert!(!(internal && is_public(v6.into())), "{v6}");
            }
            let six_to_four = Ipv6Addr::from_bits((0x2002_u128 << 112) | (low << 80));
            prop_assert!(!is_public(six_to_four.into()), "{six_to_four}");
        }

        /// The same for the notations of IPv4 in a URL: decimal, hexadecimal, octal, and shortened.
        #[test]
        fn rejects_every_ipv4_notation_of_an_internal_address(
            net in prop::sample::select(vec![0x7f00_0000_u32, 0x0a00_0000, 0xa9fe_0000, 0xc0a8_0000]),
            host in 0_u32..0xffff,
        ) {
            let bits = net | host;
            let [a, b, c, d] = bits.to_be_bytes();
            for text in [
                format!("https://{bits}/"),
                format!("https://{bits:#x}/"),
                format!("https://0{bits:o}/"),
                format!("https://{a}.{}/", bits & 0x00ff_ffff),
                format!("https://{a}.{b}.{}/", bits & 0xffff),
                format!("https://{a:#x}.{b:#x}.{c:#x}.{d:#x}/"),
                format!("https://0{a:o}.0{b:o}.0{c:o}.0{d:o}/"),
                format!("https://{a}.{b}.{c}.{d}.:443/"),
                format!("https://[::ffff:{a}.{b}.{c}.{d}]/"),
                format!("https://[64:ff9b::{a}.{b}.{c}.{d}]/"),
            ] {
                prop_assert!(check_url(&text, false).is_err(), "{text}");
            }
        }

        #[test]
        fn check_url_never_panics(text in ".{0,60}", rest in "[0-9a-fx.:\\[\\]%@/]{0,30}") {
            let _ = check_url(&text, false);
            let _ = check_url(&format!("https://{rest}"), false);
        }
    }
}
