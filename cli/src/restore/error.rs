//! Why a restored table cannot be copied.

use std::path::PathBuf;

use trunkline_runtime::error::Cause;

/// Error of copying a restored table. What was copied stays. The same command continues.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A table does not exist.
    #[error(
        "there is no table '{0}' in this account and region: restore one with `aws dynamodb \
         restore-table-to-point-in-time`, or correct --from (`aws dynamodb list-tables` lists them)"
    )]
    NoTable(String),
    /// The restored table is the stack's own.
    #[error(
        "'{0}' is the stack's own table: restore into another table, and name that one with --from"
    )]
    SameTable(String),
    /// A table is being created or changed.
    #[error(
        "the table '{table}' has the status {status}: wait with `aws dynamodb wait table-exists \
         --table-name {table}`, then run this again"
    )]
    NotActive { table: String, status: String },
    /// A table does not have the keys of Trunkline's.
    #[error(
        "the table '{table}' has the key {keys}, and a table of Trunkline has pk, sk: name a table \
         that was restored from a stack's table"
    )]
    OtherKey {
        table: String,
        /// The names of the key attributes.
        keys: String,
    },
    /// DynamoDB refuses a call or does not answer.
    #[error(
        "{call} on the table '{table}' failed: {cause}\nRun the same command again: it continues where \
         this one stopped."
    )]
    DynamoDb {
        /// The operation, such as `Scan`.
        call: &'static str,
        table: String,
        #[source]
        cause: Cause,
    },
    /// DynamoDB keeps answering only a part of a call.
    #[error(
        "the table '{0}' is overloaded: wait some minutes, then run the same command again. It continues \
         where this one stopped."
    )]
    Overloaded(String),
    /// A leg of the restored table is not in the format that Trunkline writes.
    #[error("cannot read a leg of the connection {connection} in the restored table: {cause}")]
    UnreadableLeg {
        /// The id of the connection.
        connection: String,
        #[source]
        cause: serde_json::Error,
    },
    /// The file with the progress cannot be read or written.
    #[error("{}: {cause}\nThe progress is in this file: make it readable and writable, or delete it to begin again.", path.display())]
    ProgressFile {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    /// The file with the progress is of another copy.
    #[error(
        "{} is the progress of another copy ({what}): finish that one with its own options, or delete the file to \
         begin this one",
        path.display()
    )]
    OtherCopy {
        path: PathBuf,
        /// What differs from this copy, in words.
        what: String,
    },
}
