//! Commands that change whose a conversation is.

use serde_json::Map;
use trunkline::stack::Stack;
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::intake::take_from_house;
use trunkline_shared::model::{
    Author, AuthorRole, ConversationKey, EventBody, EventId, Mode, Recall,
};
use trunkline_shared::switchboard::Cause;

use super::Failed;

/// Whose conversation, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The channel connection.
    channel: String,
    /// The customer, or their thread, as the channel's platform knows it.
    customer: String,
    /// Why: whoever gets the conversation is told, and it is kept.
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn handover(stack: &Stack, whose: &Whose) -> Result<(), Failed> {
    let (reason, context) = (whose.reason.clone(), Map::new());
    let recall = Recall::default();
    let body = EventBody::Handover { mode: Mode::Offer, reason, context, recall };
    order(stack, whose, body, "people are asked to take it").await
}

pub(super) async fn handback(stack: &Stack, whose: &Whose) -> Result<(), Failed> {
    let (reason, context) = (whose.reason.clone(), Map::new());
    let body = EventBody::Handback { reason, context, recall: Recall::default() };
    order(stack, whose, body, "the bot has it").await
}

pub(super) async fn close(stack: &Stack, whose: &Whose) -> Result<(), Failed> {
    order(stack, whose, EventBody::Close { reason: whose.reason.clone() }, "it is over").await
}

async fn order(stack: &Stack, whose: &Whose, body: EventBody, done: &str) -> Result<(), Failed> {
    let key = ConversationKey { channel: whose.channel.parse()?, customer: whose.customer.clone() };
    let app = stack.app();
    let id = EventId::from_parts(&["order", &RandomIds.next(SystemClock.now())]);
    let by = Author::nameless(AuthorRole::System);
    let taken = take_from_house(&app, &key, id, by, body, Cause::Operator).await;
    let taken = taken.map_err(|why| Failed(format!("not done: {why}")))?;
    println!("{}: {done}", taken.conversation);
    Ok(())
}
