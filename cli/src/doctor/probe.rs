//! Events that have no effect, and what each function answers to them.

use serde_json::{Value, json};

/// A connection and a file that no stack has.
const UNKNOWN: &str = "doctor-unknown";

/// The expected answer of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// An HTTP response with this status.
    Status(u16),
    /// That no message of the batch failed.
    EmptyBatch,
}

/// An event for a function, and the answer that the function gives if it works.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probe {
    pub(super) event: Value,
    pub(super) expected: Expected,
}

impl Probe {
    /// Returns the probe of a function by its name in the template; `None` if every event would have an
    /// effect: a listener opens sockets.
    pub(super) fn of(function: &str) -> Option<Self> {
        let http = |method: &str, path: &str, query: &str, status: u16| Self {
            event: http_event(method, path, query),
            expected: Expected::Status(status),
        };
        if let Some(platform) = function.strip_suffix("Inbound") {
            // The function looks the connection up in the table, and finds none.
            let platform = platform.to_ascii_lowercase();
            let path = format!("/in/{platform}/{UNKNOWN}/{UNKNOWN}");
            return Some(http("POST", &path, "", 404));
        }
        if function.ends_with("Outbound") || function == "Scheduler" {
            let event = json!({"Records": []});
            return Some(Self { event, expected: Expected::EmptyBatch });
        }
        match function {
            "Console" => Some(http("GET", "/console", "", 200)),
            "Files" => {
                let query = "expires=1&signature=none";
                Some(http("GET", &format!("/files/{UNKNOWN}"), query, 403))
            }
            _ => None,
        }
    }

    /// Compares an answer with the expected one.
    ///
    /// # Errors
    /// What is different, in a few words.
    pub(super) fn judge(&self, answer: &Value) -> Result<(), String> {
        match self.expected {
            Expected::Status(expected) => match answer["statusCode"].as_u64() {
                Some(status) if status == u64::from(expected) => Ok(()),
                Some(503) => Err("it answers 503: it cannot read the table or the secrets".into()),
                Some(status) => Err(format!("it answers {status} instead of {expected}")),
                None => Err("it answers without a status".into()),
            },
            Expected::EmptyBatch => {
                if answer["batchItemFailures"] == json!([]) {
                    Ok(())
                } else {
                    Err("it does not answer with the result of a batch".into())
                }
            }
        }
    }
}

/// Returns a request as API Gateway passes it to a function.
fn http_event(method: &str, path: &str, query: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "localhost", "content-type": "application/json"},
        "requestContext": {
            "accountId": "000000000000", "apiId": "doctor", "domainName": "localhost",
            "domainPrefix": "doctor", "requestId": "doctor", "routeKey": "$default",
            "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                     "sourceIp": "127.0.0.1", "userAgent": "trunkline doctor"},
        },
        "isBase64Encoded": false, "body": "{}",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every function of the template has a probe, except the listener.
    #[test]
    fn every_function_of_the_template_has_a_probe() {
        let template = include_str!("../../../template.yaml");
        let lines: Vec<&str> = template.lines().collect();
        let functions =
            lines.windows(2).filter(|pair| pair[1].trim() == "Type: AWS::Serverless::Function");
        let names: Vec<&str> = functions.map(|pair| pair[0].trim().trim_end_matches(':')).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert_eq!(Probe::of(name).is_none(), name.ends_with("Listener"), "{name}");
        }
    }

    #[test]
    fn a_wrong_answer_is_described() {
        let inbound = Probe::of("ToyInbound").unwrap();
        assert_eq!(inbound.event["rawPath"], "/in/toy/doctor-unknown/doctor-unknown");
        assert_eq!(inbound.judge(&json!({"statusCode": 404})), Ok(()));
        for (answer, expected) in [
            (json!({"statusCode": 503}), "it cannot read the table"),
            (json!({"statusCode": 200}), "it answers 200 instead of 404"),
            (json!(null), "without a status"),
        ] {
            let why = inbound.judge(&answer).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let outbound = Probe::of("ToyOutbound").unwrap();
        assert_eq!(outbound.judge(&json!({"batchItemFailures": []})), Ok(()));
        assert!(outbound.judge(&json!({"errorMessage": "x"})).is_err());
    }
}
