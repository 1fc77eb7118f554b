//! Engine.IO's and Socket.IO's packets as text, revisions 3 and 4 of the one, 4 and 5 of the other.
//! Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a frame is not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Nothing is in it.
    #[error("an empty frame")]
    Empty,
    /// It begins with no packet's digit.
    #[error("an unknown packet")]
    Unknown,
    /// What a packet brings is not JSON, or not what it should be.
    #[error("a packet's data cannot be read")]
    Data,
}

/// A packet of Engine.IO, which carries those of Socket.IO.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// The connection is open.
    Open(Open),
    /// It is to be closed.
    Close,
    /// Whether the other side is there, with what is to come back.
    Ping(String),
    /// The answer.
    Pong(String),
    /// A packet of Socket.IO.
    Message(Inner),
    /// The transport was changed.
    Upgrade,
    /// Nothing.
    Noop,
}

/// How an open connection is kept alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Open {
    /// How often is pinged, in milliseconds.
    pub ping_interval: u64,
    /// How long the answer may take, in milliseconds.
    pub ping_timeout: u64,
    /// How much may be sent at once; told by newer servers only.
    pub max_payload: Option<u64>,
}

impl Default for Open {
    fn default() -> Self {
        Self { ping_interval: 25_000, ping_timeout: 20_000, max_payload: None }
    }
}

/// The kind of a Socket.IO packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A namespace is joined.
    Connect,
    /// It is left.
    Disconnect,
    /// Something happened.
    Event,
    /// An event was received.
    Ack,
    /// A namespace cannot be joined; an error, in older revisions.
    Error,
    /// An event of which parts follow as bytes.
    BinaryEvent,
    /// An acknowledgement of which parts follow as bytes.
    BinaryAck,
}

const KINDS: [Kind; 7] = [
    Kind::Connect,
    Kind::Disconnect,
    Kind::Event,
    Kind::Ack,
    Kind::Error,
    Kind::BinaryEvent,
    Kind::BinaryAck,
];

/// A packet of Socket.IO.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// What it is.
    pub kind: Kind,
    /// How many parts follow as bytes.
    pub parts: usize,
    /// The namespace: `/`, where none is named.
    pub namespace: String,
    /// The id under which it is to be acknowledged.
    pub id: Option<u64>,
    /// What it brings.
    pub data: Option<Value>,
}

impl Inner {
    /// A packet of the default namespace that brings nothing.
    #[must_use]
    pub fn bare(kind: Kind) -> Self {
        Self { kind, parts: 0, namespace: "/".into(), id: None, data: None }
    }
}

/// Reads a text frame.
///
/// # Errors
/// Why it is not a packet.
pub fn read(text: &str) -> Result<Packet, CodecError> {
    let kind = text.chars().next().ok_or(CodecError::Empty)?;
    let rest = text.get(1..).unwrap_or_default();
    Ok(match kind {
        '0' => Packet::Open(serde_json::from_str(rest).map_err(|_| CodecError::Data)?),
        '1' => Packet::Close,
        '2' => Packet::Ping(rest.to_owned()),
        '3' => Packet::Pong(rest.to_owned()),
        '4' => Packet::Message(read_inner(rest)?),
        '5' => Packet::Upgrade,
        '6' => Packet::Noop,
        _ => return Err(CodecError::Unknown),
    })
}

/// Writes a text frame.
#[must_use]
pub fn write(packet: &Packet) -> String {
    match packet {
        Packet::Open(open) => format!("0{}", serde_json::to_string(open).unwrap_or_default()),
        Packet::Close => "1".into(),
        Packet::Ping(probe) => format!("2{probe}"),
        Packet::Pong(probe) => format!("3{probe}"),
        Packet::Message(inner) => format!("4{}", write_inner(inner)),
        Packet::Upgrade => "5".into(),
        Packet::Noop => "6".into(),
    }
}

