"""Verifies, signs or validates with reference libraries: reads one JSON request, writes one JSON response."""

import json
import pathlib
import sys
from datetime import datetime, timezone

import jsonschema
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

question = json.load(sys.stdin)

if question["do"] == "verify":
    try:
        Webhook(question["secret"]).verify(question["body"], question["headers"])
        answer = {"good": True}
    except WebhookVerificationError as error:
        answer = {"good": False, "problem": str(error)}
elif question["do"] == "sign":
    now = datetime.now(tz=timezone.utc)
    signature = Webhook(question["secret"]).sign(question["id"], now, question["body"])
    answer = {"headers": {
        "webhook-id": question["id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }}
else:
    schema = json.loads((pathlib.Path(__file__).parent.parent / "functions/webhook/webhook.schema.json").read_text())
    problem = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(question["event"]))
    answer = {"problem": problem and problem.message}

json.dump(answer, sys.stdout)
