//! `trunkline local`: the real template on this machine, with a conversation to look at.

use tokio::signal::unix::{SignalKind, signal};
use trunkline::apply::{apply, inbound_url};
use trunkline::config::{Reading, read};
use trunkline::local::demo::{self, Api, CONFIGURATION, Customer, DemoSecrets, play};
use trunkline::local::{LocalStack, Options, Places, Progress};
use trunkline::stack::Stack;
use trunkline_shared::model::Access;

use super::{Failed, token};

pub(super) async fn run(port: u16, once: bool) -> Result<(), Failed> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // Whichever way it ends, the stack is dropped, and with it everything that was started.
    tokio::select! {
        outcome = show(port, once) => outcome,
        _ = interrupted.recv() => ended(),
        _ = terminated.recv() => ended(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one arm of a select")]
fn ended() -> Result<(), Failed> {
    println!("\nended; nothing is left running");
    Ok(())
}

async fn show(port: u16, once: bool) -> Result<(), Failed> {
    let places = Places::of(&std::path::absolute(".")?, "run");
    let options = Options { port, ..Options::default() };
    let mut progress = Progress::new(4);
    let local = LocalStack::start(&places, &options, &mut progress).await?;
    let stack = &local.stack;

    progress.step("applying demo/trunkline.yaml");
    let reading = Reading { environment: &DemoSecrets, allow_local: stack.allows_local() };
    let desired = read(CONFIGURATION, reading)?;
    apply(stack, &desired, |_| ()).await?;
    let webex = url(stack, &desired, "demo-webex").await?;
    let bot = url(stack, &desired, "demo-bot").await?;
    let channel = url(stack, &desired, "demo-channel").await?;

    progress.step("playing a conversation");
    println!();
    let api = Api::at(port);
    let mut far = demo::start(Some(bot.clone()), api.clone()).await?;
    let customer = Customer { api, url: webex.clone(), conversation: "demo-1".into() };
    let complete = play(&customer, &mut far).await;
    println!();
    progress.done();
    if !complete {
        return Err(Failed("the conversation stopped half way: see .local/run/aws.log".into()));
    }
    if once {
        return Ok(());
    }
    let console = token::link(stack, "you", Access::Admin).await?;
    println!("{}", try_it(&console, &webex, &channel, &bot, port));
    std::future::pending().await
}

async fn url(
    stack: &Stack,
    desired: &trunkline::config::Desired,
    id: &str,
) -> Result<String, Failed> {
    let missing = || Failed(format!("the demo has no address for {id}"));
    let desired = desired.connection(&id.parse()?).ok_or_else(missing)?;
    inbound_url(stack, &desired.connection).await?.ok_or_else(missing)
}

fn try_it(console: &str, webex: &str, channel: &str, bot: &str, port: u16) -> String {
    format!(
        r#"
It stays up. The console, where all of it can be seen (this link signs you in once, within ten minutes):

  {console}

What happens is shown here, too. Be the customer, from another terminal:

  curl -i {webex} -H 'content-type: application/json' -d '{{
    "Conversationid": "me-1", "ConversationType": "BOT", "Event": "Incoming message",
    "Message": "Where is my parcel?", "Messageid": "'$RANDOM$RANDOM'", "Channel": "WhatsApp",
    "Timestamp": "'"$(date -u '+%F %T.00')"'" }}'

Or one on a channel that speaks our own protocol:

  curl -i {channel} -H 'authorization: Bearer demo-token' -d '{{
    "id": "'$RANDOM$RANDOM'", "timestamp": "'"$(date -u +%FT%TZ)"'", "conversation": "me-2",
    "type": "message", "data": {{"text": "Where is my parcel?"}} }}'

  The bot's address (signed webhooks):  {bot}
  The local AWS:                        http://127.0.0.1:{port}
  Its own log:                          .local/run/aws.log

Ctrl-C ends it all."#
    )
}
