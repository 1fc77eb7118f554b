use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_shared::model::{
    Author, AuthorRole, Choice, ConversationKey, Event, EventId, Platform, Role, Target,
};

use super::*;

const URL: &str = "https://m.example/receipt.png";

fn delivery(body: EventBody) -> Delivery {
    let target = json!({"connection": "desk", "platform": "unblu", "role": "desk"});
    let to: Target = serde_json::from_value(target).unwrap();
    assert_eq!((to.platform, to.role), (Platform::Unblu, Role::Desk));
    let author = Author::nameless(AuthorRole::Customer);
    let id = EventId::from_parts(&["e", "1"]);
    Delivery {
        id: "dlv_1".into(),
        key: ConversationKey { channel: "shop".parse().unwrap(), customer: "+31 6".into() },
        conversation: "ours".into(),
        from: "shop".parse().unwrap(),
        to,
        event: Event::new(id, "+31 6", Timestamp::UNIX_EPOCH, author, body),
        again: false,
        replay: false,
    }
}

fn sent_with(content: Content, files: &Files) -> Vec<(String, Value)> {
    let body = EventBody::Message { content, metadata: Map::new() };
    messages(&delivery(body), &Settings::default(), files).unwrap()
}

fn media(url: &str, name: Option<&str>) -> Media {
    Media { url: url.into(), mime_type: None, name: name.map(Into::into) }
}

fn read(url: &str) -> Files {
    Files::from([(url.to_owned(), "data:image/png;base64,iVBORw0KGgo=".to_owned())])
}

#[test]
fn a_text_as_documented() {
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-text-v4.json")).unwrap();
    let sent = sent_with(Content::text("Where is my order?"), &Files::new());
    assert_eq!(sent, [("dlv_1".to_owned(), documented["messageData"].clone())]);
}

#[test]
fn markup_is_markdown_or_plain() {
    let text = |text: &str, format| {
        let content = Content { format, ..Content::text(text) };
        let sent = sent_with(content, &Files::new()).remove(0).1;
        (sent["text"].as_str().unwrap().to_owned(), sent["textType"].as_str().unwrap().to_owned())
    };
    assert_eq!(text("**a**", Format::Markdown), ("**a**".into(), "MARKDOWN".into()));
    assert_eq!(text("<b>a</b>", Format::Html), ("a".into(), "SIMPLE_TEXT".into()));
    assert_eq!(text("<b>a</b>", Format::Plain), ("<b>a</b>".into(), "SIMPLE_TEXT".into()));
}

#[test]
fn a_file_as_documented_with_its_text_as_caption() {
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-file-data.json")).unwrap();
    let content = Content { media: vec![media(URL, None)], ..Content::text("Receipt") };
    assert_eq!(sent_with(content, &read(URL)), [("dlv_1".to_owned(), documented)]);
}

#[test]
fn a_file_that_could_not_be_read_is_a_link() {
    let content = Content { media: vec![media(URL, Some("r.png"))], ..Content::text("Receipt") };
    let sent = sent_with(content, &Files::new());
    assert_eq!(sent[0].1["text"], format!("Receipt\nr.png: {URL}"));
    let alone = Content { media: vec![media(URL, None)], ..Content::default() };
    assert_eq!(sent_with(alone, &Files::new())[0].1["text"], URL);
}

#[test]
fn several_files_are_several_messages_and_the_last_has_the_deliverys_id() {
    let two = "https://m.example/b.png";
    let content =
        Content { media: vec![media(URL, None), media(two, None)], ..Content::text("Both") };
    let ids = ["dlv_1#1", "dlv_1#2", "dlv_1"];
    for files in [Files::new(), read(URL), read(two)] {
        let sent = sent_with(content.clone(), &files);
        assert_eq!(sent.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ids);
        assert_eq!(sent[0].1["text"], "Both");
    }
}

#[test]
fn a_picked_option_answers_its_question_and_anything_else_is_words() {
    let choose = |id: &str, title: Option<&str>| {
        let choice = EventBody::Choice { id: id.into(), title: title.map(Into::into), typed: None };
        messages(&delivery(choice), &Settings::default(), &Files::new()).unwrap().remove(0)
    };
    let documented: Value =
        serde_json::from_str(include_str!("../../fixtures/send-reply-data.json")).unwrap();
    let picked = choose("question/mEsSaGeIdExample0000003/2", Some("label2"));
    assert_eq!(picked, ("dlv_1".to_owned(), documented));
    assert_eq!(choose("PAYLOAD", Some("Red")).1["text"], "Red");
    assert_eq!(choose("PAYLOAD", None).1["text"], "PAYLOAD");
}

#[test]
fn what_says_nothing_is_not_sent() {
    let choices = vec![Choice { id: "a".into(), title: "A".into() }];
    for content in [Content::default(), Content { choices, ..Content::text(" ") }] {
        let body = EventBody::Message { content, metadata: Map::new() };
        let sent = messages(&delivery(body), &Settings::default(), &Files::new());
        assert!(matches!(sent, Err(Unsendable::NoForm(_))));
    }
    let typing = EventBody::Typing { active: true };
    assert!(messages(&delivery(typing), &Settings::default(), &Files::new()).is_err());
}
