//! Generates the page `docs/settings.md`.

use std::fmt::Write;

use trunkline_core::model::Feature;
use trunkline_core::platform::{Kind, PlatformSpec, Platforms};

/// The beginning of the page.
const INTRO: &str = "# Settings and secrets

The settings and secrets of a connection, by platform, as `trunkline apply` validates them. `make settings` generates this
page. All other options of a connection are in [configuration.md](configuration.md). Defaults are in parentheses.

A secret is always a reference: `{ env: NAME }` or `{ file: PATH }`. Connections of any platform accept `path_key`, the
secret part of the inbound URL: at least 32 letters, digits, `-` or `_`. Trunkline generates one if it is omitted.
";

/// The beginning of the table of capabilities.
const CAPABILITIES_INTRO: &str = "
## Platform capabilities

Trunkline converts content that a platform cannot show: see [switchboard.md](switchboard.md#content-that-a-platform-cannot-show).

*with shows* needs the setting `shows` and the templates or settings that the platform's page describes. *changes* are edits,
deletions and reactions.

| platform | longest text, characters | markup | choices | files | cards | locations, contacts | replies | changes | receipts | typing | own agents |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

/// Returns the text of `docs/settings.md`.
#[must_use]
pub fn markdown(platforms: Platforms) -> String {
    let sections = platforms.iter().map(section);
    INTRO.to_owned() + &sections.collect::<String>() + &capabilities(platforms)
}

/// Returns the table of what each platform can show.
fn capabilities(platforms: Platforms) -> String {
    let mut page = CAPABILITIES_INTRO.to_owned();
    for spec in platforms.iter() {
        let can = spec.capabilities;
        let optional = |feature| spec.optional_features.iter().any(|(known, _)| *known == feature);
        let shows = [
            (can.markup, optional(Feature::Markup)),
            (can.choices, optional(Feature::Choices)),
            (can.media, optional(Feature::Media)),
            (can.cards, false),
            (can.locations && can.contacts, false),
            (can.replies, false),
            (can.changes, false),
            (can.receipts, false),
            (can.typing, false),
            (can.handover, false),
        ];
        let shows = shows.map(|shown| match shown {
            (true, _) => " yes |",
            (false, true) => " with shows |",
            (false, false) => " |",
        });
        let shows = shows.concat();
        let text = if can.max_text_chars == u32::MAX {
            "no limit".into()
        } else {
            can.max_text_chars.to_string()
        };
        let _ = writeln!(page, "| `{}` | {text} |{shows}", spec.id);
    }
    page
}

fn section(spec: &PlatformSpec) -> String {
    let roles: Vec<_> = spec
        .roles
        .iter()
        .map(|role| format!("`{}`", serde_json::json!(role).as_str().unwrap_or_default()))
        .collect();
    let mut page = format!(
        "\n## {}\n\n[{}](../{}). Roles: {}.\n\n| setting | value | |\n| --- | --- | --- |\n",
        spec.id,
        spec.name,
        spec.docs(),
        roles.join(", ")
    );
    for setting in spec.settings {
        let help = help_cell(setting.required, &setting.help_with_default());
        let name = setting.name;
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "| `{name}` | {} | {help} |", kind_cell(setting.kind));
    }
    page.push_str("\n| secret | |\n| --- | --- |\n");
    for secret in spec.secrets {
        let name = secret
            .name
            .strip_suffix(':')
            .map_or(secret.name.to_owned(), |of| format!("{of}:<name>"));
        let _ = writeln!(page, "| `{name}` | {} |", help_cell(secret.required, secret.help));
    }
    page
}

fn help_cell(required: bool, help: &str) -> String {
    let required = if required { "**required**: " } else { "" };
    format!("{required}{}", help.replace('|', "\\|"))
}

fn kind_cell(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Url => "URL".into(),
        Kind::Boolean => "`true`, `false`".into(),
        Kind::Number { min, max } => format!("{min} to {max}"),
        Kind::Enum(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
    }
}
