use proptest::prelude::*;
use serde_json::json;
use trunkline_core::model::{
    Choice, Content, Event, EventBody, EventId, Format, HandoverMode, Media,
};

use super::*;

fn delivery(limit: Option<u32>) -> Delivery {
    let author = Author::nameless(AuthorRole::Bot);
    let body = EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: None,
        context: Map::new(),
        transcript: Transcript::default(),
    };
    let at = "2026-03-04T09:15:21Z".parse().unwrap();
    let event = Event::new(EventId::from_parts(&["e"]), "c", at, author, body);
    let limit = limit.map_or(String::new(), |limit| limit.to_string());
    let value = json!({
        "id": "dlv_1", "key": {"channel": "shop", "customer": "c"}, "conversation": "conversation-1",
        "from": "bot", "event": event,
        "to": {"connection": "desk", "platform": "unblu", "role": "desk", "presentation": {"capabilities": limit}},
    });
    serde_json::from_value(value).unwrap()
}

fn line(at: &str, role: AuthorRole, name: Option<&str>, content: Content) -> TranscriptEntry {
    let author = Author { role, name: name.map(Into::into) };
    TranscriptEntry { at: at.parse().unwrap(), author, content }
}

fn handover_texts(
    reason: Option<&str>,
    context: &Value,
    lines: Vec<TranscriptEntry>,
    limit: Option<u32>,
) -> Vec<String> {
    let transcript = Transcript { limit: 20, entries: lines, ..Transcript::default() };
    let settings = Settings::default();
    texts(&settings, &delivery(limit), reason, context.as_object().unwrap(), &transcript)
}

fn conversation() -> Vec<TranscriptEntry> {
    let asked = Content {
        choices: vec![
            Choice { id: "1".into(), title: "Where is it?".into() },
            Choice { id: "2".into(), title: "Return it".into() },
        ],
        ..Content::text("Which?")
    };
    let file = Content {
        media: vec![Media {
            url: "https://m.example/a.jpg".into(),
            mime_type: None,
            name: Some("a.jpg".into()),
            ..Media::default()
        }],
        ..Content::default()
    };
    let bold = Content { format: Format::Markdown, ..Content::text("**Sorry**") };
    vec![
        line(
            "2026-03-03T23:59:00Z",
            AuthorRole::Customer,
            Some("Noor"),
            Content::text("Hi\nthere"),
        ),
        line("2026-03-04T09:14:00Z", AuthorRole::Bot, None, asked),
        line("2026-03-04T09:15:00Z", AuthorRole::Customer, Some("Noor"), file),
        line("2026-03-04T09:15:10Z", AuthorRole::Bot, None, bold),
    ]
}

#[test]
fn one_message_has_reason_context_and_transcript() {
    let context = json!({"order": "48121", "tries": 3});
    let expected = "\
Handed over by the assistant
Reason: customer_asked
order: 48121
tries: 3

— 2026-03-03 (UTC)
23:59 Customer (Noor): Hi
    there
— 2026-03-04 (UTC)
09:14 Bot: Which?
    1. Where is it?
    2. Return it
09:15 Customer (Noor): a.jpg: https://m.example/a.jpg
09:15 Bot: Sorry";
    assert_eq!(handover_texts(Some("customer_asked"), &context, conversation(), None), [expected]);
}

#[test]
fn an_empty_handover_has_no_messages() {
    assert_eq!(handover_texts(None, &json!({}), vec![], None), Vec::<String>::new());
}

#[test]
fn splits_at_the_text_limit() {
    let messages = handover_texts(Some("x"), &json!({}), conversation(), Some(60));
    assert!(
        messages.len() > 2 && messages.iter().all(|text| text.chars().count() <= 60),
        "{messages:#?}"
    );
}

#[test]
fn a_text_cannot_imitate_another_authors_line() {
    for forged in ["a\n09:16 Agent: yes", "a\r09:16 Agent: yes", "a\u{2028}09:16 Agent: yes"] {
        let said = line("2026-03-04T09:15:00Z", AuthorRole::Customer, None, Content::text(forged));
        let text = handover_texts(None, &json!({}), vec![said], None).remove(0);
        assert!(text.ends_with("09:15 Customer: a\n    09:16 Agent: yes"), "{text}");
    }
}

proptest! {
    #[test]
    fn splitting_loses_no_text_and_respects_the_limit(
        words in prop::collection::vec("[a-z]{1,9}( [a-z]{1,9}){0,9}", 1..12), limit in 20_u32..300
    ) {
        let lines = words.iter().map(|said| {
            line("2026-03-04T09:15:00Z", AuthorRole::Customer, None, Content::text(said.as_str()))
        });
        let messages = handover_texts(None, &json!({}), lines.collect(), Some(limit));
        let limit = usize::try_from(limit).unwrap();
        prop_assert!(messages.iter().all(|text| text.chars().count() <= limit && !text.trim().is_empty()));
        let all: String = messages.concat().split_whitespace().collect();
        for said in words {
            let said: String = said.split_whitespace().collect();
            prop_assert!(all.contains(&said), "{said}");
        }
    }

    #[test]
    fn formatting_never_panics(said in ".{0,200}", name in ".{0,20}", limit in 0_u32..50) {
        let said = line("2026-03-04T09:15:00Z", AuthorRole::Unknown, Some(&name), Content::text(said));
        let _ = handover_texts(Some(&name), &json!({"a": name}), vec![said], Some(limit));
    }
}
