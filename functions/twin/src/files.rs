//! Files to TWIN: uploaded where somebody is logged in, or else as links (`TS` `POST files`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use trunkline_shared::http_client::{Answer, Request};
use trunkline_shared::model::{Media, digest};

use crate::api::{Api, Body};
use crate::lenient::Many;
use crate::wire::Attachment;

/// How long all files of a message may take. What is not there by then is sent as a link.
const PATIENCE: Duration = Duration::from_secs(8);
/// The largest file that is uploaded, in bytes; a larger one is sent as a link.
const MAX_FILE: usize = 5 * 1024 * 1024;

/// What became of a message's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The ids of those that TWIN has now.
    pub(crate) ids: Vec<String>,
    /// The others.
    pub(crate) links: Vec<Media>,
}

/// Gives TWIN the files, as far as that goes. A link is better than a message that waits for a file.
pub(crate) async fn place(api: &Api<'_>, media: &[Media]) -> Placed {
    let mut placed = Placed::default();
    if media.is_empty() || !api.has_credentials() {
        placed.links = media.to_vec();
        return placed;
    }
    let end = tokio::time::Instant::now() + PATIENCE;
    for file in media {
        if let Ok(Some(id)) = tokio::time::timeout_at(end, upload(api, file)).await {
            placed.ids.push(id);
        } else {
            tracing::warn!(connection = %api.connection.id, "a file is sent as a link");
            placed.links.push(file.clone());
        }
    }
    placed
}

async fn upload(api: &Api<'_>, file: &Media) -> Option<String> {
    let source = Request {
        method: Method::GET,
        url: file.url.clone(),
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    let source = api.outside.fetch(source, MAX_FILE + 1).await.ok().filter(is_whole)?;
    let told = source.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = file.mime_type.as_deref().or(told).unwrap_or("application/octet-stream");
    let boundary = boundary(&source.body);
    let body = multipart(&boundary, &name(file), kind, &source.body);
    let form = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    let url = api.settings.files_url();
    let answer = api.logged_in(Method::POST, url, Body::of(form, body)).await.ok()?;
    let stored: Value = serde_json::from_slice(&answer.body).ok()?;
    // A list; or a page of one, as TWIN's other lists are.
    let listed = stored.get("items").cloned().unwrap_or(stored);
    let stored: Many<Attachment> = serde_json::from_value(listed).ok()?;
    let id = stored.0.first()?.id.some()?.to_owned();
    answer.status.is_success().then_some(id)
}

fn is_whole(answer: &Answer) -> bool {
    answer.status.is_success() && !answer.body.is_empty() && answer.body.len() <= MAX_FILE
}

/// A file's name: its own, or its address's last part.
pub(crate) fn name(file: &Media) -> String {
    let of_url = || {
        let path = file.url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("file").to_owned()
    };
    file.name.clone().unwrap_or_else(of_url)
}

/// What separates the parts: the content's own digest, which cannot stand in it.
fn boundary(content: &[u8]) -> String {
    format!("trunkline-{}", digest(&[&String::from_utf8_lossy(content)]))
}

/// A form with one file, in the part that TWIN names `file[]` (`TS`).
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
    fn names_come_from_addresses_where_there_are_none() {
        let at = |url: &str| name(&Media { url: url.into(), mime_type: None, name: None });
        assert_eq!(at("https://f.example/a/b.png?x=1/2"), "b.png");
        assert_eq!(at("https://f.example/a/"), "a");
        assert_eq!(at(""), "file");
    }

    proptest! {
        #[test]
        fn a_form_has_one_part_whatever_is_in_it(
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
