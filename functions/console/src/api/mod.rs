//! The operator API and its OpenAPI description.

mod connection_actions;
mod connections;
mod conversation_actions;
mod conversations;
mod customers;
mod dead_letters;
mod deliveries;
mod document;
mod endpoints;
mod metrics;

mod overview;
mod path;
mod platforms;
mod routes;
mod schema;
mod session;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

pub use self::document::document;
pub use self::overview::OverviewCache;

use crate::Console;
use crate::auth::authenticate;
use crate::problem::Problem;

/// Returns the API without its path prefix.
pub fn router(console: Arc<Console>) -> Router {
    let guarded = endpoints::authenticated()
        .route("/openapi.json", get(openapi))
        .layer(from_fn_with_state(Arc::clone(&console), authenticate));
    let router = endpoints::public().merge(guarded).with_state(console);
    let not_found = || async {
        let detail = "this path does not exist: see /api/v1/openapi.json";
        Problem::not_found(detail).into_response()
    };
    let not_allowed = || async { Problem::method_not_allowed().into_response() };
    router.fallback(not_found).method_not_allowed_fallback(not_allowed)
}

/// Returns the OpenAPI description of the API, which `make openapi` generates.
async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], include_str!("../../openapi.json")).into_response()
}
