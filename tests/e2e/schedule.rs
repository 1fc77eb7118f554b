//! The retry schedule of an hour in seconds: the outbound code on the deployed table, with a shifted
//! clock.

use std::sync::Arc;

use jiff::SignedDuration;
use trunkline_core::model::{DrainReason, Job, Verdict};
use trunkline_runtime::outbound::{Budget, Receipt, run_job};
use trunkline_tests::{Behaviour, Fixture, ShiftedClock, TestEnvironment};
use trunkline_webhook::Webhook;

pub async fn retries_four_times_within_an_hour_then_waits_for_operator(env: &TestEnvironment) {
    let fixture = Fixture::webex_and_bot(env, "hour").await;
    // The receiver works for the deployed functions, and fails for the attempts in this test.
    fixture.send_webex_message("wx-1", "m-0", "hello").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    fixture.mock.set_behaviour(Some(Behaviour::down()));

    let void = env.sqs.create_queue().queue_name("hour-void").send().await.unwrap();
    let clock = Arc::new(ShiftedClock::ahead_by(SignedDuration::ZERO));
    let app = env.app(clock.clone(), void.queue_url);
    let budget = Budget { latest_start: jiff::Timestamp::MAX };
    let record = fixture.transcript("wx-1").await.remove(0);
    let mut delivery = record.deliveries().next().unwrap();
    delivery.id = "dlv_hour".into();
    delivery.from = "hour-elsewhere".parse().unwrap();
    let leg = delivery.leg();
    let deliver = serde_json::to_string(&Job::Deliver(Box::new(delivery))).unwrap();
    let drain =
        serde_json::to_string(&Job::Drain { leg: leg.clone(), reason: DrainReason::Due }).unwrap();

    run_job(&app, &Webhook, &deliver, Receipt::FIRST, budget).await.unwrap();
    for (attempts, seconds) in [(1, 2.0), (2, 30.0), (3, 600.0), (4, 2_700.0)] {
        let parked = app.store.parked(&leg, None, 10).await.unwrap();
        assert_eq!((parked.len(), parked[0].attempts), (1, attempts));
        let now = trunkline_runtime::app::Clock::now(&*clock);
        let wait = parked[0].next_attempt_at.unwrap().duration_since(now);
        let bounds = (seconds * 0.8 - 1.0)..=(seconds * 1.2);
        assert!(bounds.contains(&wait.as_secs_f64()), "{attempts}: {wait}");
        // One second too early: no attempt.
        clock.advance(wait - SignedDuration::from_secs(1));
        run_job(&app, &Webhook, &drain, Receipt::FIRST, budget).await.unwrap();
        assert_eq!(fixture.mock.requests("/bot").len(), 1 + usize::try_from(attempts).unwrap());
        clock.advance(SignedDuration::from_secs(1));
        run_job(&app, &Webhook, &drain, Receipt::FIRST, budget).await.unwrap();
    }
    assert_eq!(
        fixture.mock.requests("/bot").len(),
        1 + 5,
        "one delivery before, and five attempts"
    );
    assert!(
        app.store.parked(&leg, None, 10).await.unwrap().is_empty(),
        "the leg has no parked deliveries"
    );
    let failed = app.store.failed(&leg.connection, None, 10).await.unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 5));
    assert!(!failed[0].reason.is_empty());
    assert!(Verdict::Exhausted.can_be_replayed());
    let breaker = app.store.breaker(&leg.connection).await.unwrap();
    assert!(breaker.is_open(), "five failures in a row open the breaker");
}
