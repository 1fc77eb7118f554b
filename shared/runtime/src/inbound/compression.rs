//! Decompresses request bodies, up to a maximum size.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::CallOutcome;

/// Why a body cannot be decompressed. Permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CompressionError {
    /// The body is compressed in this way.
    #[error("Content-Encoding {0} is not supported: send gzip, deflate or none")]
    Unsupported(String),
    /// The body is not what its `Content-Encoding` says.
    #[error("the body is not {0}, although its Content-Encoding says so")]
    Corrupt(&'static str),
    /// The decompressed body exceeds the maximum, in bytes.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
}

impl CompressionError {
    /// Returns the outcome from which the platform builds its response.
    pub(super) fn outcome(&self) -> CallOutcome<'_> {
        match self {
            Self::Unsupported(encoding) => CallOutcome::UnsupportedEncoding(encoding),
            Self::Corrupt(_) => CallOutcome::Unreadable("the body cannot be decompressed"),
            Self::TooLarge(_) => CallOutcome::TooLarge,
        }
    }
}

/// Decompresses `body` as its `Content-Encoding` says, to at most `maximum` bytes.
pub(super) fn decompress<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    maximum: usize,
) -> Result<Cow<'a, [u8]>, CompressionError> {
    let named = headers.get_all(CONTENT_ENCODING).iter();
    let named = named.flat_map(|value| value.to_str().unwrap_or("?").split(','));
    let named = named
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    let encodings: Vec<_> = named.map(str::to_ascii_lowercase).collect();
    match encodings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] if body.len() > maximum => Err(CompressionError::TooLarge(maximum)),
        [] => Ok(Cow::Borrowed(body)),
        ["gzip" | "x-gzip"] => read(GzDecoder::new(body), "gzip", maximum),
        // `deflate` is zlib's format (RFC 9110, 8.4.1.2). Some senders leave out its header.
        ["deflate"] => {
            read(ZlibDecoder::new(body), "deflate", maximum).or_else(|error| match error {
                CompressionError::Corrupt(_) => read(DeflateDecoder::new(body), "deflate", maximum),
                other => Err(other),
            })
        }
        _ => Err(CompressionError::Unsupported(encodings.join(", "))),
    }
}

fn read<'a>(
    decoder: impl Read,
    encoding: &'static str,
    maximum: usize,
) -> Result<Cow<'a, [u8]>, CompressionError> {
    let mut body = Vec::new();
    let limit = u64::try_from(maximum).unwrap_or(u64::MAX).saturating_add(1);
    let read = decoder.take(limit).read_to_end(&mut body);
    if body.len() > maximum {
        return Err(CompressionError::TooLarge(maximum));
    }
    read.map(|_| Cow::Owned(body)).map_err(|_| CompressionError::Corrupt(encoding))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::bufread::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (CONTENT_ENCODING, value.parse().unwrap())).collect()
    }

    fn all(mut encoder: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoder.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Shows input 12.
    #[test]
    fn decompresses_what_the_header_names() {
        let (text, level) = (&b"{\"id\":1}"[..], Compression::best());
        let zlib = all(ZlibEncoder::new(text, level));
        for (encoding, body) in [
            (&["gzip"][..], all(GzEncoder::new(text, level))),
            (&["X-GZIP"], all(GzEncoder::new(text, level))),
            (&["identity", "gzip"], all(GzEncoder::new(text, level))),
            (&["deflate"], zlib.clone()),
            (&["deflate"], all(DeflateEncoder::new(text, level))),
            (&[], text.to_vec()),
            (&["identity"], text.to_vec()),
        ] {
            let read = decompress(&headers(encoding), &body, 100).unwrap();
            assert_eq!(&*read, text, "{encoding:?}");
        }
        let corrupt = decompress(&headers(&["gzip"]), text, 100).unwrap_err();
        assert_eq!(corrupt, CompressionError::Corrupt("gzip"));
        let cut = decompress(&headers(&["deflate"]), &zlib[..zlib.len() - 1], 100);
        assert!(cut.is_err(), "{cut:?}");
        for unsupported in [&["br"][..], &["gzip, gzip"], &["gzip", "br"], &["\u{e9}"]] {
            let error = decompress(&headers(unsupported), text, 100).unwrap_err();
            assert!(matches!(error, CompressionError::Unsupported(_)), "{unsupported:?}");
        }
    }

    #[test]
    fn stops_at_the_maximum() {
        let zeros = vec![0; 50 << 20];
        let bomb = all(GzEncoder::new(&zeros[..], Compression::best()));
        assert!(bomb.len() < 100_000);
        assert_eq!(
            decompress(&headers(&["gzip"]), &bomb, 1_000),
            Err(CompressionError::TooLarge(1_000))
        );
        let small = all(GzEncoder::new(&zeros[..1_000], Compression::best()));
        let fits = decompress(&headers(&["gzip"]), &small, 1_000);
        assert_eq!(fits.unwrap().len(), 1_000);
        assert_eq!(
            decompress(&headers(&[]), &zeros, 1_000),
            Err(CompressionError::TooLarge(1_000))
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200), gzip: bool) {
            let encoding = if gzip { "gzip" } else { "deflate" };
            let _ = decompress(&headers(&[encoding]), &body, 50);
        }
    }
}
