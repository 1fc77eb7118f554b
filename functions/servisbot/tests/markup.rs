//! Timeline Markup Language, element by element.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trunkline_core::model::{Card, CardAction, Choice, Content, Media};
use trunkline_core::rendering::{content_as_text, match_typed_choice};
use trunkline_servisbot::markup::{
    MAX_BYTES, MAX_DEPTH, MarkupError, Node, content_of, from_object, from_xml, to_content,
    to_object, to_xml,
};

/// Converts the inner XML of a markup, and checks that its object has the same content.
fn content_of_inner(inner: &str) -> Content {
    let node = from_xml(&format!("<TimelineMessage>{inner}</TimelineMessage>")).unwrap();
    assert_eq!(to_content(&from_object(&to_object(&node)).unwrap()), to_content(&node));
    to_content(&node)
}

fn text(inner: &str) -> String {
    let content = content_of_inner(inner);
    assert_eq!(content.offered_choices(), []);
    content_as_text(&content)
}

fn choices(content: &Content) -> Vec<(String, String)> {
    content.offered_choices().into_iter().map(|Choice { id, title }| (id, title)).collect()
}

fn named(choices: &[(&str, &str)]) -> Vec<(String, String)> {
    choices.iter().map(|(id, title)| ((*id).to_owned(), (*title).to_owned())).collect()
}

fn picture(url: &str, name: Option<&str>) -> Media {
    Media { url: url.into(), mime_type: None, name: name.map(Into::into), ..Media::default() }
}

#[test]
fn text_messages_become_lines() {
    assert_eq!(
        text("<TextMsg>Hello there!</TextMsg> <TextMsg> How are you?\n</TextMsg>"),
        "Hello there!\nHow are you?"
    );
    assert_eq!(
        text("<TextMsg dir=\"rtl\">5 &lt; 6 &amp; &#x41;<![CDATA[<b>]]></TextMsg>"),
        "5 < 6 & A<b>"
    );
    assert_eq!(text("<TextMsg>see <b>this</b></TextMsg>"), "see this");
}

/// Shows S23.
#[test]
fn button_ids_are_labels_or_by_event_their_own_ids() {
    let buttons =
        "<ButtonPrompt label=\"Track\" id=\"0\"/><ButtonPrompt label=\"Refund\" id=\"1\"/>";
    let by_label =
        content_of_inner(&format!("<ButtonPromptContainer>{buttons}</ButtonPromptContainer>"));
    assert_eq!(choices(&by_label), named(&[("Track", "Track"), ("Refund", "Refund")]));
    let by_event = format!(
        "<ButtonPromptContainer interactionType=\"event\">{buttons}</ButtonPromptContainer>"
    );
    assert_eq!(choices(&content_of_inner(&by_event)), named(&[("0", "Track"), ("1", "Refund")]));
    let by_event = "<SuggestionPrompt interactionType=\"event\"><Option title=\"S\" id=\"1\"/><Option id=\"2\"/></SuggestionPrompt>";
    assert_eq!(choices(&content_of_inner(by_event)), named(&[("1", "S"), ("2", "2")]));
}

/// Shows input 21.
#[test]
fn an_option_card_becomes_text_choices_and_links() {
    let menu = content_of_inner(
        "<OptionCard subtitle=\"CHOOSE ONE\" preventRetries=\"true\"><Option title=\"Track\" id=\"1\"/>\
         <Option title=\"Refund\" id=\"2\"/><Option title=\"Open order\" id=\"o\" \
         url=\"https://x.example/o\" urlTitle=\"Order\" linkOpenTarget=\"tab\"/></OptionCard>",
    );
    assert_eq!(menu.text.as_deref(), Some("CHOOSE ONE"));
    assert_eq!(choices(&menu), named(&[("Track", "Track"), ("Refund", "Refund")]));
    assert!(menu.single_use);
    let shown = "CHOOSE ONE\nOpen order: https://x.example/o\n1. Track\n2. Refund";
    assert_eq!(content_as_text(&menu), shown);
    assert_eq!(match_typed_choice("1", &menu.offered_choices(), true).unwrap().id, "Track");
}

