//! Properties of the protocol: encoding round-trips, and the parser never panics.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value};
use trunkline_core::model::{
    self, AuthorRole, Choice, Content, EarlierMessage, Event, EventBody, EventId, HandoverMode,
    Media, ReceiptStatus, Transcript,
};
use trunkline_webhook::{
    Author, Card, CardAction, ChannelInfo, Contact, Envelope, Format, Location, Payload, ReplyTo,
    TranscriptEntry, TransferTarget, encode_event, parse,
};

fn any_time() -> impl Strategy<Value = Timestamp> {
    (-60_000_000_000i64..250_000_000_000, 0i32..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

fn any_map() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        ".{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1e300f64..1e300).prop_map(Value::from),
        Just(Value::Null),
    ];
    prop::collection::btree_map(".{0,12}", value, 0..4).prop_map(|map| map.into_iter().collect())
}

fn any_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(".{0,24}")
}

fn any_next() -> impl Strategy<Value = TransferTarget> {
    prop::sample::select(vec![TransferTarget::Next, TransferTarget::Bot, TransferTarget::Desk])
}

fn any_lines() -> impl Strategy<Value = Vec<TranscriptEntry>> {
    let line = (any_time(), any_text()).prop_map(|(timestamp, text)| TranscriptEntry {
        timestamp,
        author: Author { role: serde_json::from_value(Value::from("agent")).unwrap(), name: None },
        text,
        format: Format::Html,
        media: vec![],
    });
    prop::collection::vec(line, 0..3)
}

/// Cards, a location and a contact.
type Parts = (Vec<Card>, Option<Box<Location>>, Option<Box<Contact>>);

fn any_parts() -> impl Strategy<Value = Parts> {
    let card = (any_text(), ".{0,12}", ".{0,12}").prop_map(|(text, id, title)| Card {
        title: text.clone(),
        picture: text.clone().map(|url| trunkline_webhook::Media {
            url,
            mime_type: None,
            name: None,
        }),
        text,
        format: Format::Html,
        actions: vec![
            CardAction::Link { title: title.clone(), url: id.clone() },
            CardAction::Reply { id, title },
        ],
    });
    let location = (-90.0..90.0, -180.0..180.0, any_text()).prop_map(
        |(latitude, longitude, name): (f64, f64, _)| {
            // JSON keeps every digit of these.
            let (latitude, longitude) = (latitude.round(), longitude.round());
            Box::new(Location { latitude, longitude, name, address: None })
        },
    );
    let contact = (any_text(), ".{0,12}").prop_map(|(name, phone)| {
        Box::new(Contact { organization: name.clone(), name, phones: vec![phone], emails: vec![] })
    });
    (prop::collection::vec(card, 0..3), prop::option::of(location), prop::option::of(contact))
}

fn any_payload() -> impl Strategy<Value = Payload> {
    let messages =
        prop_oneof![
            (any_text(), any_map(), any_parts(), any::<bool>()).prop_map(
                |(text, metadata, (cards, location, contact), single_use)| Payload::Message {
                    reply_to: text.clone().map(|message| Box::new(ReplyTo { message, text: None })),
                    text,
                    format: Format::Markdown,
                    media: vec![],
                    cards,
                    location,
                    contact,
                    choices: vec![],
                    single_use,
                    metadata,
                }
            ),
            (".{0,12}", any_text(), any_text()).prop_map(|(id, title, typed)| Payload::Choice {
                id,
                title,
                typed
            }),
            (".{0,12}", ".{0,12}", any_text())
                .prop_map(|(message, status, reason)| Payload::Receipt { message, status, reason }),
            any::<bool>().prop_map(|active| Payload::Typing { active }),
            (".{0,12}", ".{0,12}").prop_map(|(message, text)| Payload::Edit {
                message,
                text,
                format: Format::Html
            }),
            (".{0,12}", "\\PC{1,8}", any::<bool>()).prop_map(|(message, emoji, removed)| {
                Payload::Reaction { message, emoji, removed }
            }),
            ".{0,12}".prop_map(|message| Payload::Delete { message }),
            (".{0,12}", any_map(), any::<bool>()).prop_map(|(name, raw, is_message)| {
                Payload::Opaque { is_message, name, raw: Value::Object(raw) }
            }),
            ".{0,24}".prop_map(|challenge| Payload::Verification { challenge }),
        ];
    let transfers = prop_oneof![
        (any_text(), any_map(), any_lines(), any::<bool>()).prop_map(
            |(reason, context, transcript, passed)| Payload::Handover {
                reason,
                context,
                transcript,
                passed
            }
        ),
        (any_text(), any_map(), any_lines()).prop_map(|(reason, context, transcript)| {
            Payload::Handback { reason, context, transcript }
        }),
        (any_next(), any_text(), any_map()).prop_map(|(to, reason, context)| Payload::Offer {
            to,
            reason,
            context
        }),
        (any_next(), any_text(), any_map()).prop_map(|(to, reason, context)| Payload::Pass {
            to,
            reason,
            context
        }),
        (any_text(), any_map()).prop_map(|(reason, context)| Payload::Release { reason, context }),
        Just(Payload::Accept {}),
        any_text().prop_map(|reason| Payload::Close { reason }),
    ];
    prop_oneof![messages, transfers]
}

