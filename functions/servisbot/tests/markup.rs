//! Timeline Markup Language, element by element.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's panic is its verdict")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trunkline_servisbot::markup::{
    BadMarkup, MAX_BYTES, MAX_DEPTH, Node, from_object, from_xml, read, show, to_object, to_xml,
};
use trunkline_shared::model::{Choice, Content, Media};

/// What a markup shows, as XML and as its object.
fn shown(inner: &str) -> Content {
    let node = from_xml(&format!("<TimelineMessage>{inner}</TimelineMessage>")).unwrap();
    assert_eq!(show(&from_object(&to_object(&node)).unwrap()), show(&node));
    show(&node)
}

fn text(inner: &str) -> String {
    let content = shown(inner);
    assert_eq!((content.media, content.choices), (vec![], vec![]));
    content.text.unwrap_or_default()
}

fn choices(content: &Content) -> Vec<(&str, &str)> {
    content.choices.iter().map(|Choice { id, title }| (id.as_str(), title.as_str())).collect()
}

fn picture(url: &str, name: Option<&str>) -> Media {
    Media { url: url.into(), mime_type: None, name: name.map(Into::into) }
}

#[test]
fn text_messages_are_lines() {
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

#[test]
fn buttons_come_back_as_their_label_or_by_event_as_their_id() {
    let buttons =
        "<ButtonPrompt label=\"Track\" id=\"0\"/><ButtonPrompt label=\"Refund\" id=\"1\"/>";
    let said = shown(&format!("<ButtonPromptContainer>{buttons}</ButtonPromptContainer>"));
    assert_eq!(choices(&said), [("Track", "Track"), ("Refund", "Refund")]);
    let by_event = format!(
        "<ButtonPromptContainer interactionType=\"event\">{buttons}</ButtonPromptContainer>"
    );
    assert_eq!(choices(&shown(&by_event)), [("0", "Track"), ("1", "Refund")]);
    let by_event = "<SuggestionPrompt interactionType=\"event\"><Option title=\"S\" id=\"1\"/><Option id=\"2\"/></SuggestionPrompt>";
    assert_eq!(choices(&shown(by_event)), [("1", "S"), ("2", "2")]);
}

#[test]
fn a_list_that_can_be_picked_from_is_choices() {
    let list = shown(
        "<List title=\"Which account?\" selectable=\"true\" style=\"small-icon\">\
         <Item id=\"SAVE\" title=\"Savings\" iconUrl=\"https://i.example/s.ico\"/>\
         <Item id=\"CRED\" title=\"Credit\" subtitle=\"4 %\"/></List>",
    );
    assert_eq!(list.text.as_deref(), Some("Which account?\nCredit: 4 %"));
    assert_eq!(choices(&list), [("Savings", "Savings"), ("Credit", "Credit")]);
    assert_eq!(list.media, [], "an icon only adorns");
    let plain =
        "<List title=\"Open\"><Item title=\"Mon\"/><Item title=\"Tue\" subtitle=\"late\"/></List>";
    assert_eq!(text(plain), "Open\nMon\nTue: late");
}

#[test]
fn a_carousel_is_pictures_links_and_choices_with_their_items_names() {
    let carousel = shown(
        "<List horizontal=\"true\" selectable=\"true\" style=\"large-icon\">\
         <Item title=\"Anna\" subtitle=\"Billing\" id=\"1\" imageUrl=\"https://i.example/a?x&amp;y\">\
         <Option title=\"Choose\" id=\"anna\"/>\
         <Option title=\"Profile\" url=\"https://p.example/a\" urlTitle=\"P\"/></Item>\
         <Item title=\"Bo\" id=\"2\" imageUrl=\"https://i.example/b\">\
         <Option title=\"Choose\" id=\"bo\"/></Item></List>",
    );
    assert_eq!(
        carousel.text.as_deref(),
        Some("Anna: Billing\nAnna: Profile: https://p.example/a\nBo")
    );
    let title = ["Anna: Choose", "Bo: Choose"];
    assert_eq!(choices(&carousel), [(title[0], title[0]), (title[1], title[1])]);
    let media = [("https://i.example/a?x&y", "Anna"), ("https://i.example/b", "Bo")];
    assert_eq!(carousel.media, media.map(|(url, name)| picture(url, Some(name))));
}

#[test]
fn a_card_is_a_picture() {
    let card = shown("<Card title=\"Look\" imgUrl=\"https://i.example/g\" alt=\"A garden\"/>");
    assert_eq!(card.text.as_deref(), Some("Look"));
    assert_eq!(card.media, [picture("https://i.example/g", Some("A garden"))]);
    let written_out = "<Card title=\"Look\" imgData=\"aGk=\" alt=\"A garden\"/>";
    assert_eq!(text(written_out), "Look\nA garden", "there is no address to fetch it from");
}

#[test]
fn broadcasts_views_and_maps_are_text_and_links() {
    let broadcast = shown(
        "<BroadcastMsg style=\"warning\" title=\"Closing\" body=\"The fund ends.\" delay=\"5\">\
         <Option title=\"Another fund\" id=\"1234\"/></BroadcastMsg>",
    );
    assert_eq!(broadcast.text.as_deref(), Some("Closing\nThe fund ends."));
    assert_eq!(choices(&broadcast), [("Another fund", "Another fund")]);
    let view =
        "<DetailView title=\"Our bots\" description=\"See them\" url=\"https://v.example\"/>";
    assert_eq!(text(view), "Our bots\nSee them\nhttps://v.example");
    let map = "<StaticMap description=\"The stadium\" lat=\"53.335309\" lng=\"-6.228413\"/>";
    let link = "https://www.google.com/maps/search/?api=1&query=53.335309,-6.228413";
    assert_eq!(text(map), format!("The stadium\n{link}"));
    assert_eq!(text("<StaticMap description=\"Here\" lat=\"north\" lng=\"1\"/>"), "Here");
}

#[test]
fn an_unknown_element_says_all_that_it_can() {
    let dropdown = "<Dropdown title=\"Size\" label=\"Pick\" body=\"b\" description=\"d\" other=\"o\">Now\
                    <Entry label=\"S\"/><Entry><Deep content=\"c\">L</Deep></Entry></Dropdown>";
    assert_eq!(text(dropdown), "Now\nPick\nSize\nb\nd\nS\nc\nL");
    assert_eq!(show(&from_xml("<StarRating id=\"1\"/>").unwrap()), Content::default());
}

#[test]
fn variables_get_their_values_which_are_never_markup() {
    let contents = json!({
        "markup": "<TextMsg>Hello ${name}, ${rest}</TextMsg>",
        "context": {"name": "<TextMsg>&amp;", "unused": 1},
    });
    let content = read(contents.as_object().unwrap()).unwrap();
    assert_eq!(content.text.as_deref(), Some("Hello <TextMsg>&amp;, ${rest}"));
}

#[test]
fn the_object_is_preferred_and_the_xml_is_there_if_it_cannot_be_read() {
    let read = |object: Value| {
        let contents = json!({"markup": "<TextMsg>xml</TextMsg>", "markupObject": object});
        read(contents.as_object().unwrap()).unwrap().text
    };
    let object =
        json!({"TimelineMessage": {"children": [{"#name": "TextMsg", "content": "object"}]}});
    assert_eq!(read(object.clone()).as_deref(), Some("object"));
    assert_eq!(read(json!({"#name": "TextMsg", "content": 7})).as_deref(), Some("7"));
    for bad in [json!({}), json!([]), json!("x"), json!({"a": {}, "b": {}}), json!({"Empty": {}})] {
        assert_eq!(read(bad).as_deref(), Some("xml"));
    }
}

#[test]
fn what_is_not_strict_small_and_plain_is_refused() {
    let bad = |xml: &str| from_xml(xml).unwrap_err();
    let entity = "<!DOCTYPE t [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><TextMsg>&x;</TextMsg>";
    assert_eq!(bad(entity), BadMarkup::Declares);
    assert_eq!(bad("<TextMsg>&nbsp;</TextMsg>"), BadMarkup::Declares);
    for xml in ["<a b=\"&x;\"/>", "<a></b>", "<a b=c/>", "<a b=\"1\" b=\"2\"/>", "<a><", "<a>&</a>"]
    {
        assert!(matches!(bad(xml), BadMarkup::NotXml(_)), "{xml}");
    }
    for xml in ["", "Hello!", "<a>", "<a/><b/>", "<a/>x", "</a>"] {
        assert!(matches!(bad(xml), BadMarkup::NotOneElement | BadMarkup::NotXml(_)), "{xml}");
    }
    let nested = |deep: usize| "<a>".repeat(deep) + &"</a>".repeat(deep);
    assert!(from_xml(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(bad(&nested(MAX_DEPTH + 1)), BadMarkup::TooDeep);
    assert_eq!(bad(&"<a>".repeat(30_000)), BadMarkup::TooDeep);
    assert_eq!(bad(&format!("<a>{}</a>", "x".repeat(MAX_BYTES))), BadMarkup::TooLong);
    let attributes: String = (0..20_000).map(|i| format!(" a{i}=\"\"")).take(5_000).collect();
    assert_eq!(bad(&format!("<a{attributes}/>")), BadMarkup::TooManyAttributes);
    let mut deep = json!({"#name": "a"});
    for _ in 0..MAX_DEPTH {
        deep = json!({"#name": "a", "children": [deep]});
    }
    assert_eq!(from_object(&deep), Err(BadMarkup::TooDeep));
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
    // White space alone only sets elements apart.
    let content = any_text().prop_map(|text| text.trim().to_owned());
    (names, attributes, content).prop_map(|(name, attributes, content)| Node {
        name: name.into(),
        attributes: attributes.into_iter().collect(),
        content,
        children: Vec::new(),
    })
}

/// Any text that XML can hold.
fn any_text() -> impl Strategy<Value = String> {
    "[\\PC\t\n\r]{0,20}".prop_map(|text| text.replace(['\u{fffe}', '\u{ffff}'], ""))
}

proptest! {
    #[test]
    fn what_is_written_reads_back(node in any_node()) {
        prop_assert_eq!(&from_xml(&to_xml(&node)).unwrap(), &node);
        let mut sorted = from_object(&to_object(&node)).unwrap();
        sort(&mut sorted);
        let mut node = node;
        sort(&mut node);
        prop_assert_eq!(sorted, node);
    }

    #[test]
    fn no_xml_makes_it_panic(xml in "\\PC{0,80}|[<>/=\"'&;#x0-9a-zA-Z!\\[\\]?: \n-]{0,120}") {
        if let Ok(node) = from_xml(&xml) {
            prop_assert!(node.depth() <= MAX_DEPTH);
            let _ = show(&node);
        }
        let contents = Map::from_iter([("markup".to_owned(), Value::from(xml))]);
        let _ = read(&contents);
    }

    #[test]
    fn no_markup_makes_it_panic(
        parts in prop::collection::vec(prop::sample::select(vec!["<TimelineMessage>",
            "</TimelineMessage>", "<TextMsg>", "</TextMsg>", "<List selectable=\"true\">", "</List>",
            "<Item title=\"t\" imageUrl=\"u\">", "</Item>", "<Option title=\"o\" id=\"1\"/>",
            "<Card imgUrl=\"x\"/>", "text", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--", "-->",
            "<!DOCTYPE x>", "<?x?>", "${a}", "\u{0}"]), 0..20)
    ) {
        let contents = json!({"markup": parts.concat(), "context": {"a": "b"}});
        let _ = read(contents.as_object().unwrap());
    }

    #[test]
    fn no_text_is_lost(texts in prop::collection::vec("[^\\p{Z}\\p{C}]{1,12}", 1..6)) {
        let children = texts.iter().map(|text| Node { content: text.clone(), ..Node::with("TextMsg", &[]) });
        let root = Node { children: children.collect(), ..Node::with("TimelineMessage", &[]) };
        let shown = show(&from_xml(&to_xml(&root)).unwrap()).text.unwrap();
        prop_assert_eq!(shown, texts.join("\n"));
    }
}

fn sort(node: &mut Node) {
    node.attributes.sort();
    node.children.iter_mut().for_each(sort);
}