/// Shows S24.
#[test]
fn every_prompt_can_prevent_retries() {
    let option = "<Option title=\"A\" id=\"1\"/>";
    for (name, inner) in [
        ("ButtonPromptContainer", "<ButtonPrompt label=\"A\" id=\"1\"/>"),
        ("SuggestionPrompt", option),
        ("OptionCard", option),
        ("BroadcastMsg", option),
        ("Dropdown", "<DropdownItem title=\"A\" id=\"1\"/>"),
        ("List selectable=\"true\"", "<Item title=\"A\" id=\"1\"/>"),
        ("List", &format!("<Item title=\"I\">{option}</Item>")),
    ] {
        let element = name.split(' ').next().unwrap();
        let prompt = |value: &str| {
            content_of_inner(&format!("<{name} preventRetries=\"{value}\">{inner}</{element}>"))
        };
        assert_eq!(choices(&prompt("true")).len(), 1, "{name}");
        assert!(prompt("true").single_use && !prompt("false").single_use, "{name}");
        let mixed = format!(
            "<{name} preventRetries=\"true\">{inner}</{element}><SuggestionPrompt>{option}</SuggestionPrompt>"
        );
        assert!(!content_of_inner(&mixed).single_use, "{name}: another prompt stays usable");
    }
    let no_choice = "<TextMsg>A</TextMsg><OptionCard subtitle=\"B\" preventRetries=\"true\"/>";
    assert!(!content_of_inner(no_choice).single_use);
}

/// Shows S23, input 21.
#[test]
fn a_drop_down_becomes_choices() {
    let list = content_of_inner(
        "<Dropdown description=\"What time?\" value=\"M\" interactionType=\"event\">\
         <DropdownItem id=\"M\" title=\"8-12 (morning)\"/><DropdownItem id=\"E\" title=\"5-8\"/></Dropdown>",
    );
    assert_eq!(list.text.as_deref(), Some("What time?"));
    assert_eq!(choices(&list), named(&[("M", "8-12 (morning)"), ("E", "5-8")]));
}

/// Shows input 21.
#[test]
fn a_date_picker_alone_has_no_content() {
    let picker = "<DateTime componentType=\"dateOnly\"/>";
    assert!(content_of_inner(picker).is_empty(), "it is recorded, and not an empty message");
    assert_eq!(text(&format!("<TextMsg>When?</TextMsg>{picker}")), "When?");
}

/// Shows input 21.
#[test]
fn stray_brackets_and_an_open_last_tag_are_tolerated() {
    for (markup, shown) in [
        ("<TextMsg>Hello</TextMsg>></TimelineMessage>", "Hello"),
        (">\n<TextMsg>Hello</TextMsg> > ></TimelineMessage>", "Hello"),
        ("<TextMsg>Hello</TextMsg></TimelineMessage>>\n>", "Hello"),
        ("<TextMsg>Hello</TextMsg>\n</TimelineMessage", "Hello"),
        ("<TextMsg>5 > 4 ></TextMsg></TimelineMessage>", "5 > 4 >"),
        ("<SuggestionPrompt><Option title=\"A\"/>></SuggestionPrompt></TimelineMessage>", "1. A"),
        ("<Other title=\"T\"><b>x</b>></Other></TimelineMessage>", "T\nx"),
    ] {
        let node = from_xml(&format!("<TimelineMessage>{markup}")).unwrap();
        assert_eq!(content_as_text(&to_content(&node)), shown, "{markup}");
        assert_eq!(to_content(&from_object(&to_object(&node)).unwrap()), to_content(&node));
    }
    assert!(from_xml("<a>x</b").is_err() && from_xml("<a>x</a> </").is_err());
}

/// Shows input 21.
#[test]
fn loops_repeat_their_elements() {
    let shown = |inner: &str, context: Value| {
        let contents = json!({"markup": format!("<TimelineMessage>{inner}</TimelineMessage>"),
                              "context": context});
        content_of(contents.as_object().unwrap()).map(|content| content_as_text(&content))
    };
    let carousel = "<List title=\"\" horizontal=\"true\" style=\"large-icon\">\n\
                    #foreach( $item in $data )\n<Item title=\"$item.first_name  $item.last_name\" \
                    subtitle=\"$item.email\" id=\"$velocityCount\"/>\n#end\n</List>";
    let people = json!({"data": [
        {"first_name": "Noor", "last_name": "Vos", "email": "n@x.example"},
        {"first_name": "<b>", "last_name": "&"},
    ]});
    let two = "Noor  Vos\nn@x.example\n\n<b>  &\n$item.email";
    assert_eq!(shown(carousel, people.clone()).as_deref(), Some(two));
    assert_eq!(shown(carousel, json!({"data": []})), None);
    assert_eq!(shown(carousel, json!({})), None, "no list, no items");
    let mixed = "<SuggestionPrompt><Option title=\"First\"/>#foreach($a in ${x.list})\
                 <Option title=\"${a} ($foreach.count)\"/>#end #foreach($b in $!y)<Option title=\"$b\"/>#end\
                 <Option title=\"Last\"/></SuggestionPrompt>";
    let lists = json!({"x": {"list": ["A", "B"]}, "y": {"k": "C"}});
    let options = "1. First\n2. A (1)\n3. B (2)\n4. C\n5. Last";
    assert_eq!(shown(mixed, lists).as_deref(), Some(options));
    let nested = "<List>#foreach($i in $items)<Item title=\"$i.name\">#foreach($o in $i.options)\
                  <Option title=\"$o\"/>#end</Item>#end</List>";
    let items = json!({"items": [{"name": "I", "options": ["a", "b"]}, {"name": "J"}]});
    assert_eq!(shown(nested, items).as_deref(), Some("I\n1. I: a\n2. I: b\n\nJ"));
    let many = json!({"data": vec![json!({"first_name": "x", "last_name": "y"}); 100_000]});
    let lines = shown(carousel, many).unwrap().lines().count();
    assert!(lines < 20_000, "their number is limited: {lines}");
}

