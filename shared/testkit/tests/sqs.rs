//! The rules of the emulated SQS, on the manual clock.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use jiff::{SignedDuration, Timestamp};
use trunkline_testkit::ManualClock;
use trunkline_testkit::aws::sqs::contract;
use trunkline_testkit::aws::{InProcessAws, Sqs};

fn client(clock: &Arc<ManualClock>) -> Client {
    let aws = InProcessAws::new(vec![Arc::new(Sqs::new(clock.clone()))]);
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws)
        .build();
    Client::from_conf(config)
}

/// The end-to-end test `sqs_contract` compares these lines with another emulator's.
#[tokio::test(start_paused = true)]
async fn passes_the_script_of_the_contract() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let trace = contract::run(&client(&clock), "ours").await;
    let expected = include_str!("sqs_contract.txt");
    assert_eq!(trace.join("\n"), expected.trim_end());
}

#[tokio::test(start_paused = true)]
async fn forgets_a_deduplication_id_after_five_minutes() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let sqs = client(&clock);
    let create = sqs.create_queue().queue_name("q.fifo");
    let fifo = aws_sdk_sqs::types::QueueAttributeName::FifoQueue;
    let url = create.attributes(fifo, "true").send().await.unwrap().queue_url.unwrap();
    let send = async || {
        let call = sqs.send_message().queue_url(&url).message_body("x");
        let call = call.message_group_id("g").message_deduplication_id("d");
        call.send().await.unwrap().message_id.unwrap()
    };
    let first = send().await;
    clock.advance(SignedDuration::from_secs(299));
    assert_eq!(send().await, first);
    clock.advance(SignedDuration::from_secs(1));
    assert_ne!(send().await, first);
}
