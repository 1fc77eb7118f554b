//! Commands that configure a stack.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline::apply::{Change, apply as apply_to, inbound_url};
use trunkline::config::{self, Desired, EnvAndFiles, ReadOptions};
use trunkline::stack::Stack;
use trunkline_registry::PLATFORMS;
use trunkline_runtime::app::random_secret;

use super::{CliError, find_stack};

/// The page size of lists.
const PAGE: u16 = 100;

pub(super) async fn apply(name: &str, file: &Path, dry_run: bool) -> Result<(), CliError> {
    if dry_run {
        let desired = read_file(file, false)?;
        let (connections, routes) = (desired.connections.len(), desired.routes.len());
        println!("{} is valid: connections: {connections}, routes: {routes}", file.display());
        return Ok(());
    }
    let stack = find_stack(name).await?;
    let desired = read_file(file, stack.allows_local())?;
    let mut changed = 0;
    apply_to(&stack, &desired, |applied| {
        let word = match applied.change {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        changed += usize::from(applied.change != Change::Unchanged);
        println!("{:<10} {}", word, applied.resource);
    })
    .await?;
    if changed > 0 {
        println!(
            "\nThe change takes effect within 30 seconds. `trunkline urls {}` prints the inbound URLs",
            file.display()
        );
        println!("for the vendors' forms; `trunkline verify <connection>` verifies a connection.");
    }
    Ok(())
}

/// Prints what applying a file would change. Returns whether there are changes.
pub(super) async fn diff(stack: &Stack, file: &Path) -> Result<bool, CliError> {
    let desired = read_file(file, stack.allows_local())?;
    let planned = trunkline_config::apply::plan(stack.apply_target(), &desired).await?;
    let changes = planned.iter().filter(|planned| planned.change != Change::Unchanged);
    let mut changed_anything = false;
    for planned in changes {
        changed_anything = true;
        let sign = if planned.change == Change::Created { '+' } else { '~' };
        println!("{sign} {}", planned.resource);
        for differs in &planned.differences {
            println!("    {differs}");
        }
    }
    if !changed_anything {
        println!("{}: no changes", file.display());
    }
    Ok(changed_anything)
}

/// Prints the current configuration as a file.
pub(super) async fn export(stack: &Stack) -> Result<(), CliError> {
    let (mut connections, mut routes) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let page = stack.store.connections(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        for listed in &page {
            connections.extend(stack.store.connection(&listed.id).await?);
        }
    }
    let mut after = None;
    loop {
        let page = stack.store.routes(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for id in &page {
            routes.extend(stack.store.route(id).await?);
        }
    }
    print!("{}", config::export(PLATFORMS, &connections, &routes));
    Ok(())
}

pub(super) async fn urls(stack: &Stack, file: &Path) -> Result<(), CliError> {
    let desired = read_file(file, stack.allows_local())?;
    for desired in &desired.connections {
        let id = &desired.connection.id;
        match inbound_url(stack, &desired.connection).await? {
            Some(url) => println!("{id:<24} {url}"),
            None => println!("{id:<24} (not applied: run `trunkline apply {}`)", file.display()),
        }
    }
    Ok(())
}

pub(super) fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(random_secret()))
}

pub(super) fn settings() {
    for spec in PLATFORMS.iter() {
        println!("{}", spec.id);
        for setting in spec.settings {
            let required = if setting.required { ", required" } else { "" };
            println!("  settings.{:<22} {}{required}", setting.name, setting.help_with_default());
        }
        for secret in spec.secrets {
            let required = if secret.required { ", required" } else { "" };
            println!("  secrets.{:<23} {}{required}", secret.name, secret.help);
        }
    }
    println!(
        "any platform\n  secrets.path_key                secret part of the inbound URL (generated)"
    );
}

fn read_file(file: &Path, allow_local: bool) -> Result<Desired, CliError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        CliError(format!(
            "cannot read {}: {error}; examples/trunkline.yaml is a template",
            file.display()
        ))
    })?;
    let options = ReadOptions { platforms: PLATFORMS, secrets: &EnvAndFiles, allow_local };
    config::read(&text, options)
        .map_err(|problems| CliError(format!("{}:\n{problems}", file.display())))
}