#[test]
fn a_card_may_have_a_link() {
    let video =
        "<Card title=\"Measure\" imgUrl=\"https://i.example/g\" url=\"https://v.example/g.mp4\"/>";
    assert_eq!(text(video), "Measure\nhttps://i.example/g\nhttps://v.example/g.mp4");
}

#[test]
fn a_selectable_list_becomes_choices() {
    let list = content_of_inner(
        "<List title=\"Which account?\" selectable=\"true\" style=\"small-icon\">\
         <Item id=\"SAVE\" title=\"Savings\" iconUrl=\"https://i.example/s.ico\"/>\
         <Item id=\"CRED\" title=\"Credit\" subtitle=\"4 %\"/></List>",
    );
    let text_shown = "Which account?\n\n1. Savings\n\nCredit\n4 %\n2. Credit";
    assert_eq!(content_as_text(&list), text_shown, "icons are ignored");
    assert_eq!(choices(&list), named(&[("Savings", "Savings"), ("Credit", "Credit")]));
    let plain =
        "<List title=\"Open\"><Item title=\"Mon\"/><Item title=\"Tue\" subtitle=\"late\"/></List>";
    assert_eq!(text(plain), "Open\n\nMon\n\nTue\nlate");
}

#[test]
fn a_carousel_becomes_cards_whose_choices_name_their_item() {
    let carousel = content_of_inner(
        "<List horizontal=\"true\" selectable=\"true\" style=\"large-icon\">\
         <Item title=\"Anna\" subtitle=\"Billing\" id=\"1\" imageUrl=\"https://i.example/a?x&amp;y\">\
         <Option title=\"Choose\" id=\"anna\"/>\
         <Option title=\"Profile\" url=\"https://p.example/a\" urlTitle=\"P\"/></Item>\
         <Item title=\"Bo\" id=\"2\" imageUrl=\"https://i.example/b\">\
         <Option title=\"Choose\" id=\"bo\"/></Item></List>",
    );
    let link = CardAction::Link { title: "Profile".into(), url: "https://p.example/a".into() };
    let reply =
        |title: &str| CardAction::Reply(Choice { id: title.to_owned(), title: title.to_owned() });
    let anna = Card {
        title: Some("Anna".into()),
        text: Some("Billing".into()),
        picture: Some(picture("https://i.example/a?x&y", Some("Anna"))),
        actions: vec![reply("Anna: Choose"), link],
        ..Card::default()
    };
    let bo = Card {
        title: Some("Bo".into()),
        picture: Some(picture("https://i.example/b", Some("Bo"))),
        actions: vec![reply("Bo: Choose")],
        ..Card::default()
    };
    assert_eq!(carousel, Content { cards: vec![anna, bo], ..Content::default() });
}

#[test]
fn a_card_becomes_a_picture() {
    let card =
        content_of_inner("<Card title=\"Look\" imgUrl=\"https://i.example/g\" alt=\"A garden\"/>");
    let picture = Some(picture("https://i.example/g", Some("A garden")));
    let expected = Card { title: Some("Look".into()), picture, ..Card::default() };
    assert_eq!(card.cards, [expected]);
    let untitled = content_of_inner("<Card imgUrl=\"https://i.example/g\"/>");
    assert_eq!(untitled.media.len(), 1);
    let inline = "<Card title=\"Look\" imgData=\"aGk=\" alt=\"A garden\"/>";
    assert_eq!(text(inline), "Look\nA garden", "an inline picture has no URL");
}

