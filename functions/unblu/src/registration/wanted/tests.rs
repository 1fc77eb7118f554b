use serde_json::json;

use super::*;

const CHANNEL: &str = include_str!("../../../fixtures/channel.json");
const ENDPOINT: &str = "https://hub.example.com/in/unblu/advisers/k3y";

fn wanted<'a>(settings: &'a Settings, connection: &'a ConnectionId) -> Wanted<'a> {
    let secrets = vec!["the new one", "s3cr3t-shared-key"];
    Wanted { settings, connection, endpoint: Some(ENDPOINT), secrets }
}

fn with<T>(settings: &Settings, then: impl FnOnce(&Wanted<'_>) -> T) -> T {
    then(&wanted(settings, &"advisers".parse().unwrap()))
}

fn channel(change: &Value) -> Map<String, Value> {
    let mut channel: Value = serde_json::from_str(CHANNEL).unwrap();
    channel["webhookEndpoint"] = ENDPOINT.into();
    for (name, value) in change.as_object().unwrap() {
        channel[name] = value.clone();
    }
    channel.as_object().unwrap().clone()
}

fn webhook(change: &Value) -> Map<String, Value> {
    let mut webhook = json!({"endpoint": ENDPOINT, "apiVersion": "V4", "secret": "the new one",
                             "events": ["conversation.ended"], "status": "ACTIVE"});
    for (name, value) in change.as_object().unwrap() {
        webhook[name] = value.clone();
    }
    webhook.as_object().unwrap().clone()
}

fn problems(settings: &Settings, kind: Kind, object: &Map<String, Value>) -> Vec<String> {
    with(settings, |wanted| {
        let found = wanted.differences(kind, Object(object));
        found.iter().map(|difference| difference.problem(kind)).collect()
    })
}

/// Shows U7.
#[test]
fn the_documented_channel_has_no_differences() {
    let found = problems(&Settings::default(), Kind::Channel, &channel(&json!({})));
    assert_eq!(found, Vec::<String>::new());
}

/// Shows U7.
#[test]
fn every_member_of_the_channel_is_compared() {
    let url = "the connection's inbound URL";
    for (change, problem) in [
        (
            json!({"webhookEndpoint": "https://other.example/in/unblu/advisers/k3y"}),
            format!("webhookEndpoint is an address at other.example in place of {url}"),
        ),
        (
            json!({"webhookEndpoint": "https://hub.example.com/in/unblu/advisers/old"}),
            format!("webhookEndpoint is the inbound URL with another key in place of {url}"),
        ),
        (
            json!({"webhookEndpoint": "nowhere"}),
            format!("webhookEndpoint is not a URL in place of {url}"),
        ),
        (json!({"webhookApiVersion": "V3"}), "webhookApiVersion is V3 in place of V4".into()),
        (
            json!({"webhookSecret": "another"}),
            "webhookSecret is another one in place of the secret webhook_secret".into(),
        ),
        (
            json!({"webhookSecret": null}),
            "webhookSecret is missing in place of the secret webhook_secret".into(),
        ),
        (
            json!({"messageStateHandledExternally": false}),
            "messageStateHandledExternally is false in place of true".into(),
        ),
        (json!({"outboundSupported": false}), "outboundSupported is false in place of true".into()),
        (
            json!({"outboundTimeoutMillis": 1_000}),
            "outboundTimeoutMillis is 1000 in place of 10000".into(),
        ),
        (
            json!({"outboundTimeoutMillis": null}),
            "outboundTimeoutMillis is missing in place of 10000".into(),
        ),
    ] {
        let found = problems(&Settings::default(), Kind::Channel, &channel(&change));
        assert_eq!(found, [format!("the channel's {problem}")], "{change}");
    }
}

#[test]
fn v3_has_no_outbound_requests() {
    let v3 = Settings { api_version: ApiVersion::V3, ..Settings::default() };
    let change = json!({"webhookApiVersion": "V3", "outboundSupported": null,
                        "outboundTimeoutMillis": null});
    assert_eq!(problems(&v3, Kind::Channel, &channel(&change)), Vec::<String>::new());
    // Unblu 6 has no version either.
    let change = json!({"webhookApiVersion": null});
    assert_eq!(problems(&v3, Kind::Channel, &channel(&change)), Vec::<String>::new());
    let created = with(&v3, |wanted| wanted.created(Kind::Channel)).unwrap();
    let is_v4_only = |name: &&String| {
        ["outbound", "contact", "supports"].iter().any(|prefix| name.starts_with(prefix))
    };
    assert_eq!(created.as_object().unwrap().keys().find(is_v4_only), None);
}

/// Shows U6.
#[test]
fn a_webhook_registration_keeps_its_other_events() {
    assert!(problems(&Settings::default(), Kind::Webhook, &webhook(&json!({}))).is_empty());
    let other = webhook(&json!({"events": ["agent.created"]}));
    let corrected = with(&Settings::default(), |wanted| {
        let differences = wanted.differences(Kind::Webhook, Object(&other));
        let shown = differences[0].correction(Kind::Webhook);
        let expected =
            "set the webhook registration's events from without it to conversation.ended";
        assert_eq!(shown, expected);
        corrected(&other, &differences)
    });
    assert_eq!(corrected["events"], json!(["agent.created", "conversation.ended"]));
}

/// Shows U6, U10.
#[test]
fn a_correction_changes_nothing_else_and_shows_no_secret() {
    let change = json!({"webhookSecret": "another", "webhookStatus": "INACTIVE",
                        "webhookEndpoint": "https://other.example/k3y"});
    let before = channel(&change);
    with(&Settings::default(), |wanted| {
        let off = Wanted::status_difference(Kind::Channel, Object(&before));
        let mut differences: Vec<Difference> = off.into_iter().collect();
        differences.extend(wanted.differences(Kind::Channel, Object(&before)));
        let mut expected = channel(&json!({"webhookSecret": "the new one"}));
        expected["webhookStatus"] = "ACTIVE".into();
        assert_eq!(corrected(&before, &differences), Value::Object(expected));
        for difference in differences {
            let texts = difference.problem(Kind::Channel) + &difference.correction(Kind::Channel);
            for confidential in ["another\"", "the new one", "k3y"] {
                assert!(!texts.contains(confidential), "{texts}");
            }
        }
    });
}

#[test]
fn maps_every_status() {
    for (word, expected) in [
        ("ACTIVE", Status::Active),
        ("INACTIVE", Status::SwitchedOff),
        ("INACTIVE_UNAVAILABLE", Status::Unavailable),
        ("ASLEEP", Status::Other),
    ] {
        let channel = channel(&json!({"webhookStatus": word}));
        assert_eq!(status(Kind::Channel, Object(&channel)), expected, "{word}");
        let webhook = webhook(&json!({"status": word}));
        assert_eq!(status(Kind::Webhook, Object(&webhook)), expected, "{word}");
    }
}

#[test]
fn own_objects_are_recognized_by_the_endpoint_without_its_key() {
    let other_key = "https://hub.example.com/in/unblu/advisers/other";
    assert!(is_same_connection(ENDPOINT, other_key));
    for other in ["https://hub.example.com/in/unblu/agents/k3y", "https://x.example/k3y", ""] {
        assert!(!is_same_connection(ENDPOINT, other), "{other}");
    }
    let source_id = with(&Settings::default(), |wanted| wanted.source_id().map(str::to_owned));
    assert_eq!(source_id.as_deref(), Some("https://hub.example.com/in/unblu/advisers"));
}
