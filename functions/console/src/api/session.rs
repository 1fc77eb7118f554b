//! Sessions: sign in, sign out, the current user.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use serde::{Deserialize, Serialize};
use trunkline_core::model::{AccessLevel, TokenKind};
use utoipa::ToSchema;

use crate::Console;
use crate::auth::{COOKIE_NAME, Caller, cookie, find_token, issue};
use crate::extract::Json;
use crate::problem::Problem;
use crate::throttle;

/// The duration of a session.
const SESSION_TTL: SignedDuration = SignedDuration::from_hours(12);

/// The credentials of a sign-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// A token, or the code of a one-time sign-in link.
    #[schema(min_length = 1, max_length = 200)]
    token: String,
}

/// The current user.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The name of the token.
    name: String,
    role: AccessLevel,
    /// When the session or token expires.
    expires_at: Option<Timestamp>,
}

/// Sign in. The response sets the session cookie.
#[utoipa::path(post, path = "/session", tag = "session", security(()),
    request_body = SignIn,
    responses((status = 204, description = "signed in")))]
pub async fn sign_in(
    State(console): State<Arc<Console>>,
    context: Option<Extension<RequestContext>>,
    Json(body): Json<SignIn>,
) -> Result<Response, Problem> {
    let app = &console.app;
    let invalid = || Problem::unauthorized("the token is invalid, expired or already used");
    let source = context.and_then(|context| throttle::source(&context.0));
    let token = find_token(&console, &body.token, source.as_deref(), app.clock.now()).await?;
    let token = token.filter(|token| token.kind != TokenKind::Session).ok_or_else(invalid)?;
    if token.kind == TokenKind::OneTime && !app.store.delete_token(&token.id).await? {
        return Err(invalid());
    }
    let ttl = token.expires_at.filter(|_| token.kind == TokenKind::Operator);
    let ttl = ttl.map_or(SESSION_TTL, |at| at.duration_since(app.clock.now()).min(SESSION_TTL));
    let (session, text) =
        issue(app, &token.name, token.role, TokenKind::Session, Some(ttl)).await?;
    let detail = serde_json::json!({"session": session.id});
    let caller =
        Caller { name: token.name.clone(), role: token.role, token: token.id, expires_at: None };
    caller.audit(app, "session.sign_in", &token.name, detail).await?;
    Ok(with_cookie(&console, &text, ttl.as_secs()))
}

/// Sign out and end the session.
#[utoipa::path(delete, path = "/session", tag = "session",
    responses((status = 204, description = "signed out")))]
pub async fn sign_out(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    // An API token stays valid: only `DELETE /tokens/{id}` revokes it.
    if cookie(&headers).is_some() {
        console.app.store.delete_token(&caller.token).await?;
        console.token_cache.clear();
    }
    Ok(with_cookie(&console, "", 0))
}

/// Get the current user.
#[utoipa::path(get, path = "/me", tag = "session", responses((status = 200, body = Me)))]
pub async fn me(caller: Caller) -> axum::Json<Me> {
    let Caller { name, role, expires_at, .. } = caller;
    axum::Json(Me { name, role, expires_at })
}

fn with_cookie(console: &Console, value: &str, seconds: i64) -> Response {
    let secure = if console.local { "" } else { "; Secure" };
    let cookie = format!(
        "{COOKIE_NAME}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}"
    );
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
