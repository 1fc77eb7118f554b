//! Commands that change whose a conversation is.

use serde_json::json;
use trunkline::api::{Api, part};

use super::Failed;
use super::table::text;

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

/// What is to become of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    /// People are to have it.
    Handover,
    /// The bot is to have it.
    Handback,
    /// It is to be over.
    Close,
}

pub(super) async fn turn(api: &Api, whose: &Whose, turn: Turn) -> Result<(), Failed> {
    let (verb, done) = match turn {
        Turn::Handover => ("handover", "people are asked to take it"),
        Turn::Handback => ("handback", "the bot has it"),
        Turn::Close => ("close", "it is over"),
    };
    let place = format!("/conversations/{}/{}", part(&whose.channel), part(&whose.customer));
    let body = json!({"reason": whose.reason});
    let turned = api.post(&format!("{place}/{verb}"), &body).await;
    turned.map_err(|why| Failed(format!("not done: {why}")))?;
    println!("{}: {done}", text(&api.get(&place).await?["id"]));
    Ok(())
}
