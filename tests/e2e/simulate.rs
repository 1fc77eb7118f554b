//! `trunkline simulate`: three terminals, each with a side of another platform.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use trunkline_tests::World;

/// A terminal with a side played in it.
struct Terminal {
    name: String,
    child: Child,
    keys: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    /// Starts a side, and waits until it is ready.
    async fn open(world: &World, platform: &str, part: &str, route: &str) -> Self {
        let (name, local) = (format!("{platform} {part}"), world.port().to_string());
        let mut child = Command::new(world.project.join("target/debug/trunkline"))
            .args(["simulate", platform, "--as", part, "--route", route, "--port", &local])
            .args(["--listen", &free_port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut terminal = Self { name, keys: child.stdin.take(), child, lines };
        terminal.shows("/help").await;
        terminal
    }

    async fn types(&mut self, line: &str) {
        let keys = self.keys.as_mut().unwrap();
        keys.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Reads on until a line holds that.
    async fn shows(&mut self, what: &str) {
        let mut shown = Vec::new();
        let read = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(what) {
                    return true;
                }
                shown.push(line);
            }
            false
        };
        let found = timeout(Duration::from_secs(40), read).await;
        assert_eq!(found, Ok(true), "{}: no '{what}' in {shown:#?}", self.name);
    }

    /// Ends it, as Ctrl-D does.
    async fn ends(mut self) {
        drop(self.keys.take());
        assert!(
            timeout(Duration::from_secs(20), self.child.wait()).await.unwrap().unwrap().success()
        );
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Opens three terminals, the customer's last, so that whoever answers is there.
async fn three(world: &World, route: &str, sides: [(&str, &str); 3]) -> [Terminal; 3] {
    let [customer, bot, agent] = sides;
    let bot = Terminal::open(world, bot.0, bot.1, route).await;
    let agent = Terminal::open(world, agent.0, agent.1, route).await;
    let customer = Terminal::open(world, customer.0, customer.1, route).await;
    [customer, bot, agent]
}

/// A question, an answer, a wish for people, an agent's word.
async fn talk(sides: &mut [Terminal; 3]) {
    let [customer, bot, agent] = sides;
    customer.types("Where is my order?").await;
    bot.shows("> Where is my order?").await;
    bot.types("It left on Monday.").await;
    customer.shows("> It left on Monday.").await;
    customer.types("agent").await;
    agent.shows("It left on Monday.").await;
    agent.types("I look it up.").await;
    customer.shows("I look it up.").await;
    customer.types("Thank you!").await;
    agent.shows("Thank you!").await;
}

pub async fn cm_twin_and_unblu_are_played_from_three_terminals(world: &World) {
    let sides = [("cm", "customer"), ("twin", "bot"), ("unblu", "agent")];
    let mut terminals = three(world, "sim1", sides).await;
    talk(&mut terminals).await;
    let [customer, mut bot, mut agent] = terminals;
    agent.types("/pick 1").await;
    agent.shows("an agent at Unblu has no /pick; there is: a text, /offer, /close").await;
    bot.types("/fly").await;
    bot.shows("there is no /fly").await;
    for terminal in [customer, bot, agent] {
        terminal.ends().await;
    }
    let route = world.stack().store.route(&"sim1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(route.desk, None, "who has left does not serve any more");
}

pub async fn webex_servisbot_and_a_webhook_desk_are_played(world: &World) {
    let sides = [("webex", "customer"), ("servisbot", "bot"), ("webhook", "agent")];
    let mut terminals = three(world, "sim2", sides).await;
    talk(&mut terminals).await;
    let [customer, bot, agent] = &mut terminals;
    agent.types("/handback").await;
    customer.shows("has left.").await;
    customer.types("And now?").await;
    bot.shows("> And now?").await;
    bot.types("/handover a complaint").await;
    agent.shows("a complaint").await;
}

pub async fn a_webhook_customer_and_two_sides_of_cm_are_played(world: &World) {
    let sides = [("webhook", "customer"), ("cm", "bot"), ("cm", "agent")];
    let mut terminals = three(world, "sim3", sides).await;
    talk(&mut terminals).await;
}
