# Needs Linux, make and Python >= 3.11 (Debian and Ubuntu: with the package python3-venv), and a package index. All that it makes lies in this folder.
.DEFAULT_GOAL := help
.PHONY: help demo demo-stop demo-clean test faults servers servers-stop hosts hosts-down tapes benchmark clean
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
HERE := $(CURDIR)
# antsibull-nox asks for ansible-galaxy by name
export PATH := $(HERE)/$(BIN):$(PATH)
# Ansible takes ~ from the user database, not from HOME: they differ in containers and in CI
export ANSIBLE_REMOTE_TMP ?= $$HOME/.ansible/tmp
# A package index may have a bad moment
export PIP_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60
# Nobody's own Airflow is touched by trying ours
unexport $(filter-out AIRFLOW_PORT,$(filter AIRFLOW_%,$(.VARIABLES)))

QUICKSTART = $(BIN)/ansible-playbook dagops.airflow.quickstart -e quickstart_folder='$(HERE)/.demo'
SERVERS = $(BIN)/ansible-playbook -i tests/servers/inventory.yml $(if $(ONLY),-l $(ONLY))

help:  ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.user  ## the main job on a real Airflow 3, installed in .demo; AIRFLOW_PORT=8081 for another port
	@$(QUICKSTART)

demo-stop: .venv/.user  ## stop the demo's Airflow
	@$(QUICKSTART) -e quickstart_state=stopped

demo-clean: .venv/.user  ## stop it and remove .demo
	@$(QUICKSTART) -e quickstart_state=absent

test: .venv/.dev  ## all tests; ARGS='-s units' for one part, ARGS=-l for their names
	@tests/run $(ARGS)

servers: .venv/.user  ## the tests' real Airflow servers, in .servers; ONLY=airflow_1_10 for one
	@$(SERVERS) tests/servers/up.yml

servers-stop: .venv/.user  ## stop them
	@$(SERVERS) tests/servers/down.yml

tapes: servers .venv/.pytest  ## record the tests' tapes anew, from the real servers
	@RECORD_TAPES="$$(for file in .servers/*.port; do name=$${file##*/}; echo "$${name%.port}=http://127.0.0.1:$$(cat $$file)"; done)" \
	  $(BIN)/python -m pytest -q tests/unit/plugins/modules

LONG = faults races waits maintenance dag_retry retry_failed events
faults: servers .venv/.dev  ## what is long, in full and on every server: exactly once under faults, in races, killed; waits, retries, events; hours
	@TRIGGERS=300 FAILURES=20 nox -s system -- -rA $(LONG:%=tests/system/test_%.py)
	@TRIGGERS=300 nox -s hosts-site -- -k dag_retry

hosts: .venv/.user  ## real hosts with real firewalls, as the tests have them; needs root on Debian
	@$(BIN)/python -m tests.hosts.lab up

hosts-down: .venv/.user  ## take them away
	@$(BIN)/python -m tests.hosts.lab down

benchmark: servers  ## our cost against what else people use, as ratios
	@$(BIN)/python tests/benchmark/benchmark.py $(ARGS)

clean: .venv/.user servers-stop demo-clean  ## stop everything and remove what these commands made
	rm -rf .venv .nox .ansible .cache .servers tests/output

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than Python 3.11 (or missing); name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "make: $(PYTHON) lacks venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv with ansible-core; this takes about half a minute"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

LINK = import pathlib, sysconfig; \
  link = pathlib.Path(sysconfig.get_path("purelib"), "ansible_collections/dagops/airflow"); \
  link.parent.mkdir(parents=True, exist_ok=True); link.is_symlink() and link.unlink(); \
  link.symlink_to(pathlib.Path.cwd())

# The collection is where every tool of this environment finds it: ansible-playbook, ansible-doc, antsibull-docs, pytest.
.venv/.user: .venv/.python requirements.txt
	@$(BIN)/pip install -q --disable-pip-version-check 'ansible-core>=2.17' -r requirements.txt
	@$(BIN)/python -c '$(LINK)'
	@touch $@

.venv/.dev: .venv/.user
	@$(BIN)/pip install -q --disable-pip-version-check 'nox>=2026.8.10' 'antsibull-nox~=1.10'
	@touch $@

.venv/.pytest: .venv/.user
	@$(BIN)/pip install -q --disable-pip-version-check pytest
	@touch $@

# ansible-rulebook has an environment of its own: what it pins is not what the rest is tested with.
.venv/.system: .venv/.pytest requirements.txt
	@$(PYTHON) -m venv .venv/rulebook
	@.venv/rulebook/bin/pip install -q --disable-pip-version-check 'ansible-rulebook==1.3.2' 'ansible-core>=2.17' -r requirements.txt
	@.venv/rulebook/bin/python -c '$(LINK)'
	@touch $@
