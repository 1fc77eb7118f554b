//! One connection as the protocol sees it: from frames to what is to be done. Pure.

use std::time::Duration;

use serde_json::Value;

use super::codec::{CodecError, Inner, Kind, Open, Packet, read, write};

/// The revisions of Engine.IO, which differ in who pings and in who joins first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// Socket.IO 1 and 2: we ping, and are in the default namespace at once.
    Three,
    /// Socket.IO 3 and later: we are pinged, and join.
    Four,
}

impl Revision {
    /// As it stands in the address.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::Three => "3",
            Self::Four => "4",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Three => Self::Four,
            Self::Four => Self::Three,
        }
    }
}

/// What is to be done because of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this.
    Send(String),
    /// Send [`Link::join`] unless something is heard shortly: an older server would join us of its own
    /// accord, and twice, were it asked.
    JoinSoon,
    /// The namespace is joined: from now on events come.
    Joined,
    /// An event: its name, what it brings first, and the id under which it is to be acknowledged.
    Event(String, Value, Option<u64>),
    /// The connection is of no use any more.
    End(End),
}

/// Why a connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The far side closed it.
    Closed,
    /// It does not let us join, for this reason.
    Refused(String),
    /// It speaks the other revision.
    OtherRevision,
}

/// A connection.
#[derive(Debug, Clone)]
pub struct Link {
    revision: Revision,
    open: Open,
    joined: bool,
}

impl Link {
    /// A new connection of that revision.
    #[must_use]
    pub fn new(revision: Revision) -> Self {
        Self { revision, open: Open::default(), joined: false }
    }

    /// How often we ping, if we do.
    #[must_use]
    pub fn pings_every(&self) -> Option<Duration> {
        let interval = Duration::from_millis(self.open.ping_interval.clamp(100, 300_000));
        (self.revision == Revision::Three).then_some(interval)
    }

