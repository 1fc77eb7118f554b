use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::model::{
    Author, Capabilities, Card, CardAction, Choice, Contact, EventId, Feature, Location, Media,
    MessageReference, Party, PlatformId, Presentation, PresentationOptions, Role,
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
        ..Content::default()
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

/// Shows U22.
#[test]
fn the_agents_name_precedes_each_message() {
    let channel = Target::addressed(&party(RICH), Role::Channel);
    let file = Content { text: None, choices: Vec::new(), ..rich() };
    for (text, named) in [(None, "Ann:"), (Some("Here it is."), "Ann: Here it is.")] {
        let content = Content { text: text.map(Into::into), ..file.clone() };
        let shown_of = |role| shown(&message(role, content.clone()), &channel);
        let with_name = Content { text: Some(named.into()), ..content.clone() };
        for person in [AuthorRole::Agent, AuthorRole::Participant] {
            assert_eq!(shown_of(person), std::slice::from_ref(&with_name));
        }
        assert_eq!(shown_of(AuthorRole::Bot), std::slice::from_ref(&content));
    }
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

/// A message with every part.
fn complete() -> Content {
    let choice = |id: &str| Choice { id: id.into(), title: id.to_uppercase() };
    let picture = |name: &str| {
        let url = format!("https://x.example/{name}.png");
        Some(Media { url, name: Some(name.to_uppercase()), ..Media::default() })
    };
    let reply = |id: &str| CardAction::Reply(choice(id));
    let first = Card {
        title: Some("First".into()),
        text: Some("*cheap*".into()),
        format: Format::Markdown,
        picture: picture("one"),
        actions: vec![
            reply("buy"),
            CardAction::Link { title: "More".into(), url: "https://x.example".into() },
        ],
    };
    let second =
        Card { title: Some("Second".into()), actions: vec![reply("rent")], ..Card::default() };
    Content {
        reply_to: Some(Box::new(EarlierMessage {
            excerpt: Some("What do you sell?".into()),
            ..earlier("m-1")
        })),
        cards: vec![first, second],
        location: Location::new(52.5, 4.25)
            .map(|place| Location { name: Some("Shop".into()), ..place })
            .map(Box::new),
        contact: Some(Box::new(Contact {
            name: Some("Ada".into()),
            phones: vec!["+31 6".into()],
            ..Contact::default()
        })),
        choices: vec![choice("other")],
        ..Content::text("We have:")
    }
}

fn earlier(message: &str) -> EarlierMessage {
    EarlierMessage::new(message, EventId::from_parts(&["m", message]))
}

const MAP: &str = "https://www.google.com/maps/search/?api=1&query=52.5,4.25";

#[test]
fn every_part_becomes_text_in_the_order_of_the_original() {
    let plain = Target::addressed(&party(Capabilities::TEXT_ONLY), Role::Channel);
    let shown = shown(&message(AuthorRole::Bot, complete()), &plain);
    let text = format!(
        "> What do you sell?\nWe have:\n\nFirst\ncheap\nONE: https://x.example/one.png\n1. BUY\n\
         More: https://x.example\n\nSecond\n2. RENT\n\nShop: {MAP}\nAda\n+31 6\n3. OTHER"
    );
    let choices = complete().offered_choices();
    assert_eq!(shown, [Content { choices, ..Content::text(text.clone()) }]);
    assert_eq!(content_as_text(&complete()), text);
}

#[test]
fn a_picture_of_a_card_stays_with_the_card() {
    let can = Capabilities { media: true, ..Capabilities::TEXT_ONLY };
    let target = Target::addressed(&party(can), Role::Desk);
    let shown = shown(&message(AuthorRole::Bot, complete()), &target);
    let texts: Vec<_> = shown.iter().map(|part| part.text.as_deref().unwrap()).collect();
    let expected = [
        "> What do you sell?\nWe have:",
        "First\ncheap\n1. BUY\nMore: https://x.example",
        &format!("Second\n2. RENT\n\nShop: {MAP}\nAda\n+31 6\n3. OTHER"),
    ];
    assert_eq!(texts, expected);
    let files: Vec<_> = shown.iter().map(|part| part.media.len()).collect();
    assert_eq!(files, [0, 1, 0]);
}

#[test]
fn many_cards_do_not_become_many_messages() {
    let can = Capabilities { media: true, ..Capabilities::TEXT_ONLY };
    let target = Target::addressed(&party(can), Role::Desk);
    let picture = || Some(Media { url: "https://x.example/a".into(), ..Media::default() });
    let parts = |count: usize| {
        let card = Card { picture: picture(), ..Card::default() };
        let content = Content { cards: vec![card; count], ..Content::default() };
        shown(&message(AuthorRole::Bot, content), &target)
    };
    assert_eq!(parts(10).len(), 10);
    let links = parts(4_000);
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].text.as_ref().unwrap().lines().count(), 4_000);
}

