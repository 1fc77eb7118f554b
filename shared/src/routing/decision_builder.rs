//! A decision in the making: what changes in the conversation, and what is said because of it.

use std::sync::LazyLock;

use jiff::SignedDuration;
use serde_json::Map;

use super::keywords;
use super::{Decision, Refusal, Said, Situation, Standing};
use crate::model::{
    Author, AuthorRole, Choice, Content, Conversation, Due, EventBody, Handover, Mode, Owner,
    Party, Phase, Place, Recall, ReceiptStatus, Reference, Role, Serving, Since, Switching, Target,
    Texts, Then, Timer, Trigger,
};

/// What holds where nobody says who serves the conversation.
static USUAL: LazyLock<Switching> = LazyLock::new(Switching::default);

/// A decision in the making.
pub(super) struct Turn<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) after: Conversation,
    pub(super) standing: Standing,
    pub(super) meant: Option<EventBody>,
    pub(super) before: Vec<Said>,
    pub(super) targets: Vec<Target>,
    pub(super) said: Vec<Said>,
    timers: Vec<Due>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(situation: &'a Situation<'a>, after: Conversation) -> Self {
        Self {
            situation,
            after,
            standing: Standing::Regular,
            meant: None,
            before: Vec::new(),
            targets: Vec::new(),
            said: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// On a conversation that starts, after `past`.
    pub(super) fn starting(
        situation: &'a Situation<'a>,
        past: Option<&Conversation>,
    ) -> Result<Self, Refusal> {
        let (start, serving) = situation.start.zip(situation.serving).ok_or(Refusal::NoRoute)?;
        if serving.bot.is_none() && serving.desk.is_none() {
            return Err(Refusal::NoRoute);
        }
        let version = past.map_or(0, |past| past.version);
        Ok(Self::new(situation, start.conversation(serving, version, situation.now)))
    }

    pub(super) fn record(mut self, standing: Standing) -> Decision {
        self.standing = standing;
        self.decided()
    }

    /// The parts of a decision as one. Whatever changes the conversation raises its version.
    pub(super) fn decided(mut self) -> Decision {
        let before = self.situation.conversation;
        let changed = before != Some(&self.after);
        self.after.version = before.map_or(0, |before| before.version) + u64::from(changed);
        if self.standing != Standing::Echo && is_worth_a_copy(&self.situation.event.body) {
            self.targets.extend(observers(&self.after));
        }
        for said in self.before.iter_mut().chain(&mut self.said) {
            said.targets.extend(observers(&self.after));
        }
        Decision {
            standing: self.standing,
            conversation: self.after,
            changed,
            meant: self.meant,
            before: self.before,
            targets: self.targets,
            after: self.said,
            timers: self.timers,
        }
    }

    pub(super) fn switching(&self) -> &'a Switching {
        self.situation.serving.map_or(&USUAL, |serving| &serving.switching)
    }

    /// Whoever answers the customer now, as the target of what the customer does.
    pub(super) fn owner(&self) -> Option<Target> {
        let parties = &self.after.parties;
        match (&self.after.handover, &parties.bot) {
            (Some(Handover { place: Place::Channel, .. }), _) => None,
            (Some(handover), _) => {
                parties.desk.as_ref().map(|desk| Target::at_desk(desk, handover))
            }
            (None, bot) => bot.as_ref().map(|bot| Target::addressed(bot, Role::Bot)),
        }
    }

    /// A copy for the bot while it is not its turn, if it wants any.
    pub(super) fn copy_to_bot(&mut self) {
        let bot = self.after.parties.bot.as_ref().filter(|bot| bot.copies);
        if let Some(bot) = bot.filter(|_| self.after.owner() == Owner::Desk) {
            self.targets.push(Target::copied(bot, Role::Bot));
        }
    }

    pub(super) fn to_channel(&self) -> Target {
        let origin = self.after.origin.clone();
        Target { origin, ..Target::addressed(&self.after.parties.channel, Role::Channel) }
    }

    /// Whether there are people to hand over to.
    pub(super) fn has_people(&self) -> bool {
        self.desk().is_some() || self.after.parties.channel.platform.capabilities().handover
    }

    /// The desk as configured now, or else as it was when the conversation started.
    fn desk(&self) -> Option<Party> {
        let now = self.situation.serving.and_then(|serving| serving.desk.clone());
        now.or_else(|| self.after.parties.desk.clone())
    }

    /// Gives the conversation to people. Answers with where the handover is to be told.
    pub(super) fn hand_over(
        &mut self,
        mode: Mode,
        by: Trigger,
        reason: Option<String>,
    ) -> Result<Target, Refusal> {
        let now = self.situation.now;
        let desk = self.desk();
        let place = if desk.is_some() { Place::Desk } else { Place::Channel };
        if !self.has_people() {
            return Err(Refusal::NoDesk);
        }
        let accepted_at = (mode == Mode::Pass).then_some(now);
        let id = self.situation.fresh.to_owned();
        let handover = Handover { id, place, by, reason, at: now, accepted_at, agent: None };
        let switching = self.switching();
        let target = match &desk {
            Some(desk) => Target::at_desk(desk, &handover),
            None => self.to_channel(),
        };
        if place == Place::Desk {
            let timer = |seconds: Option<u32>, timer| {
                seconds.map(|seconds| Due { timer, at: now + seconds_of(seconds) })
            };
            let handover = handover.id.clone();
            self.timers.extend(match mode {
                Mode::Offer => timer(switching.accept_within, Timer::AcceptWithin { handover }),
                Mode::Pass => timer(switching.agent_idle, Timer::AgentIdle { handover }),
            });
        }
        self.after.parties.desk = desk;
        self.after.handover = Some(handover);
        self.after.offered = Vec::new();
        if place == Place::Desk && mode == Mode::Offer {
            self.tell_customer("waiting", |texts| &texts.waiting, None, false);
        }
        Ok(target)
    }

    /// What a handover to the desk tells of what was said before.
    pub(super) fn recall(&self) -> Recall {
        let switching = self.switching();
        let since = match switching.transcript_since {
            Since::Start => self.after.started_at,
            Since::Handback => self.after.bot_since,
        };
        Recall {
            last: switching.transcript,
            asked_at: Some(self.situation.now),
            since: Some(since),
            lines: Vec::new(),
        }
    }

    /// Says a handover that the sender of the event did not say in so many words.
    pub(super) fn say_handover(&mut self, by: Trigger, reason: &str) -> Result<(), Refusal> {
        let recall = self.recall();
        let target = self.hand_over(Mode::Offer, by, Some(reason.to_owned()))?;
        let body = EventBody::Handover {
            mode: Mode::Offer,
            reason: Some(reason.to_owned()),
            context: Map::new(),
            recall,
        };
        let mut targets = vec![target];
        if let Some(bot) = self.after.parties.bot.as_ref().filter(|bot| bot.copies) {
            targets.push(Target::copied(bot, Role::Bot));
        }
        self.before.push(by_house("handover", body, targets));
        Ok(())
    }

    /// Somebody at the desk takes what was offered. `first` says it before the event itself.
    pub(super) fn accept(&mut self, agent: Option<&str>, first: bool) {
        let now = self.situation.now;
        let idle = self.switching().agent_idle;
        let Some(handover) = &mut self.after.handover else { return };
        handover.accepted_at = Some(now);
        handover.agent = agent.map(ToOwned::to_owned);
        let timer = Timer::AgentIdle { handover: handover.id.clone() };
        self.timers.extend(idle.map(|idle| Due { timer, at: now + seconds_of(idle) }));
        self.tell_customer("joined", |texts| &texts.joined, agent, first);
    }

    /// Takes the conversation from people. `by_desk` if they know already.
    pub(super) fn take_back(&mut self, then: Then, reason: Option<&str>, by_desk: bool) {
        let Some(handover) = self.after.handover.take() else { return };
        let was_accepted = handover.accepted_at.is_some();
        let desk = self.after.parties.desk.clone().filter(|_| handover.place == Place::Desk);
        if let Some(desk) = desk.filter(|_| !by_desk) {
            let body = EventBody::Close { reason: reason.map(ToOwned::to_owned) };
            self.before.push(by_house("close", body, vec![Target::at_desk(&desk, &handover)]));
        }
        if handover.place == Place::Desk {
            if was_accepted {
                let agent = handover.agent.as_deref();
                self.tell_customer("left", |texts| &texts.left, agent, false);
            } else {
                self.tell_customer("nobody", |texts| &texts.nobody, None, false);
            }
        }
        self.after.offered = Vec::new();
        if then == Then::Close || !self.has_bot() {
            self.after.phase = Phase::Closed;
            return;
        }
        self.after.bot_since = self.situation.now;
        if let Some(bot) = self.situation.serving.and_then(|serving| serving.bot.clone()) {
            self.after.parties.bot = Some(bot);
        }
    }

    fn has_bot(&self) -> bool {
        self.after.parties.bot.is_some()
            || self.situation.serving.is_some_and(|serving: &Serving| serving.bot.is_some())
    }

    /// The event as it is passed on: with what was said before.
    pub(super) fn mean_with(&mut self, recall: Recall) {
        self.meant = Some(self.situation.event.body.recalling(recall));
    }

    /// What a hand-back tells a bot that did not get copies.
    pub(super) fn recall_for_bot(&self) -> Recall {
        let since = self.situation.conversation.and_then(|before| before.handover.as_ref());
        let sees = self.after.parties.bot.as_ref().is_some_and(|bot| bot.copies);
        match since {
            Some(handover) if !sees => Recall {
                last: self.switching().transcript,
                asked_at: Some(self.situation.now),
                since: Some(handover.at),
                lines: Vec::new(),
            },
            _ => Recall::default(),
        }
    }

    /// Tells the bot that it has the conversation again, or that it is over.
    pub(super) fn say_back(&mut self, reason: Option<&str>, recall: Recall) {
        let Some(bot) = &self.after.parties.bot else { return };
        let target = Target::addressed(bot, Role::Bot);
        let reason = reason.map(ToOwned::to_owned);
        let (name, body) = if self.after.is_open() {
            ("handback", EventBody::Handback { reason, context: Map::new(), recall })
        } else {
            ("over", EventBody::Close { reason })
        };
        self.before.push(by_house(name, body, vec![target]));
    }

    /// A receipt that tells a bot or desk that something it said cannot be shown.
    pub(super) fn say_unshown(&mut self, target: Target) {
        let event = self.situation.event;
        let Some(message) = event.external_id.clone() else { return };
        if !target.platform.capabilities().receipts {
            return;
        }
        let about = Reference { connection: target.connection.clone(), message: message.clone() };
        let body = EventBody::Receipt {
            message,
            about: Some(about),
            status: ReceiptStatus::Failed,
            reason: Some("there is no form in which the customer could see this".into()),
        };
        self.said.push(by_house("unshown", body, vec![target]));
    }

    /// What the customer is given to choose from, where they can only type.
    pub(super) fn offer(&mut self, choices: &[Choice]) {
        let shows = self.after.parties.channel.can().choices;
        self.after.offered = if shows { Vec::new() } else { choices.to_vec() };
    }

    /// A conversation that starts has its silence watched.
    pub(super) fn watch_silence(&mut self) {
        if let Some(ttl) = self.switching().session_ttl {
            let timer = Timer::SessionTtl { conversation: self.after.id.clone() };
            self.timers.push(Due { timer, at: self.situation.now + seconds_of(ttl) });
        }
    }

    /// Tells the customer something of our own, which goes to nobody else but those who listen.
    pub(super) fn tell_customer(
        &mut self,
        name: &'static str,
        which: fn(&Texts) -> &String,
        agent: Option<&str>,
        first: bool,
    ) {
        let language = self.after.language.as_deref();
        let Some(text) = keywords::text(self.switching(), language, which, agent) else { return };
        let body = EventBody::Message { content: Content::text(text), metadata: Map::new() };
        let said = by_house(name, body, vec![self.to_channel()]);
        if first { self.before.push(said) } else { self.said.push(said) }
    }
}

pub(super) fn by_house(name: &'static str, body: EventBody, targets: Vec<Target>) -> Said {
    Said { name, author: Author::nameless(AuthorRole::System), body, targets }
}

fn seconds_of(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

fn observers(conversation: &Conversation) -> impl Iterator<Item = Target> + '_ {
    let observers = conversation.parties.observers.iter();
    observers.map(|party| Target::copied(party, Role::Observer))
}

/// Typing is of the moment, and a platform's own oddities are kept but passed to nobody.
fn is_worth_a_copy(body: &EventBody) -> bool {
    !matches!(body, EventBody::Typing { .. } | EventBody::Opaque { .. })
}
