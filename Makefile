# One Makefile for people and for CI. `make help` lists what there is.

SHELL := /bin/bash
SWIFT ?= swift
# debug builds in a minute; `make build CONFIG=release` is what runs for real.
CONFIG ?= debug
BIN = $(shell $(SWIFT) build -c $(CONFIG) --show-bin-path 2>/dev/null)
VENV := .build/venv
SERVICES := trigger-service trainer-proxy evaluator registry-service deployer notifier event-bus console
SOURCES := Package.swift Services Shared Tests Bench

.DEFAULT_GOAL := help
.PHONY: help setup build test test-swift test-end-to-end compose-test simulate mutants lint format schemas schemas-check bench bench-steps bench-setup bench-bus bench-stores bench-registry demo clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo KEEP=1       leaves the suite running and prints its URLs"
	@echo "  make build CONFIG=release"

setup: ## install what is missing (libraries through apt); says what it does
	@./.ci/setup

build: setup ## build every executable
	$(SWIFT) build -c $(CONFIG)

test: test-swift test-end-to-end ## everything: unit, integration, end to end

test-swift: setup $(VENV)/ready
	SIMULATE_SECONDS=$${SIMULATE_SECONDS:-300} $(SWIFT) test

simulate: setup ## the simulator (SEEDS=n, FROM=n, SCENARIO=name; SEED=x plays one and tells)
	env $(if $(SEED),SIMULATE_SEED=$(SEED)) SIMULATE_SEEDS=$(or $(SEEDS),500) SIMULATE_FROM=$(or $(FROM),1) \
	  SIMULATE_SECONDS=1000000 $(if $(SCENARIO),SIMULATE_SCENARIO=$(SCENARIO)) \
	  $(SWIFT) test --filter SimulationTests.SeedTests

test-end-to-end: build $(VENV)/ready .build/venv-mlflow/ready .build/venv-mlflow2/ready .build/promtool
	MARTLET_BIN="$(BIN)" $(VENV)/bin/python -m pytest -q -p no:cacheprovider Tests/EndToEnd $(ARGS)

compose-test: build $(VENV)/ready ## the suite in containers (podman): its image, compose.yaml, the demo, replicas
	Tests/Compose/setup
	MARTLET_BIN="$(BIN)" $(VENV)/bin/python -m pytest -q -p no:cacheprovider Tests/Compose $(ARGS)

$(VENV)/ready: Tests/EndToEnd/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/EndToEnd/requirements.txt
	@touch $@

# Prometheus's own checker, without its server.
.build/promtool: .ci/promtool
	@./.ci/promtool $@

# The real clients of MLflow 3 and 2, each in an environment of its own.
.build/venv-%/ready: Tests/EndToEnd/requirements-%.txt
	python3 -m venv .build/venv-$*
	.build/venv-$*/bin/pip install --quiet --disable-pip-version-check -r Tests/EndToEnd/requirements-$*.txt
	@touch $@

mutants: setup ## remove one guard after another; a test must notice (ONLY=word; takes an hour)
	python3 Tests/Mutants/mutants.py --only "$(ONLY)"

lint: ## swift-format, strict
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

format: ## rewrite the sources as lint wants them
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

SCHEMAS := --output docs/events --asyncapi docs/asyncapi.yaml --project docs/martlet.schema.json --examples Tests/Fixtures/wire

schemas: build ## write the JSON Schemas of events and of martlet.yml, and docs/asyncapi.yaml
	"$(BIN)/martlet" schemas $(SCHEMAS)

schemas-check: build ## fail when they are stale
	"$(BIN)/martlet" schemas $(SCHEMAS) --check

bench: setup ## the figures, with a release build (BENCH="ready idle steps queued waiting schedules file webhooks verdicts")
	$(SWIFT) build -c release
	python3 Bench/bench.py --bin "$$($(SWIFT) build -c release --show-bin-path)" $(BENCH)

bench-steps: setup ## the cost of a step beside Prefect and Dagster (installs both from PyPI into .build/bench-peers)
	$(SWIFT) build -c release
	python3 Bench/steps.py --bin "$$($(SWIFT) build -c release --show-bin-path)" --peers .build/bench-peers

bench-setup: setup ## install the peers that the bus is measured beside (through apt)
	@./Bench/setup

bench-bus: bench-setup ## the bus beside Redis, NATS, SQLite (BENCH="speed one latency" RUNS=5 WRITE=docs/benchmarks.md)
	for product in event-bus trigger-service BusBench; do $(SWIFT) build -c release --product $$product || exit 1; done
	python3 Bench/bus.py --bin "$$($(SWIFT) build -c release --show-bin-path)" \
		$(if $(RUNS),--runs $(RUNS)) $(if $(WRITE),--write $(WRITE)) $(BENCH)

bench-stores: setup $(VENV)/ready ## backups and artifacts, with a release build (BENCH="backup artifacts")
	for product in martlet ArtifactBench $(SERVICES); do $(SWIFT) build -c release --product $$product || exit 1; done
	python3 Bench/stores.py --bin "$$($(SWIFT) build -c release --show-bin-path)" $(BENCH)

bench-registry: setup .build/venv-mlflow/ready ## the registry beside MLflow's own server (BENCH="metrics search")
	for product in martlet event-bus console $(SERVICES); do $(SWIFT) build -c release --product $$product || exit 1; done
	python3 Bench/registry.py --bin "$$($(SWIFT) build -c release --show-bin-path)" $(BENCH)

demo: build ## four pushes of a real ML repository, from training to serving (KEEP=1 leaves it running)
	@python3 Examples/demo/demo.py --bin "$(BIN)" $(if $(KEEP),--keep)

clean: ## forget what was built
	rm -rf .build
