//! From counts and prices to a bill.

use serde::{Deserialize, Serialize};

use super::Prices;

/// What one of a kind comes to, as it was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Runs of inbound functions, each by one HTTP call.
    pub inbound_runs: f64,
    /// Runs of outbound functions, each by one batch that was received and deleted.
    pub outbound_runs: f64,
    /// AWS calls of inbound functions, one after another.
    pub inbound_calls: f64,
    /// AWS calls of outbound functions, one after another.
    pub outbound_calls: f64,
    /// Calls of far sides.
    pub far_side_calls: f64,
    /// Calls that sent messages to queues.
    pub sqs_sends: f64,
    /// `DynamoDB`'s read request units.
    pub read_units: f64,
    /// `DynamoDB`'s write request units.
    pub write_units: f64,
    /// Bytes of what is written to the table.
    pub stored_bytes: f64,
    /// Bytes logged.
    pub logged_bytes: f64,
}

impl Counted {
    /// For how many seconds functions are at work on one, whose deliveries share so many batches:
    /// deliveries of a batch are made side by side, the calls of each one after another.
    #[must_use]
    pub fn seconds(&self, batches: f64, call_ms: f64, far_side_ms: f64) -> f64 {
        let inbound = self.inbound_calls * call_ms;
        let each = self.outbound_calls / self.far_side_calls.max(1.0) * call_ms;
        (inbound + batches * (each + far_side_ms)) / 1_000.0
    }
}

/// What was counted of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// A message from one side to the other.
    pub message: Counted,
    /// A copy of it for an observer.
    pub copy: Counted,
    /// A receipt of it, passed on to its sender.
    pub receipt: Counted,
}

/// What is assumed where nothing can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Assumed {
    /// Messages.
    pub messages: f64,
    /// Copies of each.
    pub copies: f64,
    /// Receipts of each.
    pub receipts: f64,
    /// Milliseconds that an AWS call takes.
    pub call_ms: f64,
    /// Milliseconds that a far side takes to answer.
    pub far_side_ms: f64,
    /// A function's memory, in MB.
    pub memory_mb: f64,
    /// Deliveries in a batch; as counted, if absent.
    pub batch: Option<f64>,
    /// Days that transcripts are kept.
    pub retention_days: f64,
    /// Bytes that a call to a far side sends, with its headers.
    pub sent_bytes: f64,
    /// Bytes that the access log has of a call.
    pub access_bytes: f64,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What it is for.
    pub what: &'static str,
    /// How much of it.
    pub quantity: f64,
    /// In what it is counted.
    pub unit: &'static str,
    /// What it comes to, in USD.
    pub usd: f64,
}

impl Line {
    fn of(what: &'static str, quantity: f64, unit: &'static str, price: f64) -> Self {
        Self { what, quantity, unit, usd: quantity * price }
    }
}

/// A bill.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bill {
    /// What relaying costs.
    pub relayed: Vec<Line>,
    /// What keeping the transcripts costs.
    pub kept: Vec<Line>,
}

impl Bill {
    /// What lines come to, in USD.
    #[must_use]
    pub fn sum(lines: &[Line]) -> f64 {
        lines.iter().map(|line| line.usd).sum()
    }
}

/// The bill for messages with their copies and receipts.
#[must_use]
pub fn bill(counts: &Counts, assumed: &Assumed, prices: &Prices) -> Bill {
    let kinds =
        [(counts.message, 1.0), (counts.copy, assumed.copies), (counts.receipt, assumed.receipts)];
    let total = |of: &dyn Fn(&Counted) -> f64| -> f64 {
        kinds.iter().map(|(kind, times)| of(kind) * times * assumed.messages).sum()
    };
    let batches = |kind: &Counted| match assumed.batch {
        Some(batch) => kind.far_side_calls / batch.max(1.0),
        None => kind.outbound_runs,
    };
    let seconds =
        |kind: &Counted| kind.seconds(batches(kind), assumed.call_ms, assumed.far_side_ms);
    let line = |what, quantity, unit, price| Line::of(what, quantity, unit, prices.of(price));
    let gigabytes = |bytes: f64| bytes / 1e9;
    let runs = total(&|kind| kind.inbound_runs + batches(kind));
    let memory = assumed.memory_mb / 1_024.0;
    let polls = total(&|kind| batches(kind) * 2.0);
    let sent = gigabytes(total(&|kind| kind.far_side_calls * assumed.sent_bytes));
    let accesses = gigabytes(total(&|kind| kind.inbound_runs * assumed.access_bytes));
    let stored = gigabytes(total(&|kind| kind.stored_bytes)) * assumed.retention_days / 30.0;
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
        kept: vec![
            line("DynamoDB, storage", stored, "GB-months", "stored_gb_month"),
            line("DynamoDB, backup", stored, "GB-months", "backed_up_gb_month"),
        ],
    }
}

