# Kiku. python3 (3.11 or newer) and make are all this needs.

PYTHON ?= python3
HOST   ?= 127.0.0.1
PORT   ?= 8000
JOBS   ?= 2
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
# Stamps lie in the environment: they go when it goes. A second run installs nothing.
RUN  := $(VENV)/.installed-run
DEV  := $(VENV)/.installed-dev
PIP  := $(BIN)/python -m pip --disable-pip-version-check --quiet

LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help serve test check bench bench-growth bench-editors soak format docs lock migrate clean

help: ## Show this help
	@echo "Kiku: make <target>"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "Variables: PORT=8000  HOST=127.0.0.1  PYTHON=python3  JOBS=2 (test processes)  ARGS=... (to pytest, the benches, soak)"

serve: migrate ## Install, migrate, load the example article and serve on 127.0.0.1:8000
	@$(BIN)/kiku import examples/digest-page.txt --publish
	@key="$$($(BIN)/kiku keys create "make-serve-$$(date -u +%Y%m%dT%H%M%SZ)" --scope admin)" && \
	printf '\n  Articles   http://%s:%s/v1/articles\n  Docs       http://%s:%s/docs\n  Admin key  %s\n\n' \
		'$(HOST)' '$(PORT)' '$(HOST)' '$(PORT)' "$$key"
	@exec $(BIN)/kiku serve --host '$(HOST)' --port '$(PORT)'

test: $(DEV) ## Run every test, on SQLite and on PostgreSQL, with the coverage gate
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov $(ARGS)

check: $(DEV) ## Format, lint, types and floors: what a change must pass besides the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV) ## Measure reads, writes and searches on both databases beside their budgets (4 minutes)
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-growth: $(DEV) ## Measure what grows from 1,000 to 100,000 articles (two hours or so, 20 GB in TMPDIR)
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-editors: $(DEV) ## Let eight editors write four articles at once on both databases (3 minutes)
	@$(BIN)/python -m benchmarks.editors $(ARGS)

soak: $(DEV) ## Let twelve publishers make 100,000 changes on each database while mirrors are killed (hours)
	@$(BIN)/python -m tests.soak $(ARGS)

format: $(DEV) ## Rewrite the code as the formatter and the linter's safe fixes want it
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

migrate: $(RUN) ## Bring the database up to date (KIKU_DATABASE_URL, else ./kiku.db)
	@$(BIN)/kiku migrate

# ARGS=--upgrade takes the newest versions that pyproject.toml allows.
docs: $(DEV) ## Print what of the documentation comes from the code (docs/scopes.md)
	@$(BIN)/python -m tests.promises.scopes

lock: $(BIN)/python ## Make both requirements files again (ARGS=--upgrade for newer versions)
	@test -x $(BIN)/uv || $(PIP) install uv
	$(LOCK) --group build $(ARGS) --output-file requirements.lock
	$(LOCK) --no-strip-extras --group build --group dev $(ARGS) --constraint requirements.lock --output-file requirements-dev.lock

clean: ## Remove the environment and what the tools left; the database stays
	rm -rf $(VENV) dist build htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v '$(PYTHON)' >/dev/null || \
		{ echo "Kiku needs Python 3.11 or newer, and '$(PYTHON)' is not there. Try: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Kiku needs Python 3.11 or newer; '$(PYTHON)' is $$('$(PYTHON)' -V 2>&1). Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV)"
	@'$(PYTHON)' -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment could be made. On Debian or Ubuntu: apt install python3-venv"; exit 1; }

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing Kiku (requirements.lock)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing the test and lint tools (requirements-dev.lock)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
