//! Adds the connection of a simulated party to a local stack, and to a route.

use serde_json::json;
use trunkline_core::model::{
    Connection, ConnectionId, HandoverPolicy, PlatformId, Role, Route, RouteId,
};
use trunkline_runtime::secrets::PATH_KEY;
use trunkline_runtime::store::StoreError;

use crate::apply::{ApplyError, apply};
use crate::config::{Desired, DesiredConnection};
use crate::stack::Stack;
use trunkline_mock::{ConnectionSetup, Persona};
use trunkline_registry::PLATFORMS;

/// The path key of simulated connections. It is public: the inbound URL exists on this machine only.
const KEY: &str = "simulated-key-for-this-machine-only-1";
/// The maximum number of attempts while other players change the same route.
const MAX_TRIES: u32 = 10;
/// The bot of `make run`, which answers unless a bot is simulated.
const DEMO_BOT: &str = "demo-bot";

/// Error of joining or leaving a route.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The stack does not allow local addresses.
    #[error(
        "the stack is not local, so it cannot call a simulated platform on this machine: start a local stack with `make run`"
    )]
    NotLocal,
    /// The configuration could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The table refused a call or did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name is not valid.
    #[error("{0}")]
    Name(String),
}

/// A simulated party's connection and route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub connection: ConnectionId,
    pub platform: PlatformId,
    pub persona: Persona,
    pub route: RouteId,
}

impl Membership {
    /// Returns the membership of a persona on a platform.
    ///
    /// # Errors
    /// If the route's name is not valid.
    pub fn new(platform: PlatformId, persona: Persona, route: &str) -> Result<Self, JoinError> {
        let name = |why: &dyn std::fmt::Display| JoinError::Name(why.to_string());
        let id = format!("{route}-{platform}-{}", persona.name());
        Ok(Self {
            connection: id.parse().map_err(|why| name(&why))?,
            platform,
            persona,
            route: route.parse().map_err(|why| name(&why))?,
        })
    }

    /// Returns the inbound URL of the connection.
    #[must_use]
    pub fn inbound(&self, stack: &Stack) -> String {
        format!("{}/in/{}/{}/{KEY}", stack.info.api, self.platform, self.connection)
    }
}

/// Adds the connection to the stack and the persona to the route. Returns the route.
///
/// # Errors
/// If the stack is not local, or the change cannot be applied.
pub async fn join(
    stack: &Stack,
    membership: &Membership,
    setup: ConnectionSetup,
) -> Result<Route, JoinError> {
    if !stack.allows_local() {
        return Err(JoinError::NotLocal);
    }
    let connection = connection(membership, &setup)?;
    let mut secrets: Vec<_> =
        setup.secrets.into_iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
    secrets.push((PATH_KEY.to_owned(), vec![KEY.to_owned()]));
    let desired = DesiredConnection { connection, secrets, line: 0 };
    let mut desired = Desired { connections: vec![desired], ..Desired::default() };
    retry_on_conflict(async || {
        let mut route = current_route(stack, membership).await?;
        if route.bot.is_none() {
            route.bot = demo_bot(stack).await?;
        }
        match membership.persona {
            Persona::Customer => {}
            Persona::Bot => route.bot = Some(membership.connection.clone()),
            Persona::Agent => route.desk = Some(membership.connection.clone()),
        }
        desired.routes = vec![route.clone()];
        apply(stack, &desired, |_| ()).await?;
        Ok(route)
    })
    .await
}

/// Removes the persona from the route.
pub async fn leave(stack: &Stack, membership: &Membership) -> Result<(), JoinError> {
    retry_on_conflict(async || {
        let before = current_route(stack, membership).await?;
        let mut route = before.clone();
        if route.bot.as_ref() == Some(&membership.connection) {
            route.bot = demo_bot(stack).await?;
        }
        route.desk = route.desk.filter(|desk| *desk != membership.connection);
        if route != before {
            route.version += 1;
            stack.store.put_route(&route).await?;
        }
        Ok(())
    })
    .await
}

/// Retries a change while other players change the same route.
async fn retry_on_conflict<T>(
    mut change: impl AsyncFnMut() -> Result<T, JoinError>,
) -> Result<T, JoinError> {
    let conflicted = |why: &JoinError| {
        let (JoinError::Apply(ApplyError::Store(why)) | JoinError::Store(why)) = why else {
            return false;
        };
        matches!(why, StoreError::Conflict)
    };
    let mut done = change().await;
    for _ in 1..MAX_TRIES {
        if !done.as_ref().is_err_and(conflicted) {
            break;
        }
        done = change().await;
    }
    done
}

async fn current_route(stack: &Stack, membership: &Membership) -> Result<Route, JoinError> {
    let found = stack.store.route(&membership.route).await?;
    Ok(found.unwrap_or_else(|| Route {
        id: membership.route.clone(),
        bot: None,
        desk: None,
        observers: Vec::new(),
        handover_policy: handover_policy(),
        version: 0,
    }))
}

async fn demo_bot(stack: &Stack) -> Result<Option<ConnectionId>, JoinError> {
    let Ok(id) = DEMO_BOT.parse() else { return Ok(None) };
    Ok(stack.store.connection(&id).await?.map(|bot| bot.id))
}

fn connection(membership: &Membership, setup: &ConnectionSetup) -> Result<Connection, JoinError> {
    let role = membership.persona.role();
    let mut connection = json!({
        "id": membership.connection, "platform": membership.platform, "role": role,
        "settings": setup.settings,
    });
    if role == Role::Channel {
        connection["route"] = json!(membership.route);
    }
    let connection: Connection =
        serde_json::from_value(connection).map_err(|why| JoinError::Name(why.to_string()))?;
    let spec = PLATFORMS.get(membership.platform);
    let spec = spec.ok_or_else(|| JoinError::Name("the platform is unknown".into()))?;
    Ok(Connection { capabilities: spec.capabilities, behaviour: spec.behaviour, ..connection })
}

/// Returns the handover policy of simulated routes: the keyword `agent` requests an agent, `bot` the bot.
fn handover_policy() -> HandoverPolicy {
    let policy = json!({
        "language": "en",
        "keywords": {"en": {"handover": ["agent"], "handback": ["bot"]}},
        "texts": {"en": {
            "waiting": "One moment, a colleague will be with you.", "membership": "{agent} is here.",
            "left": "{agent} has left.", "unanswered": "No agent is available.",
            "unsupported": "We cannot see this.", "agent": "A colleague",
        }},
    });
    serde_json::from_value(policy).unwrap_or_default()
}
