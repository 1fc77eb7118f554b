//! Relayed files: private files that are fetched with the credentials of the connection that sent them, kept
//! in a private bucket for some days, and handed on as links of Trunkline's own.
//!
//! A link is `<address>/files/<id>?expires=<unix seconds>&signature=<HMAC>`. It leads to a redirect to a
//! presigned URL. The presigned URL cannot be the link itself: it ends with the session of the role that
//! signed it.

mod body;
mod link;
mod name;
mod s3;
mod temporary;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use http::Method;
use jiff::{SignedDuration, Timestamp};

pub use body::FileBody;
pub use link::{Link, LinkError, SigningKey};
pub use name::{content_disposition, is_program, mime_essence, safe_mime_type, sanitize_name};
pub use s3::S3;
pub use temporary::{FileTooLarge, TemporaryFile};

use crate::app::random_secret;
use crate::aws::{AwsHttpClient, MissingVariable, required_variable};
use crate::error::Cause;
use crate::store::{Store, StoreError};
use trunkline_core::model::FileId;

/// The largest relayed file, in bytes.
pub const MAX_FILE_BYTES: u64 = 20 * 1024 * 1024;
/// The largest sum of the relayed files of one message, in bytes.
pub const MAX_MESSAGE_BYTES: u64 = 50 * 1024 * 1024;
/// How long the presigned URL behind a link is valid.
pub const PRESIGNED_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// How long links and files are kept if the template does not set it, in days.
const DEFAULT_DAYS: i64 = 7;

/// Why the store of files did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileStoreError {
    /// It is down, slow or throttles. Retryable.
    #[error("the store of files is not available: {0}")]
    Unavailable(Cause),
    /// It refuses the request. An operator must correct its permissions.
    #[error("the store of files answered {0}")]
    Refused(u16),
    /// The request cannot be signed or built.
    #[error("cannot sign the request to the store of files: {0}")]
    Sign(Cause),
}

impl FileStoreError {
    /// Whether a retry can succeed without a change by an operator.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// How a file is shown to the person who opens its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePresentation {
    pub mime_type: String,
    /// The value of `Content-Disposition`.
    pub disposition: String,
}

impl FilePresentation {
    /// Returns how a file is shown: in the browser only if its type cannot contain a script.
    #[must_use]
    pub fn of(name: Option<&str>, mime_type: Option<&str>) -> Self {
        let (mime_type, inline) = safe_mime_type(mime_type);
        let disposition = content_disposition(name, inline);
        Self { mime_type, disposition }
    }
}

/// The store of relayed files: a bucket.
pub trait FileStore: Debug + Send + Sync {
    /// Stores a file under its id.
    fn put<'a>(
        &'a self,
        id: &'a FileId,
        content: TemporaryFile,
        mime_type: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>>;

    /// Deletes a file. One that does not exist is no error.
    fn delete<'a>(
        &'a self,
        id: &'a FileId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>>;

    /// Returns a URL from which a file can be downloaded without credentials for
    /// [`PRESIGNED_LIFETIME`].
    fn presigned_url(
        &self,
        id: &FileId,
        method: &Method,
        presentation: &FilePresentation,
        now: Timestamp,
    ) -> Result<String, FileStoreError>;
}

/// The relayed files of a stack.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn FileStore>,
    /// The base URL of links: the public URL of the API.
    address: Arc<str>,
    lifetime: SignedDuration,
    /// The key of the stack, once it was read.
    key: Arc<OnceLock<SigningKey>>,
}

impl Files {
    /// Creates the files of a stack with the public URL `address`, which are kept for `days`.
    #[must_use]
    pub fn new(store: Arc<dyn FileStore>, address: &str, days: i64) -> Self {
        let address = address.trim_end_matches('/').into();
        let lifetime = SignedDuration::from_hours(24 * days);
        Self { store, address, lifetime, key: Arc::default() }
    }

    /// Creates the files from Lambda's environment variables; `None` if the stack has no bucket.
    ///
    /// # Errors
    /// If a variable that Lambda or the template sets is missing.
    pub fn from_env(http: &AwsHttpClient, local: bool) -> Result<Option<Self>, MissingVariable> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(bucket) = variable("TRUNKLINE_FILES_BUCKET") else { return Ok(None) };
        let mut address = required_variable("TRUNKLINE_URL")?;
        let endpoint = variable("AWS_ENDPOINT_URL");
        if let Some(endpoint) = endpoint.as_deref().filter(|_| local) {
            address = local_api_url(&address, endpoint);
        }
        let days = variable("TRUNKLINE_FILE_DAYS").and_then(|days| days.parse().ok());
        let s3 = S3::from_env(http, &bucket, endpoint.as_deref())?;
        Ok(Some(Self::new(Arc::new(s3), &address, days.unwrap_or(DEFAULT_DAYS))))
    }

    /// The public URL of the stack's API.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The store of the files.
    #[must_use]
    pub fn store(&self) -> &dyn FileStore {
        &*self.store
    }

    /// Returns when a file that is relayed now expires.
    #[must_use]
    pub fn expiry(&self, now: Timestamp) -> Timestamp {
        now + self.lifetime
    }

    /// Returns the link to a file.
    #[must_use]
    pub fn link(&self, key: &SigningKey, id: &FileId, expires: Timestamp) -> String {
        format!("{}{}", self.address, Link::signed(key, id, expires))
    }

    /// Returns the stack's signing key, which is created if there is none.
    pub async fn signing_key(&self, table: &Store) -> Result<&SigningKey, StoreError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = match table.file_key().await? {
            Some(key) => key,
            None => table.create_file_key(SigningKey::new(random_secret())).await?,
        };
        Ok(self.key.get_or_init(|| key))
    }

    /// Returns the stack's signing key; `None` if no link was signed yet.
    pub async fn existing_key(&self, table: &Store) -> Result<Option<&SigningKey>, StoreError> {
        if self.key.get().is_none()
            && let Some(key) = table.file_key().await?
        {
            return Ok(Some(self.key.get_or_init(|| key)));
        }
        Ok(self.key.get())
    }
}

/// Returns the base URL of the API on a local stack: `http://<api>.execute-api.localhost:<port>`. `api` is
/// its URL on AWS, and `endpoint` the URL of the local AWS.
#[must_use]
pub fn local_api_url(api: &str, endpoint: &str) -> String {
    let id = api.trim_start_matches("https://").split('.').next().unwrap_or_default();
    let port = endpoint.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
    format!("http://{id}.execute-api.localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::local_api_url;

    #[test]
    fn local_api_url_points_to_localhost() {
        assert_eq!(
            local_api_url(
                "https://ab12.execute-api.us-east-1.amazonaws.com",
                "http://127.0.0.1:4600/"
            ),
            "http://ab12.execute-api.localhost:4600"
        );
    }
}
