# Start with `make run` and `make test`. `make help` lists all targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Each folder in functions/ is a package. One with a function of the name <folder>-inbound is a platform.
FOLDERS := $(sort $(patsubst functions/%/Cargo.toml,%,$(wildcard functions/*/Cargo.toml)))
ALL_PLATFORMS := $(foreach f,$(FOLDERS),$(if $(wildcard functions/$(f)/src/bin/$(f)-inbound.rs),$(f)))
FUNCTIONS := $(sort $(basename $(notdir $(wildcard functions/*/src/bin/*.rs))))
PACKAGES := $(foreach f,$(FOLDERS),-p trunkline-$(f))
# Fuzz targets: the inbound parser of each platform, and everything else that reads external input.
FUZZED := $(ALL_PLATFORMS) routing queue markup settings api answers socket signature address
PYTHON ?= python3
# Commit of the previous release, from which the upgrade test starts.
PREVIOUS = $(shell cut -d' ' -f2 tests/previous-release)
SAM := .tools/sam/bin/sam
# The local AWS accepts any credentials. These replace real ones, which must not be sent to it.
LOCAL_AWS := AWS_ENDPOINT_URL=http://127.0.0.1:$${PORT:-4600} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
  AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 SAM_CLI_TELEMETRY=0

.PHONY: help run test check lint vocabulary template template-lint template-policies template-tests generate platforms parameters deny unit pages e2e second-opinion conform previous documents chaos soak native floor-sdk figures rendering bench bench-baseline bench-count fuzz fuzz-all tools build release release-check deploy invoke emulate settings content specs requirements openapi clean

help: ## list all targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 16

run: tools build ## start the local stack with a demo conversation; Ctrl-C stops it
	@target/debug/trunkline local $(ARGS)

# The parts run two at a time, because each waits for much of its time: Python beside clippy, the browser beside the unit
# tests.
test: ## run all checks and tests: format, lints, template, unit, property, browser, end to end
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line check tools .tools/test/.installed .tools/web/.installed
	@cargo test --workspace --locked --no-run
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line unit pages
	@$(MAKE) --no-print-directory e2e

check: lint template-tests template-lint template-policies deny vocabulary ## check words, format, lints, template and dependencies

lint: ## check format and lints of the Rust code
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --test e2e --locked -- -D warnings

vocabulary: ## check the words of code and documentation (tools/vocabulary.toml)
	$(PYTHON) tools/vocabulary.py

template: template-lint template-policies template-tests ## check template.yaml: lint, checkov, permissions, alarms

# Also for the generated template for gradual deployments.
template-lint: .tools/sam/.installed
	$(PYTHON) tools/template.py --check
	$(PYTHON) tools/gradual.py Canary10Percent5Minutes
	for file in template.yaml target/template.yaml; do \
	  AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --template "$$file"; \
	done

template-policies: .tools/checkov/.installed
	.tools/checkov/bin/checkov --config-file .checkov.yaml --file template.yaml

template-tests: .tools/sam/.installed .tools/checkov/.installed
	.tools/sam/bin/python3 -m pytest -q -p no:cacheprovider tests/template

generate: ## regenerate template.yaml from template/ and functions/*/template.yaml
	$(PYTHON) tools/template.py

parameters: .tools/sam/.installed ## regenerate docs/parameters.md
	.tools/sam/bin/python3 tools/parameters.py

deny: .tools/deny/.installed ## check dependencies: licences, bans, sources, and advisories if their database is reachable
	@tools/deny.sh .tools/deny/bin/cargo-deny

unit: ## run unit and property tests
	cargo test --workspace --locked

pages: .tools/web/.installed ## test the console in a browser with a mock API
	cd functions/console/web && CI=true CHROMIUM="$$(../../../tools/chromium.sh)" npx playwright test $(ARGS)

e2e: tools .tools/web/.installed .tools/test/.installed build ## run end-to-end tests: the real template on a local AWS (ARGS=smoke::)
	cargo test --workspace --locked --test e2e -- $(ARGS)

second-opinion: .tools/aws/.installed .tools/moto/.installed .tools/sam/.installed ## call two emulators as the store and the queues do, and judge their answers
	.tools/sam/bin/python3 -m pytest -q -p no:cacheprovider tests/aws

# The stories with Unblu run with each version of its web API. The run with version 3 is also that of a new AWS account,
# which allows ten invocations at once.
conform: tools .tools/web/.installed .tools/test/.installed build ## judge fixtures, requests, answers and calls by the vendors' own documents
	cargo test --workspace --locked --test fixtures --test verdict --test tests --test content
	TRUNKLINE_UNBLU_API=v3 TRUNKLINE_ACCOUNT_CONCURRENCY=10 cargo test --workspace --locked --test e2e -- $(ARGS)
	TRUNKLINE_UNBLU_API=v4 cargo test --workspace --locked --test e2e -- $(ARGS)

documents: tools .tools/web/.installed .tools/test/.installed .tools/api/.installed build ## call the API as its OpenAPI document allows, and run every documented command
	@for p in curl jq openssl; do tools/program.sh $$p $$p >/dev/null; done
	TRUNKLINE_DOCUMENTS=1 cargo test --workspace --locked --test e2e -- documents:: $(ARGS)

chaos: tools .tools/test/.installed build ## run the fault injection tests at full size (about 10 minutes)
	TRUNKLINE_CHAOS=full cargo test --workspace --locked --test e2e -- chaos:: $(ARGS)

soak: tools .tools/test/.installed native build ## run the soak test on release binaries (TIME=1800 seconds)
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/soak/target/lambda/$$f && strip -o target/soak/target/lambda/$$f/bootstrap target/release/$$f; \
	done
	@cp template.yaml samconfig.toml target/soak/
	TRUNKLINE_VERSION=$(CURDIR)/target/soak TRUNKLINE_SOAK=$${TIME:-1800} cargo test --workspace --locked --test e2e -- soak::

native: ## build release binaries and baselines for this machine (first time: about 15 minutes)
	@echo "building release binaries ..."
	@cargo build --release --locked --quiet $(PACKAGES) -p trunkline-floors --bins
	@cargo build --workspace --locked --quiet --bin trunkline-bench

# Apart from `native`, because CI needs no floor of 0.2.0.
floor-sdk: ## build the frozen baseline functions (first time: about 5 minutes)
	@echo "building the baseline of 0.2.0 ..."
	@CARGO_TARGET_DIR=$(CURDIR)/target/floor-sdk cargo build --release --locked --quiet --manifest-path bench/floor-sdk/Cargo.toml
	@mkdir -p target/release
	@cp target/floor-sdk/release/floor-sdk-inbound target/floor-sdk/release/floor-sdk-outbound target/release/

figures: native ## fail if binary sizes or instruction counts grew by more than 10 %
	@tools/program.sh valgrind valgrind >/dev/null
	target/debug/trunkline-bench sizes
	target/debug/trunkline-bench instructions
	target/debug/trunkline-bench rendering

rendering: native ## fail if rendering a message takes more than linear time
	@target/debug/trunkline-bench rendering

bench: native floor-sdk ## measure latency, memory, AWS calls and losses (about 10 minutes; ARGS="--only closed --rounds 9")
	@target/debug/trunkline-bench run --json target/bench.json $(ARGS)

bench-baseline: native ## save current binary sizes and instruction counts as the baseline
	@tools/program.sh valgrind valgrind >/dev/null
	target/debug/trunkline-bench sizes --write
	target/debug/trunkline-bench instructions --write

bench-count: native ## regenerate the counts that `trunkline cost` uses
	target/debug/trunkline-bench count --json cli/src/cost/counts.json

fuzz: ## fuzz one target (TARGET=cm TIME=600); needs cargo-fuzz and a nightly Rust toolchain
	@: "$${TARGET:?name one of: $(FUZZED)}"
	@tools/fuzz.sh $${TIME:-600} $$TARGET

fuzz-all: ## fuzz all targets, TIME=60 seconds each
	@tools/fuzz.sh $${TIME:-60} $(FUZZED)

tools: .tools/aws/.installed .tools/sam/.installed ## install pinned tools into .tools

.tools/web/.installed: functions/console/web/package-lock.json
	@echo "installing the browser tests of the console (once) ..."
	@cd functions/console/web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund
	@tools/chromium.sh >/dev/null
	@mkdir -p $(@D) && touch $@

.tools/%/.installed: tools/requirements-%.txt
	@echo "installing $< into .tools/$* (once) ..."
	@$(PYTHON) -m venv --clear .tools/$*
	@.tools/$*/bin/pip install --disable-pip-version-check --quiet -r $<
	@touch $@

build: ## build the functions and the CLI for this machine
	@echo "building (the first time takes a few minutes) ..."
	@cargo build --workspace --locked --bin trunkline $(FUNCTIONS:%=--bin %)
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/lambda/$$f; \
	  if [ target/debug/$$f -nt target/lambda/$$f/.dev ]; then \
	    strip -o target/lambda/$$f/bootstrap target/debug/$$f && touch target/lambda/$$f/.dev; \
	  fi; \
	done

# The upgrade test is off until 0.3.0, because 0.1 and 0.2 have no installations. To run it: `make previous build`,
# then TRUNKLINE_PREVIOUS=1. Both releases share the target folder, so that common dependencies are built once.
previous: target/previous/.built ## build the previous release, for the upgrade test (off until 0.3.0)

target/previous/.built: tests/previous-release
	@git cat-file -e $(PREVIOUS)^{commit} 2>/dev/null || git fetch --quiet origin $(PREVIOUS) || \
	  { echo "$(PREVIOUS) is not in this clone: run git fetch --unshallow"; exit 1; }
	@echo "building the previous release ($(PREVIOUS)) ..."
	@rm -rf target/previous && mkdir -p target/previous && git archive $(PREVIOUS) | tar -x -C target/previous
	@cd target/previous && CARGO_TARGET_DIR=$(CURDIR)/target cargo build --locked --quiet -p trunkline $(PACKAGES) --bins
	@for f in $(FUNCTIONS); do \
	  mkdir -p target/previous/target/lambda/$$f && strip -o target/previous/target/lambda/$$f/bootstrap target/debug/$$f; \
	done
	@touch $@

release: .tools/release/.installed ## build the functions for AWS (ARCH=x86_64 instead of arm64)
	PATH="$(CURDIR)/.tools/release/bin:$$PATH" cargo lambda build --release --locked --output-format binary \
	  --target $${ARCH:-aarch64}-unknown-linux-gnu $(PACKAGES)
	@rm -f target/lambda/*/.dev

release-check: .tools/release/.installed ## build the functions for arm64 and x86_64, and check what Lambda requires
	@tools/release-check.sh $(PACKAGES)

# Checks PLATFORMS before the build, which takes minutes.
platforms:
	@$(PYTHON) tools/template.py --parameters $(PLATFORMS) >/dev/null

deploy: platforms release .tools/sam/.installed ## build, and deploy to your AWS account (PLATFORMS='id ...' PARAMETERS='Name=value ...')
	if [ -n "$${DEPLOYMENT:-}" ]; then $(PYTHON) tools/gradual.py "$$DEPLOYMENT"; fi
	$(SAM) deploy $${AWS_REGION:+--region "$$AWS_REGION"} --config-file $(CURDIR)/samconfig.toml --template "$${DEPLOYMENT:+target/}template.yaml" \
	  --parameter-overrides Architecture=$$([ "$${ARCH:-aarch64}" = x86_64 ] && echo x86_64 || echo arm64) \
	  $(if $(PLATFORMS),$$($(PYTHON) tools/template.py --parameters $(PLATFORMS))) $(PARAMETERS) $(ARGS)

invoke: ## invoke a function of the `make run` stack (FUNCTION=Console EVENT=events/console.json)
	@: "$${FUNCTION:?name a function of template.yaml}" "$${EVENT:?name a file of events/}"
	@$(LOCAL_AWS) $(SAM) remote invoke "$$FUNCTION" --event-file "$$EVENT"

emulate: ## the same in the emulator of `sam local invoke`, without a container; see events/README.md
	@: "$${FUNCTION:?name a function of template.yaml}" "$${EVENT:?name a file of events/}"
	@mkdir -p .local && $(LOCAL_AWS) target/debug/trunkline env > .local/env.json
	@$(LOCAL_AWS) $(PYTHON) tools/rie.py "$$FUNCTION" "$$EVENT" .local/env.json

settings: ## regenerate docs/settings.md
	cargo run --quiet --locked --bin trunkline -- settings --markdown > docs/settings.md

content: ## regenerate the tables of docs/content.md
	UPDATE_CONTENT=1 cargo test --quiet --locked --workspace --test content

requirements: ## regenerate docs/conformance.md: the vendors' requirements and the tests that show them
	$(PYTHON) tools/conformance.py

specs: .tools/specs/.installed ## regenerate functions/*/spec/*.json from the vendors' machine-readable documents (SPECS=folder)
	@: "$${SPECS:?name the folder with the documents}"
	.tools/specs/bin/python3 tools/specs.py "$$SPECS"

openapi: ## regenerate functions/console/openapi.json
	cargo run --quiet --locked --bin trunkline -- openapi > target/openapi.json
	mv target/openapi.json functions/console/openapi.json

clean: ## remove builds and installed tools
	rm -rf target .tools .local
