//! Commands that configure a deployed stack.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline::apply::{Change, apply as apply_to, inbound_url};
use trunkline::config::{self, Desired, Reading, System};
use trunkline::platforms;
use trunkline::stack::Stack;
use trunkline_shared::app::unguessable;

use super::{Failed, find};

/// How many are listed at once.
const PAGE: u16 = 100;

pub(super) async fn apply(name: &str, file: &Path, dry_run: bool) -> Result<(), Failed> {
    if dry_run {
        let desired = read(file, false)?;
        let (connections, routes) = (desired.connections.len(), desired.routes.len());
        println!("{} is right: connections: {connections}, routes: {routes}", file.display());
        return Ok(());
    }
    let stack = find(name).await?;
    let desired = read(file, stack.allows_local())?;
    let mut changed = 0;
    apply_to(&stack, &desired, |applied| {
        let word = match applied.change {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        changed += usize::from(applied.change != Change::Unchanged);
        println!("{:<10} {}", word, applied.what);
    })
    .await?;
    if changed > 0 {
        println!(
            "\nFunctions see it within 30 seconds. `trunkline urls {}` prints the addresses",
            file.display()
        );
        println!(
            "to paste into the vendors' forms; `trunkline verify <connection>` asks a far side."
        );
    }
    Ok(())
}

/// Says what applying a file would change; answers whether that is anything.
pub(super) async fn diff(stack: &Stack, file: &Path) -> Result<bool, Failed> {
    let desired = read(file, stack.allows_local())?;
    let planned = trunkline_setup::apply::plan(stack.site(), &desired).await?;
    let changes = planned.iter().filter(|planned| planned.change != Change::Unchanged);
    let mut any = false;
    for planned in changes {
        any = true;
        let sign = if planned.change == Change::Created { '+' } else { '~' };
        println!("{sign} {}", planned.what);
        for differs in &planned.differs {
            println!("    {differs}");
        }
    }
    if !any {
        println!("{} is what is there", file.display());
    }
    Ok(any)
}

/// Prints what is there as a file.
pub(super) async fn export(stack: &Stack) -> Result<(), Failed> {
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
    print!("{}", config::export(&connections, &routes));
    Ok(())
}

pub(super) async fn urls(stack: &Stack, file: &Path) -> Result<(), Failed> {
    let desired = read(file, stack.allows_local())?;
    for desired in &desired.connections {
        let id = &desired.connection.id;
        match inbound_url(stack, &desired.connection).await? {
            Some(url) => println!("{id:<24} {url}"),
            None => println!("{id:<24} not applied yet: run `trunkline apply {}`", file.display()),
        }
    }
    Ok(())
}

pub(super) fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(unguessable()))
}

pub(super) fn settings() {
    for spec in platforms::all() {
        println!("{}", spec.platform);
        for setting in spec.settings {
            let needed = if setting.required { ", required" } else { "" };
            println!("  settings.{:<22} {}{needed}", setting.name, setting.about);
        }
        for secret in spec.secrets {
            let needed = if secret.required { ", required" } else { "" };
            println!("  secrets.{:<23} {}{needed}", secret.name, secret.about);
        }
    }
    println!(
        "any platform\n  secrets.path_key                the key in the inbound address (made if left out)"
    );
}

fn read(file: &Path, allow_local: bool) -> Result<Desired, Failed> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failed(format!(
            "{} cannot be read: {error}; start from examples/trunkline.yaml",
            file.display()
        ))
    })?;
    let reading = Reading { environment: &System, allow_local };
    config::read(&text, reading)
        .map_err(|problems| Failed(format!("{}:\n{problems}", file.display())))
}
