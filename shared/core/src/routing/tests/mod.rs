//! Examples of the main stories, and properties that hold for every sequence of events.

mod ahead;
mod choices;
mod examples;
mod properties;
mod timers;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::*;
use crate::model::{
    AuthorRole, Capabilities, Content, EventId, HandoverMode, HandoverPolicy, Keywords, Owner,
    PlatformId, Presentation, SessionId, Texts, Transcript,
};

/// The platform of all parties.
const TEST_PLATFORM: PlatformId = PlatformId::from_static("fax");

/// The capabilities of a platform that can do everything.
pub(super) const RICH: Capabilities = Capabilities::ALL;

/// The capabilities of a platform with agents of its own that shows text only.
pub(super) const PLAIN: Capabilities =
    Capabilities { max_text_chars: 4_096, handover: true, ..Capabilities::TEXT_ONLY };

pub(super) fn party(id: &str, capabilities: Capabilities, copies: bool) -> Party {
    Party {
        connection: id.parse().unwrap(),
        platform: TEST_PLATFORM,
        copies,
        presentation: Presentation { sender_prefix: false, capabilities },
    }
}

/// A route with a bot, a desk and an observer.
pub(super) fn full_route() -> ResolvedRoute {
    let keywords = Keywords { handover: vec!["agent".into()], handback: vec!["robot".into()] };
    let texts = Texts {
        waiting: "One moment.".into(),
        joined: "{agent} is here.".into(),
        left: "{agent} has left.".into(),
        unanswered: "No agent is available.".into(),
        unsupported: "We cannot see this.".into(),
        file_failed: "{name} is lost.".into(),
        edited: "Correction: {text}".into(),
        deleted: "This message was withdrawn.".into(),
        agent: "an agent".into(),
    };
    ResolvedRoute {
        route: "main".parse().unwrap(),
        bot: Some(party("bot", RICH, true)),
        desk: Some(party("desk", RICH, false)),
        observers: vec![party("archive", RICH, true)],
        handover_policy: HandoverPolicy {
            accept_within: Some(60),
            agent_idle: Some(120),
            session_ttl: Some(3_600),
            language: Some("en".into()),
            keywords: [("en".to_owned(), keywords)].into(),
            texts: [("en".to_owned(), texts)].into(),
            ..HandoverPolicy::default()
        },
    }
}

pub(super) fn route_without_desk() -> ResolvedRoute {
    ResolvedRoute { desk: None, ..full_route() }
}

pub(super) fn route_without_bot() -> ResolvedRoute {
    ResolvedRoute { bot: None, ..full_route() }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

pub(super) fn event(seconds: i64, role: AuthorRole, body: EventBody) -> Event {
    let id = format!("{seconds}-{}", body.kind());
    let (event_id, author) = (EventId::from_parts(&["e", &id]), Author::nameless(role));
    Event {
        external_message_id: Some(id.into()),
        ..Event::new(event_id, "c-1", at(seconds), author, body)
    }
}

pub(super) fn message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

pub(super) fn handover() -> EventBody {
    let (reason, context) = (Some("asked".into()), Map::new());
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason,
        context,
        transcript: Transcript::default(),
    }
}

pub(super) fn handback() -> EventBody {
    EventBody::Handback { reason: None, context: Map::new(), transcript: Transcript::default() }
}

pub(super) fn close() -> EventBody {
    EventBody::Close { reason: None }
}

/// A sequence of events: each is routed on the conversation that the previous one left.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) channel: Capabilities,
    pub(super) route: ResolvedRoute,
    pub(super) conversation: Option<Conversation>,
    pub(super) seconds: i64,
}

impl Scenario {
    pub(super) fn new(channel: Capabilities, route: ResolvedRoute) -> Self {
        Self { channel, route, conversation: None, seconds: 0 }
    }

    pub(super) fn try_event(
        &mut self,
        from: Sender<'_>,
        event: &Event,
        echo: bool,
    ) -> Result<Decision, Refusal> {
        self.try_agent_initiated(from, event, echo, false)
    }

    pub(super) fn try_agent_initiated(
        &mut self,
        from: Sender<'_>,
        event: &Event,
        echo: bool,
        begins: bool,
    ) -> Result<Decision, Refusal> {
        self.seconds += 10;
        let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "c-1".into() };
        let id = format!("conv-{}", self.seconds).into();
        let start = NewConversation { key, id, channel: party("shop", self.channel, false) };
        let fresh = format!("desk-{}", self.seconds).into();
        let decision = decide(&RoutingInput {
            conversation: self.conversation.as_ref(),
            route: Some(&self.route),
            new_conversation: Some(&start),
            from,
            event,
            echo,
            agent_initiated: begins,
            now: at(self.seconds),
            new_handover_id: &fresh,
        })?;
        self.conversation = Some(decision.conversation.clone());
        Ok(decision)
    }

    pub(super) fn try_send(&mut self, role: Role, body: EventBody) -> Result<Decision, Refusal> {
        let author = match role {
            Role::Channel => AuthorRole::Customer,
            Role::Bot => AuthorRole::Bot,
            Role::Desk => AuthorRole::Agent,
            Role::Observer => AuthorRole::System,
        };
        let event = event(self.seconds + 10, author, body);
        let session = self.session(role);
        self.try_event(Sender::Party { role, session: session.as_ref() }, &event, false)
    }

    pub(super) fn send(&mut self, role: Role, body: EventBody) -> Decision {
        self.try_send(role, body).unwrap()
    }

    /// The session by which a connection of this role knows the conversation.
    pub(super) fn session(&self, role: Role) -> Option<SessionId> {
        let conversation = self.conversation.as_ref()?;
        match role {
            Role::Bot => Some(SessionId::from(&conversation.id)),
            Role::Desk => {
                conversation.handover.as_ref().map(|handover| SessionId::from(&handover.id))
            }
            Role::Channel | Role::Observer => None,
        }
    }

    pub(super) fn owner(&self) -> Owner {
        self.conversation.as_ref().unwrap().owner()
    }
}

/// The texts that Trunkline itself sends to the customer.
pub(super) fn customer_notices(decision: &Decision) -> Vec<&str> {
    let said = decision.preceding.iter().chain(&decision.following);
    let texts = said.filter_map(|said| match &said.body {
        EventBody::Message { content, .. } => content.text.as_deref(),
        _ => None,
    });
    texts.collect()
}

/// The roles that receive the event itself rather than a copy.
pub(super) fn addressed_roles(decision: &Decision) -> Vec<Role> {
    decision.targets.iter().filter(|target| !target.copy).map(|target| target.role).collect()
}
