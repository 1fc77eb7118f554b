//! The Lambda function `webex-inbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::inbound::serve(trunkline_webex::Webex).await
}
