//! Choices and files in messages of undocumented types.

use crate::common::{TestCall, at, channel_call, message, text, with};
use serde_json::json;
use trunkline_core::model::{AuthorRole, Choice, EventBody};
use trunkline_core::rendering::match_typed_choice;

/// Shows C3.
#[test]
fn the_label_of_a_selected_choice_leads_back_to_its_id() {
    let reply = json!({"$type": "reply", "direction": "ClientOriginated", "label": "Red"});
    let event = channel_call().event(message(&reply).as_bytes());
    let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
    let offered = [choice("b", "Blue"), choice("r", "Red")];
    // Where the channel shows buttons, no numbers are typed.
    let found = match_typed_choice(text(&event).unwrap(), &offered, false);
    assert_eq!(found.map(|choice| choice.id.as_str()), Some("r"));
}

/// Shows C3.
#[test]
fn the_id_of_a_selected_choice_is_read_if_the_operator_names_its_member() {
    let reply = json!({"$type": "reply", "id": "m-1", "direction": "ClientOriginated",
        "reply": {"label": "1. Red", "postbackData": "r"}});
    let settings = || json!({"choice_id_member": "postbackdata"});
    let event = with(settings()).event(message(&reply).as_bytes());
    let title = Some("1. Red".into());
    assert_eq!(event.body, EventBody::Choice { id: "r".into(), title, typed: None });
    assert_eq!((event.id.as_str(), event.author.role), ("m:m-1", AuthorRole::Customer));
    let unread = channel_call().event(message(&reply).as_bytes());
    assert_eq!(text(&unread), Some("1. Red"));
    let question = message(&reply).replace("ClientOriginated", "ClientTerminated");
    let by_bot = TestCall { role: "bot", settings: settings(), ..channel_call() };
    assert_eq!(text(&by_bot.event(question.as_bytes())), Some("1. Red"), "a bot selects nothing");
}

/// Shows C3.
#[test]
fn choices_and_several_files_of_a_bot_behind_the_router_are_kept() {
    let question = json!({"$type": "options", "direction": "ClientTerminated", "text": "Which?",
        "attachments": [{"url": "https://m.example/a.jpg"}, {"url": "https://m.example/b.pdf"}],
        "options": [{"label": "Red", "id": "r"}, {"label": "Blue", "id": "b"}]});
    for role in ["bot", "desk"] {
        let event = at(role, "").event(message(&question).as_bytes());
        let EventBody::Message { content, .. } = event.body else { panic!("a message") };
        let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
        assert_eq!(content.choices, [choice("r", "Red"), choice("b", "Blue")]);
        let urls: Vec<_> = content.media.iter().map(|media| media.url.as_str()).collect();
        assert_eq!(urls, ["https://m.example/a.jpg", "https://m.example/b.pdf"]);
        assert_eq!(content.text.as_deref(), Some("Which?"));
    }
}
