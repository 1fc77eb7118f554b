//! Connections in the API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trunkline_config::ConnectionFile;
use trunkline_core::model::Connection;
use utoipa::ToSchema;

/// A connection, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConnectionView {
    id: String,
    /// The version, which increases with each change.
    version: u64,
    /// Whether deliveries to the connection are suspended.
    suspended: bool,
    #[serde(flatten)]
    #[schema(inline)]
    file: ConnectionFile,
}

/// The new configuration of a connection. Members that are left out get their defaults.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct ConnectionBody {
    /// The connection's id. If present, it must equal the id in the path.
    id: Option<String>,
    /// The id of the route. Required for channels; other roles have none.
    pub route: Option<String>,
    /// The new values of secrets by name. Null removes a secret; secrets that are not named stay unchanged.
    pub secrets: Option<BTreeMap<String, Option<String>>>,
    /// The other members, as in a file. Reading the configuration validates them.
    #[serde(flatten)]
    #[schema(value_type = ConnectionFile, inline)]
    pub members: Map<String, Value>,
}

impl ConnectionBody {
    /// Returns whether the body's id, if present, equals the id in the path.
    #[must_use]
    pub fn matches_id(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|own| own == id)
    }
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        Self {
            id: connection.id.to_string(),
            version: connection.version,
            suspended: connection.suspended,
            file: connection.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trunkline_core::model::{Behaviour, Capabilities, PlatformId, Role};
    use trunkline_core::platform::PlatformTraits;

    use super::*;

    #[test]
    fn a_view_contains_every_member_that_the_document_requires() {
        let id = PlatformId::from_static("fax");
        let (capabilities, behaviour) = (Capabilities::TEXT_ONLY, Behaviour::NONE);
        let traits = PlatformTraits { id, capabilities, behaviour };
        let file = ConnectionFile::new(id, Role::Desk);
        let connection = file.into_connection("care".parse().unwrap(), traits);
        let view = serde_json::to_value(ConnectionView::from(connection)).unwrap();
        let expected = json!({"id": "care", "version": 0, "suspended": false, "platform": "fax",
            "role": "desk", "route": null, "copies": false, "sender_prefix": false,
            "text_limit": null, "shows": [], "reorder_window": null, "allow_ips": [],
            "delivery": {"retry": [2, 30, 600, 2700], "breaker_after": 5, "reactivation": "automatic"},
            "settings": {}, "secrets": []});
        assert_eq!(view, expected);
        let document = serde_json::to_value(crate::document()).unwrap();
        let required = &document["components"]["schemas"]["ConnectionView"]["required"];
        let required: Vec<&str> =
            required.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let names: Vec<&String> = view.as_object().unwrap().keys().collect();
        assert_eq!(required.len(), names.len());
        assert!(names.iter().all(|name| required.contains(&name.as_str())), "{names:?}");
    }

    #[test]
    fn a_body_keeps_what_it_does_not_know_for_the_validation() {
        let body = json!({"id": "care", "platform": "fax", "role": "desk", "route": null,
            "text_limits": 3, "secrets": {"signing": null}});
        let body: ConnectionBody = serde_json::from_value(body).unwrap();
        let members = json!({"platform": "fax", "role": "desk", "text_limits": 3});
        assert_eq!(Value::Object(body.members.clone()), members);
        assert!(body.matches_id("care") && !body.matches_id("archive"));
    }
}
