"""Runs every command of the documents: `papers.py ENDPOINT API`, on a local stack. What cannot be run here is
checked as far as it goes, and PLAINLY lists why. Ends with 1, and says what failed, if anything did."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
ENDPOINT, API = sys.argv[1:3]
# What ends with an error here, and rightly so: the words that it must say then.
REFUSED = {
    r"trunkline (verify|check)": r"bot\.example\.com|no connection|refused|resolve|example|configured|cannot|not ",
    r"trunkline diff": r"",
    r"trunkline (handover|handback) ": r"has gone on meanwhile",
    r"trunkline discard dlv_…": r"no such|dlv_",
    r"trunkline token revoke <id>": r"",
    r"trunkline tail .* -f": r"",
}
# What is not run, and why.
PLAINLY = {
    r"make (run|test|bench|build)\b": "CI itself, or another test, runs it; here: make --dry-run",
    r"make (deploy|fuzz|release|soak|chaos)\b": "needs AWS, a nightly compiler, or long; here: make --dry-run",
    r"make (invoke|emulate)\b": "setup::every_function_has_a_sample runs each; here: make --dry-run",
    r"make \S+": "here: make --dry-run",
    r"(target/debug/)?trunkline simulate\b": "the simulate tests play them; here: the options are known",
    r"sam local invoke\b": "needs a container; tools/rie.py runs the same; here: function and event are there",
    r"cargo (install|test|run)\b": "compiles for minutes; here: its syntax, and the path",
    r"git (pull|checkout)\b": "of a clone of its own; here: its syntax",
    r"aws cloudformation (delete-stack|wait)\b": "ends the stack; here: the parameters",
    r"aws dynamodb (delete-table|update-table|restore-table-to-point-in-time|wait)\b": "the same",
    r"aws ssm get-parameters-by-path .*delete-parameters": "the same",
}
problems, ran, checked = [], 0, 0


def commands(page):
    """The commands of a page, each with its further lines."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.S):
        lines = iter(block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                continue
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            yield re.sub(r"\s{2,}# .*", "", command).strip()


def bash(script, cwd, env, timeout=120):
    done = subprocess.run(["bash", "-c", "set -o pipefail\n" + script], cwd=cwd, env=env, timeout=timeout,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def fail(page, command, why):
    problems.append(f"{page.relative_to(PROJECT)}: {command}\n    {why.strip()[-600:]}")


def check(page, command, cwd, env):
    """What is not run: is it what it says, at least?"""
    if bash(f"bash -n <<'EOS'\n{command}\nEOS", cwd, env)[0]:
        fail(page, command, "bash does not read it")
    if found := re.match(r"make (.*)", command):
        code, said = bash(f"make --dry-run --silent {found[1]} >/dev/null", PROJECT, env)
        if code and "names nothing" not in said and "fax" not in command:
            fail(page, command, said)
    elif found := re.search(r"trunkline simulate (\w+)(.*)", command):
        code, said = bash(f"trunkline simulate {found[1]} --help", cwd, env)
        unknown = [flag for flag in re.findall(r"--[a-z-]+", found[2]) if flag not in said]
        if code or unknown:
            fail(page, command, f"unknown: {unknown} {said}")
    elif found := re.match(r"sam local invoke (\w+)\s+-e (\S+)\s+--env-vars env.json", command):
        template = (PROJECT / "template.yaml").read_text()
        if f"\n  {found[1]}:\n" not in template or not (PROJECT / found[2]).is_file():
            fail(page, command, "there is no such function or event")
    elif command.startswith("aws ") and " wait " not in command:
        code, said = bash(command.split(" | ")[0] + " --generate-cli-skeleton output", cwd, env)
        # What it makes up as an answer need not fit, what it is asked must.
        if code and "TableDescription" not in said:
            fail(page, command, said)


def run(page, command, cwd, env):
    """Runs a command as it stands; what it sets stays set for those after it."""
    global ran
    ran += 1
    real = re.sub(r"aws logs tail (\S+) --since \S+ --format short", r"aws logs filter-log-events --log-group-name \1",
                  command)
    real = re.sub(r"(trunkline tail .*-f)", r"timeout 5 \1", real)
    real = real.replace("<id>", "tok_nobody")
    if program := re.search(r"python3 (\w+\.py( \w+)?)", real):
        name = program[1].split()[-1]
        started = f"(STAY=15 timeout 60 {program[0]} < {name}.lines > {name}.log 2>&1 || true)"
        real = real.replace(program[0], started)
        says = name == "customer"
        (cwd / f"{name}.lines").write_text("Where is my parcel?\n" if says else "")
        # The bot asks back, and the customer reads it.
        real = f"{real}; grep -q 'Which' {name}.log || {{ cat *.log; false; }}" if says else f"({real}) >/dev/null 2>&1 & sleep 1"
    keeps = cwd / ".state"
    script = f"set -a; [ -f {keeps} ] && . {keeps}; set +a\n{real}\ncode=$?\n"
    script += f"declare -p | grep -E '^declare (-x|--) [A-Z_]+=' | grep -v 'BASH\\|SHELLOPTS' > {keeps}\nexit $code"
    code, said = bash(script, cwd, env)
    if command == "trunkline apply local.yaml":
        time.sleep(31)  # functions see it within 30 seconds
    if command == "cp .env.example .env":
        fill(cwd / ".env", cwd, env)
    if command.startswith("API="):
        keeps.write_text(keeps.read_text() + f"\ndeclare -x API={API}\n")
    expected = next((words for known, words in REFUSED.items() if re.match(known, command)), None)
    if "panicked" in said or "Usage:" in said or (code and expected is None):
        fail(page, command, said or f"it ended with {code}")
    elif code and not re.search(expected, said):
        fail(page, command, said)


def own(page, text):
    """Examples are tried on one stack here, so each has names of its own."""
    return text.replace("shop-", f"{page.parent.name[0]}shop-") if page.parent.parent.name == "examples" else text


def fill(file, cwd, env):
    """Each variable of an example has a value, as its reader would give it."""
    def value(name):
        if "SIGNING" in name:
            return bash("trunkline secret", cwd, env)[1].strip()
        return "https://example.com/" if "URL" in name else "local-local-local-local"

    file.write_text(re.sub(r"^(\w+)=$", lambda found: f"{found[1]}={value(found[1])}", file.read_text(), flags=re.M))


def place(page, env):
    """A folder as a reader would have it at the beginning of a page."""
    cwd = pathlib.Path(tempfile.mkdtemp(prefix="papers-"))
    for name in ("template.yaml", "events", "demo", "docs"):
        (cwd / name).symlink_to(PROJECT / name)
    if page.parent.parent.name == "examples":
        shutil.copytree(page.parent, cwd, dirs_exist_ok=True)
        for file in cwd.glob("*.yaml"):
            if not file.is_symlink():
                file.write_text(own(page, file.read_text()))
    else:
        readme = (PROJECT / "README.md").read_text()
        (cwd / "trunkline.yaml").write_text(next(re.finditer(r"```yaml\n(connections:.*?)```", readme, re.S))[1])
    (cwd / "lines").write_text("")
    for name in ("bot", "desk", "archive", "webhook"):
        bash(f"[ -s {name}.secret ] || trunkline secret > {name}.secret", cwd, env)
    return cwd


def anchors(page):
    """What a link into a page may name: its headings, as GitHub writes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    headings = [re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", each) for each in re.findall(r"^#+ (.*)$", text, re.M)]
    named = re.findall(r'<a id="([^"]+)"', text)
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings} | set(named)


def links(page):
    """Each link to a file or heading of ours leads somewhere."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            fail(page, target, "there is no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            fail(page, target, "there is no such heading")


def story(env):
    """What the pages speak of: the README's configuration, and a customer whose message waits for the bot."""
    cwd = place(PROJECT / "README.md", env)
    code, said = bash("trunkline apply && trunkline urls", cwd, env)
    address = re.search(r"^shop-whatsapp\s+(http\S+)", said, re.M)
    if code or not address:
        sys.exit(f"the README's configuration cannot be applied: {said}")
    body = {"Conversationid": "31612345678", "ConversationType": "BOT", "Message": "Where is my parcel?",
            "MessageType": "text", "Messageid": "m-1", "Media": "", "Channel": "WhatsApp",
            "Event": "Incoming message", "Timestamp": "2026-03-04 09:15:20.890"}
    code, said = bash(f"curl -sS --fail -X POST -d '{json.dumps(body)}' '{address[1]}'", cwd, env)
    if code:
        sys.exit(f"the customer's message was not taken: {said}")
    _, said = bash("trunkline token make papers --role admin --days 1", cwd, env)
    env.update(API=API, TRUNKLINE_TOKEN=re.search(r"trk_\S+", said)[0])


def main():
    path = f"{PROJECT}/target/debug:{PROJECT}/.tools/test/bin:{PROJECT}/.tools/sam/bin:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": "test",
           "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
           "SAM_CLI_TELEMETRY": "0", "RUST_BACKTRACE": "0", "AWS_PAGER": "",
           "WEBEX_VERIFICATION_TOKEN": "a-token", "WEBEX_SEND_URL": "https://webex.example.com/send"}
    global checked
    story(env)
    pages = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "events/README.md",
             *sorted((PROJECT / "examples").glob("*/README.md"))]
    for page in pages:
        links(page)
        cwd = None
        for command in commands(page):
            cwd = cwd or place(page, env)
            # The local stack is wherever it is.
            command = own(page, command.replace("http://127.0.0.1:4600", ENDPOINT))
            if any(re.match(known, command) for known in PLAINLY):
                checked += 1
                check(page, command, cwd, env)
            else:
                run(page, command, cwd, env)
    bill = re.search(r"\$ trunkline cost\n(.*?)```", (PROJECT / "docs/cost.md").read_text(), re.S)[1]
    if (said := bash("trunkline cost", PROJECT, env)[1]) != bill:
        fail(PROJECT / "docs/cost.md", "trunkline cost", f"prints something else now:\n{said}")
    print(f"papers: {ran} commands run, {checked} checked without running, {len(problems)} wrong")
    print("\n".join(problems))
    sys.exit(bool(problems))


main()
