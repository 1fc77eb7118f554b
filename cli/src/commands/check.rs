//! Commands that ask far sides to prove themselves.

use futures_util::future::join_all;
use trunkline::stack::Stack;
use trunkline::verify::{VerifyError, verify as ask};
use trunkline_shared::model::{ConnectionId, Platform};
use trunkline_shared::store::{Health, Listed};

use super::{Failed, configure};

/// How long an answer is waited for, in seconds.
const PATIENCE: u64 = 45;
/// How many connections are listed at once.
const PAGE: u16 = 100;

pub(super) async fn verify(stack: &Stack, connection: &str) -> Result<(), Failed> {
    let connection = configure::applied(stack, connection).await?;
    let health = ask(stack, &connection.id, connection.platform, PATIENCE).await?;
    match health.unasked {
        Some(how) => println!("{} is taken to work, on your word: {how}", connection.id),
        None => println!("{} proved itself at {}", connection.id, health.at),
    }
    Ok(())
}

/// Asks all connections, or some, side by side; fails if any does not work.
pub(super) async fn check(stack: &Stack, only: &[String]) -> Result<(), Failed> {
    let asked = chosen(stack, only).await?;
    if asked.is_empty() {
        println!("there is no connection: `trunkline apply` puts some there");
        return Ok(());
    }
    eprintln!("asking {} far sides, for at most {PATIENCE} s …", asked.len());
    let asking = asked.iter().map(|(id, platform)| ask(stack, id, *platform, PATIENCE));
    let answers = join_all(asking).await;
    let mut broken = 0;
    for ((id, platform), answer) in asked.iter().zip(&answers) {
        broken += usize::from(answer.is_err());
        let (word, why) = told(answer);
        println!("{word:<8} {id:<24} {:<10} {why}", platform.name());
    }
    match broken {
        0 => Ok(()),
        _ => Err(Failed(format!("{broken} of {} do not work", asked.len()))),
    }
}

async fn chosen(stack: &Stack, only: &[String]) -> Result<Vec<(ConnectionId, Platform)>, Failed> {
    let mut asked = Vec::new();
    for name in only {
        let connection = configure::applied(stack, name).await?;
        asked.push((connection.id, connection.platform));
    }
    if !only.is_empty() {
        return Ok(asked);
    }
    loop {
        let after = asked.last().map(|(id, _)| id);
        let page: Vec<Listed> = stack.store.connections(after, PAGE).await?;
        if page.is_empty() {
            return Ok(asked);
        }
        asked.extend(page.into_iter().map(|listed| (listed.id, listed.platform)));
    }
}

fn told(answer: &Result<Health, VerifyError>) -> (&'static str, String) {
    match answer {
        Ok(Health { unasked: Some(how), .. }) => ("unasked", how.clone()),
        Ok(_) => ("works", String::new()),
        Err(why) => ("broken", why.to_string()),
    }
}
