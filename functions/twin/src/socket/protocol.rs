//! The client side of the protocol as a state machine: frames in, actions out. No I/O.

use std::time::Duration;

use serde_json::Value;

use super::codec::{CodecError, Open, Packet, SocketPacket, SocketPacketKind, decode, encode};

/// The revisions of Engine.IO. They differ in which side pings and which side joins first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// Socket.IO 1 and 2: the client pings, and the server joins it to the default namespace.
    Three,
    /// Socket.IO 3 and later: the server pings, and the client joins.
    Four,
}

impl Revision {
    /// Returns the value of the query parameter `EIO`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::Three => "3",
            Self::Four => "4",
        }
    }

    /// Returns the other revision.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Three => Self::Four,
            Self::Four => Self::Three,
        }
    }
}

/// What the connection has to do after a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this frame.
    Send(String),
    /// Send [`Protocol::join`] unless a frame arrives shortly. An older server joins the client by
    /// itself; asked to, it would do so twice.
    JoinSoon,
    /// The namespace is joined: from now on events arrive.
    Joined,
    /// An event: its name, its first argument, and the id to acknowledge it by.
    Event(String, Value, Option<u64>),
    /// Close the connection.
    Close(CloseReason),
}

/// Why a connection has to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The server closed it.
    Closed,
    /// The server refuses to let the client join, for this reason.
    Refused(String),
    /// The server speaks the other revision.
    OtherRevision,
}

/// The state of one connection.
#[derive(Debug, Clone)]
pub struct Protocol {
    revision: Revision,
    open: Open,
    joined: bool,
}

impl Protocol {
    /// Creates the state of a new connection.
    #[must_use]
    pub fn new(revision: Revision) -> Self {
        Self { revision, open: Open::default(), joined: false }
    }

    /// Returns how often the client pings; `None` if the server does.
    #[must_use]
    pub fn ping_interval(&self) -> Option<Duration> {
        let interval = Duration::from_millis(self.open.ping_interval.clamp(100, 300_000));
        (self.revision == Revision::Three).then_some(interval)
    }

    /// Returns how long the server may stay silent before the connection counts as broken.
    #[must_use]
    pub fn silence_timeout(&self) -> Duration {
        let Open { ping_interval, ping_timeout, .. } = self.open;
        Duration::from_millis(ping_interval.saturating_add(ping_timeout).clamp(500, 600_000))
    }

    /// Returns the frame that joins the default namespace.
    #[must_use]
    pub fn join() -> String {
        encode(&Packet::Message(SocketPacket::empty(SocketPacketKind::Connect)))
    }

    /// Returns a ping frame.
    #[must_use]
    pub fn ping() -> String {
        encode(&Packet::Ping(String::new()))
    }

    /// Returns the frame that acknowledges an event.
    #[must_use]
    pub fn ack(id: u64) -> String {
        let data = Some(Value::Array(Vec::new()));
        encode(&Packet::Message(SocketPacket {
            id: Some(id),
            data,
            ..SocketPacket::empty(SocketPacketKind::Ack)
        }))
    }

    /// Processes a text frame and returns what to do.
    ///
    /// # Errors
    /// Fails if the frame is not a valid packet.
    pub fn receive(&mut self, text: &str) -> Result<Vec<Action>, CodecError> {
        Ok(match decode(text)? {
            Packet::Open(open) => {
                self.open = open;
                match (self.revision, open.max_payload) {
                    (Revision::Four, Some(_)) => vec![Action::Send(Self::join())],
                    (Revision::Four, None) => vec![Action::JoinSoon],
                    (Revision::Three, _) => Vec::new(),
                }
            }
            Packet::Close => vec![Action::Close(CloseReason::Closed)],
            Packet::Ping(probe) => vec![Action::Send(encode(&Packet::Pong(probe)))],
            Packet::Message(packet) if packet.namespace == "/" => self.message(packet)?,
            Packet::Message(_) | Packet::Pong(_) | Packet::Upgrade | Packet::Noop => Vec::new(),
        })
    }

