//! The configuration of all platforms: examples, settings, the settings page, the layout of the folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use trunkline_config::{
    Desired, InvalidConfig, ReadOptions, SecretResolver, SecretSource, export, read, reference,
};
use trunkline_core::model::{Connection, Route};
use trunkline_core::platform::{Kind, PlatformSettings};
use trunkline_registry::{PLATFORMS, PlatformVisitor, visit};
use trunkline_runtime::inbound::Inbound;
use trunkline_runtime::outbound::Outbound;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

#[derive(Debug)]
struct PlausibleSecrets;

impl SecretResolver for PlausibleSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let name = match source {
            SecretSource::Env(name) => name.to_lowercase(),
            // In the examples, files contain signing secrets.
            SecretSource::File(_) => "signing".to_owned(),
        };
        Ok(if name.contains("url") {
            "https://hooks.example.net/x".into()
        } else if name.contains("signing") {
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()
        } else {
            format!("{name} of a fair length")
        })
    }
}

fn read_text(text: &str) -> Result<Desired, InvalidConfig> {
    let options =
        ReadOptions { platforms: PLATFORMS, secrets: &PlausibleSecrets, allow_local: false };
    read(text, options)
}

fn read_file(path: &str) -> Desired {
    read_text(&file(path)).unwrap_or_else(|problems| panic!("{path}:\n{problems}"))
}

fn parts(desired: Desired) -> (Vec<Connection>, Vec<Route>) {
    let connections = desired.connections.into_iter().map(|desired| desired.connection);
    let mut connections: Vec<Connection> = connections.collect();
    connections.sort_by(|a, b| a.id.cmp(&b.id));
    let mut routes = desired.routes;
    routes.sort_by(|a, b| a.id.cmp(&b.id));
    (connections, routes)
}

fn examples() -> Vec<String> {
    let own = PLATFORMS.ids().into_iter().map(|id| format!("functions/{id}/example.yaml"));
    own.chain(["examples/trunkline.yaml".to_owned()]).collect()
}

#[test]
fn the_example_of_each_platform_is_valid_and_uses_it() {
    for id in PLATFORMS.ids() {
        let path = format!("functions/{id}/example.yaml");
        let desired = read_file(&path);
        let used =
            desired.connections.iter().any(|desired| desired.connection.platform.as_str() == id);
        assert!(used, "{path} has no connection of {id}");
        assert!(!desired.routes.is_empty(), "{path}");
    }
}

#[test]
fn an_exported_file_reads_back_unchanged() {
    for path in examples() {
        let (connections, routes) = parts(read_file(&path));
        let text = export(PLATFORMS, &connections, &routes);
        let again = read_text(&text).unwrap_or_else(|why| panic!("{path}: {text}\n{why}"));
        assert_eq!(parts(again), (connections, routes), "{text}");
        assert!(!text.contains("whsec"), "the export contains a secret");
    }
}

#[test]
fn exports_routes_without_channels() {
    let (connections, routes) = parts(read_file("examples/trunkline.yaml"));
    let idle =
        ["spare", "tried-out"].map(|id| Route { id: id.parse().unwrap(), ..routes[0].clone() });
    let mut all = [&routes[..], &idle[..]].concat();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let text = export(PLATFORMS, &connections, &all);
    let again = read_text(&text).unwrap_or_else(|why| panic!("{text}\n{why}"));
    assert_eq!(parts(again), (connections, all), "{text}");
}

#[test]
fn settings_page_is_up_to_date() {
    let page = file("docs/settings.md");
    assert!(
        page == reference::markdown(PLATFORMS),
        "docs/settings.md is out of date: run `make settings`"
    );
}

/// Returns a valid value of a setting.
fn valid(name: &str, kind: Kind) -> Value {
    match kind {
        Kind::Text if name.ends_with("_template") || name.ends_with("_body") => json!("{}"),
        // Lists of names with values.
        Kind::Text if matches!(name, "messenger_types" | "client_fields" | "client_metadata") => {
            json!("phone=text")
        }
        Kind::Text if name == "recipients" => json!("31612345678=TEAM:text"),
        Kind::Text => json!("text"),
        Kind::Url => json!("https://a.example/accounts/a/adapters/b"),
        Kind::Boolean => json!(true),
        Kind::Number { min, .. } => json!(min),
        Kind::Enum(words) => json!(words[words.len() - 1]),
    }
}

/// Parses settings that are all set, each in turn replaced by a value of a wrong kind.
struct OneWrongSetting {
    platforms: usize,
}

impl PlatformVisitor for OneWrongSetting {
    fn visit<P: Inbound + Outbound + Default>(&mut self) {
        let specs = P::Settings::SPECS;
        let all: Map<String, Value> =
            specs.iter().map(|spec| (spec.name.to_owned(), valid(spec.name, spec.kind))).collect();
        let id = P::SPEC.id;
        P::Settings::parse(&all).unwrap_or_else(|error| panic!("{id}: {error}"));
        for spec in specs {
            let mut wrong = all.clone();
            wrong.insert(spec.name.to_owned(), json!({"no": "setting is an object"}));
            let error = P::Settings::parse(&wrong).unwrap_err();
            assert_eq!(error.field, spec.name, "{id}");
            if let Kind::Enum(_) = spec.kind {
                wrong.insert(spec.name.to_owned(), json!("a word of a later release"));
                let error = P::Settings::parse(&wrong).unwrap_err();
                assert_eq!(error.field, spec.name, "{id}: an unknown word must not be ignored");
            }
        }
        let mut unknown = all;
        unknown.insert("setting_of_a_later_release".into(), json!(true));
        let error = P::Settings::parse(&unknown).unwrap_err();
        assert_eq!(error.field, "setting_of_a_later_release", "{id}");
        self.platforms += 1;
    }
}

#[test]
fn one_wrong_setting_is_an_error_that_names_it_on_every_platform() {
    let mut visitor = OneWrongSetting { platforms: 0 };
    visit(&mut visitor);
    assert_eq!(visitor.platforms, PLATFORMS.iter().count());
}

#[test]
fn every_platform_folder_is_registered_and_complete() {
    let folders = std::fs::read_dir(project().join("functions")).unwrap().flatten();
    let names = folders.map(|folder| folder.file_name().into_string().unwrap());
    let with_inbound: BTreeSet<String> = names
        .filter(|id| project().join(format!("functions/{id}/src/bin/{id}-inbound.rs")).exists())
        .collect();
    let registered: BTreeSet<String> = PLATFORMS.ids().into_iter().map(Into::into).collect();
    assert_eq!(with_inbound, registered);
    for spec in PLATFORMS.iter() {
        let readme = file(&spec.docs());
        let title = readme.lines().next().unwrap_or_default();
        assert_eq!(title, format!("# {}", spec.name), "{}", spec.docs());
        for path in ["mock/Cargo.toml", "src/platform.rs"] {
            let path = format!("functions/{}/{path}", spec.id);
            assert!(project().join(&path).exists(), "{path} is missing");
        }
        for way in ["inbound", "outbound"] {
            let path = format!("events/{}-{way}.json", spec.id);
            assert!(project().join(&path).exists(), "{path} is missing");
        }
    }
}
