//! The configuration of `make run`. The sample events in `events/` match it.

use trunkline_config::{SecretResolver, SecretSource};

/// The text of `examples/demo/trunkline.yaml`.
pub const CONFIGURATION: &str = include_str!("../trunkline.yaml");

/// The demo's secrets. They are public, so that the README can show the demo's URLs.
#[derive(Debug, Clone, Copy)]
pub struct DemoSecrets;

/// The secret with which the demo bot and Trunkline sign webhooks.
pub const SIGNING: &str = "whsec_ZGVtby1vbmx5LXNpZ25pbmcta2V5LW5vdC1hLXNlY3JldA==";

const SECRETS: [(&str, &str); 17] = [
    ("DEMO_WEBEX_PATH_KEY", "demo-webex-key-for-this-machine-only"),
    ("DEMO_WEBEX_TOKEN", "vt-demo"),
    ("DEMO_WEBEX_URL", "http://127.0.0.1:4612/events/demo"),
    ("DEMO_BOT_PATH_KEY", "demo-bot-key-for-this-machine-only-1"),
    ("DEMO_BOT_SIGNING", SIGNING),
    ("DEMO_CHANNEL_PATH_KEY", "demo-channel-key-for-this-machine-only"),
    ("DEMO_CHANNEL_TOKEN", "demo-token"),
    ("DEMO_CM_PATH_KEY", "demo-cm-key-for-this-machine-only-12"),
    ("DEMO_CM_TOKEN", "00000000-0000-4000-8000-000000000000"),
    ("DEMO_SERVISBOT_PATH_KEY", "demo-servisbot-key-for-this-machine-1"),
    ("DEMO_SERVISBOT_SECRET", "engage-7d1f"),
    ("DEMO_SERVISBOT_API_KEY", "demo-api-key"),
    ("DEMO_TWIN_PATH_KEY", "demo-twin-key-for-this-machine-only-1"),
    ("DEMO_UNBLU_PATH_KEY", "demo-unblu-key-for-this-machine-only"),
    ("DEMO_UNBLU_USER", "hub"),
    ("DEMO_UNBLU_PASSWORD", "pa:ss wörd"),
    ("DEMO_UNBLU_SECRET", "demo-webhook-secret"),
];

impl SecretResolver for DemoSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let known = match source {
            SecretSource::Env(name) => SECRETS.iter().find(|(known, _)| known == name),
            SecretSource::File(_) => None,
        };
        let missing = || "it is not one of the demo's secrets".to_owned();
        known.map(|(_, value)| (*value).to_owned()).ok_or_else(missing)
    }
}