/// What a template has that costs something by being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Event source mappings of FIFO queues.
    pub fifo: usize,
    /// Event source mappings of standard queues.
    pub standard: usize,
    /// Metrics that alarms look at.
    pub alarms: usize,
}

impl Standing {
    /// What a template of ours has.
    #[must_use]
    pub fn of(template: &str) -> Self {
        let mappings = || template.lines().filter_map(|l| l.trim().strip_prefix("Queue: !GetAtt "));
        let is_standard = |queue: &&str| matches!(*queue, "WakeQueue.Arn" | "TwinListenQueue.Arn");
        let standard = mappings().filter(is_standard).count();
        Self {
            fifo: mappings().count() - standard,
            standard,
            // Each metric that an alarm looks at is billed.
            alarms: template.matches("Namespace: ").count(),
        }
    }
}

/// What a stack costs a month whether anything is relayed or not: its queues are asked for messages all
/// the time, its alarms and metrics are there, and so many listeners run.
#[must_use]
pub fn fixed(standing: Standing, listeners: f64, memory_mb: f64, prices: &Prices) -> Vec<Line> {
    // Five pollers, each of which asks every 20 seconds.
    const POLLS: f64 = 5.0 * 3.0 * 60.0 * 730.0;
    // What is usually counted (accepted, delivered and its time, retried, parked, failed), over all and for
    // two platforms; and what waits.
    const METRICS: f64 = 6.0 * 3.0 + 1.0;
    const SECONDS: f64 = 3_600.0 * 730.0;
    let line = |what, quantity, unit, price| Line::of(what, quantity, unit, prices.of(price));
    #[expect(clippy::cast_precision_loss, reason = "a template has a few of each")]
    let [fifo, standard, alarms] =
        [standing.fifo, standing.standard, standing.alarms].map(|count| count as f64);
    let listening = listeners * SECONDS * memory_mb / 1_024.0;
    vec![
        line("SQS, asking empty FIFO queues", fifo * POLLS, "calls", "sqs_fifo_call"),
        line("SQS, asking empty queues", standard * POLLS, "calls", "sqs_standard_call"),
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

    fn assumed(messages: f64, copies: f64, receipts: f64) -> Assumed {
        Assumed {
            messages,
            copies,
            receipts,
            call_ms: 6.0,
            far_side_ms: 100.0,
            memory_mb: 256.0,
            batch: None,
            retention_days: 90.0,
            sent_bytes: 1_500.0,
            access_bytes: 400.0,
        }
    }

    fn relayed(assumed: &Assumed) -> f64 {
        let counts: Counts = serde_json::from_str(COUNTS).unwrap();
        let prices: Prices = serde_json::from_str(PRICES).unwrap();
        Bill::sum(&bill(&counts, assumed, &prices).relayed)
    }

    proptest! {
        #[test]
        fn a_bill_grows_with_what_is_relayed(
            messages in 0.0..1e9_f64, copies in 0.0..5.0_f64, receipts in 0.0..3.0_f64,
        ) {
            let one = relayed(&assumed(1.0, copies, receipts));
            let all = relayed(&assumed(messages, copies, receipts));
            prop_assert!((all - one * messages).abs() <= all * 1e-9, "{all} for {messages}");
            prop_assert!(one >= relayed(&assumed(1.0, 0.0, 0.0)));
        }

        #[test]
        fn larger_batches_cost_less(batch in 1.0..10.0_f64) {
            let usual = assumed(1e6, 0.0, 0.0);
            let alone = relayed(&Assumed { batch: Some(1.0), ..usual });
            let together = relayed(&Assumed { batch: Some(batch), ..usual });
            prop_assert!(together <= alone);
        }
    }

    #[test]
    fn every_line_has_a_price() {
        let counts: Counts = serde_json::from_str(COUNTS).unwrap();
        let prices: Prices = serde_json::from_str(PRICES).unwrap();
        let Bill { relayed, kept } = bill(&counts, &assumed(1.0, 1.0, 1.0), &prices);
        let standing = fixed(Standing::of(TEMPLATE), 1.0, 256.0, &prices);
        for line in relayed.iter().chain(&kept).chain(&standing) {
            assert!(line.usd > 0.0, "{line:?}");
        }
    }

    #[test]
    fn what_stands_is_told_from_the_template() {
        let standing = Standing::of(TEMPLATE);
        assert_eq!((standing.fifo, standing.standard), (12, 2));
        assert!(standing.alarms >= 2);
    }
}
