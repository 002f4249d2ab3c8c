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
from ansible_collections.dagops.airflow.plugins.plugin_utils._worker import WorkerAction, as_a_module_gets_them, inside, why_as_a_module


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


class Slices:
    """An action plugin whose module on its host waits for three slices."""

    def __init__(self, asynchronous=0, no_log=False, **args):
        self._task = SimpleNamespace(args=args, async_val=asynchronous, check_mode=False, no_log=no_log)
        self.asked = []

    what = SimpleNamespace(argument_spec=dict(wait_slice={}))
    waits, in_slices = WorkerAction._waits, WorkerAction._in_slices

    def _execute_module(self, module_args, task_vars):
        self.asked.append(module_args)
        invocation = dict(module_args=dict(module_args))
        if len(self.asked) > 3:
            return dict(changed=True, warnings=["b", "a"], invocation=invocation)
        seen = dict(dag_id="d", run_id="r", state="running", tasks=dict(running=dict(count=1, tasks=["t"])))
        return dict(changed=True, resume=dict(elapsed=module_args["wait_slice"], away=0.0, seen=seen, state={}), warnings=["a"], invocation=invocation)


def test_a_module_waits_in_slices_that_are_seen():
    action, seen = Slices(dag_id="d"), []
    result = action.in_slices({}, lambda look: seen.append((look["state"], look["tasks"]())))
    assert [args["wait_slice"] for args in action.asked] == [1.0, 2.0, 4.0, 8.0]
    assert ["resume" in args for args in action.asked] == [False, True, True, True]
    assert seen == [("running", dict(running=dict(count=1, tasks=["t"])))] * 3
    assert result == dict(changed=True, warnings=["a", "b"], invocation=dict(module_args=dict(dag_id="d")))


def test_the_time_between_slices_counts(monkeypatch):
    action, now = Slices(), [0.0]
    monkeypatch.setattr(_worker.time, "monotonic", lambda: now[0])
    execute = action._execute_module

    def slowly(module_args, task_vars):
        now[0] += 3.0 + module_args["wait_slice"]
        result = execute(module_args, task_vars)
        if "resume" in result:
            result["resume"].update(elapsed=module_args.get("resume", {}).get("elapsed", 0.0) + module_args["wait_slice"], away=0.5)
        return result

    action._execute_module = slowly
    action.in_slices({}, lambda look: None)
    times = [args["resume"] for args in action.asked[1:]]
    assert [one["elapsed"] for one in times] == [1.0, 6.0, 13.0]  # 1; then 3 s between and a slice, each time
    assert [one["away"] for one in times] == [0.5, 3.5, 3.5]


@pytest.mark.parametrize(("action", "waits"), [(Slices(), True), (Slices(asynchronous=9), False), (Slices(wait_slice=5), False), (Slices(resume={}), False)])
def test_who_is_not_looked_at_or_sets_slices_himself_gets_the_module_whole(action, waits):
    assert action.waits() is waits
