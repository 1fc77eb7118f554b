//! A customer's data: export and deletion.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use trunkline_core::model::AccessLevel;
use trunkline_runtime::store::ExportEntry;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::conversations::conversation_key;
use super::path::ConversationPath;
use crate::Console;
use crate::auth::Caller;
use crate::extract::{Path, Query};
use crate::paging::{Page, Paging};
use crate::problem::Problem;

/// A stored record of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerRecord {
    #[schema(schema_with = record_kind)]
    kind: &'static str,
    /// The record as it is stored.
    #[schema(value_type = Object)]
    data: Value,
}

/// Describes the kind of a record, which the store names.
fn record_kind() -> Object {
    let kinds = ["conversation", "event", "leg", "parked", "held"];
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(kinds)).build()
}

/// The result of a deletion.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerDeleted {
    /// The number of deleted events.
    events: usize,
}

/// Export all records of a customer on a channel.
#[utoipa::path(get, path = "/customers/{channel}/{customer}", tag = "conversations",
    params(ConversationPath,
        Paging),
    responses((status = 200, body = Page<CustomerRecord>)))]
pub async fn export(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Page<CustomerRecord>>, Problem> {
    caller.require(AccessLevel::Admin)?;
    let channel = path.channel.clone();
    let key = conversation_key(path)?;
    let (limit, after) = (paging.page_size()?, paging.decode_cursor::<String>()?);
    let (records, ended) = console.app.store.export(&key, after.as_deref(), limit).await?;
    if after.is_none() {
        caller.audit(&console.app, "customer.export", &channel, json!({})).await?;
    }
    let items = records.into_iter().map(|ExportEntry { kind, data }| CustomerRecord { kind, data });
    let items = items.collect();
    Ok(axum::Json(Page::with_cursor(items, ended.as_ref())))
}

/// Delete all records of a customer on a channel.
#[utoipa::path(delete, path = "/customers/{channel}/{customer}", tag = "conversations",
    params(ConversationPath),
    responses((status = 202, body = CustomerDeleted)))]
pub async fn delete(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
) -> Result<(StatusCode, axum::Json<CustomerDeleted>), Problem> {
    caller.require(AccessLevel::Admin)?;
    let channel = path.channel.clone();
    let key = conversation_key(path)?;
    let events = console.app.erase_customer(&key).await?;
    // Without the customer's id, which the deletion removes.
    caller.audit(&console.app, "customer.delete", &channel, json!({"events": events})).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(CustomerDeleted { events })))
}
