# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exactly once, over a network that breaks: every run is there, none twice, and each ``changed`` is true.

TRIGGERS, a number, says how many triggers each case has: `make faults` plays 300, `make test` a tenth of them.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import time
import uuid

import pytest
import requests
from urllib3.util.retry import Retry

from . import control
from .proxy import FAULTS, Proxy

TRIGGERS = int(os.environ.get("TRIGGERS", "30"))
SEED = 20261125
PATIENT = dict(api_retries=10, api_timeout=3)  # shorter than STALL, see proxy.py
DAG = "test_paused"
# One server of each half, and in full the third generation, too
KILLED = [name for name in control.SERVERS if name in ("airflow_1_10", "airflow_3_fab") or (TRIGGERS >= 300 and name == "airflow_2_11")]
PLAIN = {  # by generation: where a run is triggered, and where a token is to be had
    "1": (f"/api/experimental/dags/{DAG}/dag_runs", ""),
    "2": (f"/api/v1/dags/{DAG}/dagRuns", ""),
    "3": (f"/api/v2/dags/{DAG}/dagRuns", "/auth/token"),
}


class Weather:
    """Almost every second request meets a fault, at seeded random; each kind in its turn, so that none is left out."""

    def __init__(self, share):
        self.random = random.Random(SEED)
        self.share = share
        self.deck = []

    def __call__(self, request):
        if self.random.random() >= self.share:
            return None
        if not self.deck:
            self.deck = sorted(FAULTS)
            self.random.shuffle(self.deck)
        return self.deck.pop()


def runs_of(server, prefix):
    """run_id -> number, of the DAG, as the server's own database has them."""
    database = sqlite3.connect(f"file:{server['python']['airflow_home']}/airflow.db?mode=ro", uri=True, timeout=60)
    try:
        return collections.Counter(
            run_id for (run_id,) in database.execute("select run_id from dag_run where dag_id = ? and run_id like ?", (DAG, f"{prefix}%"))
        )
    finally:
        database.close()


def total(server):
    return sum(runs_of(server, "").values())


def loop(server, proxy, run_ids, path, **more):
    options = {**server["rest"], "api_url": proxy.url, "dag_id": DAG, "run_id": "{{ item }}", "conf": {"of": "{{ item }}"}, **PATIENT, **more}
    task = {"name": "Loop", "dagops.airflow.airflow_dag_trigger": options, "loop": run_ids, "register": "told", "ignore_errors": True}
    return [task if path == "worker" else {**task, "environment": {"ANY": "thing"}}]


