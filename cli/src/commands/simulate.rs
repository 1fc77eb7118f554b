//! `trunkline simulate`: a vendor's side, played from the terminal beside a local stack.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trunkline::local::STACK;
use trunkline::local::demo::Api;
use trunkline::simulate::{Act, Call, HELP, Joined, Part, Player, Stage, join, leave, side};
use trunkline::stack::{Stack, local};
use trunkline_shared::model::{Platform, Route};

use super::Failed;

/// Where the first platform's side listens, if nothing else is said; the others follow.
const FIRST_PORT: u16 = 4620;
/// How often it is looked whether something came.
const LOOK: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Beside `make run`, each in a terminal of its own:
  trunkline simulate cm                  be a customer on WhatsApp behind CM.com's router
  trunkline simulate twin                be the bot that answers them, at TWIN
  trunkline simulate unblu               be the agent who takes over, at Unblu
  trunkline simulate webhook --as agent  or a desk that speaks signed webhooks

What is played meets on one route. A customer who writes `agent` asks for people, `bot` for the bot.
A change of who is played is everywhere within half a minute.";

/// Whose side, and who there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Simulate {
    /// cm, servisbot, twin, unblu, webex or webhook.
    platform: Platform,
    /// Who is played; the platform's usual, if left out.
    #[arg(long = "as")]
    part: Option<Part>,
    /// The route on which the parts meet.
    #[arg(long, default_value = "simulated")]
    route: String,
    /// Where this side listens; a port of its own for each platform and part, if left out.
    #[arg(long)]
    listen: Option<u16>,
    /// The port of the local AWS.
    #[arg(long, default_value_t = 4600)]
    port: u16,
}

pub(super) async fn run(simulate: Simulate) -> Result<(), Failed> {
    let platform = simulate.platform;
    let part = chosen(platform, simulate.part)?;
    let aws = local(&format!("http://127.0.0.1:{}", simulate.port)).await?;
    let stack = Stack::find(&aws, STACK).await.map_err(|why| {
        Failed(format!(
            "there is no local stack on port {}: `make run` starts one\n{why}",
            simulate.port
        ))
    })?;
    let joined = Joined::new(platform, part, &simulate.route)?;
    let listen = simulate.listen.unwrap_or_else(|| usual_port(platform, part));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, listen)).await.map_err(|why| {
        Failed(format!("port {listen}: {why}; is it simulated already? --listen chooses another"))
    })?;
    let (inbound, api) = (joined.inbound(&stack), Api::at(simulate.port));
    let stage = Stage { part, listener, port: listen, inbound: inbound.clone(), api: api.clone() };
    let mut player = (side(platform).1)(stage);
    let route = join(&stack, &joined, player.setup()).await?;
    println!("{}", greeting(&joined, &route));
    let ended = play(player.as_mut(), &inbound, &api).await;
    leave(&stack, &joined).await?;
    ended
}

fn chosen(platform: Platform, asked: Option<Part>) -> Result<Part, Failed> {
    let (parts, _) = side(platform);
    let asked = asked.unwrap_or(parts[0]);
    if parts.contains(&asked) {
        return Ok(asked);
    }
    let names: Vec<_> = parts.iter().map(|part| part.name()).collect();
    let can = names.join(", ");
    Err(Failed(format!("{platform} has no {} to be played; it has: {can}", asked.name())))
}

/// Always the same one, so that what is played again is where it was.
fn usual_port(platform: Platform, part: Part) -> u16 {
    let place = Platform::names().iter().position(|name| *name == platform.name()).unwrap_or(0);
    let place = u16::try_from(place).unwrap_or(0);
    FIRST_PORT + place * 3 + part as u16
}

fn greeting(joined: &Joined, route: &Route) -> String {
    let who = |who: Option<&trunkline_shared::model::ConnectionId>| {
        who.map_or_else(|| "nobody yet".to_owned(), ToString::to_string)
    };
    format!(
        "You are the {} at {}, as the connection {}.\nOn the route {}: bot {}, desk {}.\n\n{HELP}\n",
        joined.part.name(),
        joined.platform,
        joined.connection,
        joined.route,
        who(route.bot.as_ref()),
        who(route.desk.as_ref()),
    )
}

async fn play(player: &mut dyn Player, inbound: &str, api: &Api) -> Result<(), Failed> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = interrupted.recv() => return Ok(()),
            _ = terminated.recv() => return Ok(()),
            _ = look.tick() => {
                for line in player.heard() {
                    println!("> {}", line.replace('\n', "\n  "));
                }
            }
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                match Act::read(&line).and_then(|act| act.map_or(Ok(Vec::new()), |act| player.act(act))) {
                    Ok(calls) => post(&calls, inbound, api).await,
                    Err(why) => println!("{why}"),
                }
            }
        }
    }
}

async fn post(calls: &[Call], inbound: &str, api: &Api) {
    for call in calls {
        let mut request = api.post(&format!("{inbound}{}", call.path), call.body.clone());
        // The client says already that it is JSON.
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
