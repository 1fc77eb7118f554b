use http::Method;
use serde_json::{Value, json};
use trunkline_core::model::{ConversationKey, EventId};
use trunkline_core::platform::PlatformSettings;

use super::*;
use crate::settings::Settings;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn settings(version: &str, more: &Value) -> Settings {
    let mut settings = json!({
        "base_url": format!("https://unblu.cloud/app/rest/{version}"),
        "api_version": version,
        "channel_id": "cHaNnElIdExample0000001",
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    Settings::parse(settings.as_object().unwrap()).unwrap()
}

fn plain(version: &str) -> Settings {
    settings(version, &json!({}))
}

fn api(settings: &Settings) -> Api<'_> {
    let secrets = json!({"username": ["ada"], "password": ["pw"]});
    Api::of(settings, &serde_json::from_value(secrets).unwrap()).unwrap()
}

const V4: &str = "https://unblu.cloud/app/rest/v4";
const V3: &str = "https://unblu.cloud/app/rest/v3";
const VISITOR: Visitor<'_> =
    Visitor { person: "pErSoNiDexample00000001", contact: "cOnTaCtIdExample0000001" };
const CONVERSATION: &str = "cOnVeRsAtIoNiDexample01";

fn parts(request: &HttpRequest) -> (&str, Value) {
    assert_eq!(request.method, Method::POST);
    (&request.url, serde_json::from_slice(&request.body).unwrap())
}

fn profile(name: Option<&str>) -> Profile<'_> {
    Profile { source_id: "hub-user-4711", customer: "4711", name, phone: None, email: None }
}

fn new_conversation<'a>(
    source_id: &'a str,
    language: Option<&'a str>,
    context: &'a Map<String, Value>,
) -> NewConversation<'a> {
    NewConversation { visitor: VISITOR, source_id, language, context, recipient: None }
}

#[test]
fn a_person_has_what_is_known_about_the_customer() {
    let unnamed =
        Profile { phone: Some("+31612345678"), email: Some("ada@example.com"), ..profile(None) };
    let unnamed = person(&unnamed);
    assert_eq!((&unnamed["username"], unnamed.get("firstName")), (&json!("4711"), None));
    assert_eq!(unnamed["phone"], "+31612345678");
    assert_eq!(unnamed["email"], "ada@example.com");
    assert_eq!(person(&profile(Some("Ada"))).get("username"), None);
    assert_eq!(contact("c", &profile(None), "p")["name"], "4711");
}

#[test]
fn person_contact_and_search_match_the_documentation() {
    let ada = profile(Some(" Ada  Lovelace "));
    assert_eq!(person(&ada), fixture(include_str!("../../fixtures/person.json")));
    assert!(person(&profile(Some("Ada"))).get("lastName").is_none());
    let channel = "cHaNnElIdExample0000001";
    assert_eq!(
        contact(channel, &ada, VISITOR.person),
        fixture(include_str!("../../fixtures/contact.json"))
    );
    assert_eq!(
        contact_search(channel, "hub-user-4711"),
        fixture(include_str!("../../fixtures/contact-search.json"))
    );
}

/// Shows U12, U14, U15, U16.
#[test]
fn a_v4_conversation_matches_the_documentation() {
    let settings = settings(
        "v4",
        &json!({"topic": "Hub chat 99", "visibility": "PRIVATE", "locale": "en",
                "recipient_type": "NAMED_AREA", "recipient_id": "nAmEdArEaIdExample00001"}),
    );
    let api = api(&settings);
    let mut documented = fixture(include_str!("../../fixtures/conversation-v4.json"));
    // Trunkline has no page that shows a conversation.
    documented.as_object_mut().unwrap().remove("sourceUrl");
    let Value::Object(context) = json!({"hub.tenant": "acme"}) else { panic!("an object") };
    let recipient =
        Some(Recipient { kind: RecipientType::NamedArea, id: "nAmEdArEaIdExample00001".into() });
    let new =
        NewConversation { recipient, ..new_conversation("hub-conv-99", Some("nl"), &context) };
    assert_eq!(conversation(&api, &new), documented);
}

/// Shows U12, U14, U15, U16.
#[test]
fn a_v3_conversation_matches_the_documentation() {
    let settings = settings("v3", &json!({"topic": "Hub chat 99"}));
    let api = api(&settings);
    let documented = fixture(include_str!("../../fixtures/conversation-v3.json"));
    let none = Map::new();
    let made = conversation(&api, &new_conversation("hub-conv-99", Some("en"), &none));
    assert_eq!(made, documented);
}

