# What a newcomer needs: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PLATFORMS := cm servisbot twin unblu webex webhook
FUNCTIONS := $(foreach p,$(PLATFORMS),$(p)-inbound $(p)-outbound) twin-listener upkeep console
PACKAGES := $(foreach p,$(PLATFORMS),-p trunkline-$(p)) -p trunkline-upkeep -p trunkline-console
# What is fuzzed: each platform's way in, and all else that reads what comes from elsewhere.
FUZZED := $(PLATFORMS) switchboard queue markup settings api answers socket signature address
PYTHON ?= python3
# The release before this one: what an upgrade begins with.
PREVIOUS = $(shell cut -d' ' -f2 tests/previous-release)
SAM := .tools/sam/bin/sam
# The local AWS takes any credentials; none of the real ones must come near it.
LOCAL_AWS := AWS_ENDPOINT_URL=http://127.0.0.1:$${PORT:-4600} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
  AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 SAM_CLI_TELEMETRY=0

.PHONY: help run test check template parameters deny unit pages e2e previous chaos soak native figures bench bench-baseline bench-count fuzz fuzz-all tools build release deploy invoke emulate settings schema clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 16

run: tools build ## everything on this machine, with a conversation to look at; Ctrl-C ends it
	@target/debug/trunkline local $(ARGS)

test: check unit pages e2e figures ## format, clippy, template, unit, property, browser and end-to-end tests; sizes and instructions

check: template deny ## format, clippy, template, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# Both templates are linted: the plain one, and the one that shifts traffic.
template: .tools/sam/.installed .tools/checkov/.installed ## the template alone: lint, checkov, who may do what, alarms
	$(PYTHON) tools/gradual.py Canary10Percent5Minutes
	for file in template.yaml target/template.yaml; do \
	  AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --template "$$file"; \
	  .tools/sam/bin/cfn-lint "$$file"; \
	done
	.tools/checkov/bin/checkov --config-file .checkov.yaml --file template.yaml
	.tools/sam/bin/python3 -m pytest -q -p no:cacheprovider tests/template

parameters: .tools/sam/.installed ## write docs/parameters.md anew
	.tools/sam/bin/python3 tools/parameters.py

deny: .tools/deny/.installed ## dependencies: licences, bans, sources; advisories where their database can be reached
	@tools/deny.sh .tools/deny/bin/cargo-deny

unit: ## unit and property tests
	cargo test --workspace --exclude trunkline-tests --locked
	cargo test -p trunkline-tests --locked --test fuzzed

pages: .tools/web/.installed ## the console's pages in a browser, on an API that is played
	cd functions/console/web && CI=true CHROMIUM="$$(../../../tools/chromium.sh)" npx playwright test $(ARGS)

e2e: tools .tools/web/.installed .tools/test/.installed .tools/api/.installed previous build ## end to end, on the real template on a local AWS
	@for p in curl jq openssl; do tools/program.sh $$p $$p >/dev/null; done
	cargo test -p trunkline-tests --locked --test e2e -- $(ARGS)

chaos: tools .tools/test/.installed .tools/api/.installed build ## the fault runs at full size: some ten minutes
	TRUNKLINE_CHAOS=full cargo test -p trunkline-tests --locked --test e2e -- chaos:: $(ARGS)

soak: tools .tools/test/.installed .tools/api/.installed native build ## half an hour of mixed platforms and faults, on the release binaries (TIME=1800 seconds)
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/soak/target/lambda/$$f && strip -o target/soak/target/lambda/$$f/bootstrap target/release/$$f; \
	done
	@cp template.yaml samconfig.toml target/soak/
	TRUNKLINE_VERSION=$(CURDIR)/target/soak TRUNKLINE_SOAK=$${TIME:-1800} cargo test -p trunkline-tests --locked --test e2e -- soak::

native: ## the release binaries for this machine, and what they are compared with: some ten minutes at first
	@echo "building release binaries …"
	@cargo build --release --locked --quiet $(PACKAGES) -p trunkline-floors --bins
	@cargo build --locked --quiet -p trunkline-bench

figures: native ## fail if a function's size, or a platform's instructions, have risen by more than a tenth
	@tools/program.sh valgrind valgrind >/dev/null
	target/debug/trunkline-bench sizes
	target/debug/trunkline-bench instructions

bench: native ## time, memory, AWS calls, and what is lost: some four minutes (ARGS="--rounds 9")
	@target/debug/trunkline-bench run --json target/bench.json $(ARGS)

bench-baseline: native ## keep the sizes and instructions as they are now
	@tools/program.sh valgrind valgrind >/dev/null
	target/debug/trunkline-bench sizes --write
	target/debug/trunkline-bench instructions --write

