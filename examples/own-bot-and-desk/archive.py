"""An observer that appends every event to archive.jsonl. Run: `python3 archive.py`"""

import json
import os

import hooks

PORT = int(os.environ.get("ARCHIVE_PORT", "8803"))


def handle(event, _):
    # Write to disk before the response. An event may arrive twice, with the same id.
    with open("archive.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(event, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    print(f"{event['conversation']}  {event['type']}", flush=True)


print(f"the archive listens on port {PORT}", flush=True)
hooks.serve(PORT, os.environ["ARCHIVE_SIGNING"], handle).serve_forever()
