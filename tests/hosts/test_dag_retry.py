# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Airflow over two hosts, whose tasks call the master through its firewall: the role airflow_dag_retry, and DAGs that run themselves again."""

from __future__ import annotations

import json
import os
import secrets
import time

import pytest
from system import postgres

from .lab import CALLERS, FOLDER, MASTERS, ROOT, for_all

# What is asked where: for the proof of the role, for a run of a DAG.
PATHS = {
    "1.10.15": ("/api/experimental/test", "/api/experimental/dags/{}/dag_runs"),
    "2.11.2": ("/api/v1/dags?limit=1", "/api/v1/dags/{}/dagRuns"),
}
MASTER, WORKER = "nftables", "iptables"
HOME = "/var/lib/airflow"
ADDRESS = f"10.86.0.{MASTERS[MASTER][1]}"
URL = f"http://{ADDRESS}:8080"
PASSWORD = "only-for-tests-9"
SETTINGS = dict(
    AIRFLOW__CORE__EXECUTOR="LocalExecutor",
    AIRFLOW__CORE__PARALLELISM="4",
    AIRFLOW__SCHEDULER__MAX_THREADS="1",
    AIRFLOW__WEBSERVER__WORKERS="1",
    AIRFLOW__CORE__FERNET_KEY="b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtMTI=",
    AIRFLOW__WEBSERVER__SECRET_KEY="only-for-tests",
    AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC="1",
    AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL="5",
    AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL="5",
)


class Cluster:
    def __init__(self, hosts, version, inventory, database):
        self.hosts, self.inventory, self.database, self.version = hosts, inventory, database, version
        self.proof, self.path = PATHS[version]
        self.key = secrets.token_hex(4)

    def play(self, target, *tasks, check=True, become=True, **variables):
        file = FOLDER / "cluster-play.json"
        play = dict(hosts=target, become=become, gather_facts=False, vars=variables, tasks=list(tasks))
        file.write_text(json.dumps([play]))
        return self.hosts.playbook(file, "-i", self.inventory, inventory=False, check=check, timeout=900)

    def role(self, target, name, check=True, **variables):
        return self.play(target, {"ansible.builtin.include_role": dict(name=f"dagops.airflow.{name}")}, check=check, **variables)

    def call(self, module, check=True, **options):
        """From the client, as people do."""
        access = dict(api_url=URL, api_username="admin", api_password=PASSWORD)
        return self.play("client", {f"dagops.airflow.{module}": dict(access, **options)}, check=check, become=False)

    def failure(self, name):
        """What the client is told of a run that failed."""
        _done, said = self.call("airflow_dag_run_wait", check=False, dag_id=f"test_retry_{name}", run_id=self.run_id(name))
        return said

    def run_id(self, name):
        return f"{self.key}_{name}"

    def trigger(self, name):
        self.call("airflow_dag_trigger", dag_id=f"test_retry_{name}", run_id=self.run_id(name), wait_for_dag=120)

    def runs(self):
        """run id -> state, of all runs of this test."""
        rows = postgres.rows(self.database, f"select run_id || ' ' || state from dag_run where run_id like '%{self.key}%'")
        return dict(zip(rows[::2], rows[1::2]))

    def until(self, wanted, seconds=1200):
        end = time.monotonic() + seconds
        while self.runs() != wanted:
            assert time.monotonic() < end, f"{self.runs()}, not {wanted}"
            time.sleep(2)

    def until_logged(self, name, wanted, seconds=1200):
        end = time.monotonic() + seconds
        while wanted not in self.log(name):
            assert time.monotonic() < end, self.log(name)
            time.sleep(2)

    def log(self, name):
        """Of the last task, where it ran: on the worker."""
        return self.hosts.console(WORKER, f"find {HOME}/logs -path '*test_retry_{name}/*last_0/*' -name '*.log' -exec cat {{}} +")


FULL = int(os.environ.get("TRIGGERS", "30")) >= 300  # `make faults`


