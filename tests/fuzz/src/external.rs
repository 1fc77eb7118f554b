//! Input from other sources than inbound calls: configuration files, API requests, responses of platforms,
//! socket frames, signatures and URLs.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use trunkline_config::{
    ConnectionInput, ReadOptions, SecretResolver, SecretSource, export, read, read_connection,
    read_route,
};
use trunkline_core::model::{AuthorRole, Connection, Role};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::http_client::HttpResponse;
use trunkline_runtime::outbound::{Outbound, classify_by_status};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::{check_url, escape_dot_segment, is_public, verify};
use trunkline_twin::socket::{Protocol, Revision, codec};

#[derive(Debug)]
struct Secrets;

impl SecretResolver for Secrets {
    fn resolve(&self, _: &SecretSource) -> Result<String, String> {
        Ok("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into())
    }
}

/// Configuration files: an invalid file has at least one problem, and a valid file can be exported.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for allow_local in [false, true] {
        let options = ReadOptions { platforms: PLATFORMS, secrets: &Secrets, allow_local };
        match read(text, options) {
            Ok(desired) => {
                let connections: Vec<Connection> =
                    desired.connections.into_iter().map(|one| one.connection).collect();
                let _ = export(PLATFORMS, &connections, &desired.routes);
            }
            Err(problems) => {
                assert!(!problems.to_string().is_empty(), "an invalid input has no problem");
            }
        }
    }
}

/// Connections and routes of API requests.
pub fn api(data: &[u8]) {
    let Ok(members) = serde_json::from_slice::<Value>(data) else { return };
    if !members.is_object() {
        return;
    }
    let mut secrets = SecretBag::default();
    secrets.set("signing", vec!["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()]);
    let one = ConnectionInput { id: "fuzzed", members: &members, secrets: &secrets };
    if let Err(wrong) = read_connection(one, PLATFORMS, false) {
        assert!(!wrong.is_empty(), "an invalid input has no problem");
    }
    let known = [("a".parse().expect("an id"), Role::Channel)];
    let _ = read_route("fuzzed", &members, &known);
}

/// Responses of platforms.
pub fn answers(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let status = [200, 201, 204, 302, 400, 401, 404, 409, 429, 500, 503][usize::from(first) % 11];
    let status = StatusCode::from_u16(status).expect("a status");
    let mut headers = HeaderMap::new();
    let wait = body.get(..body.len().min(12)).unwrap_or_default();
    if let Ok(wait) = HeaderValue::from_bytes(wait) {
        headers.insert("retry-after", wait);
    }
    let response = HttpResponse { status, headers, body: body.to_vec() };
    let _ = classify_by_status(&response);
    let classifications = [
        trunkline_cm::Cm.classify(&response),
        trunkline_servisbot::Servisbot::default().classify(&response),
        trunkline_twin::Twin::default().classify(&response),
        trunkline_unblu::Unblu.classify(&response),
        trunkline_webex::Webex.classify(&response),
        trunkline_webhook::Webhook.classify(&response),
    ];
    for classification in classifications {
        let _ = trunkline_runtime::outbound::Attempt::with_response(&response, classification);
    }
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let settings = trunkline_twin::Settings::default();
        let context = trunkline_twin::Context {
            settings: &settings,
            conversation: Some("c"),
            default_role: AuthorRole::Bot,
            client_id: Some("x"),
            now: Timestamp::UNIX_EPOCH,
        };
        let _ = trunkline_twin::message_event(&value, &context, &["r"]);
        let _ = trunkline_twin::named_event("chatMessageCreated", &value, &context);
    }
}

/// Frames of TWIN's sockets, one per line, in both protocol revisions.
pub fn socket(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for revision in [Revision::Three, Revision::Four] {
        let mut protocol = Protocol::new(revision);
        for frame in text.lines() {
            if let Ok(packet) = codec::decode(frame) {
                assert_eq!(
                    codec::decode(&codec::encode(&packet)),
                    Ok(packet),
                    "a written packet reads differently"
                );
            }
            let _ = protocol.receive(frame);
            let _ = (protocol.ping_interval(), protocol.silence_timeout());
        }
    }
}

/// Standard Webhooks signatures: none may be accepted.
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
    assert!(
        verify(&secrets[..1], &headers, &[body], now).is_err(),
        "a forged signature was accepted"
    );
    let _ = verify(&secrets, &headers, &[body], now);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = trunkline_core::model::digest(&[text]);
        let _ = text.parse::<trunkline_core::model::ConnectionId>();
    }
}

/// URLs: an accepted URL is https, has no user name, and has no private IP address.
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
    assert!(escape_dot_segment(text) != "." && escape_dot_segment(text) != "..");
    if let Some(bits) = data.first_chunk::<16>() {
        let v6 = std::net::Ipv6Addr::from(*bits);
        if is_public(v6.into()) {
            let v4 = v6.to_ipv4();
            assert!(v4.is_none_or(|v4| is_public(v4.into())));
            assert!(!v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unique_local());
        }
    }
}
