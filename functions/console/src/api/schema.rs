//! Completes the generated schemas: utoipa describes flattened members as parts of their object.

use std::collections::BTreeSet;

use utoipa::openapi::path::PathItem;
use utoipa::openapi::schema::{AdditionalProperties, Object};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Merges the inline parts of each schema into one object. The object of a request accepts no other members;
/// the object of a response always contains all of them.
pub(super) fn merge_parts(document: &mut OpenApi) {
    let bodies: BTreeSet<String> = document.paths.paths.values().flat_map(request_bodies).collect();
    let Some(components) = &mut document.components else { return };
    for (name, schema) in &mut components.schemas {
        let Some(mut merged) = merged(schema) else { continue };
        if bodies.contains(name) {
            merged.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        } else {
            merged.required = merged.properties.keys().cloned().collect();
        }
        *schema = RefOr::T(Schema::Object(merged));
    }
}

/// Returns the names of the schemas of an operation's request body.
fn request_bodies(item: &PathItem) -> impl Iterator<Item = String> {
    let operations = [&item.put, &item.post].into_iter().flatten();
    let bodies = operations.filter_map(|operation| inline(operation.request_body.as_ref()?));
    let contents = bodies.flat_map(|body| body.content.values()).filter_map(inline);
    contents.filter_map(|content| match content.schema.as_ref()? {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    })
}

fn inline<T>(part: &RefOr<T>) -> Option<&T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// Returns a schema of inline parts as one object; `None` if it has no parts or refers to one.
fn merged(schema: &RefOr<Schema>) -> Option<Object> {
    let RefOr::T(Schema::AllOf(parts)) = schema else { return None };
    let mut whole = Object::new();
    for part in &parts.items {
        let part = match part {
            RefOr::T(Schema::Object(part)) => part.clone(),
            part => merged(part)?,
        };
        // A member of a later part replaces that of an earlier one.
        whole.required.retain(|name| !part.properties.contains_key(name));
        whole.required.extend(part.required);
        whole.properties.extend(part.properties);
    }
    whole.description.clone_from(&parts.description);
    Some(whole)
}
