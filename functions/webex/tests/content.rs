//! The content of messages by their `MessageType`.

use crate::common::{map, no_settings, now};
use serde_json::{Map, Value, json};
use trunkline_core::model::{Contact, Content, EventBody, Location, Media};
use trunkline_core::platform::PlatformSettings;
use trunkline_webex::{Settings, parse};

fn body(message: Value) -> EventBody {
    let mut event = map(json!({"Conversationid": "c", "ConversationType": "BOT", "Messageid": "m",
        "Event": "Incoming message", "Message": "", "Media": ""}));
    event.extend(map(message));
    let settings = Settings::parse(&map(no_settings())).unwrap();
    parse(&event, &settings, now()).unwrap().body
}

fn content(message: Value) -> Content {
    match body(message) {
        EventBody::Message { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

fn file(url: &str, mime_type: Option<&str>) -> Media {
    Media { url: url.into(), mime_type: mime_type.map(Into::into), ..Media::default() }
}

/// Shows W22.
#[test]
fn each_type_of_file_is_a_file() {
    for (kind, name, mime_type) in [
        ("image", "a.jpg", Some("image/jpeg")),
        ("Sticker", "a.webp", Some("image/webp")),
        ("video", "a.mp4", Some("video/mp4")),
        ("audio", "a.ogg", Some("audio/ogg")),
        ("document", "a.pdf", Some("application/pdf")),
        ("document", "a", None),
        ("audio", "a.jpg", None),
    ] {
        let url = format!("https://m.example/{name}");
        let expected = Content { media: vec![file(&url, mime_type)], ..Content::default() };
        let attachments = json!([{"url": url}]).to_string();
        for members in [
            json!({"MessageType": kind, "Media": url}),
            json!({"MessageType": kind, "Message": url}),
            json!({"MessageType": kind, "Message": attachments}),
        ] {
            assert_eq!(content(members.clone()), expected, "{members}");
        }
        let EventBody::Message { metadata, .. } = body(json!({"MessageType": kind, "Media": url}))
        else {
            panic!("a message")
        };
        assert_eq!(metadata, map(json!({"message_type": kind})));
    }
    let url = "https://m.example/a.jpg";
    let captioned = content(json!({"MessageType": "image", "Media": url, "Message": "My receipt"}));
    let media = vec![file(url, Some("image/jpeg"))];
    assert_eq!(captioned, Content { media, ..Content::text("My receipt") });
    let caption = json!({"MessageType": "image", "Message": "https://a.example and more"});
    assert_eq!(content(caption), Content::text("https://a.example and more"));
}

/// Shows W22.
#[test]
fn a_location_is_a_location() {
    let place = Location::new(52.37, 4.9).unwrap();
    let expected = |text: Option<&str>| Content {
        location: Some(Box::new(place.clone())),
        text: text.map(Into::into),
        ..Content::default()
    };
    let coordinates = r#"{"latitude":"52.37","longitude":"4.9"}"#;
    for members in [
        json!({"MessageType": "location", "Message": "52.37,4.9"}),
        json!({"MessageType": "Location", "Message": coordinates}),
        json!({"MessageType": "location", "Media": "https://maps.google.com/?q=52.37,4.9"}),
        json!({"location": coordinates}),
    ] {
        assert_eq!(content(members.clone()), expected(None), "{members}");
    }
    let named = json!({"MessageType": "location", "Message": "I am here", "Media": coordinates});
    assert_eq!(content(named), expected(Some("I am here")));
    let unknown = json!({"MessageType": "location", "Message": "near the station"});
    assert_eq!(content(unknown), Content::text("near the station"), "nothing is lost");
    let typed = json!({"MessageType": "text", "Message": "52.37,4.9"});
    assert_eq!(content(typed), Content::text("52.37,4.9"), "a text is a text");
}

/// Shows W22.
#[test]
fn contacts_are_contacts() {
    let ada =
        Contact { name: Some("Ada".into()), phones: vec!["+44 1".into()], ..Contact::default() };
    let expected = Content { contact: Some(Box::new(ada)), ..Content::default() };
    let list = json!([{"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+44 1"}]}]);
    for members in [
        json!({"MessageType": "contact", "Message": list.to_string()}),
        json!({"MessageType": "contacts", "Media": list}),
        json!({"MessageType": "contact", "Message": "BEGIN:VCARD\nFN:Ada\nTEL:+44 1\nEND:VCARD"}),
        json!({"MessageType": "contacts", "contacts": list.to_string()}),
    ] {
        assert_eq!(content(members.clone()), expected, "{members}");
    }
    let two = json!([list[0], {"name": "Bob", "phone": "7"}]).to_string();
    let both = content(json!({"MessageType": "contact", "contacts": two, "Message": "Call them"}));
    assert_eq!(both, Content { text: Some("Call them\nBob\n7".into()), ..expected });
}

/// Shows W22.
#[test]
fn a_text_and_an_unknown_type_keep_text_and_files() {
    let text = json!({"MessageType": "TEXT", "Message": " [1] "});
    assert_eq!(
        body(text),
        EventBody::Message { content: Content::text(" [1] "), metadata: Map::new() }
    );
    let unknown =
        json!({"MessageType": "order", "Message": "2 boxes", "Media": "https://m.example/a"});
    let media = vec![file("https://m.example/a", None)];
    assert_eq!(content(unknown), Content { media, ..Content::text("2 boxes") });
    for empty in ["location", "contact", "sticker", "order", ""] {
        let opaque = body(json!({"MessageType": empty}));
        assert!(matches!(opaque, EventBody::Opaque { is_message: true, .. }), "{empty}");
    }
}
