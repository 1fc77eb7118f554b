"""A bot: answers about parcels, and asks for people when it cannot help. `python3 bot.py`"""

import os
import sys

import hooks

ADDRESS, SIGNING = os.environ["BOT_ADDRESS"], os.environ["BOT_SIGNING"]
PORT = int(os.environ.get("BOT_PORT", "8801"))
ORDERS = {"48121": "Your shoes arrive tomorrow between 9:00 and 12:00.", "48077": "Your lamp was delivered on Monday."}


def answers(event):
    """What the bot says to an event: (kind, data), in order."""
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


def hear(event, trace):
    copy = "  (a copy)" if event.get("copy") else ""
    sys.stdout.write(f"{event['conversation']}  {event['type']}  {event['data']}{copy}\n")
    if copy:
        return  # Somebody else has the conversation.
    for number, (kind, data) in enumerate(answers(event)):
        # An id that follows from what it answers: should Trunkline send the event again, our answer is the same
        # one and taken once. So the bot needs no memory of what it has seen.
        own = f"{event['id']}-{number}"
        status, told = hooks.send(ADDRESS, SIGNING, own, event["conversation"], kind, data, trace=trace)
        if status == 409:
            return  # Somebody took over meanwhile: `not_owner`. It is recorded, and not passed on.
        if status != 200:
            raise RuntimeError(f"Trunkline answered {status} {told}")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    print(f"the bot listens on port {PORT}")
    hooks.serve(PORT, SIGNING, hear).serve_forever()
