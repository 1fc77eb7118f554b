//! What TWIN learns about the customer when a session starts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Content, EventBody, HandoverMode, Transcript, TranscriptEntry,
};
use trunkline_twin_mock::{Twin24, plain_http};

use crate::common::{Leg, map};

async fn twin_and_leg(role: &str, settings: Value) -> (Twin24, Leg) {
    let twin = Twin24::start(plain_http()).await;
    let leg = Leg::new(role, &twin.settings(&settings));
    (twin, leg)
}

fn said(metadata: Value) -> EventBody {
    EventBody::Message { content: Content::text("Hello"), metadata: map(metadata) }
}

fn handed_over(context: Map<String, Value>, authors: Vec<Author>) -> EventBody {
    let entry = |author| TranscriptEntry {
        at: Timestamp::UNIX_EPOCH,
        author,
        content: Content::text("A person, please"),
    };
    let entries = authors.into_iter().map(entry).collect();
    let transcript = Transcript { entries, ..Transcript::default() };
    EventBody::Handover { mode: HandoverMode::Offer, reason: None, context, transcript }
}

/// Sends one event and returns the body that starts the session.
async fn start(role: &str, settings: Value, change: impl Fn(&mut Leg), body: EventBody) -> Value {
    let (twin, mut leg) = twin_and_leg(role, settings).await;
    change(&mut leg);
    leg.send(body).await;
    assert_eq!(twin.refused(), Vec::<String>::new());
    twin.accepted()[0].body.clone()
}

/// Shows T15, T16, T17, T18, T19.
#[tokio::test]
async fn metadata_of_a_message_becomes_the_clients_fields_and_the_bots_variables() {
    let metadata = json!({
        "phone": 75_555_673_245_i64, "email": "ada@example.com", "device_id": "d-1", "timezone": 300,
        "plan": "gold", "cart": 3,
    });
    let sent =
        start("bot", json!({"client_metadata": "source=web, plan=none"}), |_| {}, said(metadata));
    let sent = sent.await;
    assert_eq!(sent["clientPhone"], "75555673245", "a text, as in the table");
    assert_eq!(sent["clientEmail"], "ada@example.com");
    assert_eq!(sent["clientDeviceId"], "d-1");
    assert_eq!(sent["clientTimezone"], 300);
    let variables =
        json!({"source": "web", "plan": "gold", "cart": 3, "channel": "shop", "language": "en"});
    assert_eq!(sent["clientMetadata"], variables, "a message's value counts before the constant");
}

/// Shows T15, T16, T18, T19.
#[tokio::test]
async fn the_keys_of_the_fields_are_settings_and_invalid_values_stay_variables() {
    let settings = json!({"client_fields": "phone=mobile, email="});
    let metadata =
        json!({"mobile": "+7 555 567-32-45", "email": "ada@example.com", "timezone": "CET"});
    let sent = start("bot", settings, |_| {}, said(metadata)).await;
    assert_eq!(sent["clientPhone"], "75555673245");
    assert_eq!((sent.get("clientEmail"), sent.get("clientTimezone")), (None, None));
    let variables = &sent["clientMetadata"];
    assert_eq!(variables["email"], "ada@example.com");
    assert_eq!((&variables["timezone"], variables.get("mobile")), (&json!("CET"), None));
}

/// Shows T12, T15, T19.
#[tokio::test]
async fn a_handover_of_the_bot_names_the_customer() {
    let bot = Author::nameless(AuthorRole::Bot);
    let by_bot = |leg: &mut Leg| leg.author = Author::nameless(AuthorRole::Bot);
    let ada = |name: &str| Author { role: AuthorRole::Customer, name: Some(name.into()) };
    let context = map(json!({"phone": "+7 555 567 32 45", "order": "17"}));
    let authors = vec![ada("A. Lovelace"), ada("Ada"), bot.clone()];
    let sent = start("desk", json!({}), by_bot, handed_over(context, authors)).await;
    assert_eq!(sent["clientNameForOperator"], "Ada", "the latest name");
    assert_eq!(sent["clientPhone"], "75555673245");
    assert_eq!(sent["clientMetadata"]["order"], "17");
    let unnamed = start("desk", json!({}), by_bot, handed_over(Map::new(), vec![bot])).await;
    assert_eq!(unnamed.get("clientNameForOperator"), None);
}

/// Shows T8, T9, T15.
#[tokio::test]
async fn the_network_names_the_messenger_and_maybe_the_phone_number() {
    let from = |network: &'static str, address: &'static str| {
        move |leg: &mut Leg| {
            leg.network = Some(network.into());
            leg.origin = map(json!({"conversationClientId": address}));
        }
    };
    let sent = start("bot", json!({}), from("WhatsApp", "0031612345678"), said(json!({}))).await;
    assert_eq!(sent["messengerType"], "WHATSAPP");
    assert_eq!(sent["messengerUserId"], "0031612345678");
    assert_eq!(sent["clientPhone"], "31612345678");

    let sent = start("bot", json!({}), from("Web", "0031612345678"), said(json!({}))).await;
    assert_eq!((sent.get("messengerType"), sent.get("messengerUserId")), (None, None));
    assert_eq!(sent.get("clientPhone"), None, "an id of a web chat is no phone number");

    let only_network = |leg: &mut Leg| leg.network = Some("WhatsApp".into());
    let sent = start("bot", json!({}), only_network, said(json!({}))).await;
    assert_eq!(sent["messengerUserId"], "hub-user-4711");
    assert_eq!(sent.get("clientPhone"), None);

    let none = json!({"messenger_type": "none", "client_fields": "phone="});
    let sent = start("bot", none, from("WhatsApp", "0031612345678"), said(json!({}))).await;
    assert_eq!((sent.get("messengerType"), sent.get("clientPhone")), (None, None));
}

/// Shows T13.
#[tokio::test]
async fn a_session_that_replaces_another_names_the_same_client() {
    for answers in ["socket", "callback"] {
        let (twin, mut leg) = twin_and_leg("bot", json!({"answers": answers})).await;
        leg.secret("callback_url", "http://127.0.0.1:9/in/twin/assistant/key");
        leg.say("Hello").await;
        let client = leg.session.as_ref().unwrap().platform_data["client"].clone();
        twin.expire(&twin.sessions()[0]);
        leg.say("Still there?").await;
        leg.now += SignedDuration::from_hours(2);
        leg.say("Later").await;
        let clients: Vec<_> =
            twin.accepted().iter().map(|accepted| accepted.body["clientId"].clone()).collect();
        assert_eq!(clients[0], Value::Null, "the first session has none yet");
        assert_eq!(clients[1], client, "a lost session");
        let of_second = leg.session.as_ref().unwrap().platform_data["client"].clone();
        assert!(clients[2].is_string() && of_second.len() == client.len(), "an expired session");
    }
    let (twin, mut leg) = twin_and_leg("bot", json!({"send_client_id": false})).await;
    leg.say("Hello").await;
    twin.expire(&twin.sessions()[0]);
    leg.say("Still there?").await;
    assert_eq!(twin.accepted()[1].body.get("clientId"), None);
}
