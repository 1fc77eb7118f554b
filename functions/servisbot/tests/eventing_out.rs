//! Eventing out: events to an observer in ServisBOT's envelope.

use crate::common::{CONVERSATION, delivery, event, eventing, now, sending, text_message};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trunkline_core::model::{AuthorRole, Choice, Content, Delivery, EventBody, Media, Role};
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

#[test]
fn a_choice_is_a_message_and_a_question_is_markup_in_both_forms() {
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
