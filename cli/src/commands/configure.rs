//! Commands that configure a stack.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline::api::Api;
use trunkline::apply::{Change, apply as apply_to, inbound_url, kept_note};
use trunkline::config::{self, Desired, EnvAndFiles, ReadOptions};
use trunkline::stack::Stack;
use trunkline_config::prune::{self, Resource};
use trunkline_registry::PLATFORMS;
use trunkline_runtime::app::random_secret;

use super::connection::{confirmed, delete_current};
use super::{CliError, find_stack};

/// The page size of lists.
const PAGE: u16 = 100;

/// Which file to apply, and how.
#[derive(Debug, clap::Args)]
pub(super) struct ApplyArgs {
    /// The configuration file.
    #[arg(default_value = "trunkline.yaml")]
    file: PathBuf,
    /// Validate the file without changing the stack.
    #[arg(long, conflicts_with = "prune")]
    dry_run: bool,
    #[command(flatten)]
    pruning: Pruning,
}

/// Whether and how to delete what the file does not name.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Pruning {
    /// Also delete the connections and routes that the file does not name. Lists them and asks first.
    #[arg(long)]
    prune: bool,
    /// With --prune: delete without a question.
    #[arg(long, requires = "prune")]
    yes: bool,
    /// With --prune: delete although deliveries wait or agents have conversations. Waiting deliveries fail.
    #[arg(long, requires = "prune")]
    force: bool,
}

/// Which file to compare with the stack.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The configuration file.
    #[arg(default_value = "trunkline.yaml")]
    file: PathBuf,
    /// Also show what `apply --prune` would delete.
    #[arg(long)]
    prune: bool,
}

pub(super) async fn apply(name: &str, args: &ApplyArgs) -> Result<(), CliError> {
    let file = &args.file;
    if args.dry_run {
        let desired = read_file(file, false)?;
        show_warnings(&desired);
        let (connections, routes) = (desired.connections.len(), desired.routes.len());
        println!("{} is valid: connections: {connections}, routes: {routes}", file.display());
        return Ok(());
    }
    let stack = find_stack(name).await?;
    let desired = read_file(file, stack.allows_local())?;
    show_warnings(&desired);
    let others = prune::not_in_file(&stack.store, &desired).await?;
    let pruning = args.pruning;
    if pruning.prune && !others.is_empty() && !may_delete(&stack, &others, pruning).await? {
        println!("nothing was changed");
        return Ok(());
    }
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
    if pruning.prune {
        let api = Api::in_process(&stack, name);
        for resource in &others {
            delete_current(&api, resource, pruning.force).await?;
        }
    } else if let Some(note) = kept_note(&others) {
        println!("{note}");
    }
    if changed > 0 {
        println!(
            "\nThe change takes effect within 30 seconds. `trunkline urls {}` prints the inbound URLs",
            file.display()
        );
        println!("for the vendors' forms; `trunkline verify <connection>` verifies a connection.");
    }
    Ok(())
}

/// Shows what would be deleted and asks. Checks before that, so that a refusal changes nothing.
async fn may_delete(
    stack: &Stack,
    resources: &[Resource],
    pruning: Pruning,
) -> Result<bool, CliError> {
    for resource in resources {
        println!("- {resource}");
    }
    if !pruning.force {
        prune::check_losses(&stack.store, resources).await?;
    }
    Ok(pruning.yes || confirmed(&format!("delete these {}?", resources.len()))?)
}

/// Prints what applying a file would change. Returns whether there are changes.
pub(super) async fn diff(stack: &Stack, args: &DiffArgs) -> Result<bool, CliError> {
    let desired = read_file(&args.file, stack.allows_local())?;
    show_warnings(&desired);
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
    if args.prune {
        for resource in prune::not_in_file(&stack.store, &desired).await? {
            changed_anything = true;
            println!("- {resource}");
        }
    }
    if !changed_anything {
        println!("{}: no changes", args.file.display());
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

/// Prints what the file configures although it can never take effect.
fn show_warnings(desired: &Desired) {
    for warning in &desired.warnings {
        eprintln!("warning: {warning}");
    }
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