    fn message(&mut self, packet: SocketPacket) -> Result<Vec<Action>, CodecError> {
        Ok(match packet.kind {
            SocketPacketKind::Connect => {
                // Only the newer revision answers with an object (the socket's id).
                let has_object = packet.data.as_ref().is_some_and(Value::is_object);
                if !has_object && self.revision == Revision::Four {
                    return Ok(vec![Action::Close(CloseReason::OtherRevision)]);
                }
                let first = !self.joined;
                self.joined = true;
                if first { vec![Action::Joined] } else { Vec::new() }
            }
            SocketPacketKind::Disconnect => vec![Action::Close(CloseReason::Closed)],
            SocketPacketKind::Error => {
                let data = packet.data.unwrap_or_default();
                let reason = data.get("message").unwrap_or(&data);
                let reason = reason.as_str().map_or_else(|| reason.to_string(), Into::into);
                vec![Action::Close(CloseReason::Refused(reason))]
            }
            SocketPacketKind::Event | SocketPacketKind::BinaryEvent => {
                let Some(Value::Array(data)) = packet.data else { return Err(CodecError::Event) };
                let mut data = data.into_iter();
                let Some(Value::String(name)) = data.next() else { return Err(CodecError::Event) };
                vec![Action::Event(name, data.next().unwrap_or_default(), packet.id)]
            }
            SocketPacketKind::Ack | SocketPacketKind::BinaryAck => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const OPEN: &str = r#"0{"sid":"x","pingInterval":25000,"pingTimeout":20000}"#;

    #[test]
    fn revision_4_joins_and_answers_pings() {
        let mut protocol = Protocol::new(Revision::Four);
        let newer = r#"0{"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(protocol.receive(newer), Ok(vec![Action::Send("40".into())]));
        assert_eq!(protocol.receive(r#"40{"sid":"y"}"#), Ok(vec![Action::Joined]));
        assert_eq!(protocol.receive("2"), Ok(vec![Action::Send("3".into())]));
        assert_eq!(protocol.ping_interval(), None);
        assert_eq!(protocol.silence_timeout(), Duration::from_secs(45));
        let event = Action::Event("a".into(), json!({"b": 1}), Some(7));
        assert_eq!(protocol.receive(r#"427["a",{"b":1}]"#), Ok(vec![event]));
        assert_eq!(Protocol::ack(7), "437[]");
        assert_eq!(protocol.receive("41"), Ok(vec![Action::Close(CloseReason::Closed)]));
    }

    #[test]
    fn revision_3_is_joined_by_the_server_and_pings() {
        let mut protocol = Protocol::new(Revision::Three);
        assert_eq!(protocol.receive(OPEN), Ok(vec![]));
        assert_eq!(protocol.receive("40"), Ok(vec![Action::Joined]));
        assert_eq!(protocol.receive("40"), Ok(vec![]), "joins only once");
        assert_eq!(protocol.ping_interval(), Some(Duration::from_secs(25)));
        assert_eq!(protocol.receive("3"), Ok(vec![]));
    }

    #[test]
    fn detects_an_older_server_by_its_connect_packet() {
        let mut protocol = Protocol::new(Revision::Four);
        assert_eq!(
            protocol.receive(OPEN),
            Ok(vec![Action::JoinSoon]),
            "either revision is possible"
        );
        assert_eq!(protocol.receive("40"), Ok(vec![Action::Close(CloseReason::OtherRevision)]));
    }

    #[test]
    fn reports_the_reason_of_a_refusal() {
        for (frame, why) in [(r#"44{"message":"gone"}"#, "gone"), (r#"44"gone""#, "gone")] {
            let refused = vec![Action::Close(CloseReason::Refused(why.into()))];
            assert_eq!(Protocol::new(Revision::Four).receive(frame), Ok(refused));
        }
    }

    #[test]
    fn ignores_other_namespaces_and_acknowledgements() {
        let mut protocol = Protocol::new(Revision::Four);
        for frame in [r#"42/other,["a"]"#, r#"43["a"]"#, "6"] {
            assert_eq!(protocol.receive(frame), Ok(vec![]), "{frame}");
        }
    }

    /// Shows input 9.
    #[test]
    fn an_event_without_a_name_is_an_error() {
        let mut protocol = Protocol::new(Revision::Four);
        for frame in ["42", "42[]", "42[1]", "42{}"] {
            assert_eq!(protocol.receive(frame), Err(CodecError::Event), "{frame}");
        }
    }

    proptest! {
        #[test]
        fn receiving_never_panics(frames in prop::collection::vec("[0-6]{1,3}\\PC{0,20}", 0..8)) {
            for revision in [Revision::Three, Revision::Four] {
                let mut protocol = Protocol::new(revision);
                for frame in &frames {
                    let _ = protocol.receive(frame);
                }
            }
        }
    }
}
