//! The Lambda function `servisbot-outbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::outbound::serve(trunkline_servisbot::Servisbot::default()).await
}
