//! The bucket of relayed files, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use http::Method;
use jiff::Timestamp;
use trunkline_core::model::FileId;
use trunkline_runtime::files::{
    FilePresentation, FileStore, FileStoreError, PRESIGNED_LIFETIME, TemporaryFile,
};

/// A file in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub content: Vec<u8>,
    pub mime_type: String,
}

/// A bucket in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(Arc<Mutex<HashMap<FileId, StoredFile>>>);

impl MemoryFiles {
    /// Returns a file by its id.
    pub fn stored(&self, id: &FileId) -> Option<StoredFile> {
        self.0.lock().unwrap().get(id).cloned()
    }

    /// Returns the number of files.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Downloads a file from a presigned URL, as a browser does at `now`. `None`: the URL has expired, or the
    /// file does not exist.
    pub fn get(&self, url: &str, now: Timestamp) -> Option<StoredFile> {
        let (_, rest) = url.split_once("://files.test/")?;
        let (id, expires) = rest.split_once("?expires=")?;
        let expires: i64 = expires.split('&').next()?.parse().ok()?;
        self.stored(&id.into()).filter(|_| now.as_second() < expires)
    }
}

impl FileStore for MemoryFiles {
    fn put<'a>(
        &'a self,
        id: &'a FileId,
        content: TemporaryFile,
        mime_type: &'a str,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>> {
        let file =
            StoredFile { content: content.read_all().unwrap(), mime_type: mime_type.to_owned() };
        self.0.lock().unwrap().insert(id.clone(), file);
        Box::pin(std::future::ready(Ok(())))
    }

    fn delete<'a>(
        &'a self,
        id: &'a FileId,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>> {
        self.0.lock().unwrap().remove(id);
        Box::pin(std::future::ready(Ok(())))
    }

    fn presigned_url(
        &self,
        id: &FileId,
        _: &Method,
        presentation: &FilePresentation,
        now: Timestamp,
    ) -> Result<String, FileStoreError> {
        let expires = (now + PRESIGNED_LIFETIME).as_second();
        Ok(format!("https://files.test/{id}?expires={expires}&type={}", presentation.mime_type))
    }
}
