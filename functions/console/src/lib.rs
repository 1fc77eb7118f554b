//! What operators see and do: the API, and the pages that stand on it.

pub mod api;
mod assets;
mod caller;
mod extract;
mod paging;
mod problem;
mod several;
mod throttle;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::Uri;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use tower::util::MapRequest;
use trunkline_shared::app::App;
use trunkline_shared::telemetry;

pub use caller::{Caller, Seen, issue};
pub use throttle::Throttle;

/// What the console is made of.
#[derive(Debug)]
pub struct Console {
    /// The stack's own code.
    pub app: App,
    /// Tokens seen lately.
    pub seen: Seen,
    /// Whom it has wait.
    pub throttle: Throttle,
    /// The stack's name.
    pub stack: String,
    /// Where the platforms reach us; whatever the caller calls us by, if that is not known.
    pub address: Option<String>,
    /// Whether deliveries may go to plain http and private addresses.
    pub local: bool,
    /// The overview that was made last.
    pub latest: api::Latest,
}

impl Console {
    /// The console of an app.
    #[must_use]
    pub fn new(app: App, stack: String, address: Option<String>, local: bool) -> Arc<Self> {
        let (seen, latest) = (Seen::default(), api::Latest::default());
        let throttle = Throttle::default();
        Arc::new(Self { app, seen, throttle, stack, address, local, latest })
    }
}

/// All that is served: the API below `/api/v1`, the pages below `/console/`.
pub fn router(console: &Arc<Console>) -> Router {
    let (api, document) = api::router(Arc::clone(console));
    let document = Arc::new(document);
    let documented = move || std::future::ready(axum::Json((*document).clone()));
    let described = Router::new()
        .route("/openapi.json", get(documented))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(console), caller::admit));
    Router::new()
        .route("/console", get(assets::page))
        .route("/console/", get(assets::page))
        .route("/console/{*path}", get(assets::file))
        // The same behind API Gateway's own authorizer, where the template is given an issuer.
        .nest("/jwt/api/v1", api.clone().merge(described.clone()))
        .nest("/api/v1", api.merge(described))
}

/// The API's OpenAPI description.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    api::document()
}

/// Runs the function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let stack = variable("TRUNKLINE_STACK").unwrap_or_else(|| "trunkline".into());
    let local = variable("TRUNKLINE_ALLOW_LOCAL").is_some_and(|value| value == "yes");
    // On one machine the API has another address than the template says.
    let address = variable("TRUNKLINE_API").filter(|_| !local);
    let console = Console::new(app, stack, address, local);
    let router = router(&console);
    lambda_http::run(MapRequest::new(router, without_stage)).await
}

/// A stage with a name stands before the path of each call, and is none of ours.
fn without_stage(mut request: lambda_http::Request) -> lambda_http::Request {
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
    fn a_named_stage_is_taken_off_the_path() {
        let event =
            include_str!("../../../events/console.json").replace("\"$default\"", "\"prod\"");
        assert!(event.contains("\"prod\""), "the sample names its stage");
        let request = lambda_http::request::from_str(&event).unwrap();
        let expected = request.uri().path().replace("/prod/", "/");
        assert_ne!(request.uri().path(), expected, "the runtime puts it there");
        assert_eq!(without_stage(request).uri().path(), expected);
    }
}
