//! What the webhook engagement adapter sends back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

mod common;

use common::{WITH_BEARER, content, events, now, receive};
use proptest::prelude::*;
use serde_json::{Value, json};
use trunkline_servisbot::{Servisbot, Settings, parse_egress};
use trunkline_shared::inbound::Received;
use trunkline_shared::model::{AuthorRole, Choice, Event, EventBody, Format};
use trunkline_shared::security::Denied;

fn heard(body: &str, settings: &Value) -> Vec<Event> {
    events(receive(&Servisbot::default(), "egress", WITH_BEARER, body.as_bytes(), settings))
}

fn texts(body: &Value, settings: &Value) -> Vec<String> {
    let heard = heard(&body.to_string(), settings);
    heard.iter().map(|event| content(event).text.clone().unwrap_or_default()).collect()
}

#[test]
fn each_message_of_an_egress_is_one_of_its_own_in_order() {
    let heard = heard(include_str!("../fixtures/egress.json"), &json!({}));
    let texts: Vec<_> = heard.iter().map(|event| content(event).text.clone().unwrap()).collect();
    assert_eq!(texts, ["Let me check.", "Your order shipped.", "https://acme.example/track/17"]);
    assert_eq!(content(&heard[0]).format, Format::Markdown);
    for event in &heard {
        assert_eq!(
            (event.conversation.as_str(), event.author.role),
            ("hub-user-4711", AuthorRole::Bot)
        );
    }
    assert_eq!(heard[0].at, now());
    assert!(heard[0].at < heard[1].at && heard[1].at < heard[2].at);
    assert!(heard[0].id != heard[1].id && heard[1].id != heard[2].id);
}

#[test]
fn one_of_two_writings_is_read() {
    let both =
        json!({"CustomerReference": "c", "Messages": ["a", "b"], "Markdown": [{"message": "*a*"}]});
    assert_eq!(texts(&both, &json!({})), ["*a*"]);
    assert_eq!(texts(&both, &json!({"egress_content": "messages"})), ["a", "b"]);
    let plain = json!({"CustomerReference": "c", "Messages": ["a", "b"]});
    assert_eq!(texts(&plain, &json!({})), ["a", "b"]);
    let rich = json!({"CustomerReference": "c", "Markdown": [{"url": "https://x.example"}], "Messages": null});
    assert_eq!(texts(&rich, &json!({"egress_content": "messages"})), ["https://x.example"]);
    let beside = json!({"CustomerReference": "c", "Messages": ["see https://x.example"],
                        "Markdown": [{"url": "https://x.example"}]});
    assert_eq!(texts(&beside, &json!({})), ["see https://x.example"], "not twice");
}

#[test]
fn members_in_other_shapes_are_read_as_well() {
    let one = json!({"customerReference": 4711, "messages": "only one"});
    assert_eq!(texts(&one, &json!({})), ["only one"]);
    let markup = "<TimelineMessage><TextMsg>Pick</TextMsg><SuggestionPrompt>\
                  <Option title=\"A\" id=\"1\"/></SuggestionPrompt></TimelineMessage>";
    let body = json!({"CustomerReference": "c", "Messages": [markup]}).to_string();
    let heard = heard(&body, &json!({}));
    let choices = vec![Choice { id: "A".into(), title: "A".into() }];
    assert_eq!(
        (content(&heard[0]).text.as_deref(), &content(&heard[0]).choices),
        (Some("Pick"), &choices)
    );
}

#[test]
fn what_says_nothing_or_comes_from_the_other_source_is_kept() {
    let body = json!({"CustomerReference": "c", "Messages": ["a"]});
    let kept = heard(&body.to_string(), &json!({"replies": "eventing"}));
    let opaque = EventBody::Opaque { said: false, name: "egress".into(), raw: body };
    assert_eq!((kept.len(), &kept[0].body), (1, &opaque));
    let empty = heard(r#"{"CustomerReference": "c"}"#, &json!({}));
    assert!(matches!(empty[0].body, EventBody::Opaque { said: false, .. }));
    let odd = heard(r#"{"CustomerReference": "c", "Messages": [{"card": 1}]}"#, &json!({}));
    assert!(matches!(odd[0].body, EventBody::Opaque { said: true, .. }));
}

#[test]
fn a_bot_may_say_the_same_twice_unless_repeats_are_to_be_dropped() {
    let body = json!({"CustomerReference": "c", "Messages": ["Sorry?"]});
    let ids = |settings: Value| {
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let later = now() + jiff::SignedDuration::from_millis(300);
        [now(), later].map(|at| parse_egress(&body, &settings, at).unwrap().remove(0).id)
    };
    let [first, second] = ids(json!({}));
    assert_ne!(first, second);
    let [first, second] = ids(json!({"repeat_window": "60"}));
    assert_eq!(first, second);
}

#[test]
fn it_brings_the_endpoints_secret() {
    let body = r#"{"CustomerReference": "c", "Messages": ["a"]}"#.as_bytes();
    let received = |headers: &[(&str, &str)], settings: &Value| {
        receive(&Servisbot::default(), "egress", headers, body, settings)
    };
    let usual = json!({});
    let is_let_in = |received: Received| matches!(received, Received::Events(_));
    assert!(is_let_in(received(&[("authorization", "bearer engage-old")], &usual)));
    let wrong = received(&[("authorization", "Bearer eventing-key-51")], &usual);
    assert_eq!(wrong, Received::Denied(Denied::Mismatch), "eventing's key is not the endpoint's");
    assert_eq!(received(&[], &usual), Received::Denied(Denied::Header("authorization")));
    assert!(is_let_in(received(&[], &json!({"egress_auth": "none"}))));
}

#[test]
fn a_customer_must_be_named() {
    for body in ["{}", "[]", "x", r#"{"CustomerReference": " ", "Messages": ["a"]}"#] {
        let received =
            receive(&Servisbot::default(), "egress", WITH_BEARER, body.as_bytes(), &json!({}));
        assert!(matches!(received, Received::Unreadable(_)), "{received:?}");
    }
}

proptest! {
    #[test]
    fn no_text_is_lost(texts in prop::collection::vec("[a-z<>&{}* ]{0,20}[a-z]", 1..5)) {
        let body = json!({"CustomerReference": "c", "Messages": texts});
        prop_assert_eq!(self::texts(&body, &json!({})), texts);
    }

    #[test]
    fn no_body_makes_it_panic(body in "[\\[\\]{}\":,A-Za-z0-9<>/ ]{0,120}") {
        let body = body.as_bytes();
        let _ = receive(&Servisbot::default(), "egress", WITH_BEARER, body, &json!({}));
    }

    #[test]
    fn no_member_makes_it_panic(a in "\\PC{0,30}", b in any::<i64>(), nested in "\\PC{0,10}") {
        for messages in [json!(a), json!(b), json!([a, b, [nested], {"message": b, "url": a}])] {
            let body = json!({"CustomerReference": "c", "Messages": messages, "Markdown": [messages]});
            prop_assert!(parse_egress(&body, &Settings::default(), now()).is_ok());
        }
    }
}
