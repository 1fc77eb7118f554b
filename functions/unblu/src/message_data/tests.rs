use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Choice, ConversationKey, EarlierMessage, Event, EventId, MessageReference,
    Resend, Role, Target,
};

use super::*;

const URL: &str = "https://m.example/receipt.png";

fn delivery(body: EventBody) -> Delivery {
    let target = json!({"connection": "desk", "platform": "unblu", "role": "desk"});
    let to: Target = serde_json::from_value(target).unwrap();
    assert_eq!(to.role, Role::Desk);
    let author = Author::nameless(AuthorRole::Customer);
    let id = EventId::from_parts(&["e", "1"]);
    Delivery {
        id: "dlv_1".into(),
        key: ConversationKey { channel: "shop".parse().unwrap(), customer: "+31 6".into() },
        conversation: "conversation-1".into(),
        from: "shop".parse().unwrap(),
        to,
        event: Event::new(id, "+31 6", Timestamp::UNIX_EPOCH, author, body),
        filed_at: None,
        resend: Resend::No,
    }
}

fn sent_with(content: Content, files: &DataUrls) -> Vec<(String, Value)> {
    let body = EventBody::Message { content, metadata: Map::new() };
    let sent = messages(&delivery(body), &Settings::default(), files, None).unwrap();
    sent.into_iter().map(|message| (message.id, message.data)).collect()
}

fn media(url: &str, name: Option<&str>) -> Media {
    Media { url: url.into(), mime_type: None, name: name.map(Into::into), ..Media::default() }
}

fn read(url: &str) -> DataUrls {
    DataUrls::from([(url.to_owned(), "data:image/png;base64,iVBORw0KGgo=".to_owned())])
}

#[test]
fn a_text_matches_the_documented_example() {
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-text-v4.json")).unwrap();
    let sent = sent_with(Content::text("Where is my order?"), &DataUrls::new());
    assert_eq!(sent, [("dlv_1".to_owned(), documented["messageData"].clone())]);
}

#[test]
fn sends_markdown_as_such_and_other_markup_as_plain_text() {
    let text = |text: &str, format| {
        let content = Content { format, ..Content::text(text) };
        let sent = sent_with(content, &DataUrls::new()).remove(0).1;
        (sent["text"].as_str().unwrap().to_owned(), sent["textType"].as_str().unwrap().to_owned())
    };
    assert_eq!(text("**a**", Format::Markdown), ("**a**".into(), "MARKDOWN".into()));
    assert_eq!(text("<b>a</b>", Format::Html), ("a".into(), "SIMPLE_TEXT".into()));
    assert_eq!(text("<b>a</b>", Format::Plain), ("<b>a</b>".into(), "SIMPLE_TEXT".into()));
}

#[test]
fn a_file_matches_the_documented_example() {
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-file-data.json")).unwrap();
    let content = Content { media: vec![media(URL, None)], ..Content::text("Receipt") };
    assert_eq!(sent_with(content, &read(URL)), [("dlv_1".to_owned(), documented)]);
}

#[test]
fn an_unreadable_file_becomes_a_link() {
    let content = Content { media: vec![media(URL, Some("r.png"))], ..Content::text("Receipt") };
    let sent = sent_with(content, &DataUrls::new());
    assert_eq!(sent[0].1["text"], format!("Receipt\nr.png: {URL}"));
    let alone = Content { media: vec![media(URL, None)], ..Content::default() };
    assert_eq!(sent_with(alone, &DataUrls::new())[0].1["text"], URL);
}

#[test]
fn the_last_of_several_messages_has_the_delivery_id() {
    let two = "https://m.example/b.png";
    let content =
        Content { media: vec![media(URL, None), media(two, None)], ..Content::text("Both") };
    let ids = ["dlv_1#1", "dlv_1#2", "dlv_1"];
    for files in [DataUrls::new(), read(URL), read(two)] {
        let sent = sent_with(content.clone(), &files);
        assert_eq!(sent.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ids);
        assert_eq!(sent[0].1["text"], "Both");
    }
}

#[test]
fn an_option_becomes_a_reply_and_any_other_choice_a_text() {
    let choose = |id: &str, title: Option<&str>| {
        let choice = EventBody::Choice { id: id.into(), title: title.map(Into::into), typed: None };
        let sent =
            messages(&delivery(choice), &Settings::default(), &DataUrls::new(), None).unwrap();
        (sent[0].id.clone(), sent[0].data.clone())
    };
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-reply-data.json")).unwrap();
    let picked = choose("question/mEsSaGeIdExample0000003/2", Some("label2"));
    assert_eq!(picked, ("dlv_1".to_owned(), documented));
    assert_eq!(choose("PAYLOAD", Some("Red")).1["text"], "Red");
    assert_eq!(choose("PAYLOAD", None).1["text"], "PAYLOAD");
    assert_eq!(choose("say:I take it", Some("Red")).1["text"], "I take it");
}

/// Shows U19.
#[test]
fn a_text_answers_the_pending_question_or_the_one_that_it_replies_to() {
    let sent = |content: Content, pending: Option<&str>| {
        let body = EventBody::Message { content, metadata: Map::new() };
        let sent = messages(&delivery(body), &Settings::default(), &DataUrls::new(), pending);
        sent.unwrap().remove(0)
    };
    let answered = sent(Content::text("Main Street 1"), Some("m-7"));
    let expected = json!({"$_type": "ReplyPostMessageData", "type": "REPLY", "questionMessageId": "m-7",
                          "value": "Main Street 1", "fallbackText": "Main Street 1"});
    assert_eq!(answered.data, expected);
    let instead = answered.instead.unwrap();
    assert_eq!((&instead["type"], &instead["text"]), (&json!("TEXT"), &json!("Main Street 1")));

    let replying = |to: &str| {
        let mut earlier = EarlierMessage::new(to, EventId::from_parts(&["m", "1"]));
        let desk = "desk".parse().unwrap();
        earlier.known_as = vec![MessageReference { connection: desk, message: to.into() }];
        Content { reply_to: Some(Box::new(earlier)), ..Content::text("Yes") }
    };
    assert_eq!(sent(replying("question/m-8"), Some("m-7")).data["questionMessageId"], "m-8");
    assert_eq!(sent(replying("m-9"), Some("m-7")).data["type"], "TEXT", "about another message");
    let file = Content { media: vec![media(URL, None)], ..Content::text("See") };
    assert_ne!(sent(file, Some("m-7")).data["type"], "REPLY", "a file is no answer");
}

#[test]
fn rejects_empty_messages() {
    let choices = vec![Choice { id: "a".into(), title: "A".into() }];
    for content in [Content::default(), Content { choices, ..Content::text(" ") }] {
        let body = EventBody::Message { content, metadata: Map::new() };
        let sent = messages(&delivery(body), &Settings::default(), &DataUrls::new(), None);
        assert!(matches!(sent, Err(EncodeError::Unsupported(_))));
    }
    let typing = EventBody::Typing { active: true };
    assert!(messages(&delivery(typing), &Settings::default(), &DataUrls::new(), None).is_err());
}

#[test]
fn many_files_do_not_become_many_messages() {
    let files = (0..4_000).map(|number| media(&format!("https://m.example/{number}"), None));
    let content = Content { media: files.collect(), ..Content::text("All") };
    let sent = sent_with(content, &DataUrls::new());
    assert_eq!(sent.len(), 12, "the text, ten files, and one text with the other links");
    assert_eq!(sent[11].1["text"].as_str().unwrap().lines().count(), 3_990);
}
