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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedResources {
    /// Event source mappings of FIFO queues.
    pub fifo: usize,
    /// Event source mappings of standard queues.
    pub standard: usize,
    /// Metrics evaluated by alarms.
    pub alarms: usize,
}

impl FixedResources {
    /// Counts the resources in the text of Trunkline's template.
    #[must_use]
    pub fn of(template: &str) -> Self {
        // An event of a function, or a mapping of its own.
        let queues = template.lines().map(str::trim).filter_map(|line| {
            let queue = line.strip_prefix("Queue: !GetAtt ");
            queue.or_else(|| line.strip_prefix("EventSourceArn: !GetAtt "))
        });
        let is_standard = |queue: &&str| {
            ["TasksQueue.Arn", "ListenQueue.Arn"].iter().any(|end| queue.ends_with(end))
        };
        let (standard, fifo): (Vec<&str>, Vec<&str>) = queues.partition(is_standard);
        Self {
            fifo: fifo.len(),
            standard: standard.len(),
            // AWS bills each metric that an alarm evaluates.
            alarms: template.matches("Namespace: ").count(),
        }
    }
}

/// Returns the monthly cost of a stack without traffic: polling of empty queues and measuring them once a
/// minute, metrics, alarms, and TWIN listeners.
#[must_use]
pub fn fixed_costs(
    fixed: FixedResources,
    listeners: f64,
    memory_mb: f64,
    prices: &Prices,
) -> Vec<BillLine> {
    // Five pollers, each of which polls every 20 seconds.
    const POLLS: f64 = 5.0 * 3.0 * 60.0 * 730.0;
    // Five metrics (delivered and its duration, retried, parked, failed), in total and for two platforms; what
    // is accepted, in total; and three gauges: what is parked, the age of the queues, the dead letters in queues.
    const METRICS: f64 = 5.0 * 3.0 + 1.0 + 3.0;
    const MINUTES: f64 = 60.0 * 730.0;
    const SECONDS: f64 = 3_600.0 * 730.0;
    let line =
        |what, quantity, unit, price| BillLine::new(what, quantity, unit, prices.price(price));
    #[expect(clippy::cast_precision_loss, reason = "a template has a few of each")]
    let [fifo, standard, alarms] =
        [fixed.fifo, fixed.standard, fixed.alarms].map(|count| count as f64);
    let listening = listeners * SECONDS * memory_mb / 1_024.0;
    vec![
        line("SQS, polling empty FIFO queues", fifo * POLLS, "calls", "sqs_fifo_call"),
        line("SQS, polling empty queues", standard * POLLS, "calls", "sqs_standard_call"),
        line("SQS, measuring queues", fifo * MINUTES, "calls", "sqs_fifo_call"),
        line("CloudWatch, metrics", METRICS, "metrics", "metric_month"),
        line("CloudWatch, alarms", alarms, "alarms", "alarm_month"),
        line("Lambda, TWIN listeners", listening, "GB-seconds", "lambda_gb_second"),
    ]
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
        let fixed = fixed_costs(FixedResources::of(TEMPLATE), 1.0, 256.0, &prices);
        for line in relayed.iter().chain(&stored).chain(&fixed) {
            assert!(line.usd > 0.0, "{line:?}");
        }
    }

    #[test]
    fn fixed_resources_are_counted_in_the_template() {
        let fixed = FixedResources::of(TEMPLATE);
        assert_eq!((fixed.fifo, fixed.standard), (12, 2));
        // `test_number_of_alarm_metrics_matches_the_cost_document` counts them in the parsed template.
        assert_eq!(fixed.alarms, 26);
    }
}
