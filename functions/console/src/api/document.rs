//! The OpenAPI description of the API, generated from the code. The console serves it as a file, `openapi.json`,
//! so that the function contains no code that builds it.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::{endpoints, schema};
use crate::auth::COOKIE_NAME;
use crate::problem::Problem;

/// Returns the OpenAPI description of the API.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = endpoints::document();
    add_common_parts(&mut document);
    document
}

/// Adds what all operations share: the security schemes and the problem response.
fn add_common_parts(document: &mut OpenApi) {
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
