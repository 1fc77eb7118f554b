//! The internal errors that every pipeline shares.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::error::DisplayErrorContext;

use crate::files::FileStoreError;
use crate::queue::QueueError;
use crate::secrets::SecretsError;
use crate::store::StoreError;

/// The error behind an internal error. It is shared, so that internal errors can be cloned.
#[derive(Debug, Clone)]
pub struct Cause {
    error: Arc<dyn Error + Send + Sync>,
    text: String,
}

impl Cause {
    /// Wraps an error that describes itself.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = error.into();
        Self { text: error.to_string(), error: Arc::from(error) }
    }

    /// Wraps an error of the AWS SDK, whose own text does not contain its sources.
    pub fn sdk(error: impl Error + Send + Sync + 'static) -> Self {
        Self { text: DisplayErrorContext(&error).to_string(), error: Arc::new(error) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

/// A failure of the table, a queue, the secrets or the bucket: an internal error, not the caller's fault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackendError {
    /// The DynamoDB table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of the SQS queues.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The connections' secrets in SSM.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The bucket of relayed files.
    #[error(transparent)]
    Files(#[from] FileStoreError),
}

impl BackendError {
    /// Whether a retry can succeed without a change by an operator.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => {
                matches!(error, StoreError::Unavailable { .. } | StoreError::Conflict)
            }
            Self::Queue(error) => {
                matches!(error, QueueError::Unavailable { .. } | QueueError::Tasks { .. })
            }
            Self::Secrets(error) => matches!(error, SecretsError::Unavailable { .. }),
            Self::Files(error) => error.is_retryable(),
        }
    }
}

/// Converts the errors of the table, the queues and the secrets into an error type with a variant
/// `Backend(BackendError)`, so that `?` needs no second step.
#[macro_export]
macro_rules! from_backend_errors {
    ($error:ty) => {
        $crate::from_backend_errors!($error: $crate::error::BackendError);
        $crate::from_backend_errors!($error: $crate::store::StoreError);
        $crate::from_backend_errors!($error: $crate::queue::QueueError);
        $crate::from_backend_errors!($error: $crate::secrets::SecretsError);
    };
    ($error:ty: $source:ty) => {
        impl From<$source> for $error {
            fn from(source: $source) -> Self {
                Self::Backend(source.into())
            }
        }
    };
}
