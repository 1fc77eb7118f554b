//! Egress calls of the webhook engagement adapter.

use crate::common::{WITH_BEARER, content, events, now, parse_call, parsed};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    AuthorRole, Choice, Event, EventBody, Format, HandoverMode, Transcript,
};
use trunkline_runtime::inbound::ParsedCall;
use trunkline_runtime::security::AuthError;
use trunkline_servisbot::{Servisbot, Settings, parse_egress};

fn events_of(body: &str, settings: &Value) -> Vec<Event> {
    events(parse_call(&Servisbot::default(), "egress", WITH_BEARER, body.as_bytes(), settings))
}

fn texts(body: &Value, settings: &Value) -> Vec<String> {
    let events_of = events_of(&body.to_string(), settings);
    events_of.iter().map(|event| content(event).text.clone().unwrap_or_default()).collect()
}

#[test]
fn each_message_of_an_egress_is_an_event_in_order() {
    let events_of = events_of(include_str!("../fixtures/egress.json"), &json!({}));
    let texts: Vec<_> =
        events_of.iter().map(|event| content(event).text.clone().unwrap()).collect();
    assert_eq!(texts, ["Let me check.", "Your order shipped.", "https://acme.example/track/17"]);
    assert_eq!(content(&events_of[0]).format, Format::Markdown);
    for event in &events_of {
        assert_eq!(
            (event.external_conversation_id.as_str(), event.author.role),
            ("hub-user-4711", AuthorRole::Bot)
        );
    }
    assert_eq!(events_of[0].at, now());
    assert!(events_of[0].at < events_of[1].at && events_of[1].at < events_of[2].at);
    assert!(events_of[0].id != events_of[1].id && events_of[1].id != events_of[2].id);
}

/// Shows input 14.
#[test]
fn of_two_spellings_of_a_key_the_one_with_a_value_counts() {
    for body in [
        json!({"CustomerReference": "c", "customerreference": "", "Messages": ["Hi"], "messages": null}),
        json!({"CustomerReference": "", "customerReference": "c", "Messages": [], "messages": ["Hi"]}),
    ] {
        let events_of = events_of(&body.to_string(), &json!({}));
        assert_eq!(events_of[0].external_conversation_id, "c", "{body}");
        assert_eq!(content(&events_of[0]).text.as_deref(), Some("Hi"));
    }
}

/// Shows input 23.
#[test]
fn reads_the_bodies_of_servisbots_sample() {
    let customer = "test@acme.example:::this is a subject";
    for body in [
        include_str!("../fixtures/egress-messages.json"),
        include_str!("../fixtures/egress-markdown.json"),
    ] {
        let events_of = events_of(body, &json!({}));
        assert_eq!(events_of.len(), 1);
        assert_eq!(content(&events_of[0]).text.as_deref(), Some("Yes, we have it."));
        assert_eq!(events_of[0].external_conversation_id, customer);
    }
}

/// Shows input 23.
#[test]
fn a_host_notification_is_recorded_or_hands_over() {
    const NOTIFICATION: &str = include_str!("../fixtures/egress-host-notification.json");
    let bodies = |body: &str, settings: &Value| -> Vec<EventBody> {
        events_of(body, settings).into_iter().map(|event| event.body).collect()
    };
    let opaque =
        |raw: Value| EventBody::Opaque { is_message: false, name: "HostNotification".into(), raw };
    let handover = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some("agent wanted".into()),
        context: Map::new(),
        transcript: Transcript::default(),
    };
    for settings in [json!({}), json!({"handover_on": "other, agent"}), json!({"handover_on": ","})]
    {
        assert_eq!(bodies(NOTIFICATION, &settings), [opaque(json!("agent wanted"))], "{settings}");
    }
    for replies in ["egress", "eventing"] {
        let settings = json!({"handover_on": "other, Agent wanted ", "replies": replies});
        assert_eq!(bodies(NOTIFICATION, &settings), std::slice::from_ref(&handover), "{replies}");
    }
    let with_text = json!({"CustomerReference": "c", "Messages": ["One moment."],
                           "HostNotification": "agent wanted"});
    let settings = json!({"handover_on": "agent wanted"});
    let both = bodies(&with_text.to_string(), &settings);
    assert_eq!((both.len(), both[0].kind(), &both[1]), (2, "message", &handover));
    let object = json!({"CustomerReference": "c", "HostNotification": {"alias": "x"}});
    assert_eq!(bodies(&object.to_string(), &settings), [opaque(json!({"alias": "x"}))]);
}

/// Shows input 8, input 10, input 11.
#[test]
fn reads_what_other_serializers_send() {
    let text = |body: &str| content(&events_of(body, &json!({}))[0]).text.clone().unwrap();
    let body = r#"{"CustomerReference": "c", "Messages": ["Great \ud83d"]}"#;
    assert_eq!(text(body), "Great \u{fffd}");
    assert_eq!(text(&format!("\u{feff}{body}")), "Great \u{fffd}");
    let nulls = json!({"CustomerReference": null, "customerReference": "c", "Markdown": null,
                       "Messages": null, "messages": ["hi"], "HostNotification": null,
                       "ContentType": null});
    assert_eq!(text(&nulls.to_string()), "hi");
    let member = json!({"CustomerReference": "c", "Messages": null,
                        "Markdown": [{"message": "hi", "url": null, "type": null}]});
    assert_eq!(text(&member.to_string()), "hi");
}

