//! `trunkline simulate`: three terminals, each as a party on another platform.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use trunkline_tests::TestEnvironment;

/// A terminal with a running `trunkline simulate`.
struct Terminal {
    name: String,
    child: Child,
    keys: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    /// Starts a simulated party and waits until it is ready.
    async fn open(env: &TestEnvironment, platform: &str, part: &str, route: &str) -> Self {
        let (name, local) = (format!("{platform} {part}"), env.port().to_string());
        let mut child = Command::new(env.project.join("target/debug/trunkline"))
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

    /// Reads until a line contains `what`.
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

    /// Closes stdin, as Ctrl-D does, and expects success.
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

/// Opens three terminals, the customer's last, so that bot and agent are ready.
async fn three(env: &TestEnvironment, route: &str, sides: [(&str, &str); 3]) -> [Terminal; 3] {
    let [customer, bot, agent] = sides;
    let bot = Terminal::open(env, bot.0, bot.1, route).await;
    let agent = Terminal::open(env, agent.0, agent.1, route).await;
    let customer = Terminal::open(env, customer.0, customer.1, route).await;
    [customer, bot, agent]
}

/// Question, bot answer, handover by keyword, agent answer.
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

pub async fn simulates_cm_twin_and_unblu(env: &TestEnvironment) {
    let sides = [("cm", "customer"), ("twin", "bot"), ("unblu", "agent")];
    let mut terminals = three(env, "sim1", sides).await;
    talk(&mut terminals).await;
    let [customer, mut bot, mut agent] = terminals;
    agent.types("/pick 1").await;
    agent.shows("an agent at Unblu does not support /pick; use a text, /offer, /close").await;
    bot.types("/fly").await;
    bot.shows("unknown command /fly").await;
    for terminal in [customer, bot, agent] {
        terminal.ends().await;
    }
    let route = env.stack().store.route(&"sim1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(route.desk, None, "a party that left is no longer on the route");
}

pub async fn simulates_webex_servisbot_and_webhook_desk(env: &TestEnvironment) {
    let sides = [("webex", "customer"), ("servisbot", "bot"), ("webhook", "agent")];
    let mut terminals = three(env, "sim2", sides).await;
    talk(&mut terminals).await;
    let [customer, bot, agent] = &mut terminals;
    agent.types("/handback").await;
    customer.shows("has left.").await;
    customer.types("And now?").await;
    bot.shows("> And now?").await;
    bot.types("/handover a complaint").await;
    agent.shows("a complaint").await;
}

pub async fn simulates_webhook_customer_and_two_cm_parties(env: &TestEnvironment) {
    let sides = [("webhook", "customer"), ("cm", "bot"), ("cm", "agent")];
    let mut terminals = three(env, "sim3", sides).await;
    talk(&mut terminals).await;
}
