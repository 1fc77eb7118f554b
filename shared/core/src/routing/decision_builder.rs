//! Builds a decision: changes of the conversation, targets, system events and timers.

use std::sync::LazyLock;

use jiff::SignedDuration;
use serde_json::Map;

use super::keywords;
use super::{Decision, Disposition, Refusal, RoutingInput, SystemEvent};
use crate::model::{
    AgentLocation, Author, AuthorRole, ChoiceSource, Content, Conversation, DueTimer, EventBody,
    Handover, HandoverMode, HandoverPolicy, HandoverTrigger, MessageReference, OnClose, Owner,
    Party, Phase, ReceiptStatus, ResolvedRoute, Role, Target, Texts, Timer, Transcript,
    TranscriptStart,
};

/// Why a message that has no form on the channel is reported as failed.
pub(super) const NO_FORM: &str = "the channel cannot show this message in any form";

/// Defaults used when the route cannot be resolved.
static DEFAULT_POLICY: LazyLock<HandoverPolicy> = LazyLock::new(HandoverPolicy::default);

/// A decision that is being built for one input.
pub(super) struct DecisionBuilder<'a> {
    pub(super) input: &'a RoutingInput<'a>,
    pub(super) conversation: Conversation,
    pub(super) disposition: Disposition,
    pub(super) rewritten_body: Option<EventBody>,
    pub(super) choice_source: Option<ChoiceSource>,
    pub(super) preceding: Vec<SystemEvent>,
    pub(super) targets: Vec<Target>,
    pub(super) following: Vec<SystemEvent>,
    timers: Vec<DueTimer>,
}

