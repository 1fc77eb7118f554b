//! Sends files to TWIN: uploaded if the connection can log in, otherwise as links (`TS` `POST files`).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use trunkline_core::json;
use trunkline_core::model::{Media, Verdict};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::outbound::{Classification, FileContext, FileError};

use crate::api::{Api, Body};
use crate::lenient_list::LenientList;
use crate::login::{Tokens, has_credentials};
use crate::settings::Settings;
use crate::wire::Attachment;

/// How long the uploads of one message may take together. The remaining files are sent as links.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(8);
/// The largest file that is uploaded, in bytes. A larger one is sent as a link.
const MAX_FILE: usize = 5 * 1024 * 1024;
/// The largest number of files of a message that are uploaded. Further ones are sent as links.
const MAX_FILES: usize = 10;
/// The largest sum of the files of a message that are uploaded, in bytes.
const MAX_SUM: usize = 10 * 1024 * 1024;
/// The memory that a file uses at most, as a multiple of its size: as bytes, and in the form and its copies.
const MEMORY_FACTOR: usize = 4;

/// A message's files: the uploaded ones and the ones sent as links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UploadedFiles {
    /// TWIN's ids of the uploaded files.
    pub(crate) ids: Vec<String>,
    /// The files that were not uploaded.
    pub(crate) links: Vec<Media>,
}

/// Uploads the files that can be uploaded. A file that fails is sent as a link, so that the message does
/// not have to wait for it.
pub(crate) async fn upload_all(api: &Api<'_>, media: &[Media]) -> UploadedFiles {
    let mut uploaded = UploadedFiles::default();
    if media.is_empty() || !api.has_credentials() {
        uploaded.links = media.to_vec();
        return uploaded;
    }
    let end = tokio::time::Instant::now() + UPLOAD_TIMEOUT;
    let mut left = MAX_SUM;
    for (index, file) in media.iter().enumerate() {
        if index < MAX_FILES
            && let Ok(Some((id, size))) =
                tokio::time::timeout_at(end, upload(api, file, left)).await
        {
            uploaded.ids.push(id);
            left = left.saturating_sub(size);
        } else {
            tracing::warn!(connection = %api.connection.id, "cannot upload a file: sending a link instead");
            uploaded.links.push(file.clone());
        }
    }
    uploaded
}

/// Uploads a file of at most `left` bytes. Returns its id and its size.
async fn upload(api: &Api<'_>, file: &Media, left: usize) -> Option<(String, usize)> {
    let limit = MAX_FILE.min(left);
    let _memory = api.http_client.reserve_memory(limit.saturating_mul(MEMORY_FACTOR)).await;
    let source = HttpRequest {
        method: Method::GET,
        url: file.url.clone(),
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    let source = api.http_client.media_to_memory(file, source, limit).await;
    let source = source.filter(|answer| is_whole(answer, limit))?;
    let declared = source.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = file.mime_type.as_deref().or(declared).unwrap_or("application/octet-stream");
    let boundary = boundary(&source.body);
    let body = multipart(&boundary, &file_name(file), kind, &source.body);
    let form = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    let url = api.settings.files_url();
    let answer = api.authenticated(Method::POST, url, Body::of(form, body)).await.ok()?;
    let stored: Value = json::from_slice(&answer.body).ok()?;
    // A list, or a page with `items` as TWIN's other lists are.
    let listed = stored.get("items").cloned().unwrap_or(stored);
    let stored: LenientList<Attachment> = serde_json::from_value(listed).ok()?;
    let id = stored.0.first()?.id.non_blank()?.to_owned();
    answer.status.is_success().then_some((id, source.body.len()))
}

fn is_whole(answer: &HttpResponse, limit: usize) -> bool {
    answer.status.is_success() && !answer.body.is_empty() && answer.body.len() <= limit
}

/// Returns the download of a private file. Only TWIN's file API receives the login. Without a login the file is
/// tried as it is.
pub(crate) async fn request(
    context: &FileContext<'_, Settings>,
    tokens: &Tokens,
    http_client: &HttpClient,
    url: &str,
) -> Result<HttpRequest, FileError> {
    let FileContext { connection, settings, secrets, now, .. } = *context;
    let mut headers = HeaderMap::new();
    if is_own(settings, url) && has_credentials(secrets) {
        let bearer = tokens.bearer(connection, settings, secrets, http_client, now).await;
        let bearer = bearer.map_err(|error| {
            let Classification { verdict, .. } = (&error).into();
            let reason = error.to_string();
            if verdict == Verdict::Retryable {
                FileError::Unavailable(reason)
            } else {
                FileError::Refused(reason)
            }
        })?;
        headers.insert(header::AUTHORIZATION, bearer);
    }
    Ok(HttpRequest { method: Method::GET, url: url.to_owned(), headers, body: Vec::new() })
}

/// Returns whether a URL has the origin of TWIN's file API.
fn is_own(settings: &Settings, url: &str) -> bool {
    let origin = |url: &str| url::Url::parse(url).ok().map(|url| url.origin());
    origin(url).is_some_and(|own| Some(own) == origin(&settings.files_url()))
}

/// Returns a file's name, or the last segment of its address.
pub(crate) fn file_name(file: &Media) -> String {
    let of_url = || {
        let path = file.url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("file").to_owned()
    };
    file.name.clone().unwrap_or_else(of_url)
}

/// Returns the boundary: a digest of the content, which therefore cannot contain it.
fn boundary(content: &[u8]) -> String {
    format!("trunkline-{}", URL_SAFE_NO_PAD.encode(Sha256::digest(content)))
}

/// Encodes a form with one file in the part `file[]`, the name that TWIN expects (`TS`).
fn multipart(boundary: &str, name: &str, kind: &str, content: &[u8]) -> Vec<u8> {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_control() || c == '"' || c == '\\' { '_' } else { c })
            .collect()
    };
    let mut form = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file[]\"; filename=\"{}\"\r\n\
         Content-Type: {}\r\n\r\n",
        plain(name),
        plain(kind)
    )
    .into_bytes();
    form.extend_from_slice(content);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    form
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn file_names_default_to_the_last_url_segment() {
        let at = |url: &str| {
            file_name(&Media { url: url.into(), mime_type: None, name: None, ..Media::default() })
        };
        assert_eq!(at("https://f.example/a/b.png?x=1/2"), "b.png");
        assert_eq!(at("https://f.example/a/"), "a");
        assert_eq!(at(""), "file");
    }

    proptest! {
        #[test]
        fn a_form_has_exactly_one_part(
            name in ".{0,40}", content in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let boundary = boundary(&content);
            let form = multipart(&boundary, &name, "image/png", &content);
            let head = form.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let tail = form.len() - (boundary.len() + 8);
            prop_assert_eq!(&form[head..tail], &content[..]);
            let head = String::from_utf8_lossy(&form[..head]).into_owned();
            prop_assert_eq!(head.matches("\r\n").count(), 4);
        }
    }
}
