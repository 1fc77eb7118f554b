//! Commands that ask far sides to prove themselves.

use futures_util::future::join_all;
use serde_json::{Value, json};
use trunkline::api::{Api, ApiError};

use super::Failed;
use super::table::{Table, text};

pub(super) async fn verify(api: &Api, connection: &str) -> Result<(), Failed> {
    let proof = ask(api, connection).await?;
    if let Some(problem) = proof["problem"].as_str() {
        return Err(Failed(problem.to_owned()));
    }
    match proof["unasked"].as_str() {
        Some(how) => println!("{connection} is taken to work, on your word: {how}"),
        None => println!("{connection} proved itself at {}", text(&proof["at"])),
    }
    Ok(())
}

/// Asks all connections, or some, side by side; fails if any does not work.
pub(super) async fn check(api: &Api, only: &[String]) -> Result<(), Failed> {
    let all = api.all("/connections", &[]).await?;
    let named = |name: &String| all.iter().any(|connection| connection["id"] == name.as_str());
    if let Some(missing) = only.iter().find(|name| !named(name)) {
        return Err(Failed(format!("there is no connection '{missing}': apply it first")));
    }
    let wanted = |connection: &&Value| {
        only.is_empty() || only.iter().any(|name| connection["id"] == name.as_str())
    };
    let asked: Vec<&Value> = all.iter().filter(wanted).collect();
    if !asked.is_empty() {
        eprintln!("asking {} far sides, for some seconds …", asked.len());
    }
    let answers =
        join_all(asked.iter().map(|one| async move { ask(api, &text(&one["id"])).await })).await;
    let (mut table, mut broken) = (Table::new(&["", "CONNECTION", "PLATFORM", "WHY"]), 0);
    for (one, answer) in asked.iter().zip(answers) {
        let (word, why) = told(answer);
        broken += usize::from(word == "broken");
        table.row([word.to_owned(), text(&one["id"]), text(&one["platform"]), why]);
    }
    table.print("there is no connection: `trunkline apply` puts some there");
    match broken {
        0 => Ok(()),
        _ => Err(Failed(format!("{broken} of {} do not work", asked.len()))),
    }
}

async fn ask(api: &Api, connection: &str) -> Result<Value, ApiError> {
    api.post(&format!("/connections/{connection}/verify"), &json!({})).await
}

fn told(answer: Result<Value, ApiError>) -> (&'static str, String) {
    match answer {
        Err(why) => ("broken", why.to_string()),
        Ok(proof) => match (proof["problem"].as_str(), proof["unasked"].as_str()) {
            (Some(why), _) => ("broken", why.to_owned()),
            (None, Some(how)) => ("unasked", how.to_owned()),
            (None, None) => ("works", String::new()),
        },
    }
}
