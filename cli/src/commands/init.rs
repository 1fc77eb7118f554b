//! `trunkline init`: writes a first configuration file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use trunkline::init::{Interview, NewConfiguration, ask};
use trunkline_core::model::Role;
use trunkline_registry::PLATFORMS;

use super::CliError;

/// What to write, and where.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The file to write.
    #[arg(default_value = "trunkline.yaml")]
    file: PathBuf,
    /// Platform of the channel. With it, nothing is asked: the file has sample values to replace.
    #[arg(long)]
    channel: Option<String>,
    /// Platform of the bot.
    #[arg(long, requires = "channel")]
    bot: Option<String>,
    /// Platform of the desk.
    #[arg(long, requires = "channel")]
    desk: Option<String>,
    /// Platform of an observer.
    #[arg(long, requires = "channel")]
    observer: Option<String>,
    /// Overwrite the file.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &InitArgs) -> Result<(), CliError> {
    if !args.force && args.file.exists() {
        return Err(exists(&args.file));
    }
    let mut interview = Interview::new(PLATFORMS);
    if args.channel.is_some() {
        interview.answer_with_samples(|role| args.platform_of(role))?;
    } else {
        ask(&mut interview, &mut std::io::stdin().lock(), &mut std::io::stdout())?;
    }
    let new = interview.finish()?;
    write(args, &new)?;
    let file = args.file.display().to_string();
    println!("wrote {file}\n\n{}", new.next_steps(&file));
    Ok(())
}

impl InitArgs {
    fn platform_of(&self, role: Role) -> Option<String> {
        match role {
            Role::Channel => self.channel.clone(),
            Role::Bot => self.bot.clone(),
            Role::Desk => self.desk.clone(),
            Role::Observer => self.observer.clone(),
        }
    }
}

fn write(args: &InitArgs, new: &NewConfiguration) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(&args.file).and_then(|mut file| file.write_all(new.text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(&args.file),
        _ => CliError(format!("cannot write {}: {error}", args.file.display())),
    })
}

fn exists(file: &Path) -> CliError {
    let how = "name another file, or add --force to overwrite it";
    CliError(format!("{} exists: {how}", file.display()))
}
