//! Puts what a file asks for into a stack.

use aws_sdk_ssm::error::{DisplayErrorContext, SdkError};
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trunkline_shared::app::unguessable;
use trunkline_shared::model::{Connection, Role};
use trunkline_shared::secrets::{PATH_KEY, SecretBag};
use trunkline_shared::store::StoreError;

use crate::config::{Desired, DesiredConnection};
use crate::stack::Stack;

/// Why it was not put there, or not all of it. Applying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The table.
    #[error("{0}\nApply again when it is back: what was applied stays as it is.")]
    Store(#[from] StoreError),
    /// The secrets.
    #[error("the secrets of {connection} could not be {what}: {cause}")]
    Secrets {
        /// Whose.
        connection: String,
        /// Read or written.
        what: &'static str,
        /// What AWS said.
        cause: String,
    },
}

/// What was done about one connection or route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What it is.
    pub what: String,
    /// What was done.
    pub change: Change,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// It was other than asked for.
    Updated,
    /// It was as asked for.
    Unchanged,
}

impl Change {
    fn from(before: Option<bool>) -> Self {
        match before {
            None => Self::Created,
            Some(true) => Self::Unchanged,
            Some(false) => Self::Updated,
        }
    }
}

/// Puts what a file asks for into a stack; what the file does not name stays as it is. Whoever serves
/// a channel is put there before the channel, so that no message meets half a route.
///
/// # Errors
/// If AWS refuses. Applying again is safe.
pub async fn apply(
    stack: &Stack,
    desired: &Desired,
    mut told: impl FnMut(&Applied),
) -> Result<(), ApplyError> {
    let (channels, others): (Vec<_>, Vec<_>) =
        desired.connections.iter().partition(|desired| desired.connection.role == Role::Channel);
    for desired in others {
        told(&connection(stack, desired).await?);
    }
    for route in &desired.routes {
        let before = stack.store.route(&route.id).await?;
        let change = Change::from(before.map(|before| before == *route));
        if change != Change::Unchanged {
            stack.store.put_route(route).await?;
        }
        told(&Applied { what: format!("route {}", route.id), change });
    }
    put_operators(stack, desired).await?;
    for desired in channels {
        told(&connection(stack, desired).await?);
    }
    Ok(())
}

/// The webhook setting by which an observer asks for reports.
pub const OPERATIONS: &str = "operations";

/// Notes which observers asked for reports.
async fn put_operators(stack: &Stack, desired: &Desired) -> Result<(), ApplyError> {
    let before = stack.store.operators().await?;
    let mut wanted = before.clone();
    wanted.retain(|known| desired.connection(known).is_none());
    let asking = desired.connections.iter().map(|desired| &desired.connection);
    let asking = asking.filter(|connection| connection.role == Role::Observer);
    let asking =
        asking.filter(|connection| connection.settings.get(OPERATIONS) == Some(&true.into()));
    wanted.extend(asking.map(|connection| connection.id.clone()));
    if wanted != before {
        stack.store.put_operators(&wanted).await?;
    }
    Ok(())
}

async fn connection(stack: &Stack, desired: &DesiredConnection) -> Result<Applied, ApplyError> {
    let secrets_version = put_secrets(stack, desired).await?;
    let wanted = Connection { secrets_version, ..desired.connection.clone() };
    let before = stack.store.connection(&wanted.id).await?;
    let change = Change::from(before.map(|before| before == wanted));
    if change != Change::Unchanged {
        stack.store.put_connection(&wanted).await?;
    }
    Ok(Applied { what: format!("connection {}", wanted.id), change })
}

/// Writes the secrets if they differ, and answers with the version that is there now.
async fn put_secrets(stack: &Stack, desired: &DesiredConnection) -> Result<i64, ApplyError> {
    let id = &desired.connection.id;
    let failed =
        |what, cause: String| ApplyError::Secrets { connection: id.to_string(), what, cause };
    let (before, version) =
        read_secrets(stack, id.as_str()).await.map_err(|cause| failed("read", cause))?;
    let mut wanted = SecretBag::default();
    for (name, values) in &desired.secrets {
        wanted.set(name, values.clone());
    }
    if wanted.newest(PATH_KEY).is_none() {
        let kept = before.newest(PATH_KEY).map(ToOwned::to_owned);
        let key = kept.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(unguessable()));
        wanted.set(PATH_KEY, vec![key]);
    }
    if wanted == before {
        return Ok(version);
    }
    let text =
        serde_json::to_string(&wanted).map_err(|error| failed("written", error.to_string()))?;
    let put = stack
        .ssm
        .put_parameter()
        .name(format!("{}{id}", stack.facts.secrets))
        .value(text)
        .r#type(ParameterType::SecureString)
        .tier(ParameterTier::IntelligentTiering)
        .overwrite(true)
        .send()
        .await
        .map_err(|error| failed("written", DisplayErrorContext(&error).to_string()))?;
    Ok(put.version)
}

/// A connection's secrets as they are, and their version; an empty bag of version 0 if there are none.
pub(crate) async fn read_secrets(stack: &Stack, id: &str) -> Result<(SecretBag, i64), String> {
    let name = format!("{}{id}", stack.facts.secrets);
    let answer = stack.ssm.get_parameter().name(name).with_decryption(true).send().await;
    let parameter = match answer {
        Ok(answer) => answer.parameter,
        Err(error) if is_missing(&error) => return Ok((SecretBag::default(), 0)),
        Err(error) => return Err(DisplayErrorContext(&error).to_string()),
    };
    let version = parameter.as_ref().map_or(0, |parameter| parameter.version);
    let text = parameter.and_then(|parameter| parameter.value).unwrap_or_default();
    Ok((serde_json::from_str(&text).unwrap_or_default(), version))
}

fn is_missing(error: &SdkError<GetParameterError>) -> bool {
    error.as_service_error().is_some_and(GetParameterError::is_parameter_not_found)
}

/// The address at which a connection's platform reaches us.
///
/// # Errors
/// If the connection's key cannot be read.
pub async fn inbound_url(stack: &Stack, connection: &Connection) -> Result<Option<String>, String> {
    let (secrets, _) = read_secrets(stack, connection.id.as_str()).await?;
    Ok(secrets.newest(PATH_KEY).map(|key| {
        format!("{}/in/{}/{}/{key}", stack.facts.api, connection.platform, connection.id)
    }))
}
