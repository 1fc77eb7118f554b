//! The operations of the API: method, path and handler of each, in one table.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};
use utoipa::OpenApi;

use super::{
    connection_actions, connections, conversation_actions, conversations, customers, dead_letters,
    deliveries, metrics, overview, platforms, routes, session, tokens,
};
use crate::Console;

type Endpoints = Router<Arc<Console>>;

/// Defines the routes of each table, and the description of all.
macro_rules! endpoints {
    ($($(#[$doc:meta])* $table:ident {
        $($method:ident $path:literal => $module:ident :: $handler:ident;)+
    })+) => {
        $(
            $(#[$doc])*
            pub(super) fn $table() -> Endpoints {
                Router::new()$(.route($path, $method($module::$handler)))+
            }
        )+

        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "Trunkline operator API",
                description = "Monitor and operate Trunkline. Lists use cursor-based pagination. Errors are \
                               `application/problem+json` (RFC 9457) with a `code`. Changes to connections \
                               and routes require the current version.",
                license(name = "Apache-2.0", identifier = "Apache-2.0"),
            ),
            paths($($($module::$handler),+),+),
        )]
        struct Description;

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];
    };
}

endpoints! {
    /// Returns the operations without authentication.
    public {
        post "/session" => session::sign_in;
    }

    /// Returns the operations that require authentication.
    authenticated {
        delete "/session" => session::sign_out;
        get "/me" => session::me;
        get "/overview" => overview::overview;
        get "/metrics" => metrics::metrics;
        get "/platforms" => platforms::platforms;
        get "/connections" => connections::list;
        get "/connections/{id}" => connections::one;
        put "/connections/{id}" => connections::put;
        delete "/connections/{id}" => connections::delete;
        post "/connections/{id}/verify" => connection_actions::verify;
        post "/connections/{id}/fix" => connection_actions::fix;
        post "/connections/{id}/suspend" => connection_actions::suspend;
        post "/connections/{id}/resume" => connection_actions::resume;
        post "/connections/{id}/rotate-key" => connection_actions::rotate_key;
        get "/connections/{id}/addresses" => connection_actions::addresses;
        get "/connections/{id}/rejected" => connection_actions::rejected;
        get "/routes" => routes::list;
        get "/routes/{id}" => routes::one;
        put "/routes/{id}" => routes::put;
        delete "/routes/{id}" => routes::delete;
        get "/conversations" => conversations::list;
        get "/conversations/{channel}/{customer}" => conversations::one;
        get "/conversations/{channel}/{customer}/timeline" => conversations::timeline;
        post "/conversations/{channel}/{customer}/messages" => conversation_actions::send_message;
        post "/conversations/{channel}/{customer}/handover" => conversation_actions::hand_over;
        post "/conversations/{channel}/{customer}/handback" => conversation_actions::hand_back;
        post "/conversations/{channel}/{customer}/close" => conversation_actions::close;
        get "/customers/{channel}/{customer}" => customers::export;
        delete "/customers/{channel}/{customer}" => customers::delete;
        get "/deliveries" => deliveries::list;
        post "/deliveries/replay" => deliveries::replay;
        post "/deliveries/discard" => deliveries::discard;
        get "/dead-letters" => dead_letters::list;
        post "/dead-letters/redrive" => dead_letters::redrive;
        get "/tokens" => tokens::list;
        post "/tokens" => tokens::create;
        delete "/tokens/{id}" => tokens::revoke;
        get "/audit" => tokens::audit;
    }
}

/// Returns the description of the operations, without what all of them share.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::openapi::PathItem;

    fn methods(item: &PathItem) -> impl Iterator<Item = &'static str> {
        let methods = [
            ("get", &item.get),
            ("put", &item.put),
            ("post", &item.post),
            ("delete", &item.delete),
        ];
        methods.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name)
    }

    #[test]
    fn routes_each_operation_as_it_is_described() {
        let described = super::document().paths.paths;
        let described: BTreeSet<_> = described
            .iter()
            .flat_map(|(path, item)| methods(item).map(move |method| (method, path.as_str())))
            .collect();
        assert_eq!(super::ALL.iter().copied().collect::<BTreeSet<_>>(), described);
    }
}
