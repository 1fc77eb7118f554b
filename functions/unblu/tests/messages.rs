//! Unblu's messages as content.

use serde_json::{Value, json};
use trunkline_core::model::{
    Author, AuthorRole, Card, CardAction, Content, EarlierMessage, EventBody, EventId, Format,
    Media,
};

use crate::inbound::{choice, content, event};

/// A message fixture with changed members.
fn changed(fixture: &str, change: &Value) -> String {
    let mut body: Value = serde_json::from_str(fixture).unwrap();
    for (name, value) in change.as_object().unwrap() {
        body["conversationMessage"][name] = value.clone();
    }
    body.to_string()
}

/// Shows U9.
#[test]
fn messages_of_other_visitors_are_passed_on() {
    for (source, person) in [
        // Visitors with an identity of the web page, and anonymous ones, are virtual persons (UA4).
        (
            "bank-user-77",
            json!({"personSource": "VIRTUAL", "personType": "VISITOR", "displayName": "Bob"}),
        ),
        ("", json!({"personSource": "VIRTUAL", "personType": "VISITOR", "displayName": "Bob"})),
        ("77", json!({"personSource": "USER_DB", "personType": "VISITOR", "displayName": "Bob"})),
    ] {
        let mut person = person;
        person["sourceId"] = source.into();
        let change = json!({"sourceId": null, "senderPerson": person});
        let event = event(&changed(include_str!("../fixtures/message-own.json"), &change));
        assert!(matches!(event.body, EventBody::Message { .. }), "{person}");
        let author = Author { role: AuthorRole::Participant, name: Some("Bob".into()) };
        assert_eq!(event.author, author, "neither the customer nor an agent");
    }
    // Only Trunkline's own visitors and messages are recognized as such.
    let long = format!("shop/sha256_{}", "A".repeat(43));
    for source in ["shop/4711", &long] {
        let person =
            json!({"personSource": "VIRTUAL", "personType": "VISITOR", "sourceId": source});
        let change = json!({"sourceId": null, "senderPerson": person});
        let event = event(&changed(include_str!("../fixtures/message-own.json"), &change));
        assert!(matches!(event.body, EventBody::Opaque { .. }), "{source}");
    }
}

/// Shows U19.
#[test]
fn a_question_for_an_answer_in_own_words_has_its_hint_and_can_be_declined() {
    let change = json!({
        "$_type": "TextQuestionMessageData", "type": "TEXT_QUESTION", "text": "Where do you **live**?",
        "textType": "MARKDOWN", "hint": "Street and number", "declinable": true,
        "declineLabel": "Rather not", "declineValue": "none", "answerStatus": "PENDING",
    });
    let question = changed(include_str!("../fixtures/message-question.json"), &change);
    let event = event(&question);
    assert_eq!(event.id.as_str(), "m:mEsSaGeIdExample0000010");
    assert_eq!(event.external_message_id, Some("question/mEsSaGeIdExample0000010".into()));
    let expected = Content {
        format: Format::Markdown,
        choices: vec![choice("question/mEsSaGeIdExample0000010/none", "Rather not")],
        ..Content::text("Where do you **live**?\nStreet and number")
    };
    assert_eq!(content(&question), expected);
    let change = json!({"type": "TEXT_QUESTION", "declinable": false});
    let plain = changed(include_str!("../fixtures/message-question.json"), &change);
    assert_eq!(content(&plain), Content::text("Which account?"));
}

/// Shows U19.
#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    for status in ["UPLOADING", "IN_PROGRESS", "SCANNING", "COMPLETED"] {
        let file = include_str!("../fixtures/message-file.json");
        let waiting = content(&changed(file, &json!({"fileStatus": status})));
        assert!(waiting.media.len() == 1 && waiting.media[0].private, "{status}");
    }
    for status in ["CANCELED", "FAILED", "DELETED", "REJECTED"] {
        let file = include_str!("../fixtures/message-file.json");
        let gone = content(&changed(file, &json!({"fileStatus": status})));
        assert!(gone.media.is_empty() && gone.text.is_some(), "{status}");
    }
}

/// Shows U19.
#[test]
fn parses_files() {
    let file = content(include_str!("../fixtures/message-file.json"));
    let media = vec![Media {
        url: "https://unblu.cloud/app/rest/v4/files/1".into(),
        mime_type: Some("application/pdf".into()),
        name: Some("invoice.pdf".into()),
        private: true,
        ..Media::default()
    }];
    let v3 = include_str!("../fixtures/message-file.json").replace("\"downloadLinks\"", "\"x\"");
    let single = "\"downloadLink\": \"https://unblu.cloud/app/rest/v4/files/1\", \"x\"";
    let v3 = content(&v3.replace("\"x\"", single));
    let desk = json!({"downloadLinks": null, "agentDeskDownloadLink": media[0].url});
    let desk = content(&changed(include_str!("../fixtures/message-file.json"), &desk));
    assert_eq!(desk.media, media, "v3 may have the link of the agents' interface only");
    assert_eq!(v3.media, media, "v3 has a single link");
    let expected = Content { format: Format::Markdown, media, ..Content::text("Your **invoice**") };
    assert_eq!(file, expected);
    let rejected = content(include_str!("../fixtures/message-file-rejected.json"));
    assert_eq!(rejected, Content::text("The file was rejected"));
}

