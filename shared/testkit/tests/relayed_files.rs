//! Relayed files: private files are fetched at their source, and arrive as links in the order of the leg.

use jiff::SignedDuration;
use trunkline_core::model::{
    Content, EventBody, FileId, FileState, Media, ReceiptStatus, Role, Verdict,
};
use trunkline_runtime::app::Clock;
use trunkline_runtime::files::{MAX_FILE_BYTES, MAX_MESSAGE_BYTES};
use trunkline_testkit::{Fault, FileReply, TestStack, message};

const URL: &str = "https://desk.test/files/1";

fn files(
    text: Option<&str>,
    media: impl IntoIterator<Item = (String, Option<&'static str>)>,
) -> EventBody {
    let media = media.into_iter().map(|(url, name)| Media {
        url,
        name: name.map(Into::into),
        mime_type: Some("application/pdf".into()),
        private: true,
        file: None,
    });
    let content =
        Content { text: text.map(Into::into), media: media.collect(), ..Content::default() };
    EventBody::Message { content, metadata: serde_json::Map::new() }
}

fn file(name: &'static str) -> EventBody {
    files(None, [(URL.to_owned(), Some(name))])
}

/// A stack whose customer has written to the bot. Returns the bot's conversation too.
async fn started() -> (TestStack, String) {
    let stack = TestStack::with_bot().await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let conversation = stack.toy.conversation("bot");
    (stack, conversation)
}

/// Returns the content of the last message that a connection received.
fn last_content(stack: &TestStack, connection: &str) -> Content {
    let call = stack.toy.taken(connection).into_iter().rev();
    let mut bodies = call.map(|call| call.delivery.event.body);
    bodies
        .find_map(|body| match body {
            EventBody::Message { content, .. } => Some(content),
            _ => None,
        })
        .unwrap()
}

/// Returns the reasons of the failed receipts that a connection received.
fn failures(stack: &TestStack, connection: &str) -> Vec<String> {
    let calls = stack.toy.taken(connection).into_iter();
    calls
        .filter_map(|call| match call.delivery.event.body {
            EventBody::Receipt { status: ReceiptStatus::Failed, reason, .. } => reason,
            _ => None,
        })
        .collect()
}

async fn state(stack: &TestStack, id: &FileId) -> FileState {
    stack.app.store.file(id).await.unwrap().unwrap().state
}

#[tokio::test(start_paused = true)]
async fn a_private_file_arrives_as_a_link() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.send("bot", &bot, "b-1", file("../offer.pdf")).await;
    let content = last_content(&stack, "channel");
    let media = &content.media[0];
    assert!(media.url.starts_with("https://api.test/files/"), "{}", media.url);
    assert_eq!((media.private, media.name.as_deref()), (false, Some("offer.pdf")));
    let stored = stack.files.stored(media.file.as_ref().unwrap()).unwrap();
    assert_eq!((stored.content, stored.mime_type), (b"%PDF".to_vec(), "application/pdf".into()));
    assert_eq!(failures(&stack, "bot"), [""; 0]);
    assert!(stack.is_at_rest().await);
}

