//! Reads the table definition from `template.yaml`.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Returns the `CreateTable` request for the table of `template.yaml`, under the name `table`.
pub fn table_definition(template: &str, table: &str) -> Value {
    let parsed = Yaml::load_from_str(template).unwrap();
    let whole = json(&parsed[0]);
    let properties = &whole["Resources"]["Table"]["Properties"];
    let mut request = json!({"TableName": table});
    for name in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"] {
        assert!(!properties[name].is_null(), "the template's table has no {name}");
        request[name] = properties[name].clone();
    }
    request
}

fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(members) => Value::Object(
            members
                .iter()
                .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), json(value))))
                .collect::<Map<_, _>>(),
        ),
        Yaml::Tagged(_, inner) => json(inner),
        _ => Value::Null,
    }
}
