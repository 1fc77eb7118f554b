//! Eventing out: events to an observer in ServisBOT's envelope.

use std::collections::BTreeMap;

use crate::common::{CONVERSATION, delivery, event, eventing, now, sending, text_message};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    AuthorRole, Choice, ChoiceSource, Content, Delivery, EventBody, Media, Role,
};
use trunkline_core::rendering::render;
use trunkline_runtime::outbound::{EncodeError, Outbound};
use trunkline_servisbot::{Servisbot, Settings, TimelineMessage, timeline_message};

fn settings() -> Settings {
    Settings { organization: "acme".into(), ..Settings::default() }
}

fn timeline_json(delivery: &Delivery) -> Value {
    serde_json::to_value(timeline_message(delivery, CONVERSATION, &settings()).unwrap()).unwrap()
}

fn observed(author: AuthorRole, body: EventBody) -> Delivery {
    delivery(Role::Observer, author, body)
}

fn message(content: Content) -> EventBody {
    EventBody::Message { content, metadata: Map::new() }
}

fn choices(titles: &[&str]) -> Vec<Choice> {
    let choice = |(i, title): (usize, &&str)| Choice { id: i.to_string(), title: (*title).into() };
    titles.iter().enumerate().map(choice).collect()
}

/// Shows S12, S13, S14, S15, S16, S17, S19, S20, S22, S25.
#[test]
fn a_customers_message_has_all_required_members() {
    let sent = timeline_json(&observed(AuthorRole::Customer, text_message("where is my order")));
    let (id, correlation) = (sent["id"].clone(), sent["correlationId"].clone());
    assert_eq!(
        sent,
        json!({
            "key": format!("TIMELINEMESSAGE:::{CONVERSATION}:::1772615721412:::{}", id.as_str().unwrap()),
            "version": "v2", "type": "TimelineMessage", "contentType": "message",
            "contents": {"message": "where is my order"}, "correlationId": correlation,
            "conversationId": CONVERSATION, "id": id, "to": "server", "timestamp": 1_772_615_721_412_i64,
            "organization": "acme", "identity": "+31 6 1", "customerReference": "+31 6 1",
            "inputSource": {"type": "utterance"}, "endpoint": {"address": "shop"},
        })
    );
    assert!(sent["key"].as_str().unwrap().len() <= 100 && id.as_str().unwrap().len() <= 60);
}

/// Shows S18.
#[test]
fn bot_agent_and_system_messages_go_to_the_client() {
    for author in [AuthorRole::Bot, AuthorRole::Agent, AuthorRole::System] {
        let sent = timeline_json(&observed(author, text_message("Let me check.")));
        assert_eq!((&sent["to"], &sent["inputSource"]), (&json!("client"), &Value::Null));
    }
    let mut unknown = observed(AuthorRole::Unknown, text_message("x"));
    assert_eq!(timeline_json(&unknown)["to"], "client");
    unknown.from = unknown.key.channel.clone();
    assert_eq!(timeline_json(&unknown)["to"], "server", "the channel sent the event");
}

