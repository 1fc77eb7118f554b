//! Who may do what, and who changed what.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trunkline_shared::model::{Access, Audit, Token, TokenKind};
use utoipa::ToSchema;

use crate::Console;
use crate::caller::{Caller, issue};
use crate::extract::{Json, Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::Role;

/// A token, without what makes it one.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    id: String,
    name: String,
    role: Role,
    /// `operator`, `session` or `once`.
    kind: String,
    made_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// A token that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// Whose it is, or what for: this stands in the list of changes.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// What its bearer may do.
    role: Role,
    /// For how many days it is good; 90, if left out.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u16>,
}

/// A token that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenMade {
    #[serde(flatten)]
    about: TokenView,
    /// The token itself: it is shown this once.
    token: String,
}

/// A change that somebody made.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    id: String,
    at: Timestamp,
    /// By the token's name.
    who: String,
    role: Role,
    /// Such as `connection.suspend`.
    what: String,
    target: String,
    #[schema(value_type = Object, nullable)]
    detail: Value,
}

/// The tokens, the oldest first.
#[utoipa::path(get, path = "/tokens", tag = "access", params(Paging),
    responses((status = 200, body = Page<TokenView>)))]
pub async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<TokenView>>, Problem> {
    caller.may(Access::Admin)?;
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    let found = console.app.store.tokens(after.as_deref(), most).await?;
    let ended = found.last().filter(|_| found.len() == usize::from(most));
    let ended = ended.map(|last| last.id.clone());
    let now = console.app.clock.now();
    let items = found.into_iter().filter(|token| token.expires_at.is_none_or(|at| now < at));
    Ok(axum::Json(Page::ending(items.map(TokenView::from).collect(), ended.as_ref())))
}

/// Make a token.
#[utoipa::path(post, path = "/tokens", tag = "access",
    responses((status = 201, body = TokenMade)))]
pub async fn make(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Json(input): Json<TokenInput>,
) -> Result<(StatusCode, axum::Json<TokenMade>), Problem> {
    caller.may(Access::Admin)?;
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > 60 {
        return Err(Problem::bad_request("name has from 1 to 60 characters"));
    }
    let days = input.days.unwrap_or(90);
    if !(1..=3650).contains(&days) {
        return Err(Problem::bad_request("days goes from 1 to 3650"));
    }
    let role = match input.role {
        Role::Viewer => Access::Viewer,
        Role::Operator => Access::Operator,
        Role::Admin => Access::Admin,
    };
    let app = &console.app;
    let lasts = SignedDuration::from_hours(24 * i64::from(days));
    let (token, text) = issue(app, name, role, TokenKind::Operator, Some(lasts)).await?;
    let detail = json!({"id": token.id, "role": role, "days": days});
    caller.note(app, "token.make", name, detail).await?;
    Ok((StatusCode::CREATED, axum::Json(TokenMade { about: token.into(), token: text })))
}

/// Take a token back: it is good for some seconds at most.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "taken back")))]
pub async fn take_back(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may(Access::Admin)?;
    if id.is_empty() || id.len() > 64 || !console.app.store.forget_token(&id).await? {
        return Err(Problem::not_found("there is no such token"));
    }
    console.seen.forget();
    caller.note(&console.app, "token.take_back", &id, Value::Null).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was changed, by whom, the newest first.
#[utoipa::path(get, path = "/audit", tag = "access", params(Paging),
    responses((status = 200, body = Page<AuditView>)))]
pub async fn audit(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<AuditView>>, Problem> {
    caller.may(Access::Admin)?;
    let (most, after) = (paging.most()?, paging.after::<String>()?);
    let found = console.app.store.audits(after.as_deref(), most).await?;
    let ended = found.last().filter(|_| found.len() == usize::from(most));
    let ended = ended.map(|last| last.id.clone());
    let items = found.into_iter().map(AuditView::from).collect();
    Ok(axum::Json(Page::ending(items, ended.as_ref())))
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            kind: crate::view::word(&token.kind),
            id: token.id,
            name: token.name,
            role: token.role.into(),
            made_at: token.made_at,
            expires_at: token.expires_at,
        }
    }
}

impl From<Audit> for AuditView {
    fn from(audit: Audit) -> Self {
        let Audit { id, at, who, role, what, target, detail } = audit;
        Self { id, at, who, role: role.into(), what, target, detail }
    }
}