/// `<kind>[<parts>-][<namespace>,][<id>][<JSON>]`.
fn read_inner(text: &str) -> Result<Inner, CodecError> {
    let digit = text.bytes().next().ok_or(CodecError::Empty)?;
    let kind = KINDS.get(usize::from(digit.wrapping_sub(b'0'))).ok_or(CodecError::Unknown)?;
    let mut rest = text.get(1..).unwrap_or_default();
    let mut inner = Inner::bare(*kind);
    if matches!(kind, Kind::BinaryEvent | Kind::BinaryAck) {
        let (parts, after) = rest.split_once('-').ok_or(CodecError::Data)?;
        inner.parts = parts.parse().map_err(|_| CodecError::Data)?;
        rest = after;
    }
    if rest.starts_with('/') {
        let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
        namespace.clone_into(&mut inner.namespace);
        rest = after;
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    // A number alone is an id; older servers send errors as bare JSON, but never a bare number.
    if digits > 0 {
        inner.id = Some(rest[..digits].parse().map_err(|_| CodecError::Data)?);
        rest = &rest[digits..];
    }
    if !rest.is_empty() {
        let data: Value = serde_json::from_str(rest).map_err(|_| CodecError::Data)?;
        // It would read as another id.
        if data.is_number() {
            return Err(CodecError::Data);
        }
        inner.data = Some(data);
    }
    Ok(inner)
}

fn write_inner(inner: &Inner) -> String {
    let kind = KINDS.iter().position(|kind| *kind == inner.kind).unwrap_or_default();
    let mut text = kind.to_string();
    if matches!(inner.kind, Kind::BinaryEvent | Kind::BinaryAck) {
        text.push_str(&inner.parts.to_string());
        text.push('-');
    }
    if inner.namespace != "/" {
        text.push_str(&inner.namespace);
        text.push(',');
    }
    if let Some(id) = inner.id {
        text.push_str(&id.to_string());
    }
    if let Some(data) = &inner.data {
        text.push_str(&data.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(data: Value) -> Packet {
        Packet::Message(Inner { data: Some(data), ..Inner::bare(Kind::Event) })
    }

    #[test]
    fn frames_as_servers_send_them() {
        let open =
            r#"0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1}"#;
        assert_eq!(
            read(open),
            Ok(Packet::Open(Open { ping_interval: 300, ping_timeout: 200, max_payload: Some(1) }))
        );
        assert_eq!(read("40"), Ok(Packet::Message(Inner::bare(Kind::Connect))));
        let joined = Inner { data: Some(json!({"sid": "y"})), ..Inner::bare(Kind::Connect) };
        assert_eq!(read(r#"40{"sid":"y"}"#), Ok(Packet::Message(joined)));
        assert_eq!(read(r#"42["a",{"b":1}]"#), Ok(event(json!(["a", {"b": 1}]))));
        let named = Inner {
            namespace: "/chat".into(),
            id: Some(17),
            data: Some(json!(["a"])),
            ..Inner::bare(Kind::Event)
        };
        assert_eq!(read(r#"42/chat,17["a"]"#), Ok(Packet::Message(named)));
        let bytes = Inner {
            parts: 1,
            data: Some(json!(["a", {"_placeholder": true, "num": 0}])),
            ..Inner::bare(Kind::BinaryEvent)
        };
        let frame = r#"451-["a",{"_placeholder":true,"num":0}]"#;
        assert_eq!(read(frame), Ok(Packet::Message(bytes)));
        let refused = Inner { data: Some(json!("no")), ..Inner::bare(Kind::Error) };
        assert_eq!(read(r#"44"no""#), Ok(Packet::Message(refused)));
        assert_eq!(read("2probe"), Ok(Packet::Ping("probe".into())));
    }

    #[test]
    fn what_is_no_packet_is_said() {
        assert_eq!(read(""), Err(CodecError::Empty));
        assert_eq!(read("4"), Err(CodecError::Empty));
        for (bad, why) in [
            ("9", CodecError::Unknown),
            ("49", CodecError::Unknown),
            ("0", CodecError::Data),
            ("42[", CodecError::Data),
            ("45x", CodecError::Data),
            ("421\t7777", CodecError::Data),
            ("42-1", CodecError::Data),
            ("4299999999999999999999[]", CodecError::Data),
            ("\u{e9}", CodecError::Unknown),
        ] {
            assert_eq!(read(bad), Err(why), "{bad}");
        }
    }

    fn any_inner() -> impl Strategy<Value = Inner> {
        let data = prop_oneof![
            Just(None),
            prop::collection::vec(".{0,8}", 0..4).prop_map(|texts| Some(json!(texts))),
            prop::collection::btree_map(".{0,5}", any::<i32>(), 0..3).prop_map(|m| Some(json!(m))),
        ];
        let namespace = prop_oneof![Just("/".to_owned()), "/[a-z0-9-]{1,8}"];
        (0_usize..7, 0_usize..9, namespace, any::<Option<u64>>(), data).prop_map(
            |(kind, parts, namespace, id, data)| {
                let kind = KINDS[kind];
                let binary = matches!(kind, Kind::BinaryEvent | Kind::BinaryAck);
                Inner { kind, parts: if binary { parts } else { 0 }, namespace, id, data }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            inner in any_inner(), probe in ".{0,8}", ping_interval in any::<u64>(),
            max_payload in any::<Option<u64>>()
        ) {
            for packet in [
                Packet::Message(inner),
                Packet::Ping(probe.clone()),
                Packet::Pong(probe),
                Packet::Open(Open { ping_interval, ping_timeout: 1, max_payload }),
                Packet::Close,
                Packet::Noop,
                Packet::Upgrade,
            ] {
                prop_assert_eq!(read(&write(&packet)), Ok(packet));
            }
        }

        #[test]
        fn no_frame_makes_it_panic(text in "[0-6]{0,3}[-/,0-9a-z\\[\\]{}\":\\PC]{0,30}") {
            let _ = read(&text);
        }
    }
}
