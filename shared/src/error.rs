//! The internal errors that every pipeline shares.

use crate::queue::QueueError;
use crate::secrets::SecretsError;
use crate::store::StoreError;

/// A failure of the table, a queue or the secrets: an internal error, not the caller's fault.
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
                matches!(error, QueueError::Unavailable { .. } | QueueError::Tasks(_))
            }
            Self::Secrets(error) => matches!(error, SecretsError::Unavailable { .. }),
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
