//! Names and types of relayed files, which strangers choose.

use crate::security::percent_encode;

/// The longest file name, in characters.
const MAX_NAME: usize = 150;
/// The name of a file without a name.
const UNNAMED: &str = "file";
/// The type of a file that a browser must not interpret.
const BYTES: &str = "application/octet-stream";
/// Ends of the names of programs, which no customer should be sent.
const PROGRAMS: [&str; 22] = [
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "jar", "jse", "lnk", "msi",
    "pif", "ps1", "reg", "scr", "sh", "vb", "vbe", "vbs", "wsf",
];

/// Returns a name without a path, and without characters that are special to a system or a browser.
#[must_use]
pub fn sanitize_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: char| if c.is_control() || "\"'<>:|?*;&%".contains(c) { '_' } else { c };
    // Marks that change the direction of writing disguise the end of a name.
    let marks = |c: &char| !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = last.chars().filter(marks).map(plain).take(MAX_NAME).collect();
    let kept = kept.trim().trim_matches('.').to_owned();
    if kept.is_empty() { UNNAMED.to_owned() } else { kept }
}

/// Returns whether a file is a program, by its name.
#[must_use]
pub fn is_program(name: &str) -> bool {
    let name = sanitize_name(name);
    let end = name.rsplit_once('.').map(|(_, end)| end.trim().to_lowercase());
    end.is_some_and(|end| PROGRAMS.contains(&end.as_str()))
}

/// Returns a MIME type in lower case and without its parameters; `None` if it is malformed.
#[must_use]
pub fn mime_essence(text: &str) -> Option<String> {
    let essence = text.split(';').next()?.trim();
    let plain = |part: &str| {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c);
        !part.is_empty() && part.bytes().all(is_plain)
    };
    let (kind, subtype) = essence.split_once('/')?;
    (plain(kind) && plain(subtype)).then(|| essence.to_ascii_lowercase())
}

/// Returns the type with which a file is handed out, and whether a browser may show it. A type that can
/// contain a script becomes bytes.
#[must_use]
pub fn safe_mime_type(mime_type: Option<&str>) -> (String, bool) {
    let Some(essence) = mime_type.and_then(mime_essence) else { return (BYTES.to_owned(), false) };
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    match kind {
        _ if ["html", "xml", "svg", "script", "wasm"].iter().any(|word| subtype.contains(word)) => {
            (BYTES.to_owned(), false)
        }
        "image" | "audio" | "video" => (essence, true),
        "application" if subtype == "pdf" => (essence, true),
        "text" if subtype == "plain" => ("text/plain; charset=utf-8".to_owned(), true),
        _ => (essence, false),
    }
}

/// Returns the value of `Content-Disposition` for a file (RFC 6266).
#[must_use]
pub fn content_disposition(name: Option<&str>, inline: bool) -> String {
    let name = sanitize_name(name.unwrap_or_default());
    let kind = if inline { "inline" } else { "attachment" };
    let ascii: String =
        name.chars().map(|c| if c.is_ascii() && c != '\\' { c } else { '_' }).collect();
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{}", percent_encode(&name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_no_path_and_no_special_characters() {
        for (given, expected) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\receipt.pdf", "receipt.pdf"),
            ("a\"b\r\nc.png", "a_b__c.png"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("Übersicht 1.pdf", "Übersicht 1.pdf"),
            ("...", "file"),
            (" \n", "_"),
            ("", "file"),
        ] {
            assert_eq!(sanitize_name(given), expected);
        }
    }

    #[test]
    fn programs_are_recognized_by_their_names() {
        for name in ["a.exe", "A.ExE", "b.pdf.lnk", "c.sh "] {
            assert!(is_program(name), "{name}");
        }
        for name in ["a.pdf", "exe", "a.exe.txt", ""] {
            assert!(!is_program(name), "{name}");
        }
    }

    #[test]
    fn a_browser_shows_no_type_that_can_contain_a_script() {
        let of = |kind: &str| safe_mime_type(Some(kind));
        assert_eq!(of("image/png"), ("image/png".into(), true));
        assert_eq!(of("Application/PDF; x=y"), ("application/pdf".into(), true));
        assert_eq!(of("text/plain"), ("text/plain; charset=utf-8".into(), true));
        for kind in ["text/html", "image/svg+xml", "text/javascript", "application/xhtml+xml", "x"]
        {
            assert_eq!(of(kind), (BYTES.into(), false), "{kind}");
        }
        assert_eq!(of("application/zip"), ("application/zip".into(), false));
        assert_eq!(safe_mime_type(None), (BYTES.into(), false));
    }

    proptest! {
        #[test]
        fn a_disposition_is_a_header_value(name in ".{0,200}", inline in any::<bool>()) {
            let value = content_disposition(Some(&name), inline);
            prop_assert!(http::HeaderValue::from_str(&value).is_ok(), "{}", value);
            prop_assert_eq!(value.matches('"').count(), 2);
        }
    }
}
