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
.PHONY: help run setup ingest crawl classify trends report picture retrain browser test lint check check-corpus bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

picture: $(OUT)/report.html ## Take docs/report.png of the report's first screen (needs Chromium: make browser)
	mkdir -p docs
	chromium --headless=new --disable-gpu --hide-scrollbars --window-size=820,1560 $(if $(filter 0,$(shell id -u)),--no-sandbox) \
		--screenshot=docs/report.png "file://$(abspath $<)"

browser: ## Install Debian's Chromium, its driver and fonts for the browser tests, where missing (needs root)
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && fc-list 2>/dev/null | grep -qi cjk && exit 0; \
	command -v apt-get >/dev/null || { echo "make browser uses apt-get, which is not here: install chromium, chromedriver and a CJK font by hand" >&2; exit 2; }; \
	test "$$(id -u)" = 0 || { echo "make browser installs packages and needs root: run sudo make browser; without it the browser tests are skipped" >&2; exit 2; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium chromium-driver fontconfig fonts-noto-cjk

test: $(VENV)/.dev models/index.json ## Run the tests
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-corpus: $(VENV)/.ready ## Check every statement, passage, event and card of the corpus
	$(STANCE) check-corpus

check: lint check-corpus test ## All that must hold before a commit

bench: $(VENV)/.dev models/index.json ## Measure speed, memory, start-up and quality beside other classifiers (some minutes)
	$(BIN)/python tests/bench/cold_start.py
	$(BIN)/python -m tests.bench.speed --sizes 10000 100000

lock: ## Write constraints.txt anew from the newest versions that pyproject.toml allows
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	.lock-venv/bin/python -m pip freeze --exclude-editable | grep -v '@' > constraints.txt
	rm -rf .lock-venv

clean: ## Remove everything that can be made again: exports, models, caches (the store and .venv stay)
	rm -rf $(OUT) models/linear models/index.json data/.classified .pytest_cache .mypy_cache .ruff_cache .hypothesis
