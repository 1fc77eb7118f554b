//! The Lambda function `twin-listener`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    trunkline_twin::listener::serve().await
}
