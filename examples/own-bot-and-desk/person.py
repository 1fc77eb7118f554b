"""A customer or an agent at a terminal. Run: `python3 person.py customer` or `python3 person.py agent`"""

import os
import sys
import threading
import time
import uuid

import hooks

WHO = sys.argv[1] if len(sys.argv) > 1 else "customer"
SIDE, PORT, AUTHOR = {"customer": ("CHANNEL", 8800, None), "agent": ("DESK", 8802, {"role": "agent", "name": "Mia"})}[WHO]
ADDRESS, SIGNING = os.environ[f"{SIDE}_ADDRESS"], os.environ[f"{SIDE}_SIGNING"]
# A customer has a fixed conversation id, such as a phone number. An agent replies in the latest conversation.
conversation = os.environ.get("CUSTOMER", "customer-1") if WHO == "customer" else None


def handle(event, _):
    global conversation
    data, kind = event["data"], event["type"]
    if WHO == "agent":
        conversation = event["conversation"]
    if kind == "handover":
        print(f"< [handover] {data.get('reason') or ''} {data.get('context') or ''}", flush=True)
        for line in data.get("transcript", []):
            print(f"<   {line['author']['role']}: {line.get('text')}", flush=True)
        return
    name = (event.get("author") or {}).get("name")
    print(f"< {name + ': ' if name else ''}{data.get('text') or [kind, data]}", flush=True)
    for choice in data.get("choices", []):
        print(f"<   [{choice['title']}]  /pick {choice['id']}", flush=True)


def parse(line):
    """Returns the event of an input line: type and data."""
    word, _, rest = line.partition(" ")
    if word == "/pick":
        return "choice", {"id": rest}
    if word in ("/accept", "/close", "/handback"):
        return word[1:], {"reason": rest} if rest and word != "/accept" else {}
    return "message", {"text": line}


server = hooks.serve(PORT, SIGNING, handle)
threading.Thread(target=server.serve_forever, daemon=True).start()
print({"customer": "Write, or /pick an id.", "agent": "Write, or /accept, /handback, /close."}[WHO], flush=True)
for line in map(str.strip, sys.stdin):
    if not line:
        continue
    if not conversation:
        print("(no conversation has been handed over yet)", flush=True)
        continue
    kind, data = parse(line)
    status, body = hooks.send(ADDRESS, SIGNING, str(uuid.uuid4()), conversation, kind, data, AUTHOR)
    if status != 200:
        print(f"(rejected: {status} {body})", flush=True)
# With input from a pipe, wait STAY seconds for replies.
time.sleep(float(os.environ.get("STAY", "0")))
