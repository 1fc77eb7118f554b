//! The pages, as they are in this program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode, Uri, header};
use rust_embed::Embed;
use trunkline_shared::model::digest;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Nothing from elsewhere, nothing inline, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'none'; \
                      base-uri 'none'; frame-ancestors 'none'";

static FOLDER: LazyLock<String> = LazyLock::new(folder);

fn folder() -> String {
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

/// The page names its files below a folder that changes with them, so that browsers may keep them, and
/// by their whole path, for not every gateway leaves a slash at the end of ours.
pub(crate) async fn page(uri: Uri) -> Response {
    let page = Assets::get("index.html").map(|file| file.data).unwrap_or_default();
    let page = String::from_utf8_lossy(&page).into_owned();
    let stage = uri.path().split_once("/console").map_or("", |(before, _)| before);
    let page = named_below(&page, &format!("{stage}/console/{}/", *FOLDER));
    dressed(page.into_response(), "text/html; charset=utf-8", "no-cache")
}

fn named_below(page: &str, folder: &str) -> String {
    [" href=\"", " src=\""].iter().fold(page.to_owned(), |page, attribute| {
        let mut parts = page.split(attribute);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |before, part| {
            let folder = if part.starts_with('#') { "" } else { folder };
            before + attribute + folder + part
        })
    })
}

pub(crate) async fn file(Path(path): Path<String>) -> Response {
    let rest = path.split_once('/').filter(|(folder, _)| folder.starts_with("v-"));
    let (name, keep) = match rest {
        Some((_, name)) => (name, "public, max-age=31536000, immutable"),
        None => (path.as_str(), "no-cache"),
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    match Assets::get(name) {
        Some(file) => dressed(file.data.into_owned().into_response(), kind, keep),
        None => dressed(StatusCode::NOT_FOUND.into_response(), kind, "no-store"),
    }
}

fn dressed(mut response: Response, kind: &'static str, keep: &'static str) -> Response {
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, keep),
        (header::CONTENT_SECURITY_POLICY, POLICY),
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
    fn only_files_are_named_below_the_folder() {
        let page = r##"<a href="#/x"></a><link href="a.css"><script src="b.js"></script>"##;
        let named = r##"<a href="#/x"></a><link href="/s/a.css"><script src="/s/b.js"></script>"##;
        assert_eq!(named_below(page, "/s/"), named);
        assert!(FOLDER.starts_with("v-") && FOLDER.len() == 18);
    }
}
