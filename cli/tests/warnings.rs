//! Warnings of the files that come with Trunkline.

use std::path::{Path, PathBuf};

use trunkline::config::{ReadOptions, SecretResolver, SecretSource, read};
use trunkline_registry::PLATFORMS;

/// Returns a value that every platform accepts for a secret of this name.
#[derive(Debug)]
struct PlausibleSecrets;

impl SecretResolver for PlausibleSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let (SecretSource::Env(name) | SecretSource::File(name)) = source;
        let name = name.to_lowercase();
        Ok(if name.contains("url") {
            "https://hooks.example.net/x".into()
        } else if name.contains("signing") || Path::new(&name).extension().is_some() {
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()
        } else {
            format!("{name}-of-a-fair-length-for-a-secret")
        })
    }
}

/// Returns the files of the project with a configuration.
fn examples() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![project.join("examples")];
    let mut found: Vec<PathBuf> = PLATFORMS
        .ids()
        .into_iter()
        .map(|id| project.join(format!("functions/{id}/example.yaml")))
        .collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                found.push(path);
            }
        }
    }
    found
}

/// Returns the warnings of a file, or `None` if it has no configuration.
fn warnings(path: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    if !text.contains("\nconnections:\n") {
        return None;
    }
    let options =
        ReadOptions { platforms: PLATFORMS, secrets: &PlausibleSecrets, allow_local: true };
    let desired = read(&text, options).unwrap_or_else(|why| panic!("{}:\n{why}", path.display()));
    Some(desired.warnings.iter().map(ToString::to_string).collect())
}

/// The demo has a connection for the sample events of each platform, and no route for some of them.
const WITHOUT_ROUTE: [&str; 3] = ["demo-servisbot", "demo-twin", "demo-unblu"];

#[test]
fn examples_have_no_warnings() {
    let mut read = 0;
    let mut found = Vec::new();
    for path in examples() {
        let Some(mut warnings) = warnings(&path) else { continue };
        read += 1;
        if path.ends_with("demo/trunkline.yaml") {
            let names = |warning: &str, id| {
                warning.contains(&format!("no route of this file has the connection {id}:"))
            };
            let before = warnings.len();
            warnings.retain(|warning| !WITHOUT_ROUTE.iter().any(|id| names(warning, id)));
            assert_eq!(before - warnings.len(), WITHOUT_ROUTE.len());
        }
        found.extend(warnings.iter().map(|warning| format!("{}: {warning}", path.display())));
    }
    assert!(read > PLATFORMS.ids().len() + 4, "{read} files");
    assert!(found.is_empty(), "{found:#?}");
}