@pytest.fixture(scope="module", params=PATHS if FULL else list(PATHS)[-1:])
def cluster(hosts, request):
    version = request.param
    with postgres.database("10.86.0.1/16") as url:
        venvs = for_all(lambda name: hosts.with_airflow(name, version), (MASTER, WORKER))
        common = json.loads(hosts.inventory().read_text())["all"]["children"]["masters"]["vars"]
        words = dict(
            common,
            airflow_server_version=version,
            airflow_server_home=HOME,
            airflow_server_venv=venvs[MASTER],
            airflow_server_install=False,
            airflow_server_systemd=True,
            airflow_server_host="0.0.0.0",
            airflow_server_url=URL,
            airflow_server_database=url.replace("127.0.0.1", "10.86.0.1"),
            airflow_server_settings=SETTINGS,
            airflow_server_dag_files=[str(ROOT / "tests/system/dags/dag_retry.py")],
            airflow_server_start_timeout=600,
            airflow_dag_retry_home=HOME,
            airflow_dag_retry_python=f"{venvs[MASTER]}/bin/python",
            airflow_dag_retry_password=PASSWORD,
            airflow_firewall_verify="",
        )
        children = dict(
            airflow_masters=dict(hosts={MASTER: dict(ansible_host=ADDRESS)}),
            airflow_workers=dict(hosts={WORKER: dict(ansible_host=f"10.86.0.{MASTERS[WORKER][1]}")}),
            airflow_callers=dict(hosts=dict(client=dict(ansible_host=CALLERS["client"][0]))),
        )
        file = FOLDER / "cluster.json"
        file.write_text(json.dumps(dict(all=dict(vars=words, children=children))))
        yield Cluster(hosts, version, file, url)
        for_all(lambda name: hosts.console(name, "systemctl stop 'airflow-*'"), (MASTER, WORKER))
        hosts.spoil((MASTER, WORKER))


def test_a_task_on_a_worker_calls_the_master(cluster):
    """Its port is closed to the worker, and then opened."""
    hosts = cluster.hosts
    for target, process in ((MASTER, "webserver"), (WORKER, "scheduler")):
        told = []
        for processes in ([[]] if target == MASTER else []) + [[process]] * 2:  # what the master was by itself at first ends
            done, said = cluster.role(target, "airflow_server", airflow_server_processes=processes)
            told.append(done[target])
        assert all(told[:-1]) and told[-1] == 0, said
        units = hosts.console(target, "systemctl list-units --plain --no-legend --state=running 'airflow-*' | cut -d' ' -f1").split()
        assert units == [f"airflow-{process}.service"]
    admin = dict(client="python", airflow_python="{{ airflow_dag_retry_python }}", airflow_home=HOME, airflow_env_file=f"{HOME}/airflow.env")
    admin.update(username="admin", password=PASSWORD, email="admin@example.org", roles=["Admin"])
    cluster.play(MASTER, {"dagops.airflow.airflow_api_user": admin})
    cluster.role(MASTER, "airflow_firewall", airflow_firewall_source_groups=["airflow_callers"])

    _done, said = cluster.role(MASTER, "airflow_dag_retry", check=False, airflow_dag_retry_name="test_retry")
    assert f"from {WORKER}: {URL}{cluster.proof} cannot be asked" in said
    assert "Is the master up, and its port open to this host?" in said
    assert f"from {MASTER}" not in said
    cluster.trigger("held_up")
    held_up = cluster.run_id("held_up")
    cluster.until_logged(
        "held_up", f"attempt 1 of 2 failed, and retry__{held_up}__2 was not started: {URL}{cluster.path.format('test_retry_held_up')} cannot be asked"
    )
    assert list(cluster.runs()) == [held_up]

    done, said = cluster.role(MASTER, "airflow_firewall", airflow_firewall_source_groups=["airflow_callers", "airflow_workers"])
    assert done[MASTER] > 0, said
    wanted = {held_up: "failed", f"retry__{held_up}__2": "success"}
    cluster.until(wanted)
    done, said = cluster.role(MASTER, "airflow_dag_retry")
    assert sum(done.values()) == 1, said  # the other Connection
    done, said = cluster.role(MASTER, "airflow_dag_retry")
    assert sum(done.values()) == 0, said

    for name in ("always", "fine", "once", "two"):
        cluster.trigger(name)
        first = cluster.run_id(name)
        wanted[first] = "success" if name == "fine" else "failed"
        if name != "fine":
            wanted[f"retry__{first}__2"] = "failed" if name == "always" else "success"
    cluster.until(wanted)
    time.sleep(10)
    assert cluster.runs() == wanted
    always = cluster.run_id("always")
    assert f"attempt 2 of 2 failed, and no other is made: {always}, retry__{always}__2" in cluster.log("always")
    assert f"POST {URL}{cluster.path.format('test_retry_always')}: 200" in cluster.log("always")
    assert hosts.knock([MASTER])[MASTER]["outsider", 4] == "shut"

    if cluster.version.startswith("1."):  # its REST tells no logs
        return
    hosts.console(MASTER, f"echo '10.86.0.{MASTERS[WORKER][1]} {WORKER}' >> /etc/hosts")  # the name that the worker calls itself
    said = cluster.failure("always")
    assert f"Could not read served logs: HTTPConnectionPool(host='{WORKER}', port=8793)" in said
    assert "this task fails on purpose" not in said
    cluster.role(WORKER, "airflow_firewall", airflow_firewall_port=8793, airflow_firewall_source_groups=["airflow_masters"])
    said = cluster.failure("always")
    assert "RuntimeError: this task fails on purpose" in said
