PYTHON ?= python3
VENV := .venv
WORKERS ?= 4
BIN := $(VENV)/bin
# The build warns that a checkout is installed as a checkout.
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check
LIB := remote/_door/door.sh $(wildcard remote/steps/lib/*.sh)
STEPS := $(filter-out $(LIB),$(wildcard remote/_door/*.sh remote/steps/*/*.sh))
.DEFAULT_GOAL := help

# What deploy.yml installs: all that a checkout needs but itself, and what builds it.
LOCKED = grep -v '^-e' requirements.txt && sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml
LOCK = $(BIN)/uv pip compile - --quiet --no-config --universal --python-version=3.10 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: help demo test unit thorough faults fuzz lint style types shell workflow hooks docs site dist lock locked audit sbom bench clean

help: ## print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.demo-is-ready ## see the gate at work on a throwaway host: needs nothing but Python
	@$(BIN)/python -m sandbox demo

test: $(VENV)/.dev-is-ready ## run all tests, with the floor under line coverage
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=95

unit: $(VENV)/.dev-is-ready ## run the tests that need no server
	$(BIN)/python -m pytest tests/unit tests/steps

thorough: $(VENV)/.dev-is-ready ## run the tests that take longer than a gate may
	$(BIN)/python -m pytest -m thorough --numprocesses=$(WORKERS) --dist=loadfile

faults: $(VENV)/.dev-is-ready ## inject every fault, and write what came of it into docs/faults.md
	FAULTS_WRITE=yes $(BIN)/python -m pytest -m '' --numprocesses=$(WORKERS) --dist=loadfile tests/faults

fuzz: $(VENV)/.dev-is-ready ## kill who takes part in a run, at random: SEED=7 ROUNDS=500, or ROUNDS=41-41 again
	FUZZ_SEED=$(or $(SEED),$(shell date +%s)) FUZZ_ROUNDS=$(or $(ROUNDS),500) \
		$(BIN)/python -m pytest tests/fuzz/test_fuzz.py --quiet --numprocesses=$(WORKERS) --dist=load

lint: style types shell workflow ## check style, types, shell and workflow

style: $(VENV)/.dev-is-ready ## check the style of Python: ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-is-ready ## check the types of Python: mypy
	@mkdir -p .cache/types && ln -sfn "$(CURDIR)" .cache/types/fabric_predeploy
	$(BIN)/mypy -p fabric_predeploy.tasks -p fabric_predeploy.remote -p fabric_predeploy.config -p sandbox $(if $(wildcard bench/__main__.py),-p bench)

# A step runs behind lib/, so it is read behind it; .shellcheckrc says what follows from that.
shell: $(VENV)/.dev-is-ready ## check the shell that is sent to a host: shellcheck, shfmt
	@printf '%s\n' $(STEPS) | xargs -P 4 -I '{}' \
		sh -c 'cat $(LIB) "{}" | $(BIN)/shellcheck --shell=sh - || { echo "in {}"; exit 1; }'
	@$(BIN)/shfmt -d -ln posix -i 4 -ci $(LIB) $(STEPS)

workflow: $(VENV)/.dev-is-ready ## check .github/workflows: actionlint
	$(BIN)/actionlint -shellcheck=$(BIN)/shellcheck .github/workflows/*.yml

hooks: $(VENV)/.dev-is-ready ## have git run lint before each commit, for the files that it changes
	$(BIN)/pre-commit install

docs: $(VENV)/.dev-is-ready ## write the parts of docs/ and of the shipped profile that follow from the code
	$(BIN)/python .ci/pages.py
	$(BIN)/python -m tests.messages >docs/messages.md

site: $(VENV)/.dev-is-ready ## check all links of the pages, and build them as a site in .cache/site
	NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet

# uv prepares the environment of the build: it takes a second where pip takes ten.
dist: $(VENV)/.dev-is-ready ## build the wheel and the source archive in dist/, install the wheel and use it
	@rm -rf dist/*.whl dist/*.tar.gz
	$(BIN)/python -m build --installer=uv --outdir=dist .
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/python .ci/installed.py dist/*.whl

lock: $(VENV)/.dev-is-ready ## pin the newest of what deploy.yml installs, with hashes, in requirements.lock
	@set -e; wanted=$$($(LOCKED)); printf '%s\n' "$$wanted" | $(LOCK) --upgrade --output-file=requirements.lock >/dev/null

# What is pinned stays where it is in line with what is required.
locked: $(VENV)/.dev-is-ready ## tell whether requirements.lock is in line with what is required
	@mkdir -p .cache && cp requirements.lock .cache/requirements.lock
	@set -e; wanted=$$($(LOCKED)); printf '%s\n' "$$wanted" | $(LOCK) --output-file=.cache/requirements.lock >/dev/null
	@diff requirements.lock .cache/requirements.lock || { echo "requirements.lock is not in line: make lock" >&2; exit 1; }

audit: $(VENV)/.dev-is-ready ## tell whether an advisory names what requirements.lock pins
	@$(BIN)/python .ci/audit.py

sbom: $(VENV)/.dev-is-ready ## list what requirements.lock pins as CycloneDX, in dist/sbom.cdx.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.lock --output-reproducible --output-format=JSON --output-file=dist/sbom.cdx.json

bench: $(VENV)/.dev-is-ready ## compare with ssh and pg_dump by hand; BENCH_ROWS sets the large size
	$(BIN)/python -m bench

clean: ## remove the environment and everything cached or built
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* build dist *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"If another is installed: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.demo-is-ready: requirements.txt requirements-lib.txt requirements-demo.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements.txt and requirements-demo.txt into $(VENV)"
	@$(PIP) -r requirements.txt -r requirements-demo.txt
	@touch $@

$(VENV)/.dev-is-ready: $(VENV)/.demo-is-ready requirements-dev.txt requirements-test.txt | $(BIN)/python
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(PIP) -r requirements-dev.txt
	@touch $@
