//! `trunkline verify` and `trunkline check`.

use futures_util::future::join_all;
use serde_json::{Value, json};
use trunkline::api::{Api, ApiError};
use trunkline::check::describe;
use trunkline::say;

use super::CliError;
use super::table::{Table, text};

pub(super) async fn verify(api: &Api, connection: &str) -> Result<(), CliError> {
    let result = request(api, connection, false).await?;
    if let Some(problem) = result["problem"].as_str() {
        return Err(CliError(problem.to_owned()));
    }
    match result["unsupported_reason"].as_str() {
        Some(how) => say!("{connection} cannot be verified: {how}"),
        None => say!("{connection} was verified at {}", text(&result["at"])),
    }
    Ok(())
}

/// Verifies all or some connections concurrently, after `fix` has corrected what their platforms store about
/// them. Fails if any is broken.
pub(super) async fn check(api: &Api, only: &[String], fix: bool) -> Result<(), CliError> {
    let all = api.get_all("/connections", &[]).await?;
    let named = |name: &String| all.iter().any(|connection| connection["id"] == name.as_str());
    if let Some(missing) = only.iter().find(|name| !named(name)) {
        return Err(CliError(format!("no connection '{missing}': apply it first")));
    }
    let wanted = |connection: &&Value| {
        only.is_empty() || only.iter().any(|name| connection["id"] == name.as_str())
    };
    let selected: Vec<&Value> = all.iter().filter(wanted).collect();
    if !selected.is_empty() {
        eprintln!("verifying {} connections, which takes some seconds …", selected.len());
    }
    let answers = join_all(
        selected.iter().map(|one| async move { request(api, &text(&one["id"]), fix).await }),
    )
    .await;
    let (mut table, mut broken) = (Table::new(&["", "CONNECTION", "PLATFORM", "REASON"]), 0);
    for (one, answer) in selected.iter().zip(answers) {
        let (word, why) = describe(answer);
        broken += usize::from(word == "broken");
        table.row([word.to_owned(), text(&one["id"]), text(&one["platform"]), why]);
    }
    table.print("no connections: `trunkline apply` adds some");
    match broken {
        0 => Ok(()),
        _ => Err(CliError(format!("{broken} of {} connections are broken", selected.len()))),
    }
}

async fn request(api: &Api, connection: &str, fix: bool) -> Result<Value, ApiError> {
    let action = if fix { "fix" } else { "verify" };
    api.post(&format!("/connections/{connection}/{action}"), &json!({})).await
}
