//! The Lambda function `unblu-inbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::inbound::serve(trunkline_unblu::Unblu).await
}
