# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of the maintenance window: what is active is paused and set going again, and nothing else, whatever happens in between.

It is played for three DAGs alone, for other tests need theirs.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time

import pytest

from . import control

DAGS = ["test_held", "test_other_window", "test_window"]  # the first one is paused before and after
ACTIVE = DAGS[1:]


class Window:
    def __init__(self, folder, server, ansible):
        self.folder = folder
        self.server = server
        self.ansible = ansible
        self.record = folder / "record.json"
        self.seen = folder / "seen.json"
        self.key = secrets.token_hex(6)
        self.ask({"dagops.airflow.airflow_dag": dict(dag_id="{{ item }}", paused="{{ item == 'test_held' }}"), "loop": DAGS})

    def ask(self, *tasks):
        done = self.ansible([dict(task, name=f"task {number}") for number, task in enumerate(tasks)], module_defaults=self.defaults)
        assert done.code == 0, done.told
        return [one["result"] for one in done.results]

    @property
    def defaults(self):
        return {"group/dagops.airflow.airflow": self.server["rest"]}

    def paused(self):
        told = self.ask({"dagops.airflow.airflow_dag_info": dict(dag_id="{{ item }}"), "loop": DAGS})
        return sorted(dag["dag_id"] for one in told[0]["results"] for dag in one["dags"] if dag["is_paused"])

    def start(self, seconds):
        """A run that is running."""
        run = dict(dag_id="test_window", run_id=f"{self.key}_test_window")
        until = dict(until="there.dag_runs[0].state == 'running'", retries=240, delay=0.5, register="there")
        self.ask({"dagops.airflow.airflow_dag_trigger": dict(run, conf=dict(seconds=seconds))}, {"dagops.airflow.airflow_dag_run_info": run, **until})
        return run

    def state(self, run):
        return self.ask({"dagops.airflow.airflow_dag_run_info": run})[0]["dag_runs"][0]["state"]

    def command(self, tasks, *args, **given):
        """The operator's tasks first write down what they see."""
        look = {"dagops.airflow.airflow_dag_info": dict(dag_id="{{ item }}", paused=False), "loop": DAGS, "register": "look"}
        write = {
            "ansible.builtin.copy": dict(
                dest=str(self.seen), content="{{ look.results | map(attribute='dags') | flatten | map(attribute='dag_id') | to_json }}"
            ),
            "check_mode": False,
        }
        (self.folder / "tasks.yml").write_text(json.dumps([look, write, *tasks]))
        given = {**dict(maintenance_airflow=self.server["rest"], maintenance_dags=DAGS, maintenance_tasks="tasks.yml"), **given}
        (self.folder / "given.json").write_text(json.dumps(dict(given, maintenance_record=str(self.record), maintenance_poll_interval=1)))
        return [str(control.BIN / "ansible-playbook"), "dagops.airflow.maintenance", "-e", f"@{self.folder}/given.json", *args]

    def play(self, tasks=(), *args, **given):
        self.seen.unlink(missing_ok=True)
        command = self.command(tasks, *args, **given)
        done = subprocess.run(command, cwd=self.folder, env=control.surroundings(), capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def window(tmp_path, server, ansible):
    made = Window(tmp_path, server, ansible)
    yield made
    made.ask({"dagops.airflow.airflow_dag": dict(dag_id="{{ item }}", paused=False), "loop": ACTIVE})
    if not server["version"].startswith("1."):
        made.ask({"dagops.airflow.airflow_dag_run": dict(dag_id="test_window", run_id=f"{made.key}_test_window", state="absent")})


def test_runs_come_to_their_ends_and_exactly_what_was_active_is_restored(window, far):
    """And a task that is delegated to another host is played there."""
    run = window.start(seconds=8)
    (window.folder / "inventory").write_text(far.inventory)
    code, told = window.play([{"ansible.builtin.command": "printenv SSH_CONNECTION", "delegate_to": "far"}], "-i", "inventory")
    assert code == 0, told
    assert json.loads(window.seen.read_text()) == []
    assert window.state(run) == "success"
    assert window.paused() == ["test_held"]
    assert not window.record.exists()
    assert window.server["rest"]["api_password"] not in told


def test_the_middle_fails(window):
    code, told = window.play([{"ansible.builtin.fail": dict(msg="the upgrade failed")}])
    assert code == 2, told
    assert "the upgrade failed" in told
    assert json.loads(window.seen.read_text()) == []
    assert window.paused() == ["test_held"]
    assert not window.record.exists()


def test_airflow_does_not_come_back(window):
    """The play ends, and leaves the record, with which another one restores."""
    server = window.server
    try:
        code, told = window.play([{"ansible.builtin.command": f"kill -TERM -- -{control.web(server)}"}], maintenance_answer_timeout=10)
    finally:
        control.stop_web(server)
        control.start(server)
    assert code == 2, told
    assert "is Airflow running there" in " ".join(told.split())
    assert json.loads(window.record.read_text())["active"] == ACTIVE
    assert window.paused() == DAGS
    code, told = window.play()
    assert code == 0, told
    assert window.paused() == ["test_held"]
    assert not window.record.exists()


def test_killed_and_played_again(window):
    with subprocess.Popen(
        window.command([{"ansible.builtin.wait_for": dict(timeout=300)}]),
        cwd=window.folder,
        env=control.surroundings(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as play:
        end = time.monotonic() + 120
        while not window.seen.exists() and time.monotonic() < end:
            time.sleep(0.2)
        control.kill(play.pid)
    assert json.loads(window.record.read_text()) == dict(active=ACTIVE, dags=DAGS)
    assert window.paused() == DAGS
    code, told = window.play(maintenance_dags=DAGS[:1])
    assert code == 2, told
    assert "is the record of a window that has not come to its end, of other DAGs (test_held, test_other_window, test_window)" in " ".join(told.split())
    assert window.record.exists()
    code, told = window.play()
    assert code == 0, told
    assert json.loads(window.seen.read_text()) == []
    assert window.paused() == ["test_held"]
    assert not window.record.exists()


def test_what_runs_may_be_refused_or_cancelled(window):
    if window.server["version"].startswith("1."):
        window.start(seconds=60)
        code, told = window.play(maintenance_runs="cancel")
        assert code == 2, told
        assert "a run cannot be cancelled" in told
        assert window.paused() == ["test_held"]
        return
    run = window.start(seconds=600)
    code, told = window.play((), "--check")
    assert code == 0, told
    assert sorted(json.loads(window.seen.read_text())) == ACTIVE
    assert window.paused() == ["test_held"]
    assert not window.record.exists()
    for refused, said in (
        (dict(maintenance_runs="fail"), "1 runs are running, such as"),
        (dict(maintenance_timeout=1), "After 1 s (maintenance_timeout) there is still something running: test_window."),
    ):
        code, told = window.play(**refused)
        assert code == 2, told
        assert said in " ".join(told.split())
        assert window.paused() == ["test_held"]
        assert not window.seen.exists()
    code, told = window.play(maintenance_runs="cancel")
    assert code == 0, told
    assert json.loads(window.seen.read_text()) == []
    assert window.paused() == ["test_held"]
    assert window.state(run) == "failed"
    assert not window.record.exists()
