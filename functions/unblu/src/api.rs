//! Unblu's web API: addresses, login, and the classification of responses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use trunkline_core::json;
use trunkline_core::model::{ExternalMessageId, Verdict};
use trunkline_runtime::http_client::{HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{Classification, EncodeError, classify_by_status};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::escape_dot_segment;
use url::Url;

use crate::settings::{ApiVersion, PASSWORD, Settings, USERNAME};
use crate::wire::Object;

/// The longest error text that is passed on, in characters.
const MAX_REASON: usize = 300;

/// The web API of a connection, with its login.
pub(crate) struct Api<'a> {
    pub(crate) settings: &'a Settings,
    base: Url,
    login: HeaderValue,
}

impl<'a> Api<'a> {
    /// Returns the web API of a connection whose channel is known.
    pub(crate) fn of(settings: &'a Settings, secrets: &SecretBag) -> Result<Self, EncodeError> {
        if settings.channel_id.is_empty() {
            let why =
                "the setting channel_id is missing: `trunkline check --fix` creates a channel";
            return Err(EncodeError::Misconfigured(why.into()));
        }
        Self::without_channel(settings, secrets)
    }

    /// Returns the web API of a connection whose channel may not be known yet.
    pub(crate) fn without_channel(
        settings: &'a Settings,
        secrets: &SecretBag,
    ) -> Result<Self, EncodeError> {
        let missing = |what| EncodeError::Misconfigured(format!("{what} is missing or wrong"));
        let base = Url::parse(&settings.base_url).ok().filter(|url| !url.cannot_be_a_base());
        let base = base.ok_or_else(|| missing("the setting base_url"))?;
        let secret = |name, what| secrets.newest(name).ok_or_else(|| missing(what));
        let username = secret(USERNAME, "the secret username")?;
        let password = secret(PASSWORD, "the secret password")?;
        let login = format!("Basic {}", STANDARD.encode(format!("{username}:{password}")));
        let mut login = HeaderValue::from_str(&login).map_err(|_| missing("the login"))?;
        login.set_sensitive(true);
        Ok(Self { settings, base, login })
    }

    pub(crate) fn version(&self) -> ApiVersion {
        self.settings.api_version
    }

    pub(crate) fn channel(&self) -> &str {
        &self.settings.channel_id
    }

    pub(crate) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> HttpRequest {
        let (url, body) = (self.url(path, query), Vec::new());
        HttpRequest { method: Method::GET, url, headers: self.headers(), body }
    }

    pub(crate) fn post(&self, path: &[&str], body: Option<&Value>) -> HttpRequest {
        let mut headers = self.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        HttpRequest { method: Method::POST, url: self.url(path, &[]), headers, body }
    }

    /// Returns the download of a file. Only Unblu itself receives the login.
    pub(crate) fn file(&self, url: &str) -> Result<HttpRequest, EncodeError> {
        let invalid = |_| EncodeError::Misconfigured("the link of the file is not a URL".into());
        let url = self.base.join(url).map_err(invalid)?;
        let mut headers = HeaderMap::new();
        if url.origin() == self.base.origin() {
            headers.insert(AUTHORIZATION, self.login.clone());
        }
        Ok(HttpRequest { method: Method::GET, url: url.into(), headers, body: Vec::new() })
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.login.clone());
        headers
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.iter().map(|part| escape_dot_segment(part)));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.into()
    }
}

/// Classifies a response by its status, with the reason that Unblu gives.
pub(crate) fn classification(answer: &HttpResponse) -> Classification {
    let by_status = classify_by_status(answer);
    if by_status.verdict == Verdict::Delivered {
        return Classification { external_message_id: message_id(&answer.body), ..by_status };
    }
    Classification { reason: Some(problem(answer)), ..by_status }
}

