//! Upgrade from the previous release and rollback, with open conversations.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join;
use serde_json::json;
use trunkline_core::model::Owner;
use trunkline_tests::{
    Behaviour, CHANNEL_BOT_AND_DESK, Fixture, ReceivedRequest, TestEnvironment, message_event,
};

use crate::handover::conversation;

/// Returns the folder where `make previous` builds the previous release.
fn previous(env: &TestEnvironment) -> PathBuf {
    env.project.join("target/previous")
}

/// The open conversations during upgrade and rollback.
struct Conversations<'w> {
    fixture: Fixture<'w>,
    /// The bot's conversation id.
    bot_conversation: String,
    /// The desk's conversation id.
    desk_conversation: String,
}

impl<'w> Conversations<'w> {
    /// Starts a conversation with the bot, one with the desk, and one with a parked message.
    async fn start(env: &'w TestEnvironment) -> Self {
        // Enough retries for two deployments, and a breaker that stays closed.
        let policy = format!("retry: [{}], breaker_after: 100", ["10"; 20].join(", "));
        let file = CHANNEL_BOT_AND_DESK.replace("ROUTE", "");
        let (before, rest) = file.split_once("retry: [").unwrap();
        let (_, after) = rest.split_once(" }").unwrap();
        let file = format!("{before}{policy} }}{after}");
        let fixture = Fixture::new(env, "upgrade", &file).await;
        fixture.send_channel_message("by-bot", "a-1", "Where is my parcel?").await;
        let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
        fixture.send_channel_message("by-people", "b-1", "hello").await;
        fixture.send_channel_message("by-people", "b-2", "agent").await;
        let desk_conversation = conversation(&fixture.mock.wait_for_requests("/desk", 2).await);
        assert_eq!(
            fixture
                .send_event("desk", "d-1", &desk_conversation, message_event("Hello, I am Ann."))
                .await
                .0,
            200
        );
        fixture.wait_for_outcomes("channel", "by-people").await;
        fixture.mock.wait_for_requests("/bot", 2).await;
        fixture.mock.set_behaviour_for("wait for it", Behaviour::down());
        fixture.send_channel_message("who-waits", "c-1", "wait for it").await;
        fixture.send_channel_message("who-waits", "c-2", "and then this").await;
        Self { fixture, bot_conversation, desk_conversation }
    }

    /// Continues each conversation. `turn` makes the ids and texts of each call distinct.
    async fn proceed(&self, turn: usize) {
        let Self { fixture, bot_conversation, desk_conversation } = self;
        let asked = format!("and now? {turn}");
        fixture.send_channel_message("by-bot", &format!("a-{turn}-2"), &asked).await;
        let question = wait_for_text(fixture, "/bot", &asked).await;
        assert_eq!(conversation(&[question]), *bot_conversation, "the same conversation");
        let answer = format!("It comes on day {turn}.");
        assert_eq!(
            fixture
                .send_event("bot", &format!("b-{turn}"), bot_conversation, message_event(&answer))
                .await
                .0,
            200
        );
        let people = format!("I look it up {turn}.");
        assert_eq!(
            fixture
                .send_event("desk", &format!("e-{turn}"), desk_conversation, message_event(&people))
                .await
                .0,
            200
        );
        wait_for_text(fixture, "/channel", &answer).await;
        wait_for_text(fixture, "/channel", &people).await;
        assert_eq!(fixture.conversation("channel", "by-people").await.owner(), Owner::Desk);
    }
}

/// Waits for an accepted request whose text ends with `text`.
async fn wait_for_text(fixture: &Fixture<'_>, path: &str, text: &str) -> ReceivedRequest {
    for _ in 0..300 {
        let received = fixture
            .mock
            .accepted(path)
            .into_iter()
            .find(|received| received.text().ends_with(text));
        if let Some(received) = received {
            return received;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} received no '{text}'");
}

/// Sends messages of one customer until `over`, each until it is accepted. Returns their number.
async fn send_continuously(fixture: &Fixture<'_>, over: &AtomicBool) -> usize {
    let mut written = 0;
    while !over.load(Ordering::Relaxed) {
        let (id, text) = (format!("t-{written}"), format!("talkative {written:04}"));
        while fixture.send_event("channel", &id, "talkative", message_event(&text)).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        written += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    written
}

/// Returns the messages of that customer without repeats.
fn continuous_messages(received: &[ReceivedRequest]) -> Vec<String> {
    let mut known: HashSet<String> = HashSet::new();
    let talkative =
        received.iter().map(ReceivedRequest::text).filter(|text| text.starts_with("talkative "));
    talkative.filter(|text| known.insert(text.clone())).collect()
}

pub async fn conversations_survive_upgrade_and_rollback(_: &TestEnvironment) {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let before = project.join("target/previous");
    assert!(
        before.join("template.yaml").is_file(),
        "build the previous release with `make previous`"
    );
    let env = TestEnvironment::with_version(&before, "upgrade").await;
    let conversations = Conversations::start(&env).await;
    let over = AtomicBool::new(false);
    let versions = async {
        conversations.proceed(1).await;
        env.deploy(&env.project).await;
        conversations.proceed(2).await;
        // The deliveries that the previous release parked drain in order.
        conversations.fixture.mock.clear_behaviour_for_words();
        wait_for_text(&conversations.fixture, "/bot", "and then this").await;
        env.deploy(&previous(&env)).await;
        conversations.proceed(3).await;
        over.store(true, Ordering::Relaxed);
    };
    let (written, ()) = join(send_continuously(&conversations.fixture, &over), versions).await;
    conversations.fixture.wait_for_outcomes("channel", "talkative").await;
    let taken = conversations.fixture.mock.accepted("/bot");
    let texts: Vec<_> = taken.iter().map(ReceivedRequest::text).collect();
    let place = |text: &str| texts.iter().position(|known| known == text);
    assert!(place("wait for it").unwrap() < place("and then this").unwrap(), "{texts:?}");
    let expected: Vec<_> = (0..written).map(|i| format!("talkative {i:04}")).collect();
    assert_eq!(continuous_messages(&taken), expected, "no loss and no reordering");
    assert!(written > 20, "only {written} messages were sent during the deployments");
    println!("upgrade: {written} messages during two deployments, none lost or reordered");
    let close = json!({"type": "close"});
    assert_eq!(
        conversations
            .fixture
            .send_event("desk", "z", &conversations.desk_conversation, close)
            .await
            .0,
        200
    );
}
