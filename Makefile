# Needs python3, make and git on PATH, and Go where there is no Pulumi; all else is in .venv and .tools/bin.
PYTHON ?= python3
WITH_TOOLS = PATH="$(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$$PATH"
SDK ?= sdk
SDK_LANGUAGES = python nodejs go

.PHONY: help setup demo test test-fast test-long lint format sdk docs states crash chaos explore versions bench dist clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv and .tools/bin (a minute; 7 where Pulumi has to be built; then a moment)
	@$(PYTHON) tools/setup.py

demo: ## Repair a node of a simulated cluster with `pulumi up` (a minute)
	@$(PYTHON) tools/setup.py --for-use
	@$(WITH_TOOLS) python examples/demo.py

test: lint ## Run lint and all tests but the long ones (15 minutes; twice that on a slow machine)
	@$(WITH_TOOLS) pytest -n 3 --dist worksteal -m "not long" # three on two cores: a test often waits for what it started

test-fast: setup ## Run the tests that start no engine, but for a few slow ones (under a minute)
	@$(WITH_TOOLS) pytest -n 2 --dist worksteal --quiet -m "not slow" $(addprefix tests/,unit portable network tools contract model simulator)

test-long: setup ## Run the tests of tests/long.txt (8 minutes; twice that on a slow machine)
	@$(WITH_TOOLS) pytest -n 3 --dist worksteal -m long

lint: setup ## Check style, formatting, types and import directions (half a minute)
	@$(WITH_TOOLS) ruff check --quiet
	@$(WITH_TOOLS) ruff format --check --quiet
	@$(WITH_TOOLS) pyright
	@$(WITH_TOOLS) lint-imports --no-logo

format: setup ## Format the code and fix what ruff can fix
	@$(WITH_TOOLS) ruff check --fix --quiet
	@$(WITH_TOOLS) ruff format --quiet

sdk: setup ## Write sdk/ anew from the schema (some seconds)
	@test -x .tools/bin/gensdk || { echo "sdk: Go is needed to build the generator; install it and run make sdk again"; exit 1; }
	@mkdir -p $(SDK)
	@$(WITH_TOOLS) python -m pulumi_resource_togetherai.schema > $(SDK)/schema.json
	@set -e; for language in $(SDK_LANGUAGES); do \
	  .tools/bin/gensdk --language $$language --schema $(SDK)/schema.json --out $(SDK)/$$language; \
	done
	@cp $(SDK)/python/pulumi_togetherai/README.md $(SDK)/python/README.md # where its pyproject.toml looks for it

docs: setup ## Write docs/reference/ anew from the schema, and the picture of the architecture from the code (a moment)
	@$(WITH_TOOLS) python tools/docs.py docs/reference
	@$(WITH_TOOLS) python tools/architecture.py docs/architecture.md

states: setup ## Record the stacks of this version in tests/states/, for later versions to read (2 minutes)
	@$(WITH_TOOLS) python -m tests.states.record

crash: setup ## Kill at every point of a remediation's life (8 minutes); BACKEND="postgres s3": runners that share it (18 each)
	@$(WITH_TOOLS) python -m tests.chaos.crash $(if $(BACKEND),--backend $(BACKEND))

chaos: setup ## Run at random with faults and kills; SEED=core:17 runs one again (some minutes)
	@$(WITH_TOOLS) python -m tests.chaos.chaos $(if $(SEED),--only $(SEED))

explore: setup ## Try every order of the requests of two processes that ask for one node, with a fault at each (15 minutes)
	@$(WITH_TOOLS) python -m tests.model.explore

versions: setup ## Run both forms with the oldest and the newest engine and pulumi (12 minutes; 7 more for the oldest engine)
	@$(PYTHON) tools/setup.py --oldest
	@$(WITH_TOOLS) pytest -n 2 tests/versions

bench: setup ## Measure what docs/performance.md claims (40 minutes)
	@$(WITH_TOOLS) python benchmarks/plugin_start.py
	@$(WITH_TOOLS) python benchmarks/simulator_cost.py
	@$(WITH_TOOLS) python benchmarks/many.py
	@$(WITH_TOOLS) python benchmarks/repair_plan.py
	@$(WITH_TOOLS) python benchmarks/endurance.py

dist: setup ## Build what a release consists of into dist/ (a minute)
	@$(WITH_TOOLS) python tools/dist.py dist

clean: ## Remove .venv, .tools and every cache
	@rm -rf .venv .tools dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