#[test]
fn broadcasts_views_and_maps_become_text_and_links() {
    let broadcast = content_of_inner(
        "<BroadcastMsg style=\"warning\" title=\"Closing\" body=\"The fund ends.\" delay=\"5\">\
         <Option title=\"Another fund\" id=\"1234\"/></BroadcastMsg>",
    );
    assert_eq!(broadcast.text.as_deref(), Some("Closing\nThe fund ends."));
    assert_eq!(choices(&broadcast), named(&[("Another fund", "Another fund")]));
    let view =
        "<DetailView title=\"Our bots\" description=\"See them\" url=\"https://v.example\"/>";
    assert_eq!(text(view), "Our bots\nSee them\nhttps://v.example");
    let map = "<StaticMap description=\"The stadium\" lat=\"53.335309\" lng=\"-6.228413\"/>";
    let link = "https://www.google.com/maps/search/?api=1&query=53.335309,-6.228413";
    assert_eq!(text(map), format!("The stadium: {link}"));
    let two = text(&format!("{map}<StaticMap lat=\"1\" lng=\"2\"/>"));
    assert!(two.contains(link) && two.contains("query=1,2"), "{two}");
    assert_eq!(text("<StaticMap description=\"Here\" lat=\"north\" lng=\"1\"/>"), "Here");
}

#[test]
fn texts_and_cards_keep_their_order() {
    let mixed = "<TextMsg>Before</TextMsg><Card title=\"A\" imgUrl=\"https://i.example/a\"/>\
                 <TextMsg>Between</TextMsg><Card title=\"B\" imgUrl=\"https://i.example/b\"/>\
                 <TextMsg>After</TextMsg>";
    let expected = "Before\n\nA\nhttps://i.example/a\n\nBetween\n\nB\nhttps://i.example/b\n\nAfter";
    assert_eq!(text(mixed), expected);
}

#[test]
fn an_unknown_element_becomes_all_its_texts() {
    let calendar = "<Calendar title=\"Size\" label=\"Pick\" body=\"b\" description=\"d\" other=\"o\">Now\
                    <Entry label=\"S\"/><Entry><Deep content=\"c\">L</Deep></Entry></Calendar>";
    assert_eq!(text(calendar), "Now\nPick\nSize\nb\nd\nS\nc\nL");
    assert_eq!(to_content(&from_xml("<StarRating id=\"1\"/>").unwrap()), Content::default());
}

#[test]
fn substituted_values_are_never_markup() {
    let contents = json!({
        "markup": "<TextMsg>Hello ${name}, ${rest}</TextMsg>",
        "context": {"name": "<TextMsg>&amp;", "unused": 1},
    });
    let content = content_of(contents.as_object().unwrap()).unwrap();
    assert_eq!(content.text.as_deref(), Some("Hello <TextMsg>&amp;, ${rest}"));
}

/// Shows S9, S21.
#[test]
fn prefers_the_object_and_falls_back_to_xml() {
    let text_of = |object: Value| {
        let contents = json!({"markup": "<TextMsg>xml</TextMsg>", "markupObject": object});
        content_of(contents.as_object().unwrap()).unwrap().text
    };
    let object =
        json!({"TimelineMessage": {"children": [{"#name": "TextMsg", "content": "object"}]}});
    assert_eq!(text_of(object.clone()).as_deref(), Some("object"));
    assert_eq!(text_of(json!({"#name": "TextMsg", "content": 7})).as_deref(), Some("7"));
    for bad in [json!({}), json!([]), json!("x"), json!({"a": {}, "b": {}}), json!({"Empty": {}})] {
        assert_eq!(text_of(bad).as_deref(), Some("xml"));
    }
}

