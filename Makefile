# Every target works on a machine that has only Python 3.11 (or newer) and make.

VENV := .venv
BIN := $(VENV)/bin
STORE := .asl/executions.sqlite
MACHINE := state_machines/ml-training
# Tests also wait: for processes that start, browsers and sockets.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SOURCES := $(shell find asl_engine lambdas infra state_machines benchmarks tests docs *.md Makefile pyproject.toml \
	-type f -not -name '*.pyc' -not -path '*/.*/*' 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-16s%s\n' "$$target" "$$text"; done

.PHONY: run
run: $(VENV)/.installed ## Run the ML training pipeline to its end, durably, under virtual time
	@name="ml-training-$$(date -u +%Y%m%d-%H%M%S)-$$$$"; \
	mkdir -p $(dir $(STORE)); \
	$(BIN)/asl run $(MACHINE)/definition.asl.json --input @$(MACHINE)/inputs/approved.json \
		--tasks $(MACHINE)/tasks.py --clock virtual --store sqlite:$(STORE) --name "$$name"; \
	status=$$?; \
	printf '\nIts history:         %s\n' "$(BIN)/asl history $$name --store sqlite:$(STORE)"; \
	printf 'All executions:      %s\n' "$(BIN)/asl list --store sqlite:$(STORE)"; \
	printf 'Other ways to end:   %s\n' "$(MACHINE)/README.md"; \
	exit $$status

.PHONY: test
test: $(VENV)/.installed-dev ## Run all tests
	@rm -f $(VENV)/.tests-passed
	$(BIN)/pytest -n $(WORKERS) --dist worksteal
	@touch $(VENV)/.tests-passed

.PHONY: check
check: lint types layers $(VENV)/.tests-passed ## Everything that CI checks; tests only if something changed since they passed

.PHONY: format
format: $(VENV)/.installed-dev ## Format the code and mend what the linter can mend
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

.PHONY: conformance
conformance: $(VENV)/.installed-dev ## Compare `asl serve` with recordings of AWS (CONFORMANCE="--store dynamodb:executions")
	$(BIN)/python -m tests.conformance.run $(CONFORMANCE)

.PHONY: bench
bench: $(VENV)/.installed-dev ## Compare the engine with its peers (BENCH=--scaling: with itself at ten times the size)
	$(BIN)/python -m benchmarks $(BENCH)

.PHONY: package
package: $(VENV)/.installed ## Build the functions' archives (PACKAGE='--architecture x86_64'), without Docker
	$(BIN)/asl package --definitions state_machines $(PACKAGE)

.PHONY: cdk
cdk: $(VENV)/.installed-dev ## Install what synthesizes the CDK template (half a gigabyte), for its tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cdk]'

.PHONY: e2e
e2e: $(VENV)/.installed-dev ## Deploy to emulators on this machine with Terraform, run a pipeline with an approval, destroy
	$(BIN)/python -m tests.e2e

.PHONY: cost
cost: $(VENV)/.installed-dev ## Count what a million transitions cost on AWS (ARGS=--json)
	@$(BIN)/python -m benchmarks cost $(ARGS)

.PHONY: scale
scale: $(VENV)/.installed-dev ## 10,000 open executions, a Map of 10,000 items, a loop of 250,000 events (ARGS=--json)
	@$(BIN)/python -m benchmarks scale $(ARGS)

.PHONY: clean
clean: ## Remove the virtual environment and everything that tools left behind
	rm -rf $(VENV) build *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: coverage
coverage: $(VENV)/.installed-dev ## Run all tests and tell which lines none of them runs: half as long again
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --skip-covered --fail-under=95

.PHONY: lint types layers
lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

# Tests that have passed need not pass again before something changes.
$(VENV)/.tests-passed: $(VENV)/.installed-dev $(SOURCES)
	@$(MAKE) --no-print-directory test

# The stamps say what is installed, so that a second make installs nothing. Whoever has the one for
# developers need not install for users.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/.installed $@

# A name on the PATH is no promise: what pyenv and Debian put there may not run, or may lack venv.
$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "Creating $(VENV) with $$($$python --version)"; \
			$$python -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo 'No Python 3.11 or newer with venv was found.' >&2; \
	echo 'Install it (Debian, Ubuntu: apt-get install python3.11-venv) or name it: make PYTHON=/path/to/python3.11' >&2; \
	exit 1
