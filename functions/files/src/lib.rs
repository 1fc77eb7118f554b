//! The Lambda function `files`: opens the links of relayed files. A link that is signed and has not expired is
//! answered with a redirect to a presigned URL of the bucket, which is valid for a minute.
//!
//! A person opens a link, so every refusal is a page that says what to do. A wrong signature and an unknown
//! file are refused alike, before anything is read.

mod page;

use std::time::Duration;

use http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use trunkline_core::model::{FileState, RelayedFile};
use trunkline_runtime::app::App;
use trunkline_runtime::files::{FilePresentation, FileStoreError, Files, Link, LinkError};
use trunkline_runtime::store::StoreError;
use trunkline_runtime::telemetry;

pub use page::Page;

/// Time limit of a request, shorter than that of the function.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a request has no answer. Retryable, unless the table or the bucket's permissions are damaged.
#[derive(Debug, thiserror::Error)]
enum FilesError {
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The presigned URL cannot be made.
    #[error(transparent)]
    Files(#[from] FileStoreError),
}

/// Serves requests until Lambda stops the process.
///
/// # Errors
/// If an environment variable is missing or invalid, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let app = &app;
    trunkline_runtime::lambda::serve_http(lambda_http::service_fn(
        move |request: Request| async move {
            telemetry::set_request_id(
                request.lambda_context_ref().map_or("", |context| &context.request_id),
            );
            Ok::<_, std::convert::Infallible>(respond(app, &request).await)
        },
    ))
    .await
}

/// Answers a request for a file.
pub async fn respond(app: &App, request: &Request) -> Response<Body> {
    let answer = match tokio::time::timeout(DEADLINE, open(app, request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::error!(%error, "a link cannot be opened: internal error");
            Opened::Refused(Page::Unavailable)
        }
        Err(_) => {
            tracing::error!("a link cannot be opened: the time is up");
            Opened::Refused(Page::Unavailable)
        }
    };
    answer.into_response(request.method())
}

/// Where a link leads.
enum Opened {
    /// The browser continues at this URL.
    Redirect(String),
    Refused(Page),
}

impl Opened {
    /// Neither a cache nor another site learns the link or the URL behind it.
    fn into_response(self, method: &Method) -> Response<Body> {
        let response = Response::builder()
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::REFERRER_POLICY, "no-referrer")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        let built = match self {
            Self::Redirect(url) => {
                response.status(StatusCode::FOUND).header(header::LOCATION, url).body(Body::Empty)
            }
            Self::Refused(page) => {
                let response = response
                    .status(page.status())
                    .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                    .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'");
                let response = match page.retry_after() {
                    Some(seconds) => response.header(header::RETRY_AFTER, seconds),
                    None => response,
                };
                let text = page.html();
                response.body(if method == Method::HEAD { Body::Empty } else { text.into() })
            }
        };
        // A presigned URL is a valid header value.
        built.unwrap_or_else(|_| {
            let mut failed = Response::new(Body::Empty);
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            failed
        })
    }
}

/// Returns the path of a request without the name of the API's stage.
fn path(request: &Request) -> &str {
    let path = request.uri().path();
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let stage = context.stage.as_deref().unwrap_or_default();
            let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
            rest.filter(|rest| rest.starts_with('/')).unwrap_or(path)
        }
        _ => path,
    }
}

async fn open(app: &App, request: &Request) -> Result<Opened, FilesError> {
    let refused = |page| Ok(Opened::Refused(page));
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    let query = request.uri().query().unwrap_or_default();
    let Some(files) = app.files.as_ref().filter(|_| is_read) else {
        return refused(Page::NotFound);
    };
    let Some(link) = Link::parse(path(request), query) else { return refused(Page::Denied) };
    let now = app.clock.now();
    // Without a key, nothing was ever signed.
    let Some(key) = files.existing_key(&app.store).await? else { return refused(Page::Denied) };
    match link.verify(key, now) {
        Err(LinkError::Unsigned) => return refused(Page::Denied),
        Err(LinkError::Expired) => return refused(Page::Gone),
        Ok(()) => {}
    }
    // A file that was erased has no record, although its link is signed.
    let Some(file) = app.store.file(&link.id).await? else { return refused(Page::Gone) };
    match file.state {
        FileState::Pending => refused(Page::Pending),
        FileState::Failed { .. } => refused(Page::Gone),
        FileState::Ready { .. } => redirect(app, files, request.method(), &file),
    }
}

/// Redirects to the file. What the bucket answers does not depend on what a stranger called the file.
fn redirect(
    app: &App,
    files: &Files,
    method: &Method,
    file: &RelayedFile,
) -> Result<Opened, FilesError> {
    let shown = FilePresentation::of(file.name.as_deref(), file.mime_type.as_deref());
    let url = files.store().presigned_url(&file.id, method, &shown, app.clock.now())?;
    Ok(Opened::Redirect(url))
}
