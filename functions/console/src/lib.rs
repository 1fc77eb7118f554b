//! The operator API, and the console: web pages that use it.

pub mod api;
mod assets;
mod auth;
mod concurrency;
mod extract;
mod paging;
mod problem;
mod throttle;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::Uri;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use tower::util::MapRequest;
use trunkline_runtime::app::App;
use trunkline_runtime::telemetry;

pub use api::document;
pub use auth::{Caller, TokenCache, issue};
pub use throttle::Throttle;

/// The state of the console function.
#[derive(Debug)]
pub struct Console {
    pub app: App,
    pub token_cache: TokenCache,
    pub throttle: Throttle,
    pub stack: String,
    /// The base URL for inbound webhooks. `None`: the `Host` header of the request.
    pub address: Option<String>,
    /// Whether deliveries may go to plain HTTP and private addresses.
    pub local: bool,
    pub overview_cache: api::OverviewCache,
}

impl Console {
    /// Returns a console with empty caches.
    #[must_use]
    pub fn new(app: App, stack: String, address: Option<String>, local: bool) -> Arc<Self> {
        Arc::new(Self {
            app,
            token_cache: TokenCache::default(),
            throttle: Throttle::default(),
            stack,
            address,
            local,
            overview_cache: api::OverviewCache::default(),
        })
    }
}

/// Returns the router: the API below `/api/v1`, the pages below `/console/`.
pub fn router(console: &Arc<Console>) -> Router {
    let api = api::router(Arc::clone(console));
    Router::new()
        .route("/console", get(assets::index))
        .route("/console/", get(assets::index))
        .route("/console/{*path}", get(assets::file))
        // The same API behind API Gateway's JWT authorizer, if the stack has an issuer.
        .nest("/jwt/api/v1", api.clone())
        .nest("/api/v1", api)
}

/// Serves requests until Lambda stops the process.
///
/// # Errors
/// If an environment variable is missing or invalid, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let stack = variable("TRUNKLINE_STACK").unwrap_or_else(|| "trunkline".into());
    let local = variable("TRUNKLINE_ALLOW_LOCAL").is_some_and(|value| value == "yes");
    // The URL in the template does not apply to a local stack.
    let address = variable("TRUNKLINE_API").filter(|_| !local);
    let console = Console::new(app, stack, address, local);
    let router = router(&console);
    trunkline_runtime::lambda::serve_http(MapRequest::new(router, remove_stage)).await
}

/// Removes the name of an API Gateway stage from the path.
fn remove_stage(mut request: lambda_http::Request) -> lambda_http::Request {
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        _ => None,
    };
    let whole = request.uri().path_and_query().map_or("/", |whole| whole.as_str());
    let rest = stage.and_then(|stage| whole.strip_prefix('/')?.strip_prefix(stage));
    let rest = rest.filter(|rest| rest.starts_with('/')).and_then(|rest| rest.parse().ok());
    if let Some(rest) = rest {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(rest);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_a_named_stage_from_the_path() {
        let event =
            include_str!("../../../events/console.json").replace("\"$default\"", "\"prod\"");
        assert!(event.contains("\"prod\""), "the sample event names its stage");
        let request = lambda_http::request::from_str(&event).unwrap();
        let expected = request.uri().path().replace("/prod/", "/");
        assert_ne!(request.uri().path(), expected, "the Lambda runtime adds the stage");
        assert_eq!(remove_stage(request).uri().path(), expected);
    }
}
