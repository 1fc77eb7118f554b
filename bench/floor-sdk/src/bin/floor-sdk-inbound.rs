//! The baseline of the inbound function in 0.2.0: the AWS calls of a typical message, without Trunkline's code.

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};
use trunkline_floor_sdk::{Clients, Http, outbound_queue, variable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let clients = &Clients::from_env(&Http::new()?)?;
    let table = &variable("TRUNKLINE_TABLE")?;
    let queue = &outbound_queue(&variable("TRUNKLINE_TASKS_QUEUE")?);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let id = event.payload["headers"]["webhook-id"].as_str().unwrap_or_default();
        let body = event.payload["body"].as_str().unwrap_or_default();
        let group = id.rsplit_once('-').map_or(id, |(group, _)| group);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let get = clients.dynamodb.get_item().table_name(table).consistent_read(true);
        get.key("pk", text(group)).key("sk", text("CONV")).send().await?;
        let put = clients.dynamodb.put_item().table_name(table).item("pk", text(group));
        let put = put.item("sk", text(id)).item("at", text(id)).item("json", text(body));
        put.condition_expression("attribute_not_exists(pk)").send().await?;
        let send = clients.sqs.send_message().queue_url(queue).message_body(body);
        send.message_group_id(group).message_deduplication_id(id).send().await?;
        Ok::<_, lambda_runtime::Error>(json!({"statusCode": 200, "body": "{}"}))
    }))
    .await
}