fn any_author() -> impl Strategy<Value = Option<Author>> {
    let roles = ["customer", "bot", "agent", "system", "unknown"];
    let role = prop::sample::select(roles.to_vec())
        .prop_map(|role| serde_json::from_value(Value::from(role)).unwrap());
    prop::option::of((role, any_text()).prop_map(|(role, name)| Author { role, name }))
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    let channel =
        (".{0,12}", any_text()).prop_map(|(connection, name)| ChannelInfo { connection, name });
    let head = (".{1,60}", any_time(), ".{0,24}", any_author(), any_text());
    (head, prop::option::of(channel), any::<bool>(), any_payload()).prop_map(
        |((id, timestamp, conversation, author, language), channel, copy, payload)| Envelope {
            id,
            timestamp,
            conversation,
            author,
            channel,
            language,
            copy,
            payload,
        },
    )
}

fn card(id: &str, text: Option<String>) -> model::Card {
    let choice = Choice { id: id.to_owned(), title: id.to_owned() };
    let actions = vec![model::CardAction::Reply(choice)];
    model::Card { text, format: model::Format::Markdown, actions, ..model::Card::default() }
}

fn any_body() -> impl Strategy<Value = EventBody> {
    let content = (any_text(), prop::collection::vec((".{1,12}", any_text()), 0..3)).prop_map(
        |(text, parts)| Content {
            reply_to: text
                .as_ref()
                .map(|text| Box::new(EarlierMessage::new("m", EventId::from_parts(&[text])))),
            cards: parts.iter().map(|(id, text)| card(id, text.clone())).collect(),
            location: model::Location::new(1.5, -2.25).map(Box::new),
            contact: text
                .clone()
                .map(|name| Box::new(model::Contact { name: Some(name), ..Default::default() })),
            text,
            format: model::Format::Html,
            media: parts
                .iter()
                .map(|(url, name)| Media {
                    url: url.clone(),
                    mime_type: name.clone(),
                    name: name.clone(),
                    ..Media::default()
                })
                .collect(),
            choices: parts
                .iter()
                .map(|(id, _)| Choice { id: id.clone(), title: id.clone() })
                .collect(),
            single_use: parts.len() == 1,
        },
    );
    prop_oneof![
        (content, any_map())
            .prop_map(|(content, metadata)| EventBody::Message { content, metadata }),
        (".{0,12}", any_text()).prop_map(|(id, title)| EventBody::Choice {
            id,
            title,
            typed: None
        }),
        any_text().prop_map(|reason| EventBody::Receipt {
            message: "m".into(),
            target: None,
            status: ReceiptStatus::Failed,
            reason
        }),
        (any_text(), any_map()).prop_map(|(reason, context)| EventBody::Handover {
            mode: HandoverMode::Pass,
            reason,
            context,
            transcript: Transcript::default()
        }),
    ]
}

proptest! {
    #[test]
    fn encoded_envelopes_parse_back(envelope in any_envelope()) {
        prop_assume!(envelope.id.len() <= 512);
        let written = serde_json::to_vec(&envelope).unwrap();
        prop_assert_eq!(parse(&written), Ok(envelope));
    }

    #[test]
    fn encoded_events_parse_back(body in any_body(), at in any_time()) {
        let author = model::Author::nameless(AuthorRole::Agent);
        let event = Event::new(EventId::from_parts(&["e", "1"]), "c", at, author, body);
        let to = "bot".parse().unwrap();
        let envelope = encode_event(&event, "external-1", &to);
        let written = serde_json::to_vec(&envelope).unwrap();
        prop_assert_eq!(parse(&written), Ok(envelope));
    }

    #[test]
    fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body);
    }

    #[test]
    fn arbitrary_json_never_panics(
        kind in "[a-z_]{0,12}", key in "[a-z]{0,8}", data in any_map(), text in ".{0,20}"
    ) {
        let value = serde_json::json!({"type": kind, "data": data, "id": text, key: text});
        let _ = parse(value.to_string().as_bytes());
    }
}

#[test]
fn errors_state_the_problem() {
    let error_of = |body: &str| parse(body.as_bytes()).unwrap_err();
    assert!(error_of("hello").starts_with("not JSON"));
    assert!(error_of("[]").contains("one event per call"));
    assert!(error_of("{}").contains("missing field `id`"));
    let unknown = r#"{"id":"1","timestamp":"2026-03-04T09:15:20Z","conversation":"c","type":"dance","data":{}}"#;
    assert!(error_of(unknown).contains("unknown variant `dance`"), "{}", error_of(unknown));
    let late = unknown.replace("2026-03-04T09:15:20Z", "yesterday").replace("dance", "close");
    assert!(parse(late.as_bytes()).is_err());
}
