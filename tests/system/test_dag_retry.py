# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role airflow_dag_retry, and DAGs that run themselves again, on real servers: the ids and the states of all their runs."""

from __future__ import annotations

import pathlib
import secrets
import shutil
import time

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run_info import DAG_RUN_INFO
from ansible_collections.dagops.airflow.plugins.module_utils._perform import argument_spec, perform

from . import control

DAGS = control.HERE / "dags/dag_retry.py"
SECONDS = 1800  # for all that a test waits for: Airflow 1.10 and 2 play one task at a time here


class Airflow:
    def __init__(self, server, ansible):
        self.server, self.ansible = server, ansible
        self.home = pathlib.Path(server["python"]["airflow_home"])
        self.key = secrets.token_hex(4)
        self.began = time.time()
        self.end = time.monotonic() + SECONDS

    def ask(self, *tasks, client="rest"):
        done = self.ansible([dict(task, name=f"task {number}") for number, task in enumerate(tasks)], module_defaults=self.defaults(client))
        assert done.code == 0, done.told
        return [one["result"] for one in done.results]

    def defaults(self, client):
        return {"group/dagops.airflow.airflow": self.server[client]}

    def run_id(self, name):
        return f"{self.key}_{name}"

    def trigger(self, *names):
        asked = dict(dag_id="test_retry_{{ item }}", run_id=self.run_id("{{ item }}"), conf=dict(a=[1, dict(b=None)]), unpause=True, wait_for_dag=120)
        self.ask({"dagops.airflow.airflow_dag_trigger": asked, "loop": list(names)})

    def runs(self, *names):
        """name of a DAG -> its runs."""
        defaults = {name: words.get("default") for name, words in argument_spec(DAG_RUN_INFO).items()}
        asked = {**defaults, **self.server["rest"]}  # without Ansible, whose start costs more than all else here
        return {name: perform(DAG_RUN_INFO, dict(asked, dag_id=f"test_retry_{name}"))["dag_runs"] for name in names}

    def states(self, *names):
        """name of a DAG -> run id -> state, of the runs of this test."""
        return {name: {run["run_id"]: run["state"] for run in runs if self.key in run["run_id"]} for name, runs in self.runs(*names).items()}

    def until(self, content, look):
        while True:
            seen = look()
            if content(seen):
                return seen
            assert time.monotonic() < self.end, f"after {SECONDS} s there is {seen}"
            time.sleep(3)

    def logs(self, name):
        files = [path for path in (self.home / "logs").glob(f"*test_retry_{name}/**/*.log") if path.stat().st_mtime >= self.began]
        return "".join(path.read_text(errors="replace") for path in files)

    def play(self, **more):
        """The role."""
        python, rest = self.server["python"], self.server["rest"]
        given = dict(
            airflow_dag_retry_home=python["airflow_home"],
            airflow_dag_retry_python=python["airflow_python"],
            airflow_dag_retry_env_file=python["airflow_env_file"],
            airflow_dag_retry_api_url=rest["api_url"],
            airflow_dag_retry_password="rétry: " + "only-for-tests",
        )
        if not self.server["user_table"]:  # a new user of the simple auth manager wants a restart: take one who is there
            given.update(airflow_dag_retry_make_user=False, airflow_dag_retry_username=rest["api_username"], airflow_dag_retry_password=rest["api_password"])
        given.update(more)
        done = self.ansible([{"ansible.builtin.include_role": dict(name="dagops.airflow.airflow_dag_retry")}], given=given)
        assert done.code == 0, done.told
        assert given["airflow_dag_retry_password"] not in done.told


PLAYED = set()


@pytest.fixture
def airflow(name, server, ansible):
    """One on which the role was played, and that has the DAGs."""
    made = Airflow(server, ansible)
    if name not in PLAYED:
        made.play()
        made.end = time.monotonic() + SECONDS
        PLAYED.add(name)
    there = made.home / "dags" / DAGS.name
    shutil.copy(DAGS, there)
    yield made
    there.unlink()


