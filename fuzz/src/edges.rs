//! What comes from elsewhere than a platform's call: files of configuration, what far sides answer, what
//! is heard on sockets, and the guards themselves.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_setup::config::{
    Environment, One, Reading, SecretSource, export, read, read_connection, read_route,
};
use trunkline_shared::http_client::Answer;
use trunkline_shared::model::{AuthorRole, Connection, Role};
use trunkline_shared::outbound::{Outbound, by_status};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::{check_url, is_public, segment, verify};
use trunkline_twin::socket::{Link, Revision, codec};

#[derive(Debug)]
struct Secrets;

impl Environment for Secrets {
    fn secret(&self, _: &SecretSource) -> Result<String, String> {
        Ok("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into())
    }
}

/// A file of configuration: it is read, or all that is wrong with it is said; what is read can be written
/// and read again.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for allow_local in [false, true] {
        let reading = Reading { environment: &Secrets, allow_local };
        match read(text, reading) {
            Ok(desired) => {
                let connections: Vec<Connection> =
                    desired.connections.into_iter().map(|one| one.connection).collect();
                let _ = export(&connections, &desired.routes);
            }
            Err(problems) => assert!(!problems.to_string().is_empty(), "why, is said"),
        }
    }
}

/// Connections and routes as the operator API is given them.
pub fn api(data: &[u8]) {
    let Ok(members) = serde_json::from_slice::<Value>(data) else { return };
    if !members.is_object() {
        return;
    }
    let mut secrets = SecretBag::default();
    secrets.set("signing", vec!["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()]);
    let one = One { id: "fuzzed", members: &members, secrets: &secrets };
    if let Err(wrong) = read_connection(one, false) {
        assert!(!wrong.is_empty(), "why, is said");
    }
    let known = [("a".parse().expect("an id"), Role::Channel)];
    let _ = read_route("fuzzed", &members, &known);
}

/// What platforms answer to our calls.
pub fn answers(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let status = [200, 201, 204, 302, 400, 401, 404, 409, 429, 500, 503][usize::from(first) % 11];
    let status = StatusCode::from_u16(status).expect("a status");
    let mut headers = HeaderMap::new();
    let wait = body.get(..body.len().min(12)).unwrap_or_default();
    if let Ok(wait) = HeaderValue::from_bytes(wait) {
        headers.insert("retry-after", wait);
    }
    let answer = Answer { status, headers, body: body.to_vec() };
    let _ = by_status(&answer);
    let meanings = [
        trunkline_cm::Cm.meaning(&answer),
        trunkline_servisbot::Servisbot::default().meaning(&answer),
        trunkline_twin::Twin::default().meaning(&answer),
        trunkline_unblu::Unblu.meaning(&answer),
        trunkline_webex::Webex.meaning(&answer),
        trunkline_webhook::Webhook.meaning(&answer),
    ];
    for meaning in meanings {
        let _ = trunkline_shared::outbound::Attempt::answered(&answer, meaning);
    }
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let settings = trunkline_twin::Settings::default();
        let context = trunkline_twin::Context {
            settings: &settings,
            conversation: Some("c"),
            unnamed: AuthorRole::Bot,
            client: Some("x"),
            now: Timestamp::UNIX_EPOCH,
        };
        let _ = trunkline_twin::message_event(&value, &context, &["r"]);
        let _ = trunkline_twin::named_event("chatMessageCreated", &value, &context);
    }
}

/// Frames of TWIN's sockets, one a line, in both revisions.
pub fn socket(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for revision in [Revision::Three, Revision::Four] {
        let mut link = Link::new(revision);
        for frame in text.lines() {
            if let Ok(packet) = codec::read(frame) {
                assert_eq!(codec::read(&codec::write(&packet)), Ok(packet), "as it was written");
            }
            let _ = link.hear(frame);
            let _ = (link.pings_every(), link.patience());
        }
    }
}

/// Signatures of Standard Webhooks, which must not be believed.
pub fn signature(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        if let Some(Ok(value)) = parts.next().map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let body = parts.next().unwrap_or_default();
    let secrets = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "not even a secret"];
    let now = Timestamp::from_second(1_700_000_000).expect("a time");
    assert!(verify(&secrets[..1], &headers, body, now).is_err(), "nobody can guess that");
    let _ = verify(&secrets, &headers, body, now);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = trunkline_shared::model::digest(&[text]);
        let _ = text.parse::<trunkline_shared::model::ConnectionId>();
    }
}

/// Addresses: whatever is let through is https, names nobody, and no literal address that leads inward.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for text in [text.to_owned(), format!("https://{text}"), format!("https://{text}/x")] {
        let Ok(url) = check_url(&text, false) else { continue };
        assert_eq!(url.scheme(), "https");
        assert!(url.username().is_empty() && url.password().is_none());
        let host = url.host_str().expect("a host");
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            assert!(is_public(address), "{text}");
        }
    }
    assert!(segment(text) != "." && segment(text) != "..");
    if let Some(bits) = data.first_chunk::<16>() {
        let v6 = std::net::Ipv6Addr::from(*bits);
        if is_public(v6.into()) {
            let v4 = v6.to_ipv4();
            assert!(v4.is_none_or(|v4| is_public(v4.into())));
            assert!(!v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unique_local());
        }
    }
}
