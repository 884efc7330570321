# Python 3.11 or newer is all that is needed: `make reproduce PYTHON=python3.12` picks another than python3.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: reproduce test test-all test-wheel lint docs gallery screenshots bench limits lock clean speed

reproduce: $(READY)  ## quick reproduction of every claim and figure, into results/
	$(BIN)/specproof reproduce --quick

# Every process of the tests would compile our modules and rewrite all tests anew where a shell forbids to keep them.
test test-all test-wheel: export PYTHONDONTWRITEBYTECODE =

test: $(READY)  ## the test-suite, but for what is marked slow
	$(BIN)/pytest -n auto

test-all: $(READY)  ## the whole test-suite, for a nightly run
	$(BIN)/pytest -n auto -m ""

test-wheel: $(READY)  ## the test-suite against the installed wheel in place of the checkout
	rm -rf build $(VENV)-wheel
	$(BIN)/python -m venv --without-pip $(VENV)-wheel
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(echo $(VENV)-wheel/lib/python*/site-packages)/lent.pth
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(BIN)/python -m pip --python $(VENV)-wheel/bin/python install --quiet --disable-pip-version-check --no-index --no-deps --ignore-installed build/wheel/*.whl
	$(VENV)-wheel/bin/python -m pytest -n auto --override-ini "pythonpath=. tests/support"

lint: $(READY)  ## formatting, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(READY)  ## the documentation site into build/docs; a warning is an error
	$(BIN)/python -m sphinx -b html -W --keep-going -q -d build/docs-parts docs build/docs

gallery: reproduce  ## the tables that the gallery of the documentation draws, from a quick run
	$(BIN)/python docs/extensions/gallery.py results

screenshots: $(READY)  ## the pictures of pages that the documentation shows, by headless Chromium
	PYTHONPATH=tests/support $(BIN)/python docs/extensions/screenshots.py

bench: $(READY)  ## speed, as ratios against named peers
	$(BIN)/python -m benchmarks

speed: $(READY)  ## tokens per second of the rules on a real pair, beside predictions; alone on the machine
	$(BIN)/python -m benchmarks.speed

gpu: $(READY)  ## the tests, claims and speeds that need a CUDA device, in one report
	$(BIN)/python -m benchmarks.gpu

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
	$(VENV)-lock/bin/python -m pip install --quiet --upgrade 'pip>=25.1'  # the first that knows dependency groups
	$(VENV)-lock/bin/python -m pip install --quiet 'torch==2.13.0' --group dev '.[llm,cluster]'
	$(VENV)-lock/bin/python -m pip freeze --all --exclude pip --exclude specproof | sed 's/+cpu$$//' > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-wheel build docs/written *.egg-info .mypy_cache .ruff_cache .pytest_cache
