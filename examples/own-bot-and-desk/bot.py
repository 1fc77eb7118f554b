"""A bot that answers questions about parcels and hands over complaints. Run: `python3 bot.py`"""

import os
import sys

import hooks

ADDRESS, SIGNING = os.environ["BOT_ADDRESS"], os.environ["BOT_SIGNING"]
PORT = int(os.environ.get("BOT_PORT", "8801"))
ORDERS = {"48121": "Your shoes arrive tomorrow between 9:00 and 12:00.", "48077": "Your lamp was delivered on Monday."}


def answers(event):
    """Returns the bot's events in reply to an event, as (type, data) pairs in order."""
    data = event["data"]
    if event["type"] == "handback":
        return [("message", {"text": "I am back. Is there anything else?"})]
    if event["type"] == "choice":
        return [("message", {"text": ORDERS.get(data["id"], "I do not know that order.")})]
    if event["type"] != "message":
        return []
    words = (data.get("text") or "").lower()
    if "parcel" in words or "order" in words:
        choices = [{"id": order, "title": f"Order {order}"} for order in ORDERS]
        return [("message", {"text": "Which parcel do you mean?", "choices": choices})]
    if "complain" in words or "refund" in words:
        context = {"topic": "complaint", "language": event.get("language") or "en"}
        return [
            ("message", {"text": "I ask a colleague to help you."}),
            ("handover", {"reason": "a complaint", "context": context}),
        ]
    return [("message", {"text": "I know about parcels. Write “parcel”, or “agent” for a person."})]


def handle(event, trace):
    copy = "  (a copy)" if event.get("copy") else ""
    sys.stdout.write(f"{event['conversation']}  {event['type']}  {event['data']}{copy}\n")
    if copy:
        return  # Another party owns the conversation.
    for number, (kind, data) in enumerate(answers(event)):
        # The id is derived from the event. If Trunkline sends the event again, the reply has the same id and
        # Trunkline ignores it. So the bot does not need to store ids.
        reply_id = f"{event['id']}-{number}"
        status, body = hooks.send(ADDRESS, SIGNING, reply_id, event["conversation"], kind, data, trace=trace)
        if status == 409:
            return  # `not_owner`: another party took over. Trunkline records the reply and does not deliver it.
        if status != 200:
            raise RuntimeError(f"Trunkline responded with {status}: {body}")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    print(f"the bot listens on port {PORT}")
    hooks.serve(PORT, SIGNING, handle).serve_forever()
