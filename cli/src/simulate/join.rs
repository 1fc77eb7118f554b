//! Puts a player's connection into a local stack, and its part into a route.

use serde_json::json;
use trunkline_shared::model::{
    Connection, ConnectionId, Platform, Role, Route, RouteId, Switching,
};
use trunkline_shared::secrets::PATH_KEY;
use trunkline_shared::store::StoreError;

use super::{Part, Setup};
use crate::apply::{ApplyError, apply};
use crate::config::{Desired, DesiredConnection};
use crate::stack::Stack;

/// Known to everybody: it opens an address on this machine only.
const KEY: &str = "simulated-key-for-this-machine-only-1";
/// How often it is tried again while other players join and leave.
const TRIES: u32 = 10;
/// The bot of `make run`, which answers where none is played.
const DEMO_BOT: &str = "demo-bot";

/// Why a player could not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The stack is not on this machine.
    #[error(
        "a simulated side is on this machine, where AWS cannot reach it: start a stack here (`make run`) and play beside it"
    )]
    NotLocal,
    /// The stack does not take it.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The table does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The names do not fit.
    #[error("{0}")]
    Name(String),
}

/// A player's place in a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its platform.
    pub platform: Platform,
    /// Who is played.
    pub part: Part,
    /// The route that it serves, or is served by.
    pub route: RouteId,
}

impl Joined {
    /// The place of a part on a platform.
    ///
    /// # Errors
    /// If the route's name is none.
    pub fn new(platform: Platform, part: Part, route: &str) -> Result<Self, JoinError> {
        let name = |why: &dyn std::fmt::Display| JoinError::Name(why.to_string());
        let id = format!("{route}-{platform}-{}", part.name());
        Ok(Self {
            connection: id.parse().map_err(|why| name(&why))?,
            platform,
            part,
            route: route.parse().map_err(|why| name(&why))?,
        })
    }

    /// Where the platform reaches us.
    #[must_use]
    pub fn inbound(&self, stack: &Stack) -> String {
        format!("{}/in/{}/{}/{KEY}", stack.facts.api, self.platform, self.connection)
    }
}

/// Puts the connection there, and its part into the route. Answers with the route as it is then.
///
/// # Errors
/// Why it is not there.
pub async fn join(stack: &Stack, joined: &Joined, setup: Setup) -> Result<Route, JoinError> {
    if !stack.allows_local() {
        return Err(JoinError::NotLocal);
    }
    let connection = connection(joined, &setup)?;
    let mut secrets: Vec<_> =
        setup.secrets.into_iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
    secrets.push((PATH_KEY.to_owned(), vec![KEY.to_owned()]));
    let desired = DesiredConnection { connection, secrets, line: 0 };
    let mut desired = Desired { connections: vec![desired], routes: Vec::new() };
    undisturbed(async || {
        let mut route = current(stack, joined).await?;
        if route.bot.is_none() {
            route.bot = demo_bot(stack).await?;
        }
        match joined.part {
            Part::Customer => {}
            Part::Bot => route.bot = Some(joined.connection.clone()),
            Part::Agent => route.desk = Some(joined.connection.clone()),
        }
        desired.routes = vec![route.clone()];
        apply(stack, &desired, |_| ()).await?;
        Ok(route)
    })
    .await
}

/// Takes its part out of the route again.
///
/// # Errors
/// If the table does not answer.
pub async fn leave(stack: &Stack, joined: &Joined) -> Result<(), JoinError> {
    undisturbed(async || {
        let before = current(stack, joined).await?;
        let mut route = before.clone();
        if route.bot.as_ref() == Some(&joined.connection) {
            route.bot = demo_bot(stack).await?;
        }
        route.desk = route.desk.filter(|desk| *desk != joined.connection);
        if route != before {
            route.version += 1;
            stack.store.put_route(&route).await?;
        }
        Ok(())
    })
    .await
}

/// Does it again where another player joined or left just then.
async fn undisturbed<T>(
    mut change: impl AsyncFnMut() -> Result<T, JoinError>,
) -> Result<T, JoinError> {
    let disturbed = |why: &JoinError| {
        let (JoinError::Apply(ApplyError::Store(why)) | JoinError::Store(why)) = why else {
            return false;
        };
        matches!(why, StoreError::Conflict)
    };
    let mut done = change().await;
    for _ in 1..TRIES {
        if !done.as_ref().is_err_and(disturbed) {
            break;
        }
        done = change().await;
    }
    done
}

async fn current(stack: &Stack, joined: &Joined) -> Result<Route, JoinError> {
    let found = stack.store.route(&joined.route).await?;
    Ok(found.unwrap_or_else(|| Route {
        id: joined.route.clone(),
        bot: None,
        desk: None,
        observers: Vec::new(),
        switching: switching(),
        version: 0,
    }))
}

async fn demo_bot(stack: &Stack) -> Result<Option<ConnectionId>, JoinError> {
    let Ok(id) = DEMO_BOT.parse() else { return Ok(None) };
    Ok(stack.store.connection(&id).await?.map(|bot| bot.id))
}

fn connection(joined: &Joined, setup: &Setup) -> Result<Connection, JoinError> {
    let role = joined.part.role();
    let mut connection = json!({
        "id": joined.connection, "platform": joined.platform, "role": role,
        "settings": setup.settings,
    });
    if role == Role::Channel {
        connection["route"] = json!(joined.route);
    }
    serde_json::from_value(connection).map_err(|why| JoinError::Name(why.to_string()))
}

/// A customer asks for people by `agent`, and for the bot by `bot`.
fn switching() -> Switching {
    let switching = json!({
        "language": "en",
        "keywords": {"en": {"handover": ["agent"], "handback": ["bot"]}},
        "texts": {"en": {
            "waiting": "One moment, a colleague will be with you.", "joined": "{agent} is here.",
            "left": "{agent} has left.", "nobody": "Nobody is there now.",
            "unshown": "We cannot see this.", "agent": "A colleague",
        }},
    });
    serde_json::from_value(switching).unwrap_or_default()
}
