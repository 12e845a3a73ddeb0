# Every command a developer runs. `make demo` and `make test` need nothing typed before them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := Cargo.toml Cargo.lock build.rs pyproject.toml $(wildcard webui/*.*) \
	$(shell find src python webui/src -type f -not -name '*.so' -not -path '*/__pycache__/*')

.PHONY: demo test test-rust test-webui test-python test-pythons cluster chaos check check-deploy docs bench clean
.DEFAULT_GOAL := demo

# The product as a user has it: a wheel, in a virtual environment of its own.
$(VENV)/installed: $(SOURCES)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check 'maturin>=1.16,<2'
	@echo 'building the wheel (a first build takes some minutes)'
	@rm -rf target/wheels
	$(BIN)/maturin build --release --quiet --out target/wheels --interpreter $(BIN)/python
	@$(BIN)/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps target/wheels/*.whl
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(ls target/wheels/*.whl)[test]"
	@touch $@

# Locust itself, which the conformance tests and the benchmark run beside ours.
.oracle/installed: Makefile
	@test -x .oracle/bin/python || $(PYTHON) -m venv .oracle
	@.oracle/bin/pip install --quiet --disable-pip-version-check 'locust==2.47.0'
	@touch $@

# What speaks other protocols, for both sides: beside the two environments, so that no other test meets it.
.clients/installed: tests/conformance/clients/requirements.txt | $(VENV)/installed
	@rm -rf .clients
	@$(BIN)/pip install --quiet --disable-pip-version-check --target .clients --requirement $<
	@touch $@

# What reads a run's files and its terminal, as others would.
.readers/installed: tests/conformance/outputs/requirements.txt | $(VENV)/installed
	@rm -rf .readers
	@$(BIN)/pip install --quiet --disable-pip-version-check --target .readers --requirement $<
	@touch $@

# What asks the web page's server all that its description allows.
.schemathesis/installed: tests/schema/requirements.txt | $(VENV)/installed
	@rm -rf .schemathesis
	@$(BIN)/pip install --quiet --disable-pip-version-check --target .schemathesis --requirement $<
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/python tests/demo.py

test: test-webui test-rust test-python

test-rust:
	cargo test --quiet

# With what only checks need. Building alone installs less (build.rs).
webui/node_modules/.all: webui/package-lock.json
	@cd webui && npm ci --loglevel=error >/dev/null
	@touch $@

test-webui: webui/node_modules/.all
	@cd webui && npm run --silent check

test-python: $(VENV)/installed .oracle/installed .clients/installed .readers/installed .schemathesis/installed
	GREGARIA_ORACLE=$(CURDIR)/.oracle/bin/python GREGARIA_CLIENTS=$(CURDIR)/.clients GREGARIA_READERS=$(CURDIR)/.readers GREGARIA_SCHEMATHESIS=$(CURDIR)/.schemathesis $(BIN)/python -m pytest -q

# The same wheel on every Python that is there, or on those that PYTHONS names.
PYTHONS ?= $(shell for minor in 11 12 13 14; do \
	command -v python3.$$minor || ls -d $(HOME)/.pyenv/versions/3.$$minor.*/bin/python 2>/dev/null | tail -n 1; done)
test-pythons: $(VENV)/installed
	@for python in $(PYTHONS); do tests/on_python.sh "$$python" || exit 1; done

# Nodes of a cluster beside Locust's, over the wire, and a few rounds of faults: on a machine that does nothing else.
cluster: $(VENV)/installed .oracle/installed
	GREGARIA_FLEETS=1 GREGARIA_ORACLE=$(CURDIR)/.oracle/bin/python $(BIN)/python -m pytest -q tests/conformance/cluster tests/chaos

# Rounds of faults on a fleet, by seed: hundreds of them, for an hour in which nobody waits.
SEEDS ?= 1-200
chaos: $(VENV)/installed
	cd tests && ../$(BIN)/python -m chaos.rounds $(SEEDS)

# What a change has to pass beside the tests.
check: $(VENV)/installed
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(ls target/wheels/*.whl)[lint]"
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy python docs
	$(BIN)/mypy --strict locustfiles
	$(BIN)/python -m mypy.stubtest gregaria._engine --ignore-disjoint-bases --allowlist tests/stubtest.allow

# The container image's, the compose file's, the manifests' and the chart's readers; of their own, for they are large.
.deploy/installed: deploy/requirements.txt
	@test -x .deploy/bin/python || $(PYTHON) -m venv .deploy
	@.deploy/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

check-deploy: .deploy/installed $(VENV)/installed
	@PATH=$(CURDIR)/.deploy/bin:$$PATH .deploy/bin/python deploy/check.py $(CURDIR)/$(BIN)/python

# The reference of the Python API, out of its docstrings: docs/reference/index.html.
docs: $(VENV)/installed
	@$(BIN)/python docs/reference.py docs/reference

bench: $(VENV)/installed
	@benches/peers/setup.sh
	@mkdir -p bench-results
	$(BIN)/python benches/peers/run.py --json bench-results/latest.json

clean:
	rm -rf target $(VENV) .oracle .pythons .clients .readers .schemathesis .deploy .tools bench-results docs/reference webui/dist webui/node_modules
