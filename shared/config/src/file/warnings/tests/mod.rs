mod connections;
mod routes;

use trunkline_core::model::{Capabilities, PlatformId};
use trunkline_core::platform::{PlatformSettings, PlatformSpec, Platforms, WebUrl};
use trunkline_core::settings;

use crate::file::examples::FAX;
use crate::file::{ReadOptions, SecretResolver, SecretSource, read};

settings! {
    /// The settings of a fax line.
    pub struct FaxLine {
        /// URL that receives messages
        message_url: WebUrl;
        /// whether an observer receives alerts
        alerts: bool = false;
    }
}

/// A platform with agents of its own and alerts.
const FAXLINE: PlatformSpec = PlatformSpec {
    id: PlatformId::from_static("faxline"),
    capabilities: Capabilities { handover: true, ..FAX.capabilities },
    settings: FaxLine::SPECS,
    alerts_setting: Some("alerts"),
    ..FAX
};

const PLATFORMS: Platforms = Platforms(&[&FAX, &FAXLINE]);

/// Returns the name of the secret as its value.
#[derive(Debug)]
struct Named;

impl SecretResolver for Named {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let (SecretSource::Env(name) | SecretSource::File(name)) = source;
        Ok(format!("the value of {name}"))
    }
}

/// Returns the warnings of a valid file, one per line.
fn warnings(text: &str) -> String {
    let options = ReadOptions { platforms: PLATFORMS, secrets: &Named, allow_local: false };
    let desired = read(text, options).unwrap_or_else(|why| panic!("{text}\n{why}"));
    desired.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A connection on one line. `more` are further members, each followed by a comma.
fn connection(id: &str, platform: &str, role: &str, more: &str) -> String {
    let more = if more.contains("settings:") {
        more.to_owned()
    } else {
        format!("{more} settings: {{ message_url: https://fax.example/m }},")
    };
    let secrets =
        if more.contains("secrets:") { "" } else { "secrets: { signing: { env: SIGNING } }" };
    format!("  {id}: {{ platform: {platform}, role: {role}, {more} {secrets} }}\n")
}

/// A file whose connections are `line` (2), `bot` (3), `desk` (4) and `archive` (5), and whose route begins in line
/// 7. `more` are further connections, and `route` the members of the route, which has all the others.
fn file(kinds: [&str; 4], more: &str, route: &str) -> String {
    let [line, bot, desk, archive] = kinds;
    let line = connection("line", line, "channel", "");
    let bot = connection("bot", "fax", "bot", bot);
    let desk = connection("desk", "fax", "desk", desk);
    let archive = connection("archive", "fax", "observer", archive);
    format!("connections:\n{line}{bot}{desk}{archive}{more}routes:\n  main:\n{route}")
}

const WHOLE: &str =
    "    channels: [line]\n    bot: bot\n    desk: desk\n    observers: [archive]\n";

/// A file whose route has everyone, and these options.
fn whole(options: &str) -> String {
    file(["fax", "", "", ""], "", &format!("{WHOLE}{options}"))
}

/// A route with some parties, from line 4. Its options begin in line 8.
fn route(platform: &str, parties: &str, options: &str) -> String {
    let line = connection("line", platform, "channel", "");
    let party = if parties.starts_with("bot") { "bot" } else { "desk" };
    let other = connection(party, "fax", party, "");
    format!(
        "connections:\n{line}{other}routes:\n  main:\n    channels: [line]\n    {parties}\n{options}"
    )
}

#[track_caller]
fn assert_warns(text: &str, expected: &[&str]) {
    let found = warnings(text);
    for expected in expected {
        assert!(found.contains(expected), "missing: {expected}\nfound: {found}\n{text}");
    }
    assert_eq!(found.lines().count(), expected.len(), "{found}\n{text}");
}

#[track_caller]
fn assert_quiet(text: &str) {
    let found = warnings(text);
    assert!(found.is_empty(), "{found}\n{text}");
}

#[test]
fn an_ordinary_file_has_no_warnings() {
    assert_quiet(&whole(
        "    handover: { accept_within: 60, agent_idle: 60, if_unanswered: close, after_close: close,
                transcript: 5, transcript_since: handback }
    bot_down_after: 60
    session_ttl: 600
    language: en
    keywords:
      en: { handover: [agent], handback: [robot] }
      nl: { handover: [mens], handback: [robot] }
    texts:
      en: { waiting: W, joined: '{agent}', left: L, unanswered: U, unsupported: X, edited: '{text}',
            deleted: D, file_failed: F, agent: A }
      nl: { waiting: W }
",
    ));
}

#[test]
fn warnings_are_in_the_order_of_the_file_and_absent_beside_errors() {
    let text = route(
        "fax",
        "bot: bot",
        "    bot_down_after: 60\n    handover: { after_close: bot, accept_within: 60 }\n    language: en\n",
    );
    let found = warnings(&text);
    let lines: Vec<&str> = found.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["line 8", "line 9", "line 9", "line 10"], "{found}");
    let options = ReadOptions { platforms: PLATFORMS, secrets: &Named, allow_local: false };
    let refused = read(&text.replace("after_close: bot", "after_close: both"), options);
    let problems = refused.unwrap_err().to_string();
    assert_eq!(problems.lines().count(), 2, "{problems}");
}
