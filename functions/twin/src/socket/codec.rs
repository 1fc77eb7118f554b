//! Encodes and decodes text frames: Engine.IO revisions 3 and 4, Socket.IO revisions 4 and 5. No I/O.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_core::json::from_slice;

/// Why a frame is not a valid packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The frame is empty.
    #[error("the frame is empty")]
    Empty,
    /// The first digit is not a packet type.
    #[error("unknown packet type")]
    Unknown,
    /// The packet's data is malformed.
    #[error("cannot parse the packet's data")]
    Data,
    /// The packet is an event without a name.
    #[error("the event has no name")]
    Event,
}

/// An Engine.IO packet. Messages carry Socket.IO packets.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// The server's handshake.
    Open(Open),
    Close,
    /// A ping with its payload, which the pong repeats.
    Ping(String),
    Pong(String),
    /// A Socket.IO packet.
    Message(SocketPacket),
    Upgrade,
    Noop,
}

/// The handshake: how the connection is kept alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Open {
    /// The interval between pings, in milliseconds.
    pub ping_interval: u64,
    /// How long the pong may take, in milliseconds.
    pub ping_timeout: u64,
    /// The largest payload in bytes; sent by newer servers only.
    pub max_payload: Option<u64>,
}

impl Default for Open {
    fn default() -> Self {
        Self { ping_interval: 25_000, ping_timeout: 20_000, max_payload: None }
    }
}

/// The type of a Socket.IO packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketPacketKind {
    /// Joins a namespace.
    Connect,
    /// Leaves a namespace.
    Disconnect,
    Event,
    /// Acknowledges an event.
    Ack,
    /// Refuses to join a namespace (`CONNECT_ERROR`); any error in older revisions.
    Error,
    /// An event with binary attachments.
    BinaryEvent,
    /// An acknowledgement with binary attachments.
    BinaryAck,
}

const KINDS: [SocketPacketKind; 7] = [
    SocketPacketKind::Connect,
    SocketPacketKind::Disconnect,
    SocketPacketKind::Event,
    SocketPacketKind::Ack,
    SocketPacketKind::Error,
    SocketPacketKind::BinaryEvent,
    SocketPacketKind::BinaryAck,
];

/// A Socket.IO packet.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketPacket {
    pub kind: SocketPacketKind,
    /// The number of binary attachments that follow.
    pub attachments: usize,
    /// The namespace; `/` by default.
    pub namespace: String,
    /// The id to acknowledge it by.
    pub id: Option<u64>,
    /// The payload as JSON; of an event, an array of its name and its arguments.
    pub data: Option<Value>,
}

impl SocketPacket {
    /// Returns a packet of the default namespace without data.
    #[must_use]
    pub fn empty(kind: SocketPacketKind) -> Self {
        Self { kind, attachments: 0, namespace: "/".into(), id: None, data: None }
    }
}

/// Decodes a text frame.
///
/// # Errors
/// Fails if the frame is not a valid packet.
pub fn decode(text: &str) -> Result<Packet, CodecError> {
    let kind = text.chars().next().ok_or(CodecError::Empty)?;
    let rest = text.get(1..).unwrap_or_default();
    Ok(match kind {
        '0' => Packet::Open(from_slice(rest.as_bytes()).map_err(|_| CodecError::Data)?),
        '1' => Packet::Close,
        '2' => Packet::Ping(rest.to_owned()),
        '3' => Packet::Pong(rest.to_owned()),
        '4' => Packet::Message(decode_socket_packet(rest)?),
        '5' => Packet::Upgrade,
        '6' => Packet::Noop,
        _ => return Err(CodecError::Unknown),
    })
}

/// Encodes a packet as a text frame.
#[must_use]
pub fn encode(packet: &Packet) -> String {
    match packet {
        Packet::Open(open) => format!("0{}", serde_json::to_string(open).unwrap_or_default()),
        Packet::Close => "1".into(),
        Packet::Ping(probe) => format!("2{probe}"),
        Packet::Pong(probe) => format!("3{probe}"),
        Packet::Message(packet) => format!("4{}", encode_socket_packet(packet)),
        Packet::Upgrade => "5".into(),
        Packet::Noop => "6".into(),
    }
}

