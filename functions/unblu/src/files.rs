//! Reads customers' files as data URLs (RFC 2397), the form that Unblu accepts (UA4).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::sync::SemaphorePermit;
use trunkline_core::model::{Content, Media};
use trunkline_runtime::http_client::{HttpClient, HttpRequest, HttpResponse};
use trunkline_runtime::secrets::SecretBag;
use url::Url;

use crate::message_data::DataUrls;
use crate::settings::{MEDIA_HEADER, Settings};

/// The longest file name that is sent, in characters.
const MAX_NAME: usize = 200;
/// The largest number of files of a message that are read. Further ones are sent as links.
pub(crate) const MAX_FILES: usize = 10;
/// The largest sum of the files of a message that are read, in bytes, unless one file may be larger.
const MAX_SUM: usize = 10 * 1024 * 1024;
/// The memory that a file uses at most, as a multiple of its size: as bytes, and as a data URL in the message
/// and in the request.
const MEMORY_FACTOR: usize = 4;
/// How long the files of a message may take together. The message itself still has to be sent.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// Reads the files of a message. A file that exceeds a limit or cannot be read is left out. The permit is for
/// the memory that the files use until the message is sent.
pub(crate) async fn read<'a>(
    content: &Content,
    settings: &Settings,
    secrets: &SecretBag,
    http_client: &'a HttpClient,
) -> (DataUrls, Option<SemaphorePermit<'a>>) {
    let (mut files, mut memory) = (DataUrls::new(), None);
    let limit = settings.file_size_limit();
    let mut left = MAX_SUM.max(limit);
    let all = async {
        let media = &content.media[..content.media.len().min(MAX_FILES)];
        if media.is_empty() || limit == 0 {
            return;
        }
        let largest = left.min(limit.saturating_mul(media.len()));
        memory = http_client.reserve_memory(largest.saturating_mul(MEMORY_FACTOR)).await;
        for media in media {
            let request = request(media, settings, secrets);
            let answer = http_client.media_to_memory(media, request, limit.min(left)).await;
            let Some(answer) = answer.filter(|answer| answer.body.len() <= left) else { continue };
            if let Some(file) = data_url(media, &answer, settings) {
                left -= answer.body.len();
                files.insert(media.url.clone(), file);
            }
        }
    };
    // A file that was not read in time is sent as a link.
    let _ = tokio::time::timeout(READ_TIMEOUT, all).await;
    (files, memory)
}

fn request(media: &Media, settings: &Settings, secrets: &SecretBag) -> HttpRequest {
    let mut headers = HeaderMap::new();
    let url = Url::parse(&media.url).ok();
    if url.is_some_and(|url| url.host_str().is_some_and(|host| settings.trusts_host(host))) {
        for (name, value) in secrets.with_prefix(MEDIA_HEADER) {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
    }
    HttpRequest { method: Method::GET, url: media.url.clone(), headers, body: Vec::new() }
}

fn data_url(media: &Media, answer: &HttpResponse, settings: &Settings) -> Option<String> {
    let announced = answer.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    let size = answer.body.len().max(announced);
    if !answer.status.is_success() || size == 0 || size > settings.file_size_limit() {
        return None;
    }
    let declared = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = media.mime_type.as_deref().and_then(mime).or_else(|| declared.and_then(mime));
    let kind = kind.unwrap_or("application/octet-stream");
    Some(format!("data:{kind};base64,{}", STANDARD.encode(&answer.body)))
}

/// Returns a MIME type without its parameters; `None` if it is malformed.
fn mime(text: &str) -> Option<&str> {
    let essence = text.split(';').next()?.trim();
    let plain = |part: &str| {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c);
        !part.is_empty() && part.bytes().all(is_plain)
    };
    let (kind, subtype) = essence.split_once('/')?;
    (plain(kind) && plain(subtype)).then_some(essence)
}

