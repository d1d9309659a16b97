# From nothing to a tested project with Python and make only. `make help` lists the targets.

UV_VERSION := 0.13.9
UV := .uv/bin/uv
RUN := .venv/bin
ARGS ?=
N ?=
# A standstill (no commit in time after a kill) is tried once more, on topics of its own, and shown as R in the output: on
# a machine that is too busy, a worker needs longer to start than a test waits. Why it stood is in standstill.txt beside
# its logs. What was published or kept wrongly is never tried again.
STANDSTILL := --reruns 1 --only-rerun StandstillError --only-rerun "did not happen within" -r RfEs
# Likewise what was waited for in vain.
IN_VAIN := --reruns 1 --only-rerun "not within [0-9]+ s" -r RfEs

# What tests start from nothing starts in half the time when it was compiled once.
export UV_COMPILE_BYTECODE := 1
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo check lint types imports unit integration crash laws proof test compiled test-compiled bench package
.PHONY: docs lock-jars clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/.synced ## install everything into .venv, exactly as locked

$(UV):
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: pyproject.toml uv.lock | $(UV)
	$(UV) sync --locked --all-extras --quiet
	@touch $@

demo: setup ## watch real purchases become tiers: make demo ARGS="--chaos"
	$(RUN)/tierstream demo $(ARGS)

lint: setup ## style and format
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: setup ## mypy, strict, over source and tests
	$(RUN)/mypy

imports: setup ## the layers: agents know streams, streams know schemas, never the other way
	$(RUN)/lint-imports

unit: setup ## everything that needs no broker
	$(RUN)/pytest -q -n auto -m "not kafka and not crash and not package" --ignore tests/integration

integration: setup ## on a real Kafka, started and stopped by the tests
	$(RUN)/pytest -q -n 2 --dist loadfile $(IN_VAIN) tests/integration

crash: setup ## kill, pause and restart workers and broker under load: make crash N=200
	$(if $(N),CRASH_KILLS=$(N) $(RUN)/pytest -q,$(RUN)/pytest -q -n 2 --dist loadfile) $(STANDSTILL) -m crash tests/crash

laws: setup ## look for new counterexamples to the laws, again and again: make laws N=100
	for round in $$(seq $(or $(N),10)); do LAWS=new-examples $(RUN)/pytest -q -n auto tests/properties tests/contracts || exit 1; done

proof: setup ## due instants and backtests against plain arithmetic, on every household's baskets
	PROOF_HOUSEHOLDS=all $(RUN)/pytest -q tests/proof tests/unit/agents/backtest/test_brute_force.py

package: setup ## the built wheel in a clean environment
	$(RUN)/pytest -q -m package

check: lint types imports unit ## all but the broker's tests; a few minutes less than test

test: check package integration crash ## everything, as continuous integration runs it

compiled: setup ## the fold as machine code in .compiled, to be run with PYTHONPATH=.compiled; needs a C compiler
	$(RUN)/python deploy/compile_core.py .compiled
	cd .compiled && ../$(RUN)/python -c "from agents.cli import main; main()" --version | grep -F "compiled core"

test-compiled: compiled ## the tests of what the fold means, on the compiled one
	cp -r tests docs pyproject.toml .compiled/ && cd .compiled && ../$(RUN)/pytest -q -p no:cacheprovider tests/unit/streams tests/scenarios tests/properties \
		tests/unit/agents/test_build.py

bench: setup ## measure throughput and delay on this machine
	$(RUN)/tierstream bench $(ARGS)

docs: setup ## write the generated pages again
	$(RUN)/python -m agents.reference
	$(RUN)/python -m tests.scenarios.transitions

lock-jars: setup ## resolve the jars of Kafka anew (after a change of its version)
	$(RUN)/python -c "from agents.embedded.jars import write_lock; write_lock()"

clean: ## remove what the targets above have made, but for downloads
	rm -rf .venv .compiled dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .tierstream
	find . -name __pycache__ -not -path "./.uv/*" -prune -exec rm -rf {} +
