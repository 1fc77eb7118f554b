//! Plays stories with a fault at every AWS call that they make, in every way that a call can fail, and
//! checks that nothing is lost, reordered or sent under another id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use trunkline_core::model::{Event, EventBody, Owner, Role};
use trunkline_testkit::aws::CallRecord;
use trunkline_testkit::{Accounting, CallResponse, Fault, Reply, TestStack, close, message};

/// The faults of every write. A read has the first only.
const FAULTS: [Fault; 3] = [Fault::Refuse, Fault::CrashAfter, Fault::LoseAnswer];
/// The operations that change nothing.
const READS: [&str; 4] = ["GetItem", "BatchGetItem", "Query", "GetParameter"];
/// The operations of which `DynamoDB` may process a part.
const BATCHES: [&str; 2] = ["BatchGetItem", "BatchExecuteStatement"];
/// The text that the channel receives in parts.
const LONG: &str = "This answer is too long for one message, so it is split.";
/// Rounds until every queue and every leg must be empty.
const MAX_ROUNDS: usize = 60;

/// What the platforms received and what is left at the end of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ending {
    /// What each connection has taken, in order and without repeats.
    heard: BTreeMap<&'static str, Vec<String>>,
    owner: Owner,
    is_open: bool,
    accounting: Accounting,
}

/// Waits until no delivery is queued, in flight or parked: visibility timeouts pass, scheduled tasks become
/// due, and the scheduler runs.
async fn settle(stack: &TestStack) {
    for _ in 0..MAX_ROUNDS {
        stack.run_until_idle().await;
        if stack.is_at_rest().await {
            return;
        }
        if !stack.advance_to_next().await {
            stack.advance(SignedDuration::from_mins(1)).await;
        }
        stack.tick().await;
    }
    panic!("the stack does not come to rest");
}

/// Calls like a platform: until there is an answer.
async fn tell(
    stack: &TestStack,
    from: &str,
    conversation: &str,
    id: &str,
    body: EventBody,
) -> CallResponse {
    post(stack, from, &stack.event(from, conversation, id, body)).await
}

async fn post(stack: &TestStack, from: &str, event: &Event) -> CallResponse {
    let answer = stack.post_until_answered(from, std::slice::from_ref(event)).await;
    assert!(answer.status < 500, "{from} {}: {answer:?}", event.id.as_str());
    answer
}

/// The stories, each with the customer `c-1`.
#[derive(Debug, Clone, Copy)]
enum Story {
    /// A customer talks to the bot, which fails for a while and gives a long answer.
    Bot,
    /// A customer talks to the bot, then to an agent whose desk fails for a while, then to the bot again.
    Desk,
}