/// Decodes `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`.
fn decode_socket_packet(text: &str) -> Result<SocketPacket, CodecError> {
    let digit = text.bytes().next().ok_or(CodecError::Empty)?;
    let kind = KINDS.get(usize::from(digit.wrapping_sub(b'0'))).ok_or(CodecError::Unknown)?;
    let mut rest = text.get(1..).unwrap_or_default();
    let mut packet = SocketPacket::empty(*kind);
    if matches!(kind, SocketPacketKind::BinaryEvent | SocketPacketKind::BinaryAck) {
        let (attachments, after) = rest.split_once('-').ok_or(CodecError::Data)?;
        packet.attachments = attachments.parse().map_err(|_| CodecError::Data)?;
        rest = after;
    }
    if rest.starts_with('/') {
        let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
        namespace.clone_into(&mut packet.namespace);
        rest = after;
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    // A number alone is an id; older servers send errors as bare JSON, but never a bare number.
    if digits > 0 {
        packet.id = Some(rest[..digits].parse().map_err(|_| CodecError::Data)?);
        rest = &rest[digits..];
    }
    if !rest.is_empty() {
        let data: Value = from_slice(rest.as_bytes()).map_err(|_| CodecError::Data)?;
        // Encoded, it would be read as an id.
        if data.is_number() {
            return Err(CodecError::Data);
        }
        packet.data = Some(data);
    }
    Ok(packet)
}

fn encode_socket_packet(packet: &SocketPacket) -> String {
    let kind = KINDS.iter().position(|kind| *kind == packet.kind).unwrap_or_default();
    let mut text = kind.to_string();
    if matches!(packet.kind, SocketPacketKind::BinaryEvent | SocketPacketKind::BinaryAck) {
        text.push_str(&packet.attachments.to_string());
        text.push('-');
    }
    if packet.namespace != "/" {
        text.push_str(&packet.namespace);
        text.push(',');
    }
    if let Some(id) = packet.id {
        text.push_str(&id.to_string());
    }
    if let Some(data) = &packet.data {
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
        Packet::Message(SocketPacket {
            data: Some(data),
            ..SocketPacket::empty(SocketPacketKind::Event)
        })
    }

    #[test]
    fn decodes_frames_as_servers_send_them() {
        let open =
            r#"0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1}"#;
        assert_eq!(
            decode(open),
            Ok(Packet::Open(Open { ping_interval: 300, ping_timeout: 200, max_payload: Some(1) }))
        );
        assert_eq!(
            decode("40"),
            Ok(Packet::Message(SocketPacket::empty(SocketPacketKind::Connect)))
        );
        let joined = SocketPacket {
            data: Some(json!({"sid": "y"})),
            ..SocketPacket::empty(SocketPacketKind::Connect)
        };
        assert_eq!(decode(r#"40{"sid":"y"}"#), Ok(Packet::Message(joined)));
        assert_eq!(decode(r#"42["a",{"b":1}]"#), Ok(event(json!(["a", {"b": 1}]))));
        let named = SocketPacket {
            namespace: "/chat".into(),
            id: Some(17),
            data: Some(json!(["a"])),
            ..SocketPacket::empty(SocketPacketKind::Event)
        };
        assert_eq!(decode(r#"42/chat,17["a"]"#), Ok(Packet::Message(named)));
        let bytes = SocketPacket {
            attachments: 1,
            data: Some(json!(["a", {"_placeholder": true, "num": 0}])),
            ..SocketPacket::empty(SocketPacketKind::BinaryEvent)
        };
        let frame = r#"451-["a",{"_placeholder":true,"num":0}]"#;
        assert_eq!(decode(frame), Ok(Packet::Message(bytes)));
        let refused = SocketPacket {
            data: Some(json!("no")),
            ..SocketPacket::empty(SocketPacketKind::Error)
        };
        assert_eq!(decode(r#"44"no""#), Ok(Packet::Message(refused)));
        assert_eq!(decode("2probe"), Ok(Packet::Ping("probe".into())));
    }

    /// Shows input 8, input 9.
    #[test]
    fn half_an_emoji_is_read_as_the_replacement_character() {
        let frame = r#"42["chatMessageCreatedEmit",{"body":"ok \ud83d"}]"#;
        let expected = json!(["chatMessageCreatedEmit", {"body": "ok \u{fffd}"}]);
        assert_eq!(decode(frame), Ok(event(expected)));
    }

    #[test]
    fn rejects_malformed_frames() {
        assert_eq!(decode(""), Err(CodecError::Empty));
        assert_eq!(decode("4"), Err(CodecError::Empty));
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
            assert_eq!(decode(bad), Err(why), "{bad}");
        }
    }

    fn any_socket_packet() -> impl Strategy<Value = SocketPacket> {
        let data = prop_oneof![
            Just(None),
            prop::collection::vec(".{0,8}", 0..4).prop_map(|texts| Some(json!(texts))),
            prop::collection::btree_map(".{0,5}", any::<i32>(), 0..3).prop_map(|m| Some(json!(m))),
        ];
        let namespace = prop_oneof![Just("/".to_owned()), "/[a-z0-9-]{1,8}"];
        (0_usize..7, 0_usize..9, namespace, any::<Option<u64>>(), data).prop_map(
            |(kind, attachments, namespace, id, data)| {
                let kind = KINDS[kind];
                let binary =
                    matches!(kind, SocketPacketKind::BinaryEvent | SocketPacketKind::BinaryAck);
                SocketPacket {
                    kind,
                    attachments: if binary { attachments } else { 0 },
                    namespace,
                    id,
                    data,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn encoding_round_trips(
            packet in any_socket_packet(), probe in ".{0,8}", ping_interval in any::<u64>(),
            max_payload in any::<Option<u64>>()
        ) {
            for packet in [
                Packet::Message(packet),
                Packet::Ping(probe.clone()),
                Packet::Pong(probe),
                Packet::Open(Open { ping_interval, ping_timeout: 1, max_payload }),
                Packet::Close,
                Packet::Noop,
                Packet::Upgrade,
            ] {
                prop_assert_eq!(decode(&encode(&packet)), Ok(packet));
            }
        }

        #[test]
        fn decoding_never_panics(text in "[0-6]{0,3}[-/,0-9a-z\\[\\]{}\":\\PC]{0,30}") {
            let _ = decode(&text);
        }
    }
}
