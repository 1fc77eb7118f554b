//! What is against Unblu's own document fails the test, in whichever direction it goes.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trunkline_unblu_mock::{ApiVersion, CallStyle, Unblu};

/// The list of an agent, with a header as Trunkline once believed it to be.
fn wrong_list() -> Value {
    json!({"type": "LIST", "header": "Our branches", "items": []})
}

/// Makes a request as ADMIN, and returns the answer's status and body.
async fn request(server: &Unblu, line: &str, body: &str) -> (u16, Value) {
    let address = server.api_url();
    let host = address.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Basic aHViOnBhOnNzIHfDtnJk\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
#[should_panic(expected = "/conversationMessage/header")]
async fn a_call_against_the_document_fails_the_test() {
    let server = Unblu::start(ApiVersion::V4).await;
    drop(server.agent_sends("c", "Our branches", &wrong_list(), CallStyle::Outbound));
}

#[tokio::test]
#[should_panic(expected = "the document has no such parameter")]
async fn a_request_against_the_document_fails_the_test() {
    let server = Unblu::start(ApiVersion::V3).await;
    let found = "GET /app/rest/v3/conversations/getBySourceIdAndChannelId?channel=c";
    assert_eq!(request(&server, found, "").await.0, 400);
}

#[tokio::test]
async fn a_test_that_provokes_violations_takes_them() {
    let server = Unblu::start(ApiVersion::V4).await;
    for style in server.styles() {
        drop(server.agent_sends("c", "Our branches", &wrong_list(), *style));
        assert_eq!(server.take_violations().len(), 1, "{style:?}");
    }
}

/// Shows U12.
#[tokio::test]
async fn requests_against_the_document_are_refused_with_unblus_error() {
    let server = Unblu::start(ApiVersion::V3).await;
    let recipient = json!({"$_type": "ConversationRecipientData", "type": "TEAM", "id": "t"});
    let body = json!({
        "$_type": "ConversationData", "initialEngagementType": "CHAT_REQUEST", "recipient": recipient,
    });
    for (line, body, status) in [
        ("POST /app/rest/v3/conversations/create", body.to_string(), 400),
        ("POST /app/rest/v3/conversations/create", "{".to_owned(), 400),
        ("POST /app/rest/v3/conversations/create", String::new(), 400),
        ("POST /app/rest/v3/persons/createOrUpdateVirtual?x=1", "{}".to_owned(), 400),
        ("DELETE /app/rest/v3/conversations/create", String::new(), 405),
        ("POST /app/rest/v3/conversations/c/close", "{}".to_owned(), 404),
        ("POST /app/rest/v4/conversations/create", "{}".to_owned(), 404),
    ] {
        let (answered, error) = request(&server, line, &body).await;
        assert_eq!((answered, &error["$_type"]), (status, &json!("Error")), "{line} {body}");
        assert!(!server.take_violations().is_empty(), "{line} {body}");
    }
}
