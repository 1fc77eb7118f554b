//! The published schema matches the code.
#![cfg(feature = "schema")]

#[test]
fn the_published_schema_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/webhook.schema.json");
    let published: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        published,
        trunkline_webhook::schema(),
        "run `cargo run -p trunkline -- schema > functions/webhook/webhook.schema.json`"
    );
}