impl<'a> DecisionBuilder<'a> {
    pub(super) fn new(input: &'a RoutingInput<'a>, conversation: Conversation) -> Self {
        Self {
            input,
            conversation,
            disposition: Disposition::Routed,
            rewritten_body: None,
            choice_source: None,
            preceding: Vec::new(),
            targets: Vec::new(),
            following: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// Starts with a new conversation, which continues the version of `past`.
    pub(super) fn starting(
        input: &'a RoutingInput<'a>,
        past: Option<&Conversation>,
    ) -> Result<Self, Refusal> {
        let (start, route) = input.new_conversation.zip(input.route).ok_or(Refusal::NoRoute)?;
        if route.bot.is_none() && route.desk.is_none() {
            return Err(Refusal::NoRoute);
        }
        let version = past.map_or(0, |past| past.version);
        Ok(Self::new(input, start.conversation(route, version, input.now)))
    }

    pub(super) fn build_with(mut self, standing: Disposition) -> Decision {
        self.disposition = standing;
        self.build()
    }

    /// Returns the decision. A changed conversation gets the next version.
    pub(super) fn build(mut self) -> Decision {
        let before = self.input.conversation;
        let changed = before != Some(&self.conversation);
        self.conversation.version = before.map_or(0, |before| before.version) + u64::from(changed);
        if self.disposition != Disposition::Echo && is_copied_to_observers(&self.input.event.body) {
            self.targets.extend(observers(&self.conversation));
        }
        for said in self.preceding.iter_mut().chain(&mut self.following) {
            said.targets.extend(observers(&self.conversation));
        }
        let is_closed_now =
            before.is_some_and(Conversation::is_open) && !self.conversation.is_open();
        if let Some(desk) = self.desk_ahead().filter(|_| is_closed_now) {
            let body = EventBody::Close { reason: None };
            self.following.push(system_event("closed_ahead", body, vec![desk]));
        }
        Decision {
            disposition: self.disposition,
            conversation: self.conversation,
            changed,
            rewritten_body: self.rewritten_body,
            choice_source: self.choice_source,
            preceding: self.preceding,
            targets: self.targets,
            following: self.following,
            timers: self.timers,
        }
    }

    pub(super) fn policy(&self) -> &'a HandoverPolicy {
        self.input.route.map_or(&DEFAULT_POLICY, |route| &route.handover_policy)
    }

    /// The current owner as the target of the customer's events; `None` if the channel's own agents have it.
    pub(super) fn owner_target(&self) -> Option<Target> {
        let parties = &self.conversation.parties;
        match (&self.conversation.handover, &parties.bot) {
            (Some(Handover { location: AgentLocation::Channel, .. }), _) => None,
            (Some(handover), _) => {
                parties.desk.as_ref().map(|desk| Target::at_desk(desk, handover))
            }
            (None, bot) => bot.as_ref().map(|bot| Target::addressed(bot, Role::Bot)),
        }
    }

    /// Adds a copy for the bot while the desk owns the conversation, if the bot wants copies.
    pub(super) fn copy_to_bot(&mut self) {
        let bot = self.conversation.parties.bot.as_ref().filter(|bot| bot.copies);
        if let Some(bot) = bot.filter(|_| self.conversation.owner() == Owner::Desk) {
            self.targets.push(Target::copied(bot, Role::Bot));
        }
    }

    /// Whether the bot has owned the conversation since its start.
    pub(super) fn is_before_first_handover(&self) -> bool {
        let Conversation { handover, bot_since, started_at, .. } = &self.conversation;
        handover.is_none() && bot_since == started_at
    }

    /// The desk of a conversation that is opened there ahead of a handover, because the desk wants copies.
    fn desk_ahead(&self) -> Option<Target> {
        let desk = self.conversation.parties.desk.as_ref().filter(|desk| desk.copies);
        let desk = desk.filter(|_| self.is_before_first_handover());
        desk.map(|desk| Target::copied(desk, Role::Desk))
    }

    /// Adds a copy of the customer's message for a desk that wants copies, until the first handover.
    pub(super) fn copy_to_desk(&mut self) {
        self.targets.extend(self.desk_ahead());
    }

    pub(super) fn channel_target(&self) -> Target {
        let origin = self.conversation.origin.clone();
        Target { origin, ..Target::addressed(&self.conversation.parties.channel, Role::Channel) }
    }

    /// Whether the route has a desk, or the channel has agents of its own.
    pub(super) fn has_desk(&self) -> bool {
        self.desk().is_some() || self.conversation.parties.channel.capabilities().handover
    }

    /// The desk as configured now, otherwise as configured when the conversation started.
    fn desk(&self) -> Option<Party> {
        let now = self.input.route.and_then(|route| route.desk.clone());
        now.or_else(|| self.conversation.parties.desk.clone())
    }

    /// Opens a handover. Returns the target that must be informed.
    pub(super) fn hand_over(
        &mut self,
        mode: HandoverMode,
        by: HandoverTrigger,
        reason: Option<String>,
    ) -> Result<Target, Refusal> {
        let now = self.input.now;
        let desk = self.desk();
        let place = if desk.is_some() { AgentLocation::Desk } else { AgentLocation::Channel };
        if !self.has_desk() {
            return Err(Refusal::NoDesk);
        }
        let accepted_at = (mode == HandoverMode::Pass).then_some(now);
        let id = self.input.new_handover_id.clone();
        let handover = Handover {
            id,
            location: place,
            trigger: by,
            reason,
            at: now,
            accepted_at,
            agent: None,
        };
        let policy = self.policy();
        let target = match &desk {
            Some(desk) => Target::at_desk(desk, &handover),
            None => self.channel_target(),
        };
        if place == AgentLocation::Desk {
            let timer = |seconds: Option<u32>, timer| {
                seconds.map(|seconds| DueTimer { timer, at: now + seconds_of(seconds) })
            };
            let handover = handover.id.clone();
            self.timers.extend(match mode {
                HandoverMode::Offer => {
                    timer(policy.accept_within, Timer::AcceptWithin { handover })
                }
                HandoverMode::Pass => timer(policy.agent_idle, Timer::AgentIdle { handover }),
            });
        }
        self.conversation.parties.desk = desk;
        self.conversation.handover = Some(handover);
        self.forget_choices();
        if place == AgentLocation::Desk && mode == HandoverMode::Offer {
            self.notify_customer("waiting", |texts| &texts.waiting, None, false);
        }
        Ok(target)
    }

    /// The part of the transcript that a handover passes to the desk.
    pub(super) fn transcript_for_desk(&self) -> Transcript {
        let policy = self.policy();
        let since = match policy.transcript_since {
            TranscriptStart::Start => self.conversation.started_at,
            TranscriptStart::Handback => self.conversation.bot_since,
        };
        Transcript {
            limit: policy.transcript,
            requested_at: Some(self.input.now),
            since: Some(since),
            entries: Vec::new(),
        }
    }

    /// Opens a handover that the event implies, and adds the system event for it.
    pub(super) fn add_handover_event(
        &mut self,
        by: HandoverTrigger,
        reason: &str,
    ) -> Result<(), Refusal> {
        let transcript = self.transcript_for_desk();
        let target = self.hand_over(HandoverMode::Offer, by, Some(reason.to_owned()))?;
        let body = EventBody::Handover {
            mode: HandoverMode::Offer,
            reason: Some(reason.to_owned()),
            context: Map::new(),
            transcript,
        };
        let mut targets = vec![target];
        if let Some(bot) = self.conversation.parties.bot.as_ref().filter(|bot| bot.copies) {
            targets.push(Target::copied(bot, Role::Bot));
        }
        self.preceding.push(system_event("handover", body, targets));
        Ok(())
    }

    /// Marks the handover as accepted. `first` notifies the customer before the event itself.
    pub(super) fn accept(&mut self, agent: Option<&str>, first: bool) {
        let now = self.input.now;
        let idle = self.policy().agent_idle;
        let Some(handover) = &mut self.conversation.handover else { return };
        handover.accepted_at = Some(now);
        handover.agent = agent.map(ToOwned::to_owned);
        let timer = Timer::AgentIdle { handover: handover.id.clone() };
        self.timers.extend(idle.map(|idle| DueTimer { timer, at: now + seconds_of(idle) }));
        self.notify_customer("joined", |texts| &texts.joined, agent, first);
    }

    /// Ends the handover. `by_desk`: the desk ended it and needs no notification.
    pub(super) fn end_handover(&mut self, then: OnClose, reason: Option<&str>, by_desk: bool) {
        let Some(handover) = self.conversation.handover.take() else { return };
        let was_accepted = handover.accepted_at.is_some();
        let desk = self
            .conversation
            .parties
            .desk
            .clone()
            .filter(|_| handover.location == AgentLocation::Desk);
        if let Some(desk) = desk.filter(|_| !by_desk) {
            let body = EventBody::Close { reason: reason.map(ToOwned::to_owned) };
            self.preceding.push(system_event(
                "close",
                body,
                vec![Target::at_desk(&desk, &handover)],
            ));
        }
        if handover.location == AgentLocation::Desk {
            if was_accepted {
                let agent = handover.agent.as_deref();
                self.notify_customer("left", |texts| &texts.left, agent, false);
            } else {
                self.notify_customer("unanswered", |texts| &texts.unanswered, None, false);
            }
        }
        self.forget_choices();
        if then == OnClose::Close || !self.has_bot() {
            self.conversation.phase = Phase::Closed;
            return;
        }
        self.conversation.bot_since = self.input.now;
        if let Some(bot) = self.input.route.and_then(|route| route.bot.clone()) {
            self.conversation.parties.bot = Some(bot);
        }
    }

    fn has_bot(&self) -> bool {
        self.conversation.parties.bot.is_some()
            || self.input.route.is_some_and(|route: &ResolvedRoute| route.bot.is_some())
    }

    /// Adds the transcript to the event as it is delivered.
    pub(super) fn attach_transcript(&mut self, transcript: Transcript) {
        self.rewritten_body = Some(self.input.event.body.with_transcript(transcript));
    }

    /// The part of the transcript that a hand-back passes to a bot that received no copies.
    pub(super) fn transcript_for_bot(&self) -> Transcript {
        let since = self.input.conversation.and_then(|before| before.handover.as_ref());
        let sees = self.conversation.parties.bot.as_ref().is_some_and(|bot| bot.copies);
        match since {
            Some(handover) if !sees => Transcript {
                limit: self.policy().transcript,
                requested_at: Some(self.input.now),
                since: Some(handover.at),
                entries: Vec::new(),
            },
            _ => Transcript::default(),
        }
    }

    /// Adds the system event by which the bot learns that it owns the conversation again, or that the
    /// conversation is closed.
    pub(super) fn add_handback_event(&mut self, reason: Option<&str>, transcript: Transcript) {
        let Some(bot) = &self.conversation.parties.bot else { return };
        let target = Target::addressed(bot, Role::Bot);
        let reason = reason.map(ToOwned::to_owned);
        let (name, body) = if self.conversation.is_open() {
            ("handback", EventBody::Handback { reason, context: Map::new(), transcript })
        } else {
            ("closed", EventBody::Close { reason })
        };
        self.preceding.push(system_event(name, body, vec![target]));
    }

    /// Passes an edit, a deletion or a reaction on to `to`, or reports to its sender that this is not possible.
    pub(super) fn pass_on_change(&mut self, to: Target, sender: Target) {
        let language = self.conversation.language.as_deref();
        let text = |which| keywords::text(self.policy(), language, which, None);
        let is_native = to.capabilities().changes;
        let mut body = self.input.event.body.clone();
        let is_possible = match &mut body {
            EventBody::Edit { notice, .. } => {
                *notice = text(|texts| &texts.edited);
                true
            }
            EventBody::Delete { notice, .. } => {
                // A bot would answer the notice.
                *notice = text(|texts| &texts.deleted).filter(|_| to.role != Role::Bot);
                is_native || notice.is_some()
            }
            EventBody::Reaction { removed, .. } => is_native || !*removed,
            _ => false,
        };
        self.rewritten_body = Some(body);
        if is_possible {
            self.targets.push(to);
        } else {
            self.disposition = Disposition::RecordedOnly;
            self.report_unsupported(sender, "the receiver cannot change or delete a message");
        }
    }

    /// Adds a failed receipt for an event that has no form at its receiver.
    pub(super) fn report_unsupported(&mut self, target: Target, reason: &str) {
        let event = self.input.event;
        let Some(message) = event.external_message_id.clone() else { return };
        if !target.capabilities().receipts {
            return;
        }
        let about =
            MessageReference { connection: target.connection.clone(), message: message.clone() };
        let body = EventBody::Receipt {
            message,
            target: Some(about),
            status: ReceiptStatus::Failed,
            reason: Some(reason.to_owned()),
        };
        self.following.push(system_event("unsupported", body, vec![target]));
    }

    /// Schedules the session timer of a new conversation.
    pub(super) fn start_session_timer(&mut self) {
        if let Some(ttl) = self.policy().session_ttl {
            let timer = Timer::SessionTtl { conversation: self.conversation.id.clone() };
            self.timers.push(DueTimer { timer, at: self.input.now + seconds_of(ttl) });
        }
    }

    /// Adds one of the route's texts for the customer. Only the channel and observers receive it.
    pub(super) fn notify_customer(
        &mut self,
        name: &'static str,
        which: fn(&Texts) -> &String,
        agent: Option<&str>,
        first: bool,
    ) {
        let language = self.conversation.language.as_deref();
        let Some(text) = keywords::text(self.policy(), language, which, agent) else { return };
        let body = EventBody::Message { content: Content::text(text), metadata: Map::new() };
        let said = system_event(name, body, vec![self.channel_target()]);
        if first { self.preceding.push(said) } else { self.following.push(said) }
    }
}

pub(super) fn system_event(
    name: &'static str,
    body: EventBody,
    targets: Vec<Target>,
) -> SystemEvent {
    SystemEvent { name, author: Author::nameless(AuthorRole::System), body, targets }
}

fn seconds_of(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

fn observers(conversation: &Conversation) -> impl Iterator<Item = Target> + '_ {
    let observers = conversation.parties.observers.iter();
    observers.map(|party| Target::copied(party, Role::Observer))
}

/// Typing events are transient, and opaque events are only recorded.
fn is_copied_to_observers(body: &EventBody) -> bool {
    !matches!(body, EventBody::Typing { .. } | EventBody::Opaque { .. })
}
