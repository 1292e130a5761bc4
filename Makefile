# make demo: the whole job on the bundled sample. make test: the tests. `make` alone lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OF := hnintel/enrich hnintel/ledger hnintel/cost hnintel/web/guard.py
N := 40
SEED := 1
DAYS := 2026-10-20 2026-10-21 2026-10-22
# A file is one process's, since its tests share a server; the longest files come first (tests/conftest.py). The slow ones
# wait for servers and workers much of their time, so two cores have time for three.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder
# Compiled modules are kept, whatever the shell has set: tests start processes, and each would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo serve test test-slow test-long coverage mutants test-live check audit lock fix clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

# A stamp a set of dependencies, so that a second call takes no time over set-up.
$(VENV)/run.stamp: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	@echo "setting up $(VENV) (one to three minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/dev.stamp  ## install everything, tests' needs included

demo: $(VENV)/run.stamp  ## the whole job on the bundled sample; prints where the page is
	@for day in $(DAYS); do $(BIN)/python flows/main.py --source sample --day $$day || exit $$?; done

test: $(VENV)/dev.stamp  ## the tests: some minutes
	@$(BIN)/python -m pytest -n 2 $(SIDE_BY_SIDE)

test-slow: $(VENV)/dev.stamp  ## those that take minutes: a real server and worker
	@$(BIN)/python -m pytest -n 3 $(SIDE_BY_SIDE) -m 'slow and not long'

test-long: $(VENV)/dev.stamp  ## what the others have one example of: each crash point, enrichment and store; no part of CI
	@$(BIN)/python -m pytest -n 3 $(SIDE_BY_SIDE) -m long

coverage: $(VENV)/dev.stamp  ## what the quick tests, and those of flows on a server, run of the code; fails below the floor
	@$(BIN)/python -m pytest -n 2 $(SIDE_BY_SIDE) -m '(not slow or server) and not long and not live' --cov --cov-report=term

mutants: $(VENV)/dev.stamp  ## whether the tests notice a changed operator or number: OF=hnintel/cost, N=40, SEED=1
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt cosmic-ray
	@$(BIN)/python bench/mutants.py $(OF) --sample $(N) --seed $(SEED)

test-live: $(VENV)/dev.stamp  ## on your Snowflake account (SNOWFLAKE_*): some minutes, some credits; drops what it makes
	@$(BIN)/python -m pytest -m live -rs tests/live

serve: $(VENV)/run.stamp  ## Prefect's server and a worker with all deployments, until ctrl-C
	@exec $(BIN)/python deployments/serve.py

check: $(VENV)/dev.stamp  ## lint, types, spelling, known vulnerabilities, and whether what is deployed fits the code; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q flows tasks hnintel tests deployments
	@$(BIN)/mypy
	@$(BIN)/typos --format brief
	@$(BIN)/python deployments/checking/check.py
	@$(BIN)/hadolint deployments/Dockerfile
	@$(BIN)/python deployments/audit.py

audit: $(VENV)/dev.stamp  ## whether a pinned package has a known vulnerability, where the index can be asked
	@$(BIN)/python deployments/audit.py

lock: $(VENV)/dev.stamp  ## write the hashes that the image installs by, after constraints.txt or pyproject.toml changed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip compile -q pyproject.toml --extra image -c constraints.txt -o deployments/requirements.txt \
	    --universal --python-version 3.11 --only-binary :all: --generate-hashes --no-header --no-annotate --no-emit-index-url

fix: $(VENV)/dev.stamp  ## what of that can be mended by itself
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format -q flows tasks hnintel tests deployments

clean:  ## take away what was installed and written
	rm -rf $(VENV) .hnintel .pytest_cache .mypy_cache .ruff_cache .coverage
