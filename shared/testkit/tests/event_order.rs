//! The order of a transcript and the recognition of repeated events, compared with a simple model, for
//! honest and hostile timestamps.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use trunkline_core::model::{Event, EventRecord};
use trunkline_runtime::app::Clock;
use trunkline_runtime::store::EventCursor;
use trunkline_testkit::{Fault, TestStack, message};

/// The newest events that the tests ask for.
const NEWEST: usize = 5;

/// What an event's own timestamp says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum OwnTime {
    /// The platform reports none.
    Missing,
    /// That many seconds from the arrival.
    Skewed(i64),
    /// The same as that of all other such events.
    Equal,
    /// One of the times that no honest clock shows.
    Hostile(usize),
}

const HOSTILE: [&str; 5] = [
    "-009999-01-02T01:59:59Z",
    "-000001-12-31T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
    "2999-01-01T00:00:00Z",
    "9999-12-30T22:00:00.999Z",
];

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The channel sends a new event.
    New(OwnTime),
    /// The channel sends an earlier event again, with the same id and timestamp.
    Repeat(prop::sample::Index),
    /// The channel sends the id of an earlier event again, with another timestamp.
    OtherTime(prop::sample::Index, i64),
    /// The function crashes at its next write of this number, while the channel sends a new event.
    Crash(OwnTime, usize),
    /// Time passes, in seconds.
    Wait(i64),
}

fn own_time() -> impl Strategy<Value = OwnTime> {
    prop_oneof![
        Just(OwnTime::Missing),
        (-5_i64..5).prop_map(OwnTime::Skewed),
        (-100_000_i64..100_000).prop_map(OwnTime::Skewed),
        Just(OwnTime::Equal),
        (0..HOSTILE.len()).prop_map(OwnTime::Hostile),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => own_time().prop_map(Step::New),
        4 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        2 => (any::<prop::sample::Index>(), 1_i64..5_000).prop_map(|(at, by)| Step::OtherTime(at, by)),
        2 => (own_time(), 1_usize..3).prop_map(|(at, nth)| Step::Crash(at, nth)),
        3 => prop_oneof![1_i64..120, 600_i64..2_000, 80_000_i64..400_000].prop_map(Step::Wait),
    ]
}

/// The stack, and what must be true of it.
struct Fixture {
    stack: TestStack,
    /// The events that were sent, whether accepted or not.
    sent: Vec<Event>,
    /// The accepted events in the order of their arrival: id and own time.
    accepted: Vec<(String, Timestamp)>,
    /// The accepted events by what identifies them.
    known: BTreeSet<Identity>,
}

/// What identifies an event on its platform: its id, and its own time in milliseconds if it repeats that.
type Identity = (String, Option<i64>);

fn identity(event: &Event) -> Identity {
    (event.id.as_str().to_owned(), event.identifying_time().map(Timestamp::as_millisecond))
}

impl Fixture {
    async fn new() -> Self {
        let stack = TestStack::with_bot().await;
        Self { stack, sent: Vec::new(), accepted: Vec::new(), known: BTreeSet::new() }
    }

    /// Builds a new event.
    fn event(&mut self, own_time: OwnTime) -> Event {
        let id = format!("m-{}", self.sent.len());
        let event = self.stack.event("channel", "c-1", &id, message("hi"));
        let now = self.stack.clock.now();
        let at = match own_time {
            OwnTime::Missing => now,
            OwnTime::Skewed(seconds) => now + SignedDuration::from_secs(seconds),
            OwnTime::Equal => "2026-03-04T09:00:00.001Z".parse().unwrap(),
            OwnTime::Hostile(which) => HOSTILE[which].parse().unwrap(),
        };
        let event = Event { at, stable_timestamp: own_time != OwnTime::Missing, ..event };
        self.sent.push(event.clone());
        event
    }

    /// Sends an event, and checks whether it is recognized as a repeat.
    async fn post(&mut self, event: Event) {
        let answer = self.stack.post("channel", std::slice::from_ref(&event)).await;
        assert!(answer.is_success(), "{answer:?} to {event:?}");
        let is_known = !self.known.insert(identity(&event));
        assert_eq!(answer.is_duplicate(), is_known, "{event:?}");
        if !is_known {
            self.accepted.push((event.id.as_str().to_owned(), event.at));
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::New(own_time) => {
                let event = self.event(own_time);
                self.post(event).await;
            }
            Step::Repeat(which) if !self.sent.is_empty() => {
                let event = which.get(&self.sent).clone();
                self.post(event).await;
            }
            Step::OtherTime(which, by) if !self.sent.is_empty() => {
                let event = which.get(&self.sent).clone();
                let at = event.at.checked_sub(SignedDuration::from_millis(by));
                self.post(Event { at: at.unwrap_or(event.at), ..event }).await;
            }
            Step::Repeat(_) | Step::OtherTime(..) => {}
            Step::Crash(own_time, nth) => {
                let event = self.event(own_time);
                self.stack.faults().at("dynamodb", "PutItem", nth, Fault::CrashBefore);
                let answer = self.stack.post("channel", std::slice::from_ref(&event)).await;
                self.stack.faults().clear();
                if answer.is_success() {
                    assert!(!answer.is_duplicate());
                    self.known.insert(identity(&event));
                    self.accepted.push((event.id.as_str().to_owned(), event.at));
                } else {
                    // The platform sends it again.
                    self.post(event).await;
                }
            }
            Step::Wait(seconds) => {
                self.stack.clock.advance(SignedDuration::from_secs(seconds));
            }
        }
    }

    /// Compares the newest events, and the whole transcript page by page, with the model.
    async fn check(&self) {
        let store = &self.stack.app.store;
        let (key, now) = (self.stack.key("channel", "c-1"), self.stack.clock.now());
        let seen = |record: &EventRecord| (record.event.id.as_str().to_owned(), record.event.at);
        let newest = store.transcript(&key, u16::try_from(NEWEST).unwrap(), now).await.unwrap();
        let newest: Vec<_> = newest.iter().map(seen).collect();
        let expected = &self.accepted[self.accepted.len().saturating_sub(NEWEST)..];
        assert_eq!(newest, expected, "the newest events");
        let (mut all, mut after): (Vec<_>, Option<EventCursor>) = (Vec::new(), None);
        loop {
            let (page, next) = store.timeline(&key, after.as_ref(), 3, now).await.unwrap();
            all.extend(page.iter().map(seen));
            after = next;
            if after.is_none() {
                break;
            }
        }
        all.reverse();
        assert_eq!(all, self.accepted, "the whole transcript");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Shows W18.
    #[test]
    fn transcript_has_every_event_once_in_the_order_of_arrival(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
            let mut fixture = Fixture::new().await;
            for step in steps {
                fixture.take(step).await;
            }
            fixture.check().await;
        });
    }
}
