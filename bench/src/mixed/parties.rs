//! The parties of a conversation, and the messages that they exchange.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use trunkline_mock::{Player, PlayerCommand};

use crate::gateway::Gateway;

/// How long a party waits for a message.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(45);
/// How often a party looks for a message.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// One party of a conversation.
pub struct Party {
    pub platform: &'static str,
    /// The id of its connection.
    pub connection: String,
    pub player: Box<dyn Player>,
}

/// A conversation of a customer with a bot or an agent.
pub struct Conversation {
    pub customer: Party,
    pub partner: Party,
    /// The number of the last message of each.
    pub number: u32,
}

/// The outcomes of the messages from one platform.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exchanges {
    pub arrived: usize,
    pub refused: usize,
    pub lost: usize,
    pub repeated: usize,
}

impl Exchanges {
    fn add(&mut self, other: Self) {
        self.arrived += other.arrived;
        self.refused += other.refused;
        self.lost += other.lost;
        self.repeated += other.repeated;
    }
}

/// Lets all conversations go on for `time`: the customer writes, the partner answers, and so on. Returns the
/// conversations, and the messages by the platform that they came from.
pub async fn converse(
    gateway: &Arc<Gateway>,
    conversations: Vec<Conversation>,
    time: Duration,
) -> (Vec<Conversation>, BTreeMap<&'static str, Exchanges>) {
    let until = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for mut conversation in conversations {
        let gateway = Arc::clone(gateway);
        tasks.spawn(async move {
            let results = conversation.go_on(&gateway, until).await;
            (conversation, results)
        });
    }
    let mut all = BTreeMap::<&'static str, Exchanges>::new();
    let mut conversations = Vec::new();
    for (conversation, [customer, partner]) in tasks.join_all().await {
        all.entry(conversation.customer.platform).or_default().add(customer);
        all.entry(conversation.partner.platform).or_default().add(partner);
        conversations.push(conversation);
    }
    (conversations, all)
}

impl Conversation {
    /// Goes on until a time. Returns the messages of the customer and those of the partner.
    async fn go_on(&mut self, gateway: &Gateway, until: Instant) -> [Exchanges; 2] {
        let (mut sent, mut answered) = (Exchanges::default(), Exchanges::default());
        while Instant::now() < until {
            self.number += 1;
            let (customer, partner) = (&mut self.customer, &mut self.partner);
            if !exchange(gateway, customer, partner, self.number, &mut sent).await
                || !exchange(gateway, partner, customer, self.number, &mut answered).await
            {
                break;
            }
        }
        [sent, answered]
    }
}

/// Sends a message and waits for its arrival. Returns whether it arrived.
async fn exchange(
    gateway: &Gateway,
    from: &mut Party,
    to: &mut Party,
    number: u32,
    results: &mut Exchanges,
) -> bool {
    let text = format!("{} {:.<80}", marker(number), "Where is my parcel?");
    let calls = from.player.execute(PlayerCommand::Say(text)).expect("every party can write");
    for call in &calls {
        let status = gateway.call(from.platform, &from.connection, call).await;
        if !(200..300).contains(&status) {
            eprintln!("{}: a call was answered with {status}", from.connection);
            results.refused += 1;
            return false;
        }
    }
    let until = Instant::now() + ARRIVAL_TIMEOUT;
    while Instant::now() < until {
        let received = to.player.received();
        for line in received.iter().filter(|line| line.starts_with('(')) {
            eprintln!("{}: {line}", to.connection);
        }
        let marks = |number: u32| {
            let marker = marker(number);
            received.iter().filter(|line| line.contains(&marker)).count()
        };
        results.repeated += (1..number).map(marks).sum::<usize>();
        let count = marks(number);
        if count > 0 {
            results.arrived += 1;
            results.repeated += count - 1;
            return true;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    eprintln!("{}: message {number} to {} is lost", from.connection, to.connection);
    results.lost += 1;
    false
}

/// Returns the beginning of a message's text, which no other message of the sender contains.
fn marker(number: u32) -> String {
    format!("message {number}:")
}
