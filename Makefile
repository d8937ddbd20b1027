# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test endurance fuzz audit mutation clean

demo: $(VENV)/.base
	$(BIN)/zhengling analyze examples --format table
	$(BIN)/zhengling analyze examples --output demo/report.html
	@echo "The page is demo/report.html: open it in a browser."

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

# Hours; what each part proves and costs is in docs/reliability.md.
endurance: $(VENV)/.dev
	$(BIN)/python -m tests.endurance.planted
	$(BIN)/python -m tests.endurance.parallel
	$(BIN)/python -m tests.endurance.killed
	$(BIN)/python -m tests.endurance.service
	$(BIN)/python -m tests.endurance.documents
	$(BIN)/python -m tests.endurance.memory
	$(MAKE) fuzz

fuzz: $(VENV)/.endurance
	$(BIN)/python -m tests.endurance.fuzz

# Asks a database of known weaknesses, so it needs a network.
audit: $(VENV)/.endurance
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

mutation: $(VENV)/.endurance
	$(BIN)/python -m tests.endurance.mutation

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("zhengling needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.base

$(VENV)/.endurance: $(VENV)/.dev
	$(PIP) --editable '.[dev,endurance]'
	touch $@

clean:
	rm -rf $(VENV) demo dist build
