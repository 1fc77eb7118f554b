//! Every platform's events in the forms that other programs give them: nothing that is meant well is lost.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::{GzEncoder, ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_ENCODING;
use jiff::SignedDuration;
use lambda_http::{Body, Request};
use serde_json::Value;
use sha2::Sha256;
use standardwebhooks::Webhook as Signer;
use trunkline_core::model::Role;
use trunkline_unblu_mock::SECRET;

use crate::kinds::Kind;
use crate::network::Network;
use crate::parties::{Call, Context, PARTIES};
use crate::senders::SIGNING;
use crate::{Pair, name_of, new_ones, paused};

const SENT: &str = "parcel 42";
/// What an unreadable or unsupported call is answered with, by platform.
const REFUSED: [(&str, u16); 6] = [
    ("webhook", 415),
    ("webex", 200),
    ("cm", 201),
    ("unblu", 415),
    ("twin", 200),
    ("servisbot", 200),
];

/// How a program changes the body of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Half an emoji, as an escape.
    LoneSurrogate,
    ByteOrderMark,
    /// `null` for every member that may be left out.
    Nulls,
    Gzip,
    Deflate,
    /// Compressed after it was signed.
    SignedThenGzip,
    /// A signature of another secret in a header before the right one.
    SeveralSignatures,
    /// The same in one header.
    JoinedSignatures,
}

const FORMS: [Form; 8] = [
    Form::LoneSurrogate,
    Form::ByteOrderMark,
    Form::Nulls,
    Form::Gzip,
    Form::Deflate,
    Form::SignedThenGzip,
    Form::SeveralSignatures,
    Form::JoinedSignatures,
];

impl Form {
    /// Returns the JSON of a call in this form.
    fn apply(self, platform: &str, body: &str) -> Vec<u8> {
        match self {
            Self::LoneSurrogate => body.replace(SENT, r"parcel 42 \ud83d").into_bytes(),
            Self::ByteOrderMark => format!("\u{feff}{body}").into_bytes(),
            Self::Nulls => with_nulls(platform, body).into_bytes(),
            _ => body.as_bytes().to_vec(),
        }
    }

    fn compress(self, body: &[u8]) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Self::Gzip | Self::SignedThenGzip => {
                Some(("gzip", all(GzEncoder::new(body, Compression::best()))))
            }
            Self::Deflate => Some(("deflate", all(ZlibEncoder::new(body, Compression::best())))),
            _ => None,
        }
    }

    /// What the receiver must see of the text.
    fn expected(self) -> &'static str {
        match self {
            Self::LoneSurrogate => "parcel 42 \u{fffd}",
            _ => SENT,
        }
    }
}

fn all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Adds `null` for the members that a platform may leave out, to every object that does not have them.
fn with_nulls(platform: &str, body: &str) -> String {
    let names: &[&str] = match platform {
        "webhook" => &[
            "author", "channel", "language", "copy", "format", "media", "cards", "location",
            "contact", "choices", "metadata", "reply_to",
        ],
        "webex" => {
            &["MessageType", "Media", "PostbackPayload", "DeliveryStatus", "Description", "message"]
        }
        "cm" => &["context", "media", "caption", "createdOn", "sessionId", "options"],
        "unblu" => &[
            "sourceId",
            "botThreadId",
            "quickReplies",
            "replyToMessageId",
            "externalMessageId",
            "replyToExternalMessageId",
            "recipientPersonIds",
            "receivingContacts",
            "displayName",
            "internal",
        ],
        "twin" => {
            &["answers", "actions", "keyboard", "attachments", "replyTo", "createdAt", "readAt"]
        }
        _ => &["Markdown", "Messages", "Context", "HostNotification", "correlationId"],
    };
    let mut value: Value = serde_json::from_str(body).unwrap();
    add_nulls(&mut value, names);
    value.to_string()
}

fn add_nulls(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|member| add_nulls(member, names));
            for name in names {
                members.entry(*name).or_insert(Value::Null);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_nulls(item, names)),
        _ => {}
    }
}

