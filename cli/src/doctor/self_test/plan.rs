//! What a run of the self-test creates, and how far its message came.

use jiff::{SignedDuration, Timestamp};
use trunkline_config::{SecretResolver, SecretSource};
use trunkline_core::model::{
    ConnectionId, ConversationKey, Disposition, EventRecord, InvalidId, PlatformId, Role, RouteId,
    Verdict,
};
use trunkline_core::platform::Platforms;

/// The beginning of the ids that the test creates.
const PREFIX: &str = "doctor-";
/// The length of a UUID as text.
const UUID: usize = 36;
/// How old what a test created must be before another run considers it abandoned.
const ABANDONED: SignedDuration = SignedDuration::from_mins(10);
/// The customer of the message.
pub(super) const CUSTOMER: &str = "doctor";

/// The ids of one run of the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) channel: ConnectionId,
    pub(super) bot: ConnectionId,
    pub(super) route: RouteId,
}

impl Run {
    /// Returns the ids of the run with a UUID of version 7.
    pub(super) fn new(uuid: &str) -> Result<Self, InvalidId> {
        let id = format!("{PREFIX}{uuid}");
        Ok(Self {
            channel: format!("{id}-channel").parse()?,
            bot: format!("{id}-bot").parse()?,
            route: id.parse()?,
            id,
        })
    }

    /// Reads the run that a connection or route belongs to. `None`: no test created it.
    pub(super) fn of(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let (uuid, end) = rest.split_at_checked(UUID)?;
        let run = Self::new(uuid).ok().filter(|_| ["", "-channel", "-bot"].contains(&end))?;
        run.started_at().map(|_| run)
    }

    /// Returns when the run began: a UUID of version 7 begins with milliseconds.
    fn started_at(&self) -> Option<Timestamp> {
        let uuid = self.id.strip_prefix(PREFIX)?;
        let digits: String = uuid.chars().filter(|c| *c != '-').collect();
        let is_v7 = digits.len() == UUID - 4 && uuid.as_bytes().get(14) == Some(&b'7');
        let millis = i64::from_str_radix(digits.get(..12).filter(|_| is_v7)?, 16).ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    pub(super) fn is_abandoned(&self, now: Timestamp) -> bool {
        self.started_at().is_some_and(|at| now.duration_since(at) > ABANDONED)
    }

    pub(super) fn key(&self) -> ConversationKey {
        ConversationKey { channel: self.channel.clone(), customer: CUSTOMER.to_owned() }
    }
}

/// Returns whether a connection is one of a test.
pub(in crate::doctor) fn is_own(connection: &ConnectionId) -> bool {
    Run::of(connection.as_str()).is_some()
}

/// Returns the platform of the open protocol, the only one on which a connection can have every role.
pub(super) fn open_protocol(platforms: Platforms) -> Option<PlatformId> {
    let has_all = |roles: &[Role]| Role::NAMES.iter().all(|(_, role)| roles.contains(role));
    platforms.iter().find(|spec| has_all(spec.roles)).map(|spec| spec.id)
}

/// The random secrets of a run.
#[derive(Debug)]
pub(super) struct RunSecrets {
    pub(super) signing: String,
    /// The keys in the URLs of the channel and of the bot.
    pub(super) keys: [String; 2],
}

impl SecretResolver for RunSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) if name == "signing" => Ok(self.signing.clone()),
            SecretSource::Env(name) if name == "channel" => Ok(self.keys[0].clone()),
            SecretSource::Env(name) if name == "bot" => Ok(self.keys[1].clone()),
            other => Err(format!("the test has no secret {other:?}")),
        }
    }
}

/// Returns the configuration of a run: the same file that an operator would write.
pub(super) fn configuration(run: &Run, platform: PlatformId, bot_url: &str) -> String {
    let Run { channel, bot, route, .. } = run;
    let connection = |id: &ConnectionId, role: &str| {
        format!(
            "  {id}:\n    platform: {platform}\n    role: {role}\n    \
             settings: {{ message_url: \"{bot_url}\" }}\n    \
             secrets: {{ signing: {{ env: signing }}, path_key: {{ env: {role} }} }}\n"
        )
    };
    let (one, other) = (connection(channel, "channel"), connection(bot, "bot"));
    let route = format!("  {route}: {{ channels: [{channel}], bot: {bot} }}\n");
    format!("connections:\n{one}{other}routes:\n{route}")
}

/// How far a message came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// It was accepted and queued.
    Accepted,
    /// The attempt to send it failed, for this reason.
    Failed(String),
    /// It failed and is not tried again, for this reason.
    GivenUp(String),
    /// It was sent to the bot.
    Sent,
    /// It was sent, and the bot's repetition of it was recorded.
    Returned,
}