#[test]
fn rejects_invalid_large_and_nested_markup() {
    let bad = |xml: &str| from_xml(xml).unwrap_err();
    let entity = "<!DOCTYPE t [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><TextMsg>&x;</TextMsg>";
    assert_eq!(bad(entity), MarkupError::ForbiddenDeclaration);
    assert_eq!(bad("<TextMsg>&nbsp;</TextMsg>"), MarkupError::ForbiddenDeclaration);
    for xml in ["<a b=\"&x;\"/>", "<a></b>", "<a b=c/>", "<a b=\"1\" b=\"2\"/>", "<a><", "<a>&</a>"]
    {
        assert!(matches!(bad(xml), MarkupError::NotXml(_)), "{xml}");
    }
    for xml in ["", "Hello!", "<a>", "<a/><b/>", "<a/>x", "</a>"] {
        assert!(
            matches!(bad(xml), MarkupError::NotSingleElement | MarkupError::NotXml(_)),
            "{xml}"
        );
    }
    let nested = |deep: usize| "<a>".repeat(deep) + &"</a>".repeat(deep);
    assert!(from_xml(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(bad(&nested(MAX_DEPTH + 1)), MarkupError::TooDeep);
    assert_eq!(bad(&"<a>".repeat(30_000)), MarkupError::TooDeep);
    assert_eq!(bad(&format!("<a>{}</a>", "x".repeat(MAX_BYTES))), MarkupError::TooLarge);
    let attributes: String = (0..20_000).map(|i| format!(" a{i}=\"\"")).take(5_000).collect();
    assert_eq!(bad(&format!("<a{attributes}/>")), MarkupError::TooManyAttributes);
    let mut deep = json!({"#name": "a"});
    for _ in 0..MAX_DEPTH {
        deep = json!({"#name": "a", "children": [deep]});
    }
    assert_eq!(from_object(&deep), Err(MarkupError::TooDeep));
}

fn any_node() -> impl Strategy<Value = Node> {
    any_leaf().prop_recursive(4, 20, 4, |inner| {
        (any_leaf(), prop::collection::vec(inner, 0..4))
            .prop_map(|(node, children)| Node { children, ..node })
    })
}

fn any_leaf() -> impl Strategy<Value = Node> {
    let names = prop::sample::select(vec!["TextMsg", "List", "Item", "Option", "Card", "Other"]);
    let attributes = prop::collection::btree_map("[a-zA-Z]{1,8}", any_text(), 0..4);
    // White space between elements has no meaning.
    let content = any_text().prop_map(|text| text.trim().to_owned());
    (names, attributes, content).prop_map(|(name, attributes, content)| Node {
        name: name.into(),
        attributes: attributes.into_iter().collect(),
        content,
        children: Vec::new(),
    })
}

/// Any text that XML can represent.
fn any_text() -> impl Strategy<Value = String> {
    "[\\PC\t\n\r]{0,20}".prop_map(|text| text.replace(['\u{fffe}', '\u{ffff}'], ""))
}

proptest! {
    #[test]
    fn written_markup_parses_back(node in any_node()) {
        prop_assert_eq!(&from_xml(&to_xml(&node)).unwrap(), &node);
        let mut sorted = from_object(&to_object(&node)).unwrap();
        sort(&mut sorted);
        let mut node = node;
        sort(&mut node);
        prop_assert_eq!(sorted, node);
    }

    #[test]
    fn arbitrary_xml_never_panics(xml in "\\PC{0,80}|[<>/=\"'&;#x0-9a-zA-Z!\\[\\]?: \n-]{0,120}") {
        if let Ok(node) = from_xml(&xml) {
            prop_assert!(node.depth() <= MAX_DEPTH);
            let _ = to_content(&node);
        }
        let contents = Map::from_iter([("markup".to_owned(), Value::from(xml))]);
        let _ = content_of(&contents);
    }

    #[test]
    fn arbitrary_markup_never_panics(
        parts in prop::collection::vec(prop::sample::select(vec!["<TimelineMessage>",
            "</TimelineMessage>", "<TextMsg>", "</TextMsg>", "<List selectable=\"true\">", "</List>",
            "<Item title=\"t\" imageUrl=\"u\">", "</Item>", "<Option title=\"o\" id=\"1\"/>",
            "<Card imgUrl=\"x\"/>", "text", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--", "-->",
            "<!DOCTYPE x>", "<?x?>", "${a}", "\u{0}"]), 0..20)
    ) {
        let contents = json!({"markup": parts.concat(), "context": {"a": "b"}});
        let _ = content_of(contents.as_object().unwrap());
    }

    #[test]
    fn keeps_every_text(texts in prop::collection::vec("[^\\p{Z}\\p{C}]{1,12}", 1..6)) {
        let children = texts.iter().map(|text| Node { content: text.clone(), ..Node::with("TextMsg", &[]) });
        let root = Node { children: children.collect(), ..Node::with("TimelineMessage", &[]) };
        let shown = to_content(&from_xml(&to_xml(&root)).unwrap()).text.unwrap();
        prop_assert_eq!(shown, texts.join("\n"));
    }
}

fn sort(node: &mut Node) {
    node.attributes.sort();
    node.children.iter_mut().for_each(sort);
}
