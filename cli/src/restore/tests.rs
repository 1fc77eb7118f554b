//! Copies between two tables in memory, through the SDK.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_core::model::{Leg, LegId};
use trunkline_runtime::aws::Clients;
use trunkline_testkit::aws::{
    AwsRequest, AwsResponse, AwsService, DynamoDb, InProcessAws, json_response, table_definition,
};

use super::copy::Copy;
use super::error::RestoreError;
use super::progress::{Counts, Job, Progress, ProgressFile};
use super::table::Table;
use super::{CountsByKind, RestoreReport};

const NOW: i64 = 1_800_000_000;
const PAGE: i32 = 7;

/// Two tables. Answers half of each batch only, as DynamoDB does if it is busy.
struct Tables {
    dynamodb: DynamoDb,
    /// The number of writes until the service fails.
    writes: AtomicI64,
    scans: AtomicI64,
    /// An item that a worker writes to the stack's table before the next write.
    rival: Mutex<Option<Value>>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Tables {
    fn perform(&self, operation: &str, request: &Value) -> Value {
        let answer = self.dynamodb.run(operation, request.to_string().as_bytes());
        assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(answer.body()));
        serde_json::from_slice(answer.body()).unwrap()
    }

    fn put(&self, table: &str, item: &Value) {
        self.perform("PutItem", &json!({"TableName": table, "Item": item}));
    }

    /// Returns the items of a table by their keys.
    fn items(&self, table: &str) -> BTreeMap<(String, String), Value> {
        let whole = self.perform("Scan", &json!({"TableName": table}));
        let key = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
        let items = whole["Items"].as_array().unwrap().iter();
        items.map(|item| ((key(item, "pk"), key(item, "sk")), item.clone())).collect()
    }

    fn half_of_a_batch(&self, body: &[u8]) -> AwsResponse {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let (table, wanted) =
            request["RequestItems"].as_object_mut().unwrap().iter_mut().next().unwrap();
        let (table, mut later) = (table.clone(), wanted.clone());
        let keys = wanted["Keys"].as_array_mut().unwrap();
        let rest = keys.split_off(keys.len().div_ceil(2));
        later["Keys"] = rest.clone().into();
        let mut answer = self.perform("BatchGetItem", &request);
        if !rest.is_empty() {
            answer["UnprocessedKeys"] = json!({table: later});
        }
        json_response(200, answer.to_string())
    }
}

impl AwsService for Tables {
    fn name(&self) -> &'static str {
        self.dynamodb.name()
    }

    fn operation(&self, request: &AwsRequest) -> Option<String> {
        self.dynamodb.operation(request)
    }

    fn call(&self, operation: &str, request: &AwsRequest) -> AwsResponse {
        match operation {
            "BatchGetItem" => return self.half_of_a_batch(request.body()),
            "Scan" => {
                self.scans.fetch_add(1, Ordering::Relaxed);
            }
            "PutItem" => {
                if let Some(rival) = self.rival.lock().unwrap().take() {
                    self.put("own", &rival);
                }
                if self.writes.fetch_sub(1, Ordering::Relaxed) <= 0 {
                    return self.failed();
                }
            }
            _ => {}
        }
        self.dynamodb.call(operation, request)
    }

    fn throttled(&self) -> AwsResponse {
        self.dynamodb.throttled()
    }

    fn failed(&self) -> AwsResponse {
        self.dynamodb.failed()
    }
}

/// The tables `restored` and `own`, and a folder for the progress.
struct Bench {
    tables: Arc<Tables>,
    client: Client,
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let template = std::fs::read_to_string(template).unwrap();
        let dynamodb = DynamoDb::with_table(&table_definition(&template, "own"));
        let other = table_definition(&template, "restored").to_string();
        assert_eq!(dynamodb.run("CreateTable", other.as_bytes()).status(), 200);
        let tables = Arc::new(Tables {
            dynamodb,
            writes: AtomicI64::new(i64::MAX),
            scans: AtomicI64::new(0),
            rival: Mutex::default(),
        });
        let aws = InProcessAws::new(vec![tables.clone()]);
        let credentials = Credentials::new("test", "test", None, None, "test");
        let endpoint = Some("http://aws.test.local");
        let client = Clients::new(&aws, &credentials, &Region::new("us-east-1"), endpoint).dynamodb;
        let folder =
            std::env::temp_dir().join(format!("trunkline-copy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { tables, client, folder }
    }

    fn file(&self) -> ProgressFile {
        ProgressFile::new(&self.folder, "restored")
    }

    async fn copy(&self, overwrite: bool) -> Result<RestoreReport, RestoreError> {
        let file = self.file();
        let job = Job { from: "restored".into(), created: 0, into: "own".into(), overwrite };
        let progress = file.continue_or_begin(job, 3)?;
        let report = self.run(progress, Some(&file)).await?;
        file.remove()?;
        Ok(report)
    }

    async fn dry_run(&self, overwrite: bool) -> RestoreReport {
        let job = Job { from: "restored".into(), created: 0, into: "own".into(), overwrite };
        self.run(Progress::new(job, 3), None).await.unwrap()
    }

    async fn run(
        &self,
        progress: Progress,
        file: Option<&ProgressFile>,
    ) -> Result<RestoreReport, RestoreError> {
        let table = |name: &str| Table::new(self.client.clone(), name);
        let now = Timestamp::from_second(NOW).unwrap();
        Copy::new(table("restored"), table("own"), progress, file, now, PAGE).run(|_| {}).await
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn item(pk: &str, sk: &str, json: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}, "json": {"S": json}, "v": {"N": "1"}})
}