/// Reads from the transcript how far the message came.
pub(super) fn progress(events: &[EventRecord], bot: &ConnectionId) -> Progress {
    let outcome = events.iter().find_map(|event| event.outcomes.get(bot.as_str()));
    let Some(outcome) = outcome else { return Progress::Accepted };
    let reason = || outcome.reason.clone().unwrap_or_else(|| format!("{:?}", outcome.verdict));
    let is_echo =
        |event: &EventRecord| event.from == *bot && event.disposition == Disposition::Echo;
    match outcome.verdict {
        Verdict::Delivered if events.iter().any(is_echo) => Progress::Returned,
        Verdict::Delivered => Progress::Sent,
        verdict if verdict.is_final() => Progress::GivenUp(reason()),
        _ => Progress::Failed(reason()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};
    use trunkline_config::apply::new_path_key;
    use trunkline_config::{ReadOptions, read};
    use trunkline_registry::PLATFORMS;

    use super::*;

    const ID: &str = "019e4c6a-4a11-7d5e-9a51-52b0d3d3e0aa";

    #[test]
    fn the_ids_of_a_run_are_recognized() {
        let run = Run::new(ID).unwrap();
        for name in [run.channel.as_str(), run.bot.as_str(), run.route.as_str()] {
            assert_eq!(Run::of(name).as_ref(), Some(&run), "{name}");
        }
        assert!(is_own(&run.bot));
        for name in [
            "doctor-smith",
            "doctor-",
            "shop-bot",
            &format!("doctor-{ID}-desk"),
            &format!("doctor-{}", ID.replace("-7", "-4")),
        ] {
            assert_eq!(Run::of(name), None, "{name}");
        }
        let started = run.started_at().unwrap();
        assert_eq!(started.as_millisecond(), 0x019e_4c6a_4a11);
        assert!(!run.is_abandoned(started + SignedDuration::from_mins(9)));
        assert!(run.is_abandoned(started + SignedDuration::from_mins(11)));
    }

    #[test]
    fn one_platform_has_every_role() {
        let id = open_protocol(PLATFORMS).unwrap();
        let all = |spec: &&trunkline_core::platform::PlatformSpec| spec.roles.len() == 4;
        assert_eq!(PLATFORMS.iter().filter(all).map(|spec| spec.id).collect::<Vec<_>>(), [id]);
    }

    #[test]
    fn the_configuration_of_a_run_is_valid() {
        let run = Run::new(ID).unwrap();
        let secrets = RunSecrets {
            signing: format!("whsec_{}", STANDARD.encode([7; 32])),
            keys: [new_path_key(), new_path_key()],
        };
        let platform = open_protocol(PLATFORMS).unwrap();
        let text = configuration(&run, platform, "https://api.example.com/in/x/y/z");
        let options = ReadOptions { platforms: PLATFORMS, secrets: &secrets, allow_local: false };
        let desired = read(&text, options).unwrap();
        assert_eq!((desired.connections.len(), desired.routes.len()), (2, 1));
        assert_eq!(desired.routes[0].bot, Some(run.bot));
        let keys: Vec<_> = desired.connections.iter().flat_map(|one| &one.secrets).collect();
        assert_eq!(keys.iter().filter(|(name, _)| name == "path_key").count(), 2);
        assert!(secrets.resolve(&SecretSource::Env("other".into())).is_err());
    }

    /// Returns a stored event.
    fn record(from: &ConnectionId, disposition: &str, outcome: Option<Value>) -> EventRecord {
        let run = Run::new(ID).unwrap();
        let mut record: EventRecord = serde_json::from_value(json!({
            "key": run.key(), "conversation": "c", "from": from,
            "event": {"id": "m:1", "external_conversation_id": "doctor", "at": "2026-03-04T09:15:20Z",
                      "author": {"role": "customer"}, "body": {"type": "typing", "active": true}},
            "received_at": "2026-03-04T09:15:20Z", "disposition": disposition, "targets": [],
            "filed_at": "2026-03-04T09:15:20Z",
        }))
        .unwrap();
        if let Some(outcome) = outcome {
            let outcome = serde_json::from_value(outcome).unwrap();
            record.outcomes.insert(run.bot.to_string(), outcome);
        }
        record
    }

    #[test]
    fn the_transcript_shows_how_far_the_message_came() {
        let run = Run::new(ID).unwrap();
        let at = "2026-03-04T09:15:21Z";
        let sent = |verdict: &str, reason: Option<&str>| {
            let outcome = json!({"verdict": verdict, "at": at, "reason": reason});
            record(&run.channel, "routed", Some(outcome))
        };
        let of = |events: &[EventRecord]| progress(events, &run.bot);
        let echo = record(&run.bot, "echo", None);
        assert_eq!(of(&[]), Progress::Accepted);
        assert_eq!(of(&[record(&run.channel, "routed", None)]), Progress::Accepted);
        assert_eq!(of(&[sent("parked", Some("refused"))]), Progress::Failed("refused".into()));
        assert_eq!(of(&[sent("permanent", Some("404"))]), Progress::GivenUp("404".into()));
        assert_eq!(of(&[sent("exhausted", None)]), Progress::GivenUp("Exhausted".into()));
        assert_eq!(of(&[sent("delivered", None)]), Progress::Sent);
        assert_eq!(of(&[sent("delivered", None), echo.clone()]), Progress::Returned);
        // The outcome may be recorded after the echo.
        assert_eq!(of(&[record(&run.channel, "routed", None), echo]), Progress::Accepted);
    }
}
