//! The web pages, embedded in the program.

use std::sync::LazyLock;

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode, header};
use lambda_http::RequestExt;
use rust_embed::Embed;
use trunkline_core::model::digest;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Content security policy: same origin only, no inline code, no framing.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                   img-src 'self' data:; connect-src 'self'; form-action 'none'; \
                   base-uri 'none'; frame-ancestors 'none'";

static VERSION_FOLDER: LazyLock<String> = LazyLock::new(version_folder);

/// Returns `v-<digest of all files>`: the folder changes whenever a file changes.
fn version_folder() -> String {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    let files = names.iter().filter_map(|name| Some((name, Assets::get(name)?)));
    let parts = files.flat_map(|(name, file)| {
        let hash = URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash());
        [name.to_string(), hash]
    });
    let parts: Vec<String> = parts.collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    format!("v-{}", &digest(&parts)[..16])
}

/// Serves `index.html`. Its URLs get the version folder, so that browsers may cache the files permanently. The
/// URLs are absolute paths, because not every gateway keeps the slash at the end of `/console/`. They begin with the
/// API's stage if the browser's URL does.
pub(crate) async fn index(request: Request) -> Response {
    let page = Assets::get("index.html").map(|file| file.data).unwrap_or_default();
    let page = String::from_utf8_lossy(&page).into_owned();
    let path = request.raw_http_path();
    let stage = path.split_once("/console").map_or("", |(before, _)| before);
    let page = prefix_asset_urls(&page, &format!("{stage}/console/{}/", *VERSION_FOLDER));
    with_headers(page.into_response(), "text/html; charset=utf-8", "no-cache")
}

fn prefix_asset_urls(page: &str, folder: &str) -> String {
    [" href=\"", " src=\""].iter().fold(page.to_owned(), |page, attribute| {
        let mut parts = page.split(attribute);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |before, part| {
            let folder = if part.starts_with('#') { "" } else { folder };
            before + attribute + folder + part
        })
    })
}

/// Serves a file, with or without a version folder in its path.
pub(crate) async fn file(Path(path): Path<String>) -> Response {
    let rest = path.split_once('/').filter(|(folder, _)| folder.starts_with("v-"));
    let (name, cache_control) = match rest {
        Some((_, name)) => (name, "public, max-age=31536000, immutable"),
        None => (path.as_str(), "no-cache"),
    };
    let content_type = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    match Assets::get(name) {
        Some(file) => {
            with_headers(file.data.into_owned().into_response(), content_type, cache_control)
        }
        None => with_headers(StatusCode::NOT_FOUND.into_response(), content_type, "no-store"),
    }
}

fn with_headers(
    mut response: Response,
    content_type: &'static str,
    cache_control: &'static str,
) -> Response {
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache_control),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_file_urls_get_the_version_folder() {
        let page = r##"<a href="#/x"></a><link href="a.css"><script src="b.js"></script>"##;
        let prefixed =
            r##"<a href="#/x"></a><link href="/s/a.css"><script src="/s/b.js"></script>"##;
        assert_eq!(prefix_asset_urls(page, "/s/"), prefixed);
        assert!(VERSION_FOLDER.starts_with("v-") && VERSION_FOLDER.len() == 18);
    }

    /// The path that the browser asked for has the stage, unless the API has a domain of its own.
    #[tokio::test]
    async fn file_urls_begin_with_the_stage_of_the_page() {
        for (asked, folder) in [("/prod/console", "/prod/console/v-"), ("/console", "/console/v-")]
        {
            let request = http::Request::get("/console").body(axum::body::Body::empty()).unwrap();
            let response = index(request.with_raw_http_path(asked)).await;
            let page = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
            let page = String::from_utf8(page.to_vec()).unwrap();
            assert!(page.contains(&format!(" src=\"{folder}")), "{asked}: {page}");
        }
    }
}