async fn customer(stack: &TestStack, id: &str, text: &str) {
    let answer = tell(stack, "channel", "c-1", id, message(text)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn party(stack: &TestStack, who: &str, id: &str, body: EventBody) {
    let answer = tell(stack, who, &stack.toy.conversation(who), id, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn bot_story(stack: &TestStack) {
    let first = stack.event("channel", "c-1", "c-1", message("hello"));
    assert_eq!(post(stack, "channel", &first).await.status, 200);
    settle(stack).await;
    party(stack, "bot", "b-1", message(LONG)).await;
    settle(stack).await;
    // The first webhook again.
    assert!(post(stack, "channel", &first).await.is_duplicate());
    // The bot fails once, and three messages wait.
    stack.toy.once("bot", Reply::Status(503));
    for (id, text) in [("c-2", "two"), ("c-3", "three"), ("c-4", "four")] {
        customer(stack, id, text).await;
        stack.run_until_idle().await;
    }
    settle(stack).await;
    customer(stack, "c-5", "five").await;
    settle(stack).await;
}

async fn desk_story(stack: &TestStack) {
    customer(stack, "c-1", "hello").await;
    settle(stack).await;
    customer(stack, "c-2", "agent").await;
    settle(stack).await;
    party(stack, "desk", "d-1", EventBody::Accept).await;
    let bot = stack.toy.conversation("bot");
    let refused = tell(stack, "bot", &bot, "b-1", message("Still me!")).await;
    assert_eq!(refused.code(), "not_owner");
    party(stack, "desk", "d-2", message("I am Ann.")).await;
    stack.toy.once("desk", Reply::LoseAnswer);
    customer(stack, "c-3", "thanks").await;
    stack.run_until_idle().await;
    customer(stack, "c-4", "and thanks again").await;
    settle(stack).await;
    party(stack, "desk", "d-3", close("solved")).await;
    settle(stack).await;
    customer(stack, "c-5", "bye").await;
    settle(stack).await;
}

async fn new_stack() -> TestStack {
    let stack = TestStack::with_desk(|_| ()).await;
    stack
        .connect("channel", Role::Channel, |channel| channel.presentation.text_limit = Some(24))
        .await;
    stack
}

/// Returns the end of a story, after checking the ids of the deliveries.
async fn ending(stack: &TestStack) -> Ending {
    let connections = ["channel", "bot", "desk"];
    for connection in connections {
        let mut ids = BTreeMap::new();
        for call in stack.toy.calls(connection) {
            let first = ids.entry(call.summary()).or_insert_with(|| call.delivery.id.clone());
            assert_eq!(*first, call.delivery.id, "{} has one id", call.summary());
        }
    }
    let conversation = stack.conversation("channel", "c-1").await;
    Ending {
        heard: connections.into_iter().map(|one| (one, stack.toy.heard(one))).collect(),
        owner: conversation.owner(),
        is_open: conversation.is_open(),
        accounting: stack.accounting().await,
    }
}

/// Runs `work` on a runtime of its own with paused time.
fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.start_paused(true).enable_time().build().unwrap().block_on(work)
}

/// Plays a story, with a fault at one AWS call or none. Returns how it ends, and its stack.
async fn play(story: Story, fault: Option<(usize, Fault)>) -> (Ending, TestStack) {
    let stack = new_stack().await;
    if let Some((number, fault)) = fault {
        stack.faults().at_call(number, fault);
    }
    match story {
        Story::Bot => bot_story(&stack).await,
        Story::Desk => desk_story(&stack).await,
    }
    (ending(&stack).await, stack)
}

/// Returns the faults to play at each AWS call of an undisturbed story. Left out is what cannot be told from
/// another case: a crash before a call from one after the call before it, unless a platform was called
/// between the two; a crash after a read from one before it; a lost answer to a read from a refusal.
fn faults(stack: &TestStack) -> Vec<(CallRecord, Fault)> {
    let calls = stack.aws().calls();
    let platform_calls = ["channel", "bot", "desk"].map(|connection| stack.toy.calls(connection));
    let platform_calls = platform_calls.iter().flatten();
    let after: BTreeSet<usize> = platform_calls.map(|call| call.after_aws_call).collect();
    let mut faults = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let first = index == 0 || calls[index - 1].invocation != call.invocation;
        let crash = (first || after.contains(&(call.number - 1))).then_some(Fault::CrashBefore);
        let is_read = READS.contains(&call.operation.as_str());
        let own = if is_read { &FAULTS[..1] } else { &FAULTS[..] };
        let transaction = call.operation == "TransactWriteItems";
        let conflict = transaction.then_some(Fault::TransactionConflict);
        let batch = BATCHES.contains(&call.operation.as_str());
        let unprocessed = batch.then_some(Fault::Unprocessed);
        let all = own.iter().copied().chain(crash).chain(conflict).chain(unprocessed);
        faults.extend(all.map(|fault| (call.clone(), fault)));
    }
    faults
}

/// Plays a story once for each fault, on all cores.
fn play_with_every_fault(story: Story) {
    let (expected, faults) = run(async {
        let (ending, stack) = play(story, None).await;
        (ending, faults(&stack))
    });
    let Accounting { delivered, ref lost, .. } = expected.accounting;
    assert!(delivered >= 8 && lost.is_empty(), "{expected:#?}");
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((call, fault)) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = std::panic::catch_unwind(|| {
                        run(async { play(story, Some((call.number, *fault))).await.0 })
                    });
                    let problem = match played {
                        Ok(ending) if ending == expected => continue,
                        Ok(ending) => format!("{ending:#?}"),
                        Err(_) => "it panicked".to_owned(),
                    };
                    let CallRecord { number, function, operation, .. } = call;
                    let place = format!("call {number} ({function}, {operation}), {fault:?}");
                    problems.lock().unwrap().push(format!("{place}: {problem}"));
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    println!("{story:?}: {} faults, {} problems", faults.len(), problems.len());
    assert!(problems.is_empty(), "expected {expected:#?}, but:\n{}", problems.join("\n"));
}

#[test]
fn no_fault_while_the_bot_talks_loses_or_reorders_anything() {
    play_with_every_fault(Story::Bot);
}

#[test]
fn no_fault_while_the_desk_talks_loses_or_reorders_anything() {
    play_with_every_fault(Story::Desk);
}

#[test]
fn undisturbed_stories_end_as_expected() {
    let heard = |story| run(async move { play(story, None).await.0.heard });
    let bot = heard(Story::Bot);
    assert_eq!(bot["bot"], ["hello", "two", "three", "four", "five"]);
    assert!(bot["channel"].len() > 2, "the long answer has parts: {:?}", bot["channel"]);
    let desk = heard(Story::Desk);
    assert_eq!(desk["bot"], ["hello", "<handback>", "bye"]);
    assert_eq!(desk["desk"], ["<handover>", "agent", "thanks", "and thanks again"]);
}
