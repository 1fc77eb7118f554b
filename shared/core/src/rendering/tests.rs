use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::model::{
    Author, Capabilities, EventId, Feature, Media, Party, PlatformId, Presentation,
    PresentationOptions, Role,
};

/// A platform that shows everything.
const RICH: Capabilities =
    Capabilities { markup: true, choices: true, media: true, ..Capabilities::TEXT_ONLY };

fn party(capabilities: Capabilities) -> Party {
    Party {
        connection: "shop".parse().unwrap(),
        platform: PlatformId::from_static("fax"),
        copies: false,
        presentation: Presentation { sender_prefix: true, capabilities },
    }
}

fn message(role: AuthorRole, content: Content) -> Event {
    let author = Author { role, name: Some("Ann".into()) };
    let body = EventBody::Message { content, metadata: Map::new() };
    Event::new(EventId::from_parts(&["e"]), "c", Timestamp::UNIX_EPOCH, author, body)
}

fn shown(event: &Event, target: &Target) -> Vec<Content> {
    let parts = render(event, target).into_iter();
    parts
        .map(|part| match part.body {
            EventBody::Message { content, .. } => content,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn rich() -> Content {
    let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
    let media = |name: Option<&str>| Media {
        url: "https://x.example/a".into(),
        mime_type: None,
        name: name.map(Into::into),
        ..Media::default()
    };
    Content {
        text: Some("**Which** [one](https://x.example/b)?".into()),
        format: Format::Markdown,
        media: vec![media(None), media(Some("bill.pdf"))],
        choices: vec![choice("a", "Red"), choice("b", "Blue")],
    }
}

#[test]
fn unsupported_content_is_replaced_by_text() {
    let agents = message(AuthorRole::Agent, rich());
    let bots = message(AuthorRole::Bot, rich());
    let plain = Target::addressed(&party(Capabilities::TEXT_ONLY), Role::Channel);
    let links = "https://x.example/a\nbill.pdf: https://x.example/a\n1. Red\n2. Blue";
    let text = |who: &str| format!("{who}Which one (https://x.example/b)?\n{links}");
    let with_ids = |who| Content { choices: rich().choices, ..Content::text(text(who)) };
    assert_eq!(shown(&agents, &plain), [with_ids("Ann: ")]);
    assert_eq!(shown(&bots, &plain), [with_ids("")]);
    let options = PresentationOptions {
        shows: vec![Feature::Media, Feature::Choices],
        ..PresentationOptions::default()
    };
    let presentation = options.resolve(Capabilities::TEXT_ONLY);
    let configured = Party { presentation, ..party(Capabilities::TEXT_ONLY) };
    let shown_there = shown(&bots, &Target::addressed(&configured, Role::Channel)).remove(0);
    assert_eq!((shown_there.media, shown_there.choices), (rich().media, rich().choices));
    assert_eq!(shown_there.text.as_deref(), Some("Which one (https://x.example/b)?"));
    let able = Target::addressed(&party(RICH), Role::Channel);
    assert_eq!(shown(&bots, &able), [rich()]);
}

#[test]
fn customer_does_not_see_the_operators_name() {
    let operator = Author { role: AuthorRole::System, name: Some("anna".into()) };
    let closed = Event {
        author: operator,
        body: EventBody::Close { reason: None },
        ..message(AuthorRole::Bot, rich())
    };
    let name = |role| {
        let target = Target::addressed(&party(RICH), role);
        render(&closed, &target).remove(0).author.name
    };
    assert_eq!(name(Role::Channel), None);
    assert_eq!(name(Role::Desk).as_deref(), Some("anna"));
}

#[test]
fn files_and_choices_stay_with_the_last_part() {
    let content = Content { text: Some("One is red. One is blue.".into()), ..rich() };
    let mut target = Target::addressed(&party(RICH), Role::Channel);
    target.presentation.capabilities.max_text_chars = 12;
    let parts = shown(&message(AuthorRole::Bot, content.clone()), &target);
    let texts: Vec<_> = parts.iter().map(|part| part.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["One is red.", "One is blue."]);
    assert!(parts[0].choices.is_empty() && parts[0].media.is_empty());
    assert_eq!((&parts[1].choices, &parts[1].media), (&content.choices, &content.media));
}

#[test]
fn splits_at_sentences_then_words_then_characters() {
    assert_eq!(split("Short.", 10, Format::Plain), ["Short."]);
    assert_eq!(
        split("One two. Three four! Five?", 12, Format::Plain),
        ["One two.", "Three four!", "Five?"]
    );
    assert_eq!(split("one two three four", 9, Format::Plain), ["one two", "three", "four"]);
    assert_eq!(split("abcdefgh", 3, Format::Plain), ["abc", "def", "gh"]);
}

#[test]
fn plain_text_is_not_converted() {
    assert_eq!(to_plain_text("5 < 6 & *x*", Format::Plain), "5 < 6 & *x*");
}

#[test]
fn typed_number_or_title_selects_the_choice() {
    let offered = rich().choices;
    for text in ["2", " 2. ", "2)", "blue", "BLUE "] {
        assert_eq!(match_typed_choice(text, &offered).unwrap().id, "b", "{text}");
    }
    for text in ["0", "3", "two", "", "2 please", "-1"] {
        assert_eq!(match_typed_choice(text, &offered), None, "{text}");
    }
}

proptest! {
    #[test]
    fn parts_fit_the_limit_and_keep_the_text(text in "\\PC{0,200}|[a-z .!?\n]{0,300}", limit in 1usize..60) {
        let parts = split(&text, limit, Format::Plain);
        let fits = text.chars().count() <= limit;
        prop_assert!(!parts.is_empty() || text.trim().is_empty());
        for part in &parts {
            prop_assert!(part.chars().count() <= limit);
        }
        if fits {
            prop_assert_eq!(&parts[..], std::slice::from_ref(&text));
        }
        let all = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(all(&parts.concat()), all(&text));
    }

    #[test]
    fn parts_with_fences_fit_the_limit_and_keep_the_text(
        lines in prop::collection::vec(
            prop::sample::select(vec!["```", "~~~~", "a b. c", "    x 12 kg", "", "- https://x.example/a?b"]),
            0..40,
        ),
        limit in 1usize..80,
    ) {
        let text = lines.join("\n");
        let parts = split(&text, limit, Format::Markdown);
        prop_assert!(parts.iter().all(|part| part.chars().count() <= limit));
        let all = |text: &str| {
            text.chars().filter(|c| !c.is_whitespace() && !"`~".contains(*c)).collect::<String>()
        };
        prop_assert_eq!(all(&parts.concat()), all(&text));
    }

    #[test]
    fn any_markup_is_converted_without_panic(text in "[<>a-z&;/\"= *_#`\\[\\]()!\n-]{0,120}") {
        let _ = to_plain_text(&text, Format::Html);
        let _ = to_plain_text(&text, Format::Markdown);
    }
}
