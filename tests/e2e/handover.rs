//! From the bot to people and back, with a channel, a bot and a desk that are strangers to each other.

use serde_json::{Value, json};
use trunkline_shared::model::{Floor, Owner};
use trunkline_tests::{Heard, Scene, World, says};

/// What was heard, in a few words each.
pub fn gist(heard: &[Heard]) -> Vec<String> {
    let one = |heard: &Heard| {
        let json = heard.json();
        let kind = json["type"].as_str().unwrap_or_default();
        let copy = if json["copy"] == true { " (copy)" } else { "" };
        match kind {
            "message" => format!("{}{copy}", json["data"]["text"].as_str().unwrap_or_default()),
            "choice" => format!("[{}]{copy}", json["data"]["id"].as_str().unwrap_or_default()),
            other => format!("<{other}>{copy}"),
        }
    };
    heard.iter().map(one).collect()
}

/// The conversation's id as the last call on a path has it.
pub fn conversation(heard: &[Heard]) -> String {
    heard.last().unwrap().json()["conversation"].as_str().unwrap().to_owned()
}

fn by_ann(mut event: Value) -> Value {
    event["author"] = json!({"role": "agent", "name": "Ann"});
    event
}

pub async fn the_full_story(world: &World) {
    let scene = Scene::of_three(world, "full", "").await;
    scene.writes("c-1", "c-1", "Where is my parcel?").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    assert_eq!(scene.sends("bot", "b-1", &bots, says("Which one?")).await.0, 200);
    scene.far.hears("/channel", 1).await;
    scene.writes("c-1", "c-2", "Agent!").await;

    // The desk gets what was said before, and then what made it take over; each once.
    let desk = scene.far.hears_only("/desk", 2).await;
    assert_eq!(gist(&desk), ["<handover>", "Agent!"]);
    let handover = desk[0].json();
    assert_eq!(handover["data"]["reason"], "the customer asked");
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| (&line["author"]["role"], &line["text"])).collect();
    assert_eq!(
        lines,
        [
            (&json!("customer"), &json!("Where is my parcel?")),
            (&json!("bot"), &json!("Which one?"))
        ]
    );
    assert_eq!(world.reference.schema_problem(&handover).await, Value::Null);
    let desks = conversation(&desk);
    assert_ne!(desks, bots);

    assert_eq!(scene.sends("desk", "d-1", &desks, by_ann(says("Hello, I am Ann."))).await.0, 200);
    assert_eq!(scene.sends("desk", "d-2", &desks, by_ann(says("It comes today."))).await.0, 200);
    let close = json!({"type": "close", "data": {"reason": "solved"}});
    assert_eq!(scene.sends("desk", "d-3", &desks, close).await.0, 200);
    let channel = scene.far.hears_only("/channel", 6).await;
    assert_eq!(
        gist(&channel),
        [
            "Which one?",
            "We look for somebody.",
            "Ann is here.",
            "Ann: Hello, I am Ann.",
            "Ann: It comes today.",
            "Ann has left.",
        ]
    );

    // The bot has it again, and knows what was said meanwhile.
    let bot = scene.far.hears_only("/bot", 2).await;
    assert_eq!(gist(&bot), ["Where is my parcel?", "<handback>"]);
    let handback = bot[1].json();
    assert_eq!(handback["data"]["reason"], "solved");
    let lines = handback["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["Agent!", "Hello, I am Ann.", "It comes today."]);
    assert_eq!(conversation(&bot), bots, "the same conversation goes on");

    // Once more: the desk has a new conversation.
    let pass = json!({"type": "pass", "data": {"reason": "again", "context": {"order": 7}}});
    assert_eq!(scene.sends("bot", "b-2", &bots, pass).await.0, 200);
    let again = scene.far.hears("/desk", 3).await;
    let data = &again[2].json()["data"];
    assert_eq!((&data["context"], &data["passed"]), (&json!({"order": 7}), &json!(true)));
    assert_ne!(conversation(&again), desks);
    let held = scene.conversation("channel", "c-1").await;
    assert_eq!((held.floor(Owner::Desk), held.floor(Owner::Bot)), (Floor::Active, Floor::Standby));
    let (status, late) = scene.sends("desk", "d-4", &desks, by_ann(says("Old news"))).await;
    assert_eq!((status, &late["code"]), (409, &json!("not_owner")), "from the one before");
}

