//! Offered choices: remembers them, and joins what the customer selects to the message that offered it.

use std::collections::BTreeMap;

use serde_json::Map;

use super::Sender;
use super::decision_builder::DecisionBuilder;
use crate::model::{Choice, ChoiceSource, Content, EventBody, Offer, Role};
use crate::rendering::match_typed_choice;

impl DecisionBuilder<'_> {
    /// Remembers the offered choices: the customer may type one, even where the channel shows buttons.
    pub(super) fn remember_choices(&mut self, content: &Content) {
        let event = self.input.event;
        let offered = content.offered_choices();
        let parties = &self.conversation.parties;
        let sender = match self.input.from {
            Sender::Party { role: Role::Bot, .. } => parties.bot.as_ref(),
            Sender::Party { role: Role::Desk, .. } => parties.desk.as_ref(),
            _ => None,
        };
        let source = sender.filter(|_| !offered.is_empty()).map(|sender| ChoiceSource {
            from: sender.connection.clone(),
            event: event.id.clone(),
            at: event.at,
            parts: BTreeMap::new(),
        });
        let single_use = content.single_use;
        self.conversation.offer = source.map(|source| Offer { source, single_use, used: false });
        self.conversation.offered_choices = offered;
    }

    /// Forgets the offered choices: the customer has a new counterpart.
    pub(super) fn forget_choices(&mut self) {
        self.conversation.offered_choices = Vec::new();
        self.conversation.offer = None;
    }

    /// Applies the customer's selection of a choice, typed as `text` or by a button. Returns whether it is one.
    /// A second selection where only one is allowed is a text like any other.
    pub(super) fn apply_selection(&mut self, text: Option<&str>) -> bool {
        let conversation = &self.conversation;
        let offered = &conversation.offered_choices;
        let is_used = conversation.offer.as_ref().is_some_and(|offer| offer.used);
        let is_numbered = !conversation.parties.channel.capabilities().choices;
        let (choice, again) = match (&self.input.event.body, text) {
            (EventBody::Choice { id, title, .. }, _) => {
                let choice = offered.iter().find(|choice| choice.id == *id);
                (choice, title.as_ref().or(choice.map(|choice| &choice.title)))
            }
            (_, Some(text)) => (match_typed_choice(text, offered, is_numbered), None),
            _ => (None, None),
        };
        let Some(Choice { id, title }) = choice.cloned() else { return false };
        if is_used {
            self.rewritten_body = again.map(|text| message(text));
            return again.is_some();
        }
        if let Some(text) = text {
            let (title, typed) = (Some(title), Some(text.to_owned()));
            self.rewritten_body = Some(EventBody::Choice { id, title, typed });
        }
        self.use_offer();
        true
    }

    /// Notes a selection that the customer made on the bot's own platform, if it is of the latest offer.
    pub(super) fn note_selection(&mut self) {
        let source = self.input.event.choice_source.as_deref();
        let latest = self.conversation.offer.as_ref().map(|offer| &offer.source);
        let is_latest = source.zip(latest).is_some_and(|(source, latest)| {
            source.from == latest.from && source.event == latest.event
        });
        if is_latest {
            self.use_offer();
        }
    }

    fn use_offer(&mut self) {
        if let Some(offer) = &mut self.conversation.offer {
            offer.used = offer.single_use;
            self.choice_source = Some(offer.source.clone());
        }
    }
}

fn message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}
