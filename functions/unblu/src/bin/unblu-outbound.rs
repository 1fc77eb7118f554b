//! The Lambda function `unblu-outbound`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    trunkline_runtime::outbound::serve(trunkline_unblu::Unblu).await
}
