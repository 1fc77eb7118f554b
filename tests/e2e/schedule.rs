//! An hour's schedule in seconds: the functions' own code, on the deployed table, with a clock that is
//! told what time it is.

use std::sync::Arc;

use jiff::SignedDuration;
use trunkline_shared::model::{Drain, Job, Verdict};
use trunkline_shared::outbound::{Budget, work};
use trunkline_tests::{Ahead, Behaviour, Scene, World};
use trunkline_webhook::Webhook;

pub async fn four_more_attempts_within_the_hour_and_then_a_person(world: &World) {
    let scene = Scene::usual(world, "hour").await;
    // The deployed functions meet a good receiver; only what is done here meets a bad one.
    scene.customer_writes("wx-1", "m-0", "hello").await;
    scene.far.hears("/bot", 1).await;
    scene.far.always(Some(Behaviour::down()));

    let void = world.sqs.create_queue().queue_name("hour-void").send().await.unwrap();
    let clock = Arc::new(Ahead::of_now(SignedDuration::ZERO));
    let app = world.app(clock.clone(), void.queue_url);
    let budget = Budget { until: jiff::Timestamp::MAX };
    let record = scene.transcript("wx-1").await.remove(0);
    let mut delivery = record.deliveries().next().unwrap();
    delivery.id = "dlv_hour".into();
    delivery.from = "hour-elsewhere".parse().unwrap();
    let leg = delivery.leg();
    let deliver = serde_json::to_string(&Job::Deliver(Box::new(delivery))).unwrap();
    let drain = serde_json::to_string(&Job::Drain { leg: leg.clone(), why: Drain::Due }).unwrap();

    work(&app, &Webhook, &deliver, 1, budget).await.unwrap();
    for (attempts, seconds) in [(1, 2.0), (2, 30.0), (3, 600.0), (4, 2_700.0)] {
        let parked = app.store.parked(&leg, None, 10).await.unwrap();
        assert_eq!((parked.len(), parked[0].attempts), (1, attempts));
        let now = trunkline_shared::app::Clock::now(&*clock);
        let wait = parked[0].due.unwrap().duration_since(now);
        let bounds = (seconds * 0.8 - 1.0)..=(seconds * 1.2);
        assert!(bounds.contains(&wait.as_secs_f64()), "{attempts}: {wait}");
        // Too early, nothing is attempted.
        clock.advance(wait - SignedDuration::from_secs(1));
        work(&app, &Webhook, &drain, 1, budget).await.unwrap();
        assert_eq!(scene.far.heard("/bot").len(), 1 + usize::try_from(attempts).unwrap());
        clock.advance(SignedDuration::from_secs(1));
        work(&app, &Webhook, &drain, 1, budget).await.unwrap();
    }
    assert_eq!(scene.far.heard("/bot").len(), 1 + 5, "once, and four times more");
    assert!(app.store.parked(&leg, None, 10).await.unwrap().is_empty(), "its leg is free");
    let failed = app.store.failed(&leg.connection, None, 10).await.unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 5));
    assert!(!failed[0].reason.is_empty());
    assert!(Verdict::Exhausted.can_be_replayed());
    let breaker = app.store.breaker(&leg.connection).await.unwrap();
    assert!(breaker.is_open(), "five in a row have opened the breaker");
}
