//! Computes a bill from usage and prices.

use serde::{Deserialize, Serialize};

use super::Prices;

/// The measured AWS usage of one message, copy or receipt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Invocations of inbound functions, each by one HTTP call.
    pub inbound_runs: f64,
    /// Invocations of outbound functions, each for one batch that is received and deleted.
    pub outbound_runs: f64,
    /// Sequential AWS calls of inbound functions.
    pub inbound_calls: f64,
    /// Sequential AWS calls of outbound functions.
    pub outbound_calls: f64,
    /// Calls to platforms.
    pub platform_calls: f64,
    /// `SendMessage` calls.
    pub sqs_sends: f64,
    /// `DynamoDB` read request units.
    pub read_units: f64,
    /// `DynamoDB` write request units.
    pub write_units: f64,
    /// Bytes written to the table.
    pub stored_bytes: f64,
    /// Log volume, in bytes.
    pub logged_bytes: f64,
}

impl Usage {
    /// Returns the seconds that functions run for one item whose deliveries take `batches` invocations. The
    /// deliveries of a batch run concurrently; the calls of each delivery run sequentially.
    #[must_use]
    pub fn function_seconds(&self, batches: f64, call_ms: f64, platform_ms: f64) -> f64 {
        let inbound = self.inbound_calls * call_ms;
        let each = self.outbound_calls / self.platform_calls.max(1.0) * call_ms;
        (inbound + batches * (each + platform_ms)) / 1_000.0
    }
}

/// The measured usage of each kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UsageByKind {
    /// Usage per message.
    pub message: Usage,
    /// A copy of it for an observer.
    pub copy: Usage,
    /// A receipt of it, relayed to its sender.
    pub receipt: Usage,
}

/// The traffic, and what cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Assumptions {
    pub messages: f64,
    /// Copies per message.
    pub copies: f64,
    /// Relayed receipts per message.
    pub receipts: f64,
    /// Duration of an AWS call, in milliseconds.
    pub call_ms: f64,
    /// Response time of a platform, in milliseconds.
    pub platform_ms: f64,
    /// Memory of a function, in MB.
    pub memory_mb: f64,
    /// Deliveries per batch; `None` for the measured number.
    pub batch: Option<f64>,
    /// Retention of transcripts, in days.
    pub retention_days: f64,
    /// Bytes sent per call to a platform, including headers.
    pub sent_bytes: f64,
    /// Bytes in the access log per call.
    pub access_bytes: f64,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BillLine {
    /// For example `SQS, sending`.
    pub what: &'static str,
    pub quantity: f64,
    /// For example `calls` or `GB`.
    pub unit: &'static str,
    /// Cost of this line, in USD.
    pub usd: f64,
}

impl BillLine {
    fn new(what: &'static str, quantity: f64, unit: &'static str, price: f64) -> Self {
        Self { what, quantity, unit, usd: quantity * price }
    }
}

/// A bill for a number of messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bill {
    /// Cost of relaying.
    pub relayed: Vec<BillLine>,
    /// Cost of storing the transcripts.
    pub stored: Vec<BillLine>,
}

impl Bill {
    /// Returns the sum of lines, in USD.
    #[must_use]
    pub fn total(lines: &[BillLine]) -> f64 {
        lines.iter().map(|line| line.usd).sum()
    }
}

/// Returns the bill for messages with their copies and receipts.
#[must_use]
pub fn bill(counts: &UsageByKind, assumptions: &Assumptions, prices: &Prices) -> Bill {
    let kinds = [
        (counts.message, 1.0),
        (counts.copy, assumptions.copies),
        (counts.receipt, assumptions.receipts),
    ];
    let total = |of: &dyn Fn(&Usage) -> f64| -> f64 {
        kinds.iter().map(|(kind, times)| of(kind) * times * assumptions.messages).sum()
    };
    let batches = |kind: &Usage| match assumptions.batch {
        Some(batch) => kind.platform_calls / batch.max(1.0),
        None => kind.outbound_runs,
    };
    let seconds = |kind: &Usage| {
        kind.function_seconds(batches(kind), assumptions.call_ms, assumptions.platform_ms)
    };
    let line =
        |what, quantity, unit, price| BillLine::new(what, quantity, unit, prices.price(price));
    let gigabytes = |bytes: f64| bytes / 1e9;
    let runs = total(&|kind| kind.inbound_runs + batches(kind));
    let memory = assumptions.memory_mb / 1_024.0;
    let polls = total(&|kind| batches(kind) * 2.0);
    let sent = gigabytes(total(&|kind| kind.platform_calls * assumptions.sent_bytes));
    let accesses = gigabytes(total(&|kind| kind.inbound_runs * assumptions.access_bytes));
    let stored = gigabytes(total(&|kind| kind.stored_bytes)) * assumptions.retention_days / 30.0;
    Bill {
        relayed: vec![
            line("API Gateway, calls", total(&|kind| kind.inbound_runs), "calls", "http_call"),
            line("Lambda, runs", runs, "runs", "lambda_run"),
            line("Lambda, time", total(&seconds) * memory, "GB-seconds", "lambda_gb_second"),
            line("SQS, sending", total(&|kind| kind.sqs_sends), "calls", "sqs_fifo_call"),
            line("SQS, receiving and deleting", polls, "calls", "sqs_fifo_call"),
            line("DynamoDB, reads", total(&|kind| kind.read_units), "units", "read_unit"),
            line("DynamoDB, writes", total(&|kind| kind.write_units), "units", "write_unit"),
            line("Logs", gigabytes(total(&|kind| kind.logged_bytes)), "GB", "logged_gb"),
            line("Logs, access", accesses, "GB", "logged_gb"),
            line("Data sent out", sent, "GB", "sent_gb"),
        ],
        stored: vec![
            line("DynamoDB, storage", stored, "GB-months", "stored_gb_month"),
            line("DynamoDB, backup", stored, "GB-months", "backed_up_gb_month"),
        ],
    }
}

