//! `trunkline simulate`: acts as a customer, bot or agent on a platform, on a local stack.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trunkline::local::STACK;
use trunkline::say;
use trunkline::simulate::{Membership, join, leave};
use trunkline::stack::{Stack, local_aws_config};
use trunkline_core::model::{PlatformId, Route};
use trunkline_demo::LocalApi;
use trunkline_mock::{Call, HELP, Mock, Persona, Player, PlayerCommand, PlayerContext};
use trunkline_registry::PLATFORMS;

use super::CliError;

/// The default port of the first platform; the other platforms have the following ports.
const FIRST_PORT: u16 = 4620;
/// How often the player is polled for received events.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
While `make run` is running, each in its own terminal:
  trunkline simulate PLATFORM              act as the platform's usual party: a customer, a bot or an agent
  trunkline simulate PLATFORM --as agent   act as an agent on it

README.md shows a conversation between three terminals.


All simulated parties share one route. The customer's keyword `agent` requests an agent, `bot` the bot.
Starting or stopping a simulation takes effect within 30 seconds.";

/// The platform and the persona to simulate.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Id of the platform, as in `trunkline settings`.
    #[arg(value_parser = known_platform)]
    platform: PlatformId,
    /// Persona to act as: customer, bot or agent. Default: the platform's usual one.
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
    let mock = mock_of(platform)?;
    let persona = choose_persona(platform, mock, simulate.persona)?;
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
        api_port: simulate.port,
    };
    let mut player = (mock.start)(context);
    let route = join(&stack, &membership, player.setup()).await?;
    say!("{}", greeting(&membership, &route));
    let ended = run_player(player.as_mut(), &inbound, &api).await;
    leave(&stack, &membership).await?;
    ended
}

/// Parses the id of a platform that can be simulated.
fn known_platform(text: &str) -> Result<PlatformId, String> {
    let id = text.parse::<PlatformId>().ok().filter(|id| PLATFORMS.get(*id).is_some());
    id.ok_or_else(|| format!("unknown platform: use {}", PLATFORMS.ids().join(", ")))
}

fn mock_of(platform: PlatformId) -> Result<Mock, CliError> {
    let mock = trunkline_mocks::mock(platform);
    mock.ok_or_else(|| CliError(format!("{platform} cannot be simulated")))
}

fn choose_persona(
    platform: PlatformId,
    mock: Mock,
    asked: Option<Persona>,
) -> Result<Persona, CliError> {
    let personas = mock.personas;
    let asked = asked.unwrap_or(personas[0]);
    if personas.contains(&asked) {
        return Ok(asked);
    }
    let names: Vec<_> = personas.iter().map(|persona| persona.name()).collect();
    let can = names.join(", ");
    Err(CliError(format!("{platform} cannot simulate: {}; use {can}", asked.name())))
}

/// Returns the default port. It is fixed, so that a restarted simulation has the same address.
fn default_port(platform: PlatformId, persona: Persona) -> u16 {
    let place = PLATFORMS.iter().position(|spec| spec.id == platform).unwrap_or(0);
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
                    say!("> {}", line.replace('\n', "\n  "));
                }
            }
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                match PlayerCommand::read(&line).and_then(|command| command.map_or(Ok(Vec::new()), |command| player.execute(command))) {
                    Ok(calls) => post(&calls, inbound, api).await,
                    Err(why) => say!("{why}"),
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
                say!("(refused: {status} {})", answer.text().await.unwrap_or_default());
            }
            Err(why) => say!("(not sent: {why})"),
        }
    }
}
