//! Authentication middleware: bearer tokens, session cookies and the claims of an identity provider.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use trunkline_core::model::{AccessLevel, Token, TokenKind, digest};

use super::{Caller, find_token};
use crate::Console;
use crate::problem::Problem;
use crate::throttle;

/// The name of the session cookie.
pub const COOKIE_NAME: &str = "trunkline";
/// The header that a change with a session cookie requires. Pages of other sites cannot send it.
const CSRF_HEADER: &str = "x-trunkline-console";
/// The claim of an identity provider's token that names the role.
const ROLE_CLAIM: &str = "trunkline_role";
/// How long a token is cached. A revoked token is accepted no longer than that.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(10);
/// The number of cached tokens.
const CACHE_CAPACITY: usize = 1_000;

/// Cache of the tokens that this process has checked recently, by the digest of the whole token.
#[derive(Debug, Default)]
pub struct TokenCache(RwLock<HashMap<String, (Timestamp, Caller)>>);

impl TokenCache {
    fn get(&self, key: &str, since: Timestamp) -> Option<Caller> {
        let cache = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cache.get(key).filter(|(at, _)| *at >= since).map(|(_, caller)| caller.clone())
    }

    fn insert(&self, key: String, caller: Caller, now: Timestamp) {
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_CAPACITY {
            cache.clear();
        }
        cache.insert(key, (now, caller));
    }

    /// Empties the cache, after a token was revoked.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Authentication middleware: rejects unauthenticated requests.
pub async fn authenticate(
    State(console): State<Arc<Console>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Only this program can set the extension: requests from outside carry none.
    if request.extensions().get::<Caller>().is_some() {
        return next.run(request).await;
    }
    if let Some(context) = request.extensions().get::<RequestContext>()
        && let Some(caller) = caller_from_claims(context)
    {
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    let source = request.extensions().get::<RequestContext>().and_then(throttle::source);
    let (method, headers) = (request.method(), request.headers());
    match authenticate_token(&console, method, headers, source.as_deref()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Returns the caller that API Gateway's JWT authorizer has authenticated. The claims are present only on
/// the path that has this authorizer.
fn caller_from_claims(context: &RequestContext) -> Option<Caller> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    let claims = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
    let role = claims.get(ROLE_CLAIM)?;
    let role = AccessLevel::ALL.into_iter().find(|access| access.name() == role)?;
    let name = ["email", "name", "sub"].iter().find_map(|claim| claims.get(*claim))?;
    Some(Caller { name: name.clone(), role, token: String::new(), expires_at: None })
}

async fn authenticate_token(
    console: &Console,
    method: &Method,
    headers: &HeaderMap,
    source: Option<&str>,
) -> Result<Caller, Problem> {
    let unauthorized =
        || Problem::unauthorized("sign in, or send a valid token as Authorization: Bearer trk_…");
    let (token, by_cookie) = match (bearer(headers), cookie(headers)) {
        (Some(token), _) => (token, false),
        (None, Some(token)) => (token, true),
        (None, None) => return Err(unauthorized()),
    };
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if by_cookie && !is_read && !headers.contains_key(CSRF_HEADER) {
        let detail = format!("a change with a session cookie requires the header {CSRF_HEADER}");
        return Err(Problem::forbidden(detail));
    }
    let now = console.app.clock.now();
    let key = digest(&[token]);
    if let Some(caller) = console.token_cache.get(&key, now - CACHE_TTL) {
        return Ok(caller);
    }
    let found = find_token(console, token, source, now).await?;
    let found = found.filter(|token| token.kind != TokenKind::OneTime).ok_or_else(unauthorized)?;
    let caller = caller_of(&found);
    console.token_cache.insert(key, caller.clone(), now);
    Ok(caller)
}

fn caller_of(token: &Token) -> Caller {
    Caller {
        name: token.name.clone(),
        role: token.role,
        token: token.id.clone(),
        expires_at: token.expires_at,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Returns the value of the session cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|pairs| pairs.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_session_cookie_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; trunkline=trk_1_x; b=2".parse().unwrap());
        assert_eq!(cookie(&headers), Some("trk_1_x"));
        headers.insert(header::COOKIE, "trunkline2=trk_1_x".parse().unwrap());
        assert_eq!(cookie(&headers), None);
    }
}
