//! `trunkline simulate`: acts as a customer, bot or agent on a platform, on a local stack.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trunkline::local::STACK;
use trunkline::local::demo::LocalApi;
use trunkline::simulate::{
    Call, HELP, Membership, Persona, Player, PlayerCommand, PlayerContext, join, leave, player_for,
};
use trunkline::stack::{Stack, local_aws_config};
use trunkline_core::model::{Platform, Route};

use super::CliError;

/// The default port of the first platform; the other platforms have the following ports.
const FIRST_PORT: u16 = 4620;
/// How often the player is polled for received events.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
While `make run` is running, each in its own terminal:
  trunkline simulate cm                  act as a customer on WhatsApp behind CM.com's router
  trunkline simulate twin                act as the bot, in TWIN
  trunkline simulate unblu               act as the agent, in Unblu
  trunkline simulate webhook --as agent  or act as an agent on a desk with signed webhooks

All simulated parties share one route. The customer's keyword `agent` requests an agent, `bot` the bot.
Starting or stopping a simulation takes effect within 30 seconds.";

/// The platform and the persona to simulate.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Platform: cm, servisbot, twin, unblu, webex or webhook.
    platform: Platform,
    /// Persona to act as. Default: the platform's usual one.
    #[arg(long = "as")]
    persona: Option<Persona>,
    /// Route that all simulated parties share.
    #[arg(long, default_value = "simulated")]
    route: String,
    /// Port of the simulated platform. Default: a fixed port for each platform and persona.
    #[arg(long)]
    listen: Option<u16>,
    /// Port of the local AWS.
    #[arg(long, default_value_t = 4600)]
    port: u16,
}

pub(super) async fn run(simulate: Simulate) -> Result<(), CliError> {
    let platform = simulate.platform;
    let persona = choose_persona(platform, simulate.persona)?;
    let aws = local_aws_config(&format!("http://127.0.0.1:{}", simulate.port)).await?;
    let stack = Stack::find(&aws, STACK).await.map_err(|why| {
        CliError(format!(
            "no local stack on port {}: start one with `make run`\n{why}",
            simulate.port
        ))
    })?;
    let membership = Membership::new(platform, persona, &simulate.route)?;
    let listen = simulate.listen.unwrap_or_else(|| default_port(platform, persona));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen)).await.map_err(|why| {
        CliError(format!("cannot listen on port {listen}: {why}; if this simulation is already running, set --listen"))
    })?;
    let (inbound, api) = (membership.inbound(&stack), LocalApi::new(simulate.port));
    let context = PlayerContext {
        persona,
        listener,
        port: listen,
        inbound: inbound.clone(),
        api: api.clone(),
    };
    let mut player = (player_for(platform).1)(context);
    let route = join(&stack, &membership, player.setup()).await?;
    println!("{}", greeting(&membership, &route));
    let ended = run_player(player.as_mut(), &inbound, &api).await;
    leave(&stack, &membership).await?;
    ended
}

fn choose_persona(platform: Platform, asked: Option<Persona>) -> Result<Persona, CliError> {
    let (personas, _) = player_for(platform);
    let asked = asked.unwrap_or(personas[0]);
    if personas.contains(&asked) {
        return Ok(asked);
    }
    let names: Vec<_> = personas.iter().map(|persona| persona.name()).collect();
    let can = names.join(", ");
    Err(CliError(format!("{platform} cannot simulate: {}; use {can}", asked.name())))
}

/// Returns the default port. It is fixed, so that a restarted simulation has the same address.
fn default_port(platform: Platform, persona: Persona) -> u16 {
    let place = Platform::names().iter().position(|name| *name == platform.name()).unwrap_or(0);
    let place = u16::try_from(place).unwrap_or(0);
    FIRST_PORT + place * 3 + persona as u16
}

fn greeting(membership: &Membership, route: &Route) -> String {
    let who = |who: Option<&trunkline_core::model::ConnectionId>| {
        who.map_or_else(|| "none".to_owned(), ToString::to_string)
    };
    format!(
        "You are the {} on {}, with the connection {}.\nRoute {}: bot {}, desk {}.\n\n{HELP}\n",
        membership.persona.name(),
        membership.platform,
        membership.connection,
        membership.route,
        who(route.bot.as_ref()),
        who(route.desk.as_ref()),
    )
}

async fn run_player(
    player: &mut dyn Player,
    inbound: &str,
    api: &LocalApi,
) -> Result<(), CliError> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    loop {
        tokio::select! {
            _ = interrupted.recv() => return Ok(()),
            _ = terminated.recv() => return Ok(()),
            _ = poll.tick() => {
                for line in player.received() {
                    println!("> {}", line.replace('\n', "\n  "));
                }
            }
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                match PlayerCommand::read(&line).and_then(|command| command.map_or(Ok(Vec::new()), |command| player.execute(command))) {
                    Ok(calls) => post(&calls, inbound, api).await,
                    Err(why) => println!("{why}"),
                }
            }
        }
    }
}

async fn post(calls: &[Call], inbound: &str, api: &LocalApi) {
    for call in calls {
        let mut request = api.post(&format!("{inbound}{}", call.path), call.body.clone());
        // The client already sets the content type.
        for (name, value) in call.headers.iter().filter(|(name, _)| name != "content-type") {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => {
                let status = answer.status();
                println!("(refused: {status} {})", answer.text().await.unwrap_or_default());
            }
            Err(why) => println!("(not sent: {why})"),
        }
    }
}