/// Shows S9, S23, S25.
#[test]
fn a_question_is_markup_in_both_forms_and_a_choice_without_one_is_a_message() {
    let choice = |typed: Option<&str>| EventBody::Choice {
        id: "1".into(),
        title: Some("Refund".into()),
        typed: typed.map(Into::into),
    };
    let clicked = timeline_json(&observed(AuthorRole::Customer, choice(None)));
    assert_eq!(clicked["contents"], json!({"message": "Refund"}));
    assert_eq!(clicked["inputSource"]["type"], "interaction");
    let typed = timeline_json(&observed(AuthorRole::Customer, choice(Some("2"))));
    assert_eq!(typed["inputSource"]["type"], "utterance");
    let content = Content { choices: choices(&["Track", "A & B"]), ..Content::text("Pick <one>") };
    let asked = timeline_json(&observed(AuthorRole::Bot, message(content)));
    assert_eq!(asked["contentType"], "markup");
    let buttons = "<ButtonPromptContainer interactionType=\"event\">\
                   <ButtonPrompt label=\"Track\" id=\"0\"/><ButtonPrompt label=\"A &amp; B\" id=\"1\"/>\
                   </ButtonPromptContainer>";
    assert_eq!(
        asked["contents"],
        json!({
            "markup": format!("<TimelineMessage><TextMsg>Pick &lt;one&gt;</TextMsg>{buttons}</TimelineMessage>"),
            "markupObject": {"TimelineMessage": {"#name": "TimelineMessage", "children": [
                {"#name": "TextMsg", "content": "Pick <one>"},
                {"#name": "ButtonPromptContainer", "attributes": {"interactionType": "event"}, "children": [
                    {"#name": "ButtonPrompt", "attributes": {"label": "Track", "id": "0"}},
                    {"#name": "ButtonPrompt", "attributes": {"label": "A & B", "id": "1"}},
                ]},
            ]}},
        })
    );
}

fn bots() -> Delivery {
    let content = Content { choices: choices(&["Track", "Refund"]), ..Content::text("Pick one") };
    observed(AuthorRole::Bot, message(content))
}

/// The delivery of the customer's choice, an hour after the question.
fn picked(question: &Delivery, typed: Option<&str>) -> Delivery {
    let (id, title, typed) = ("1".into(), Some("Refund".into()), typed.map(Into::into));
    let mut picked = observed(AuthorRole::Customer, EventBody::Choice { id, title, typed });
    picked.event.at = question.event.at + SignedDuration::from_hours(1);
    picked.event.choice_source = Some(Box::new(ChoiceSource {
        from: question.from.clone(),
        event: question.event.id.clone(),
        at: question.event.at,
        parts: BTreeMap::new(),
    }));
    picked
}

/// Shows S10, S11, S25.
#[test]
fn a_choice_is_an_interaction_with_the_markup_that_offered_it() {
    let question = bots();
    let asked = timeline_json(&question);
    for typed in [None, Some("2")] {
        let sent = timeline_json(&picked(&question, typed));
        let at = 1_772_619_321_412_i64;
        let members = ["contentType", "id", "to", "timestamp"].map(|name| sent[name].clone());
        assert_eq!(
            members,
            [json!("markupInteraction"), asked["id"].clone(), json!("server"), json!(at)]
        );
        assert_eq!(
            sent["contents"],
            json!({
                "source": {"eventType": "TimelineMessage", "timestamp": asked["timestamp"],
                           "id": asked["id"], "conversationId": CONVERSATION},
                "interaction": {"action": "buttonInteraction", "timestamp": at,
                                "value": {"id": "1", "label": "Refund"}},
            })
        );
        assert_eq!(sent["inputSource"]["type"], "interaction");
        let id = asked["id"].as_str().unwrap();
        assert_eq!(sent["key"], format!("TIMELINEMESSAGE:::{CONVERSATION}:::{at}:::{id}"));
        assert_ne!(sent["key"], asked["key"]);
        // As the vendor's own example, in every member.
        let example = include_str!("../fixtures/documented-interaction.json");
        let example: Value = serde_json::from_str(example).unwrap();
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        let ours = names(&sent);
        assert!(names(&example["message"]).iter().all(|name| ours.contains(name)), "{ours:?}");
        for of in ["/source", "/interaction", "/interaction/value"] {
            let of = format!("/contents{of}");
            let theirs = example["message"].pointer(&of).unwrap();
            assert_eq!(names(sent.pointer(&of).unwrap()), names(theirs));
        }
    }
}

