//! Soak test: mixed platforms under injected faults, half an hour in `make soak`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::json;
use trunkline_cm_mock::{CmRouter, Side};
use trunkline_servisbot_mock::{API_KEY, ENGAGEMENT_SECRET, ServisBot};
use trunkline_tests::{
    Behaviour, Fault, Fixture, ReceivedRequest, TestEnvironment, kill, message_event,
    webex_message, workers_of,
};
use trunkline_twin_mock::{Accepted, Twin24};
use trunkline_unblu_mock::{ApiVersion, Unblu};

use crate::platforms::{ADAPTER, BOT, CHANNEL, CM, SERVISBOT, TWIN, UNBLU, WEBEX, file, unblus};

/// Customers per channel.
const CUSTOMERS: usize = 4;
/// Pause of a customer between two messages.
const PAUSE: Duration = Duration::from_secs(3);
/// Interval of faults and memory samples.
const TICK: Duration = Duration::from_secs(5);
/// Maximum time until all messages have arrived, after the last was accepted.
const PATIENCE: Duration = Duration::from_mins(5);
/// Short retry intervals, because receivers recover within seconds here.
const POLICY: &str =
    "    delivery: { retry: [2, 5, 10, 20, 20, 20, 20, 20, 20], retry_unknown: 9 }\n";

fn length() -> Duration {
    let seconds = std::env::var("TRUNKLINE_SOAK").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

/// The messages sent into one line and received at its end, in order.
#[derive(Debug, Default)]
struct Chain {
    went: Vec<String>,
    came: Vec<String>,
}

impl Chain {
    fn lost(&self) -> usize {
        let came: HashSet<&String> = self.came.iter().collect();
        self.went.iter().filter(|text| !came.contains(text)).count()
    }

    fn repeats(&self) -> usize {
        self.came.len() - self.came.iter().collect::<HashSet<_>>().len()
    }

    /// Counts messages that arrived after a later one of their conversation, including repeats.
    fn inversions(&self) -> usize {
        let mut last: HashMap<&str, &str> = HashMap::new();
        let mut inversions = 0;
        for text in &self.came {
            let (customer, _) = text.split_once(" message ").unwrap();
            inversions += usize::from(
                last.insert(customer, text).is_some_and(|before| before > text.as_str()),
            );
        }
        inversions
    }
}

fn name(line: usize, customer: usize, message: usize) -> String {
    format!("customer-{line}-{customer} message {message:05}")
}

/// Returns the part of a text that names customer and message, if there is one.
fn named(text: &str) -> Option<String> {
    let at = text.find("customer-")?;
    let name = text.get(at..at + name(0, 0, 0).len())?;
    name.contains(" message ").then(|| name.to_owned())
}

fn all_named<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    texts.into_iter().filter_map(|text| named(text)).collect()
}

/// The four lines under test, and the mocks at their ends.
struct Lines<'w> {
    bot: Fixture<'w>,
    twin: Fixture<'w>,
    servisbot: Fixture<'w>,
    unblu: Fixture<'w>,
    cm: CmRouter,
    twins: Twin24,
    servisbots: ServisBot,
    unblus: Unblu,
}

