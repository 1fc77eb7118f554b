//! The authenticated caller: its role, and the audit log of its changes.

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;
use trunkline_core::model::{AccessLevel, AuditEntry};
use trunkline_runtime::app::App;
use trunkline_runtime::store::StoreError;

use crate::problem::Problem;

/// The authenticated caller of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the caller's token, or of the identity provider's user.
    pub name: String,
    pub role: AccessLevel,
    /// The id of the caller's token; empty for callers without one.
    pub token: String,
    /// When the caller's token expires.
    pub expires_at: Option<Timestamp>,
}

impl Caller {
    /// Requires a role.
    ///
    /// # Errors
    /// If the caller's role is lower.
    pub fn require(&self, role: AccessLevel) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let (own, required) = (self.role.name(), role.name());
        let detail =
            format!("this call requires the role {required}; {} has the role {own}", self.name);
        Err(Problem::forbidden(detail))
    }

    /// Writes an entry to the audit log.
    pub async fn audit(
        &self,
        app: &App,
        action: &str,
        target: &str,
        detail: Value,
    ) -> Result<(), StoreError> {
        let at = app.clock.now();
        let audit = AuditEntry {
            id: app.ids.next(at),
            at,
            actor: self.name.clone(),
            role: self.role,
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
        };
        tracing::info!(actor = self.name, action, target, "change recorded in the audit log");
        app.store.put_audit(&audit).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::unauthorized("sign in first"))
    }
}
