# make setup | run | test | report | bench: nothing else to learn. `make help` lists the rest.
PYTHON ?= python3
CORES ?= 2
CONFIG ?= config/config.yaml
MINUTES ?= 10
KILLS ?= 200
VENV := .venv
BIN := $(VENV)/bin
# Benchmarks are seldom run: what they call and import has to be there, with these arguments. Their types may be loose.
UNCHECKED := arg-type assignment call-overload index list-item misc no-redef operator return-value union-attr var-annotated
# Byte code makes every later start three times faster.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help setup run test fuzz torture check range report bench docs pictures lock unlock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.run-ready  ## build .venv from requirements.lock

run: setup  ## run a study: CONFIG=my_study.yaml, or the default one
	./sphereconn "$(CONFIG)" --cores $(CORES)

test: $(VENV)/.test-ready check  ## run the checks and all tests
	$(BIN)/python -m pytest -n $$(($(CORES) + 1)) --dist loadfile --no-loadscope-reorder

# What a search finds becomes an @example of its test.
fuzz: $(VENV)/.test-ready  ## search with the property tests for new failures, for MINUTES=10
	end=$$(($$(date +%s) + 60 * $(MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
		$(BIN)/python -m pytest -x -m hypothesis --hypothesis-profile=search || exit 1; done

torture: $(VENV)/.test-ready  ## kill a study at KILLS=200 random moments: for every night, half an hour
	SEED=$(or $(SEED),$(shell date +%Y%m%d)) KILLS=$(KILLS) $(BIN)/python -m pytest -s -n0 tests/workflow/test_torture.py

check: $(VENV)/.test-ready  ## run the linters and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=workflow/lib:benchmarks:tests $(BIN)/mypy --config-file= --ignore-missing-imports --check-untyped-defs \
		$(addprefix --disable-error-code=,$(UNCHECKED)) benchmarks
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

range:  ## run a small demo on the oldest and the newest Snakemake that are supported
	.ci/range oldest $(PYTHON)
	.ci/range newest $(PYTHON)

report: run  ## run the default study: results/report.html, and Snakemake's own report beside it
	$(BIN)/snakemake --cores $(CORES) --report results/snakemake_report.html write_report

bench: $(VENV)/.test-ready  ## compare speed and memory with nilearn's: docs/performance.md
	$(BIN)/python benchmarks/bench_extraction.py
	$(BIN)/python benchmarks/bench_sparse.py
	$(BIN)/python benchmarks/bench_tangent.py
	$(BIN)/python benchmarks/bench_inference.py
	$(BIN)/python benchmarks/bench_maps.py
	$(BIN)/python benchmarks/bench_comparison.py
	$(BIN)/python benchmarks/bench_reliability.py
	$(BIN)/python benchmarks/bench_groups.py
	$(BIN)/python benchmarks/bench_page.py
	$(BIN)/python benchmarks/bench_growth.py
	$(BIN)/python benchmarks/bench_study.py
	$(BIN)/python benchmarks/write_performance.py

docs: $(VENV)-docs/.ready  ## build the documentation: site/index.html
	$(VENV)-docs/bin/mkdocs build --quiet

pictures: run  ## make the pictures of the gallery and the README anew (needs Chromium)
	./sphereconn docs/gallery.yaml --cores $(CORES)
	$(BIN)/python docs/pictures.py

lock:  ## make the lock files anew from requirements*.in (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet \
		requirements.in -o requirements.lock
	grep -oE '^[a-zA-Z0-9._-]+==[^ ]+( ; [^\\]+)?' requirements.lock | grep -v '^packaging==' | \
		uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet \
		--override requirements-override.in -c - requirements-dev.in -o requirements-dev.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet \
		requirements-docs.in -o requirements-docs.lock

unlock:  ## free the working directory after a killed run
	$(BIN)/snakemake --unlock

clean:  ## remove the results of the default study
	rm -rf results resources/demo

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is older; try: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

# An environment with the tests' packages has a newer packaging than Snakemake asks for; the tests' lock, which has all of the
# other, keeps it.
LOCK = $(if $(wildcard $(VENV)/.test-ready),--no-deps -r requirements-dev.lock,-r requirements.lock)
$(VENV)/.run-ready: requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(LOCK)
	@echo "Compiling estimators and tests (half a minute, once: otherwise the first jobs would, each for itself)"
	@PYTHONPATH=workflow/lib $(BIN)/python -P -m sphereconn.compile_all
	@touch $@

$(VENV)/.test-ready: requirements-dev.lock $(VENV)/.run-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# An environment of its own: nothing of the documentation's may change what the tests run with.
$(VENV)-docs/.ready: requirements-docs.lock
	$(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@
