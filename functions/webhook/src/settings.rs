//! Settings and secrets of a webhook connection.

use trunkline_core::platform::WebUrl;
use trunkline_core::{setting_enum, settings};

/// The name of the secret that signs in both directions (`whsec_…`). Two values are live during a
/// rotation.
pub const SIGNING: &str = "signing";
/// The name of the secret with the token of `Authorization: Bearer`, for `auth: bearer`.
pub const BEARER: &str = "bearer";
/// The name of the secret with the API key, for `auth: api_key`.
pub const API_KEY: &str = "api_key";

settings! {
    /// A connection's settings.
    pub struct Settings {
        /// URL that receives messages, and all events without a URL of their own
        message_url: WebUrl;
        /// URL that receives handovers (message_url)
        handover_url: Option<WebUrl> = None;
        /// JSON template of a handover with variables such as $chatId (a standard event)
        handover_body: Option<String> = None;
        /// URL that receives receipts, typing, hand-backs and closes (message_url)
        events_url: Option<WebUrl> = None;
        /// how both sides authenticate
        auth: Auth = Auth::Signature;
        /// header that carries the API key
        api_key_header: String = "x-api-key".into();
        /// whether the system repeats an event's timestamp when it sends the event again; otherwise the id alone identifies an event
        repeats_timestamp: bool = true;
        /// observer: whether it receives operations alerts: breakers, parked and failed deliveries
        operations: bool = false;
    }
}

setting_enum! {
    /// How each side authenticates to the other.
    pub enum Auth {
        /// A Standard Webhooks 1.0 signature.
        Signature = "signature",
        /// `Authorization: Bearer <token>`.
        Bearer = "bearer",
        /// A header with a key.
        ApiKey = "api_key",
    }
}