    /// How long it may be silent before it is dead.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let Open { ping_interval, ping_timeout, .. } = self.open;
        Duration::from_millis(ping_interval.saturating_add(ping_timeout).clamp(500, 600_000))
    }

    /// What is sent to join the default namespace.
    #[must_use]
    pub fn join() -> String {
        write(&Packet::Message(Inner::bare(Kind::Connect)))
    }

    /// What is sent to ping.
    #[must_use]
    pub fn ping() -> String {
        write(&Packet::Ping(String::new()))
    }

    /// What is sent to acknowledge an event.
    #[must_use]
    pub fn ack(id: u64) -> String {
        let data = Some(Value::Array(Vec::new()));
        write(&Packet::Message(Inner { id: Some(id), data, ..Inner::bare(Kind::Ack) }))
    }

    /// What is to be done because of a text frame.
    ///
    /// # Errors
    /// If it is not a packet.
    pub fn hear(&mut self, text: &str) -> Result<Vec<Step>, CodecError> {
        Ok(match read(text)? {
            Packet::Open(open) => {
                self.open = open;
                match (self.revision, open.max_payload) {
                    (Revision::Four, Some(_)) => vec![Step::Send(Self::join())],
                    (Revision::Four, None) => vec![Step::JoinSoon],
                    (Revision::Three, _) => Vec::new(),
                }
            }
            Packet::Close => vec![Step::End(End::Closed)],
            Packet::Ping(probe) => vec![Step::Send(write(&Packet::Pong(probe)))],
            Packet::Message(inner) if inner.namespace == "/" => self.message(inner),
            Packet::Message(_) | Packet::Pong(_) | Packet::Upgrade | Packet::Noop => Vec::new(),
        })
    }

    fn message(&mut self, inner: Inner) -> Vec<Step> {
        match inner.kind {
            Kind::Connect => {
                // Only the newer revision tells whom it let join.
                let tells = inner.data.as_ref().is_some_and(Value::is_object);
                if !tells && self.revision == Revision::Four {
                    return vec![Step::End(End::OtherRevision)];
                }
                let first = !self.joined;
                self.joined = true;
                if first { vec![Step::Joined] } else { Vec::new() }
            }
            Kind::Disconnect => vec![Step::End(End::Closed)],
            Kind::Error => {
                let data = inner.data.unwrap_or_default();
                let reason = data.get("message").unwrap_or(&data);
                let reason = reason.as_str().map_or_else(|| reason.to_string(), Into::into);
                vec![Step::End(End::Refused(reason))]
            }
            Kind::Event | Kind::BinaryEvent => {
                let Some(Value::Array(mut data)) = inner.data else { return Vec::new() };
                if data.is_empty() {
                    return Vec::new();
                }
                let Value::String(name) = data.remove(0) else { return Vec::new() };
                let first = if data.is_empty() { Value::Null } else { data.remove(0) };
                vec![Step::Event(name, first, inner.id)]
            }
            Kind::Ack | Kind::BinaryAck => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const OPEN: &str = r#"0{"sid":"x","pingInterval":25000,"pingTimeout":20000}"#;

    #[test]
    fn the_newer_revision_joins_and_is_pinged() {
        let mut link = Link::new(Revision::Four);
        let newer = r#"0{"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(link.hear(newer), Ok(vec![Step::Send("40".into())]));
        assert_eq!(link.hear(r#"40{"sid":"y"}"#), Ok(vec![Step::Joined]));
        assert_eq!(link.hear("2"), Ok(vec![Step::Send("3".into())]));
        assert_eq!(link.pings_every(), None);
        assert_eq!(link.patience(), Duration::from_secs(45));
        let event = Step::Event("a".into(), json!({"b": 1}), Some(7));
        assert_eq!(link.hear(r#"427["a",{"b":1}]"#), Ok(vec![event]));
        assert_eq!(Link::ack(7), "437[]");
        assert_eq!(link.hear("41"), Ok(vec![Step::End(End::Closed)]));
    }

    #[test]
    fn the_older_revision_is_joined_at_once_and_pings() {
        let mut link = Link::new(Revision::Three);
        assert_eq!(link.hear(OPEN), Ok(vec![]));
        assert_eq!(link.hear("40"), Ok(vec![Step::Joined]));
        assert_eq!(link.hear("40"), Ok(vec![]), "joined once only");
        assert_eq!(link.pings_every(), Some(Duration::from_secs(25)));
        assert_eq!(link.hear("3"), Ok(vec![]));
    }

    #[test]
    fn an_older_server_is_known_by_how_it_lets_us_join() {
        let mut link = Link::new(Revision::Four);
        assert_eq!(link.hear(OPEN), Ok(vec![Step::JoinSoon]), "it may be of either");
        assert_eq!(link.hear("40"), Ok(vec![Step::End(End::OtherRevision)]));
    }

    #[test]
    fn a_refusal_says_why() {
        for (frame, why) in [(r#"44{"message":"gone"}"#, "gone"), (r#"44"gone""#, "gone")] {
            let refused = vec![Step::End(End::Refused(why.into()))];
            assert_eq!(Link::new(Revision::Four).hear(frame), Ok(refused));
        }
    }

    #[test]
    fn other_namespaces_and_strange_events_are_left_alone() {
        let mut link = Link::new(Revision::Four);
        for frame in [r#"42/other,["a"]"#, "42[]", "42[1]", "42{}", r#"43["a"]"#, "6"] {
            assert_eq!(link.hear(frame), Ok(vec![]), "{frame}");
        }
    }

    proptest! {
        #[test]
        fn no_frame_makes_it_panic(frames in prop::collection::vec("[0-6]{1,3}\\PC{0,20}", 0..8)) {
            for revision in [Revision::Three, Revision::Four] {
                let mut link = Link::new(revision);
                for frame in &frames {
                    let _ = link.hear(frame);
                }
            }
        }
    }
}