/// Shows S25.
#[test]
fn an_interaction_names_the_part_with_the_choices() {
    let mut question = bots();
    let whole = question.clone();
    question.to.part = 2;
    question.id =
        Delivery::make_id(&question.key, &question.from, &question.event.id, &question.to);
    let asked = timeline_json(&question);
    let mut picked = picked(&whole, None);
    let source = picked.event.choice_source.as_mut().unwrap();
    source.parts.insert(picked.to.connection.clone(), 3);
    let sent = timeline_json(&picked);
    let source = &sent["contents"]["source"];
    assert_eq!((&source["id"], &source["timestamp"]), (&asked["id"], &asked["timestamp"]));
}

/// Shows S24.
#[test]
fn a_single_use_question_prevents_retries() {
    let mut question = bots();
    let single = |question: &mut Delivery, single_use| {
        question.event.body.content_mut().unwrap().single_use = single_use;
        let sent = timeline_json(question);
        let read = event(&json!({"message": sent}).to_string(), &eventing());
        assert_eq!(crate::common::content(&read).single_use, single_use);
        sent["contents"]["markup"].as_str().unwrap().contains("preventRetries=\"true\"")
    };
    assert!(single(&mut question, true) && !single(&mut question, false));
    question.event.body.content_mut().unwrap().single_use = true;
    question.to.presentation.capabilities.choices = false;
    for part in render(&question.event, &question.to) {
        assert!(part.body.content().unwrap().single_use, "also where the choices are a list");
    }
}

#[test]
fn markup_omits_the_numbered_list() {
    for text in [Some("Pick one"), None] {
        let content = Content {
            text: text.map(Into::into),
            choices: choices(&["A", "B"]),
            ..Content::default()
        };
        let mut delivery = observed(AuthorRole::Bot, message(content.clone()));
        let capabilities = &mut delivery.to.presentation.capabilities;
        (capabilities.choices, capabilities.media) = (false, false);
        delivery.event = render(&delivery.event, &delivery.to).remove(0);
        let body =
            json!({"message": timeline_message(&delivery, CONVERSATION, &settings()).unwrap()});
        let read = event(&body.to_string(), &eventing());
        assert_eq!(crate::common::content(&read), &content);
    }
}

#[test]
fn pictures_become_cards_and_files_become_detail_views() {
    let media = |url: &str, kind: Option<&str>, name: Option<&str>| Media {
        url: url.into(),
        mime_type: kind.map(Into::into),
        name: name.map(Into::into),
        ..Media::default()
    };
    let files = vec![
        media("https://x.example/a.jpg", Some("image/jpeg"), None),
        media("https://x.example/b.pdf", Some("application/pdf"), Some("bill.pdf")),
    ];
    let content = Content { media: files, ..Content::text("Here") };
    let sent = timeline_json(&observed(AuthorRole::Bot, message(content.clone())));
    let markup = "<TimelineMessage><TextMsg>Here</TextMsg><Card imgUrl=\"https://x.example/a.jpg\"/>\
                  <DetailView url=\"https://x.example/b.pdf\" title=\"bill.pdf\"/></TimelineMessage>";
    assert_eq!(sent["contents"]["markup"], markup);
    let by_customer = timeline_json(&observed(AuthorRole::Customer, message(content)));
    let text = "Here\nhttps://x.example/a.jpg\nhttps://x.example/b.pdf";
    assert_eq!(by_customer["contents"], json!({"message": text}));
}

#[test]
fn parts_of_one_event_are_distinct_and_ordered() {
    let whole = observed(AuthorRole::Bot, text_message("x"));
    let mut second = whole.clone();
    second.to.part = 1;
    second.id = Delivery::make_id(&second.key, &second.from, &second.event.id, &second.to);
    let (one, two) = (timeline_json(&whole), timeline_json(&second));
    assert!(one["timestamp"].as_i64() < two["timestamp"].as_i64());
    assert!(one["key"] != two["key"] && one["id"] != two["id"]);
    assert_eq!(one["correlationId"], two["correlationId"]);
    assert_eq!(timeline_json(&whole), one, "a repeat is identical");
}

