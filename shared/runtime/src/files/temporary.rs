//! A downloaded file on the function's disk. A file of 20 MB is never whole in memory.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use trunkline_core::model::FileId;

/// The file is larger than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is larger than {limit} bytes")]
pub struct FileTooLarge {
    /// The limit, in bytes.
    pub limit: u64,
}

/// A file without a name on the disk: it disappears when it is closed, also if the process is killed.
///
/// Reads and writes block. The disk of a function is local, and a block takes some microseconds.
#[derive(Debug)]
pub struct TemporaryFile {
    file: File,
    size: u64,
    limit: u64,
}

impl TemporaryFile {
    /// Creates an empty file that can grow to `limit` bytes.
    ///
    /// # Errors
    /// If the disk does not allow it.
    pub fn create(folder: &Path, id: &FileId, limit: u64) -> io::Result<Self> {
        let path = folder.join(format!("trunkline-{}", id.as_str().replace(['/', '\\'], "_")));
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self { file, size: 0, limit })
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The largest size in bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`FileTooLarge`] as the source of the error if the file would exceed its limit, otherwise that of
    /// the disk.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size > self.limit {
            return Err(io::Error::other(FileTooLarge { limit: self.limit }));
        }
        self.file.write_all(bytes)
    }

    /// Removes everything that was appended.
    ///
    /// # Errors
    /// If the disk does not allow it.
    pub fn clear(&mut self) -> io::Result<()> {
        self.size = 0;
        self.file.set_len(0)?;
        self.file.rewind()
    }

    /// Goes back to the start, to read the file.
    ///
    /// # Errors
    /// If the disk does not allow it.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()
    }

    /// Returns the whole content from the start.
    ///
    /// # Errors
    /// If the disk does not allow it.
    pub fn read_all(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.rewind()?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for TemporaryFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_is_limited_and_leaves_nothing() {
        let folder = std::env::temp_dir();
        let id = FileId::from("temporary-test.0");
        let mut file = TemporaryFile::create(&folder, &id, 5).unwrap();
        assert!(!folder.join("trunkline-temporary-test.0").exists());
        file.append(b"ab").unwrap();
        file.clear().unwrap();
        file.append(b"abc").unwrap();
        file.append(b"de").unwrap();
        let error = file.append(b"f").unwrap_err();
        assert!(error.to_string().contains("larger than 5 bytes"));
        assert_eq!(file.read_all().unwrap(), b"abcde");
    }
}
