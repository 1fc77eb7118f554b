//! All that is known of a customer on a channel, piece by piece.

use serde::Serialize;
use serde_json::{Value, json};

use super::item::{conversation_pk, read, text};
use super::{EventRecord, Held, Item, Store, StoreError};
use crate::model::{Conversation, ConversationKey, Leg, Parked};

/// How many items that hang on one are read at once.
const PAGE: u16 = 100;

/// A piece of what is known of a customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Piece {
    /// `conversation`, `event`, `leg`, `parked` or `held`.
    pub kind: &'static str,
    /// The piece, as it is kept.
    pub kept: Value,
}

impl Store {
    /// What is known of a customer on a channel, from after `after`: the items of at most `most`, each
    /// followed by what hangs on it. Answers with where it ended, if there may be more.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn known_of(
        &self,
        key: &ConversationKey,
        after: Option<&str>,
        most: u16,
    ) -> Result<(Vec<Piece>, Option<String>), StoreError> {
        let items = self.list(&conversation_pk(key), "", after, most).await?;
        let mut pieces = Vec::with_capacity(items.len());
        for item in &items {
            let sk = text(item, "sk");
            if sk.starts_with("EVT#") {
                pieces.push(event(item)?);
            } else if sk.starts_with("LEG#") {
                self.leg_and_what_waits(&read(item)?, &mut pieces).await?;
            } else {
                pieces.push(piece("conversation", &read::<Conversation>(item)?)?);
            }
        }
        let last = items.last().filter(|_| items.len() == usize::from(most));
        Ok((pieces, last.map(|last| text(last, "sk").to_owned())))
    }

    async fn leg_and_what_waits(
        &self,
        leg: &Leg,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), StoreError> {
        // What the far side knows the customer by stays out: whoever has it could speak for them.
        let conversations: Vec<_> = leg.sessions.iter().map(|s| &s.conversation).collect();
        let kept = json!({"connection": leg.id.connection, "conversations": conversations});
        pieces.push(Piece { kind: "leg", kept });
        let mut after = None;
        loop {
            let page = self.parked(&leg.id, after, PAGE).await?;
            for parked in &page {
                pieces.push(piece::<Parked>("parked", parked)?);
            }
            match page.last() {
                Some(last) if page.len() == usize::from(PAGE) => after = Some(last.seq),
                _ => break,
            }
        }
        for held in self.held(&leg.id, PAGE).await? {
            pieces.push(piece::<Held>("held", &held)?);
        }
        Ok(())
    }
}

fn event(item: &Item) -> Result<Piece, StoreError> {
    let record = EventRecord::from_item(item)?;
    let mut piece = piece("event", &record)?;
    piece.kept["outcomes"] = json!(record.outcomes);
    Ok(piece)
}

fn piece<T: Serialize>(kind: &'static str, kept: &T) -> Result<Piece, StoreError> {
    let kept = serde_json::to_value(kept).map_err(|why| super::item::garbled(kind, &why))?;
    Ok(Piece { kind, kept })
}
