//! The operator API: over HTTP with a token, or in this very process with AWS's own credentials.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, header};
use serde_json::Value;
use tower::ServiceExt;
use trunkline_console::{Caller, Console, router};
use trunkline_shared::model::Access;

use crate::local::plain_http;
use crate::stack::Stack;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Why the API did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It refused, and said why.
    #[error("{0}")]
    Refused(String),
    /// It was not reached.
    #[error("the API was not reached: {0}")]
    Unreached(String),
}

/// The operator API.
#[derive(Debug)]
pub struct Api(Way);

#[derive(Debug)]
enum Way {
    Here(Router, Caller),
    There { http: reqwest::Client, url: String, token: String },
}

impl Api {
    /// The API of a stack, in this process: whoever may use the stack's AWS resources may use it.
    #[must_use]
    pub fn of(stack: &Stack, name: &str) -> Self {
        let (app, api, local) = (stack.app(), stack.facts.api.clone(), stack.allows_local());
        let console = Console::new(app, name.to_owned(), Some(api), local);
        let who = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
        let caller = Caller {
            name: format!("{who}, by the command"),
            role: Access::Admin,
            token: String::new(),
            expires_at: None,
        };
        Self(Way::Here(router(&console), caller))
    }

    /// The API at an address, with a token.
    #[must_use]
    pub fn at(url: &str, token: &str) -> Self {
        let url = format!("{}/api/v1", url.trim_end_matches('/').trim_end_matches("/console"));
        Self(Way::There { http: client(&url), url, token: token.to_owned() })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::GET, path, None).await
    }

    /// All of a list, page by page.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn all(
        &self,
        path: &str,
        which: &[(&str, Option<String>)],
    ) -> Result<Vec<Value>, ApiError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let paging = [("limit", Some("100".to_owned())), ("cursor", cursor)];
            let page = self.get(&format!("{path}{}", query(&[which, &paging].concat()))).await?;
            found.extend(page["items"].as_array().cloned().unwrap_or_default());
            cursor = page["next"].as_str().map(ToOwned::to_owned);
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Does something.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Removes something.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn delete(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let unreached = |why: &dyn std::fmt::Display| ApiError::Unreached(why.to_string());
        let text = body.map(ToString::to_string).unwrap_or_default();
        let (status, answer) = match &self.0 {
            Way::Here(router, caller) => {
                let request = Request::builder()
                    .method(method)
                    .uri(format!("/api/v1{path}"))
                    .header(header::CONTENT_TYPE, "application/json")
                    .extension(caller.clone())
                    .body(Body::from(text))
                    .map_err(|why| unreached(&why))?;
                let answer = router.clone().oneshot(request).await;
                let answer = answer.map_err(|why| unreached(&why))?;
                let status = answer.status();
                let body = to_bytes(answer.into_body(), LARGEST).await;
                (status, body.map_err(|why| unreached(&why))?.to_vec())
            }
            Way::There { http, url, token } => {
                let call = http.request(method, format!("{url}{path}")).bearer_auth(token);
                let call = call.header(header::CONTENT_TYPE, "application/json").body(text);
                let answer = call.send().await.map_err(|why| unreached(&why))?;
                let status = answer.status();
                (status, answer.bytes().await.map_err(|why| unreached(&why))?.to_vec())
            }
        };
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status.is_success() {
            return Ok(said);
        }
        let why = said["detail"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned);
        Err(ApiError::Refused(why))
    }
}

/// A client for an address; a local stack's name need not resolve.
fn client(url: &str) -> reqwest::Client {
    let plain = plain_http();
    let local = url::Url::parse(url).ok().and_then(|url| {
        let host = url.host_str().filter(|host| host.ends_with(".localhost"))?.to_owned();
        Some((host, SocketAddr::from((Ipv4Addr::LOCALHOST, url.port_or_known_default()?))))
    });
    let Some((host, address)) = local else { return plain };
    reqwest::Client::builder().resolve(&host, address).build().unwrap_or(plain)
}

/// A path's part, as the API takes it: what is not plain goes as base64url behind a tilde.
#[must_use]
pub fn part(text: &str) -> String {
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

/// A query of what is set.
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
    fn what_is_not_plain_is_encoded() {
        assert_eq!(part("31612345678"), "31612345678");
        assert_eq!(part("c 3/ü"), "~YyAzL8O8");
        assert_eq!(part(".."), "~Li4");
        assert_eq!(query(&[("a", Some("x y".into())), ("b", None)]), "?a=x+y");
        assert_eq!(query(&[("b", None)]), "");
    }
}
