//! Commands that change the owner of a conversation: `handover`, `handback` and `close`.

use serde_json::json;
use trunkline::api::{Api, path_segment};
use trunkline::say;

use super::CliError;
use super::table::text;

/// Names a conversation and the reason for the change.
#[derive(Debug, clap::Args)]
pub(super) struct OwnershipArgs {
    /// Id of the channel connection.
    channel: String,
    /// Id of the customer or thread on the channel's platform.
    customer: String,
    /// Reason. It is stored, and the new owner receives it.
    #[arg(long)]
    reason: Option<String>,
}

/// A change of a conversation's owner.
#[derive(Debug, Clone, Copy)]
pub(super) enum OwnershipAction {
    Handover,
    Handback,
    Close,
}

pub(super) async fn run(
    api: &Api,
    args: &OwnershipArgs,
    action: OwnershipAction,
) -> Result<(), CliError> {
    let (verb, done) = match action {
        OwnershipAction::Handover => ("handover", "offered to the desk"),
        OwnershipAction::Handback => ("handback", "handed back to the bot"),
        OwnershipAction::Close => ("close", "closed"),
    };
    let path =
        format!("/conversations/{}/{}", path_segment(&args.channel), path_segment(&args.customer));
    let body = json!({"reason": args.reason});
    let changed = api.post(&format!("{path}/{verb}"), &body).await;
    changed.map_err(|why| CliError(format!("cannot {verb} the conversation: {why}")))?;
    say!("{}: {done}", text(&api.get(&path).await?["id"]));
    Ok(())
}
