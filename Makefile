# `make` lists the targets. Everything is incremental: what is up to date is not done again.
PYTHON ?= python3
SINCE  ?= 2019-01-01
OUT    ?= exports

VENV   := .venv
STANCE := $(VENV)/bin/stance
BIN    := $(VENV)/bin
STORE  := data/stance.sqlite
CORPUS := $(shell find corpus -name '*.jsonl' -o -name '*.toml' -o -name '*.csv')

.DEFAULT_GOAL := help
.PRECIOUS: $(STORE)
.PHONY: help run setup ingest crawl classify trends report retrain test lint check bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: report ## The main job: from the bundled statements to trends, charts and a page in exports/
	@echo "See $(OUT)/report.html, $(OUT)/trends.csv, $(OUT)/tests.csv"

setup: $(VENV)/.ready ## Make .venv with the exact versions of constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it with make PYTHON=python3.12" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The store itself is the stamp of what was loaded: `stance ingest FILE` by hand makes what follows run again.
ingest: $(STORE) ## Load the bundled statements into the store

$(STORE): $(CORPUS) | $(VENV)/.ready
	$(STANCE) ingest corpus --store $@
	@touch $@

crawl: $(STORE) ## Fetch new statements from the official sites of corpus/sources.toml, slowly; goes on where it stopped
	$(STANCE) ingest all --store $(STORE) --since $(SINCE)

models/index.json: | $(VENV)/.ready
	$(STANCE) retrain

retrain: $(VENV)/.ready ## Train again, measure, and make the model current unless a quality floor falls
	$(STANCE) retrain

classify: data/.classified ## Tag the statements in the store

data/.classified: $(STORE) models/index.json
	$(STANCE) classify --store $(STORE)
	@touch $@

trends: $(OUT)/trends.csv ## Estimate positions, gap and convergence

$(OUT)/trends.csv: data/.classified corpus/events.csv corpus/targets.toml
	$(STANCE) trends --store $(STORE) --since $(SINCE) --out $(OUT)

report: $(OUT)/report.html ## Draw the charts and write the page

$(OUT)/report.html: $(OUT)/trends.csv
	$(STANCE) report --store $(STORE) --out $(OUT)

test: $(VENV)/.dev models/index.json ## Run the tests
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## All that must hold before a commit

bench: $(VENV)/.dev models/index.json ## Measure start-up time and speed
	$(BIN)/python tests/bench/cold_start.py

lock: ## Write constraints.txt anew from the newest versions that pyproject.toml allows
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	.lock-venv/bin/python -m pip freeze --exclude-editable | grep -v '@' > constraints.txt
	rm -rf .lock-venv

clean: ## Remove everything that can be made again: exports, models, caches (the store and .venv stay)
	rm -rf $(OUT) models/linear models/index.json data/.classified .pytest_cache .mypy_cache .ruff_cache .hypothesis
