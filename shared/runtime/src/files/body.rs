//! The body of an upload, read from the disk block by block.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::TemporaryFile;

/// The size of a block, in bytes.
const BLOCK: usize = 64 * 1024;

/// The content of a file as a body of known length.
#[derive(Debug)]
pub struct FileBody {
    file: TemporaryFile,
    left: u64,
}

impl FileBody {
    /// Creates a body from the whole file.
    ///
    /// # Errors
    /// If the disk does not allow it.
    pub fn new(mut file: TemporaryFile) -> io::Result<Self> {
        file.rewind()?;
        let left = file.size();
        Ok(Self { file, left })
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let body = self.get_mut();
        if body.left == 0 {
            return Poll::Ready(None);
        }
        let mut block = vec![0; BLOCK];
        let read = match body.file.read(&mut block) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(read),
            Err(error) => Err(error),
        };
        Poll::Ready(Some(read.map(|read| {
            body.left = body.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
            block.truncate(read);
            Frame::data(block.into())
        })))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
