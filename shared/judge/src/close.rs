//! Closes schemas: turns the facts of an OpenAPI document into JSON Schemas that allow only what the document names.

use serde_json::{Map, Value, json};

/// Returns a schema whose objects have no other members than the named ones. `tag` is the member that names an object's
/// type: an object that may have it must have it.
pub(crate) fn closed(schema: &Value, tag: Option<&str>) -> Value {
    let Value::Object(facts) = schema else { return schema.clone() };
    if let Some(union) = facts.get("discriminator") {
        return resolved(union);
    }
    let mut closed: Map<_, _> =
        facts.iter().map(|(keyword, value)| (keyword.clone(), part(keyword, value, tag))).collect();
    let is_nullable = closed.remove("nullable") == Some(true.into());
    if let Some(Value::Object(members)) = facts.get("properties") {
        closed.entry("additionalProperties").or_insert(false.into());
        if let Some(tag) = tag.filter(|tag| members.contains_key(*tag)) {
            require(&mut closed, tag);
        }
    }
    if let Some((least, most)) = closed.remove("format").and_then(|format| bounds(&format)) {
        closed.insert("minimum".into(), least.into());
        closed.insert("maximum".into(), most.into());
    }
    let closed = Value::Object(closed);
    if is_nullable { json!({"anyOf": [closed, {"type": "null"}]}) } else { closed }
}

fn part(keyword: &str, value: &Value, tag: Option<&str>) -> Value {
    match (keyword, value) {
        ("properties", Value::Object(members)) => {
            members.iter().map(|(name, member)| (name.clone(), closed(member, tag))).collect()
        }
        ("items" | "additionalProperties", _) => closed(value, tag),
        ("oneOf", Value::Array(all)) => all.iter().map(|one| closed(one, tag)).collect(),
        _ => value.clone(),
    }
}

fn require(schema: &mut Map<String, Value>, member: &str) {
    let required = schema.entry("required").or_insert_with(|| json!([]));
    if let Value::Array(names) = required
        && !names.iter().any(|name| name == member)
    {
        names.push(member.into());
    }
}

/// Returns a union whose discriminator must be there and selects the only type that counts.
fn resolved(union: &Value) -> Value {
    let name = union["propertyName"].as_str().unwrap_or_default();
    let mapping = union["mapping"].as_object().cloned().unwrap_or_default();
    let words: Vec<&String> = mapping.keys().collect();
    let select = |(word, reference): (&String, &Value)| {
        json!({
            "if": {"properties": {name: {"const": word}}, "required": [name]},
            "then": {"$ref": reference},
        })
    };
    json!({
        "type": "object",
        "required": [name],
        "properties": {name: {"enum": words}},
        "allOf": mapping.iter().map(select).collect::<Vec<_>>(),
    })
}

/// Returns the smallest and the largest integer of a format.
fn bounds(format: &Value) -> Option<(i64, i64)> {
    match format.as_str()? {
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "int64" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}