/// Shows U19.
#[test]
fn cards_and_lists_become_cards() {
    let picture = |url: &str, name: Option<&str>| {
        Some(Media { url: url.into(), name: name.map(Into::into), ..Media::default() })
    };
    let link = |title: &str, url: &str| CardAction::Link { title: title.into(), url: url.into() };
    let card = content(include_str!("../fixtures/message-card.json"));
    let expected = Card {
        title: Some("Travel insurance".into()),
        text: Some("From **9** a month".into()),
        format: Format::Markdown,
        picture: picture("https://acme.example/i.png", Some("A beach")),
        actions: vec![
            link("Read more", "https://acme.example/travel"),
            CardAction::Reply(choice("say:I want the insurance", "I want it")),
        ],
    };
    assert_eq!(card, Content { cards: vec![expected], ..Content::default() });
    let list = content(include_str!("../fixtures/message-list.json"));
    let titled = |title: &str| Card { title: Some(title.into()), ..Card::default() };
    let header = Card {
        text: Some("Open *daily*".into()),
        format: Format::Markdown,
        picture: picture("https://acme.example/b.png", Some("A branch")),
        ..titled("Our branches")
    };
    let zurich = Card {
        text: Some("Main Street 1".into()),
        picture: picture("https://acme.example/z.png", None),
        actions: vec![link("Map", "https://maps.example/z")],
        ..titled("Zurich")
    };
    let cards = vec![header, zurich, titled("Bern")];
    assert_eq!(list, Content { cards, ..Content::default() });
}

/// Shows U19.
#[test]
fn actions_follow_their_type() {
    let action = |kind: &str, value: &str| {
        let body = json!({"actionType": kind, "label": "Go", "value": value});
        let mut message: Value =
            serde_json::from_str(include_str!("../fixtures/message-card.json")).unwrap();
        message["conversationMessage"]["actions"] = json!([body]);
        content(&message.to_string()).cards.remove(0).actions.remove(0)
    };
    let link = |url: &str| CardAction::Link { title: "Go".into(), url: url.into() };
    for (kind, url) in [
        ("LINK_INTERNAL", "/accounts"),
        ("LINK_EXTERNAL", "tel:+31201234567"),
        ("LINK_COBROWSABLE", "https://acme.example"),
    ] {
        assert_eq!(action(kind, url), link(url), "{kind}");
    }
    let url = "https://acme.example";
    let said = action("REPLY_MESSAGE", url);
    assert_eq!(said, CardAction::Reply(choice("say:https://acme.example", "Go")));
    let technical = action("REPLY_MESSAGE_WITH_TECHNICAL_VALUE", "GO-1");
    assert_eq!(technical, CardAction::Reply(choice("GO-1", "Go")));
}

/// Shows U19.
#[test]
fn every_type_has_quick_replies_and_names_the_message_that_it_replies_to() {
    for fixture in [
        include_str!("../fixtures/message-card.json"),
        include_str!("../fixtures/message-list.json"),
        include_str!("../fixtures/message-file.json"),
        include_str!("../fixtures/message-question.json"),
    ] {
        let mut message: Value = serde_json::from_str(fixture).unwrap();
        let before = content(fixture).choices.len();
        message["conversationMessage"]["quickReplies"] =
            json!([{"$_type": "QuickReply", "text": "Track my order"}]);
        message["conversationMessage"]["replyToMessageId"] = json!("m-7");
        let content = content(&message.to_string());
        assert_eq!(content.choices.last(), Some(&choice("Track my order", "Track my order")));
        assert_eq!(content.choices.len(), before + 1);
        let earlier = EarlierMessage::new("m-7", EventId::from_parts(&["m", "m-7"]));
        assert_eq!(content.reply_to.as_deref(), Some(&earlier));
    }
}

/// Shows U19.
#[test]
fn choices_of_a_question_contain_its_id() {
    let question = content(include_str!("../fixtures/message-question.json"));
    let choices = vec![
        choice("question/mEsSaGeIdExample0000010/1", "Savings"),
        choice("question/mEsSaGeIdExample0000010/2", "Salary"),
    ];
    assert_eq!(question, Content { choices, ..Content::text("Which account?") });
    let rating = content(include_str!("../fixtures/message-rating.json"));
    let skip = choice("question/mEsSaGeIdExample0000010/none", "Skip");
    assert_eq!((rating.choices.len(), rating.choices.last()), (3, Some(&skip)));
}

/// Shows U19.
#[test]
fn other_types_use_their_fallback_text() {
    assert_eq!(content(include_str!("../fixtures/message-reply.json")), Content::text("Savings"));
    for kind in [
        "APPROVAL_REQUEST",
        "TEXT_QUESTION",
        "QUESTION_ABORTED",
        "RECORDING_AVAILABLE",
        "WHATSAPP_TEMPLATE",
        "NEW_IN_V9",
        "TEXT",
        "CARD",
        "LIST",
        "MULTICHOICE_QUESTION",
    ] {
        let body = include_str!("../fixtures/message-reply.json")
            .replace("\"REPLY\"", &format!("\"{kind}\""));
        assert_eq!(content(&body), Content::text("Savings"), "{kind}");
    }
    let empty = include_str!("../fixtures/message-reply.json").replace("Savings", " ");
    let EventBody::Opaque { is_message, name, .. } = event(&empty).body else { panic!("opaque") };
    assert_eq!((is_message, name.as_str()), (true, "REPLY"), "a message that cannot be displayed");
}
