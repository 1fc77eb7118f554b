//! `trunkline token`: who may use the API and the console.

use jiff::SignedDuration;
use serde_json::json;
use trunkline::stack::Stack;
use trunkline_console::issue;
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};
use trunkline_shared::model::{Access, Audit, TokenKind};

use super::Failed;

/// For how long a link that signs in once is good.
const LINK: SignedDuration = SignedDuration::from_mins(10);
/// How many tokens are listed at once.
const PAGE: u16 = 100;

/// What somebody may do.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Role {
    /// Look.
    Viewer,
    /// See to conversations and deliveries.
    Operator,
    /// Change what is configured, and who may do what.
    Admin,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Make a token. It is printed this once, and only its digest is kept.
    Make {
        /// Whose it is, or what for: this stands in the list of changes.
        name: String,
        /// What its bearer may do.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// For how many days it is good.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Make a link to the console that signs in once, within ten minutes.
    Link {
        /// Who it is for: this stands in the list of changes.
        name: String,
        /// What they may do.
        #[arg(long, default_value = "viewer")]
        role: Role,
    },
    /// List the tokens.
    List,
    /// Take a token back.
    Revoke {
        /// Its id, as listed.
        id: String,
    },
}

impl From<Role> for Access {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(stack: &Stack, token: Token) -> Result<(), Failed> {
    match token {
        Token::Make { name, role, days } => {
            let lasts = SignedDuration::from_hours(24 * i64::from(days));
            let app = stack.app();
            let (token, text) =
                issue(&app, &name, role.into(), TokenKind::Operator, Some(lasts)).await?;
            note(stack, "token.make", &name, json!({"id": token.id, "days": days})).await?;
            println!("{text}");
            Ok(())
        }
        Token::Link { name, role } => {
            println!("{}", link(stack, &name, role.into()).await?);
            Ok(())
        }
        Token::List => list(stack).await,
        Token::Revoke { id } => {
            if !stack.store.forget_token(&id).await? {
                return Err(Failed(format!("there is no token {id}: see `trunkline token list`")));
            }
            note(stack, "token.take_back", &id, json!(null)).await?;
            println!("{id} is good for some seconds at most");
            Ok(())
        }
    }
}

/// The console's address, with a code that signs in once.
pub(super) async fn link(stack: &Stack, name: &str, role: Access) -> Result<String, Failed> {
    let (token, code) = issue(&stack.app(), name, role, TokenKind::Once, Some(LINK)).await?;
    note(stack, "token.link", name, json!({"id": token.id})).await?;
    Ok(format!("{}/console/#login={code}", stack.facts.api))
}

async fn list(stack: &Stack) -> Result<(), Failed> {
    let (mut after, now) = (None::<String>, SystemClock.now());
    println!("{:<38} {:<9} {:<9} {:<26} NAME", "ID", "ROLE", "KIND", "UNTIL");
    loop {
        let page = stack.store.tokens(after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for token in page.iter().filter(|token| token.expires_at.is_none_or(|at| now < at)) {
            let until = token.expires_at.map_or_else(|| "for ever".into(), |at| at.to_string());
            let kind = match token.kind {
                TokenKind::Operator => "token",
                TokenKind::Session => "sign-in",
                TokenKind::Once => "link",
            };
            let (id, role) = (&token.id, token.role.name());
            println!("{id:<38} {role:<9} {kind:<9} {until:<26.19} {}", token.name);
        }
    }
}

async fn note(
    stack: &Stack,
    what: &str,
    target: &str,
    detail: serde_json::Value,
) -> Result<(), Failed> {
    let at = SystemClock.now();
    let who = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    let audit = Audit {
        id: RandomIds.next(at),
        at,
        who: format!("{who}, by the command"),
        role: Access::Admin,
        what: what.to_owned(),
        target: target.to_owned(),
        detail,
    };
    Ok(stack.store.keep_audit(&audit).await?)
}
