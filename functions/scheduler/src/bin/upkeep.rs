//! The Lambda function `upkeep`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    trunkline_scheduler::serve().await
}
