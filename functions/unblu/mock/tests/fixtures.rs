//! Unblu's own OpenAPI documents judge every fixture, and refuse the mistakes that Trunkline once made.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use trunkline_judge::Violation;
use trunkline_unblu_mock::ApiVersion::{self, V3, V4};
use trunkline_unblu_mock::document;

/// What a fixture is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The body of a request to the web API.
    Request(&'static str, &'static str),
    /// The body of the answer 200 to such a request.
    Answer(&'static str, &'static str),
    /// An error that the web API answers.
    Error(&'static str, &'static str),
    /// The body of a webhook or an outbound request.
    Call(&'static str),
    /// The answer to an outbound request.
    Reply(&'static str),
    /// A part of a body, by its type.
    Part(&'static str),
}

use Kind::{Answer, Call, Error, Part, Reply, Request};

const BOTH: &[ApiVersion] = &[V3, V4];
const NEW_MESSAGE: Kind = Call("external_messenger.new_message");
const V3_SEND: &str = "/externalmessengers/sendMessage";
const V4_SEND: &str = "/externalmessengers/c/sendMessage";
const CREATE_CONTACT: &str = "outbound.external_messenger.create_contact";
const CREATE_CONVERSATION: &str = "outbound.external_messenger.create_conversation";

/// Every file in `fixtures`, with the versions whose form it has.
const FIXTURES: &[(&str, &[ApiVersion], Kind)] = &[
    ("channel-v3", &[V3], Request("POST", "/externalmessengers/update")),
    ("channel", &[V4], Request("POST", "/externalmessengers/update")),
    ("contact-search", &[V4], Request("POST", "/externalmessengercontacts/search")),
    ("contact", &[V4], Request("POST", "/externalmessengercontacts/create")),
    ("conversation-ended", BOTH, Call("conversation.ended")),
    ("conversation-v3", &[V3], Request("POST", "/conversations/create")),
    ("conversation-v4", &[V4], Request("POST", "/conversations/create")),
    ("create-contact-create", &[V4], Reply(CREATE_CONTACT)),
    ("create-contact-invalid", &[V4], Reply(CREATE_CONTACT)),
    ("create-contact-request", &[V4], Call(CREATE_CONTACT)),
    ("create-contact-use-existing", &[V4], Reply(CREATE_CONTACT)),
    ("create-conversation-create", &[V4], Reply(CREATE_CONVERSATION)),
    ("create-conversation-request", &[V4], Call(CREATE_CONVERSATION)),
    ("end-call", BOTH, Request("POST", "/conversations/c/end")),
    ("error", BOTH, Error("GET", "/conversations/getBySourceIdAndChannelId")),
    ("message-by-bot", BOTH, NEW_MESSAGE),
    ("message-card", BOTH, NEW_MESSAGE),
    ("message-file-rejected", &[V4], NEW_MESSAGE),
    ("message-file-v3", &[V3], NEW_MESSAGE),
    ("message-file", &[V4], NEW_MESSAGE),
    ("message-internal", BOTH, NEW_MESSAGE),
    ("message-list", BOTH, NEW_MESSAGE),
    ("message-own", BOTH, NEW_MESSAGE),
    ("message-question", BOTH, NEW_MESSAGE),
    ("message-rating", BOTH, NEW_MESSAGE),
    ("message-reply", BOTH, NEW_MESSAGE),
    ("message-state-outbound", &[V4], Call("outbound.external_messenger.message_state")),
    ("message-state-response", &[V4], Reply("outbound.external_messenger.message_state")),
    ("message-state-webhook", BOTH, Call("external_messenger.message_state")),
    ("message-system", &[V4], NEW_MESSAGE),
    ("new-message-outbound", &[V4], Call("outbound.external_messenger.new_message")),
    ("new-message-response", &[V4], Reply("outbound.external_messenger.new_message")),
    ("new-message-webhook", &[V4], NEW_MESSAGE),
    ("person", BOTH, Request("POST", "/persons/createOrUpdateVirtual")),
    ("ping-request", &[V4], Call("outbound.ping")),
    ("ping-response", &[V4], Reply("outbound.ping")),
    ("ping-webhook", BOTH, Call("ping")),
    ("send-file-data", BOTH, Part("FilePostMessageData")),
    ("send-reply-data", BOTH, Part("ReplyPostMessageData")),
    ("send-result-v3", &[V3], Answer("POST", V3_SEND)),
    ("send-result-v4", &[V4], Answer("POST", V4_SEND)),
    ("send-text-v3", &[V3], Request("POST", V3_SEND)),
    ("send-text-v4", &[V4], Request("POST", V4_SEND)),
    ("state-delivered-call", &[V4], Request("POST", "/externalmessengers/c/messageDelivered")),
    ("state-failed-call", &[V4], Request("POST", "/externalmessengers/c/messageSendFailed")),
    ("state-sent-call", &[V4], Request("POST", "/externalmessengers/c/messageSentSuccessfully")),
];

fn judge(version: ApiVersion, kind: Kind, value: &Value) -> Vec<Violation> {
    let document = document(version);
    let operation = |method, path| document.operation(method, path).unwrap();
    match kind {
        Request(method, path) => document.judge_request(operation(method, path), "", Some(value)),
        Answer(method, path) => document.judge_answer(operation(method, path), 200, Some(value)),
        Error(method, path) => document.judge_answer(operation(method, path), 404, Some(value)),
        Call(name) => document.judge_request(document.callback(name).unwrap(), "", Some(value)),
        Reply(name) => document.judge_answer(document.callback(name).unwrap(), 200, Some(value)),
        Part(name) => document.judge_value(name, value),
    }
}

fn fixtures() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let value = serde_json::from_slice(&std::fs::read(&path).unwrap());
        (name, value.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    files.map(read).collect()
}

/// Shows U18, U19.
#[test]
fn every_fixture_has_the_form_of_unblus_document() {
    let fixtures = fixtures();
    let mut wrong = Vec::new();
    for (name, versions, kind) in FIXTURES {
        let fixture = fixtures.get(*name).unwrap_or_else(|| panic!("there is no fixture {name}"));
        for version in *versions {
            let found = judge(*version, *kind, fixture);
            wrong.extend(found.iter().map(|one| format!("{name} {}: {one}", version.word())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let known = |name: &&String| !FIXTURES.iter().any(|(known, ..)| known == *name);
    let unknown: Vec<_> = fixtures.keys().filter(known).collect();
    assert!(unknown.is_empty(), "list these fixtures in FIXTURES: {unknown:?}");
}

/// Returns the places at which the document refuses a fixture after a change.
fn refused(version: ApiVersion, name: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let (_, _, kind) = FIXTURES.iter().find(|(known, ..)| *known == name).unwrap();
    let mut value = fixtures().remove(name).unwrap();
    change(&mut value);
    judge(version, *kind, &value).into_iter().map(|found| found.at).collect()
}

/// Shows U12.
#[test]
fn a_recipient_has_the_form_of_its_version() {
    let recipient = |value: Value| |conversation: &mut Value| conversation["recipient"] = value;
    let named = json!({"$_type": "NamedAreaData", "id": "nAmEdArEaIdExample00001"});
    let by_type =
        |class: &str| json!({"$_type": class, "type": "TEAM", "id": "tEaMiDexample00000001"});
    assert!(refused(V3, "conversation-v3", recipient(named.clone())).is_empty());
    let old = refused(V3, "conversation-v3", recipient(by_type("ConversationRecipientData")));
    assert_eq!(old, ["/recipient/$_type"], "the union has no such type");
    assert_eq!(refused(V3, "conversation-v3", recipient(by_type("TeamData"))), ["/recipient"]);
    let v4 =
        refused(V4, "conversation-v4", recipient(by_type("ConversationCreationRecipientData")));
    assert!(v4.is_empty(), "{v4:?}");
    assert!(!refused(V4, "conversation-v4", recipient(named)).is_empty());
}

/// Shows U19.
#[test]
fn the_header_of_a_list_is_an_object() {
    for version in [V3, V4] {
        let old = refused(version, "message-list", |message| {
            message["conversationMessage"]["header"] = "Our branches".into();
        });
        assert_eq!(old, ["/conversationMessage/header"]);
        let untyped = refused(version, "message-list", |message| {
            message["conversationMessage"]["header"]["$_type"] = Value::Null;
        });
        assert_eq!(untyped, ["/conversationMessage/header"]);
    }
}

/// Shows U19.
#[test]
fn links_of_a_file_have_the_form_of_their_version() {
    let files = fixtures();
    assert_eq!(judge(V3, NEW_MESSAGE, &files["message-file"]).len(), 1, "downloadLinks is v4");
    assert_eq!(judge(V4, NEW_MESSAGE, &files["message-file-v3"]).len(), 1, "downloadLink is v3");
    let status = |word: &'static str| {
        move |message: &mut Value| message["conversationMessage"]["fileStatus"] = word.into()
    };
    assert!(refused(V3, "message-file-v3", status("IN_PROGRESS")).is_empty());
    assert!(refused(V4, "message-file", status("UPLOADING")).is_empty());
    assert_eq!(refused(V3, "message-file-v3", status("UPLOADING")).len(), 1);
    assert_eq!(refused(V4, "message-file", status("IN_PROGRESS")).len(), 1);
}

/// Shows U19.
#[test]
fn unknown_words_and_members_are_refused() {
    let message = |name: &'static str, value: Value| {
        move |event: &mut Value| event["conversationMessage"][name] = value
    };
    for (fixture, name, value) in [
        ("message-card", "actions", json!([{"$_type": "MessageAction", "actionType": "URL"}])),
        (
            "message-file",
            "downloadLinks",
            json!([{"$_type": "FileDownloadLink", "type": "WEB_API"}]),
        ),
        ("message-question", "answerStatus", json!("UNANSWERED")),
        ("message-rating", "type", json!("MULTICHOICE_QUESTION")),
        ("message-internal", "x", json!(1)),
    ] {
        assert!(!refused(V4, fixture, message(name, value)).is_empty(), "{fixture} {name}");
    }
}

/// Shows U4.
#[test]
fn channels_of_v3_get_webhooks_only() {
    for name in [CREATE_CONTACT, CREATE_CONVERSATION, "outbound.ping"] {
        assert!(document(V3).callback(name).is_none(), "{name}");
        assert!(document(V4).callback(name).is_some(), "{name}");
    }
}

#[test]
fn the_excerpts_name_their_documents() {
    for (version, title, number) in [(V3, "Unblu Web API v3", "7."), (V4, "Unblu Web API v4", "8.")]
    {
        let source = document(version).source();
        assert_eq!(source.title, title);
        assert!(source.version.starts_with(number) && source.sha256.len() == 64, "{source:?}");
    }
}