/// Returns a file's name, or the last segment of its address.
pub(crate) fn file_name(media: &Media) -> String {
    let last = || {
        let url = Url::parse(&media.url).ok()?;
        url.path_segments()?.rfind(|part| !part.is_empty()).map(ToOwned::to_owned)
    };
    let whole = media.name.clone().or_else(last).unwrap_or_default();
    let own = whole.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = own.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    if kept.trim().is_empty() { "file".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;
    use trunkline_core::platform::BoundedNumber;

    use super::*;

    fn media(url: &str, kind: Option<&str>, name: Option<&str>) -> Media {
        Media {
            url: url.into(),
            mime_type: kind.map(Into::into),
            name: name.map(Into::into),
            ..Media::default()
        }
    }

    fn answer(status: u16, kind: &'static str, body: &[u8]) -> HttpResponse {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        HttpResponse { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    #[test]
    fn encodes_a_data_url_unless_the_file_is_too_large_or_missing() {
        let png = media("https://m.example/a.png", None, None);
        let small = Settings { max_file_bytes: BoundedNumber(4), ..Settings::default() };
        let read = |answer: &HttpResponse| data_url(&png, answer, &small);
        let expected = "data:image/png;base64,iVBORw==";
        let four = b"\x89PNG";
        assert_eq!(read(&answer(200, "image/png; q=1", four)).as_deref(), Some(expected));
        assert_eq!(read(&answer(200, "image/png", b"\x89PNG.")), None);
        assert_eq!(read(&answer(403, "image/png", four)), None);
        assert_eq!(read(&answer(200, "image/png", b"")), None);
        let mut announced = answer(200, "image/png", four);
        announced.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("9"));
        assert_eq!(read(&announced), None);
        let odd = read(&answer(200, "nonsense", four)).unwrap();
        assert!(odd.starts_with("data:application/octet-stream;base64,"), "{odd}");
    }

    #[test]
    fn rejects_files_that_may_be_truncated() {
        let large = Settings::default();
        let all = vec![0; large.file_size_limit() + 1];
        let any = media("https://m.example/a", None, None);
        assert!(data_url(&any, &answer(200, "a/b", &all), &large).is_none());
        assert!(data_url(&any, &answer(200, "a/b", &all[1..]), &large).is_some());
    }

    #[test]
    fn sends_secret_headers_to_trusted_hosts_only() {
        let settings = Settings { media_hosts: "m.example".into(), ..Settings::default() };
        let secrets = json!({"media_header:authorization": ["Bearer x"], "username": ["ada"]});
        let secrets = serde_json::from_value(secrets).unwrap();
        let headers = |url| request(&media(url, None, None), &settings, &secrets).headers;
        assert_eq!(headers("https://m.example/a")["authorization"], "Bearer x");
        for other in ["https://x.example/a", "https://m.example.x.example/", "nowhere"] {
            assert!(headers(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn file_names_have_no_path() {
        for (url, own, expected) in [
            ("https://m.example/x/a.png?b=c", None, "a.png"),
            ("https://m.example/", None, "file"),
            ("nowhere", None, "file"),
            ("https://m.example/a", Some("../../etc/passwd"), "passwd"),
            ("https://m.example/a", Some("C:\\x\\receipt.pdf"), "receipt.pdf"),
            ("https://m.example/a", Some(" \n"), "file"),
        ] {
            assert_eq!(file_name(&media(url, None, own)), expected);
        }
    }

    proptest! {
        #[test]
        fn encoding_never_panics(url in ".{0,60}", own in prop::option::of(".{0,300}"),
                                  kind in prop::option::of(".{0,30}"),
                                  body in prop::collection::vec(any::<u8>(), 1..60)) {
            let media = media(&url, kind.as_deref(), own.as_deref());
            prop_assert!(!file_name(&media).is_empty() && file_name(&media).chars().count() <= MAX_NAME);
            let data = data_url(&media, &answer(200, "a/b", &body), &Settings::default()).unwrap();
            let (kind, data) = data.split_once(";base64,").unwrap();
            prop_assert!(kind.starts_with("data:") && !kind.contains([',', ' ', ';']));
            prop_assert_eq!(STANDARD.decode(data).unwrap(), body);
        }
    }
}
