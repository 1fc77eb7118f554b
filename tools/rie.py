#!/usr/bin/env python3
"""rie.py FUNCTION EVENT [ENV]: invokes one function of template.yaml with a sample event, without a container.

It uses the runtime interface emulator that `sam local invoke` runs in its container. ENV is a file that
`trunkline env` printed (default: env.json). AWS variables (AWS_REGION, AWS_ENDPOINT_URL, ...) are passed on."""

import json
import os
import pathlib
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def emulator():
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    found = list(PROJECT.glob(f".tools/sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found:
        sys.exit("the emulator is not installed: run `make tools`")
    return found[0]


def bootstrap(function):
    template = (PROJECT / "template.yaml").read_text()
    block = re.search(rf"^  {re.escape(function)}:\n((?:    .*\n|\n)+)", template, re.M)
    code = block and re.search(r"CodeUri: (\S+)", block[1])
    if not code:
        sys.exit(f"template.yaml has no function {function}")
    path = PROJECT / code[1] / "bootstrap"
    if not path.is_file():
        sys.exit(f"{path} is not built: run `make build`")
    return path


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    function, event = sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes()
    env_file = pathlib.Path(sys.argv[3] if len(sys.argv) == 4 else "env.json")
    if not env_file.is_file():
        sys.exit(f"{env_file} does not exist: create it with `trunkline env > env.json`")
    invoke, runtime = free_port(), free_port()
    environment = {
        **os.environ,
        **json.loads(env_file.read_text())["Parameters"],
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
    }
    command = [
        str(emulator()),
        "--runtime-interface-emulator-address", f"127.0.0.1:{invoke}",
        "--runtime-api-address", f"127.0.0.1:{runtime}",
        str(bootstrap(function)),
    ]
    # Log lines go to stderr, so that stdout has only the response.
    running = subprocess.Popen(command, env=environment, stdout=sys.stderr, start_new_session=True)
    url = f"http://127.0.0.1:{invoke}/2015-03-31/functions/function/invocations"
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(urllib.request.Request(url, data=event), timeout=60) as answer:
                    print(answer.read().decode())
                    return
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
                time.sleep(0.05)
        sys.exit("the emulator did not start")
    finally:
        os.killpg(running.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
