//! `trunkline local`: runs the template on the local machine with a demo conversation.

use tokio::signal::unix::{SignalKind, signal};
use trunkline::apply::{apply, inbound_url};
use trunkline::config::{ReadOptions, read};
use trunkline::local::{LocalStack, Options, Paths, Progress};
use trunkline::stack::Stack;
use trunkline_core::model::AccessLevel;
use trunkline_demo::{
    BOT_CONNECTION, CHANNEL_CONNECTION, CONFIGURATION, CUSTOMER_CONNECTION, Customer, DemoSecrets,
    LocalApi, instructions, play_conversation,
};
use trunkline_registry::PLATFORMS;

use super::{CliError, token};

pub(super) async fn run(port: u16, once: bool) -> Result<(), CliError> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // Every arm drops the stack, which ends all its processes.
    tokio::select! {
        outcome = run_demo(port, once) => outcome,
        _ = interrupted.recv() => stopped(),
        _ = terminated.recv() => stopped(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one arm of a select")]
fn stopped() -> Result<(), CliError> {
    println!("\nstopped; all processes have ended");
    Ok(())
}

async fn run_demo(port: u16, once: bool) -> Result<(), CliError> {
    let paths = Paths::of(&std::path::absolute(".")?, "run");
    let options = Options { port, ..Options::default() };
    let mut progress = Progress::new(4);
    let local = LocalStack::start(&paths, &options, &mut progress).await?;
    let stack = &local.stack;

    progress.step("applying examples/demo/trunkline.yaml");
    let options = ReadOptions {
        platforms: PLATFORMS,
        secrets: &DemoSecrets,
        allow_local: stack.allows_local(),
    };
    let desired = read(CONFIGURATION, options)?;
    apply(stack, &desired, |_| ()).await?;
    let customer_url = url(stack, &desired, CUSTOMER_CONNECTION).await?;
    let bot = url(stack, &desired, BOT_CONNECTION).await?;
    let channel = url(stack, &desired, CHANNEL_CONNECTION).await?;

    progress.step("running the demo conversation");
    println!();
    let api = LocalApi::new(port);
    let mut platforms = trunkline_demo::start(Some(bot.clone()), api.clone()).await?;
    let customer = Customer { api, url: customer_url.clone(), conversation: "demo-1".into() };
    let complete = play_conversation(&customer, &mut platforms).await;
    println!();
    progress.done();
    if !complete {
        return Err(CliError(
            "the demo conversation did not complete: see .local/run/aws.log".into(),
        ));
    }
    if once {
        return Ok(());
    }
    let console = token::link(stack, "you", AccessLevel::Admin).await?;
    println!("{}", instructions(&console, &customer_url, &channel, &bot, port));
    std::future::pending().await
}

async fn url(
    stack: &Stack,
    desired: &trunkline::config::Desired,
    id: &str,
) -> Result<String, CliError> {
    let missing = || CliError(format!("the demo has no inbound URL for {id}"));
    let desired = desired.connection(&id.parse()?).ok_or_else(missing)?;
    inbound_url(stack, &desired.connection).await?.ok_or_else(missing)
}