def test_chains_of_runs(airflow):
    ten = airflow.server["version"].startswith("1.")  # which knows no mapped tasks
    names = ("once", "always", "thrice", "fine", "skipped", "late", "two", "other", *(() if ten else ("mapped",)))
    first = {name: airflow.run_id(name) for name in names}
    second = {name: f"retry__{run_id}__2" for name, run_id in first.items()}
    again = dict(once="success", always="failed", thrice="failed", late="success", two="success", mapped="success")
    wanted = {name: {first[name]: "failed", second[name]: again[name]} for name in names if name in again}
    wanted["thrice"][f"retry__{first['thrice']}__3"] = "success"
    wanted["skipped"] = {first["skipped"]: "success"}
    wanted["other"] = {first["other"]: "failed"}
    wanted["fine"] = {first["fine"]: "success", second["other"]: "success"}
    airflow.trigger(*names)
    airflow.until(lambda seen: seen == wanted or any(len(seen[name]) > len(wanted[name]) for name in names), lambda: airflow.states(*names))
    time.sleep(10)
    assert airflow.states(*names) == wanted
    assert f"attempt 1 of 2 failed, started {second['once']}" in airflow.logs("once")
    assert f"attempt 2 of 2 failed, and no other is made: {first['always']}, {second['always']}" in airflow.logs("always")
    assert f"attempt 2 of 3 failed, started retry__{first['thrice']}__3" in airflow.logs("thrice")
    assert f"attempt 1 of 2 failed, started {second['other']} of the DAG test_retry_fine" in airflow.logs("other")
    assert "/dags/test_retry_once/" in airflow.logs("once")  # what the master was asked, and answered
    runs = {run["run_id"]: run for run in airflow.runs("once")["once"]}
    if not ten:
        assert runs[second["once"]]["conf"] == runs[first["once"]]["conf"] == dict(a=[1, dict(b=None)])


def test_a_scheduled_run(airflow):
    """Each minute has its own run, and each of these one attempt more."""
    unpause = {"dagops.airflow.airflow_dag": dict(dag_id="test_retry_scheduled", paused=False)}
    airflow.ask(dict(unpause, register="done", until="done is not failed", retries=40, delay=3))  # until the file was read

    def fresh():
        return {run["run_id"]: run for run in airflow.runs("scheduled")["scheduled"] if start_of(run) >= airflow.began}

    def start_of(run):
        told = run["start_date"]
        return 0 if told is None else time.mktime(time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone

    def pairs(runs):
        return [(runs[one], runs[f"retry__{one}__2"]) for one in runs if one.startswith("scheduled__") and f"retry__{one}__2" in runs]

    runs = airflow.until(lambda seen: sum(again["state"] == "success" for first, again in pairs(seen)) >= 2, fresh)
    airflow.ask({"dagops.airflow.airflow_dag": dict(dag_id="test_retry_scheduled", paused=True)})
    scheduled = [run_id for run_id in runs if run_id.startswith("scheduled__")]
    assert set(runs) <= {*scheduled, *(f"retry__{run_id}__2" for run_id in scheduled)}  # its own minutes, each once, and one attempt of each
    assert len({runs[run_id]["logical_date"][:16] for run_id in scheduled}) == len(scheduled)
    for first, again in pairs(runs):
        assert first["state"] == "failed" or again["state"] != "success"
        for name in ("data_interval_start", "data_interval_end"):
            assert again[name] == first[name]


def test_what_is_in_the_way_is_said_and_no_run_made(airflow):
    rest = airflow.server["rest"]

    def connect(api_url, password):
        words = dict(connection_id="test_retry", conn_type="http", host=api_url, login=rest["api_username"], password=password, update_secrets="always")
        airflow.ask({"dagops.airflow.airflow_connection": words}, client="python")

    first = airflow.run_id("held_up")
    connect("http://127.0.0.1:9", rest["api_password"])
    airflow.trigger("held_up")
    for says in ("Is the master up, and its port open to this host?", "was refused (4"):
        airflow.until(lambda seen, says=says: says in seen, lambda: airflow.logs("held_up"))
        assert list(airflow.states("held_up")["held_up"]) == [first]
        connect(rest["api_url"], "wrong")
    connect(rest["api_url"], rest["api_password"])
    wanted = {first: "failed", f"retry__{first}__2": "success"}
    airflow.until(lambda seen: seen == dict(held_up=wanted), lambda: airflow.states("held_up"))


def test_what_people_wrote_by_hand_for_1_10_works_as_it_is(airflow):
    if not airflow.server["version"].startswith("1."):
        return
    # requests sends a password that is a text as Latin-1, Airflow reads UTF-8
    airflow.play(airflow_dag_retry_store="variables", airflow_dag_retry_name="test_retry", airflow_dag_retry_password="only-for-tests-by-hand")
    before = {run["run_id"] for run in airflow.runs("by_hand")["by_hand"]}
    airflow.trigger("by_hand")

    def fresh():
        return {run["run_id"]: run["state"] for run in airflow.runs("by_hand")["by_hand"] if run["run_id"] not in before}

    seen = airflow.until(lambda runs: len(runs) == 2 and "running" not in runs.values(), fresh)
    first = airflow.run_id("by_hand")
    assert seen.pop(first) == "success"  # that is how it looks: the run's last task has succeeded
    ((again, state),) = seen.items()
    assert (again.partition("__")[0], state) == ("manual", "success")