/// A leg to the bot with a number of parked deliveries, and the items of the latter.
fn leg(customer: &str, parked: u64, version: u64) -> (Value, Vec<Value>) {
    let key = trunkline_core::model::ConversationKey {
        channel: "shop".parse().unwrap(),
        customer: customer.to_owned(),
    };
    let id = LegId { key, connection: "bot".parse().unwrap() };
    let group = id.message_group();
    let leg = Leg { parked, next_seq: parked, version, ..Leg::new(id) };
    let written = serde_json::to_string(&leg).unwrap();
    let mut leg = item(&format!("CONV#shop#{customer}"), "LEG#bot", &written);
    leg["version"] = json!({"N": version.to_string()});
    let pk = format!("PARK#{group}");
    let mut of_leg: Vec<Value> = (0..parked)
        .flat_map(|seq| {
            let delivery = item(&pk, &format!("SEQ#{seq:020}"), "{}");
            [delivery, item(&pk, &format!("ID#dlv_{seq}"), &seq.to_string())]
        })
        .collect();
    if parked > 0 {
        of_leg.push(item("PARKED#bot", &group, "{}"));
    }
    (leg, of_leg)
}

/// Fills the restored table with conversations of twenty customers, legs with parked deliveries, an expired item and
/// a token. Returns the number of items.
fn fill(tables: &Tables) -> usize {
    for customer in 0..20 {
        let pk = format!("CONV#shop#{customer}");
        tables.put("restored", &item(&pk, "CONV", "{}"));
        for event in 0..4 {
            tables.put("restored", &item(&pk, &format!("EVT#2026-03-04#shop#{event}"), "{}"));
        }
        let (leg, of_leg) = leg(&customer.to_string(), customer % 3, 1 + customer);
        tables.put("restored", &leg);
        for item in of_leg {
            tables.put("restored", &item);
        }
    }
    let mut expired = item("HINT#bot#h", "HINT", "{}");
    expired["expires"] = json!({"N": (NOW - 1).to_string()});
    tables.put("restored", &expired);
    tables.put("restored", &item("TOKENS", "tok_1", "{}"));
    tables.items("restored").len()
}

/// Returns what a complete copy into an empty table has.
fn copied(tables: &Tables) -> BTreeMap<(String, String), Value> {
    let mut items = tables.items("restored");
    items.retain(|(pk, _), _| !pk.starts_with("TOKENS") && !pk.starts_with("HINT"));
    items
}

