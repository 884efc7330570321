# Python 3.11 or newer is all that is needed: `make reproduce PYTHON=python3.12` picks another than python3.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: reproduce test lint bench limits lock clean

reproduce: $(READY)  ## quick reproduction of every claim and figure, into results/
	$(BIN)/specproof reproduce --quick

test: $(READY)  ## the test-suite
	$(BIN)/pytest -n auto

lint: $(READY)  ## formatting, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)  ## speed, as ratios against named peers
	$(BIN)/python -m benchmarks

limits: $(READY)  ## where each way to the optimum stops, and why
	$(BIN)/python -m benchmarks.stops

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"specproof needs Python 3.11 or newer and this is {v[0]}.{v[1]}: run make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock:  ## pin what pyproject.toml allows today, from a new environment
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet 'torch==2.13.0' 'setuptools>=77' '.[llm,cluster,bench,dev]'
	$(VENV)-lock/bin/python -m pip freeze --all --exclude pip --exclude specproof | sed 's/+cpu$$//' > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
