//! The registry and the platforms' own folders are the only places that name a platform in code.

use std::path::{Path, PathBuf};

use trunkline_registry::PLATFORMS;

/// What must not name a platform.
const WITHOUT_NAMES: [&str; 8] = [
    "shared",
    "functions/console",
    "functions/files",
    "functions/scheduler",
    "cli/src",
    "template/base.yaml",
    "Makefile",
    "tools",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().flatten().map(|entry| entry.path());
        let generated = ["node_modules", "test-results", "proptest-regressions", "__pycache__"];
        for entry in entries.filter(|entry| !generated.iter().any(|name| entry.ends_with(name))) {
            files(&entry, found);
        }
    } else {
        found.push(path.to_owned());
    }
}

/// Returns how a line names a platform: as a quoted text, an enum variant, a crate or a binary. Words of
/// prose are none of them.
fn names(line: &str, id: &str) -> bool {
    let quoted = ['"', '\'', '`'].iter().any(|quote| line.contains(&format!("{quote}{id}{quote}")));
    let mut capital = id.to_owned();
    capital[..1].make_ascii_uppercase();
    let variant = line.contains(&format!("Platform::{capital}"));
    let program = [format!("trunkline_{id}"), format!("trunkline-{id}")]
        .into_iter()
        .chain(["inbound", "outbound", "listener"].map(|kind| format!("{id}-{kind}")))
        .any(|name| contains_word(line, &name));
    quoted || variant || program
}

/// Whether a line contains a name that is not part of a longer word.
fn contains_word(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(char::is_alphanumeric)
    })
}

#[test]
fn no_platform_is_named_outside_its_folder() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut named = Vec::new();
    for path in WITHOUT_NAMES {
        let mut found = Vec::new();
        files(&project.join(path), &mut found);
        assert!(!found.is_empty(), "{path} does not exist");
        for file in found {
            // A file that is no text names nothing.
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            for (index, line) in text.lines().enumerate() {
                for id in PLATFORMS.ids().into_iter().filter(|id| names(line, id)) {
                    named.push(format!("{}:{}: {id}: {}", file.display(), index + 1, line.trim()));
                }
            }
        }
    }
    assert!(named.is_empty(), "platforms are named in:\n{}", named.join("\n"));
}

#[test]
fn recognizes_names_but_not_prose() {
    for line in [
        r#"let platform = "fax";"#,
        "if (platform === 'fax') {",
        "the setting `fax`",
        "Platform::Fax => 1,",
        "trunkline-fax = { path = \"x\" }",
        "use trunkline_fax::Fax;",
        "CodeUri: target/lambda/fax-inbound/",
    ] {
        assert!(names(line, "fax"), "{line}");
    }
    for line in ["send it by fax", "A \"fax machine\"", "telefax-inbound", "the fax's page"] {
        assert!(!names(line, "fax"), "{line}");
    }
}
