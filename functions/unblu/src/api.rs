//! Unblu's web API: addresses, the login, and what its answers mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use trunkline_shared::http_client::{Answer, Request};
use trunkline_shared::model::{Connection, Verdict};
use trunkline_shared::outbound::{Meaning, Unsendable, by_status};
use trunkline_shared::secrets::SecretBag;
use trunkline_shared::security::segment;
use url::Url;

use crate::settings::{ApiVersion, PASSWORD, Settings, USERNAME};
use crate::wire::Object;

/// How much of an error's text is shown, in characters.
const MAX_REASON: usize = 300;

/// A connection's web API.
pub(crate) struct Api {
    pub(crate) settings: Settings,
    base: Url,
    login: HeaderValue,
}

impl Api {
    pub(crate) fn of(connection: &Connection, secrets: &SecretBag) -> Result<Self, Unsendable> {
        let settings = Settings::of(connection);
        let missing = |what| Unsendable::Misconfigured(format!("{what} is missing or wrong"));
        let base = Url::parse(&settings.base_url).ok().filter(|url| !url.cannot_be_a_base());
        let base = base.ok_or_else(|| missing("the setting base_url"))?;
        if settings.channel_id.is_empty() {
            return Err(missing("the setting channel_id"));
        }
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

    pub(crate) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Request {
        let (url, body) = (self.url(path, query), Vec::new());
        Request { method: Method::GET, url, headers: self.headers(), body }
    }

    pub(crate) fn post(&self, path: &[&str], body: Option<&Value>) -> Request {
        let mut headers = self.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        Request { method: Method::POST, url: self.url(path, &[]), headers, body }
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
            segments.pop_if_empty().extend(path.iter().map(|part| segment(part)));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.into()
    }
}

/// What an answer means: by its status, with the reason that Unblu gives.
pub(crate) fn meaning(answer: &Answer) -> Meaning {
    let by_status = by_status(answer);
    if by_status.verdict == Verdict::Delivered {
        return Meaning { external_id: message_id(&answer.body), ..by_status };
    }
    Meaning { reason: Some(problem(answer)), ..by_status }
}

/// What is wrong, in Unblu's words where it has any (UA4 `Error`).
pub(crate) fn problem(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = body.as_object().and_then(|body| Object(body).text("errorMessage"));
    let said = said.map(|said| said.chars().take(MAX_REASON).collect::<String>());
    let hint = match answer.status {
        StatusCode::UNAUTHORIZED => Some("check the secrets username and password"),
        StatusCode::FORBIDDEN => Some("the account needs the role ADMIN"),
        _ => None,
    };
    let parts = [said.as_deref(), hint].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let separator = if parts.is_empty() { "" } else { ": " };
    format!("Unblu answered {}{separator}{parts}", answer.status)
}

/// The id of a message that we sent: v4 tells the message's, v3 the action's, as a bare text.
fn message_id(body: &[u8]) -> Option<String> {
    match serde_json::from_slice(body).ok()? {
        Value::String(action) => Some(action),
        Value::Object(result) => Object(&result).text("messageId").map(ToOwned::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    fn api(base: &str) -> Result<Api, Unsendable> {
        let connection = json!({"id": "d", "platform": "unblu", "role": "desk",
                                "settings": {"base_url": base, "channel_id": "c"}});
        let secrets = json!({"username": ["ada"], "password": ["p:w"]});
        Api::of(
            &serde_json::from_value(connection).unwrap(),
            &serde_json::from_value(secrets).unwrap(),
        )
    }

    #[test]
    fn ids_cannot_leave_their_place_in_an_address() {
        for base in ["https://u.example/app/rest/v4", "https://u.example/app/rest/v4/"] {
            let request = api(base).unwrap().get(&["a", "../b/c?d", "e"], &[("q", "x&y=/z")]);
            let expected = "https://u.example/app/rest/v4/a/..%2Fb%2Fc%3Fd/e?q=x%26y%3D%2Fz";
            assert_eq!(request.url, expected);
            let dots = api(base).unwrap().get(&["a", "..", "."], &[]);
            assert_eq!(dots.url, "https://u.example/app/rest/v4/a/%252E%252E/%252E");
        }
    }

    #[test]
    fn the_login_is_basic_and_is_not_shown() {
        let headers = api("https://u.example/v4").unwrap().headers();
        assert_eq!(headers[AUTHORIZATION], "Basic YWRhOnA6dw==");
        assert!(!format!("{headers:?}").contains("YWRh"));
        assert!(matches!(api("nowhere"), Err(Unsendable::Misconfigured(_))));
    }

    #[test]
    fn answers_tell_the_messages_id_or_what_is_wrong() {
        let v4 = meaning(&answer(200, include_str!("../fixtures/send-result-v4.json")));
        assert_eq!(v4.external_id.as_deref(), Some("mEsSaGeIdExample0000002"));
        let v3 = meaning(&answer(200, include_str!("../fixtures/send-result-v3.json")));
        assert_eq!(v3.external_id.as_deref(), Some("aCtIoNiDexample0000001"));
        assert_eq!(meaning(&answer(204, "")).verdict, Verdict::Delivered);
        let gone = meaning(&answer(404, include_str!("../fixtures/error.json")));
        let reason = "Unblu answered 404 Not Found: There is no such conversation";
        assert_eq!((gone.verdict, gone.reason.as_deref()), (Verdict::Permanent, Some(reason)));
        let login = problem(&answer(401, "<html>"));
        assert_eq!(
            login,
            "Unblu answered 401 Unauthorized: check the secrets username and password"
        );
        assert_eq!(meaning(&answer(503, "")).verdict, Verdict::Retryable);
    }
}
