//! The platform's private files: each URL has a script of answers.

use std::collections::{HashMap, VecDeque};

use trunkline_runtime::files::TemporaryFile;
use trunkline_runtime::outbound::{FetchedFile, FileError};

/// How the platform answers the download of a private file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileReply {
    /// With status 200 and this file.
    Content(Vec<u8>),
    /// With an HTTP status.
    Status(u16),
    /// Not within the time limit.
    Silent,
}

/// The private files of the platform.
#[derive(Debug, Default)]
pub(super) struct PrivateFiles {
    replies: HashMap<String, VecDeque<FileReply>>,
    downloads: Vec<String>,
}

impl PrivateFiles {
    /// Adds a reply to the downloads of a URL. The last one stays.
    pub(super) fn add(&mut self, url: &str, reply: FileReply) {
        self.replies.entry(url.to_owned()).or_default().push_back(reply);
    }

    /// Returns how often a URL was downloaded.
    pub(super) fn downloads(&self, url: &str) -> usize {
        self.downloads.iter().filter(|known| *known == url).count()
    }

    pub(super) fn take(&mut self, url: &str) -> FileReply {
        self.downloads.push(url.to_owned());
        let replies = self.replies.entry(url.to_owned()).or_default();
        match replies.len() {
            0 => FileReply::Status(404),
            1 => replies[0].clone(),
            _ => replies.pop_front().unwrap(),
        }
    }
}

/// Answers a download.
pub(super) fn reply(
    reply: FileReply,
    content: &mut TemporaryFile,
) -> Result<FetchedFile, FileError> {
    match reply {
        FileReply::Content(bytes) => {
            content.append(&bytes)?;
            Ok(FetchedFile { mime_type: None })
        }
        FileReply::Status(status) => {
            Err(FileError::of_status(http::StatusCode::from_u16(status).unwrap()))
        }
        FileReply::Silent => Err(FileError::Unavailable("no answer".into())),
    }
}
