//! The Lambda function `twin-outbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::outbound::serve(trunkline_twin::Twin::default()).await
}
