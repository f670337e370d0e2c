# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11 or newer and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help:  ## this page
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready  ## the virtual environment, from the lock file

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say PYTHON=... if it has another name"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python3 has no venv module; on Debian: apt-get install python3-venv"; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@$(BIN)/python -m compileall -q newsletter subscribers  # also where PYTHONDONTWRITEBYTECODE is set
	@touch $@

demo: setup  ## one whole day on sample data, to a sent digest
	@$(BIN)/newsletter demo

look: setup  ## the same, and stay: inbox and web pages to look at
	@$(BIN)/newsletter demo --look

browser: setup  ## a Chromium for the browser tests, where there is none
	@$(BIN)/python tests/chromium.py

# One more than two cores can do at once: a third of the tests' time is spent in waiting.
WORKERS ?= 3
test: browser  ## every test, with PostgreSQL and the browser: WORKERS=3
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

wordpress: setup  ## a real WordPress on loopback; Debian's wordpress, mariadb-server, php-cli and php-mysql must be installed
	@REQUIRE_WORDPRESS=1 $(BIN)/pytest -q tests/wordpress

KILLS ?= 300
torture: setup  ## a send that is killed at every step, under faults and without: KILLS=300
	@$(BIN)/python -m tests.torture --kills $(KILLS)

AWAY ?= 60
cluster: setup  ## a send on several machines that lose each other, in network namespaces: AWAY=60 seconds a cut
	@$(BIN)/python -m tests.cluster --away $(AWAY)

QUICK := tests/core tests/rendering tests/adapters/sources tests/subscribers/rules tests/docs tests/cli/test_words.py tests/test_names.py
quick: setup  ## the core and the pure parts, in seconds
	@$(BIN)/pytest -q -m 'not postgres and not browser' $(QUICK)

check: browser test lint types walls wheel docs  ## all that CI runs, in its order

fmt: setup  ## format, and apply the safe fixes
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

lint: setup  ## style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup  ## pyright, strict
	@$(BIN)/pyright

walls: setup  ## who may import whom
	@$(BIN)/lint-imports

wheel: setup  ## the package installed by itself, elsewhere: its own templates and settings
	@rm -rf build/wheel && $(BIN)/uv build --quiet --wheel --out-dir build/wheel
	@$(BIN)/uv venv --quiet build/wheel/venv && $(BIN)/uv pip sync --quiet --compile-bytecode --python build/wheel/venv/bin/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python build/wheel/venv/bin/python --no-deps build/wheel/*.whl
	@cd build/wheel && NEWSLETTER_VAR=$$(mktemp -d) venv/bin/newsletter demo --json > demo.json && venv/bin/python -c 'import json; assert json.load(open("demo.json"))["issue"]["account"]["adds_up"]' && echo "the wheel runs its day"

docs: setup  ## the documentation: its reference from the code, then the site in build/docs
	@$(BIN)/python -m tests.docs.generate docs/reference
	@$(BIN)/zensical build --clean --strict

cover: setup  ## what the tests reach
	@$(BIN)/coverage erase && $(BIN)/coverage run -m pytest -q && $(BIN)/coverage combine -q && $(BIN)/coverage report --skip-covered

bench: setup  ## figures beside their baselines: RECIPIENTS=1000000 HISTORY=60 ROWS="import send", JSON=1 for machines
	@test -x build/bench/bin/python || { $(BIN)/uv venv --quiet build/bench && $(BIN)/uv pip install --quiet --python build/bench/bin/python 'django>=5.2,<6' 'django-anymail>=13,<16'; } || rm -rf build/bench
	@$(BIN)/python -m tests.bench --recipients $(or $(RECIPIENTS),100000) --history $(or $(HISTORY),12) $(if $(JSON),--json) $(ROWS)

lock-check: setup  ## whether what the lock names is still to be had, with its hashes, and not withdrawn
	@rm -rf build/locked && $(BIN)/uv venv --quiet build/locked
	@$(BIN)/uv pip sync --refresh --require-hashes --python build/locked/bin/python requirements.lock 2> build/locked/said || { cat build/locked/said; exit 1; }
	@! grep -i yanked build/locked/said && echo "every package of the lock is there, with its hashes, and none was withdrawn"

sbom: setup  ## what a server gets installed, as a CycloneDX document: build/sbom.json
	@rm -rf build/sbom && $(BIN)/uv venv --quiet build/sbom/service && $(BIN)/uv venv --quiet build/sbom/tool
	@$(BIN)/uv pip install --quiet --python build/sbom/service/bin/python --constraint requirements.lock '.[oidc]'
	@$(BIN)/uv pip install --quiet --python build/sbom/tool/bin/python 'cyclonedx-bom>=7.5,<8'
	@build/sbom/tool/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o build/sbom.json build/sbom/service/bin/python

lock: setup  ## renew the lock file
	@$(BIN)/uv pip compile pyproject.toml --extra oidc --group dev --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade --quiet -o requirements.lock

.PHONY: help setup demo look browser test wordpress torture cluster lint types walls wheel docs quick check fmt cover bench lock lock-check sbom