#[tokio::test(start_paused = true)]
async fn a_text_after_a_file_arrives_after_it() {
    let (stack, bot) = started().await;
    // The first attempt fails, so the delivery waits.
    stack.toy.file(URL, FileReply::Status(503));
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack
        .send("bot", &bot, "b-1", files(Some("the file"), [(URL.to_owned(), Some("a.pdf"))]))
        .await;
    stack.send("bot", &bot, "b-2", message("the text")).await;
    assert_eq!(stack.toy.heard("channel"), [""; 0]);
    let parked = stack.parked("channel").await;
    assert_eq!(parked.len(), 2);
    assert_eq!((parked[0].attempts, parked[0].next_attempt_at.is_some()), (0, true));
    stack.advance(SignedDuration::from_secs(6)).await;
    assert_eq!(stack.toy.heard("channel"), ["the file", "the text"]);
    assert_eq!(
        (stack.parked("channel").await.len(), stack.breaker("channel").await.failures),
        (0, 0)
    );
    assert_eq!(stack.toy.downloads(URL), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_file_is_a_notice_and_does_not_block_the_leg() {
    let stack = TestStack::with_desk(|_| ()).await;
    stack.send("channel", "c-1", "c-1", message("hi")).await;
    let bot = stack.toy.conversation("bot");
    stack.toy.file(URL, FileReply::Status(403));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    stack.send("bot", &bot, "b-2", message("next")).await;
    stack.advance(SignedDuration::from_secs(6)).await;
    assert_eq!(stack.toy.heard("channel"), ["We could not deliver a.pdf.", "next"]);
    assert!(last_content(&stack, "channel").media.is_empty());
    assert_eq!(
        failures(&stack, "bot"),
        ["the file a.pdf was not delivered: the platform answered 403 Forbidden to the download"]
    );
    assert_eq!((stack.toy.downloads(URL), stack.files.count()), (1, 0));
    assert!(stack.is_at_rest().await);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_stays_down_is_given_up_within_minutes() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Silent);
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    stack.send("bot", &bot, "b-2", message("next")).await;
    stack.advance(SignedDuration::from_secs(60)).await;
    assert_eq!(stack.toy.heard("channel"), [""; 0]);
    stack.advance(SignedDuration::from_secs(240)).await;
    assert_eq!(stack.toy.heard("channel"), ["The file a.pdf could not be delivered.", "next"]);
    assert_eq!((stack.toy.downloads(URL), failures(&stack, "bot").len()), (5, 1));
}

/// The worker of the source may be gone.
#[tokio::test(start_paused = true)]
async fn a_delivery_waits_for_five_minutes_at_most() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Silent);
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    let id = stack.parked("channel").await[0].delivery.event.body.clone();
    let EventBody::Message { content, .. } = id else { panic!("no message") };
    let id = content.media[0].file.clone().unwrap();
    // The job and its tasks are lost.
    stack.drop_scheduled_tasks();
    assert_eq!(state(&stack, &id).await, FileState::Pending);
    for _ in 0..8 {
        stack.advance(SignedDuration::from_secs(60)).await;
        stack.tick().await;
        stack.run_until_idle().await;
    }
    assert_eq!(stack.toy.heard("channel"), ["The file a.pdf could not be delivered."]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_relays_its_file_once() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    let first = last_content(&stack, "channel");
    stack.advance(SignedDuration::from_mins(10)).await;
    let again = stack.event("bot", &bot, "b-1", file("a.pdf"));
    assert!(stack.post("bot", &[again]).await.is_duplicate());
    stack.run_until_idle().await;
    assert_eq!((stack.toy.taken("channel").len(), stack.files.count()), (1, 1));
    assert_eq!((last_content(&stack, "channel"), stack.toy.downloads(URL)), (first, 1));
}

#[tokio::test(start_paused = true)]
async fn files_that_are_too_large_or_too_many_are_refused() {
    let (stack, bot) = started().await;
    let size = usize::try_from(MAX_FILE_BYTES).unwrap();
    stack.toy.file(URL, FileReply::Content(vec![0; size + 1]));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    assert_eq!(stack.toy.heard("channel"), ["The file a.pdf could not be delivered."]);
    assert!(failures(&stack, "bot")[0].ends_with("the file is larger than 20971520 bytes"));

    // Each is allowed, their sum is not.
    let urls: Vec<String> =
        (0..3).map(|number| format!("https://desk.test/large/{number}")).collect();
    for url in &urls {
        stack.toy.file(url, FileReply::Content(vec![0; size]));
    }
    let named = urls.iter().cloned().zip([Some("0.pdf"), Some("1.pdf"), Some("2.pdf")]);
    stack.send("bot", &bot, "b-2", files(None, named)).await;
    stack.advance(SignedDuration::from_secs(6)).await;
    const { assert!(MAX_MESSAGE_BYTES < 3 * MAX_FILE_BYTES) };
    let content = last_content(&stack, "channel");
    assert_eq!(
        (content.media.len(), content.text.as_deref()),
        (2, Some("The file 2.pdf could not be delivered."))
    );

    let many = (0..13).map(|number| (format!("https://desk.test/many/{number}"), Some("n.pdf")));
    for (url, _) in many.clone() {
        stack.toy.file(&url, FileReply::Content(b"%PDF".to_vec()));
    }
    stack.send("bot", &bot, "b-3", files(Some("many"), many)).await;
    stack.advance(SignedDuration::from_secs(6)).await;
    let content = last_content(&stack, "channel");
    let notices = content.text.unwrap().matches("The file n.pdf could not be delivered.").count();
    assert_eq!((content.media.len(), notices), (10, 3));
    assert!(failures(&stack, "bot").pop().unwrap().ends_with("at most 10 private files"));
}