/// Describes an error response, with Unblu's own message if there is one (UA4 `Error`).
pub(crate) fn problem(answer: &HttpResponse) -> String {
    let body: Value = json::from_slice(&answer.body).unwrap_or_default();
    let message = body.as_object().and_then(|body| Object(body).text("errorMessage"));
    let message = message.map(|message| message.chars().take(MAX_REASON).collect::<String>());
    let hint = match answer.status {
        StatusCode::UNAUTHORIZED => Some("check the secrets username and password"),
        StatusCode::FORBIDDEN => Some("the account needs the role ADMIN"),
        _ => None,
    };
    let parts = [message.as_deref(), hint].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let separator = if parts.is_empty() { "" } else { ": " };
    format!("Unblu answered {}{separator}{parts}", answer.status)
}

/// Returns the id of a sent message: v4 returns the message's id, v3 the action's id as a bare string.
fn message_id(body: &[u8]) -> Option<ExternalMessageId> {
    match json::from_slice(body).ok()? {
        Value::String(action) => Some(action.into()),
        Value::Object(result) => Object(&result).text("messageId").map(Into::into),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        let status = StatusCode::from_u16(status).unwrap();
        HttpResponse { status, headers: HeaderMap::new(), body: body.into() }
    }

    fn settings(base: &str) -> Settings {
        Settings { base_url: base.into(), channel_id: "c".into(), ..Settings::default() }
    }

    fn api(settings: &Settings) -> Result<Api<'_>, EncodeError> {
        let secrets = json!({"username": ["ada"], "password": ["p:w"]});
        Api::of(settings, &serde_json::from_value(secrets).unwrap())
    }

    #[test]
    fn path_segments_cannot_leave_their_path() {
        for base in ["https://u.example/app/rest/v4", "https://u.example/app/rest/v4/"] {
            let settings = settings(base);
            let request = api(&settings).unwrap().get(&["a", "../b/c?d", "e"], &[("q", "x&y=/z")]);
            let expected = "https://u.example/app/rest/v4/a/..%2Fb%2Fc%3Fd/e?q=x%26y%3D%2Fz";
            assert_eq!(request.url, expected);
            let dots = api(&settings).unwrap().get(&["a", "..", "."], &[]);
            assert_eq!(dots.url, "https://u.example/app/rest/v4/a/%252E%252E/%252E");
        }
    }

    #[test]
    fn the_login_is_basic_and_hidden_in_debug_output() {
        let headers = api(&settings("https://u.example/v4")).unwrap().headers();
        assert_eq!(headers[AUTHORIZATION], "Basic YWRhOnA6dw==");
        assert!(!format!("{headers:?}").contains("YWRh"));
        assert!(matches!(api(&settings("nowhere")), Err(EncodeError::Misconfigured(_))));
    }

    #[test]
    fn classifies_responses() {
        let v4 = classification(&answer(200, include_str!("../fixtures/send-result-v4.json")));
        assert_eq!(v4.external_message_id, Some("mEsSaGeIdExample0000002".into()));
        let v3 = classification(&answer(200, include_str!("../fixtures/send-result-v3.json")));
        assert_eq!(v3.external_message_id, Some("aCtIoNiDexample0000001".into()));
        assert_eq!(classification(&answer(204, "")).verdict, Verdict::Delivered);
        let gone = classification(&answer(404, include_str!("../fixtures/error.json")));
        let reason = "Unblu answered 404 Not Found: There is no such conversation";
        assert_eq!((gone.verdict, gone.reason.as_deref()), (Verdict::Permanent, Some(reason)));
        let login = problem(&answer(401, "<html>"));
        assert_eq!(
            login,
            "Unblu answered 401 Unauthorized: check the secrets username and password"
        );
        assert_eq!(classification(&answer(503, "")).verdict, Verdict::Retryable);
    }

    /// Shows input 8. Shows input 10.
    #[test]
    fn responses_are_read_with_a_byte_order_mark_and_half_an_emoji() {
        let sent = format!("\u{feff}{}", include_str!("../fixtures/send-result-v4.json"));
        let id = classification(&answer(200, &sent)).external_message_id;
        assert_eq!(id, Some("mEsSaGeIdExample0000002".into()));
        let error = "\u{feff}{\"errorMessage\": \"No \\ud83d\"}";
        assert_eq!(problem(&answer(400, error)), "Unblu answered 400 Bad Request: No \u{fffd}");
    }
}
