//! Sends files to TWIN: uploaded if the connection can log in, otherwise as links (`TS` `POST files`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use trunkline_core::model::{Media, digest};
use trunkline_runtime::http_client::{HttpRequest, HttpResponse};

use crate::api::{Api, Body};
use crate::lenient_list::LenientList;
use crate::wire::Attachment;

/// How long the uploads of one message may take together. The remaining files are sent as links.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(8);
/// The largest file that is uploaded, in bytes. A larger one is sent as a link.
const MAX_FILE: usize = 5 * 1024 * 1024;

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
    for file in media {
        if let Ok(Some(id)) = tokio::time::timeout_at(end, upload(api, file)).await {
            uploaded.ids.push(id);
        } else {
            tracing::warn!(connection = %api.connection.id, "cannot upload a file: sending a link instead");
            uploaded.links.push(file.clone());
        }
    }
    uploaded
}

async fn upload(api: &Api<'_>, file: &Media) -> Option<String> {
    let source = HttpRequest {
        method: Method::GET,
        url: file.url.clone(),
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    let source =
        api.http_client.send_with_limit(source, MAX_FILE + 1).await.ok().filter(is_whole)?;
    let declared = source.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = file.mime_type.as_deref().or(declared).unwrap_or("application/octet-stream");
    let boundary = boundary(&source.body);
    let body = multipart(&boundary, &file_name(file), kind, &source.body);
    let form = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    let url = api.settings.files_url();
    let answer = api.authenticated(Method::POST, url, Body::of(form, body)).await.ok()?;
    let stored: Value = serde_json::from_slice(&answer.body).ok()?;
    // A list, or a page with `items` as TWIN's other lists are.
    let listed = stored.get("items").cloned().unwrap_or(stored);
    let stored: LenientList<Attachment> = serde_json::from_value(listed).ok()?;
    let id = stored.0.first()?.id.non_blank()?.to_owned();
    answer.status.is_success().then_some(id)
}

fn is_whole(answer: &HttpResponse) -> bool {
    answer.status.is_success() && !answer.body.is_empty() && answer.body.len() <= MAX_FILE
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
    format!("trunkline-{}", digest(&[&String::from_utf8_lossy(content)]))
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
