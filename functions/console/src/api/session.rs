//! Signing in and out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use serde::{Deserialize, Serialize};
use trunkline_shared::model::{Access, TokenKind};
use utoipa::ToSchema;

use crate::Console;
use crate::caller::{COOKIE, Caller, cookie, find, issue};
use crate::extract::Json;
use crate::problem::Problem;
use crate::throttle;
use crate::view::Role;

/// For how long one is signed in.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// What one signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// A token of `trunkline token`, or the code of a link that signs in once.
    #[schema(min_length = 1, max_length = 200)]
    token: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// By the token's name.
    name: String,
    /// What they may do.
    role: Role,
    /// Until when.
    expires_at: Option<Timestamp>,
}

/// Sign in: the answer sets a cookie.
#[utoipa::path(post, path = "/session", tag = "session", security(()),
    responses((status = 204, description = "signed in")))]
pub async fn sign_in(
    State(console): State<Arc<Console>>,
    context: Option<Extension<RequestContext>>,
    Json(given): Json<SignIn>,
) -> Result<Response, Problem> {
    let app = &console.app;
    let wrong = || Problem::unauthorised("that token is not good: it may have ended, or been used");
    let source = context.and_then(|context| throttle::source(&context.0));
    let token = find(&console, &given.token, source.as_deref(), app.clock.now()).await?;
    let token = token.filter(|token| token.kind != TokenKind::Session).ok_or_else(wrong)?;
    if token.kind == TokenKind::Once && !app.store.forget_token(&token.id).await? {
        return Err(wrong());
    }
    let left = token.expires_at.filter(|_| token.kind == TokenKind::Operator);
    let left = left.map_or(LASTS, |at| at.duration_since(app.clock.now()).min(LASTS));
    let (session, text) =
        issue(app, &token.name, token.role, TokenKind::Session, Some(left)).await?;
    let name = serde_json::json!({"session": session.id});
    let caller =
        Caller { name: token.name.clone(), role: token.role, token: token.id, expires_at: None };
    caller.note(app, "session.sign_in", &token.name, name).await?;
    Ok(with_cookie(&console, &text, left.as_secs()))
}

/// Sign out.
#[utoipa::path(delete, path = "/session", tag = "session",
    responses((status = 204, description = "signed out")))]
pub async fn sign_out(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    // A program's own token stays: only `DELETE /tokens/{id}` takes that back.
    if cookie(&headers).is_some() {
        console.app.store.forget_token(&caller.token).await?;
        console.seen.forget();
    }
    Ok(with_cookie(&console, "", 0))
}

/// Who is signed in.
#[utoipa::path(get, path = "/me", tag = "session", responses((status = 200, body = Me)))]
pub async fn me(caller: Caller) -> axum::Json<Me> {
    let Caller { name, role, expires_at, .. } = caller;
    axum::Json(Me { name, role: role.into(), expires_at })
}

fn with_cookie(console: &Console, value: &str, seconds: i64) -> Response {
    let secure = if console.local { "" } else { "; Secure" };
    let cookie =
        format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

impl From<Access> for Role {
    fn from(access: Access) -> Self {
        match access {
            Access::Viewer => Self::Viewer,
            Access::Operator => Self::Operator,
            Access::Admin => Self::Admin,
        }
    }
}
