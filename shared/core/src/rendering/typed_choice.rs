//! Finds the offered choice that a customer typed instead of tapping.

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::model::Choice;

/// The digits zero of all scripts whose digits have no compatibility decomposition to ASCII (Unicode
/// 14.0.0, general category Nd). The digits of a script follow its zero.
const ZEROS: [char; 59] = [
    '\u{30}',
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e950}',
];
/// Letters that people type without their stroke or as two letters, although Unicode does not decompose them.
const PLAIN_LETTERS: [(char, &str); 8] = [
    ('ß', "ss"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('ø', "o"),
    ('đ', "d"),
    ('ð', "d"),
    ('ł', "l"),
    ('ı', "i"),
];
/// Punctuation that people put around the number of a choice. A sign or a unit is not among it: `-2` and `2 %`
/// are answers of their own.
const AROUND_NUMBERS: &str = ".,:;!?()[]{}<>\"'`*#_。、，：；！？（）「」『』【】«»“”‘’„؟،";
/// The emoji that shows the number ten. The other numbers are digits with a combining keycap.
const KEYCAP_TEN: char = '\u{1f51f}';
/// The longest number, in digits.
const MAX_DIGITS: usize = 4;

/// Returns the offered choice whose title or number the customer typed. `is_numbered`: the customer saw numbers.
/// A title that several choices have selects none of them.
#[must_use]
pub fn match_typed_choice<'a>(
    text: &str,
    offered: &'a [Choice],
    is_numbered: bool,
) -> Option<&'a Choice> {
    if offered.is_empty() {
        return None;
    }
    let typed = decomposed(text);
    let by_number = || {
        let number = is_numbered.then(|| number(&typed)).flatten()?;
        offered.get(number.checked_sub(1)?)
    };
    by_title(&typed, offered, title_key)
        .or_else(by_number)
        .or_else(|| by_title(&typed, offered, letters_and_digits))
}

fn by_title<'a>(typed: &str, offered: &'a [Choice], key: fn(&str) -> String) -> Option<&'a Choice> {
    let typed = key(typed);
    let is_typed = |choice: &&Choice| !typed.is_empty() && key(&decomposed(&choice.title)) == typed;
    let mut found = offered.iter().filter(is_typed);
    let first = found.next()?;
    found.all(|other| other.id == first.id).then_some(first)
}

/// Returns a text in lower case and compatibility decomposition, without the marks that select the form of an emoji.
fn decomposed(text: &str) -> String {
    let lower = text.to_lowercase();
    let normalizer = DecomposingNormalizerBorrowed::new_nfkd();
    let decomposed = normalizer.normalize(&lower);
    decomposed
        .chars()
        .filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200b}'..='\u{200f}'))
        .collect()
}

/// Returns a title with single spaces, without punctuation at its ends unless it has nothing else.
fn title_key(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A combining mark belongs to the letter before it.
    let is_outer = |c: char| !c.is_alphanumeric() && !is_combining(c);
    match words.trim_matches(is_outer) {
        "" => words,
        inner => inner.to_owned(),
    }
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Returns the letters and digits of a text: without accents, spaces and punctuation.
fn letters_and_digits(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        match PLAIN_LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, letters)) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    plain
}

/// Returns the number that a text consists of, in any script.
fn number(text: &str) -> Option<usize> {
    if text.trim() == KEYCAP_TEN.to_string() {
        return Some(10);
    }
    let is_around = |c: char| c.is_whitespace() || AROUND_NUMBERS.contains(c) || is_emoji(c);
    let digits: Vec<char> =
        text.trim_matches(is_around).chars().filter(|c| *c != '\u{20e3}').collect();
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    digits.into_iter().try_fold(0, |number, c| Some(number * 10 + digit(c)?))
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{20e3}' | '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}')
}

fn digit(c: char) -> Option<usize> {
    let of_zero =
        |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    let value = c.to_digit(10).or_else(|| ZEROS.iter().find_map(of_zero))?;
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(titles: &[&str]) -> Vec<Choice> {
        let choice = |title: &&str| Choice { id: format!("id of {title}"), title: (*title).into() };
        titles.iter().map(choice).collect()
    }

    fn selected(text: &str, titles: &[&str]) -> Option<usize> {
        let offered = choices(titles);
        let found = match_typed_choice(text, &offered, true)?;
        offered.iter().position(|choice| choice == found)
    }

    #[test]
    fn numbers_select_in_every_script_and_with_punctuation() {
        let titles = ["Red", "Blue"];
        for text in [
            "2", " 2. ", "2)", "(2)", "[2]", "2!", "\"2\"", "«2»", "„2“", "**2**", "#2", "2️⃣", "2⃣",
            "👉 2", "2 👍", "②", "⑵", "⒉", "２", "２。", "²", "𝟐", "٢", "۲", "२", "২", "੨", "૨",
            "௨", "౨", "೨", "൨", "๒", "໒", "༢", "២", "᠒", "02",
        ] {
            assert_eq!(selected(text, &titles), Some(1), "{text}");
        }
        for text in
            ["0", "3", "-2", "+2", "2%", "€2", "2.5", "2 please", "1-2", "22222", "two", "", "²x"]
        {
            assert_eq!(selected(text, &titles), None, "{text}");
        }
        let ten: Vec<String> = (1..=10).map(|i| format!("No {i}")).collect();
        let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
        for text in ["10", "🔟", "1️⃣0️⃣", "⑩", "１０"] {
            assert_eq!(selected(text, &ten), Some(9), "{text}");
        }
    }

    #[test]
    fn titles_select_whatever_their_case_accents_and_normalization() {
        let titles = [
            "Café au lait",
            "Grüße",
            "Øl",
            "Да, конечно",
            "はい",
            "✅ Yes",
            "👍",
            "Straße 5",
            "ＯＫ",
        ];
        for (text, index) in [
            ("café au lait", 0),
            ("CAFE\u{301} AU LAIT", 0),
            ("cafe au  lait.", 0),
            ("grusse", 1),
            ("GRÜSSE", 1),
            ("ol", 2),
            ("да конечно", 3),
            ("ДА, КОНЕЧНО!", 3),
            ("はい。", 4),
            ("yes", 5),
            ("Yes!", 5),
            ("👍", 6),
            ("strasse 5", 7),
            ("ok", 8),
        ] {
            assert_eq!(selected(text, &titles), Some(index), "{text}");
        }
        for text in ["no", "yes please", "👎", "да"] {
            assert_eq!(selected(text, &titles), None, "{text}");
        }
    }

    #[test]
    fn a_title_goes_before_a_number_and_must_be_unique() {
        assert_eq!(selected("2", &["2", "1"]), Some(0));
        assert_eq!(selected("5", &["10", "5"]), Some(1));
        let choice = |id: &str| Choice { id: id.into(), title: "Buy".into() };
        assert_eq!(match_typed_choice("buy", &[choice("a"), choice("b")], true), None);
        assert_eq!(selected("pate", &["pâté", "pâte"]), None);
        assert_eq!(selected("pâte", &["pâté", "pâte"]), Some(1));
        assert!(match_typed_choice("buy", &[choice("a"), choice("a")], true).is_some());
    }

    #[test]
    fn a_number_selects_only_if_numbers_were_shown() {
        let offered = choices(&["Red", "Blue"]);
        assert_eq!(match_typed_choice("2", &offered, false), None);
        assert_eq!(match_typed_choice("blue", &offered, false), Some(&offered[1]));
    }
}
