//! Tokens and the audit log.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trunkline_core::model::{AccessLevel, AuditEntry, Token, TokenKind};
use utoipa::ToSchema;

use crate::Console;
use crate::auth::{Caller, issue};
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::TokenKindView;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    id: String,
    name: String,
    role: AccessLevel,
    kind: TokenKindView,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// The parameters of a new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTokenBody {
    /// The person or program that uses the token. The audit log shows this name.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    role: AccessLevel,
    /// The number of days until the token expires.
    #[schema(minimum = 1, maximum = 3650, default = 90)]
    days: Option<u16>,
}

/// A token that was just created.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    #[serde(flatten)]
    view: TokenView,
    /// The token itself. It cannot be retrieved later.
    token: String,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    id: String,
    at: Timestamp,
    /// The name of the token that made the change.
    actor: String,
    role: AccessLevel,
    /// The kind of change, such as `connection.suspend`.
    action: String,
    target: String,
    #[schema(value_type = Object, nullable)]
    detail: Value,
}

/// List the tokens, oldest first.
#[utoipa::path(get, path = "/tokens", tag = "access", params(Paging),
    responses((status = 200, body = Page<TokenView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<TokenView>>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    let found = console.app.store.tokens(after.as_deref(), limit).await?;
    let last = found.last().filter(|_| found.len() == usize::from(limit));
    let last = last.map(|last| last.id.clone());
    let now = console.app.clock.now();
    let items = found.into_iter().filter(|token| token.expires_at.is_none_or(|at| now < at));
    Ok(axum::Json(Page::with_cursor(items.map(TokenView::from).collect(), last.as_ref())))
}

/// Create a token.
#[utoipa::path(post, path = "/tokens", tag = "access",
    request_body = CreateTokenBody,
    responses((status = 201, body = CreatedToken)))]
pub async fn create(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(input): Json<CreateTokenBody>,
) -> Result<(StatusCode, axum::Json<CreatedToken>), Problem> {
    caller.require(AccessLevel::Admin)?;
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > 60 {
        return Err(Problem::bad_request("name must have 1 to 60 characters"));
    }
    let days = input.days.unwrap_or(90);
    if !(1..=3650).contains(&days) {
        return Err(Problem::bad_request("days must be from 1 to 3650"));
    }
    let role = input.role;
    let app = &console.app;
    let ttl = SignedDuration::from_hours(24 * i64::from(days));
    let (token, text) = issue(app, name, role, TokenKind::Operator, Some(ttl)).await?;
    let detail = json!({"id": token.id, "role": role, "days": days});
    caller.audit(app, "token.create", name, detail).await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedToken { view: token.into(), token: text })))
}

/// Revoke a token. It stops working within ten seconds.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "revoked")))]
pub async fn revoke(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(AccessLevel::Admin)?;
    if id.is_empty() || id.len() > 64 || !console.app.store.delete_token(&id).await? {
        return Err(Problem::not_found("the token does not exist"));
    }
    console.token_cache.clear();
    caller.audit(&console.app, "token.revoke", &id, Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "access", params(Paging),
    responses((status = 200, body = Page<AuditView>)))]
pub async fn audit(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<AuditView>>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    let found = console.app.store.audit_entries(after.as_deref(), limit).await?;
    let last = found.last().filter(|_| found.len() == usize::from(limit));
    let last = last.map(|last| last.id.clone());
    let items = found.into_iter().map(AuditView::from).collect();
    Ok(axum::Json(Page::with_cursor(items, last.as_ref())))
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            kind: token.kind.into(),
            id: token.id,
            name: token.name,
            role: token.role,
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}

impl From<AuditEntry> for AuditView {
    fn from(audit: AuditEntry) -> Self {
        let AuditEntry { id, at, actor: who, role, action: what, target, detail } = audit;
        Self { id, at, actor: who, role, action: what, target, detail }
    }
}
