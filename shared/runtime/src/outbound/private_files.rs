//! The private files of other platforms, at the platform that sent them: requests, results and errors.

use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;

use super::EncodeError;
use crate::files::{FileTooLarge, TemporaryFile};
use crate::http_client::{
    DownloadError, DownloadLimits, Downloaded, HttpClient, HttpError, HttpRequest,
};
use crate::secrets::SecretBag;
use trunkline_core::model::Connection;

/// What a platform needs to fetch a private file.
#[derive(Debug)]
pub struct FileContext<'a, S> {
    /// The connection that sent the file.
    pub connection: &'a Connection,
    /// The connection's settings.
    pub settings: &'a S,
    pub secrets: &'a SecretBag,
    /// The largest size, in bytes.
    pub limit: u64,
    /// How long the download may take.
    pub time: Duration,
    pub now: Timestamp,
}

impl<S> Clone for FileContext<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for FileContext<'_, S> {}

/// What is known about a fetched file besides its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchedFile {
    /// The type that the response names.
    pub mime_type: Option<String>,
}

/// Why a file was not fetched. The text is for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A further attempt has the same result.
    #[error("{0}")]
    Refused(String),
    /// A further attempt may succeed.
    #[error("{0}")]
    Unavailable(String),
}

impl FileError {
    /// Whether a further attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Returns the error for a response that is not the file.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let reason = format!("the platform answered {status} to the download");
        let retryable = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::LOCKED,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if status.is_server_error() || retryable.contains(&status) {
            Self::Unavailable(reason)
        } else {
            Self::Refused(reason)
        }
    }
}

impl From<EncodeError> for FileError {
    fn from(error: EncodeError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        match error.get_ref().and_then(|source| source.downcast_ref::<FileTooLarge>()) {
            Some(too_large) => Self::Refused(too_large.to_string()),
            None => Self::Unavailable(format!("cannot store the file: {}", error.kind())),
        }
    }
}

impl From<DownloadError> for FileError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Http(HttpError::Blocked(_) | HttpError::Malformed(_))
            | DownloadError::TooLarge(_)
            | DownloadError::TooManyRedirects => Self::Refused(error.to_string()),
            DownloadError::Http(_) | DownloadError::TimedOut(_) => {
                Self::Unavailable(error.to_string())
            }
            DownloadError::Store(error) => error.into(),
        }
    }
}

/// Downloads a file into `content`. `not_ready` are statuses after which a further attempt may succeed.
///
/// # Errors
/// If the response is not the file.
pub async fn download_file(
    http_client: &HttpClient,
    request: HttpRequest,
    time: Duration,
    not_ready: &[StatusCode],
    content: &mut TemporaryFile,
) -> Result<FetchedFile, FileError> {
    let limits = DownloadLimits { bytes: content.limit(), time };
    content.clear()?;
    let mut append = |piece: &[u8]| content.append(piece);
    let Downloaded { status, headers } = http_client.download(request, limits, &mut append).await?;
    if not_ready.contains(&status) {
        return Err(FileError::Unavailable(FileError::of_status(status).to_string()));
    }
    if !status.is_success() {
        return Err(FileError::of_status(status));
    }
    let mime_type = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    Ok(FetchedFile { mime_type: mime_type.map(ToOwned::to_owned) })
}
