//! What `make run` prints once the stack is running.

/// Returns the instructions: the console's link, and how to write as a customer.
#[must_use]
pub fn instructions(console: &str, webex: &str, channel: &str, bot: &str, port: u16) -> String {
    format!(
        r#"
The stack is running. Open the console (this link signs you in once, within ten minutes):

  {console}

This terminal also shows the traffic. Send a message as the customer, from another terminal:

  curl -i {webex} -H 'content-type: application/json' -d '{{
    "Conversationid": "me-1", "ConversationType": "BOT", "Event": "Incoming message",
    "Message": "Where is my parcel?", "Messageid": "'$RANDOM$RANDOM'", "Channel": "WhatsApp",
    "Timestamp": "'"$(date -u '+%F %T.00')"'" }}'

Or as a customer on a channel with the webhook protocol:

  curl -i {channel} -H 'authorization: Bearer demo-token' -d '{{
    "id": "'$RANDOM$RANDOM'", "timestamp": "'"$(date -u +%FT%TZ)"'", "conversation": "me-2",
    "type": "message", "data": {{"text": "Where is my parcel?"}} }}'

  Inbound URL of the bot (signed webhooks):  {bot}
  Local AWS:                                 http://127.0.0.1:{port}
  Log of the local AWS:                      .local/run/aws.log

Ctrl-C stops everything."#
    )
}
