# SPDX-License-Identifier: GPL-2.0-only
# Every target starts from a fresh clone; each step is done again only when
# what it was made from has changed.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Paths are relative, so that the clone may be anywhere.
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME

RUN_ARGS ?=
PYTEST_ARGS ?=
# A process for each CPU, see bench/tests/shares.py; PYTEST_ARGS=-n0 is one after the other.
AT_ONCE := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
C_SOURCES := $(wildcard cbench/*.[ch] cbench/*/*.[ch])
PACKAGE_INPUTS := pyproject.toml meson.build $(C_SOURCES) $(wildcard cbench/*.py cbench/meson.build cbench/plugin/meson.build)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: setup ## compare all methods, here and with MADV_ZAP in a VM: tables and charts
	zapbench survey $(RUN_ARGS)

.PHONY: setup
setup: $(VENV)/stamp-package ## install what is missing, make .venv, build the C program

.PHONY: packages
packages:
	@.ci/packages

$(VENV)/stamp-venv: .ci/python | packages
	python="$$(.ci/python)" && rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@touch $@

$(VENV)/stamp-requirements: requirements.lock $(VENV)/stamp-venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --require-hashes -r requirements.lock
	@touch $@

$(VENV)/stamp-package: $(PACKAGE_INPUTS) $(VENV)/stamp-requirements
	$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --no-build-isolation --no-index --editable .
	@touch $@

.PHONY: test
test: setup lint ## lint, then pytest: C also under the sanitizers, a boot of 6.12
	$(BIN)/python -m pytest --benchmark-disable -m "not kernels" $(AT_ONCE) $(PYTEST_ARGS)

.PHONY: test-kernels
test-kernels: setup ## pytest with every kernel that has a series
	$(BIN)/python -m pytest --benchmark-disable $(PYTEST_ARGS)

.PHONY: torture
torture: setup ## kills, patches and commands at once, by the hundred: what is lost (30 min)
	ZAPBENCH_TORTURE=1 $(BIN)/python -m pytest bench/tests/torture bench/tests/kernel/test_patch.py $(PYTEST_ARGS)

.PHONY: mutants
mutants: setup ## every way to break MADV_ZAP, and what catches it, into kernel/mutants.md (10 min)
	ZAPBENCH_MUTANTS=1 $(BIN)/python -m pytest bench/tests/program/test_mutants_boot.py $(PYTEST_ARGS)

# lint-imports wants a plain directory, which the editable install is not.
.PHONY: lint
lint: setup ## ruff, mypy, layers, circles in C, clang-format, what is generated
	ruff check --quiet .
	ruff format --quiet --check .
	mypy
	@MESONPY_EDITABLE_SKIP="$$(printf '%s:' "$(CURDIR)"/build/cp*)" PYTHONPATH=bench lint-imports >build/layers \
		|| { cat build/layers; exit 1; }
	$(BIN)/python cbench/check_circles.py build/cp*
	clang-format --dry-run -Werror $(C_SOURCES)
	$(BIN)/python bench/generate.py --check

.PHONY: format
format: setup ## rewrite the sources as lint wants them
	ruff check --quiet --fix .
	ruff format --quiet .
	clang-format -i $(C_SOURCES)

.PHONY: generate
generate: setup ## rewrite what is made from the code: README's tables, schema, expected outputs
	$(BIN)/python bench/generate.py
	ZAPBENCH_GOLDEN=write $(BIN)/python -m pytest -qq bench/tests -k as_committed

.PHONY: bench
bench: setup ## what the tool itself costs (pytest-benchmark, ratios)
	$(BIN)/python -m pytest --benchmark-enable --benchmark-only -m "not kernel" \
		bench/tests/bench_*.py $(PYTEST_ARGS)

.PHONY: bench-kernel
bench-kernel: setup ## build, boot and grid times against their targets
	$(BIN)/python -m pytest --benchmark-enable --benchmark-only -m "not kernels" \
		bench/tests/bench_kernel.py bench/tests/bench_kernel_build.py \
		bench/tests/bench_asv.py $(PYTEST_ARGS)

.PHONY: bench-gate
bench-gate: setup ## false alarms and power of the gate; makes its noise floors (40 min)
	$(BIN)/python bench/tests/record_floors.py
	test -x build/otava/bin/python || { "$$(.ci/python)" -m venv build/otava && \
		build/otava/bin/pip install -q apache-otava==0.8.0; } || { rm -rf build/otava; echo "Otava cannot be installed: compared without it"; }
	$(BIN)/python -m pytest -n0 --benchmark-enable -m "not kernels" bench/tests/bench_gate*.py $(PYTEST_ARGS)

.PHONY: bench-guard
bench-guard: setup ## the tool's own speed against its baseline
	PYTHONPATH=bench/tests $(BIN)/python -m pytest -p relative_time --benchmark-enable --benchmark-only \
		--benchmark-timer=relative_time.now --benchmark-compare=bench/tests/data/guard-baseline.json \
		--benchmark-compare-fail=min:100% bench/tests/bench_guard.py $(PYTEST_ARGS)

.PHONY: reports
reports: setup ## make the committed reports again from their own records
	for about in reports/*/report.json; do [ ! -e "$$about" ] || zapbench report -o "$${about%/report.json}"; done

.PHONY: lock
lock: setup ## resolve the dependencies anew
	test -x build/uv/bin/uv || { $(BIN)/python -m venv build/uv && build/uv/bin/pip install -q uv; }
	mkdir -p build/lock
	sed 's/^dynamic = .*/version = "0"/' pyproject.toml >build/lock/pyproject.toml # else uv builds it
	build/uv/bin/uv lock --quiet --upgrade --project build/lock
	{ echo '# Made by: make lock'; build/uv/bin/uv export --quiet --frozen --project build/lock \
		--group dev --no-emit-project --no-annotate --no-header; } >build/lock/requirements.lock
	mv build/lock/requirements.lock requirements.lock

.PHONY: clean
clean: ## remove what was made, but not results
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +
