//! The Lambda function `webhook-inbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::inbound::serve(trunkline_webhook::Webhook).await
}