#[test]
fn shortens_long_customer_ids_and_rejects_other_events() {
    let mut delivery = observed(AuthorRole::Customer, text_message("x"));
    delivery.key.customer = "c".repeat(200);
    let sent = timeline_json(&delivery);
    assert_eq!(sent["identity"].as_str().unwrap().len(), 43);
    assert_eq!(sent["customerReference"], "c".repeat(200));
    let close = observed(AuthorRole::System, EventBody::Close { reason: None });
    assert!(matches!(timeline_message(&close, "c", &settings()), Err(EncodeError::Unsupported(_))));
}

/// Shows S5, S6, S19.
#[test]
fn authenticates_with_a_key_or_a_token() {
    let delivery = observed(AuthorRole::Customer, text_message("x"));
    let encode = |change: Value| {
        let mut settings = json!({"eventing_url": "https://a.example/v1/persist"});
        settings.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        sending(&delivery, &settings, |sending| Servisbot::default().encode(sending))
    };
    let request = encode(json!({})).unwrap();
    assert_eq!(request.url, "https://a.example/v1/persist");
    assert_eq!(request.headers["authorization"], "ApiKey eventing-key-51");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        request.headers["x-correlation-id"],
        body["message"]["correlationId"].as_str().unwrap()
    );
    let own = encode(json!({"auth_header": "x-key"})).unwrap();
    assert_eq!(own.headers["x-key"], "eventing-key-51");
    let token = encode(json!({"auth": "jwt_secret"})).unwrap();
    assert!(token.headers["authorization"].to_str().unwrap().starts_with("Bearer eyJ"));
    assert!(matches!(encode(json!({"auth": "jwks"})), Err(EncodeError::Misconfigured(_))));
    let nowhere = encode(json!({"eventing_url": null}));
    assert!(matches!(nowhere, Err(EncodeError::Misconfigured(_))));
}

fn any_content() -> impl Strategy<Value = Content> {
    let word = "[^\\p{C}\\p{Z}][^\\p{C}]{0,12}[^\\p{C}\\p{Z}]";
    let lines = prop::collection::vec(word, 1..4).prop_map(|lines| lines.join("\n"));
    let text = prop::option::of(lines);
    let choice = (word, word).prop_map(|(id, title)| Choice { id, title });
    let choices = prop::collection::vec(choice, 0..4);
    let picture = ("https://x\\.example/[a-z&?=]{1,9}", prop::option::of(word));
    let picture =
        picture.prop_map(|(url, name)| Media { url, mime_type: None, name, ..Media::default() });
    (text, choices, prop::collection::vec(picture, 0..3))
        .prop_map(|(text, choices, media)| Content { text, choices, media, ..Content::default() })
        .prop_filter("has content", |content| !content.is_empty())
}

proptest! {
    #[test]
    fn encoded_events_parse_back(content in any_content()) {
        let delivery = observed(AuthorRole::Bot, message(content.clone()));
        let sent = timeline_message(&delivery, CONVERSATION, &settings()).unwrap();
        let read = event(&json!({"message": sent}).to_string(), &eventing());
        prop_assert_eq!(crate::common::content(&read), &content);
        prop_assert_eq!(read.external_conversation_id, "+31 6 1");
        prop_assert_eq!((read.at, read.author.role), (now(), AuthorRole::Bot));
        prop_assert_eq!(read.external_message_id, sent.id.map(Into::into));
    }

    #[test]
    fn encoded_messages_parse_back(text in "\\PC{0,40}", author in 0..2usize) {
        let author = [AuthorRole::Customer, AuthorRole::Agent][author];
        let sent = timeline_message(&observed(author, text_message(&text)), CONVERSATION, &settings()).unwrap();
        let value = serde_json::to_value(&sent).unwrap();
        prop_assert_eq!(TimelineMessage::from_json(&value).unwrap(), sent);
        let read = event(&json!({"message": value.clone()}).to_string(), &eventing());
        if author == AuthorRole::Customer {
            let name = "message".into();
            prop_assert_eq!(read.body, EventBody::Opaque { is_message: false, name, raw: value });
        }
    }
}
