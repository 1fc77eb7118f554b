"""Signed webhooks (functions/webhook/README.md), shared by bot.py, person.py and archive.py.

Uses only Python's standard library. The package `standardwebhooks` can replace the first two functions.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def signature(secret, event_id, at, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_signed(secret, headers, body):
    at = headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(time.time() - int(at)) > 300:
        return False
    expected = signature(secret, headers.get("webhook-id", ""), at, body)
    # During a rotation there are two signatures. Compare in constant time.
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split(" "))


def send(address, secret, event_id, conversation, kind, data, author=None, trace=None):
    """Posts one event to Trunkline. Returns status and body. Trunkline ignores a repeated `event_id`."""
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
    event = {"id": event_id, "timestamp": at, "conversation": conversation, "type": kind, "data": data}
    if author:
        event["author"] = author
    body = json.dumps(event).encode()
    headers = {"content-type": "application/json", "webhook-id": event_id, "webhook-timestamp": str(int(now))}
    headers["webhook-signature"] = signature(secret, event_id, headers["webhook-timestamp"], body)
    if trace:
        headers["traceparent"] = trace
    url = urllib.parse.urlsplit(address)
    local = url.hostname.endswith(".localhost")  # not every system resolves this domain
    client = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = client("127.0.0.1" if local else url.hostname, url.port, timeout=10)
    connection.request("POST", url.path, body, headers | {"host": url.netloc})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def serve(port, secret, handle):
    """Returns a server that calls `handle(event, trace)`. If it raises an error, Trunkline sends the event again."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, answer = 401, {}
            if is_signed(secret, self.headers, body):
                event = json.loads(body)
                if event["type"] == "verification":  # `trunkline verify`
                    status, answer = 200, {"challenge": event["data"]["challenge"]}
                else:
                    try:
                        # Pass traceparent on with the reply to continue the trace.
                        handle(event, self.headers.get("traceparent"))
                        status = 200
                    except Exception as error:
                        print(f"event failed: {error!r}", flush=True)
                        status = 503
            response = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer((os.environ.get("LISTEN", "127.0.0.1"), port), Handler)
