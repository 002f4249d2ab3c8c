# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that does failed runs again, from outside and once."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from datetime import datetime, timezone

import pytest

from . import control

PLAYBOOK = "dagops.airflow.retry_failed"


class Failures:
    def __init__(self, folder, server, ansible):
        self.folder, self.server, self.ansible = folder, server, ansible
        self.key = secrets.token_hex(6)
        self.since = datetime.now(timezone.utc).isoformat()

    def ask(self, task):
        done = self.ansible([dict(task, name="one")], module_defaults={"group/dagops.airflow.airflow": self.server["rest"]})
        assert done.code == 0, done.told
        return done.of("one")

    def fail(self, dag_id, count):
        """So many runs that have failed; of test_fails_once another attempt succeeds."""
        ids = [f"{self.key}_{number}" for number in range(count)]
        runs = [dict(dag_id=dag_id, run_id=run_id, conf=dict(mark=run_id)) for run_id in ids]
        self.ask({"dagops.airflow.airflow_dag_runs": dict(runs=runs)})
        self.await_end(dag_id, dict.fromkeys(ids, "failed"))
        return ids

    def await_end(self, dag_id, wanted):
        over = "found.dag_runs | selectattr('run_id', 'search', key) | rejectattr('state', 'in', ['queued', 'running']) | length >= wanted"
        task = {"dagops.airflow.airflow_dag_run_info": dict(dag_id=dag_id), "register": "found", "until": over, "retries": 120, "delay": 2}
        told = self.ask(dict(task, vars=dict(key=self.key, wanted=len(wanted))))
        assert {run["run_id"]: run["state"] for run in told["dag_runs"] if self.key in run["run_id"]} == wanted

    def play(self, dag_id, *args, **given):
        given = dict(retry_failed_dags=[dag_id], retry_failed_since=self.since, retry_failed_airflow=self.server["rest"], **given)
        (self.folder / "given.json").write_text(json.dumps(given))
        command = [str(control.BIN / "ansible-playbook"), PLAYBOOK, "-e", f"@{self.folder}/given.json", *args]
        done = subprocess.run(command, cwd=self.folder, env=control.surroundings(), capture_output=True, text=True, timeout=300, check=False)
        told = done.stdout + done.stderr
        assert self.server["rest"]["api_password"] not in told
        return done.returncode, int(re.search(r"changed=(\d+)", told).group(1)), told


@pytest.fixture
def failures(tmp_path, server, ansible):
    return Failures(tmp_path, server, ansible)


def test_another_attempt_of_each_is_made_once(failures):
    first = failures.fail("test_fails_once", 2)
    states = dict.fromkeys(first, "failed")
    if failures.server["version"].startswith("1."):
        code, changed, told = failures.play("test_fails_once")
        assert (code, changed) == (0, 0), told
        assert "Left alone, for this Airflow does not tell their conf" in told
        failures.await_end("test_fails_once", states)
        return
    code, changed, told = failures.play("test_fails_once", "--check")
    assert (code, changed) == (0, 1), told
    failures.await_end("test_fails_once", states)
    code, changed, told = failures.play("test_fails_once")
    assert (code, changed) == (0, 1), told
    failures.await_end("test_fails_once", {**states, **{f"retry__{run_id}__2": "success" for run_id in first}})
    for how in ("rerun", "clear"):  # what another attempt has mended is done
        code, changed, told = failures.play("test_fails_once", retry_failed_how=how)
        assert (code, changed) == (0, 0), told


def test_attempts_come_to_an_end(failures):
    if failures.server["version"].startswith("1."):
        return
    (first,) = failures.fail("test_fail", 1)
    assert failures.play("test_fail")[:2] == (0, 1)
    wanted = {first: "failed", f"retry__{first}__2": "failed"}
    failures.await_end("test_fail", wanted)
    code, changed, told = failures.play("test_fail")
    assert (code, changed) == (2, 0), told
    assert "attempt 2 of 2 (max_attempts)" in " ".join(told.split())
    assert failures.play("test_fail", retry_failed_newest=1)[:2] == (2, 0)
    failures.await_end("test_fail", wanted)
    assert failures.play("test_fail", retry_failed_max_attempts=3, retry_failed_newest=1)[:2] == (0, 1)
    failures.await_end("test_fail", {**wanted, f"retry__{first}__3": "failed"})


def test_failed_tasks_are_cleared_once(failures):
    if failures.server["version"].startswith("1."):
        failures.fail("test_fail", 1)
        code, changed, told = failures.play("test_fail", retry_failed_how="clear")
        assert (code, changed) == (2, 0), told
        assert "cannot be cleared" in told
        return
    (first,) = failures.fail("test_fail", 1)
    code, changed, told = failures.play("test_fail", retry_failed_how="clear")
    assert (code, changed) == (0, 1), told
    failures.await_end("test_fail", {first: "failed"})
    code, changed, told = failures.play("test_fail", retry_failed_how="clear")
    assert (code, changed) == (2, 0), told
    assert f"cleared before, and failed again: {first}" in " ".join(told.split())


def test_what_cannot_be_meant_is_said(failures):
    code, _changed, told = failures.play("test_fail", retry_failed_how="again")
    assert code == 2
    assert "retry_failed_how is one of rerun and clear" in " ".join(told.split())