/// The resources of a template that cost money without traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FixedResources {
    /// Event source mappings of FIFO queues: one for each platform.
    pub fifo: usize,
    /// Event source mappings of standard queues.
    pub standard: usize,
    /// Metrics evaluated by alarms.
    pub alarms: usize,
}

impl FixedResources {
    /// Counts the resources of a stack with some platforms, in the text of Trunkline's template. `absent` are the ids
    /// of the platforms that the stack does not have.
    #[must_use]
    pub fn of(template: &str, absent: &[&str]) -> Self {
        let mut found = Self::default();
        let mut is_present = true;
        for line in template.lines() {
            if let Some(resource) = resource_name(line) {
                is_present = !absent.iter().any(|platform| belongs_to(resource, platform));
            }
            if is_present {
                found.count(line.trim());
            }
        }
        found
    }

    fn count(&mut self, line: &str) {
        // AWS bills each metric that an alarm evaluates.
        self.alarms += usize::from(line.contains("Namespace: "));
        let Some(queue) = line.strip_prefix("Queue: !GetAtt ") else { return };
        let is_standard =
            ["TasksQueue.Arn", "ListenQueue.Arn"].iter().any(|end| queue.ends_with(end));
        let counted = if is_standard { &mut self.standard } else { &mut self.fifo };
        *counted += 1;
    }
}

/// Returns the name of a resource in the line that begins it.
fn resource_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
}

