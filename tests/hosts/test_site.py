# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/site.yml across real hosts: an Airflow 1.10 and an Airflow 3 with units of systemd, called from another host, and by nobody else."""

from __future__ import annotations

import json
import time

import pytest

from .lab import CALLERS, FOLDER, MASTERS, for_all

HOME = "/var/lib/airflow"
PASSWORD = "only-for-tests-8"
AIRFLOWS = {"ufw": "1.10.15", "firewalld": "3.3.2"}  # by the firewall of the master
# What a note of 2021 says that one does by hand.
BY_HAND = f"""
import json, requests
response = requests.post("http://10.86.0.{MASTERS["ufw"][1]}:8080/api/experimental/dags/hello_airflow/dag_runs",
                         auth=("deployer", "{PASSWORD}"), data=json.dumps("{{}}"))
print(response.status_code, response.text)
"""
SETTINGS = dict(
    AIRFLOW__CORE__PARALLELISM="2",
    AIRFLOW__API__WORKERS="1",
    AIRFLOW__WEBSERVER__WORKERS="1",
    AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC="1",
    AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL="5",
    AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL="5",
    AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES="1",
)


@pytest.fixture(scope="module")
def site(hosts):
    """(host by host, the inventory): stock servers that have an environment with Airflow, and nothing of it running."""

    venvs = for_all(lambda name: hosts.with_airflow(name, AIRFLOWS[name]), AIRFLOWS)
    common = json.loads(hosts.inventory().read_text())["all"]["children"]["masters"]["vars"]
    masters = {
        name: dict(ansible_host=f"10.86.0.{MASTERS[name][1]}", airflow_server_version=version, airflow_server_venv=venvs[name])
        for name, version in AIRFLOWS.items()
    }
    words = dict(common, airflow_server_home=HOME, airflow_server_install=False, airflow_server_settings=SETTINGS, airflow_server_start_timeout=600)
    words.update(airflow_firewall_verify="client", site_password=PASSWORD)
    children = dict(airflow_masters=dict(hosts=masters), airflow_callers=dict(hosts=dict(client=dict(ansible_host=CALLERS["client"][0]))))
    file = FOLDER / "site.json"
    file.write_text(json.dumps(dict(all=dict(vars=words, children=children))))
    yield file
    hosts.spoil(AIRFLOWS)


def play(hosts, site, *flags):
    return hosts.playbook("dagops.airflow.site", "-i", site, *flags, timeout=1500, inventory=False)


def reached(hosts):
    """Who reaches the masters' ports over IPv4, which is where these Airflows listen."""
    seen = hosts.knock(AIRFLOWS)
    return {name: {caller: verdict for (caller, family), verdict in verdicts.items() if family == 4} for name, verdicts in seen.items()}


def test_the_whole_story(hosts, site):
    predicted = play(hosts, site, "--check")[0]
    assert all(predicted[name] for name in AIRFLOWS)
    done, said = play(hosts, site)
    assert all(done[name] for name in (*AIRFLOWS, "client")), said
    assert said.count(":8080: can be reached (10.86.10.2 is among the sources)") == len(AIRFLOWS)
    alone = {name: dict(client="open", outsider="shut", controller="shut") for name in AIRFLOWS}
    assert reached(hosts) == alone
    assert hosts.host("exec", "client", "python3", "-c", BY_HAND).startswith("200 ")
    for name in AIRFLOWS:
        owners = hosts.console(name, f"ps -eo user,args | grep '[a]irflow ' | cut -d' ' -f1 | sort -u; stat -c %U:%a {HOME}/airflow.env")
        assert owners.split() == ["airflow", "airflow:600"]

    again, said = play(hosts, site)
    assert again == {**dict.fromkeys(AIRFLOWS, 0), "client": 0}, said

    for_all(lambda name: hosts.host("reboot", name), AIRFLOWS)
    end = time.monotonic() + 400
    while reached(hosts) != alone:
        assert time.monotonic() < end, "Airflow did not come back after the reboot"
        time.sleep(3)
    after, said = play(hosts, site, "-e", "site_run_key=after-the-reboot")
    assert after == {**dict.fromkeys(AIRFLOWS, 0), "client": 1}, said


def test_stopped_and_absent(hosts, site):
    """After the story: what it has set up ends, stays ended over a reboot, and goes without a trace."""
    file = FOLDER / "server.json"

    def server(state, *flags):
        words = dict(airflow_server_state=state, airflow_server_systemd=True)
        file.write_text(json.dumps([dict(hosts="airflow_masters", become=True, gather_facts=True, vars=words, roles=["dagops.airflow.airflow_server"])]))
        return hosts.playbook(file, "-i", site, *flags, inventory=False)[0]

    def left(name):
        return hosts.console(name, "systemctl list-units --all --plain --no-legend 'airflow-*'; pgrep -fa 'airflow (scheduler|webserver|api)' || :")

    predicted = server("stopped", "--check")
    assert server("stopped") == predicted and all(predicted.values())
    assert server("stopped") == dict.fromkeys(AIRFLOWS, 0)
    for_all(lambda name: hosts.host("reboot", name), AIRFLOWS)
    for name in AIRFLOWS:
        assert "running" not in left(name)
        hosts.console(name, f"test -e {HOME}/airflow.env")
    predicted = server("absent", "--check")
    assert server("absent") == predicted and all(predicted.values())
    assert server("absent") == dict.fromkeys(AIRFLOWS, 0)
    for name in AIRFLOWS:
        assert left(name) == ""
        hosts.console(name, f"test ! -e {HOME}; ! ls /etc/systemd/system/airflow-*")
