//! Access to the members of Unblu's JSON objects.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A JSON object from Unblu. A member of another type than documented counts as absent, so that the
/// others can still be read: for some message types only the names of the members are public.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Object<'a> {
    /// Returns a member that is an object.
    pub(crate) fn object(self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().map(Object)
    }

    /// Returns the objects in a member that is a list.
    pub(crate) fn objects(self, name: &str) -> impl Iterator<Item = Self> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object).map(Object)
    }

    /// Returns a member that is a non-blank string.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// Returns the strings in a member that is a list.
    pub(crate) fn texts(self, name: &str) -> impl Iterator<Item = &'a str> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns a member that is a whole number, from 0.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// Returns whether a member is `true`.
    pub(crate) fn is_true(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Returns a member that is a time: milliseconds since 1970, UTC (UA4).
    pub(crate) fn time(self, name: &str) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0.get(name)?.as_i64()?).ok()
    }

    /// Returns the whole object.
    pub(crate) fn value(self) -> Value {
        Value::Object(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_another_type_count_as_absent() {
        let value = json!({"a": 7, "b": "x", "c": [1, {"d": true}], "t": 1_767_225_600_000_i64, "n": null,
                           "s": " ", "far": i64::MAX});
        let object = Object(value.as_object().unwrap());
        assert_eq!((object.text("a"), object.text("b"), object.text("s")), (None, Some("x"), None));
        assert!(object.objects("c").next().unwrap().is_true("d"));
        assert_eq!(object.objects("b").count(), 0);
        assert_eq!(
            (object.number("a"), object.number("b"), object.texts("c").count()),
            (Some(7), None, 0)
        );
        assert_eq!(object.time("t"), Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!((object.time("far"), object.time("b"), object.time("n")), (None, None, None));
        assert!(object.object("n").is_none() && !object.is_true("b"));
    }
}
