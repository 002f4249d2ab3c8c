# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ansible-rulebook does failed runs again as they happen: once each, though it is killed and the server is away meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time

import pytest
import requests

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run_info import DAG_RUN_INFO
from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import TRIGGER
from ansible_collections.dagops.airflow.plugins.module_utils._perform import argument_spec, perform

from . import control

RULEBOOK = control.ROOT / ".venv/rulebook/bin/ansible-rulebook"  # see the Makefile
FAILURES = int(os.environ.get("FAILURES", "6"))
DAG = "test_fail"


def play(server, what, **asked):
    defaults = {name: words.get("default") for name, words in argument_spec(what).items()}
    return perform(what, {**defaults, **server["rest"], "dag_id": DAG, **asked})


def start_on_ten(server, run_id):
    """As its scheduler would; the module takes no such id for a new run."""
    rest = server["rest"]
    body = json.dumps({"run_id": run_id, "replace_microseconds": "false"})
    access = (rest["api_username"], rest["api_password"])
    answer = requests.post(f"{rest['api_url']}/api/experimental/dags/{DAG}/dag_runs", data=body, auth=access, timeout=60)
    assert answer.status_code == 200, answer.text


@contextlib.contextmanager
def rulebook(folder, server):
    control.program("java", "openjdk-17-jre-headless")
    (folder / "inventory").write_text("localhost ansible_connection=local\n")
    given = dict(retry_failed_dags=[DAG], retry_failed_cursor_file=str(folder / "cursor.json"), retry_failed_poll_interval=2, retry_failed_max_attempts=2)
    (folder / "given.json").write_text(json.dumps(given))
    rest = server["rest"]
    access = dict(AIRFLOW_API_URL=rest["api_url"], AIRFLOW_API_USERNAME=rest["api_username"], AIRFLOW_API_PASSWORD=rest["api_password"])
    words = [str(RULEBOOK), "--rulebook", "dagops.airflow.retry_failed", "-i", "inventory", "--vars", "given.json"]
    path = f"{RULEBOOK.parent}:{os.environ['PATH']}"
    with (folder / "rulebook.log").open("a") as log:
        process = subprocess.Popen(words, cwd=folder, env=control.surroundings(**access, PATH=path), stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(what, seconds):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(2)
    return what()


def test_each_failure_is_done_again_once(server, tmp_path):
    if not RULEBOOK.exists():
        pytest.fail("there is no ansible-rulebook: make .venv/.system")
    key = str(10**11 + secrets.randbelow(10**11))  # 123_4 looks like a number
    ten = server["version"].startswith("1.")  # which tells no conf, so that only its scheduler's runs are done again
    first = [f"{'scheduled__' if ten else ''}{key}_{number}" for number in range(FAILURES)]

    def runs():
        return {run["run_id"]: run["state"] for run in play(server, DAG_RUN_INFO)["dag_runs"] if key in run["run_id"]}

    def trigger(run_ids):
        for number, run_id in enumerate(run_ids):
            if ten:
                start_on_ten(server, run_id)
            else:
                play(server, TRIGGER, run_id=run_id, conf={"{{ number }}": number, "path": "{{ lookup('pipe', 'false') }}"})

    wanted = {name: "failed" for run_id in first for name in (run_id, f"retry__{run_id}__2")}
    if ten:
        left_alone = f"{key}_left_alone"
        wanted[left_alone] = "failed"
    log, cursor, told = tmp_path / "rulebook.log", tmp_path / "cursor.json", set()

    def all_told():
        """What the source has told, and forgets in time: see its overlap."""
        told.update(key.split()[1] for key in json.loads(cursor.read_text())["told"])
        return told >= set(wanted)

    with rulebook(tmp_path, server):
        assert until(cursor.exists, 300), log.read_text()
        if ten:
            play(server, TRIGGER, run_id=left_alone)
        trigger(first[: FAILURES // 2])
        assert until(lambda: any(run_id.startswith("retry__") for run_id in runs()), 300), log.read_text()
    # It was killed, perhaps amid an action; what fails now fails while nobody looks
    trigger(first[FAILURES // 2 :])
    control.stop_web(server)
    try:
        with rulebook(tmp_path, server):
            assert until(lambda: "The next look is in" in log.read_text(), 300), log.read_text()
            control.start(server)
            until(lambda: all_told() and runs() == wanted, 900 + 60 * FAILURES)
            time.sleep(10)
            assert runs() == wanted, log.read_text()
            assert told >= set(wanted), log.read_text()
    finally:
        control.start(server)
    if ten:
        assert "is left alone, for this Airflow does not tell its conf" in log.read_text()
    else:
        confs = {run["run_id"]: run["conf"] for run in play(server, DAG_RUN_INFO)["dag_runs"]}
        assert all(confs[f"retry__{run_id}__2"] == confs[run_id] for run_id in first)
    assert server["rest"]["api_password"] not in log.read_text()
