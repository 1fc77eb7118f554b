//! The mixed case: every platform's inbound function accepts messages, and every platform's outbound function delivers
//! them. The mocks of the platforms play both parties of each conversation.

mod bed;
mod parties;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use trunkline_mock::Persona;

use crate::aws::CallStats;
use crate::lambda::ProcessUsage;
use crate::measurement::PerMessage;

use bed::MixedBed;
use parties::Exchanges;
pub use tables::print;

/// A route: a customer on one platform and a bot or an agent on another.
#[derive(Debug, Clone, Copy)]
struct Pair {
    channel: &'static str,
    partner: &'static str,
    persona: Persona,
}

/// The routes. Every platform is in one, so that the functions of a call show which platform the message came from.
const PAIRS: [Pair; 3] = [
    Pair { channel: "webex", partner: "servisbot", persona: Persona::Bot },
    Pair { channel: "cm", partner: "twin", persona: Persona::Bot },
    Pair { channel: "webhook", partner: "unblu", persona: Persona::Agent },
];

/// Conversations of each route, which write at the same time.
const CONVERSATIONS: usize = 6;
/// Processes per function.
const WIDTH: usize = 2;
/// Duration of the messages before a measurement, which open connections and conversations and fill caches.
const WARM_UP: Duration = Duration::from_secs(3);

/// The results of a run.
#[derive(Debug, Serialize)]
pub struct MixedRun {
    /// Messages per second of CPU time of all inbound and outbound functions.
    pub per_core_second: f64,
    /// Messages per second.
    pub rate: f64,
    /// The messages by the platform that they came from.
    pub from: BTreeMap<&'static str, PlatformFigures>,
}

/// The figures of the messages from one platform.
#[derive(Debug, Default, Serialize)]
pub struct PlatformFigures {
    /// The platform that the messages went to.
    pub to: &'static str,
    /// Messages that arrived.
    pub messages: usize,
    pub refused: usize,
    pub lost: usize,
    pub repeated: usize,
    /// CPU time of the inbound function of the platform per message from it, in microseconds.
    pub inbound_cpu_us: f64,
    /// CPU time of the outbound function of the platform per message to it, in microseconds.
    pub outbound_cpu_us: f64,
    /// AWS calls per message, by operation: those of the inbound function, and of the outbound function of `to`.
    pub calls: BTreeMap<String, PerMessage>,
    /// Sums of the calls.
    pub aws_calls: f64,
    pub read_units: f64,
    pub write_units: f64,
}

impl MixedRun {
    /// Returns whether any message was refused, lost or repeated.
    pub fn is_broken(&self) -> bool {
        self.from.values().any(|figures| figures.refused + figures.lost + figures.repeated > 0)
    }
}

/// Measures one run of about `time`.
pub async fn measure(programs: &Path, time: Duration) -> MixedRun {
    let (bed, conversations) = MixedBed::start(programs, WIDTH).await;
    let (conversations, _) = parties::converse(&bed.gateway, conversations, WARM_UP).await;
    bed.aws.counts.take();
    let before = bed.used();
    let (_conversations, exchanges) = parties::converse(&bed.gateway, conversations, time).await;
    // The outcomes of the last messages follow their arrival.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = bed.used();
    let used = after.iter().map(|(name, usage)| (name.clone(), usage.since(before[name])));
    evaluate(&exchanges, &used.collect(), &bed.aws.counts.take(), time)
}

fn evaluate(
    exchanges: &BTreeMap<&'static str, Exchanges>,
    used: &BTreeMap<String, ProcessUsage>,
    calls: &BTreeMap<String, CallStats>,
    time: Duration,
) -> MixedRun {
    let count = |platform: &str| exchanges.get(platform).map_or(0, |one| one.arrived);
    let cpu_us = |function: &str| used.get(function).map_or(0.0, |one| one.cpu.as_secs_f64() * 1e6);
    let directions =
        PAIRS.iter().flat_map(|pair| [(pair.channel, pair.partner), (pair.partner, pair.channel)]);
    let from = directions.map(|(from, to)| {
        let outcomes = exchanges.get(from).copied().unwrap_or_default();
        // The messages from `from` are those to `to`, and the other way around.
        let calls = calls_of(calls, from, to, outcomes.arrived);
        let sum = |of: fn(&PerMessage) -> f64| calls.values().map(of).sum();
        let figures = PlatformFigures {
            to,
            messages: outcomes.arrived,
            refused: outcomes.refused,
            lost: outcomes.lost,
            repeated: outcomes.repeated,
            inbound_cpu_us: cpu_us(&format!("{from}-inbound")) / count(from).max(1) as f64,
            outbound_cpu_us: cpu_us(&format!("{from}-outbound")) / count(to).max(1) as f64,
            aws_calls: sum(|call| call.count),
            read_units: sum(|call| call.read_units),
            write_units: sum(|call| call.write_units),
            calls,
        };
        (from, figures)
    });
    let messages: usize = exchanges.values().map(|one| one.arrived).sum();
    let cpu: f64 = used.values().map(|one| one.cpu.as_secs_f64()).sum();
    MixedRun {
        per_core_second: messages as f64 / cpu.max(f64::EPSILON),
        rate: messages as f64 / time.as_secs_f64(),
        from: from.collect(),
    }
}

/// Returns the calls that the messages from one platform to another cause, per message.
///
/// An outbound function does not know where a delivery came from, so all its calls are those of the messages from the other
/// platform of its route. A receipt, such as that a message of Unblu's agent was delivered, is a delivery to the
/// sender: it counts with the messages in the other direction.
fn calls_of(
    all: &BTreeMap<String, CallStats>,
    from: &str,
    to: &str,
    messages: usize,
) -> BTreeMap<String, PerMessage> {
    let (inbound, outbound) = (format!("{from}-inbound"), format!("{to}-outbound"));
    let of_them = all.iter().filter_map(|(name, call)| {
        let (function, operation) = name.split_once(' ')?;
        let way = match function {
            name if name == inbound => "inbound",
            name if name == outbound => "outbound",
            _ => return None,
        };
        Some((format!("{way} {operation}"), PerMessage::of(*call, messages.max(1) as f64)))
    });
    of_them.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_is_in_one_route() {
        let mut all: Vec<&str> =
            PAIRS.iter().flat_map(|pair| [pair.channel, pair.partner]).collect();
        all.sort_unstable();
        let mut known: Vec<String> =
            trunkline_registry::PLATFORMS.ids().iter().map(ToString::to_string).collect();
        known.sort_unstable();
        assert_eq!(all, known);
    }

    #[test]
    fn units_are_those_of_the_platform_that_a_message_came_from() {
        let call = |units| CallStats { write_units: units, ..CallStats::of(100) };
        let calls = BTreeMap::from([
            ("webex-inbound PutItem".to_owned(), call(4.0)),
            ("servisbot-outbound UpdateItem".to_owned(), call(2.0)),
            ("servisbot-inbound PutItem".to_owned(), call(1.0)),
            ("scheduler Query".to_owned(), call(1.0)),
        ]);
        let arrived = |arrived| Exchanges { arrived, ..Exchanges::default() };
        let exchanges = BTreeMap::from([("webex", arrived(2)), ("servisbot", arrived(1))]);
        let run = evaluate(&exchanges, &BTreeMap::new(), &calls, Duration::from_secs(3));
        assert!((run.from["webex"].write_units - 3.0).abs() < 1e-9, "{run:?}");
        assert!((run.from["servisbot"].write_units - 1.0).abs() < 1e-9, "{run:?}");
        assert!((run.rate - 1.0).abs() < 1e-9, "{run:?}");
    }
}
