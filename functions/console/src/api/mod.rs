//! The operator API, and its description, which follows from the code.

mod connection_acts;
mod connections;
mod conversations;
mod customers;
mod dead_letters;
mod deliveries;
mod metrics;
mod overview;
mod platforms;
mod routes;
mod session;
mod tokens;
mod turns;

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

pub use self::overview::Latest;

use crate::Console;
use crate::caller::{COOKIE, admit};
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(info(
    title = "Trunkline's operator API",
    description = "What operators see and do. Lists are paged by `cursor`; errors are \
                   `application/problem+json`; changes are conditional on a version.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct Description;

/// The API without its prefix, and its description.
pub fn router(console: Arc<Console>) -> (Router, Document) {
    let (open, guarded) = operations();
    let guarded = guarded.layer(from_fn_with_state(Arc::clone(&console), admit));
    let whole = OpenApiRouter::with_openapi(Description::openapi()).merge(open).merge(guarded);
    let (router, mut document) = whole.with_state(console).split_for_parts();
    describe(&mut document);
    let nothing = || async { Problem::not_found("there is nothing at this path").into_response() };
    let wrong = || async { Problem::not_allowed().into_response() };
    (router.fallback(nothing).method_not_allowed_fallback(wrong), document)
}

/// The API's description.
#[must_use]
pub fn document() -> Document {
    let (open, guarded) = operations();
    let whole = OpenApiRouter::with_openapi(Description::openapi()).merge(open).merge(guarded);
    let (_, mut document) = whole.split_for_parts();
    describe(&mut document);
    document
}

type Operations = OpenApiRouter<Arc<Console>>;

/// What anybody may call, and what only those may who are known.
fn operations() -> (Operations, Operations) {
    let open = OpenApiRouter::new().routes(routes!(session::sign_in));
    let guarded = OpenApiRouter::new()
        .routes(routes!(session::sign_out))
        .routes(routes!(session::me))
        .routes(routes!(overview::overview))
        .routes(routes!(metrics::metrics))
        .routes(routes!(platforms::platforms))
        .routes(routes!(connections::list))
        .routes(routes!(connections::one, connections::put))
        .routes(routes!(connection_acts::verify))
        .routes(routes!(connection_acts::suspend))
        .routes(routes!(connection_acts::resume))
        .routes(routes!(connection_acts::rotate_key))
        .routes(routes!(connection_acts::addresses))
        .routes(routes!(connection_acts::rejected))
        .routes(routes!(routes::list))
        .routes(routes!(routes::one, routes::put))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::one))
        .routes(routes!(conversations::timeline))
        .routes(routes!(turns::say))
        .routes(routes!(turns::hand_over))
        .routes(routes!(turns::hand_back))
        .routes(routes!(turns::close))
        .routes(routes!(customers::export, customers::erase))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::replay))
        .routes(routes!(deliveries::discard))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::redrive))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::take_back))
        .routes(routes!(tokens::audit));
    (open, guarded)
}

/// What all operations have in common: how one signs in, and what problems look like.
fn describe(document: &mut Document) {
    document.servers = Some(vec![utoipa::openapi::Server::new("/api/v1")]);
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let problem = ResponseBuilder::new()
        .description("What is wrong, and what to do")
        .content("application/problem+json", content)
        // The gateway's own, for a path that it does not pass on.
        .content("application/json", ContentBuilder::new().schema(Some(by_gateway())).build())
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

fn by_gateway() -> Object {
    let message = Object::with_type(Type::String);
    ObjectBuilder::new().property("message", message).required("message").build()
}

fn methods(item: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}
