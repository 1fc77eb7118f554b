//! The decisions that people care most about, and the laws that hold for any sequence of events.

mod examples;
mod properties;
mod timers;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::*;
use crate::model::{
    AuthorRole, Content, EventId, Keywords, Mode, Owner, Platform, Recall, Switching, Texts,
};

pub(super) fn party(id: &str, platform: Platform, copies: bool) -> Party {
    Party {
        connection: id.parse().unwrap(),
        platform,
        copies,
        sender_prefix: false,
        text_limit: None,
        shows: Vec::new(),
    }
}

/// A route with a bot, a desk and an archive.
pub(super) fn both() -> Serving {
    let keywords = Keywords { handover: vec!["agent".into()], handback: vec!["robot".into()] };
    let texts = Texts {
        waiting: "One moment.".into(),
        joined: "{agent} is here.".into(),
        left: "{agent} has left.".into(),
        nobody: "Nobody is there.".into(),
        unshown: "We cannot see this.".into(),
        agent: "somebody".into(),
    };
    Serving {
        route: "main".parse().unwrap(),
        bot: Some(party("bot", Platform::Webhook, true)),
        desk: Some(party("desk", Platform::Webhook, false)),
        observers: vec![party("archive", Platform::Webhook, true)],
        switching: Switching {
            accept_within: Some(60),
            agent_idle: Some(120),
            session_ttl: Some(3_600),
            language: Some("en".into()),
            keywords: [("en".to_owned(), keywords)].into(),
            texts: [("en".to_owned(), texts)].into(),
            ..Switching::default()
        },
    }
}

pub(super) fn bot_only() -> Serving {
    Serving { desk: None, ..both() }
}

pub(super) fn desk_only() -> Serving {
    Serving { bot: None, ..both() }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

pub(super) fn event(seconds: i64, role: AuthorRole, body: EventBody) -> Event {
    let id = format!("{seconds}-{}", body.kind());
    let (event_id, author) = (EventId::from_parts(&["e", &id]), Author::nameless(role));
    Event { external_id: Some(id), ..Event::new(event_id, "c-1", at(seconds), author, body) }
}

pub(super) fn says(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

pub(super) fn handover() -> EventBody {
    let (reason, context) = (Some("asked".into()), Map::new());
    EventBody::Handover { mode: Mode::Offer, reason, context, recall: Recall::default() }
}

pub(super) fn handback() -> EventBody {
    EventBody::Handback { reason: None, context: Map::new(), recall: Recall::default() }
}

pub(super) fn close() -> EventBody {
    EventBody::Close { reason: None }
}

/// A conversation as it goes on: each event is decided on what the one before left.
#[derive(Debug, Clone)]
pub(super) struct Play {
    pub(super) channel: Platform,
    pub(super) serving: Serving,
    pub(super) held: Option<Conversation>,
    pub(super) seconds: i64,
}

impl Play {
    pub(super) fn on(channel: Platform, serving: Serving) -> Self {
        Self { channel, serving, held: None, seconds: 0 }
    }

    pub(super) fn try_event(
        &mut self,
        from: Sender<'_>,
        event: &Event,
        echo: bool,
    ) -> Result<Decision, Refusal> {
        self.try_beginning(from, event, echo, false)
    }

    pub(super) fn try_beginning(
        &mut self,
        from: Sender<'_>,
        event: &Event,
        echo: bool,
        begins: bool,
    ) -> Result<Decision, Refusal> {
        self.seconds += 10;
        let key = ConversationKey { channel: "shop".parse().unwrap(), customer: "c-1".into() };
        let id = format!("conv-{}", self.seconds);
        let start = Start { key, id, channel: party("shop", self.channel, false) };
        let fresh = format!("desk-{}", self.seconds);
        let decision = decide(&Situation {
            conversation: self.held.as_ref(),
            serving: Some(&self.serving),
            start: Some(&start),
            from,
            event,
            echo,
            begins,
            now: at(self.seconds),
            fresh: &fresh,
        })?;
        self.held = Some(decision.conversation.clone());
        Ok(decision)
    }

    pub(super) fn tried(&mut self, role: Role, body: EventBody) -> Result<Decision, Refusal> {
        let author = match role {
            Role::Channel => AuthorRole::Customer,
            Role::Bot => AuthorRole::Bot,
            Role::Desk => AuthorRole::Agent,
            Role::Observer => AuthorRole::System,
        };
        let event = event(self.seconds + 10, author, body);
        let leg = self.leg(role);
        self.try_event(Sender::Party { role, leg: leg.as_deref() }, &event, false)
    }

    pub(super) fn does(&mut self, role: Role, body: EventBody) -> Decision {
        self.tried(role, body).unwrap()
    }

    /// What a party knows the conversation by.
    pub(super) fn leg(&self, role: Role) -> Option<String> {
        let held = self.held.as_ref()?;
        match role {
            Role::Bot => Some(held.id.clone()),
            Role::Desk => held.handover.as_ref().map(|handover| handover.id.clone()),
            Role::Channel | Role::Observer => None,
        }
    }

    pub(super) fn owner(&self) -> Owner {
        self.held.as_ref().unwrap().owner()
    }
}

/// What the customer is told by the house.
pub(super) fn told(decision: &Decision) -> Vec<&str> {
    let said = decision.before.iter().chain(&decision.after);
    let texts = said.filter_map(|said| match &said.body {
        EventBody::Message { content, .. } => content.text.as_deref(),
        _ => None,
    });
    texts.collect()
}

/// Where an event goes that is to be dealt with there.
pub(super) fn addressed(decision: &Decision) -> Vec<Role> {
    decision.targets.iter().filter(|target| !target.copy).map(|target| target.role).collect()
}
