//! Parses a place in every form that is plausible: the vendor's page shows none.

use serde_json::{Map, Value};
use trunkline_core::json;
use trunkline_core::model::Location;

use crate::wire::normalized;

const LATITUDE: [&str; 2] = ["latitude", "lat"];
const LONGITUDE: [&str; 4] = ["longitude", "long", "lng", "lon"];
/// The query parameters of maps that hold coordinates.
const MAP_PARAMETERS: [&str; 5] = ["q", "query", "ll", "center", "daddr"];

/// Returns the place in a value: an object with coordinates, JSON text of one (WX-WA), a pair of numbers, a
/// `geo:` address, or the address of a map.
pub(crate) fn parse(value: &Value) -> Option<Location> {
    match value {
        Value::String(text) => from_text(text.trim()),
        other => from_json(other),
    }
}

fn from_json(value: &Value) -> Option<Location> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| from_object(item.as_object()?)),
        Value::Object(object) => {
            let nested = || object.values().filter_map(Value::as_object).find_map(from_object);
            from_object(object).or_else(nested)
        }
        _ => None,
    }
}

fn from_object(object: &Map<String, Value>) -> Option<Location> {
    let found = |names: &[&str]| {
        object.iter().find(|(key, _)| names.contains(&&*normalized(key))).map(|(_, value)| value)
    };
    let number = |names: &[&str]| {
        let value = found(names)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    let text = |names: &[&str]| {
        let text = found(names)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let place = Location::new(number(&LATITUDE)?, number(&LONGITUDE)?)?;
    Some(Location { name: text(&["name", "label"]), address: text(&["address"]), ..place })
}

fn from_text(text: &str) -> Option<Location> {
    if text.starts_with(['{', '[']) {
        return from_json(&json::from_slice(text.as_bytes()).ok()?);
    }
    if let Some(geo) = text.strip_prefix("geo:") {
        return pair(geo.split([';', '?']).next()?);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return from_map(text);
    }
    pair(text)
}

fn from_map(url: &str) -> Option<Location> {
    let (_, query) = url.split_once('?')?;
    let parameters = query.split(['&', '#']).filter_map(|part| part.split_once('='));
    let mut coordinates = parameters.filter(|(name, _)| MAP_PARAMETERS.contains(name));
    coordinates.find_map(|(_, value)| pair(&value.replace("%2C", ",").replace("%2c", ",")))
}

/// Reads `latitude,longitude`.
fn pair(text: &str) -> Option<Location> {
    let (latitude, longitude) = text.split_once(',')?;
    Location::new(latitude.trim().parse().ok()?, longitude.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_coordinates_in_every_form() {
        let expected = Location::new(52.37, 4.9).unwrap();
        for value in [
            json!({"latitude": 52.37, "longitude": "4.9"}),
            json!("{\"Latitude\":\"52.37\",\"long\":4.9}"),
            json!([{"lat": 52.37, "lng": 4.9}]),
            json!({"location": {"lat": 52.37, "lon": 4.9}}),
            json!("52.37, 4.9"),
            json!("geo:52.37,4.9;u=35"),
            json!("https://maps.google.com/?q=52.37%2C4.9&z=3"),
            json!("https://maps.apple.com/?ll=52.37,4.9"),
        ] {
            assert_eq!(parse(&value).as_ref(), Some(&expected), "{value}");
        }
        let named =
            json!({"latitude": 52.37, "longitude": 4.9, "name": "Shop", "address": "Dam 1"});
        let (name, address) = (Some("Shop".into()), Some("Dam 1".into()));
        assert_eq!(parse(&named), Some(Location { name, address, ..expected }));
    }

    #[test]
    fn other_texts_are_no_place() {
        for value in [
            json!(""),
            json!(null),
            json!("52.37"),
            json!("red, blue"),
            json!("152.37,4.9"),
            json!("{broken"),
            json!("https://maps.example/52.37,4.9"),
            json!({"latitude": 52.37}),
            json!([]),
        ] {
            assert_eq!(parse(&value), None, "{value}");
        }
    }
}
