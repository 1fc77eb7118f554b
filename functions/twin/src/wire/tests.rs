//! Requests and responses compared with the vendor's examples.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

/// Shows T31.
#[test]
fn lists_accept_every_php_encoding() {
    let read = |value: Value| {
        let many: LenientList<LenientText> = serde_json::from_value(value).unwrap();
        many.0.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(read(json!(["a", 1, null])), ["a", "1", ""]);
    assert_eq!(read(json!({"0": "a"})), ["a"]);
    assert_eq!(read(json!(null)), Vec::<String>::new());
    assert_eq!(read(json!("a")), ["a"]);
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

/// Asserts that the JSON has only members that the vendor's examples have, with the same types.
fn assert_matches_examples(written: &impl Serialize, examples: &[&str], more: &[&str]) {
    let written = serde_json::to_value(written).unwrap();
    let examples: Vec<Value> = examples.iter().map(|text| read(text)).collect();
    for (name, value) in written.as_object().unwrap() {
        if more.contains(&name.as_str()) {
            continue;
        }
        let mut known = examples.iter().filter_map(|example| example.get(name)).peekable();
        assert!(known.peek().is_some(), "no example contains {name}");
        let kind = std::mem::discriminant(value);
        assert!(known.any(|known| kind == std::mem::discriminant(known)), "{name}");
    }
}

/// Shows T3, T4, T5, T13, T15, T16, T17, T18, T19, T26, T27, T28.
#[test]
fn requests_match_the_vendors_examples() {
    let text = || Some("x".to_owned());
    let start = StartSession {
        bot_id: text(),
        session_id: text(),
        session_ttl: 3_600,
        messenger_type: text(),
        messenger_user_id: text(),
        message_body: text(),
        message_attachments: vec!["x".into()],
        client_name_for_operator: text(),
        client_id: text(),
        client_phone: text(),
        client_email: text(),
        client_device_id: text(),
        client_timezone: Some(300),
        client_metadata: Map::from_iter([("a".to_owned(), json!("b"))]),
        callback: Some(EventCallback { url: "u".into(), data: "d".into(), events: vec![] }),
        ..StartSession::default()
    };
    let documented = include_str!("../../fixtures/documented-start.json");
    let own = include_str!("../../fixtures/start.json");
    assert_matches_examples(
        &start,
        &[documented, own],
        &["eventCallbackUrl", "eventCallbackData", "notifyOnEvents"],
    );
    let documented = include_str!("../../fixtures/documented-message.json");
    assert_matches_examples(
        &PostMessage::default(),
        &[documented, include_str!("../../fixtures/message.json")],
        &[],
    );
    let message = DialogMessage {
        message: text(),
        attachments: vec!["x".into()],
        callback_url: text(),
        callback_data: text(),
        ..DialogMessage::default()
    };
    assert_matches_examples(&message, &[include_str!("../../fixtures/dialog-message.json")], &[]);
    let start = StartDialog {
        messenger_type: text(),
        messenger_user_id: text(),
        client_name: text(),
        client_phone: text(),
        client_email: text(),
        client_timezone_offset: Some(180),
        client_metadata: Map::from_iter([("a".to_owned(), json!("b"))]),
        ..StartDialog::default()
    };
    let started = DialogMessage { start: Some(start), attachments: Vec::new(), ..message };
    let more = ["clientName", "clientPhone", "clientEmail", "clientMetadata"];
    assert_matches_examples(&started, &[include_str!("../../fixtures/dialog-start.json")], &more);
    let login = Login { email: "bot@example.com", password: "***", ttl: 43_200 };
    let expected: Value = read(include_str!("../../fixtures/login.json"));
    assert_eq!(serde_json::to_value(&login).unwrap(), expected);
}

/// Shows T21, T29.
#[test]
fn parses_the_vendors_responses() {
    let documented: Session = read(include_str!("../../fixtures/documented-started.json"));
    assert_eq!(documented.id.trimmed(), "bce7d22e-dde6-4427-b391-ebbdfda44de6");
    assert_eq!(documented.client_id.trimmed(), documented.id.trimmed());
    assert_eq!(documented.started_at.trimmed(), "2018-10-31T11:56:07+00:00");
    assert_eq!((documented.ttl.trimmed(), documented.messages.0.len()), ("3600", 1));
    let started: Session = read(include_str!("../../fixtures/started.json"));
    assert_eq!(started.client_id.trimmed(), "a1b0c9d8-0000-4000-8000-00000000c11e");
    let documented: PostedMessage = read(include_str!("../../fixtures/documented-posted.json"));
    assert_eq!(documented.id.trimmed(), "bce7d22e-dde6-4427-b391-ebbdfda44de6");
    let posted: PostedMessage = read(include_str!("../../fixtures/posted.json"));
    assert_eq!(posted.id.trimmed(), "0f0e0d0c-0000-4000-8000-00000000a001");
    let state: DialogState = read(include_str!("../../fixtures/dialog-callback.json"));
    assert_eq!((state.status.trimmed(), state.callback_data.trimmed()), ("STOP", "hub-conv-99"));
    let given: LoginResponse = read(include_str!("../../fixtures/logged-in.json"));
    assert!(given.auth_token.trimmed().starts_with("e30."));
}

#[test]
fn omits_unset_members() {
    let start = StartSession { name: "n".into(), session_ttl: 60, ..StartSession::default() };
    let expected = json!({"name": "n", "sessionTtl": 60, "clientExternalId": "",
                          "returnAnswerAsync": false});
    assert_eq!(serde_json::to_value(&start).unwrap(), expected);
}