pub async fn message_while_pending_reaches_the_desk(world: &World) {
    let scene = Scene::of_three(world, "pending", "").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    assert_eq!(scene.sends("bot", "b-1", &bots, json!({"type": "handover"})).await.0, 200);
    for i in 2..6 {
        scene.writes("c-1", &format!("c-{i}"), &format!("waiting {i}")).await;
    }
    let desk = scene.far.hears_only("/desk", 5).await;
    assert_eq!(gist(&desk), ["<handover>", "waiting 2", "waiting 3", "waiting 4", "waiting 5"]);
    let held = scene.conversation("channel", "c-1").await;
    assert_eq!(held.floor(Owner::Desk), Floor::Pending);
    assert_eq!(gist(&scene.far.heard("/bot")), ["hi"], "each reaches one of them only");
    assert_eq!(gist(&scene.far.heard("/channel")), ["We look for somebody."]);
    let accept = by_ann(json!({"type": "accept"}));
    assert_eq!(scene.sends("desk", "d-1", &conversation(&desk), accept).await.0, 200);
    assert_eq!(gist(&scene.far.hears("/channel", 2).await)[1], "Ann is here.");
}

pub async fn late_bot_answer_is_not_shown(world: &World) {
    let scene = Scene::of_three(world, "late", "").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    scene.writes("c-1", "c-2", "agent").await;
    scene.far.hears("/desk", 2).await;
    let (status, refused) = scene.sends("bot", "b-1", &bots, says("Still me!")).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_owner")));
    assert_eq!(gist(&scene.far.hears_only("/channel", 1).await), ["We look for somebody."]);
    let key = scene.key_on("channel", "c-1");
    let transcript = world.stack().store.transcript(&key, 100).await.unwrap();
    let late = transcript.iter().find(|record| record.event.external_id.as_deref() == Some("b-1"));
    assert!(late.is_some_and(|late| late.targets.is_empty()), "recorded, and not passed on");
}