@pytest.mark.parametrize("path", ["worker", "module"])
def test_every_run_is_made_once_and_nobody_lies(server, address, ansible, path):
    prefix = f"fault_{uuid.uuid4().hex[:8]}_"
    wished = [f"{prefix}{number}" for number in range(TRIGGERS // 2)]
    asked = [*wished, *random.Random(SEED).sample(wished, TRIGGERS // 6)]
    random.Random(SEED).shuffle(asked)
    before = total(server)
    with Proxy(address, Weather(0.45)) as proxy:
        done = ansible(loop(server, proxy, asked, path), timeout=3600)
    results = done.of("Loop")["results"]
    assert [one for one in results if one.get("failed")] == [], done.told[-3000:]
    changed = collections.Counter(one["dag_run"]["run_id"] for one in results if one["changed"])
    there = runs_of(server, prefix)
    print(f"{path}: {len(asked)} triggers of {len(wished)} runs: {len(there)} made, {dict(proxy.faults)}")
    assert set(there) == set(wished)
    assert total(server) == before + len(wished)
    assert changed == dict.fromkeys(wished, 1)
    least = 20 if TRIGGERS >= 300 else 1
    assert {name for name in FAULTS if proxy.faults[name] >= least} == set(FAULTS), proxy.faults


def test_without_our_care_runs_are_doubled_or_lost(server, address):
    """The control: the same weather, and tries that are made again without a name for the run, as HTTP libraries and Airflow's own client do it."""
    before = total(server)
    path, login = PLAIN[server["version"][0]]
    with Proxy(address, Weather(0.45)) as proxy, requests.Session() as session:
        if login:
            told = requests.post(server["rest"]["api_url"] + login, json=dict(username="admin", password=server["rest"]["api_password"]), timeout=60)
            session.headers["Authorization"] = f"Bearer {told.json()['access_token']}"
        else:
            session.auth = (server["rest"]["api_username"], server["rest"]["api_password"])
        again = Retry(total=20, allowed_methods=None, status_forcelist=(429, 502, 503), backoff_factor=0.1)
        session.mount(proxy.url, requests.adapters.HTTPAdapter(max_retries=again))
        done = 0
        for _number in range(TRIGGERS // 2):
            with contextlib.suppress(requests.RequestException):  # a body that was cut
                body = dict(logical_date=None) if login else dict(replace_microseconds="false") if "experimental" in path else {}
                done += session.post(proxy.url + path, json=body, timeout=3).status_code < 300
    made = total(server) - before
    print(f"control: {TRIGGERS // 2} triggers, {done} said to be done: {made} made")
    assert made != TRIGGERS // 2


def play(server, folder, run_ids, url):
    """ansible-playbook in a process group of its own."""
    options = {**server["rest"], "api_url": url, "dag_id": DAG, "run_id": "{{ item }}", **PATIENT}
    file = folder / "killed.json"
    file.write_text(json.dumps([dict(hosts="localhost", gather_facts=False, tasks=[{"dagops.airflow.airflow_dag_trigger": options, "loop": run_ids}])]))
    return subprocess.Popen(
        [control.BIN / "ansible-playbook", file],
        env=control.surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("name", KILLED)
@pytest.mark.parametrize("size", [1, 20])
def test_killed_and_played_again(server, address, tmp_path, size):
    """SIGKILL at a random moment of the time in which requests are sent."""
    dice = random.Random(SEED)
    cut = 0
    for number in range(max(2, TRIGGERS // 10)):
        prefix = f"kill_{uuid.uuid4().hex[:8]}_"
        wished = [f"{prefix}{item}" for item in range(size)]
        with Proxy(address) as proxy:
            process = play(server, tmp_path, wished, proxy.url)
            patience = time.monotonic() + 120
            while not proxy.seen and time.monotonic() < patience:
                time.sleep(0.01)
            time.sleep(dice.random() * 0.3 * max(1, size / 4) if number else 0)  # once at the very first request
            if process.poll() is None:
                cut += 1
                control.kill(process.pid)
            process.wait()
            process.stdout.close()
            again = play(server, tmp_path, wished, proxy.url)
            told = again.communicate(timeout=300)[0]
        assert again.returncode == 0, told
        assert runs_of(server, prefix) == dict.fromkeys(wished, 1), number
    assert cut, "no play was caught alive"


@pytest.mark.parametrize("name", KILLED)
def test_the_server_is_restarted_meanwhile(server, tmp_path):
    prefix = f"restart_{uuid.uuid4().hex[:8]}_"
    wished = [f"{prefix}{item}" for item in range(40)]
    home = server["python"]["airflow_home"]
    command = [control.BIN / "python", f"{home}/control.py", f"{home}/server.json"]
    with Proxy(server["rest"]["api_url"].partition("://")[2]) as proxy:
        process = play(server, tmp_path, wished, proxy.url)
        patience = time.monotonic() + 120
        while len(proxy.seen) < 12 and time.monotonic() < patience:
            time.sleep(0.02)
        subprocess.run([*command, "stop"], check=True, capture_output=True)
        subprocess.run([*command, "start"], check=True, capture_output=True)
        process.communicate(timeout=600)
        again = play(server, tmp_path, wished, proxy.url)
        told = again.communicate(timeout=300)[0]
    assert again.returncode == 0, told
    assert runs_of(server, prefix) == dict.fromkeys(wished, 1)
