//! What people read where a platform has no markup: source and expected text.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::{split, to_plain_text};
use crate::model::Format::{self, Html, Markdown, Plain};

const GOLDEN: &[(Format, &str, &str)] = &[
    // Lists keep their numbers and their nesting.
    (
        Markdown,
        "Please pick:\n1. Track a parcel\n2. Return an item\n\nReply with 1 or 2",
        "Please pick:\n\n1. Track a parcel\n2. Return an item\n\nReply with 1 or 2",
    ),
    (Markdown, "2. sounds good", "2. sounds good"),
    (Markdown, "3. Last step", "3. Last step"),
    (Markdown, "3.", "3."),
    (Markdown, "2) sounds good", "2) sounds good"),
    (Markdown, "1. yes\n3. no\n4. later", "1. yes\n3. no\n4. later"),
    (Markdown, "1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
    (Html, "<ol><li>a<li value=5>b<li>c</ol><ul><li value=7>d</ul>", "1. a\n5. b\n6. c\n\n- d"),
    (Markdown, "1. a\n   - b\n   - c\n2. d", "1. a\n   - b\n   - c\n2. d"),
    (Markdown, "- a\n\n- b", "- a\n\n- b"),
    (Markdown, "- a\n  more of a", "- a\n  more of a"),
    (Markdown, "# Hi\n\n- *one*\n- two", "Hi\n\n- one\n- two"),
    (Html, r#"<ol start="3"><li>x</li></ol>"#, "3. x"),
    (Html, "<p>Menu</p><ol><li>a<li>b<ul><li>c</ul></ol>end", "Menu\n\n1. a\n2. b\n   - c\n\nend"),
    (Html, "<li>alone</li>", "- alone"),
    (Html, "<ul><li><p>a</p></li><li></li></ul>", "- a\n\n-"),
    // Code is verbatim.
    (
        Markdown,
        "Enter this:\n```json\n{\"a\": 1 && 2 < 3}\n```",
        "Enter this:\n\n{\"a\": 1 && 2 < 3}",
    ),
    (Markdown, "Your code:\n\n    ABC-123 & <X>", "Your code:\n\nABC-123 & <X>"),
    (Markdown, "```\nif a:\n    b\n\n    c\n```", "if a:\n    b\n\n    c"),
    (Markdown, "Type `a  <b>`", "Type a  <b>"),
    (Html, "<pre>a  b\n  c &lt;x&gt;</pre>d", "a  b\n  c <x>\n\nd"),
    // Line breaks of a chat.
    (
        Markdown,
        "Opening hours:\nMon 9-17\nTue 9-17\nSat closed",
        "Opening hours:\nMon 9-17\nTue 9-17\nSat closed",
    ),
    (Markdown, "a  \nb\\\nc", "a\nb\nc"),
    (Markdown, "a\n\n\n\nb", "a\n\nb"),
    (Html, "a\n b<br>c<br/>d", "a b\nc\nd"),
    (Html, "<div>a</div><div>b</div>", "a\nb"),
    (
        Html,
        "<p>Hello <b>you</b> &amp; me</p><ul><li>one</li><li>two</li></ul>",
        "Hello you & me\n\n- one\n- two",
    ),
    // Placeholders and tags that are not HTML are text.
    (
        Markdown,
        "Your code is <ABC123>, type it as <code>",
        "Your code is <ABC123>, type it as <code>",
    ),
    (Markdown, "<pending>", "<pending>"),
    (Markdown, "a <b>bold</b> word<br>next", "a bold word\nnext"),
    (Markdown, "</code> and <b>", "</code> and <b>"),
    (Markdown, "a <!-- note --> b", "a  b"),
    (Markdown, "<div>\n<p>x</p>\n</div>", "x"),
    (Html, "Your code is <ABC123> </Abc>", "Your code is <ABC123> </Abc>"),
    (Html, "<o:p>x</o:p>", "x"),
    (Html, "5 < 6 & 7 > 2", "5 < 6 & 7 > 2"),
    (Html, "I <3 you", "I <3 you"),
    (Html, "before <a href=x", "before <a href=x"),
    (Html, "a <!-- never closed", "a <!-- never closed"),
    (Html, "a <!-- closed --> b", "a b"),
    (Html, "<style>p { color: red }</style>x<script>1 < 2</script>y", "xy"),
    (Html, "a<script>never closed", "anever closed"),
    (Html, "<!-- only a comment -->", "<!-- only a comment -->"),
    (Html, "<b></b>", "<b></b>"),
    // Links, images and other media show their addresses.
    (Markdown, "[one](https://x.example/b)?", "one (https://x.example/b)?"),
    (Markdown, "[https://x.example](https://x.example/)", "https://x.example"),
    (Markdown, "<https://x.example/a?b=c&d=e>", "https://x.example/a?b=c&d=e"),
    (Markdown, "<a@x.example>", "a@x.example"),
    (Markdown, "[write](mailto:a@x.example)", "write (a@x.example)"),
    (Markdown, "[call us](tel:+31201234567)", "call us (+31201234567)"),
    (Markdown, "[](https://x.example/b)", "https://x.example/b"),
    (Markdown, "[top](#top)", "top"),
    (Markdown, "a[0](x)", "a0 (x)"),
    (Markdown, "[a][b]\n\n[b]: https://x.example/c", "a (https://x.example/c)"),
    (Markdown, "![Receipt](https://x.example/r.png)", "Receipt: https://x.example/r.png"),
    (Markdown, "![](https://x.example/r.png)", "https://x.example/r.png"),
    (
        Markdown,
        "[![Map](https://x.example/m.png)](https://x.example/map)",
        "Map: https://x.example/m.png (https://x.example/map)",
    ),
    (Html, r#"<a href="https://x.example/b">one</a>"#, "one (https://x.example/b)"),
    (Html, r#"<a href="javascript:alert(1)">one</a>"#, "one"),
    (
        Html,
        r#"<img src="https://x.example/r.png" alt="Receipt">"#,
        "Receipt: https://x.example/r.png",
    ),
    (Html, r#"<img src="data:image/png;base64,AAAA" alt="Dot">"#, "Dot"),
    // Tables are aligned lines.
    (Markdown, "| a | bcd |\n| - | - |\n| ef | g |", "a  | bcd\nef | g"),
    (
        Html,
        "<table><tr><th>a</th><th>b</th></tr><tr><td>cd</td><td>e</td></tr></table>",
        "a  | b\ncd | e",
    ),
    (Html, "<table><tr><td><p>a</p><p>b</p></td></tr></table>", "a\n\nb"),
    (Html, "<td>a</td><td>b</td>", "a\nb"),
    // Emphasis, quotes, headings, rules.
    (Markdown, "**a** _b_ ~~c~~", "a b c"),
    (Markdown, "> a\n> b\n\nc", "> a\n> b\n\nc"),
    (Markdown, "> - a\n> - b", "> - a\n> - b"),
    (Markdown, "Title\n=====\ntext", "Title\n\ntext"),
    (Markdown, "a\n\n***\n\nb", "a\n\n---\n\nb"),
    (Html, "<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"),
    (Html, "<h1>T</h1>x<hr>y", "T\n\nx\n\n---\n\ny"),
    (Html, "He said <q>no</q>.", "He said “no”."),
    // Entities and escapes.
    (Markdown, r"5 \* 3 &amp; &eacute; &#x1F600;", "5 * 3 & é 😀"),
    (Html, "&eacute;&nbsp;&euro;&#128512;&bogus;", "é\u{a0}€😀&bogus;"),
    // Languages and scripts.
    (Markdown, "مرحبا **بك** في المتجر", "مرحبا بك في المتجر"),
    (Markdown, "שלום *עולם*", "שלום עולם"),
    (Markdown, "您好，请选择：\n1. 查询订单", "您好，请选择：\n\n1. 查询订单"),
    (Markdown, "नमस्ते __दुनिया__", "नमस्ते दुनिया"),
    (Markdown, "สวัสดี **ครับ**", "สวัสดี ครับ"),
    (Markdown, "e\u{301} 👩‍👩‍👧 🇳🇱", "e\u{301} 👩‍👩‍👧 🇳🇱"),
    (Html, "<p dir=\"rtl\">\u{202b}مرحبا\u{202c}</p>", "\u{202b}مرحبا\u{202c}"),
];

#[test]
fn markup_reads_well_as_plain_text() {
    let wrong = GOLDEN.iter().filter_map(|(format, source, expected)| {
        let text = to_plain_text(source, *format);
        (text != *expected)
            .then(|| format!("{source:?}\n  is       {text:?}\n  and not  {expected:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts that make a careless renderer slow or its output long.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("", "<a", ""),
    ("", "</a", ""),
    ("<a=\"", "<a", ""),
    ("", "<!", ""),
    ("<pre>", "<", ""),
    ("<div\n", "<a", ""),
    ("", "> ", "a\nb\nc"),
    ("", "<blockquote>", "a"),
    ("", "[", ""),
    ("", "![a](", ""),
    ("", "*a_", ""),
    ("", "`", "a"),
    ("", "<ul><li>", "a<br>b"),
    ("", "|", "\n|-|-|\n"),
    ("", "&#", ""),
    ("Done.", " ", "1"),
    ("Done.", ")", ""),
    ("", "<blockquote></li>", ""),
];

#[test]
fn hostile_markup_is_rendered_and_split() {
    for (before, repeated, after) in HOSTILE {
        let count = (64 * 1024 - before.len() - after.len()) / repeated.len();
        let source = format!("{before}{}{after}", repeated.repeat(count));
        for format in [Markdown, Html] {
            let text = to_plain_text(&source, format);
            assert!(!text.is_empty(), "{repeated}");
            assert!(text.len() <= 3 * source.len(), "{repeated}: {} bytes", text.len());
            let parts = split(&source, 4096, format);
            assert!(parts.iter().all(|part| part.chars().count() <= 4096), "{repeated}");
        }
    }
}

/// A quadratic search for a cut takes minutes here.
/// Shows input 20.
#[test]
fn a_long_run_of_spaces_or_brackets_is_split_at_once() {
    let text = |run: &str| format!("Done.{}1", run.repeat(120_000));
    let (sender, parts) = channel();
    let texts = [text(" "), text(")")];
    std::thread::spawn(move || {
        for text in texts {
            sender.send(split(&text, 4096, Plain)).unwrap();
        }
    });
    let next = || parts.recv_timeout(Duration::from_secs(10)).expect("it takes too long");
    assert_eq!(next(), ["Done.", "1"]);
    assert_eq!(next().concat(), text(")"));
}

#[test]
fn a_part_ends_where_a_reader_expects_it() {
    let filler = "A".repeat(4050);
    let link = "https://shop.example/track?order=48121&lang=nl";
    let parts = split(&format!("{filler}. Track it here: {link}"), 4096, Plain);
    assert!(parts == [format!("{filler}."), format!("Track it here: {link}")], "{}", parts[1]);
    let of = |text: &str, limit| split(text, limit, Plain);
    assert_eq!(of("One.\n\nTwo two. Three three.", 20), ["One.\n\nTwo two.", "Three three."]);
    assert_eq!(of("aaaa aaaa aaaa\n\nbbbb. cccc", 22), ["aaaa aaaa aaaa", "bbbb. cccc"]);
    assert_eq!(of("It weighs about 12 kg and", 19), ["It weighs about", "12 kg and"]);
    assert_eq!(of("您好。请选择。谢谢您。", 5), ["您好。", "请选择。", "谢谢您。"]);
    assert_eq!(of("👩‍👩‍👧👩‍👩‍👧", 7), ["👩‍👩‍👧", "👩‍👩‍👧"]);
}

#[test]
fn a_code_fence_is_closed_and_opened_again() {
    let lines: Vec<String> = (0..9).map(|i| format!("    line {i}\n")).collect();
    let text = format!("Run:\n```sh\n{}```\nDone.", lines.concat());
    let parts = split(&text, 60, Markdown);
    assert!(parts.len() > 2, "{parts:?}");
    for part in &parts {
        assert!(part.chars().count() <= 60, "{part:?}");
        assert_eq!(part.matches("```").count() % 2, 0, "{part:?}");
    }
    assert!(parts[1].starts_with("```sh\n    line "), "{parts:?}");
    let code = |text: &str| {
        text.lines().filter(|line| line.starts_with("    ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(parts.iter().flat_map(|part| code(part)).collect::<Vec<_>>(), code(&text));
}