/// Shows U12, U13.
#[test]
fn a_recipient_has_the_form_of_its_version() {
    let none = Map::new();
    let made = |version: &str, kind| {
        let recipient = Some(Recipient { kind, id: "r-1".into() });
        let new = NewConversation { recipient, ..new_conversation("s", None, &none) };
        conversation(&api(&plain(version)), &new)
    };
    for (kind, word, class) in [
        (RecipientType::NamedArea, "NAMED_AREA", "NamedAreaData"),
        (RecipientType::Team, "TEAM", "TeamData"),
        (RecipientType::Agent, "AGENT", "PersonData"),
        (RecipientType::Account, "ACCOUNT", "AccountData"),
    ] {
        let v4 = json!({"$_type": "ConversationCreationRecipientData", "type": word, "id": "r-1"});
        assert_eq!(made("v4", kind)["recipient"], v4);
        assert_eq!(made("v3", kind)["recipient"], json!({"$_type": class, "id": "r-1"}));
    }
}

/// Shows U13.
#[test]
fn an_assigned_agent_takes_part_from_the_start() {
    let none = Map::new();
    let made = |version: &str| {
        let recipient = Some(Recipient { kind: RecipientType::Assignee, id: "agent-1".into() });
        let new = NewConversation { recipient, ..new_conversation("s", None, &none) };
        conversation(&api(&plain(version)), &new)
    };
    let (v3, v4) = (made("v3"), made("v4"));
    let agent = json!({"$_type": "ConversationCreationParticipantData", "personId": "agent-1",
                       "participationType": "ASSIGNED_AGENT"});
    assert_eq!((&v4["participants"], v4.get("recipient")), (&json!([agent]), None));
    assert_eq!(v4["externalParticipants"][0]["externalMessengerContactId"], VISITOR.contact);
    assert_eq!(v3["assigneePersonId"], "agent-1");
    let external =
        |index: usize| v3["participants"][index]["connectedViaExternalMessenger"].clone();
    assert_eq!((external(0), external(1)), (json!(true), json!(false)));
    assert_eq!(v3["participants"][1]["personId"], "agent-1");
}

#[test]
fn the_locale_keeps_its_region() {
    let none = Map::new();
    let locale = |change: &Value, language: &str| {
        let settings = settings("v4", change);
        let made = conversation(&api(&settings), &new_conversation("s", Some(language), &none));
        made["locale"].as_str().map(ToOwned::to_owned)
    };
    assert_eq!(locale(&json!({}), "nl-BE").as_deref(), Some("nl-BE"));
    assert_eq!(locale(&json!({}), "nl_BE").as_deref(), Some("nl-BE"));
    assert_eq!(locale(&json!({}), "nl").as_deref(), Some("nl"));
    assert_eq!(locale(&json!({"locale_region": false}), "nl-BE").as_deref(), Some("nl"));
    assert_eq!(locale(&json!({"locale": "en-GB"}), "nl-BE").as_deref(), Some("en-GB"));
    assert_eq!(locale(&json!({}), ""), None);
}

/// Shows U15, U16.
#[test]
fn the_context_is_metadata_in_both_versions() {
    let Value::Object(context) = json!({"order": 7}) else { panic!("an object") };
    for version in ["v3", "v4"] {
        let new = new_conversation("s", None, &context);
        let made = conversation(&api(&plain(version)), &new);
        assert_eq!(made["metadata"], json!({"order": "7"}), "{version}");
        assert_eq!(made["sourceId"], "s");
    }
}

#[test]
fn metadata_values_are_strings() {
    let Value::Object(context) = json!({"n": 1.5, "t": "x", "b": true}) else {
        panic!("an object")
    };
    assert_eq!(metadata(&context), Some(json!({"n": "1.5", "t": "x", "b": "true"})));
    assert_eq!(metadata(&Map::new()), None);
}

fn outgoing(data: &Value, reply_to: Option<&str>) -> OutgoingMessage {
    let reply_to = reply_to.map(Into::into);
    OutgoingMessage { id: "hub-msg-5002".into(), data: data.clone(), reply_to, instead: None }
}

