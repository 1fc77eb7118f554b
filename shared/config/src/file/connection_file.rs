//! A connection as files, the API and exports write it.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trunkline_core::model::{
    Connection, ConnectionId, DeliveryPolicy, PlatformId, PresentationOptions, Role, RouteId,
};
use trunkline_core::platform::PlatformTraits;

/// The configuration of a connection. Files, the API and exports share this format. All members are always
/// serialized, so that the serialized default names each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionFile {
    /// The id of the platform.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub platform: PlatformId,
    pub role: Role,
    /// The id of the route. Required for channels; other roles have none. A file names the channels in the
    /// route instead.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub route: Option<RouteId>,
    /// Whether a bot receives copies of the messages between the customer and the desk, or a desk copies of the
    /// customer's messages until the first handover.
    #[serde(default)]
    pub copies: bool,
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub presentation: PresentationOptions,
    /// How long events are held to be sorted by their timestamps, in seconds.
    #[serde(default)]
    pub reorder_window: Option<u32>,
    /// The IP addresses or ranges that may call. Empty: all.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub allow_ips: Vec<IpNet>,
    #[serde(default)]
    pub delivery: DeliveryPolicy,
    /// The settings of the platform.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub settings: Map<String, Value>,
    /// The names of the stored secrets. A file has a reference to each value in their place.
    #[serde(default)]
    pub secrets: BTreeSet<String>,
}

impl ConnectionFile {
    /// Returns a connection whose other members have their defaults.
    #[must_use]
    pub fn new(platform: PlatformId, role: Role) -> Self {
        Self {
            platform,
            role,
            route: None,
            copies: false,
            presentation: PresentationOptions::default(),
            reorder_window: None,
            allow_ips: Vec::new(),
            delivery: DeliveryPolicy::default(),
            settings: Map::new(),
            secrets: BTreeSet::new(),
        }
    }

    /// Returns the members as JSON, including those that have their defaults.
    #[must_use]
    pub fn to_members(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            // Serialization cannot fail: all keys are strings.
            _ => Map::new(),
        }
    }

    /// Returns the names of the members that a file can contain, in alphabetical order.
    pub(super) fn member_names() -> Vec<String> {
        let any = Self::new(PlatformId::from_static("any"), Role::Bot).to_members();
        let mut names: Vec<String> = any.into_iter().map(|(name, _)| name).collect();
        names.retain(|name| name != "route");
        names.sort();
        names
    }

    /// Returns the connection as it is stored before its first version.
    #[must_use]
    pub fn into_connection(self, id: ConnectionId, platform: PlatformTraits) -> Connection {
        Connection {
            id,
            platform: self.platform,
            role: self.role,
            route: self.route,
            copies: self.copies,
            presentation: self.presentation,
            capabilities: platform.capabilities,
            behaviour: platform.behaviour,
            reorder_window: self.reorder_window,
            allow_ips: self.allow_ips,
            delivery: self.delivery,
            suspended: false,
            version: 0,
            settings: self.settings,
            secrets: self.secrets,
            secrets_version: 0,
        }
    }
}

impl From<Connection> for ConnectionFile {
    fn from(connection: Connection) -> Self {
        Self {
            platform: connection.platform,
            role: connection.role,
            route: connection.route,
            copies: connection.copies,
            presentation: connection.presentation,
            reorder_window: connection.reorder_window,
            allow_ips: connection.allow_ips,
            delivery: connection.delivery,
            settings: connection.settings,
            secrets: connection.secrets,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trunkline_runtime::secrets::SecretBag;

    use super::*;
    use crate::file::examples::{FAX, TOYS};
    use crate::file::{ConnectionInput, EnvAndFiles, ReadOptions, export, read, read_connection};

    /// Returns a connection whose members all differ from their defaults.
    fn unusual() -> ConnectionFile {
        let members = json!({"platform": "fax", "role": "bot", "copies": true,
            "sender_prefix": true, "text_limit": 100, "shows": ["markup", "media"],
            "reorder_window": 5, "allow_ips": ["192.0.2.7/32", "198.51.100.0/24"],
            "delivery": {"retry": [1, 2], "breaker_after": 3, "reactivation": "manual"},
            "settings": {"message_url": "https://bot.example.com/in", "auth": "bearer"}});
        serde_json::from_value(members).unwrap()
    }

    fn stored(file: ConnectionFile) -> Connection {
        file.into_connection("shop-bot".parse().unwrap(), FAX.traits())
    }

    /// Reads members that are the body of an API request.
    fn from_api(mut members: Map<String, Value>) -> Result<Connection, Vec<(String, String)>> {
        members.retain(|name, _| !["route", "secrets"].contains(&name.as_str()));
        let mut secrets = SecretBag::default();
        secrets.set("signing", vec!["a-long-secret".into()]);
        let members = Value::Object(members);
        let input = ConnectionInput { id: "shop-bot", members: &members, secrets: &secrets };
        read_connection(input, TOYS, false)
    }

    #[test]
    fn every_member_survives_the_api_and_the_store() {
        let usual = ConnectionFile::new(FAX.id, Role::Bot).to_members();
        let members = unusual().to_members();
        for (name, value) in &members {
            let special = ["platform", "role", "route", "secrets"].contains(&name.as_str());
            assert!(special || usual[name] != *value, "{name} has its default in this test");
        }
        let read = from_api(members).unwrap();
        let secrets = BTreeSet::from(["signing".to_owned()]);
        let expected = ConnectionFile { secrets, ..unusual() };
        assert_eq!(ConnectionFile::from(read), expected);
        assert_eq!(ConnectionFile::from(stored(unusual())), unusual());
    }

    #[test]
    fn every_member_survives_an_export() {
        let connection = stored(unusual());
        let text = export(TOYS, std::slice::from_ref(&connection), &[]);
        let text = text.replace("routes: {}", "routes: { all: { channels: [], bot: shop-bot } }");
        let signing = "    secrets: { signing: { env: PATH } }\n    role:";
        let text = text.replace("    role:", signing);
        let options = ReadOptions { platforms: TOYS, secrets: &EnvAndFiles, allow_local: false };
        let desired = read(&text, options).unwrap_or_else(|why| panic!("{text}\n{why}"));
        let secrets = BTreeSet::from(["signing".to_owned()]);
        assert_eq!(desired.connections[0].connection, Connection { secrets, ..connection });
    }

    #[test]
    fn an_export_omits_what_has_its_default() {
        let usual = stored(ConnectionFile::new(FAX.id, Role::Bot));
        let text = export(TOYS, &[usual], &[]);
        assert_eq!(text.matches(':').count(), 5, "connections, id, platform, role, routes: {text}");
    }

    #[test]
    fn a_member_that_is_invalid_or_unknown_is_a_problem_of_its_field() {
        let names = ConnectionFile::member_names();
        assert!(names.iter().any(|name| name == "text_limit"), "{names:?}");
        for name in names.iter().map(String::as_str).chain(["text_limits"]) {
            if name == "secrets" {
                continue;
            }
            let mut members = unusual().to_members();
            members.insert(name.to_owned(), json!([{"in no member": [1]}]));
            let problems = from_api(members).unwrap_err();
            let fields: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
            assert!(fields.contains(&name), "{name}: {problems:?}");
        }
    }

    #[test]
    fn a_missing_member_is_a_problem_of_its_field() {
        let members = json!({"platform": "fax", "settings": {}});
        let problems = from_api(members.as_object().cloned().unwrap()).unwrap_err();
        assert!(problems.iter().any(|(field, _)| field == "role"), "{problems:?}");
    }
}
