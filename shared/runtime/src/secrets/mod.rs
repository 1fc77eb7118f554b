//! Secrets of connections: one SSM `SecureString` per connection, with all of its secrets by name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use serde::{Deserialize, Serialize};

use crate::error::Cause;
use trunkline_core::model::{Connection, ConnectionId};

/// Name of the secret in a connection's inbound URL.
pub const PATH_KEY: &str = "path_key";

/// Maximum number of connections in the cache.
const CACHE_CAPACITY: usize = 1_000;

/// A connection's secrets by name. Each name has one live value, or two during a rotation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretBag(BTreeMap<String, Vec<String>>);

impl SecretBag {
    /// Returns the live values of `name`, newest first; empty if there is no such secret.
    #[must_use]
    pub fn live(&self, name: &str) -> Vec<&str> {
        self.0.get(name).into_iter().flatten().map(String::as_str).collect()
    }

    /// Returns the newest value of `name`.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    /// Sets the live values of `name`, newest first.
    pub fn set(&mut self, name: &str, values: Vec<String>) {
        self.0.insert(name.to_owned(), values);
    }

    /// Removes all values of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Returns name (without `prefix`) and newest value of each secret whose name starts with `prefix`.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, values)| {
            Some((name.strip_prefix(prefix)?, values.first()?.as_str()))
        })
    }

    /// Returns the names of the secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for SecretBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a connection's secrets cannot be read or written. Internal and retryable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretsError {
    /// SSM is down, slow or refuses the call.
    #[error("cannot read or write the secrets of {connection}: {cause}")]
    Unavailable {
        connection: ConnectionId,
        /// Error of the AWS SDK.
        #[source]
        cause: Cause,
    },
    /// The parameter is missing or not in the format that `trunkline apply` writes.
    #[error("the secrets of {0} are missing or corrupt: apply its configuration again")]
    Corrupt(ConnectionId),
}

/// Reads secrets and caches them until the connection is applied again.
#[derive(Debug)]
pub struct SecretStore {
    ssm: aws_sdk_ssm::Client,
    prefix: String,
    cache: RwLock<HashMap<ConnectionId, (i64, Arc<SecretBag>)>>,
}

impl SecretStore {
    /// Creates a store for parameters whose names start with `prefix`.
    #[must_use]
    pub fn new(ssm: aws_sdk_ssm::Client, prefix: String) -> Self {
        Self { ssm, prefix, cache: RwLock::default() }
    }

    /// Returns the secrets of the connection's applied version, from the cache where possible.
    pub async fn for_connection(
        &self,
        connection: &Connection,
    ) -> Result<Arc<SecretBag>, SecretsError> {
        let version = connection.secrets_version;
        {
            let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((cached_version, bag)) = cache.get(&connection.id)
                && *cached_version == version
            {
                return Ok(Arc::clone(bag));
            }
        }
        let bag = Arc::new(self.read(&connection.id).await?);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_CAPACITY {
            cache.clear();
        }
        cache.insert(connection.id.clone(), (version, Arc::clone(&bag)));
        Ok(bag)
    }

    async fn read(&self, connection: &ConnectionId) -> Result<SecretBag, SecretsError> {
        match self.fetch(connection).await? {
            Some((bag, _)) => Ok(bag),
            None => Err(SecretsError::Corrupt(connection.clone())),
        }
    }

    /// Reads a connection's current secrets and their SSM parameter version. Returns `None` if none were ever
    /// written.
    pub async fn fetch(
        &self,
        connection: &ConnectionId,
    ) -> Result<Option<(SecretBag, i64)>, SecretsError> {
        let name = format!("{}{connection}", self.prefix);
        let answer = self.ssm.get_parameter().name(name).with_decryption(true).send().await;
        let parameter = match answer {
            Ok(answer) => answer.parameter,
            Err(error) => match error.as_service_error() {
                Some(GetParameterError::ParameterNotFound(_)) => return Ok(None),
                _ => return Err(unavailable(connection, error)),
            },
        };
        let version = parameter.as_ref().map_or(0, |parameter| parameter.version);
        let text = parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        let bag = serde_json::from_str(&text);
        let bag = bag.map_err(|_| SecretsError::Corrupt(connection.clone()))?;
        Ok(Some((bag, version)))
    }

    /// Writes a connection's secrets and returns their SSM parameter version. They take effect once the
    /// connection is stored with that version.
    pub async fn write(
        &self,
        connection: &ConnectionId,
        bag: &SecretBag,
    ) -> Result<i64, SecretsError> {
        let corrupt = |_| SecretsError::Corrupt(connection.clone());
        let answer = self
            .ssm
            .put_parameter()
            .name(format!("{}{connection}", self.prefix))
            .value(serde_json::to_string(bag).map_err(corrupt)?)
            .r#type(ParameterType::SecureString)
            .tier(ParameterTier::IntelligentTiering)
            .overwrite(true)
            .send()
            .await
            .map_err(|error| unavailable(connection, error))?;
        Ok(answer.version)
    }
}

fn unavailable(
    connection: &ConnectionId,
    error: impl std::error::Error + Send + Sync + 'static,
) -> SecretsError {
    SecretsError::Unavailable { connection: connection.clone(), cause: Cause::sdk(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_no_secret_values() {
        let mut bag = SecretBag::default();
        bag.set("signing", vec!["new".into(), "old".into()]);
        bag.set("header:key", vec!["k".into()]);
        assert_eq!(format!("{bag:?}"), r#"{"header:key", "signing"}"#);
        assert_eq!(bag.live("signing"), ["new", "old"]);
        assert_eq!(bag.newest("none"), None);
        assert_eq!(bag.with_prefix("header:").collect::<Vec<_>>(), [("key", "k")]);
    }
}
