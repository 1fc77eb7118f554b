//! The Lambda function `scheduler`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    trunkline_scheduler::serve().await
}