impl<'w> Lines<'w> {
    async fn of(env: &'w TestEnvironment) -> Self {
        let (cm, unblus_side) =
            (CmRouter::start("product-token").await, Unblu::start(ApiVersion::V4).await);
        cm.add_adapter(ADAPTER, Side::Host);
        let (twins, servisbots) = (Twin24::start(env.http.clone()).await, ServisBot::start().await);
        let file = |connections: &[&str], route: &str| {
            file(connections, route).replace("    role: ", &format!("{POLICY}    role: "))
        };
        let bot = file(&[WEBEX, BOT], "channels: [NAME-webex], bot: NAME-bot");
        let twin = file(&[CM, TWIN], "channels: [NAME-cm], bot: NAME-twin");
        let servisbot =
            file(&[CHANNEL, SERVISBOT], "channels: [NAME-channel], bot: NAME-servisbot");
        let unblu = file(&[CHANNEL, UNBLU], "channels: [NAME-channel], desk: NAME-unblu");
        let of_twin = [
            ("CM", cm.outbound_url(ADAPTER)),
            ("CM_TOKEN", "product-token".to_owned()),
            ("TWIN", twins.settings(&json!({"answers": "response"})).to_string()),
        ];
        let of_servisbot = [
            ("SERVISBOT", servisbots.engagement_url()),
            ("ENGAGE", ENGAGEMENT_SECRET.to_owned()),
            ("API_KEY", API_KEY.to_owned()),
        ];
        Self {
            bot: Fixture::new(env, "soak-a", &bot).await,
            twin: Fixture::with_mocks(env, "soak-b", &twin, &of_twin).await,
            servisbot: Fixture::with_mocks(env, "soak-c", &servisbot, &of_servisbot).await,
            unblu: Fixture::with_mocks(env, "soak-d", &unblu, &unblus(&unblus_side)).await,
            cm,
            twins,
            servisbots,
            unblus: unblus_side,
        }
    }

