//! Relayed files, and the key that signs their links.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;

use super::events::{event_from_item, is_claim};
use super::item::{item, read, string_attribute};
use super::keys::{EVENT_PREFIX, FILE_KEY, FILE_SK, conversation_pk, file_pk};
use super::{Item, NEW, Store, StoreError};
use crate::files::SigningKey;
use trunkline_core::model::{ConversationKey, EventRecord, FileId, RelayedFile};

/// Number of events per page.
const PAGE: u16 = 100;

impl Store {
    /// Stores a new relayed file. Does nothing if it exists: its message was received again.
    pub async fn create_file(&self, file: &RelayedFile) -> Result<(), StoreError> {
        self.put_if(file_item(file)?, NEW).await.map(|_| ())
    }

    /// Returns a relayed file; `None` if it was erased or has expired.
    pub async fn file(&self, id: &FileId) -> Result<Option<RelayedFile>, StoreError> {
        let found = self.get(file_pk(id), FILE_SK.into()).await?;
        found.as_ref().map(read).transpose()
    }

    /// Updates a relayed file. Returns whether it still exists: it may have been erased.
    pub async fn update_file(&self, file: &RelayedFile) -> Result<bool, StoreError> {
        Ok(self.put_if(file_item(file)?, "attribute_exists(pk)").await?.is_written())
    }

    /// Returns the key that signs links; `None` if it was not created yet.
    pub async fn file_key(&self) -> Result<Option<SigningKey>, StoreError> {
        let Some(found) = self.get(FILE_KEY.into(), FILE_KEY.into()).await? else {
            return Ok(None);
        };
        let text: String = read(&found)?;
        let wrong = || StoreError::Corrupt {
            key: FILE_KEY.into(),
            cause: crate::error::Cause::new("it is not a key"),
        };
        SigningKey::from_text(&text).ok_or_else(wrong).map(Some)
    }

    /// Stores the key that signs links. Returns it, or the key that another worker stored first.
    pub async fn create_file_key(&self, key: SigningKey) -> Result<SigningKey, StoreError> {
        let new = item(FILE_KEY.into(), FILE_KEY.into(), &key.to_text())?;
        if self.put_if(new, NEW).await?.is_written() {
            return Ok(key);
        }
        self.file_key().await?.ok_or(StoreError::Conflict)
    }

    /// Returns the relayed files of a customer's events.
    pub async fn files_of(&self, key: &ConversationKey) -> Result<Vec<FileId>, StoreError> {
        let (pk, mut after, mut files) = (conversation_pk(key), None, Vec::new());
        loop {
            let page = self.list(&pk, EVENT_PREFIX, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(files) };
            after = Some(string_attribute(last, "sk").to_owned());
            for item in page.iter().filter(|item| !is_claim(item)) {
                files.extend(relayed_files(&event_from_item(item)?));
            }
        }
    }

    /// Deletes the relayed files of an event.
    pub(super) async fn erase_files(&self, record: &EventRecord) -> Result<(), StoreError> {
        let files = relayed_files(record);
        let deletions = files.iter().map(|id| self.delete(file_pk(id), FILE_SK.into()));
        try_join_all(deletions).await.map(|_| ())
    }
}

fn file_item(file: &RelayedFile) -> Result<Item, StoreError> {
    let mut item = item(file_pk(&file.id), FILE_SK.into(), file)?;
    let expires = file.expires_at.as_second().to_string();
    item.insert("expires".into(), AttributeValue::N(expires));
    Ok(item)
}

/// Returns the relayed files of an event's message.
fn relayed_files(record: &EventRecord) -> Vec<FileId> {
    let media = record.event.body.content().map_or(&[][..], |content| &content.media);
    media.iter().filter_map(|media| media.file.clone()).collect()
}
