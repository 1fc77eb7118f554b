//! Commands for whoever watches deliveries.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trunkline::stack::Stack;
use trunkline_shared::app::{Clock, RandomIds, SystemClock};
use trunkline_shared::model::DeadLetter;
use trunkline_shared::operations::{Operator, Selection, Waiting};

use super::Failed;
use super::table::age;

/// What a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// One delivery.
    delivery: Option<String>,
    /// All of this conversation; with --connection, one leg.
    #[arg(long)]
    conversation: Option<String>,
    /// All to this connection.
    #[arg(long)]
    connection: Option<String>,
    /// All that wait since then (2026-03-04T09:15:00Z) or for at most so long (30m, 2h).
    #[arg(long)]
    since: Option<String>,
}

impl Which {
    fn selection(self) -> Result<Selection, Failed> {
        Ok(Selection {
            delivery: self.delivery,
            conversation: self.conversation,
            connection: self.connection.map(|id| id.parse()).transpose()?,
            since: self.since.as_deref().map(time).transpose()?,
        })
    }

    fn is_everything(&self) -> bool {
        self.delivery.is_none()
            && self.conversation.is_none()
            && self.connection.is_none()
            && self.since.is_none()
    }
}

fn time(text: &str) -> Result<Timestamp, Failed> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago: SignedDuration = text.parse().map_err(|_| {
        Failed(format!("'{text}' is neither a time (2026-03-04T09:15:00Z) nor a duration (30m)"))
    })?;
    Ok(SystemClock.now() - ago)
}

fn operator(stack: &Stack) -> Operator<'_> {
    Operator { store: &stack.store, queues: &stack.queues, clock: &SystemClock, ids: &RandomIds }
}

pub(super) async fn deliveries(
    stack: &Stack,
    which: Which,
    dead: bool,
    json: bool,
) -> Result<(), Failed> {
    let operator = operator(stack);
    if dead {
        let letters = operator.dead_letters().await?;
        if json {
            println!("{}", Value::Array(letters.iter().map(|letter| json!(letter)).collect()));
        } else {
            show_dead(&letters);
        }
        return Ok(());
    }
    let waiting = operator.waiting(&which.selection()?).await?;
    if json {
        println!("{}", Value::Array(waiting.iter().map(as_json).collect()));
    } else {
        show(&waiting);
    }
    Ok(())
}

pub(super) async fn replay(stack: &Stack, which: Which) -> Result<(), Failed> {
    refuse_everything(&which, "replay")?;
    let count = operator(stack).replay(&which.selection()?).await?;
    println!("{}", counted(count, "ordered to be sent now"));
    Ok(())
}

pub(super) async fn discard(stack: &Stack, which: Which) -> Result<(), Failed> {
    refuse_everything(&which, "discard")?;
    let count = operator(stack).discard(&which.selection()?).await?;
    println!("{}", counted(count, "discarded"));
    Ok(())
}

pub(super) async fn redrive(stack: &Stack, only: Option<&str>) -> Result<(), Failed> {
    let count = operator(stack).redrive(only).await?;
    println!("{}", counted(count, "put back into its queue"));
    Ok(())
}

fn refuse_everything(which: &Which, command: &str) -> Result<(), Failed> {
    if which.is_everything() {
        let how = "name a delivery, --conversation, --connection or --since";
        return Err(Failed(format!("{command} what? {how}")));
    }
    Ok(())
}

fn counted(count: usize, done: &str) -> String {
    match count {
        0 => "nothing of the kind waits: see `trunkline deliveries`".into(),
        1 => format!("1 delivery {done}"),
        _ => format!("{count} deliveries {done}"),
    }
}

fn as_json(waiting: &Waiting) -> Value {
    let (delivery, since, attempts, reason) = waiting.particulars();
    let (state, due) = match waiting {
        Waiting::Parked(parked) => ("parked", parked.due),
        Waiting::Failed(_) => ("failed", None),
    };
    json!({
        "delivery": delivery.id, "state": state, "connection": delivery.to.connection,
        "conversation": delivery.conversation, "kind": delivery.event.body.kind(),
        "since": since, "due": due, "attempts": attempts, "reason": reason,
    })
}

fn show(waiting: &[Waiting]) {
    if waiting.is_empty() {
        println!("nothing is parked and nothing has failed");
        return;
    }
    let now = SystemClock.now();
    println!(
        "{:<8} {:<20} {:>8} {:>8}  {:<48} REASON",
        "STATE", "CONNECTION", "AGE", "ATTEMPTS", "DELIVERY"
    );
    for one in waiting {
        let (delivery, since, attempts, reason) = one.particulars();
        let state = match one {
            Waiting::Parked(_) => "parked",
            Waiting::Failed(_) => "failed",
        };
        let connection = delivery.to.connection.as_str();
        let age = age(since, now);
        println!(
            "{state:<8} {connection:<20} {age:>8} {attempts:>8}  {:<48} {reason}",
            delivery.id
        );
    }
}

fn show_dead(letters: &[DeadLetter]) {
    if letters.is_empty() {
        println!("there is no dead letter");
        return;
    }
    let now = SystemClock.now();
    for letter in letters {
        let age = age(letter.at, now);
        println!("{}  {}  {age} old\n  {}", letter.id, letter.platform, letter.reason);
    }
    println!("`trunkline redrive` puts them back into their queues");
}
