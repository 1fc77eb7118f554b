//! What far sides may try on the client: names that change, redirects, bodies and headers without end,
//! compressed bombs; and what wrong secrets may try to learn from the clock.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::resolver::Names;
use super::{Answer, HttpClient, HttpError, Request};
use crate::security::{Blocked, same_secret};

fn get(url: &str) -> Request {
    let (headers, body) = (HeaderMap::new(), Vec::new());
    Request { method: Method::GET, url: url.into(), headers, body }
}

/// A server that answers each call with these bytes, and with the last of them again and again if
/// `without_end`; tells how often it was called.
async fn server(
    ip: Ipv4Addr,
    port: u16,
    answer: Vec<Vec<u8>>,
    without_end: bool,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                for piece in &answer {
                    let _ = stream.write_all(piece).await;
                }
                while without_end && stream.write_all(answer.last().unwrap()).await.is_ok() {
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
/// It stands for the private network: the test's rule allows it not.
const INWARD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn is_not_inward(ip: IpAddr) -> bool {
    ip != IpAddr::V4(INWARD)
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_connected_to_where_it_was_checked() {
    let (outer, outer_calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    let (_, inner_calls) = server(INWARD, outer.port(), vec![bytes(OK)], false).await;
    let lookups = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&lookups);
    let rebinding = move |_: &str| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => vec![SocketAddr::from((HERE, 0))],
        _ => vec![SocketAddr::from((INWARD, 0))],
    };
    let outside = HttpClient::with_names(Names::of(rebinding, is_not_inward));
    let url = format!("http://rebinds.example:{}/", outer.port());
    assert_eq!(outside.call(get(&url)).await.unwrap().body, b"ok");
    // What was checked is what was called: nobody asked again in between.
    assert_eq!((lookups.load(Ordering::SeqCst), outer_calls.load(Ordering::SeqCst)), (1, 1));
    let second = outside.call(get(&url)).await;
    assert!(matches!(second, Err(HttpError::Blocked(Blocked::NotPublic(_)))), "{second:?}");
    assert_eq!((lookups.load(Ordering::SeqCst), inner_calls.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test]
async fn one_inward_address_among_others_spoils_all() {
    let (outer, calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    for order in [[HERE, INWARD], [INWARD, HERE]] {
        let both = move |_: &str| order.map(|ip| SocketAddr::from((ip, 0))).to_vec();
        let outside = HttpClient::with_names(Names::of(both, is_not_inward));
        let answer = outside.call(get(&format!("http://both.example:{}/", outer.port()))).await;
        assert!(matches!(answer, Err(HttpError::Blocked(_))), "{answer:?}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn names_of_this_machine_are_not_called_in_any_writing() {
    let (here, calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    let outside = HttpClient::new(false);
    for host in ["localhost", "LOCALHOST", "127.0.0.1.", "0", "[::ffff:7f00:1]"] {
        let answer = outside.call(get(&format!("https://{host}:{}/", here.port()))).await;
        assert!(matches!(answer, Err(HttpError::Blocked(_))), "{host}: {answer:?}");
    }
    // Some machines know it with the dot, too, and some do not.
    assert!(outside.call(get(&format!("https://localhost.:{}/", here.port()))).await.is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_are_not_followed_whatever_their_kind() {
    let (inner, inner_calls) = server(HERE, 0, vec![bytes(OK)], false).await;
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{}/latest/meta-data\r\n\
             refresh: 0; url=http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
            inner.port(),
            inner.port()
        );
        let (outer, _) = server(HERE, 0, vec![bytes(&answer)], false).await;
        let answer = HttpClient::new(true).call(get(&format!("http://{outer}/"))).await.unwrap();
        assert!(answer.status.is_redirection(), "{status}");
    }
    assert_eq!(inner_calls.load(Ordering::SeqCst), 0);
}

async fn fetched(answer: Vec<Vec<u8>>, without_end: bool) -> Result<Answer, HttpError> {
    let (far, _) = server(HERE, 0, answer, without_end).await;
    HttpClient::new(true).call(get(&format!("http://{far}/"))).await
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let chunk = format!("{:x}\r\n{}\r\n", 0x4000, "x".repeat(0x4000));
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = fetched(vec![bytes(head), bytes(&chunk)], true).await.unwrap();
    assert_eq!(answer.body.len(), 64 * 1024);
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n";
    let answer = fetched(vec![bytes(head), vec![b'x'; 0x4000]], true).await.unwrap();
    assert_eq!(answer.body.len(), 64 * 1024, "what is announced is not set aside");
}

#[tokio::test]
async fn headers_without_end_are_no_answer() {
    let line = format!("x-a: {}\r\n", "b".repeat(1_000));
    let answer = fetched(vec![bytes("HTTP/1.1 200 OK\r\n"), bytes(&line)], true).await;
    assert!(answer.is_err());
    let answer = fetched(vec![bytes("HTTP/1.1 100 Continue\r\n\r\n")], true).await;
    assert!(answer.is_err(), "nor are interim answers");
}

#[tokio::test]
async fn a_compressed_bomb_stays_compressed() {
    // A gzip member whose body is stored: what it would unpack to does not matter, only that nobody tries.
    let packed: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0";
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            packed.len()
        );
        let answer = fetched(vec![bytes(&head), packed.to_vec()], false).await.unwrap();
        assert_eq!(answer.body, packed, "{encoding}");
    }
}

#[tokio::test]
async fn a_body_that_drips_does_not_hold_us_for_longer_than_five_seconds() {
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let far = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let begun = Instant::now();
    let answer = HttpClient::new(true).call(get(&format!("http://{far}/"))).await;
    // Either way it is not known what became of the call.
    assert!(matches!(answer, Err(HttpError::TimedOut | HttpError::Broken)), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

/// Both secrets are hashed whole before the digests are compared, all of them, by `subtle`: so neither
/// where the first wrong byte is nor how many are right can be told. The bound is generous, for the
/// machine is shared; comparing as `==` does differs by a factor of thousands at this length.
#[test]
fn where_a_wrong_secret_differs_makes_no_difference_to_the_clock() {
    const LENGTH: usize = 1 << 16;
    let right = "a".repeat(LENGTH);
    let early = format!("b{}", &right[1..]);
    let late = format!("{}b", &right[1..]);
    let time = |given: &str| {
        let begun = Instant::now();
        for _ in 0..8 {
            assert!(!same_secret(std::hint::black_box(given), &right));
        }
        begun.elapsed()
    };
    // The least of many: what else the machine does only ever adds.
    let least = |given: &str| (0..30).map(|_| time(given)).min().unwrap();
    let (early, late) = (least(&early), least(&late));
    let ratio = early.as_secs_f64() / late.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "{early:?} and {late:?}");
}