#[test]
fn a_target_that_shows_everything_gets_the_original() {
    let all = party(Capabilities::ALL);
    let target = Target::addressed(&all, Role::Channel);
    let known_as = vec![MessageReference { connection: all.connection, message: "x-1".into() }];
    let known = EarlierMessage { known_as, ..earlier("m-1") };
    let content = Content { reply_to: Some(Box::new(known)), ..complete() };
    assert_eq!(shown(&message(AuthorRole::Bot, content.clone()), &target), [content]);
    // A message that the target never received is quoted.
    let quoted = shown(&message(AuthorRole::Bot, complete()), &target).remove(0);
    assert_eq!(quoted.reply_to, None);
    assert_eq!(quoted.text.as_deref(), Some("> What do you sell?\nWe have:"));
    assert_eq!(quoted.cards, complete().cards);
}

#[test]
fn choices_of_cards_are_offered_where_there_are_no_cards() {
    let can = Capabilities { choices: true, ..Capabilities::TEXT_ONLY };
    let target = Target::addressed(&party(can), Role::Channel);
    let cards = complete().cards;
    let content = Content { cards, ..Content::default() };
    let shown = shown(&message(AuthorRole::Bot, content.clone()), &target).remove(0);
    assert_eq!(shown.choices, content.offered_choices());
    assert!(!shown.text.unwrap().contains("BUY"));
}

#[test]
fn changes_become_messages_where_they_cannot_be_shown() {
    let about = || EarlierMessage { excerpt: Some("We open at 9".into()), ..earlier("m-1") };
    let text = |body: EventBody, can: Capabilities, role: Role| {
        let event = Event { body, ..message(AuthorRole::Agent, Content::default()) };
        let target = Target::addressed(
            &Party {
                presentation: Presentation { sender_prefix: false, capabilities: can },
                ..party(can)
            },
            role,
        );
        let mut parts = render(&event, &target);
        assert_eq!(parts.len(), 1);
        match parts.remove(0).body {
            EventBody::Message { content, .. } => content.text,
            other => Some(other.kind().to_owned()),
        }
    };
    let edit = |notice: Option<&str>| EventBody::Edit {
        earlier: about(),
        content: Box::new(Content {
            format: Format::Markdown,
            ..Content::text("We open at **10**")
        }),
        notice: notice.map(Into::into),
    };
    let delete = || EventBody::Delete { earlier: about(), notice: Some("Withdrawn.".into()) };
    let reaction =
        || EventBody::Reaction { earlier: about(), emoji: "👍".into(), removed: false };
    let plain = Capabilities::TEXT_ONLY;
    let quote = |text: &str| Some(format!("> We open at 9\n{text}"));
    let corrected = edit(Some("Correction: {text}"));
    assert_eq!(text(corrected.clone(), plain, Role::Channel), quote("Correction: We open at 10"));
    assert_eq!(text(edit(None), plain, Role::Desk), quote("We open at 10"));
    assert_eq!(text(corrected, plain, Role::Bot), Some("We open at 10".into()));
    assert_eq!(text(delete(), plain, Role::Channel), quote("Withdrawn."));
    assert_eq!(text(reaction(), plain, Role::Desk), quote("👍"));
    assert_eq!(text(reaction(), plain, Role::Bot), Some("👍".into()));
    for (body, kind) in [(edit(None), "edit"), (delete(), "delete"), (reaction(), "reaction")] {
        let mut known = body;
        let known_as =
            MessageReference { connection: "shop".parse().unwrap(), message: "x".into() };
        known.earlier_message().unwrap().known_as.push(known_as);
        assert_eq!(text(known, Capabilities::ALL, Role::Channel), Some(kind.into()));
    }
}

/// Words that no markup contains.
const WORDS: [&str; 4] = ["qux", "zorq", "jix", "\u{5e9}\u{5dc}"];