fn total(counts: &CountsByKind, of: fn(&Counts) -> u64) -> usize {
    usize::try_from(counts.values().map(of).sum::<u64>()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_copy_continues_and_equals_its_source() {
    let bench = Bench::new("interrupted");
    let count = fill(&bench.tables);
    let expected = copied(&bench.tables);
    bench.tables.writes.store(60, Ordering::Relaxed);
    let stopped = bench.copy(false).await.unwrap_err().to_string();
    assert!(stopped.contains("PutItem on the table 'own' failed"), "{stopped}");
    assert!(stopped.contains("Run the same command again"), "{stopped}");
    let partial = bench.tables.items("own").len();
    assert!(partial > 0 && partial < expected.len(), "{partial} items");
    let first_scans = bench.tables.scans.swap(0, Ordering::Relaxed);

    bench.tables.writes.store(i64::MAX, Ordering::Relaxed);
    let report = bench.copy(false).await.unwrap();
    assert_eq!(bench.tables.items("own"), expected);
    assert!(report.is_continued, "it began again");
    assert_eq!(total(&report.counts, |counts| counts.found), count, "{:?}", report.counts);
    assert_eq!(total(&report.counts, |counts| counts.expired), 1);
    assert_eq!(total(&report.counts, Counts::left_out), 1, "the token: {:?}", report.counts);
    let second_scans = bench.tables.scans.load(Ordering::Relaxed);
    let whole = i64::try_from(count).unwrap() / i64::from(PAGE);
    assert!(first_scans > 3 && second_scans < whole, "{first_scans} and {second_scans} pages");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_counts_what_the_copy_does_and_writes_nothing() {
    let bench = Bench::new("dry");
    fill(&bench.tables);
    bench.tables.put("own", &item("CONV#shop#1", "CONV", "newer"));
    for overwrite in [false, true] {
        let dry = bench.dry_run(overwrite).await;
        assert_eq!(bench.tables.items("own").len(), 1);
        assert_eq!(std::fs::read_dir(&bench.folder).unwrap().count(), 0);
        let kept = u64::from(!overwrite);
        assert_eq!(
            dry.counts["CONV"],
            Counts { found: 120, written: 120 - kept, kept, expired: 0 }
        );
        if !overwrite {
            continue;
        }
        let counts = bench.copy(overwrite).await.unwrap().counts;
        assert_eq!(counts, dry.counts);
    }
}

#[tokio::test(start_paused = true)]
async fn items_of_the_stack_are_replaced_only_if_asked() {
    let bench = Bench::new("existing");
    fill(&bench.tables);
    let key = |sk: &str| ("CONV#shop#1".to_owned(), sk.to_owned());
    bench.tables.put("own", &item("CONV#shop#1", "CONV", "newer"));
    let (used_since, _) = leg("1", 0, 9);
    bench.tables.put("own", &used_since);
    bench.copy(false).await.unwrap();
    assert_eq!(bench.tables.items("own")[&key("CONV")]["json"]["S"], "newer");
    bench.copy(true).await.unwrap();
    let own = bench.tables.items("own");
    assert_eq!(own[&key("CONV")]["json"]["S"], "{}");
    assert_eq!(own[&key("LEG#bot")], used_since, "a leg is never replaced");
}

#[tokio::test(start_paused = true)]
async fn parked_deliveries_come_back_only_with_their_leg() {
    let bench = Bench::new("parked");
    let tables = &bench.tables;
    let legs = ["missing", "used", "same"].map(|customer| leg(customer, 2, 5));
    for (leg, of_leg) in &legs {
        tables.put("restored", leg);
        for item in of_leg {
            tables.put("restored", item);
        }
    }
    let (used_since, _) = leg("used", 0, 7);
    tables.put("own", &used_since);
    // An earlier copy was interrupted, or only the parked deliveries were lost.
    tables.put("own", &legs[2].0);
    let counts = bench.copy(false).await.unwrap().counts;
    let own = tables.items("own");
    let key = |item: &Value| {
        let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
        (text("pk"), text("sk"))
    };
    for (customer, (leg, of_leg)) in ["missing", "used", "same"].iter().zip(&legs) {
        let is_back = *customer != "used";
        assert_eq!(own[&key(leg)] == *leg, is_back, "{customer}");
        for item in of_leg {
            assert_eq!(own.contains_key(&key(item)), is_back, "{customer}: {item}");
        }
    }
    assert_eq!(counts["CONV"], Counts { found: 3, written: 1, kept: 2, expired: 0 });
    assert_eq!(counts["PARK"], Counts { found: 12, written: 8, kept: 0, expired: 0 });
    assert_eq!(counts["PARK"].left_out(), 4);
    assert_eq!(counts["PARKED"], Counts { found: 3, written: 2, kept: 0, expired: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_a_worker_begins_meanwhile_gets_no_parked_deliveries() {
    let bench = Bench::new("rival");
    let (restored, of_leg) = leg("1", 2, 5);
    bench.tables.put("restored", &restored);
    for item in &of_leg {
        bench.tables.put("restored", item);
    }
    let (begun, _) = leg("1", 0, 1);
    *bench.tables.rival.lock().unwrap() = Some(begun.clone());
    let counts = bench.copy(false).await.unwrap().counts;
    let own: Vec<Value> = bench.tables.items("own").into_values().collect();
    assert_eq!(own, [begun]);
    assert_eq!((counts["CONV"].kept, counts["PARK"].left_out()), (1, 4), "{counts:?}");
}

#[test]
fn the_progress_line_has_the_rate_of_this_run() {
    let counts = |found, written| {
        CountsByKind::from([("CONV".into(), Counts { found, written, ..Counts::default() })])
    };
    let report = RestoreReport { is_continued: true, counts: counts(5_000, 1_200) };
    let line = report.progress_line(1_000, std::time::Duration::from_secs(2));
    assert_eq!(line, "5000 items read, 1200 written, 2000 items/s");
    let line = report.progress_line(5_000, std::time::Duration::ZERO);
    assert_eq!(line, "5000 items read, 1200 written, 0 items/s");
}