#[test]
fn a_reply_names_the_message_as_unblu_knows_it() {
    let own = Delivery::make_part_id(
        &ConversationKey { channel: "shop".parse().unwrap(), customer: "c".into() },
        &"shop".parse().unwrap(),
        &EventId::from_parts(&["m", "1"]),
        &"desk".parse().unwrap(),
        0,
    );
    let named = |version: &str, id: &str| {
        let to = outgoing(&json!({}), Some(id));
        let sent = message(&api(&plain(version)), CONVERSATION, VISITOR, &to);
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        ["replyToMessageId", "replyToExternalMessageId"].map(|name| body.get(name).cloned())
    };
    assert_eq!(named("v4", "question/m-1"), [Some(json!("m-1")), Some(Value::Null)]);
    assert_eq!(named("v4", "m-1"), [Some(json!("m-1")), Some(Value::Null)]);
    assert_eq!(named("v4", own.as_str()), [Some(Value::Null), Some(json!(own))]);
    assert_eq!(named("v3", "m-1"), [Some(json!("m-1")), None]);
    assert_eq!(named("v3", own.as_str()), [None, None]);
}

/// Shows U18.
#[test]
fn messages_match_the_documentation_of_both_versions() {
    let v4 = fixture(include_str!("../../fixtures/send-text-v4.json"));
    let sent =
        message(&api(&plain("v4")), CONVERSATION, VISITOR, &outgoing(&v4["messageData"], None));
    let url = format!("{V4}/externalmessengers/cHaNnElIdExample0000001/sendMessage");
    assert_eq!(parts(&sent), (url.as_str(), v4));
    let v3 = fixture(include_str!("../../fixtures/send-text-v3.json"));
    let sent =
        message(&api(&plain("v3")), CONVERSATION, VISITOR, &outgoing(&v3["messageData"], None));
    let url = format!("{V3}/externalmessengers/sendMessage");
    assert_eq!(parts(&sent), (url.as_str(), v3));
}

/// Shows U21.
#[test]
fn message_states_match_the_documentation_of_both_versions() {
    let id = "mEsSaGeIdExample0000001";
    let failed = MessageState::Failed { fail_state: FailState::Retryable, why: "Hub unreachable" };
    let delivered = include_str!("../../fixtures/state-delivered-call.json");
    for (state, call, documented) in [
        (MessageState::Delivered, "messageDelivered", delivered),
        (MessageState::Read, "messageRead", delivered),
        (
            MessageState::Sent,
            "messageSentSuccessfully",
            include_str!("../../fixtures/state-sent-call.json"),
        ),
        (failed, "messageSendFailed", include_str!("../../fixtures/state-failed-call.json")),
    ] {
        let mut documented = fixture(documented);
        let sent = super::message_state(&api(&plain("v4")), CONVERSATION, Some(VISITOR), id, state);
        let url = format!("{V4}/externalmessengers/cHaNnElIdExample0000001/{call}");
        assert_eq!(parts(&sent), (url.as_str(), documented.clone()));

        // v3 names the channel in the body and has `personId` and `failedState` instead.
        let object = documented.as_object_mut().unwrap();
        object.insert("externalMessengerChannelId".into(), "cHaNnElIdExample0000001".into());
        if object.remove("externalMessengerContactId").is_some() {
            object.insert("personId".into(), VISITOR.person.into());
        }
        if let Some(failed) = object.remove("failState") {
            object.insert("failedState".into(), failed);
        }
        let sent = super::message_state(&api(&plain("v3")), CONVERSATION, Some(VISITOR), id, state);
        let url = format!("{V3}/externalmessengers/{call}");
        assert_eq!(parts(&sent), (url.as_str(), documented));
    }
    let all = super::message_state(&api(&plain("v4")), CONVERSATION, None, id, MessageState::Read);
    assert_eq!(parts(&all).1["externalMessengerContactId"], Value::Null);
}

#[test]
fn builds_end_and_ping_requests() {
    let settings4 = plain("v4");
    let api4 = api(&settings4);
    let ended = end(&api4, CONVERSATION, Some("left hub"));
    let url = format!("{V4}/conversations/{CONVERSATION}/end");
    let documented = fixture(include_str!("../../fixtures/end-call.json"));
    assert_eq!(parts(&ended), (url.as_str(), documented));
    let other = end(&api(&settings("v4", &json!({"end_reason": "OTHER"}))), CONVERSATION, None);
    assert_eq!(parts(&other).1, json!({"reason": "OTHER", "comment": null}));

    let pinged = ping(&api4);
    assert_eq!(pinged.url, format!("{V4}/externalmessengers/cHaNnElIdExample0000001/sendPing"));
    assert!(pinged.body.is_empty());
    let pinged = ping(&api(&plain("v3")));
    let url = format!("{V3}/externalmessengers/pingCustomChannel");
    let body = json!({"externalMessengerChannelId": "cHaNnElIdExample0000001"});
    assert_eq!(parts(&pinged), (url.as_str(), body));
}
