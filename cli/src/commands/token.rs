//! `trunkline token`: access to the API and the console.

use jiff::SignedDuration;
use serde_json::json;
use trunkline::stack::Stack;
use trunkline_console::issue;
use trunkline_core::model::{AccessLevel, AuditEntry, TokenKind};
use trunkline_runtime::app::{Clock, IdGenerator, RandomIdGenerator, SystemClock};

use super::CliError;

/// The lifetime of a sign-in link.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The page size of the list.
const PAGE: u16 = 100;

/// The permissions of a token.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Role {
    /// Read everything.
    Viewer,
    /// Also act on conversations and deliveries.
    Operator,
    /// Also change the configuration and tokens.
    Admin,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Create a token. It is printed once; only its digest is stored.
    Make {
        /// Name of the owner or purpose. It appears in the audit log.
        name: String,
        /// Permissions of the token.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// Lifetime in days.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Create a link that signs in to the console once, within ten minutes.
    Link {
        /// Name of the user. It appears in the audit log.
        name: String,
        /// Permissions of the user.
        #[arg(long, default_value = "viewer")]
        role: Role,
    },
    /// List all operator tokens.
    List,
    /// Revoke a token.
    Revoke {
        /// Id of the token, see `trunkline token list`.
        id: String,
    },
}

impl From<Role> for AccessLevel {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(stack: &Stack, token: Token) -> Result<(), CliError> {
    match token {
        Token::Make { name, role, days } => {
            let lasts = SignedDuration::from_hours(24 * i64::from(days));
            let app = stack.app();
            let (token, text) =
                issue(&app, &name, role.into(), TokenKind::Operator, Some(lasts)).await?;
            record_audit(stack, "token.create", &name, json!({"id": token.id, "days": days}))
                .await?;
            println!("{text}");
            Ok(())
        }
        Token::Link { name, role } => {
            println!("{}", link(stack, &name, role.into()).await?);
            Ok(())
        }
        Token::List => list(stack).await,
        Token::Revoke { id } => {
            if !stack.store.delete_token(&id).await? {
                return Err(CliError(format!("no token {id}: see `trunkline token list`")));
            }
            record_audit(stack, "token.revoke", &id, json!(null)).await?;
            println!("{id} is revoked; functions notice within seconds");
            Ok(())
        }
    }
}

/// Returns the console's URL with a code that signs in once.
pub(super) async fn link(stack: &Stack, name: &str, role: AccessLevel) -> Result<String, CliError> {
    let (token, code) =
        issue(&stack.app(), name, role, TokenKind::OneTime, Some(LINK_LIFETIME)).await?;
    record_audit(stack, "token.link", name, json!({"id": token.id})).await?;
    Ok(format!("{}/console#login={code}", stack.info.api))
}

async fn list(stack: &Stack) -> Result<(), CliError> {
    let (mut after, now) = (None::<String>, SystemClock.now());
    println!("{:<38} {:<9} {:<9} {:<26} NAME", "ID", "ROLE", "KIND", "EXPIRES");
    loop {
        let page = stack.store.tokens(after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for token in page.iter().filter(|token| token.expires_at.is_none_or(|at| now < at)) {
            let until = token.expires_at.map_or_else(|| "never".into(), |at| at.to_string());
            let kind = match token.kind {
                TokenKind::Operator => "token",
                TokenKind::Session => "sign-in",
                TokenKind::OneTime => "link",
            };
            let (id, role) = (&token.id, token.role.name());
            println!("{id:<38} {role:<9} {kind:<9} {until:<26.19} {}", token.name);
        }
    }
}

async fn record_audit(
    stack: &Stack,
    what: &str,
    target: &str,
    detail: serde_json::Value,
) -> Result<(), CliError> {
    let at = SystemClock.now();
    let who = std::env::var("USER").unwrap_or_else(|_| "unknown".into());
    let audit = AuditEntry {
        id: RandomIdGenerator.next(at),
        at,
        actor: format!("{who} (CLI)"),
        role: AccessLevel::Admin,
        action: what.to_owned(),
        target: target.to_owned(),
        detail,
    };
    Ok(stack.store.put_audit(&audit).await?)
}
