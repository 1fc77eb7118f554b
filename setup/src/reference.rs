//! What can be set, as a page.

use std::fmt::Write;

use crate::config::{Kind, PlatformSpec};
use crate::platforms;

/// The head of the page.
const HEAD: &str = "# Settings and secrets

What can be set for a connection, by platform, as `trunkline apply` checks it. This page is written by `make settings`;
what goes beside `settings` and `secrets` is in [configuration.md](configuration.md).

A secret is given by reference: `{ env: NAME }` or `{ file: PATH }`. Of any platform: `path_key`, the unguessable part of
the inbound address, at least 32 letters, digits, `-` or `_`; made and kept, if it is left out.
";

/// The head of the table of capabilities.
const CAPABILITIES: &str = "
## What each platform can be given

What a side cannot show becomes something that it can: see [switchboard.md](switchboard.md#what-a-side-cannot-show).

| platform | text, characters | markup | choices | files | receipts | typing | people of its own |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

/// The page `docs/settings.md`.
#[must_use]
pub fn markdown() -> String {
    let sections = platforms::all().iter().map(|spec| section(spec));
    HEAD.to_owned() + &sections.collect::<String>() + &capabilities()
}

/// What each platform can be given: what it cannot becomes something else (`docs/switchboard.md`).
fn capabilities() -> String {
    let mut page = CAPABILITIES.to_owned();
    for spec in platforms::all() {
        let can = spec.platform.capabilities();
        let shows = [can.markup, can.choices, can.media, can.receipts, can.typing, can.handover];
        let shows = shows.map(|can| if can { " yes |" } else { " |" }).concat();
        let text = if can.text == u32::MAX { "no limit".into() } else { can.text.to_string() };
        let _ = writeln!(page, "| `{}` | {text} |{shows}", spec.platform);
    }
    page
}

fn section(spec: &PlatformSpec) -> String {
    let docs = spec.docs.trim_start_matches("docs/");
    let roles: Vec<_> = spec
        .roles
        .iter()
        .map(|role| format!("`{}`", serde_json::json!(role).as_str().unwrap_or_default()))
        .collect();
    let mut page = format!(
        "\n## {}\n\n[{}]({docs}). Roles: {}.\n\n| setting | holds | |\n| --- | --- | --- |\n",
        spec.platform,
        spec.name,
        roles.join(", ")
    );
    for setting in spec.settings {
        let (name, about) = (setting.name, noted(setting.required, setting.about));
        // Nothing can go wrong in writing to a text.
        let _ = writeln!(page, "| `{name}` | {} | {about} |", kind(setting.kind));
    }
    page.push_str("\n| secret | |\n| --- | --- |\n");
    for secret in spec.secrets {
        let name = secret
            .name
            .strip_suffix(':')
            .map_or(secret.name.to_owned(), |of| format!("{of}:<name>"));
        let _ = writeln!(page, "| `{name}` | {} |", noted(secret.required, secret.about));
    }
    page
}

fn noted(required: bool, about: &str) -> String {
    let required = if required { "**required**: " } else { "" };
    format!("{required}{}", about.replace('|', "\\|"))
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Url => "URL".into(),
        Kind::Truth => "`true`, `false`".into(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_as_it_would_be_written() {
        let page = include_str!("../../docs/settings.md");
        assert!(page == super::markdown(), "docs/settings.md is out of date: run `make settings`");
    }
}