/// Without the language of a code block, link definitions and tables: what they hide is in the table of rules.
fn any_markdown() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        WORDS[0],
        WORDS[1],
        WORDS[2],
        WORDS[3],
        " ",
        "\n",
        "\n\n",
        "*",
        "**",
        "_",
        " `",
        "> ",
        "- ",
        "1. ",
        "7) ",
        "# ",
        "    ",
        " ~~",
        "```\n",
        "[jix](https://x.example/a)",
        "![qux](b.png)",
        "|",
        "<b>",
        "</b>",
        "<br>",
        "<jix>",
        "&amp;",
        "\\",
        "---\n",
    ])
}

fn any_html() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        WORDS[0],
        WORDS[1],
        WORDS[2],
        WORDS[3],
        " ",
        "\n",
        "<b>",
        "</b>",
        "<p>",
        "</p>",
        "<br>",
        "<ul>",
        "</ul>",
        "<ol start=3>",
        "<li>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<pre>",
        "</pre>",
        "<blockquote>",
        "</blockquote>",
        "<a href='https://x.example/a'>",
        "</a>",
        "<img src='b.png' alt='qux'>",
        "<zorq>",
        "</zorq>",
        "&lt;",
        "<h1>",
        "</h1>",
        "<hr>",
        "<",
    ])
}

/// Checks that every word of a source is in its plain text, in the same order.
fn check_words(parts: &[&str], format: Format) -> Result<(), TestCaseError> {
    let source = parts.concat();
    let text = to_plain_text(&source, format);
    let mut rest = text.as_str();
    for part in parts {
        let Some(word) = WORDS.into_iter().find(|word| part.contains(word)) else { continue };
        let Some((_, after)) = rest.split_once(word) else {
            return Err(TestCaseError::fail(format!("{word} is lost: {source:?} is {text:?}")));
        };
        rest = after;
    }
    Ok(())
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
    fn content_is_never_rendered_as_nothing(
        text in prop::option::of("[ \n<>a*]{0,8}"),
        parts in prop::collection::vec((any::<[bool; 4]>(), "[ a]{0,3}"), 0..3),
        flags in any::<[bool; 7]>(),
        format in prop::sample::select(vec![Format::Plain, Format::Markdown, Format::Html]),
    ) {
        let picture = |url: &str| Media { url: format!("https://x.example/{url}"), ..Media::default() };
        let card = |(has, text): &([bool; 4], String)| Card {
            title: has[0].then(|| text.clone()),
            text: has[1].then(|| text.clone()),
            format,
            picture: has[2].then(|| picture(text)),
            actions: if has[3] {
                vec![CardAction::Reply(Choice { id: text.clone(), title: text.clone() })]
            } else {
                Vec::new()
            },
        };
        let content = Content {
            text,
            format,
            cards: parts.iter().map(card).collect(),
            location: flags[0].then(|| Location::new(1.0, 2.0)).flatten().map(Box::new),
            media: if flags[1] { vec![picture("a")] } else { Vec::new() },
            ..Content::default()
        };
        prop_assume!(!content.is_empty());
        let can = Capabilities {
            markup: flags[2],
            choices: flags[3],
            media: flags[4],
            cards: flags[5],
            locations: flags[6],
            ..Capabilities::TEXT_ONLY
        };
        let target = Target::addressed(&party(can), Role::Channel);
        let offered = content.offered_choices().len();
        let shown = shown(&message(AuthorRole::Bot, content.clone()), &target);
        prop_assert!(shown.iter().all(|part| !part.is_empty()), "{shown:?}");
        let kept = shown.iter().map(|part| part.offered_choices().len()).sum::<usize>();
        prop_assert_eq!(kept, offered);
    }

    #[test]
    fn markdown_keeps_every_word_in_order(parts in prop::collection::vec(any_markdown(), 0..24)) {
        check_words(&parts, Format::Markdown)?;
    }

    #[test]
    fn html_keeps_every_word_in_order(parts in prop::collection::vec(any_html(), 0..24)) {
        check_words(&parts, Format::Html)?;
    }

    #[test]
    fn any_markup_is_converted_without_panic(text in "[<>a-z&;/\"= *_#`\\[\\]()!\n-]{0,120}") {
        let _ = to_plain_text(&text, Format::Html);
        let _ = to_plain_text(&text, Format::Markdown);
    }
}