/// A request with its signatures.
fn request(platform: &str, id: &str, call: &Call, form: Form, now: i64) -> Request {
    let json = form.apply(platform, &call.body);
    let compressed = form.compress(&json);
    let body = compressed.as_ref().map_or(&json, |(_, body)| body);
    let signed = if form == Form::SignedThenGzip { &json } else { body };
    let uri = format!("/in/{platform}/{id}/url-key{}", call.path);
    let mut request = http::Request::builder().method("POST").uri(uri);
    if let Some((encoding, _)) = &compressed {
        request = request.header(CONTENT_ENCODING, *encoding);
    }
    for (name, value) in &call.headers {
        let signature = match name.as_str() {
            "webhook-signature" => webhook_signature(SIGNING, call, now, signed),
            "x-unblu-signature-256" => unblu_signature(SECRET, signed),
            "x-unblu-signature" => continue,
            _ => {
                request = request.header(name, value);
                continue;
            }
        };
        let wrong = signature.chars().rev().collect::<String>();
        let wrong = if name == "webhook-signature" { format!("v1,{wrong}") } else { wrong };
        match form {
            Form::SeveralSignatures => {
                request = request.header(name, wrong).header(name, signature);
            }
            Form::JoinedSignatures => {
                request = request.header(name, format!("{wrong},{signature}"));
            }
            _ => request = request.header(name, signature),
        }
    }
    request.body(Body::Binary(body.clone())).unwrap()
}

/// The signature of a JSON body is the reference library's. It does not sign compressed bytes, so that these
/// are signed by the specification: HMAC-SHA256 over id, timestamp and body.
fn webhook_signature(secret: &str, call: &Call, at: i64, body: &[u8]) -> String {
    let id = call.headers.iter().find(|(name, _)| name == "webhook-id");
    let id = id.map(|(_, id)| id.as_str()).unwrap_or_default();
    if let Ok(signature) = Signer::new(secret).unwrap().sign(id, at, body) {
        return signature;
    }
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn unblu_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

impl Pair {
    /// Sends a text in a form, and checks that the receiver is shown it.
    async fn check_form(&mut self, from: Role, form: Form) {
        let to = if from == Role::Channel { self.other_role } else { Role::Channel };
        let context = self.next_context(from).await;
        let request = self.request_in(from, form, &context);
        let platform = self.party(from).platform();
        let before = self.party(to).received();
        let answer = self.stack.request(platform.as_str(), &request).await;
        assert!(answer.is_success(), "{platform} {from:?} {form:?}: {answer:?}");
        self.stack.advance(SignedDuration::from_secs(2)).await;
        let received = new_ones(before, self.party(to).received()).concat();
        assert!(received.contains(form.expected()), "{platform} {from:?} {form:?}: {received}");
    }

    fn request_in(&self, from: Role, form: Form, context: &Context) -> Request {
        let party = self.party(from);
        let payload = party.payload(Kind::Text, context).unwrap();
        let call = party.call(&payload, context);
        let now = context.now.as_second();
        request(party.platform().as_str(), name_of(from), &call, form, now)
    }

    /// Sends a body that is compressed in a way that Trunkline does not support, and checks that it is kept.
    async fn check_unsupported_encoding(&mut self, from: Role) {
        let context = self.next_context(from).await;
        let mut request = self.request_in(from, Form::ByteOrderMark, &context);
        request.headers_mut().insert(CONTENT_ENCODING, "br".parse().unwrap());
        let platform = self.party(from).platform();
        let answer = self.stack.request(platform.as_str(), &request).await;
        let expected = REFUSED.iter().find(|(name, _)| *name == platform.as_str()).unwrap().1;
        assert_eq!(answer.status, expected, "{platform} {from:?}: {answer:?}");
        let connection = name_of(from).parse().unwrap();
        let kept = self.stack.app.store.rejected(&connection, None, 10).await.unwrap();
        assert_eq!(kept.len(), 1, "{platform} {from:?}: {kept:?}");
        assert!(kept[0].1.reason.contains("Content-Encoding br"), "{kept:?}");
    }
}

async fn check_every_form(network: &Network) {
    for (platform, role) in PARTIES {
        let (channel, other, other_role) = match role {
            Role::Channel => (platform, "webhook", Role::Bot),
            _ => ("webhook", platform, role),
        };
        let mut pair = Pair::start(network, channel, other, other_role).await;
        pair.open().await;
        for form in FORMS {
            pair.check_form(role, form).await;
        }
        pair.check_unsupported_encoding(role).await;
    }
}

/// Shows input 8. Shows input 10. Shows input 11. Shows input 12. Shows input 17.
#[test]
fn a_text_arrives_in_every_form_that_programs_send() {
    paused(check_every_form(&Network::start()));
}
