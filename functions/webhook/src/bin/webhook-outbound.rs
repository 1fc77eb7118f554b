//! The Lambda function `webhook-outbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::outbound::serve(trunkline_webhook::Webhook).await
}
