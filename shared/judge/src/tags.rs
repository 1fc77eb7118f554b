//! Adds the members that name the types of objects, as the vendor's own software does.

use serde_json::Value;

use crate::excerpt::Excerpt;

/// Adds the missing tags in a value of a schema, at every depth.
pub(crate) fn add(excerpt: &Excerpt, schema: &Value, value: &mut Value) {
    if let Some(found) = schema["$ref"].as_str().and_then(|reference| excerpt.resolved(reference)) {
        return add(excerpt, found, value);
    }
    if let Some(union) = schema.get("discriminator") {
        let word = union["propertyName"].as_str().and_then(|name| value[name].as_str());
        let found = word.and_then(|word| union["mapping"][word].as_str());
        if let Some(found) = found.and_then(|reference| excerpt.resolved(reference)) {
            add(excerpt, found, value);
        }
        return;
    }
    match value {
        Value::Object(members) => {
            let tag = excerpt.tag.as_deref().unwrap_or_default();
            if let Some(name) = schema["properties"][tag]["enum"].get(0) {
                members.entry(tag).or_insert_with(|| name.clone());
            }
            for (name, member) in members {
                let named = schema["properties"].get(name);
                add(excerpt, named.unwrap_or(&schema["additionalProperties"]), member);
            }
        }
        Value::Array(items) => {
            for item in items {
                add(excerpt, &schema["items"], item);
            }
        }
        _ => {}
    }
}
