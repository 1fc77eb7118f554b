//! The OpenAPI document lists the values of enums, and describes flattened members as one object.

use serde::Serialize;
use serde_json::{Value, json};
use trunkline_core::model::{AccessLevel, Disposition, Feature, Role, State};

fn schemas() -> Value {
    serde_json::to_value(trunkline_console::document()).unwrap()["components"]["schemas"].take()
}

/// Returns the schema of a property, without null if it is optional.
fn property(schemas: &Value, object: &str, name: &str) -> Value {
    let found = &schemas[object]["properties"][name];
    let options = found["oneOf"].as_array().cloned().unwrap_or_default();
    let value = options.into_iter().find(|option| option["type"] != "null");
    value.unwrap_or_else(|| found.clone())
}

#[test]
fn serves_the_current_document() {
    let current = trunkline_console::document().to_pretty_json().unwrap();
    let served = include_str!("../openapi.json").trim_end();
    assert!(served == current, "functions/console/openapi.json is out of date: run `make openapi`");
}

/// Returns the values of a property's enum.
fn values(schemas: &Value, object: &str, name: &str) -> Vec<Value> {
    let found = property(schemas, object, name);
    let found = if found["items"].is_object() { found["items"].clone() } else { found };
    let reference = found["$ref"].as_str().map(|reference| reference.rsplit('/').next().unwrap());
    let found = reference.map_or(&found, |name| &schemas[name]);
    found["enum"].as_array().unwrap_or_else(|| panic!("{object}.{name}: {found}")).clone()
}

fn json_of<T: Serialize>(values: impl IntoIterator<Item = T>) -> Vec<Value> {
    values.into_iter().map(|value| json!(value)).collect()
}

#[test]
fn lists_the_values_of_each_enum() {
    let schemas = schemas();
    let of = |object, name| values(&schemas, object, name);
    let roles = json_of(Role::NAMES.map(|(_, role)| role));
    for object in ["ConnectionView", "ConnectionBody", "ConnectionSummary", "DeliveryView"] {
        assert_eq!(of(object, "role"), roles, "{object}");
    }
    assert_eq!(of("PlatformView", "roles"), roles);
    assert_eq!(of("ConnectionView", "shows"), json_of(Feature::NAMES.map(|(_, feature)| feature)));
    assert_eq!(of("DeliveryPolicy", "reactivation"), ["automatic", "manual"]);
    assert_eq!(of("OwnerView", "kind"), ["bot", "desk"]);
    assert_eq!(of("HandoverView", "location"), ["desk", "channel"]);
    assert!(of("HandoverView", "trigger").contains(&json!("bot_down")));
    assert_eq!(of("ConversationView", "state"), json_of(State::ALL));
    let dispositions =
        [Disposition::Routed, Disposition::RecordedOnly, Disposition::NotOwner, Disposition::Echo];
    assert_eq!(of("TimelineEntry", "disposition"), json_of(dispositions));
    let authors = ["customer", "bot", "agent", "system", "unknown", "participant"];
    assert_eq!(of("AuthorView", "role"), authors);
    let verdicts = [
        "delivered",
        "retryable",
        "permanent",
        "unknown",
        "skipped",
        "parked",
        "exhausted",
        "discarded",
    ];
    assert_eq!(of("OutcomeView", "status"), verdicts);
    for object in ["Me", "TokenView", "CreateTokenBody", "AuditView"] {
        assert_eq!(of(object, "role"), json_of(AccessLevel::ALL), "{object}");
    }
    assert_eq!(of("SettingView", "kind"), ["text", "url", "boolean", "number", "enum"]);
    assert_eq!(of("BreakerView", "state"), ["closed", "open", "half_open"]);
    assert_eq!(of("PendingDeliveryView", "state"), ["parked", "failed"]);
    assert_eq!(of("SendMessageBody", "to"), ["customer"]);
    assert_eq!(of("CustomerRecord", "kind").len(), 5);
    for object in ["HandoverPolicy", "HandoverPolicyBody"] {
        assert_eq!(of(object, "after_close"), ["bot", "close"], "{object}");
        assert_eq!(of(object, "transcript_since"), ["start", "handback"], "{object}");
    }
}

#[test]
fn a_connection_is_one_object() {
    let schemas = schemas();
    let (view, body) = (&schemas["ConnectionView"], &schemas["ConnectionBody"]);
    let names = |object: &Value| -> Vec<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let mut expected = names(view);
    assert_eq!(view["required"], json!(expected), "a response contains all members");
    assert!(expected.contains(&"text_limit".to_owned()), "{expected:?}");
    assert_eq!(view["properties"]["secrets"]["type"], "array");
    expected.retain(|name| !["version", "suspended"].contains(&name.as_str()));
    assert_eq!(names(body), expected, "a request has the same members");
    assert_eq!(body["required"], json!(["platform", "role"]));
    assert_eq!(body["additionalProperties"], false);
    assert_eq!(
        body["properties"]["secrets"]["additionalProperties"]["type"],
        json!(["string", "null"])
    );
}

#[test]
fn describes_the_bodies_of_requests() {
    let document = serde_json::to_value(trunkline_console::document()).unwrap();
    let body = |method: &str, path: &str| -> String {
        let content = &document["paths"][path][method]["requestBody"]["content"];
        let reference = content["application/json"]["schema"]["$ref"].as_str();
        reference.and_then(|all| all.rsplit('/').next()).unwrap_or_default().to_owned()
    };
    for (method, path, expected) in [
        ("post", "/session", "SignIn"),
        ("put", "/connections/{id}", "ConnectionBody"),
        ("put", "/routes/{id}", "RouteBody"),
        ("post", "/conversations/{channel}/{customer}/messages", "SendMessageBody"),
        ("post", "/conversations/{channel}/{customer}/handover", "ReasonBody"),
        ("post", "/conversations/{channel}/{customer}/handback", "ReasonBody"),
        ("post", "/conversations/{channel}/{customer}/close", "ReasonBody"),
        ("post", "/deliveries/replay", "DeliverySelection"),
        ("post", "/deliveries/discard", "DeliverySelection"),
        ("post", "/dead-letters/redrive", "RedriveBody"),
        ("post", "/tokens", "CreateTokenBody"),
    ] {
        assert_eq!(body(method, path), expected, "{method} {path}");
        let closed = &document["components"]["schemas"][expected]["additionalProperties"];
        assert_eq!(*closed, json!(false), "{expected}");
    }
}