#[tokio::test(start_paused = true)]
async fn a_program_is_refused() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Content(b"MZ".to_vec()));
    stack.send("bot", &bot, "b-1", file("offer.pdf.exe")).await;
    assert_eq!(stack.toy.heard("channel"), ["The file offer.pdf.exe could not be delivered."]);
    assert_eq!(stack.toy.downloads(URL), 0);
}

#[tokio::test(start_paused = true)]
async fn a_target_without_files_receives_the_link_as_text_when_it_works() {
    let (stack, bot) = started().await;
    stack.connect("channel", Role::Channel, |channel| channel.capabilities.media = false).await;
    stack.send("channel", "c-2", "c-1", message("hi")).await;
    let second = stack.toy.conversation("bot");
    assert_ne!(bot, second);
    stack.toy.file(URL, FileReply::Status(503));
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.send("bot", &second, "b-1", file("a.pdf")).await;
    assert_eq!(stack.toy.heard("channel"), [""; 0]);
    stack.advance(SignedDuration::from_secs(6)).await;
    let content = last_content(&stack, "channel");
    assert!(content.text.unwrap().starts_with("a.pdf: https://api.test/files/"));
    assert!(content.media.is_empty());
}

/// A crash at any call loses no file and sends none twice.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_call_loses_no_file() {
    let (stack, bot) = started().await;
    for number in 0..60 {
        let url = format!("https://desk.test/crash/{number}");
        stack.toy.file(&url, FileReply::Content(b"%PDF".to_vec()));
        stack.faults().at_call(stack.aws().number_of_calls() + 1 + number, Fault::CrashAfter);
        let body = files(Some("file"), [(url, Some("a.pdf"))]);
        let event = stack.event("bot", &bot, &format!("b-{number}"), body);
        stack.post_until_answered("bot", &[event]).await;
        stack.run_until_idle().await;
        stack.advance(SignedDuration::from_mins(6)).await;
        let taken = stack.toy.taken("channel");
        assert_eq!(taken.len(), number + 1, "crash at call {number}");
        assert_eq!(last_content(&stack, "channel").text.as_deref(), Some("file"), "{number}");
        assert_eq!(last_content(&stack, "channel").media.len(), 1, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn erasing_a_customer_deletes_the_files() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    let id = last_content(&stack, "channel").media[0].file.clone().unwrap();
    assert_eq!(stack.files.count(), 1);
    let key = stack.key("channel", "c-1");
    assert!(stack.app.erase_customer(&key).await.unwrap() > 0);
    assert_eq!((stack.files.count(), stack.app.store.file(&id).await.unwrap()), (0, None));
    assert_eq!(stack.app.erase_customer(&key).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_erased_while_it_is_fetched_is_not_reported() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Status(503));
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    stack.app.erase_customer(&stack.key("channel", "c-1")).await.unwrap();
    stack.advance(SignedDuration::from_mins(6)).await;
    assert_eq!((stack.files.count(), stack.toy.downloads(URL)), (0, 1));
    assert!(stack.clock.now() > jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(stack.dead_letters().await.len(), 0);
}

/// An operator's replay of a delivery shows the file as it is then.
#[tokio::test(start_paused = true)]
async fn a_replayed_delivery_still_has_its_file() {
    let (stack, bot) = started().await;
    stack.toy.file(URL, FileReply::Content(b"%PDF".to_vec()));
    stack.toy.always("channel", trunkline_testkit::Reply::Status(400));
    stack.send("bot", &bot, "b-1", file("a.pdf")).await;
    let failed = stack.failed("channel").await.pop().unwrap();
    let outcome = stack.app.store.outcome(&failed.delivery).await.unwrap().unwrap();
    assert_eq!((outcome.verdict, outcome.attempts), (Verdict::Permanent, 1));
    let EventBody::Message { content, .. } = failed.delivery.event.body else {
        panic!("no message")
    };
    assert!(content.media[0].file.is_some());
}