#[test]
fn reads_one_of_two_representations() {
    let both =
        json!({"CustomerReference": "c", "Messages": ["a", "b"], "Markdown": [{"message": "*a*"}]});
    assert_eq!(texts(&both, &json!({})), ["*a*"]);
    assert_eq!(texts(&both, &json!({"egress_content": "messages"})), ["a", "b"]);
    let plain = json!({"CustomerReference": "c", "Messages": ["a", "b"]});
    assert_eq!(texts(&plain, &json!({})), ["a", "b"]);
    let rich = json!({"CustomerReference": "c", "Markdown": [{"url": "https://x.example"}], "Messages": null});
    assert_eq!(texts(&rich, &json!({"egress_content": "messages"})), ["https://x.example"]);
    let both_with_url = json!({"CustomerReference": "c", "Messages": ["see https://x.example"],
                        "Markdown": [{"url": "https://x.example"}]});
    assert_eq!(texts(&both_with_url, &json!({})), ["see https://x.example"], "not twice");
}

#[test]
fn accepts_members_of_other_types() {
    let one = json!({"customerReference": 4711, "messages": "only one"});
    assert_eq!(texts(&one, &json!({})), ["only one"]);
    let markup = "<TimelineMessage><TextMsg>Pick</TextMsg><SuggestionPrompt>\
                  <Option title=\"A\" id=\"1\"/></SuggestionPrompt></TimelineMessage>";
    let body = json!({"CustomerReference": "c", "Messages": [markup]}).to_string();
    let events_of = events_of(&body, &json!({}));
    let choices = vec![Choice { id: "A".into(), title: "A".into() }];
    assert_eq!(
        (content(&events_of[0]).text.as_deref(), &content(&events_of[0]).choices),
        (Some("Pick"), &choices)
    );
}

#[test]
fn egress_without_content_or_from_the_other_source_is_opaque() {
    let body = json!({"CustomerReference": "c", "Messages": ["a"]});
    let recorded = events_of(&body.to_string(), &json!({"replies": "eventing"}));
    let opaque = EventBody::Opaque { is_message: false, name: "egress".into(), raw: body };
    assert_eq!((recorded.len(), &recorded[0].body), (1, &opaque));
    let empty = events_of(r#"{"CustomerReference": "c"}"#, &json!({}));
    assert!(matches!(empty[0].body, EventBody::Opaque { is_message: false, .. }));
    let odd = events_of(r#"{"CustomerReference": "c", "Messages": [{"card": 1}]}"#, &json!({}));
    assert!(matches!(odd[0].body, EventBody::Opaque { is_message: true, .. }));
}

#[test]
fn equal_egress_is_distinct_unless_repeat_window_is_set() {
    let body = json!({"CustomerReference": "c", "Messages": ["Sorry?"]});
    let ids = |settings: Value| {
        let settings = parsed(&settings);
        let later = now() + jiff::SignedDuration::from_millis(300);
        [now(), later].map(|at| parse_egress(&body, &settings, at).unwrap().remove(0).id)
    };
    let [first, second] = ids(json!({}));
    assert_ne!(first, second);
    let [first, second] = ids(json!({"repeat_window": "60"}));
    assert_eq!(first, second);
}

/// Shows input 17.
#[test]
fn requires_the_endpoints_secret() {
    let body = r#"{"CustomerReference": "c", "Messages": ["a"]}"#.as_bytes();
    let received = |headers: &[(&str, &str)], settings: &Value| {
        parse_call(&Servisbot::default(), "egress", headers, body, settings)
    };
    let usual = json!({});
    let is_accepted = |received: ParsedCall| matches!(received, ParsedCall::Events(_));
    assert!(is_accepted(received(&[("authorization", "bearer engage-old")], &usual)));
    let two = [("authorization", "Bearer wrong"), ("authorization", "Bearer engage-7d1f")];
    assert!(is_accepted(received(&two, &usual)));
    assert!(is_accepted(received(&[("authorization", "Bearer wrong,Bearer engage-7d1f")], &usual)));
    let wrong = received(&[("authorization", "Bearer eventing-key-51")], &usual);
    assert_eq!(
        wrong,
        ParsedCall::Denied(AuthError::Mismatch),
        "eventing's key is not the endpoint's"
    );
    assert_eq!(
        received(&[], &usual),
        ParsedCall::Denied(AuthError::InvalidHeader("authorization"))
    );
    assert!(is_accepted(received(&[], &json!({"egress_auth": "none"}))));
}

#[test]
fn requires_a_customer_reference() {
    for body in ["{}", "[]", "x", r#"{"CustomerReference": " ", "Messages": ["a"]}"#] {
        let received =
            parse_call(&Servisbot::default(), "egress", WITH_BEARER, body.as_bytes(), &json!({}));
        assert!(matches!(received, ParsedCall::Unreadable(_)), "{received:?}");
    }
}

proptest! {
    #[test]
    fn keeps_every_text(texts in prop::collection::vec("[a-z<>&{}* ]{0,20}[a-z]", 1..5)) {
        let body = json!({"CustomerReference": "c", "Messages": texts});
        prop_assert_eq!(self::texts(&body, &json!({})), texts);
    }

    #[test]
    fn arbitrary_bodies_never_panic(body in "[\\[\\]{}\":,A-Za-z0-9<>/ ]{0,120}") {
        let body = body.as_bytes();
        let _ = parse_call(&Servisbot::default(), "egress", WITH_BEARER, body, &json!({}));
    }

    #[test]
    fn arbitrary_members_never_panic(a in "\\PC{0,30}", b in any::<i64>(), nested in "\\PC{0,10}") {
        for messages in [json!(a), json!(b), json!([a, b, [nested], {"message": b, "url": a}])] {
            let body = json!({"CustomerReference": "c", "Messages": messages, "Markdown": [messages]});
            prop_assert!(parse_egress(&body, &Settings::default(), now()).is_ok());
        }
    }
}
