//! The connections' secrets: one SSM `SecureString` a connection, which holds them all by name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_ssm::error::DisplayErrorContext;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use serde::{Deserialize, Serialize};

use crate::model::{Connection, ConnectionId};

/// The name of the secret part of a connection's inbound address.
pub const PATH_KEY: &str = "path_key";

/// How many connections' secrets are remembered.
const REMEMBERED: usize = 1_000;

/// A connection's secrets by name. Each name has one live value, or two while it is rotated.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretBag(BTreeMap<String, Vec<String>>);

impl SecretBag {
    /// The live values of `name`, the newest first; none if there is no such secret.
    #[must_use]
    pub fn live(&self, name: &str) -> Vec<&str> {
        self.0.get(name).into_iter().flatten().map(String::as_str).collect()
    }

    /// The newest value of `name`.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    /// Sets the live values of `name`, the newest first.
    pub fn set(&mut self, name: &str, values: Vec<String>) {
        self.0.insert(name.to_owned(), values);
    }

    /// Forgets `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The names and newest values of the secrets whose names begin with `prefix`, without it.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, values)| {
            Some((name.strip_prefix(prefix)?, values.first()?.as_str()))
        })
    }

    /// The secrets' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for SecretBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a connection's secrets cannot be had. Ours: worth another try.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretsError {
    /// SSM did not give or take them.
    #[error("the secrets of {connection} could not be read or written: {cause}")]
    Unavailable {
        /// Whose.
        connection: ConnectionId,
        /// What SSM said.
        cause: String,
    },
    /// The parameter is not what `trunkline apply` writes.
    #[error("the secrets of {0} are not readable: apply its configuration again")]
    Garbled(ConnectionId),
}

/// Reads secrets, and remembers them until the connection is applied anew.
#[derive(Debug)]
pub struct Secrets {
    ssm: aws_sdk_ssm::Client,
    prefix: String,
    remembered: RwLock<HashMap<ConnectionId, (i64, Arc<SecretBag>)>>,
}

impl Secrets {
    /// Secrets whose parameters' names begin with `prefix`.
    #[must_use]
    pub fn new(ssm: aws_sdk_ssm::Client, prefix: String) -> Self {
        Self { ssm, prefix, remembered: RwLock::default() }
    }

    /// The secrets that belong to the connection as it is applied now.
    ///
    /// # Errors
    /// If they are not remembered and SSM does not give them.
    pub async fn of(&self, connection: &Connection) -> Result<Arc<SecretBag>, SecretsError> {
        let version = connection.secrets_version;
        {
            let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, bag)) = remembered.get(&connection.id)
                && *known == version
            {
                return Ok(Arc::clone(bag));
            }
        }
        let bag = Arc::new(self.read(&connection.id).await?);
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(connection.id.clone(), (version, Arc::clone(&bag)));
        Ok(bag)
    }

    async fn read(&self, connection: &ConnectionId) -> Result<SecretBag, SecretsError> {
        match self.written(connection).await? {
            Some((bag, _)) => Ok(bag),
            None => Err(SecretsError::Garbled(connection.clone())),
        }
    }

    /// A connection's secrets as they are now, and which writing of them that is; nothing, if none were
    /// ever written.
    ///
    /// # Errors
    /// If SSM does not give them.
    pub async fn written(
        &self,
        connection: &ConnectionId,
    ) -> Result<Option<(SecretBag, i64)>, SecretsError> {
        let name = format!("{}{connection}", self.prefix);
        let answer = self.ssm.get_parameter().name(name).with_decryption(true).send().await;
        let parameter = match answer {
            Ok(answer) => answer.parameter,
            Err(error) => match error.as_service_error() {
                Some(GetParameterError::ParameterNotFound(_)) => return Ok(None),
                _ => return Err(unavailable(connection, &error)),
            },
        };
        let version = parameter.as_ref().map_or(0, |parameter| parameter.version);
        let text = parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        let bag = serde_json::from_str(&text);
        let bag = bag.map_err(|_| SecretsError::Garbled(connection.clone()))?;
        Ok(Some((bag, version)))
    }

    /// Writes a connection's secrets; answers with which writing that is. They are the connection's once
    /// it is stored with that number.
    ///
    /// # Errors
    /// If SSM does not take them.
    pub async fn write(
        &self,
        connection: &ConnectionId,
        bag: &SecretBag,
    ) -> Result<i64, SecretsError> {
        let garbled = |_| SecretsError::Garbled(connection.clone());
        let answer = self
            .ssm
            .put_parameter()
            .name(format!("{}{connection}", self.prefix))
            .value(serde_json::to_string(bag).map_err(garbled)?)
            .r#type(ParameterType::SecureString)
            .tier(ParameterTier::IntelligentTiering)
            .overwrite(true)
            .send()
            .await
            .map_err(|error| unavailable(connection, &error))?;
        Ok(answer.version)
    }
}

fn unavailable(
    connection: &ConnectionId,
    error: &(impl std::error::Error + 'static),
) -> SecretsError {
    SecretsError::Unavailable {
        connection: connection.clone(),
        cause: DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_shows_names_and_never_values() {
        let mut bag = SecretBag::default();
        bag.set("signing", vec!["new".into(), "old".into()]);
        bag.set("header:key", vec!["k".into()]);
        assert_eq!(format!("{bag:?}"), r#"{"header:key", "signing"}"#);
        assert_eq!(bag.live("signing"), ["new", "old"]);
        assert_eq!(bag.newest("none"), None);
        assert_eq!(bag.with_prefix("header:").collect::<Vec<_>>(), [("key", "k")]);
    }
}