pub async fn closed_by_agent_returns_control_to_bot(world: &World) {
    let scene = Scene::of_three(world, "closed-by", "").await;
    scene.writes("c-1", "c-1", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    let close = json!({"type": "close", "data": {}});
    assert_eq!(scene.sends("desk", "d-1", &desks, close).await.0, 200);
    scene.writes("c-1", "c-2", "thanks").await;
    let bot = scene.far.hears_only("/bot", 2).await;
    assert_eq!(gist(&bot), ["<handback>", "thanks"]);
    assert!(bot[1].json().get("copy").is_none(), "it is the bot's to answer");
    assert_eq!(scene.sends("bot", "b-1", &conversation(&bot), says("Bye.")).await.0, 200);
    let channel = scene.far.hears("/channel", 3).await;
    assert_eq!(gist(&channel)[1..], ["Nobody is there now.", "Bye."]);
    assert_eq!(scene.far.heard("/desk").len(), 2, "nothing more for the desk");
}

pub async fn a_customer_switches_by_keyword_in_their_language(world: &World) {
    let scene = Scene::of_three(world, "keyword", "").await;
    let mut first = says("agent");
    first["language"] = json!("nl-BE");
    assert_eq!(scene.sends("channel", "c-1", "c-1", first).await.0, 200);
    assert_eq!(gist(&scene.far.hears("/channel", 1).await), ["We zoeken iemand."]);
    scene.writes("c-1", "c-2", "Robot").await;
    let desk = scene.far.hears_only("/desk", 3).await;
    assert_eq!(gist(&desk), ["<handover>", "agent", "<close>"]);
    assert_eq!(gist(&scene.far.hears_only("/bot", 2).await), ["<handback>", "Robot"]);
}

pub async fn a_person_who_operates_it_hands_over_and_back_and_closes(world: &World) {
    let scene = Scene::of_three(world, "operator", "").await;
    scene.writes("c-1", "c-1", "hi").await;
    let first = conversation(&scene.far.hears("/bot", 1).await);
    let order = async |verb: &str| {
        let arguments = [verb, "operator-channel", "c-1", "--reason", "a complaint"];
        let done = world.trunkline(&arguments, &[]).await;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        (done.status.success(), said + &String::from_utf8_lossy(&done.stderr))
    };
    let (done, said) = order("handover").await;
    assert!(done && said.contains("people are asked"), "{said}");
    let desk = scene.far.hears("/desk", 1).await;
    assert_eq!(desk[0].json()["data"]["reason"], "a complaint");
    let (done, said) = order("handover").await;
    assert!(!done && said.contains("has gone on meanwhile"), "people have it: {said}");
    assert!(order("handback").await.0);
    assert_eq!(gist(&scene.far.hears("/desk", 2).await)[1], "<close>");
    assert_eq!(gist(&scene.far.hears("/bot", 2).await)[1], "<handback>");
    assert!(order("close").await.0);
    assert_eq!(gist(&scene.far.hears("/bot", 3).await)[2], "<close>");
    scene.writes("c-1", "c-2", "hi again").await;
    assert_ne!(conversation(&scene.far.hears("/bot", 4).await), first, "a new conversation");
}

pub async fn whatever_is_not_the_senders_to_do_is_refused(world: &World) {
    let scene = Scene::of_three(world, "refused", "").await;
    let unknown = scene.sends("desk", "d-0", "nowhere", says("hi")).await;
    assert_eq!((unknown.0, &unknown.1["code"]), (404, &json!("unknown_conversation")));
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    let code = async |which: &str, id: &str, conversation: &str, event: Value| {
        let (status, body) = scene.sends(which, id, conversation, event).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |status: u16, word: &str| (status, word.to_owned());
    let nested = json!({"type": "handover", "data": {"context": {"a": {"b": 1}}}});
    assert_eq!(code("bot", "b-1", &bots, nested).await, refused(422, "context_not_flat"));
    let large = json!({"type": "handover", "data": {"context": {"a": "x".repeat(5_000)}}});
    assert_eq!(code("bot", "b-2", &bots, large).await, refused(422, "context_too_large"));
    let back = json!({"type": "handback"});
    assert_eq!(code("bot", "b-3", &bots, back).await, refused(422, "out_of_place"));
    let accept = json!({"type": "accept"});
    assert_eq!(code("channel", "c-2", "c-1", accept).await, refused(422, "out_of_place"));

    scene.writes("c-1", "c-3", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    let pick = json!({"type": "choice", "data": {"id": "x"}});
    assert_eq!(code("desk", "d-1", &desks, pick).await, refused(422, "out_of_place"));
    let again = json!({"type": "offer", "data": {"to": "desk"}});
    assert_eq!(code("desk", "d-2", &desks, again).await, refused(422, "out_of_place"));
    assert_eq!(code("bot", "b-4", &bots, says("x")).await, refused(409, "not_owner"));
    let handover = json!({"type": "handover"});
    assert_eq!(code("bot", "b-5", &bots, handover).await, refused(409, "not_owner"));
    let close = json!({"type": "close"});
    assert_eq!(scene.sends("channel", "c-4", "c-1", close).await.0, 200);
    assert_eq!(gist(&scene.far.hears("/desk", 3).await)[2], "<close>");
    for (which, id) in [("bot", &bots), ("desk", &desks)] {
        let closed = code(which, "late", id, says("x")).await;
        assert_eq!(closed, refused(409, "conversation_closed"));
    }
}

pub async fn what_was_picked_is_told_as_the_customer_saw_it(world: &World) {
    let scene = Scene::of_three(world, "picked", "").await;
    scene.writes("c-1", "c-1", "hi").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    let choices = json!([{"id": "opt-1", "title": "A parcel"}, {"id": "opt-2", "title": "A bill"}]);
    let asks = json!({"type": "message", "data": {"text": "What about?", "choices": choices}});
    assert_eq!(scene.sends("bot", "b-1", &bots, asks).await.0, 200);
    scene.far.hears("/channel", 1).await;
    let pick = json!({"type": "choice", "data": {"id": "opt-2"}});
    assert_eq!(scene.sends("channel", "c-2", "c-1", pick).await.0, 200);
    scene.writes("c-1", "c-3", "agent").await;
    let handover = scene.far.hears("/desk", 1).await[0].json();
    let lines = handover["data"]["transcript"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(lines, ["hi", "What about?", "A bill"]);
}

pub async fn a_change_of_configuration_strands_nobody(world: &World) {
    let scene = Scene::of_three(world, "changed", "").await;
    scene.writes("c-1", "c-1", "agent").await;
    let desks = conversation(&scene.far.hears("/desk", 2).await);
    // Another bot, another desk, and the channel on another route.
    let more = "
  NAME-other:
    bot: NAME-bot-2
    desk: NAME-desk-2
    default: true
";
    let parties = trunkline_tests::THREE.replace("NAME-bot:", "NAME-bot-2:");
    let parties = parties.replace("NAME-desk:", "NAME-desk-2:").replace("/desk ", "/desk-2 ");
    let file = parties[..parties.find("routes:").unwrap()].to_owned() + "routes:" + more;
    let changed = Scene::of(world, "changed", &file).await;
    assert_eq!(changed.connection("channel").route.as_ref().unwrap().as_str(), "changed-other");

    scene.writes("c-1", "c-2", "still there?").await;
    assert_eq!(gist(&scene.far.hears("/desk", 3).await)[2], "still there?");
    let (status, answer) = scene.sends("desk", "d-1", &desks, by_ann(says("Yes."))).await;
    assert_eq!(status, 200, "{answer}");
    assert!(changed.far.heard("/desk-2").is_empty());
    let close = json!({"type": "close"});
    assert_eq!(scene.sends("desk", "d-2", &desks, close).await.0, 200);
    scene.writes("c-1", "c-3", "bye").await;
    let hears = async |far: &trunkline_tests::FarSide| gist(&far.heard("/bot"));
    scene.far.hears("/desk", 3).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (before, after) = (hears(&scene.far).await, hears(&changed.far).await);
    assert_eq!(
        [before, after].concat(),
        ["<handback>", "bye"],
        "one bot has it, the old or the new"
    );
}

pub async fn a_route_without_a_bot(world: &World) {
    let file = trunkline_tests::THREE.replace("    bot: NAME-bot\n", "").replace("ROUTE", "");
    let scene = Scene::of(world, "no-bot", &file).await;
    scene.writes("c-1", "c-1", "hi").await;
    let desk = scene.far.hears_only("/desk", 2).await;
    assert_eq!(gist(&desk), ["<handover>", "hi"]);
    let desks = conversation(&desk);
    let back = scene.sends("desk", "d-1", &desks, json!({"type": "handback"})).await;
    assert_eq!((back.0, &back.1["code"]), (422, &json!("no_bot")));
    assert_eq!(scene.sends("desk", "d-2", &desks, json!({"type": "close"})).await.0, 200);
    scene.writes("c-1", "c-2", "hi again").await;
    let desk = scene.far.hears_only("/desk", 4).await;
    assert_eq!(gist(&desk)[2..], ["<handover>", "hi again"]);
    assert_ne!(conversation(&desk), desks);
    assert!(scene.far.heard("/bot").is_empty());
}
