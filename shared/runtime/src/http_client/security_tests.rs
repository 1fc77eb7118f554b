//! Hostile servers against the client: DNS rebinding, redirects, endless bodies and headers, compression
//! bombs, slow responses; and a timing attack on the comparison of secrets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::resolver::PublicDnsResolver;
use super::{DownloadError, DownloadLimits, HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::security::{BlockedUrl, secrets_equal};

fn get(url: &str) -> HttpRequest {
    let (headers, body) = (HeaderMap::new(), Vec::new());
    HttpRequest { method: Method::GET, url: url.into(), headers, body }
}

/// Starts a server that answers each call with these bytes and, if `endless`, repeats the last of them.
/// Returns its address and the number of its calls.
async fn server(
    ip: Ipv4Addr,
    port: u16,
    response: Vec<Vec<u8>>,
    endless: bool,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let response = response.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                for piece in &response {
                    let _ = stream.write_all(piece).await;
                }
                while endless && stream.write_all(response.last().unwrap()).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            });
        }
    });
    (address, calls)
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Stands for the private network: the tests' rule blocks it.
const INTERNAL: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn is_not_internal(ip: IpAddr) -> bool {
    ip != IpAddr::V4(INTERNAL)
}

#[tokio::test]
async fn dns_rebinding_connects_only_to_the_checked_address() {
    let (outer, outer_calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    let (_, inner_calls) = server(INTERNAL, outer.port(), vec![bytes(OK)], false).await;
    let lookups = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&lookups);
    let rebinding = move |_: &str| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => vec![SocketAddr::from((HERE, 0))],
        _ => vec![SocketAddr::from((INTERNAL, 0))],
    };
    let client =
        HttpClient::with_resolver(PublicDnsResolver::with_lookup(rebinding, is_not_internal));
    let url = format!("http://rebinds.example:{}/", outer.port());
    assert_eq!(client.send(get(&url)).await.unwrap().body, b"ok");
    // The checked address is the called one: there was no second lookup.
    assert_eq!((lookups.load(Ordering::SeqCst), outer_calls.load(Ordering::SeqCst)), (1, 1));
    let second = client.send(get(&url)).await;
    assert!(matches!(second, Err(HttpError::Blocked(BlockedUrl::NotPublic(_)))), "{second:?}");
    assert_eq!((lookups.load(Ordering::SeqCst), inner_calls.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test]
async fn one_internal_address_blocks_the_name() {
    let (outer, calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    for order in [[HERE, INTERNAL], [INTERNAL, HERE]] {
        let both = move |_: &str| order.map(|ip| SocketAddr::from((ip, 0))).to_vec();
        let client =
            HttpClient::with_resolver(PublicDnsResolver::with_lookup(both, is_not_internal));
        let response = client.send(get(&format!("http://both.example:{}/", outer.port()))).await;
        assert!(matches!(response, Err(HttpError::Blocked(_))), "{response:?}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn blocks_this_machine_in_every_notation() {
    let (here, calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    let client = HttpClient::new(false);
    for host in ["localhost", "LOCALHOST", "127.0.0.1.", "0", "[::ffff:7f00:1]"] {
        let response = client.send(get(&format!("https://{host}:{}/", here.port()))).await;
        assert!(matches!(response, Err(HttpError::Blocked(_))), "{host}: {response:?}");
    }
    // Some machines resolve it with the trailing dot and some do not.
    assert!(client.send(get(&format!("https://localhost.:{}/", here.port()))).await.is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_of_every_status_are_not_followed() {
    let (inner, inner_calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let response = format!(
            "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{}/latest/meta-data\r\n\
             refresh: 0; url=http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
            inner.port(),
            inner.port()
        );
        let (outer, _) = server(HERE, 0, vec![bytes(&response)], false).await;
        let response = HttpClient::new(true).send(get(&format!("http://{outer}/"))).await.unwrap();
        assert!(response.status.is_redirection(), "{status}");
    }
    assert_eq!(inner_calls.load(Ordering::SeqCst), 0);
}

async fn fetched(response: Vec<Vec<u8>>, endless: bool) -> Result<HttpResponse, HttpError> {
    let (address, _) = server(HERE, 0, response, endless).await;
    HttpClient::new(true).send(get(&format!("http://{address}/"))).await
}

#[tokio::test]
async fn truncates_an_endless_body() {
    let chunk = format!("{:x}\r\n{}\r\n", 0x4000, "x".repeat(0x4000));
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let response = fetched(vec![bytes(head), bytes(&chunk)], true).await.unwrap();
    assert_eq!(response.body.len(), 64 * 1024);
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n";
    let response = fetched(vec![bytes(head), vec![b'x'; 0x4000]], true).await.unwrap();
    assert_eq!(response.body.len(), 64 * 1024, "allocates no memory for the announced length");
}

#[tokio::test]
async fn endless_headers_are_an_error() {
    let line = format!("x-a: {}\r\n", "b".repeat(1_000));
    let response = fetched(vec![bytes("HTTP/1.1 200 OK\r\n"), bytes(&line)], true).await;
    assert!(response.is_err());
    let response = fetched(vec![bytes("HTTP/1.1 100 Continue\r\n\r\n")], true).await;
    assert!(response.is_err(), "endless interim responses are an error");
}

#[tokio::test]
async fn does_not_decompress_a_body() {
    // A gzip member with a stored body: the content does not matter, only that the client does not unpack it.
    let packed: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0";
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            packed.len()
        );
        let response = fetched(vec![bytes(&head), packed.to_vec()], false).await.unwrap();
        assert_eq!(response.body, packed, "{encoding}");
    }
}

#[tokio::test]
async fn a_slow_body_times_out_after_five_seconds() {
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let begun = Instant::now();
    let response = HttpClient::new(true).send(get(&format!("http://{address}/"))).await;
    // Both mean that the platform may have processed the request.
    assert!(matches!(response, Err(HttpError::TimedOut | HttpError::Broken)), "{response:?}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

/// Both secrets are hashed completely before `subtle` compares the digests, so the time depends neither
/// on the position of the first wrong byte nor on the number of wrong bytes. The bound is generous because
/// the machine is shared; a comparison by `==` differs by a factor of thousands at this length.
#[test]
fn comparing_secrets_takes_constant_time() {
    const LENGTH: usize = 1 << 16;
    let right = "a".repeat(LENGTH);
    let early = format!("b{}", &right[1..]);
    let late = format!("{}b", &right[1..]);
    let time = |given: &str| {
        let begun = Instant::now();
        for _ in 0..8 {
            assert!(!secrets_equal(std::hint::black_box(given), &right));
        }
        begun.elapsed()
    };
    // The minimum of many: other load on the machine only adds time.
    let least = |given: &str| (0..30).map(|_| time(given)).min().unwrap();
    let (early, late) = (least(&early), least(&late));
    let ratio = early.as_secs_f64() / late.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "{early:?} and {late:?}");
}

/// Downloads a file with a secret header.
async fn download(client: &HttpClient, url: &str, bytes: u64) -> Result<Vec<u8>, DownloadError> {
    let mut request = get(url);
    request.headers.insert("authorization", "Basic c2VjcmV0".parse().unwrap());
    let mut content = Vec::new();
    let mut sink = |piece: &[u8]| {
        content.extend_from_slice(piece);
        Ok(())
    };
    let limits = DownloadLimits { bytes, time: Duration::from_secs(2) };
    client.download(request, limits, &mut sink).await.map(|_| content)
}

/// Starts a server that answers with the request's own authorization, or redirects.
async fn echoing(ip: Ipv4Addr, port: u16, redirect_to: Option<String>) -> SocketAddr {
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            let known = if head.contains("authorization: basic") { "login" } else { "none!" };
            let reply = match &redirect_to {
                Some(to) => format!(
                    "HTTP/1.1 302 x\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                ),
                None => format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n{known}"
                ),
            };
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_redirected_download_loses_the_login_at_another_origin() {
    let end = echoing(HERE, 0, None).await;
    let start = echoing(HERE, 0, Some(format!("http://{end}/file"))).await;
    let client = HttpClient::new(true);
    assert_eq!(download(&client, &format!("http://{end}/"), 100).await.unwrap(), b"login");
    assert_eq!(download(&client, &format!("http://{start}/"), 100).await.unwrap(), b"none!");
}

#[tokio::test]
async fn a_download_follows_three_redirects_to_allowed_addresses_only() {
    let mut url = format!("http://{}/", echoing(HERE, 0, None).await);
    let client = HttpClient::new(true);
    for number in 1..=4 {
        url = format!("http://{}/", echoing(HERE, 0, Some(url)).await);
        let result = download(&client, &url, 100).await;
        assert_eq!(result.is_ok(), number <= 3, "{number}: {result:?}");
    }
    let lookup = |_: &str| vec![SocketAddr::from((INTERNAL, 0))];
    let client = HttpClient::with_resolver(PublicDnsResolver::with_lookup(lookup, is_not_internal));
    let internal = echoing(HERE, 0, Some("http://internal.example/".into())).await;
    let result = download(&client, &format!("http://{internal}/"), 100).await;
    let blocked = matches!(result, Err(DownloadError::Http(HttpError::Blocked(_))));
    assert!(blocked, "{result:?}");
    let scheme = echoing(HERE, 0, Some("file:///etc/passwd".into())).await;
    let result = download(&client, &format!("http://{scheme}/"), 100).await;
    assert!(matches!(result, Err(DownloadError::Http(HttpError::Blocked(_)))), "{result:?}");
}

#[tokio::test]
async fn a_download_ends_at_its_limits() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let (endless, _) = server(HERE, 0, vec![bytes(head), vec![7; 1_000]], true).await;
    let client = HttpClient::new(true);
    let result = download(&client, &format!("http://{endless}/"), 50_000).await;
    assert!(matches!(result, Err(DownloadError::TooLarge(50_000))), "{result:?}");
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\nstart";
    let (large, _) = server(HERE, 0, vec![bytes(announced)], false).await;
    let result = download(&client, &format!("http://{large}/"), 50_000).await;
    assert!(matches!(result, Err(DownloadError::TooLarge(50_000))), "{result:?}");
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let silent = listener.local_addr().unwrap();
    let result = download(&client, &format!("http://{silent}/"), 50_000).await;
    assert!(matches!(result, Err(DownloadError::TimedOut(_))), "{result:?}");
}

#[tokio::test]
async fn memory_for_files_is_limited() {
    let client = HttpClient::new(true);
    let first = client.reserve_memory(40 * 1024 * 1024).await;
    let wait = Duration::from_millis(50);
    let second = tokio::time::timeout(wait, client.reserve_memory(30 * 1024 * 1024)).await;
    assert!(second.is_err(), "60 MB are for all");
    drop(first);
    assert!(client.reserve_memory(usize::MAX).await.is_some(), "more than all is all");
}