bench-count: native ## count anew what `trunkline cost` reckons with
	target/debug/trunkline-bench count --json cli/src/cost/counts.json

fuzz: ## TARGET=cm TIME=600: feed a parser, or the switchboard, with anything; needs cargo-fuzz and a nightly Rust
	@: "$${TARGET:?name one of: $(FUZZED)}"
	@tools/fuzz.sh $${TIME:-600} $$TARGET

fuzz-all: ## TIME=60: each of them for so long, one after the other
	@tools/fuzz.sh $${TIME:-60} $(FUZZED)

tools: .tools/aws/.installed .tools/sam/.installed ## the pinned tools, into .tools

.tools/web/.installed: functions/console/web/package-lock.json
	@echo "installing the browser tests of the console (once) …"
	@cd functions/console/web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund
	@tools/chromium.sh >/dev/null
	@mkdir -p $(@D) && touch $@

.tools/%/.installed: tools/requirements-%.txt
	@echo "installing $< into .tools/$* (once) …"
	@$(PYTHON) -m venv --clear .tools/$*
	@.tools/$*/bin/pip install --disable-pip-version-check --quiet -r $<
	@touch $@

build: ## the functions and the command, for this machine
	@echo "building (the first time takes a few minutes) …"
	@cargo build --locked -p trunkline $(PACKAGES) --bins
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/lambda/$$f; \
	  if [ target/debug/$$f -nt target/lambda/$$f/.dev ]; then \
	    strip -o target/lambda/$$f/bootstrap target/debug/$$f && touch target/lambda/$$f/.dev; \
	  fi; \
	done

# Into the same place as this version, for what both stand on is built once; `build` comes after it.
previous: target/previous/.built ## the release before this one, for the test of an upgrade

target/previous/.built: tests/previous-release
	@git cat-file -e $(PREVIOUS)^{commit} 2>/dev/null || git fetch --quiet origin $(PREVIOUS) || \
	  { echo "$(PREVIOUS) is not in this clone: git fetch --unshallow"; exit 1; }
	@echo "building the release before this one ($(PREVIOUS)) …"
	@rm -rf target/previous && mkdir -p target/previous && git archive $(PREVIOUS) | tar -x -C target/previous
	@cd target/previous && CARGO_TARGET_DIR=$(CURDIR)/target cargo build --locked --quiet -p trunkline $(PACKAGES) --bins
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/previous/target/lambda/$$f && strip -o target/previous/target/lambda/$$f/bootstrap target/debug/$$f; \
	done
	@touch $@

release: .tools/release/.installed ## the functions for AWS, arm64 (ARCH=x86_64 for the other)
	PATH="$(CURDIR)/.tools/release/bin:$$PATH" cargo lambda build --release --locked --output-format binary \
	  --target $${ARCH:-aarch64}-unknown-linux-gnu $(PACKAGES)
	@rm -f target/lambda/*/.dev

deploy: release .tools/sam/.installed ## build and deploy to your AWS account (PARAMETERS='Name=value …')
	if [ -n "$${DEPLOYMENT:-}" ]; then $(PYTHON) tools/gradual.py "$$DEPLOYMENT"; fi
	$(SAM) deploy --config-file $(CURDIR)/samconfig.toml --template "$${DEPLOYMENT:+target/}template.yaml" \
	  --parameter-overrides Architecture=$$([ "$${ARCH:-aarch64}" = x86_64 ] && echo x86_64 || echo arm64) \
	  $(PARAMETERS) $(ARGS)

invoke: ## FUNCTION=WebexInbound EVENT=events/webex-inbound.json, on the stack of `make run`
	@: "$${FUNCTION:?name a function of template.yaml}" "$${EVENT:?name a file of events/}"
	@$(LOCAL_AWS) $(SAM) remote invoke "$$FUNCTION" --event-file "$$EVENT"

emulate: ## FUNCTION=… EVENT=…: the same under the emulator of `sam local invoke`, without a container; see events/README.md
	@: "$${FUNCTION:?name a function of template.yaml}" "$${EVENT:?name a file of events/}"
	@mkdir -p .local && $(LOCAL_AWS) target/debug/trunkline env > .local/env.json
	@$(LOCAL_AWS) $(PYTHON) tools/rie.py "$$FUNCTION" "$$EVENT" .local/env.json

settings: ## write docs/settings.md anew
	cargo run --quiet --locked -p trunkline -- settings --markdown > docs/settings.md

schema: ## write docs/webhook.schema.json anew
	cargo run --quiet --locked -p trunkline -- schema > docs/webhook.schema.json

clean: ## remove what was built and installed here
	rm -rf target .tools .local