/// Whether a resource is one of a platform's, such as `ToyQueue` of `toy`.
fn belongs_to(resource: &str, platform: &str) -> bool {
    let start = resource.get(..platform.len()).is_some_and(|s| s.eq_ignore_ascii_case(platform));
    let rest = resource.get(platform.len()..).unwrap_or_default();
    start && rest.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Returns the monthly cost of a stack without traffic: polling of empty queues and measuring them once a
/// minute, the tick, its metrics, alarms, and TWIN listeners.
#[must_use]
pub fn fixed_costs(
    fixed: FixedResources,
    listeners: f64,
    memory_mb: f64,
    prices: &Prices,
) -> Vec<BillLine> {
    // Five pollers, each of which polls every 20 seconds.
    const POLLS: f64 = 5.0 * 3.0 * MINUTES;
    const MINUTES: f64 = 60.0 * 730.0;
    const SECONDS: f64 = 3_600.0 * 730.0;
    // Of each platform, the outbound queue and the dead-letter queue.
    const MEASURED: f64 = 2.0;
    // What a tick without work reads: the due tasks in eight parts, what is parked, and the state of queues and platforms.
    const TICK_READS: f64 = 14.0;
    const TICK_SECONDS: f64 = 0.15;
    // Two gauges: what is parked, and the dead letters in queues.
    const GAUGES: f64 = 2.0;
    let line =
        |what, quantity, unit, price| BillLine::new(what, quantity, unit, prices.price(price));
    #[expect(clippy::cast_precision_loss, reason = "a template has a few of each")]
    let [fifo, standard, alarms] =
        [fixed.fifo, fixed.standard, fixed.alarms].map(|count| count as f64);
    let gigabytes = memory_mb / 1_024.0;
    vec![
        line("SQS, polling empty FIFO queues", fifo * POLLS, "calls", "sqs_fifo_call"),
        line("SQS, polling empty queues", standard * POLLS, "calls", "sqs_standard_call"),
        line("SQS, measuring queues", fifo * MEASURED * MINUTES, "calls", "sqs_fifo_call"),
        line("Lambda, ticks", MINUTES, "runs", "lambda_run"),
        line(
            "Lambda, time of ticks",
            MINUTES * TICK_SECONDS * gigabytes,
            "GB-seconds",
            "lambda_gb_second",
        ),
        line("DynamoDB, reads of ticks", MINUTES * TICK_READS, "units", "read_unit"),
        line("CloudWatch, gauges", GAUGES, "metrics", "metric_month"),
        line("CloudWatch, alarms", alarms, "alarms", "alarm_month"),
        line(
            "Lambda, TWIN listeners",
            listeners * SECONDS * gigabytes,
            "GB-seconds",
            "lambda_gb_second",
        ),
    ]
}

/// Returns the monthly cost of the metrics of a stack that has traffic in every hour: what is accepted, delivered with its
/// duration, retried, parked and failed. CloudWatch bills a metric for the hours in which it has values.
#[must_use]
pub fn traffic_metrics(prices: &Prices) -> Vec<BillLine> {
    const METRICS: f64 = 6.0;
    vec![BillLine::new(
        "CloudWatch, metrics of traffic",
        METRICS,
        "metrics",
        prices.price("metric_month"),
    )]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{COUNTS, PRICES, TEMPLATE};
    use super::*;

    fn assumptions(messages: f64, copies: f64, receipts: f64) -> Assumptions {
        Assumptions {
            messages,
            copies,
            receipts,
            call_ms: 6.0,
            platform_ms: 100.0,
            memory_mb: 256.0,
            batch: None,
            retention_days: 90.0,
            sent_bytes: 1_500.0,
            access_bytes: 400.0,
        }
    }

    fn relayed(assumptions: &Assumptions) -> f64 {
        let counts: UsageByKind = serde_json::from_str(COUNTS).unwrap();
        let prices: Prices = serde_json::from_str(PRICES).unwrap();
        Bill::total(&bill(&counts, assumptions, &prices).relayed)
    }

    proptest! {
        #[test]
        fn cost_is_proportional_to_messages(
            messages in 0.0..1e9_f64, copies in 0.0..5.0_f64, receipts in 0.0..3.0_f64,
        ) {
            let one = relayed(&assumptions(1.0, copies, receipts));
            let all = relayed(&assumptions(messages, copies, receipts));
            prop_assert!((all - one * messages).abs() <= all * 1e-9, "{all} for {messages}");
            prop_assert!(one >= relayed(&assumptions(1.0, 0.0, 0.0)));
        }

        #[test]
        fn larger_batches_cost_no_more(batch in 1.0..10.0_f64) {
            let usual = assumptions(1e6, 0.0, 0.0);
            let alone = relayed(&Assumptions { batch: Some(1.0), ..usual });
            let together = relayed(&Assumptions { batch: Some(batch), ..usual });
            prop_assert!(together <= alone);
        }
    }

    #[test]
    fn every_line_has_a_price() {
        let counts: UsageByKind = serde_json::from_str(COUNTS).unwrap();
        let prices: Prices = serde_json::from_str(PRICES).unwrap();
        let Bill { relayed, stored } = bill(&counts, &assumptions(1.0, 1.0, 1.0), &prices);
        let fixed = fixed_costs(FixedResources::of(TEMPLATE, &[]), 1.0, 256.0, &prices);
        for line in relayed.iter().chain(&stored).chain(&fixed) {
            assert!(line.usd > 0.0, "{line:?}");
        }
    }

    #[test]
    fn fixed_resources_are_counted_in_the_template() {
        let fixed = FixedResources::of(TEMPLATE, &[]);
        assert_eq!((fixed.fifo, fixed.standard), (6, 2));
        // `test_number_of_alarm_metrics_matches_the_cost_document` counts them in the parsed template.
        assert_eq!(fixed.alarms, 19);
    }

    /// Returns the ids of the platforms, those with most resources last.
    fn platforms() -> Vec<&'static str> {
        let mut ids: Vec<_> =
            trunkline_registry::PLATFORMS.iter().map(|known| known.id.as_str()).collect();
        ids.sort_by_key(|id| FixedResources::of(TEMPLATE, &[*id]).standard == 1);
        ids
    }

    fn idle(absent: &[&str]) -> f64 {
        let prices: Prices = serde_json::from_str(PRICES).unwrap();
        Bill::total(&fixed_costs(FixedResources::of(TEMPLATE, absent), 0.0, 256.0, &prices))
    }

    #[test]
    fn a_stack_without_traffic_costs_little() {
        let platforms = platforms();
        let (two, all) = (idle(&platforms[2..]), idle(&[]));
        assert!(two < 4.0, "two platforms: {two}");
        assert!(all < 8.0, "all platforms: {all}");
        let further = idle(&platforms[3..]) - two;
        assert!(further <= 0.5, "a further platform: {further}");
    }
}
