//! The baseline of the outbound function: the AWS calls of a typical delivery and the call to the bot, without
//! Trunkline's code.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join_all;
use http::{HeaderMap, Method};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use trunkline_runtime::aws::{AwsHttpClient, Clients, required_variable};
use trunkline_runtime::http_client::{HttpClient, HttpRequest};

struct Baseline {
    clients: Clients,
    table: String,
    receiver: String,
    http_client: HttpClient,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let floor = &Baseline {
        clients: Clients::from_env(&AwsHttpClient::new()?)?,
        table: required_variable("TRUNKLINE_TABLE")?,
        receiver: required_variable("BENCH_RECEIVER")?,
        http_client: HttpClient::new(true),
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
    let (url, body) = (floor.receiver.clone(), body.as_bytes().to_vec());
    floor.http_client.send(HttpRequest { method: Method::POST, url, headers, body }).await?;
    let update = floor.clients.dynamodb.update_item().table_name(&floor.table);
    let update = update.key("pk", text(group)).key("sk", text(id));
    let update = update.condition_expression("attribute_exists(pk)");
    let update = update.update_expression("SET outcome = :outcome");
    update.expression_attribute_values(":outcome", text("delivered")).send().await?;
    Ok(())
}
