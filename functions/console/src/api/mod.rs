//! The operator API and its OpenAPI description, which is generated from the code.

mod connection_actions;
mod connections;
mod conversation_actions;
mod conversations;
mod customers;
mod dead_letters;
mod deliveries;
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
use axum::response::IntoResponse;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::overview::OverviewCache;

use crate::Console;
use crate::auth::{COOKIE_NAME, authenticate};
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(info(
    title = "Trunkline operator API",
    description = "Monitor and operate Trunkline. Lists use cursor-based pagination. Errors are \
                   `application/problem+json` (RFC 9457) with a `code`. Changes to connections and routes \
                   require the current version.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct Description;

/// Returns the API without its path prefix, and its OpenAPI description.
pub fn router(console: Arc<Console>) -> (Router, Document) {
    let (open, guarded) = operation_routes();
    let guarded = guarded.layer(from_fn_with_state(Arc::clone(&console), authenticate));
    let whole = OpenApiRouter::with_openapi(Description::openapi()).merge(open).merge(guarded);
    let (router, mut document) = whole.with_state(console).split_for_parts();
    add_common_parts(&mut document);
    let not_found = || async {
        let detail = "this path does not exist: see /api/v1/openapi.json";
        Problem::not_found(detail).into_response()
    };
    let not_allowed = || async { Problem::method_not_allowed().into_response() };
    (router.fallback(not_found).method_not_allowed_fallback(not_allowed), document)
}

/// Returns the OpenAPI description of the API.
#[must_use]
pub fn document() -> Document {
    let (open, guarded) = operation_routes();
    let whole = OpenApiRouter::with_openapi(Description::openapi()).merge(open).merge(guarded);
    let (_, mut document) = whole.split_for_parts();
    add_common_parts(&mut document);
    document
}

type Operations = OpenApiRouter<Arc<Console>>;

/// Returns the public operations, and those that require authentication.
fn operation_routes() -> (Operations, Operations) {
    let open = OpenApiRouter::new().routes(routes!(session::sign_in));
    let guarded = OpenApiRouter::new()
        .routes(routes!(session::sign_out))
        .routes(routes!(session::me))
        .routes(routes!(overview::overview))
        .routes(routes!(metrics::metrics))
        .routes(routes!(platforms::platforms))
        .routes(routes!(connections::list))
        .routes(routes!(connections::one, connections::put))
        .routes(routes!(connection_actions::verify))
        .routes(routes!(connection_actions::suspend))
        .routes(routes!(connection_actions::resume))
        .routes(routes!(connection_actions::rotate_key))
        .routes(routes!(connection_actions::addresses))
        .routes(routes!(connection_actions::rejected))
        .routes(routes!(routes::list))
        .routes(routes!(routes::one, routes::put))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::one))
        .routes(routes!(conversations::timeline))
        .routes(routes!(conversation_actions::send_message))
        .routes(routes!(conversation_actions::hand_over))
        .routes(routes!(conversation_actions::hand_back))
        .routes(routes!(conversation_actions::close))
        .routes(routes!(customers::export, customers::delete))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::replay))
        .routes(routes!(deliveries::discard))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::redrive))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::audit));
    (open, guarded)
}

/// Adds what all operations share: the security schemes and the problem response.
fn add_common_parts(document: &mut Document) {
    document.servers = Some(vec![utoipa::openapi::Server::new("/api/v1")]);
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    schema::merge_parts(document);
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let problem = ResponseBuilder::new()
        .description("What is wrong and what to do")
        .content("application/problem+json", content)
        // API Gateway's own error, for a path that it does not forward.
        .content("application/json", ContentBuilder::new().schema(Some(gateway_error())).build())
        .build();
    for item in document.paths.paths.values_mut() {
        for operation in methods(item) {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(problem.clone()));
            if operation.security.is_none() {
                let scheme = |name: &str| {
                    utoipa::openapi::SecurityRequirement::new(name, Vec::<String>::new())
                };
                operation.security = Some(vec![scheme("token"), scheme("cookie")]);
            }
        }
    }
}

fn gateway_error() -> Object {
    let message = Object::with_type(Type::String);
    ObjectBuilder::new().property("message", message).required("message").build()
}

fn methods(item: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}
