"""docs.py ENDPOINT API: runs every command of the documentation on a local stack, and checks links.

Commands that cannot run here are checked without running; NOT_RUN has the reasons. Prints the failures and exits with
status 1 if there are any."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
ENDPOINT, API = sys.argv[1:3]
# Commands that are expected to fail here, and a pattern of their output.
EXPECTED_FAILURES = {
    r"trunkline (verify|check)": r"bot\.example\.com|no connection|refused|resolve|example|configured|cannot|not ",
    r"trunkline diff": r"",
    r"trunkline restore ": r"there is no table",
    r"trunkline (handover|handback) ": r"nothing to change",
    r"trunkline discard dlv_…": r"no such|dlv_",
    r"trunkline token revoke <id>": r"",
    r"trunkline tail .* -f": r"",
}
# Commands that are not run, and the reason.
NOT_RUN = {
    r"make (run|test|bench|build)\b": "CI or another test runs it; here: make --dry-run",
    r"make (deploy|fuzz|release|soak|chaos)\b": "needs AWS, a nightly compiler, or much time; here: make --dry-run",
    r"make (invoke|emulate)\b": "setup::every_function_has_a_sample_event_and_demo_runs runs it; here: make --dry-run",
    r"make \S+": "here: make --dry-run",
    r"trunkline simulate\b": "the simulate tests run it; here: check the options",
    r"sam local invoke\b": "needs a container; tools/rie.py runs the same; here: check function and event",
    r"cargo (install|test|run)\b": "compiles for minutes; here: check the syntax",
    r"git (pull|checkout)\b": "changes the clone; here: check the syntax",
    r"aws cloudformation (delete-stack|wait)\b": "deletes the stack; here: check the parameters",
    r"aws dynamodb (delete-table|update-table|restore-table-to-point-in-time|wait)\b": "the same",
    r"aws ssm get-parameters-by-path .*delete-parameters": "the same",
}
# What `make build` makes. In a fresh clone, target/debug has no other program.
BUILT = ["trunkline", *(file.stem for file in PROJECT.glob("functions/*/src/bin/*.rs"))]
problems, durations, ran, checked = [], [], 0, 0


def parts(command):
    """Splits a command at each `&&`, so that each part is checked or run like a command of its own. A `&&` in quotes
    or parentheses does not split."""
    part, quote, depth = "", "", 0
    for token in re.findall(r"\\.|&&|.", command):
        if quote:
            quote = "" if token == quote else quote
        elif token in "'\"":
            quote = token
        elif token in "()":
            depth += 1 if token == "(" else -1
        elif token == "&&" and not depth:
            yield part.strip()
            part = ""
            continue
        part += token
    yield part.strip()


def commands(page):
    """Yields the commands of a page, with continuation lines joined and compound commands split."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.S):
        lines = iter(block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                continue
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            yield from parts(re.sub(r"\s{2,}# .*", "", command).strip())


def execute(words, cwd, env, timeout=120):
    """Runs a program without a shell. Returns the exit status and the output."""
    completed = subprocess.run(words, cwd=cwd, env=env, timeout=timeout, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
    return completed.returncode, completed.stdout + completed.stderr


def bash(script, cwd, env, timeout=120):
    return execute(["bash", "-c", "set -o pipefail\n" + script], cwd, env, timeout)


def fail(page, command, why):
    problems.append(f"{page.relative_to(PROJECT)}: {command}\n    {why.strip()[-600:]}")


def check(page, command, cwd, env):
    """Checks a command without running it."""
    if bash(f"bash -n <<'EOS'\n{command}\nEOS", cwd, env)[0]:
        return fail(page, command, "bash cannot parse it")
    if found := re.match(r"make (.*)", command):
        # Without a shell, which would run what follows a `;` or a `|`.
        code, output = execute(["make", "--dry-run", "--silent", *shlex.split(found[1])], PROJECT, env)
        if code and "names nothing" not in output and "fax" not in command:
            fail(page, command, output)
    elif found := re.search(r"trunkline simulate (\w+)(.*)", command):
        code, output = bash(f"trunkline simulate {found[1]} --help", cwd, env)
        unknown = [flag for flag in re.findall(r"--[a-z-]+", found[2]) if flag not in output]
        if code or unknown:
            fail(page, command, f"unknown: {unknown} {output}")
    elif found := re.match(r"sam local invoke (\w+)\s+-e (\S+)\s+--env-vars env.json", command):
        template = (PROJECT / "template.yaml").read_text()
        if f"\n  {found[1]}:\n" not in template or not (PROJECT / found[2]).is_file():
            fail(page, command, "no such function or event")
    elif command.startswith("aws ") and " wait " not in command:
        code, output = bash(command.split(" | ")[0] + " --generate-cli-skeleton output", cwd, env)
        # The skeleton output may be invalid, the parameters may not.
        if code and "TableDescription" not in output:
            fail(page, command, output)


def run(page, command, cwd, env):
    """Runs a command. Variables that it sets are available to later commands of the page."""
    global ran
    ran += 1
    real = re.sub(r"aws logs tail (\S+) --since \S+ --format short", r"aws logs filter-log-events --log-group-name \1",
                  command)
    real = re.sub(r"(trunkline tail .*-f)", r"timeout 5 \1", real)
    real = real.replace("<id>", "tok_unknown")
    if program := re.search(r"python3 (\w+\.py( \w+)?)", real):
        name = program[1].split()[-1]
        started = f"(STAY=15 timeout 60 {program[0]} < {name}.lines > {name}.log 2>&1 || true)"
        real = real.replace(program[0], started)
        is_customer = name == "customer"
        (cwd / f"{name}.lines").write_text("Where is my parcel?\n" if is_customer else "")
        # The customer must receive the bot's question.
        real = f"{real}; grep -q 'Which' {name}.log || {{ cat *.log; false; }}" if is_customer else f"({real}) >/dev/null 2>&1 & sleep 1"
    state_file = cwd / ".state"
    script = f"set -a; [ -f {state_file} ] && . {state_file}; set +a\n{real}\ncode=$?\n"
    script += f"declare -p | grep -E '^declare (-x|--) [A-Z_]+=' | grep -v 'BASH\\|SHELLOPTS' > {state_file}\nexit $code"
    code, output = bash(script, cwd, env)
    if command == "trunkline apply local.yaml":
        time.sleep(31)  # functions reload configuration within 30 seconds
    if command == "cp .env.example .env":
        fill(cwd / ".env", cwd, env)
    if command.startswith("API="):
        state_file.write_text(state_file.read_text() + f"\ndeclare -x API={API}\n")
    expected = next((words for known, words in EXPECTED_FAILURES.items() if re.match(known, command)), None)
    if "panicked" in output or "Usage:" in output or (code and expected is None):
        fail(page, command, output or f"exit status {code}")
    elif code and not re.search(expected, output):
        fail(page, command, output)


def with_unique_names(page, text):
    """Makes connection names unique, because all examples run on one stack here."""
    return text.replace("shop-", f"{page.parent.name[0]}shop-") if page.parent.parent.name == "examples" else text


def fill(file, cwd, env):
    """Fills the variables of an example's .env file."""
    def value(name):
        if "SIGNING" in name:
            return bash("trunkline secret", cwd, env)[1].strip()
        return "https://example.com/" if "URL" in name else "local-local-local-local"

    file.write_text(re.sub(r"^(\w+)=$", lambda found: f"{found[1]}={value(found[1])}", file.read_text(), flags=re.M))


def working_folder(page, env):
    """Creates the working folder that a page assumes."""
    cwd = pathlib.Path(tempfile.mkdtemp(prefix="docs-"))
    for name in ("template.yaml", "events", "demo", "docs"):
        (cwd / name).symlink_to(PROJECT / name)
    if page.parent.parent.name == "examples":
        shutil.copytree(page.parent, cwd, dirs_exist_ok=True)
        for file in cwd.glob("*.yaml"):
            if not file.is_symlink():
                file.write_text(with_unique_names(page, file.read_text()))
    else:
        readme = (PROJECT / "README.md").read_text()
        (cwd / "trunkline.yaml").write_text(next(re.finditer(r"```yaml\n(connections:.*?)```", readme, re.S))[1])
    (cwd / "lines").write_text("")
    for name in ("bot", "desk", "archive", "webhook"):
        bash(f"[ -s {name}.secret ] || trunkline secret > {name}.secret", cwd, env)
    return cwd


def anchors(page):
    """Returns the anchors of a page: headings as GitHub renders them, and named anchors."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    headings = [re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", each) for each in re.findall(r"^#+ (.*)$", text, re.M)]
    named = re.findall(r'<a id="([^"]+)"', text)
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings} | set(named)


def links(page):
    """Checks that links to files and headings of this repository resolve."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            fail(page, target, "no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            fail(page, target, "no such heading")


def prepare(env):
    """Prepares what the pages assume: the README's configuration, and a message that waits for the bot."""
    cwd = working_folder(PROJECT / "README.md", env)
    code, output = bash("trunkline apply && trunkline urls", cwd, env)
    address = re.search(r"^shop-whatsapp\s+(http\S+)", output, re.M)
    if code or not address:
        sys.exit(f"cannot apply the README's configuration: {output}")
    body = {"Conversationid": "31612345678", "ConversationType": "BOT", "Message": "Where is my parcel?",
            "MessageType": "text", "Messageid": "m-1", "Media": "", "Channel": "WhatsApp",
            "Event": "Incoming message", "Timestamp": "2026-03-04 09:15:20.890"}
    code, output = bash(f"curl -sS --fail -X POST -d '{json.dumps(body)}' '{address[1]}'", cwd, env)
    if code:
        sys.exit(f"the customer's message was not accepted: {output}")
    _, output = bash("trunkline token make docs --role admin --days 1", cwd, env)
    env.update(API=API, TRUNKLINE_TOKEN=re.search(r"trk_\S+", output)[0])


def run_page(page, env):
    """Runs or checks the commands of a page, one after the other."""
    global checked
    began = time.monotonic()
    links(page)
    cwd = None
    for command in commands(page):
        cwd = cwd or working_folder(page, env)
        # The endpoint of the local stack differs from the documented one.
        command = with_unique_names(page, command.replace("http://127.0.0.1:4600", ENDPOINT))
        # The programs are on the path, and the working folder has no target folder.
        command = command.replace("target/debug/", "")
        if any(re.match(known, command) for known in NOT_RUN):
            checked += 1
            check(page, command, cwd, env)
        else:
            run(page, command, cwd, env)
    durations.append((time.monotonic() - began, str(page.relative_to(PROJECT))))


def built_programs():
    """Returns a folder with the programs of a fresh clone, so that a command that needs another one fails here too."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="programs-"))
    for name in BUILT:
        (folder / name).symlink_to(PROJECT / "target/debug" / name)
    return folder


def main():
    path = f"{built_programs()}:{PROJECT}/.tools/test/bin:{PROJECT}/.tools/sam/bin:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": "test",
           "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
           "SAM_CLI_TELEMETRY": "0", "RUST_BACKTRACE": "0", "AWS_PAGER": "",
           "WEBEX_VERIFICATION_TOKEN": "a-token", "WEBEX_SEND_URL": "https://webex.example.com/send"}
    prepare(env)
    pages = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "events/README.md",
             *sorted((PROJECT / "examples").glob("*/README.md"))]
    # One after the other, because pages act on the same connections and conversations.
    for page in pages:
        run_page(page, env)
    bill = re.search(r"\$ trunkline cost\n(.*?)```", (PROJECT / "docs/cost.md").read_text(), re.S)[1]
    if (output := bash("trunkline cost", PROJECT, env)[1]) != bill:
        fail(PROJECT / "docs/cost.md", "trunkline cost", f"the output differs:\n{output}")
    print(f"docs: {ran} commands run, {checked} checked without running, {len(problems)} failed")
    print("\n".join(problems))
    print("slowest pages:", ", ".join(f"{page} {took:.0f} s" for took, page in sorted(durations, reverse=True)[:4]))
    sys.exit(bool(problems))


main()
