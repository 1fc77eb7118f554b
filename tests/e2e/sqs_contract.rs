//! The queues of the testkit against the local AWS: the same script must have the same result.

use std::sync::Arc;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use trunkline_runtime::app::SystemClock;
use trunkline_testkit::aws::sqs::contract;
use trunkline_testkit::aws::{InProcessAws, Sqs};
use trunkline_tests::TestEnvironment;

pub async fn queues_of_the_testkit_behave_like_the_local_aws(env: &TestEnvironment) {
    let aws = InProcessAws::new(vec![Arc::new(Sqs::new(Arc::new(SystemClock)))]);
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws)
        .build();
    let testkit = aws_sdk_sqs::Client::from_conf(config);
    let (in_process, local_aws) =
        tokio::join!(contract::run(&testkit, "contract"), contract::run(&env.sqs, "contract"));
    assert_eq!(in_process, local_aws);
}
