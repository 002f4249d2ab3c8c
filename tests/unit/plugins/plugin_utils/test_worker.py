# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import os
import sys
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.plugin_utils import _worker
from ansible_collections.dagops.airflow.plugins.plugin_utils._worker import Progress, as_a_module_gets_them, inside, why_as_a_module


def test_an_unquoted_date_is_a_text_as_in_a_module():
    asked = dict(conf=dict(day=datetime.date(2026, 11, 25), at=datetime.datetime(2026, 11, 25, 12, 0)), slots=2, wait=True)
    assert as_a_module_gets_them(asked) == dict(conf=dict(day="2026-11-25", at="2026-11-25T12:00:00"), slots=2, wait=True)


def test_names_of_files_are_meant_from_the_folder_of_the_playbook(tmp_path):
    before = os.getcwd()
    (tmp_path / "ca.pem").touch()
    with pytest.raises(ZeroDivisionError), inside(str(tmp_path)):
        assert os.path.exists("ca.pem")
        raise ZeroDivisionError
    assert os.getcwd() == before


def reason(transport="local", become=None, async_val=0, environment=(), delegate_to=None, args=(), **task_vars):
    task = SimpleNamespace(delegate_to=delegate_to, async_val=async_val, environment=list(environment), args=dict(args))
    connection = SimpleNamespace(transport=transport, become=become)
    action = SimpleNamespace(_task=task, _connection=connection, _templar=SimpleNamespace(template=lambda value: value))
    return why_as_a_module(action, task_vars)


def test_on_the_controller_it_is_done_in_the_worker(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("AIRFLOW_CLIENT", raising=False)
    assert reason() is None
    assert reason(ansible_python_interpreter=sys.executable) is None
    assert reason(environment=[{}]) is None


@pytest.mark.parametrize(
    ("circumstance", "word"),
    [
        (dict(transport="ssh"), "the host"),
        (dict(become=object()), "become"),
        (dict(async_val=10), "async"),
        (dict(environment=[dict(A="b")]), "environment"),
        (dict(args=dict(client="python")), "client=python"),
        (dict(ansible_python_interpreter="/usr/bin/other"), "ansible_python_interpreter"),
        (dict(delegate_to="there", ansible_delegated_vars=dict(there=dict(ansible_python_interpreter="/usr/bin/other"))), "ansible_python_interpreter"),
    ],
)
def test_elsewhere_it_is_a_module(monkeypatch, circumstance, word):
    monkeypatch.delenv("AIRFLOW_CLIENT", raising=False)
    assert word in reason(**circumstance)


def test_the_client_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CLIENT", "python")
    assert reason() == "client=python"


def test_macos_forks_badly(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "macOS" in reason()


@pytest.mark.parametrize(
    ("terminal", "told"),
    [
        (
            (10.0, 0.0),
            [
                "[h] waiting for the run 'r' of the DAG 'd': queued, 0 s, see http://x/r",
                "[h] the run 'r' of the DAG 'd': running, 2 s",
                "[h] the run 'r' of the DAG 'd': running, 12 s",
                "[h] the run 'r' of the DAG 'd': running, 22 s",
                "[h] the run 'r' of the DAG 'd': running, 32 s",
            ],
        ),
        ((60.0, 10.0), ["[h] waiting for the run 'r' of the DAG 'd': queued, 0 s, see http://x/r", "[h] the run 'r' of the DAG 'd': running, 10 s"]),
    ],
    ids=["at a terminal", "in a log"],
)
def test_who_waits_sees_what_for(monkeypatch, terminal, told):
    shown, now = [], 100.0
    monkeypatch.setattr(_worker.display, "display", lambda text, stderr: shown.append(text))
    monkeypatch.setattr(_worker, "SIGN_OF_LIFE", terminal[0])
    monkeypatch.setattr(_worker, "LEAST", terminal[1])
    progress = Progress("h", lambda: now)
    for second in range(0, 41, 2):
        now = 100.0 + second
        progress(dict(dag_id="d", run_id="r", state="queued" if second < 2 else "running", url="http://x/r"))
    assert shown == told
