//! A new version under conversations that go on, and the way back.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join;
use serde_json::json;
use trunkline_shared::model::Owner;
use trunkline_tests::{Behaviour, Heard, Scene, THREE, World, says};

use crate::handover::conversation;

/// Where `make previous` puts the release before this one, with its functions built.
fn previous(world: &World) -> PathBuf {
    world.project.join("target/previous")
}

/// What goes on while versions change.
struct Story<'w> {
    scene: Scene<'w>,
    /// The conversation with the bot, as the bot knows it.
    bots: String,
    /// The conversation with people, as they know it.
    desks: String,
}

impl<'w> Story<'w> {
    /// One customer talks with the bot, one with people, and of one something waits.
    async fn begins(world: &'w World) -> Self {
        // Patient enough for two deploys, and unmoved by what waits all the while.
        let policy = format!("retry: [{}], breaker_after: 100", ["10"; 20].join(", "));
        let file = THREE.replace("ROUTE", "");
        let (before, rest) = file.split_once("retry: [").unwrap();
        let (_, after) = rest.split_once(" }").unwrap();
        let file = format!("{before}{policy} }}{after}");
        let scene = Scene::of(world, "upgrade", &file).await;
        scene.writes("by-bot", "a-1", "Where is my parcel?").await;
        let bots = conversation(&scene.far.hears("/bot", 1).await);
        scene.writes("by-people", "b-1", "hello").await;
        scene.writes("by-people", "b-2", "agent").await;
        let desks = conversation(&scene.far.hears("/desk", 2).await);
        assert_eq!(scene.sends("desk", "d-1", &desks, says("Hello, I am Ann.")).await.0, 200);
        scene.settled("channel", "by-people").await;
        scene.far.hears("/bot", 2).await;
        scene.far.poisoned_by("wait for it", Behaviour::down());
        scene.writes("who-waits", "c-1", "wait for it").await;
        scene.writes("who-waits", "c-2", "and then this").await;
        Self { scene, bots, desks }
    }

    /// All of it goes on under whatever version is there; `turn` tells one time from another.
    async fn goes_on(&self, turn: usize) {
        let Self { scene, bots, desks } = self;
        let asked = format!("and now? {turn}");
        scene.writes("by-bot", &format!("a-{turn}-2"), &asked).await;
        let told = comes(scene, "/bot", &asked).await;
        assert_eq!(conversation(&[told]), *bots, "the same conversation");
        let answer = format!("It comes on day {turn}.");
        assert_eq!(scene.sends("bot", &format!("b-{turn}"), bots, says(&answer)).await.0, 200);
        let people = format!("I look it up {turn}.");
        assert_eq!(scene.sends("desk", &format!("e-{turn}"), desks, says(&people)).await.0, 200);
        comes(scene, "/channel", &answer).await;
        comes(scene, "/channel", &people).await;
        assert_eq!(scene.conversation("channel", "by-people").await.owner(), Owner::Desk);
    }
}

/// What came with such a text at its end.
async fn comes(scene: &Scene<'_>, path: &str, text: &str) -> Heard {
    for _ in 0..300 {
        let heard = scene.far.taken(path).into_iter().find(|heard| heard.text().ends_with(text));
        if let Some(heard) = heard {
            return heard;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never took '{text}'");
}

/// A customer who never stops: each message until it is accepted, as a channel would.
async fn writes_on(scene: &Scene<'_>, over: &AtomicBool) -> usize {
    let mut written = 0;
    while !over.load(Ordering::Relaxed) {
        let (id, text) = (format!("t-{written}"), format!("talkative {written:04}"));
        while scene.sends("channel", &id, "talkative", says(&text)).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        written += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    written
}

/// What the bot was told by the talkative customer, each once.
fn of_the_talkative(heard: &[Heard]) -> Vec<String> {
    let mut known: HashSet<String> = HashSet::new();
    let talkative = heard.iter().map(Heard::text).filter(|text| text.starts_with("talkative "));
    talkative.filter(|text| known.insert(text.clone())).collect()
}

pub async fn live_conversations_survive_a_deploy_and_the_way_back(_: &World) {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let before = project.join("target/previous");
    assert!(before.join("template.yaml").is_file(), "run `make previous` first");
    let world = World::of(&before, "upgrade").await;
    let story = Story::begins(&world).await;
    let over = AtomicBool::new(false);
    let versions = async {
        story.goes_on(1).await;
        world.deploy(&world.project).await;
        story.goes_on(2).await;
        // What the release before had parked flows, in its order.
        story.scene.far.healed();
        comes(&story.scene, "/bot", "and then this").await;
        world.deploy(&previous(&world)).await;
        story.goes_on(3).await;
        over.store(true, Ordering::Relaxed);
    };
    let (written, ()) = join(writes_on(&story.scene, &over), versions).await;
    story.scene.settled("channel", "talkative").await;
    let taken = story.scene.far.taken("/bot");
    let texts: Vec<_> = taken.iter().map(Heard::text).collect();
    let place = |text: &str| texts.iter().position(|known| known == text);
    assert!(place("wait for it").unwrap() < place("and then this").unwrap(), "{texts:?}");
    let expected: Vec<_> = (0..written).map(|i| format!("talkative {i:04}")).collect();
    assert_eq!(of_the_talkative(&taken), expected, "none lost, none out of order");
    assert!(written > 20, "it was written all the time: {written}");
    println!("upgrade: {written} messages written during two deploys, none lost or out of order");
    let close = json!({"type": "close"});
    assert_eq!(story.scene.sends("desk", "z", &story.desks, close).await.0, 200);
}
