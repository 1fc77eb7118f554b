//! The baseline of the outbound function in 0.2.0: the AWS calls of a typical delivery and the call to the bot,
//! without Trunkline's code.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join_all;
use http::HeaderMap;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use trunkline_floor_sdk::{Clients, Http, PlatformClient, variable};

struct Baseline {
    clients: Clients,
    table: String,
    receiver: String,
    platform: PlatformClient,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let floor = &Baseline {
        clients: Clients::from_env(&Http::new()?)?,
        table: variable("TRUNKLINE_TABLE")?,
        receiver: variable("BENCH_RECEIVER")?,
        platform: PlatformClient::default(),
    };
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let records = event.payload["Records"].as_array().into_iter().flatten();
        try_join_all(records.map(|record| deliver(floor, record))).await?;
        Ok::<_, Error>(json!({"batchItemFailures": []}))
    }))
    .await
}

async fn deliver(floor: &Baseline, record: &Value) -> Result<(), Error> {
    let group = record["attributes"]["MessageGroupId"].as_str().unwrap_or_default();
    let id = record["attributes"]["MessageDeduplicationId"].as_str().unwrap_or_default();
    let body = record["body"].as_str().unwrap_or_default();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let key = |sk: &str| [("pk".into(), text(group)), ("sk".into(), text(sk))].into();
    let wanted = KeysAndAttributes::builder().keys(key("LEG")).keys(key("BREAKER"));
    let wanted = wanted.consistent_read(true).build()?;
    floor.clients.dynamodb.batch_get_item().request_items(&floor.table, wanted).send().await?;
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse()?);
    floor.platform.post(&floor.receiver, headers, body.as_bytes().to_vec()).await?;
    let update = floor.clients.dynamodb.update_item().table_name(&floor.table);
    let update = update.key("pk", text(group)).key("sk", text(id));
    let update = update.condition_expression("attribute_exists(pk)");
    let update = update.update_expression("SET outcome = :outcome");
    update.expression_attribute_values(":outcome", text("delivered")).send().await?;
    Ok(())
}
