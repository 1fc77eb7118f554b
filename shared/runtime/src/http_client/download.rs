//! Downloads of files: piece by piece, with a size limit, and with redirects, whose addresses are checked like
//! the first.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::client::{TIMEOUT, classify_error};
use super::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::security::check_url;
use trunkline_core::model::Media;

/// How many redirects a download follows.
const MAX_REDIRECTS: usize = 3;

/// The limits of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadLimits {
    /// The largest size, in bytes.
    pub bytes: u64,
    /// Maximum duration, redirects included.
    pub time: Duration,
}

/// The head of a response whose body was passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// The status. The body was passed on only if it is a success.
    pub status: StatusCode,
    pub headers: HeaderMap,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// There is no response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It took longer than the limit.
    #[error("the file did not arrive within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The file is larger than the limit.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// The download is redirected too often.
    #[error("the download was redirected more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
    /// The file cannot be stored.
    #[error("cannot store the file: {0}")]
    Store(#[from] std::io::Error),
}

impl HttpClient {
    /// Downloads a file. Each piece of a successful response's body is passed to `sink`.
    ///
    /// Redirects are followed to allowed addresses only. The headers of the request are not sent to another
    /// origin, because they can contain credentials.
    pub async fn download(
        &self,
        request: HttpRequest,
        limits: DownloadLimits,
        sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<Downloaded, DownloadError> {
        let download = self.download_pieces(request, limits, sink);
        match tokio::time::timeout(limits.time, download).await {
            Err(_) | Ok(Err(DownloadError::Http(HttpError::TimedOut))) => {
                Err(DownloadError::TimedOut(limits.time))
            }
            Ok(result) => result,
        }
    }

    async fn download_pieces(
        &self,
        request: HttpRequest,
        limits: DownloadLimits,
        sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<Downloaded, DownloadError> {
        let mut response = self.follow(request, limits.time).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        if !status.is_success() {
            return Ok(Downloaded { status, headers });
        }
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let announced = announced.and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
        let mut size = 0_u64;
        let mut check = |piece: u64| {
            size = size.saturating_add(piece);
            if size.max(announced) > limits.bytes {
                return Err(DownloadError::TooLarge(limits.bytes));
            }
            Ok(())
        };
        check(0)?;
        while let Some(piece) = response.chunk().await.map_err(|error| classify_error(&error))? {
            check(u64::try_from(piece.len()).unwrap_or(u64::MAX))?;
            sink(&piece)?;
        }
        Ok(Downloaded { status, headers })
    }

    /// Downloads a file into memory like [`HttpClient::download`], with the time limit of any other call.
    /// A body that is larger than `limit` is truncated to one byte more.
    async fn download_to_memory(
        &self,
        request: HttpRequest,
        limit: usize,
    ) -> Result<HttpResponse, DownloadError> {
        let mut response = self.follow(request, TIMEOUT).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (mut body, limit) = (Vec::new(), limit.saturating_add(1));
        while body.len() < limit {
            match response.chunk().await.map_err(|error| classify_error(&error))? {
                Some(piece) => {
                    let kept = piece.len().min(limit - body.len());
                    body.extend_from_slice(&piece[..kept]);
                }
                None => break,
            }
        }
        Ok(HttpResponse { status, headers, body })
    }

    /// Downloads a file of a message into memory, with at most one byte more than `limit`. `None`: it cannot be
    /// downloaded. Redirects are followed only from Trunkline's own links.
    pub async fn media_to_memory(
        &self,
        media: &Media,
        request: HttpRequest,
        limit: usize,
    ) -> Option<HttpResponse> {
        if media.file.is_some() {
            return self.download_to_memory(request, limit).await.ok();
        }
        self.send_with_limit(request, limit.saturating_add(1)).await.ok()
    }

    /// Sends a request and follows redirects.
    async fn follow(
        &self,
        mut request: HttpRequest,
        time: Duration,
    ) -> Result<reqwest::Response, DownloadError> {
        let end = Instant::now() + time;
        for _ in 0..=MAX_REDIRECTS {
            let url = check_url(&request.url, self.allows_local()).map_err(HttpError::from)?;
            let client = self.client().map_err(|error| HttpError::Malformed(error.to_string()))?;
            let call = client.request(request.method.clone(), url.clone());
            let left = end.saturating_duration_since(Instant::now());
            let call = call.headers(request.headers.clone()).timeout(left);
            let response = call.send().await.map_err(|error| classify_error(&error))?;
            let Some(next) = redirect(&url, &response) else { return Ok(response) };
            if next.origin() != url.origin() {
                request.headers.clear();
            }
            request.url = next.into();
        }
        Err(DownloadError::TooManyRedirects)
    }
}

/// Returns where a response redirects to; `None` if it does not.
fn redirect(url: &Url, response: &reqwest::Response) -> Option<Url> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| redirects)?;
    url.join(location.to_str().ok()?).ok()
}
