//! Path parameters that several operations share.

use serde::Deserialize;
use utoipa::IntoParams;

/// The path parameter of operations on a connection.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConnectionPath {
    /// The connection's id.
    #[param(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub id: String,
}

/// The path parameter of operations on a route.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RoutePath {
    /// The route's id.
    #[param(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub id: String,
}

/// The query of a deletion.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeletionQuery {
    /// Whether to delete the resource although deliveries to it wait, or agents have conversations that depend
    /// on it.
    #[serde(default)]
    #[param(default = false)]
    pub force: bool,
}

/// The path parameters of operations on a customer's conversation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConversationPath {
    /// The channel connection's id.
    #[param(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub channel: String,
    /// The customer's id on the channel's platform. If it has other characters than letters, digits, `.`,
    /// `_` and `-`: `~` followed by the id as base64url.
    pub customer: String,
}
