"""An observer: keeps every event that Trunkline tells of as a line of archive.jsonl. `python3 archive.py`"""

import json
import os

import hooks

PORT = int(os.environ.get("ARCHIVE_PORT", "8803"))


def hear(event, _):
    # On the disk before it is answered for. An event may come twice, with the same id.
    with open("archive.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(event, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    print(f"{event['conversation']}  {event['type']}", flush=True)


print(f"the archive listens on port {PORT}", flush=True)
hooks.serve(PORT, os.environ["ARCHIVE_SIGNING"], hear).serve_forever()
