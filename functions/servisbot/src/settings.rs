//! What an operator sets for a ServisBOT connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The secret of the webhook engagement adapter's endpoint: a Bearer token, both ways (SW).
pub const ENGAGEMENT_SECRET: &str = "engagement_secret";
/// The API key of eventing, in or out (S4).
pub const API_KEY: &str = "api_key";
/// The secret that signs eventing's tokens with HS256, in or out.
pub const JWT_SECRET: &str = "jwt_secret";

/// A connection's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// A bot: where the engagement adapter takes messages.
    pub engagement_url: Option<String>,
    /// A bot: from where its messages are passed on. What comes from elsewhere is kept only.
    pub replies: Source,
    /// A bot: how an event is joined with its conversation.
    pub join: Join,
    /// A bot: what the engagement adapter proves its egress by.
    pub egress_auth: EgressAuth,
    /// A bot: which writing of an egress is read.
    pub egress_content: EgressContent,
    /// A bot: for about how many seconds the same egress is taken as a repeat.
    pub repeat_window: String,
    /// A bot: what a message of it begins with that hands over.
    pub handover_phrase: Option<String>,
    /// A bot: send context updates, whose body is a guess.
    pub context_updates: bool,
    /// How eventing proves itself, in or out.
    pub auth: Auth,
    /// The header that carries the proof.
    pub auth_header: String,
    /// Where the public keys of eventing's tokens are.
    pub jwks_url: Option<String>,
    /// The tokens' `iss`.
    pub issuer: Option<String>,
    /// The tokens' `aud`.
    pub audience: Option<String>,
    /// Whether a token must say until when it is good.
    pub require_expiry: bool,
    /// An observer: where events go.
    pub eventing_url: Option<String>,
    /// An observer: the events' `organization`.
    pub organization: String,
}

/// From where a bot's messages are passed on to the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The engagement adapter, which always says whose they are.
    #[default]
    Egress,
    /// Eventing, which has rich content, and may not say whose they are.
    Eventing,
}

/// How an event is joined with its conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// By its `customerReference`; one without belongs to nobody.
    #[default]
    CustomerReference,
    /// Where it has none, by the first event `to: "server"` that says what was just posted (fact sheet
    /// 3.5, inferred): from then on its `conversationId` is known.
    Text,
}

/// What an egress must bring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressAuth {
    /// The endpoint's secret as a Bearer token.
    #[default]
    Bearer,
    /// Nothing: the address alone is its proof.
    None,
}

/// Which writing of an egress is read, of two for the same content (SC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressContent {
    /// `Markdown`, or else `Messages`.
    #[default]
    Markdown,
    /// `Messages`, or else `Markdown`.
    Messages,
}

/// How eventing proves itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: ApiKey <key>` (S4).
    #[default]
    ApiKey,
    /// A token signed with a secret (HS256).
    JwtSecret,
    /// A token signed with a private key, whose public one can be fetched (RS256, ES256).
    Jwks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engagement_url: None,
            replies: Source::default(),
            join: Join::default(),
            egress_auth: EgressAuth::default(),
            egress_content: EgressContent::default(),
            repeat_window: "0".into(),
            handover_phrase: None,
            context_updates: false,
            auth: Auth::default(),
            auth_header: "authorization".into(),
            jwks_url: None,
            issuer: None,
            audience: None,
            require_expiry: true,
            eventing_url: None,
            organization: "trunkline".into(),
        }
    }
}

impl Settings {
    /// The longest `repeat_window`, in seconds.
    pub const LONGEST_WINDOW: u32 = 3_600;

    /// As they were applied, which checked them; whatever does not fit any more takes its default.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// `repeat_window` in seconds; none, if it is not a number or too long.
    #[must_use]
    pub fn repeat_seconds(&self) -> Option<u32> {
        self.repeat_window.parse().ok().filter(|seconds| *seconds <= Self::LONGEST_WINDOW)
    }
}
