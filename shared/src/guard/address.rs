//! Where deliveries may go: the public internet, nowhere else.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;
use url::{Host, Url};

/// Why an address is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Not a URL. It is not shown: an address can be a secret.
    #[error("it is not a URL")]
    NotAUrl,
    /// Not `https`.
    #[error("only https addresses are called, not '{0}'")]
    Scheme(String),
    /// A name and password in the URL would end up in logs.
    #[error("the URL holds a user name or password: use a header for them")]
    Credentials,
    /// No host, or an address that is not public.
    #[error("{0} is not a public address")]
    NotPublic(String),
}

/// Special-purpose ranges (the IANA registries): private, loopback, link-local with the metadata
/// services, CGNAT, documentation, benchmarking, multicast, reserved; and the IPv6 ranges that carry
/// an IPv4 address within (NAT64, 6to4, Teredo), which could reach any of those.
static NOT_PUBLIC: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
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
        "::/127",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
    .iter()
    .filter_map(|net| net.parse().ok())
    .collect()
});

/// Whether an address is one of the public internet's.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => inner_v4(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    !NOT_PUBLIC.iter().any(|net| net.contains(&address))
}

fn inner_v4(address: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    // `to_ipv4` covers both the mapped and the old compatible form.
    if address == Ipv6Addr::LOCALHOST || address == Ipv6Addr::UNSPECIFIED {
        None
    } else {
        address.to_ipv4()
    }
}

/// Checks what can be seen of a URL before its name is resolved. `local` allows plain `http` and
/// any address, for a stack on one machine.
///
/// # Errors
/// Why it is not called.
pub fn check_url(text: &str, local: bool) -> Result<Url, Blocked> {
    let url = Url::parse(text).map_err(|_| Blocked::NotAUrl)?;
    let scheme_fits = url.scheme() == "https" || (local && url.scheme() == "http");
    if !scheme_fits {
        return Err(Blocked::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Blocked::Credentials);
    }
    let literal = match url.host() {
        None => return Err(Blocked::NotAUrl),
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
    };
    match literal {
        Some(address) if !local && !is_public(address) => {
            Err(Blocked::NotPublic(address.to_string()))
        }
        _ => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_in_force() {
        assert_eq!(NOT_PUBLIC.len(), 28);
    }

    #[test]
    fn inward_addresses_are_refused_in_every_writing() {
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
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
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
    fn urls_are_checked_before_they_are_resolved() {
        assert!(check_url("https://hooks.example.com/x", false).is_ok());
        for bad in [
            "http://example.com",
            "ftp://example.com",
            "https://127.1/",
            "https://0x7f000001/",
            "https://[::1]/",
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "nonsense",
            "https://",
            "https://2130706433/",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert!(check_url("http://127.0.0.1:8080/x", true).is_ok());
    }
}
