//! A client of the operator API: over HTTP with a token, or in this process with AWS credentials.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, header};
use serde_json::Value;
use tower::ServiceExt;
use trunkline_console::{Caller, Console, router};
use trunkline_core::model::AccessLevel;

use crate::local::plain_http;
use crate::stack::Stack;

/// The maximum size of a response, in bytes.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Error of a call to the operator API.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The API refused the request. The text is the `detail` of its problem document.
    #[error("{0}")]
    Refused(String),
    /// The API could not be reached.
    #[error("cannot reach the API: {0}")]
    Unreachable(String),
}

/// A client of the operator API.
#[derive(Debug)]
pub struct Api(Transport);

#[derive(Debug)]
enum Transport {
    InProcess(Router, Caller),
    Http { http: reqwest::Client, url: String, token: String },
}

impl Api {
    /// Runs the API of a stack in this process. The caller's AWS credentials authorise everything.
    #[must_use]
    pub fn in_process(stack: &Stack, name: &str) -> Self {
        let (app, api, local) = (stack.app(), stack.info.api.clone(), stack.allows_local());
        let console = Console::new(app, name.to_owned(), Some(api), local);
        let who = std::env::var("USER").unwrap_or_else(|_| "unknown".into());
        let caller = Caller {
            name: format!("{who} (CLI)"),
            role: AccessLevel::Admin,
            token: String::new(),
            expires_at: None,
        };
        Self(Transport::InProcess(router(&console), caller))
    }

    /// Calls the API at a URL with a token.
    #[must_use]
    pub fn remote(url: &str, token: &str) -> Self {
        let url = format!("{}/api/v1", url.trim_end_matches('/').trim_end_matches("/console"));
        Self(Transport::Http { http: client(&url), url, token: token.to_owned() })
    }

    /// Sends a GET request.
    ///
    /// # Errors
    /// If the API refuses the request or cannot be reached.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::GET, path, None, None).await
    }

    /// Returns all items of a list, page by page.
    ///
    /// # Errors
    /// If the API refuses the request or cannot be reached.
    pub async fn get_all(
        &self,
        path: &str,
        filters: &[(&str, Option<String>)],
    ) -> Result<Vec<Value>, ApiError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let paging = [("limit", Some("100".to_owned())), ("cursor", cursor)];
            let page = self.get(&format!("{path}{}", query(&[filters, &paging].concat()))).await?;
            found.extend(page["items"].as_array().cloned().unwrap_or_default());
            cursor = page["next"].as_str().map(ToOwned::to_owned);
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Sends a POST request.
    ///
    /// # Errors
    /// If the API refuses the request or cannot be reached.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// Sends a DELETE request.
    ///
    /// # Errors
    /// If the API refuses the request or cannot be reached.
    pub async fn delete(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::DELETE, path, None, None).await
    }

    /// Deletes a resource that has this version. `path` may have a query.
    ///
    /// # Errors
    /// If the API refuses the request, for example because the version is another one now, or cannot be reached.
    pub async fn delete_version(&self, path: &str, version: u64) -> Result<Value, ApiError> {
        self.call(Method::DELETE, path, None, Some(version)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        version: Option<u64>,
    ) -> Result<Value, ApiError> {
        let unreachable = |why: &dyn std::fmt::Display| ApiError::Unreachable(why.to_string());
        let text = body.map(ToString::to_string).unwrap_or_default();
        let precondition = version.map(|version| format!("\"{version}\""));
        let (status, answer) = match &self.0 {
            Transport::InProcess(router, caller) => {
                let mut request = Request::builder();
                if let Some(precondition) = precondition {
                    request = request.header(header::IF_MATCH, precondition);
                }
                let request = request
                    .method(method)
                    .uri(format!("/api/v1{path}"))
                    .header(header::CONTENT_TYPE, "application/json")
                    .extension(caller.clone())
                    .body(Body::from(text))
                    .map_err(|why| unreachable(&why))?;
                let answer = router.clone().oneshot(request).await;
                let answer = answer.map_err(|why| unreachable(&why))?;
                let status = answer.status();
                let body = to_bytes(answer.into_body(), MAX_RESPONSE_BYTES).await;
                (status, body.map_err(|why| unreachable(&why))?.to_vec())
            }
            Transport::Http { http, url, token } => {
                let mut call = http.request(method, format!("{url}{path}")).bearer_auth(token);
                if let Some(precondition) = precondition {
                    call = call.header(header::IF_MATCH, precondition);
                }
                let call = call.header(header::CONTENT_TYPE, "application/json").body(text);
                let answer = call.send().await.map_err(|why| unreachable(&why))?;
                let status = answer.status();
                (status, answer.bytes().await.map_err(|why| unreachable(&why))?.to_vec())
            }
        };
        let body: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let why = body["detail"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned);
        Err(ApiError::Refused(why))
    }
}

/// Returns an HTTP client for a URL. The host name of a local stack may not resolve, so it is mapped to
/// localhost.
fn client(url: &str) -> reqwest::Client {
    let plain = plain_http();
    let local = url::Url::parse(url).ok().and_then(|url| {
        let host = url.host_str().filter(|host| host.ends_with(".localhost"))?.to_owned();
        Some((host, SocketAddr::from((Ipv4Addr::LOCALHOST, url.port_or_known_default()?))))
    });
    let Some((host, address)) = local else { return plain };
    reqwest::Client::builder().resolve(&host, address).build().unwrap_or(plain)
}

/// Encodes a path segment for the API. Text with other than unreserved characters becomes `~` and base64url.
#[must_use]
pub fn path_segment(text: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    let begins = text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if begins && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("~{}", URL_SAFE_NO_PAD.encode(text))
    }
}

/// Returns the query string of the members that have a value.
#[must_use]
pub fn query(members: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in members {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        empty if empty.is_empty() => empty,
        query => format!("?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_unsafe_path_segments() {
        assert_eq!(path_segment("31612345678"), "31612345678");
        assert_eq!(path_segment("c 3/ü"), "~YyAzL8O8");
        assert_eq!(path_segment(".."), "~Li4");
        assert_eq!(query(&[("a", Some("x y".into())), ("b", None)]), "?a=x+y");
        assert_eq!(query(&[("b", None)]), "");
    }
}