    /// Sends a customer's message until it is accepted.
    async fn send_message(&self, line: usize, customer: usize, text: &str) {
        let conversation = format!("c-{customer}");
        let id = text.replace(' ', "-");
        loop {
            let accepted = match line {
                0 => {
                    let body = webex_message(&conversation, &id, text);
                    self.bot.post("webex", body, &[]).await.0 == 200
                }
                1 => {
                    let chat = self.cm.chat(&format!("003160000000{customer}"), "0031201234567");
                    let notice = self.cm.customer_writes(&chat, text);
                    let (status, _, _) =
                        self.twin.post_below("cm", notice.path, notice.body, &notice.headers).await;
                    (200..300).contains(&status)
                }
                2 => {
                    self.servisbot
                        .send_event("channel", &id, &conversation, message_event(text))
                        .await
                        .0
                        == 200
                }
                _ => {
                    self.unblu
                        .send_event("channel", &id, &conversation, message_event(text))
                        .await
                        .0
                        == 200
                }
            };
            if accepted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Returns the messages received from each line so far.
    fn came(&self) -> Vec<Vec<String>> {
        let texts = |received: Vec<ReceivedRequest>| {
            received.iter().map(ReceivedRequest::text).collect::<Vec<_>>()
        };
        let twins: Vec<_> = self.twins.accepted().iter().map(Accepted::text).collect();
        let posts: Vec<_> =
            self.servisbots.posts().iter().map(|post| post.value.to_string()).collect();
        let sent: Vec<_> = self
            .unblus
            .sent()
            .iter()
            .map(|sent| sent.data["text"].as_str().unwrap_or_default().to_owned())
            .collect();
        vec![
            all_named(&texts(self.bot.mock.accepted("/bot"))),
            all_named(&twins),
            all_named(&posts),
            all_named(&sent),
            all_named(&texts(self.bot.mock.accepted("/webex"))),
        ]
    }

    fn connections() -> Vec<trunkline_core::model::ConnectionId> {
        let names = [
            "soak-a-webex",
            "soak-a-bot",
            "soak-b-cm",
            "soak-b-twin",
            "soak-c-channel",
            "soak-c-servisbot",
            "soak-d-channel",
            "soak-d-unblu",
        ];
        names.map(|name| name.parse().unwrap()).to_vec()
    }
}

/// Lets every customer send messages until `until`. Returns the sent messages by line.
async fn write(lines: &Lines<'_>, until: Instant) -> Vec<Vec<String>> {
    let customers = (0..4).flat_map(|line| (0..CUSTOMERS).map(move |customer| (line, customer)));
    let written = customers.map(|(line, customer)| async move {
        let mut went = Vec::new();
        // Spread the start of the customers.
        tokio::time::sleep(PAUSE.mul_f64(f64::from(u8::try_from(customer).unwrap()) / 4.0)).await;
        while Instant::now() < until {
            let text = name(line, customer, went.len());
            lines.send_message(line, customer, &text).await;
            went.push(text);
            tokio::time::sleep(PAUSE).await;
        }
        (line, went)
    });
    let mut went = vec![Vec::new(); 4];
    for (line, texts) in join_all(written).await {
        went[line].extend(texts);
    }
    went
}

/// Answers each message to the bot of the first line once, in order. Returns the answered messages.
async fn answer(lines: &Lines<'_>, over: &AtomicBool) -> Vec<String> {
    let (fixture, mut done, mut seen) = (&lines.bot, HashSet::new(), 0);
    let mut answers = Vec::new();
    loop {
        let last = over.load(Ordering::Relaxed);
        let taken = fixture.mock.accepted("/bot");
        for received in &taken[seen..] {
            let text = received.text();
            if named(&text).is_none() || !done.insert(text.clone()) {
                continue;
            }
            let conversation = received.json()["conversation"].as_str().unwrap().to_owned();
            let id = text.replace(' ', "-");
            let answer = message_event(&format!("re: {text}"));
            while fixture.send_event("bot", &id, &conversation, answer.clone()).await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            answers.push(text);
        }
        seen = taken.len();
        if last {
            return answers;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Injects faults at each tick. Workers are killed in the first half only, so that the second half shows
/// whether running workers leak memory.
async fn inject_faults(
    env: &TestEnvironment,
    lines: &Lines<'_>,
    until: Instant,
    kills: &AtomicUsize,
) {
    let begun = Instant::now();
    let half = begun + until.duration_since(begun) / 2;
    let points = ["UpdateItem", "SendMessage", "TransactWriteItems", "PutItem"];
    for tick in 1_usize.. {
        tokio::time::sleep(TICK).await;
        let now = Instant::now();
        if now + TICK > until {
            break;
        }
        if tick % 4 == 0 && now < half {
            let workers = workers_of(env.port());
            if tick % 8 == 0 {
                env.fault_proxy.inject(Fault::Kill, points[tick / 8 % points.len()], "soak-", 0, 1);
            } else if let Some(worker) = workers.get((tick * 7) % workers.len().max(1)) {
                kill(*worker);
            }
            kills.fetch_add(1, Ordering::Relaxed);
        }
        match tick % 18 {
            3 => lines.bot.mock.set_behaviour(Some(Behaviour::down())),
            7 | 13 => {
                lines.bot.mock.set_behaviour(None);
                lines.bot.mock.reset_connections(false);
            }
            10 => lines.bot.mock.reset_connections(true),
            _ => {}
        }
        match tick % 6 {
            1 => env.fault_proxy.inject(Fault::Refuse, points[tick % points.len()], "soak-", 0, 3),
            2 => (0..3).for_each(|_| lines.twins.fail_next_call(503)),
            4 => (0..2).for_each(|_| lines.cm.respond_next(503, Vec::new(), "")),
            5 => (0..2).for_each(|_| lines.servisbots.respond_next(503)),
            _ => {}
        }
    }
    lines.bot.mock.set_behaviour(None);
    lines.bot.mock.reset_connections(false);
}

/// Returns the resident memory of a process, in KB.
fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Samples the memory of each worker at each tick, in KB by PID.
async fn watch(env: &TestEnvironment, until: Instant) -> Vec<BTreeMap<i32, u64>> {
    let mut seen = Vec::new();
    while Instant::now() < until {
        tokio::time::sleep(TICK).await;
        let of = |pid: i32| (pid, resident(pid));
        let now: BTreeMap<_, _> = workers_of(env.port()).into_iter().map(of).collect();
        if seen.len() % 60 == 59 {
            let (count, largest) = (now.len(), now.values().max().copied().unwrap_or(0));
            eprintln!("soak: {} ticks, {count} workers, the largest {largest} KB", seen.len() + 1);
        }
        seen.push(now);
    }
    seen
}

/// Returns the largest growth of a worker in the last quarter and the largest memory of any worker, in
/// KB.
fn growth(seen: &[BTreeMap<i32, u64>]) -> (u64, u64) {
    let (Some(last), before) = (seen.last(), &seen[seen.len() * 3 / 4..]) else { return (0, 0) };
    let largest = seen.iter().flat_map(BTreeMap::values).max().copied().unwrap_or(0);
    let grown = before.first().into_iter().flatten().filter_map(|(pid, then)| {
        let now = last.get(pid).filter(|now| **now > 0)?;
        Some(now.saturating_sub(*then))
    });
    (grown.max().unwrap_or(0), largest)
}

/// Waits until all accepted messages have arrived. Returns the number of lost messages.
async fn settle(lines: &Lines<'_>, went: &[Vec<String>]) -> usize {
    let end = Instant::now() + PATIENCE;
    loop {
        let came = lines.came();
        let chains = went.iter().zip(came).map(|(went, came)| Chain { went: went.clone(), came });
        let lost: usize = chains.map(|chain| chain.lost()).sum();
        if lost == 0 || Instant::now() > end {
            return lost;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Returns queues with messages and connections with parked or failed deliveries, after up to two
/// minutes.
async fn left_behind(env: &TestEnvironment) -> Vec<String> {
    let app = env.stack().app();
    let mut left = Vec::new();
    for _ in 0..120 {
        left.clear();
        for platform in trunkline_registry::PLATFORMS.ids() {
            let depth = app.queues.depth(platform.parse().unwrap()).await.unwrap();
            if depth.waiting + depth.in_flight + depth.dead > 0 {
                left.push(format!("{platform}: {depth:?}"));
            }
        }
        for connection in Lines::connections() {
            let parked = app.store.parked_summary(&connection).await.unwrap().count;
            let failed = app.store.count_failed(&connection).await.unwrap();
            if parked + failed > 0 {
                left.push(format!("{connection}: {parked} parked, {failed} failed"));
            }
        }
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    left
}

pub async fn no_loss_no_memory_growth_no_leftovers(env: &TestEnvironment) {
    let lines = Lines::of(env).await;
    let (begun, until) = (Instant::now(), Instant::now() + length());
    let (answered, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let dead_before = env.stack().store.dead_letters(None, 250).await.unwrap().len();
    let run = async {
        let (went, ()) =
            join(write(&lines, until), inject_faults(env, &lines, until, &kills)).await;
        let lost = settle(&lines, &went).await;
        answered.store(true, Ordering::Relaxed);
        (went, lost)
    };
    let work = join(run, answer(&lines, &answered));
    let (((mut went, _), answers), seen) = join(work, watch(env, until)).await;
    went.push(answers);
    settle(&lines, &went).await;
    let left = left_behind(env).await;
    let chains: Vec<_> =
        went.into_iter().zip(lines.came()).map(|(went, came)| Chain { went, came }).collect();
    let sum = |what: fn(&Chain) -> usize| chains.iter().map(what).sum::<usize>();
    let (lost, inverted) = (sum(Chain::lost), sum(Chain::inversions));
    let (grown, largest) = growth(&seen);
    let dead = env.stack().store.dead_letters(None, 250).await.unwrap().len() - dead_before;
    println!(
        "soak: {:?}, {} customers on 4 channels, six platforms, {} kills: accepted {}, lost {lost}, inversions \
         {inverted}, repeats {}, dead letters {dead}, left over {left:?}; largest worker {largest} KB, \
         largest growth of a worker in the last quarter {grown} KB; total {:?}",
        length(),
        4 * CUSTOMERS,
        kills.load(Ordering::Relaxed),
        sum(|chain| chain.went.len()),
        sum(Chain::repeats),
        begun.elapsed(),
    );
    assert_eq!((lost, inverted, dead), (0, 0, 0));
    assert!(left.is_empty(), "{left:?}");
    assert!(grown * 10 < largest.max(10), "a worker grew by {grown} KB of {largest}");
}
