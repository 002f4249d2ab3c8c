# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import threading
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions import dag_runs
from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context, perform
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN


def play(monkeypatch, runs, trigger, max_parallel=1, dag=None, verbs=("read", "create", "update"), **waits):
    warnings = []
    store = SimpleNamespace(title="Airflow X", verbs=verbs, read=lambda key: dag)
    monkeypatch.setattr(Context, "open", lambda self, resource, scope: store)
    monkeypatch.setattr(Context, "connection", SimpleNamespace(memory={}, dialect=SimpleNamespace(rows={})))
    options = {name: words.get("default") for name, words in {**CONNECTION, **dag_runs.DAG_RUNS.argument_spec}.items()}
    monkeypatch.setattr(dag_runs, "begun", lambda context, waits, is_paused: (trigger(context), False))
    return perform(dag_runs.DAG_RUNS, dict(options, runs=runs, max_parallel=max_parallel, **waits), warn=warnings.append), warnings


def wished(count):
    return [dict(dag_id="d", run_key=str(number)) for number in range(count)]


def made(context):
    return dict(changed=True, found=False, key=context.options["run_key"])


@pytest.mark.parametrize("max_parallel", [1, 4])
def test_results_stand_in_the_order_of_the_list(monkeypatch, max_parallel):
    result, _warnings = play(monkeypatch, wished(20), made, max_parallel)
    assert [one["key"] for one in result["dag_runs"]] == [str(number) for number in range(20)]
    assert result["changed"]


def test_the_first_run_goes_alone_and_the_rest_together(monkeypatch):
    together = threading.Barrier(3, timeout=30)

    def trigger(context):
        if context.options["run_key"] != "0":
            together.wait()
        return made(context)

    assert len(play(monkeypatch, wished(4), trigger, 3)[0]["dag_runs"]) == 4


def test_one_that_fails_hides_no_other(monkeypatch):
    def trigger(context):
        if context.options["run_key"] in ("1", "2"):
            raise ApiError(f"no {context.options['run_key']}", 404)
        return made(context)

    with pytest.raises(AirflowError, match=re.escape("2 of 4 runs failed: no 1; no 2")) as failure:
        play(monkeypatch, wished(4), trigger)
    told = failure.value.details
    assert told["changed"]
    assert [one.get("failed", False) for one in told["dag_runs"]] == [False, True, True, False]


@pytest.mark.parametrize("end", [TransportError("gone", reached=True), ApiError("who are you", 401)])
def test_what_would_end_all_others_alike_ends_them(monkeypatch, end):
    asked = []

    def trigger(context):
        asked.append(context)
        raise end

    with pytest.raises(AirflowError, match=rf"7 of 7 runs failed: {end}; not tried, because of what came before;.*; and 2 more"):
        play(monkeypatch, wished(7), trigger)
    assert len(asked) == 1


def test_the_waits_are_those_of_the_task(monkeypatch):
    """Of a run that had failed before, too; results are fetched once, when all have started."""
    told = []
    monkeypatch.setattr(dag_runs, "judge_here", lambda context, runs: None)
    monkeypatch.setattr(dag_runs, "finish", lambda context, state, waited: state["result"])
    for waits in (dict(log_lines=0, xcom=["a"]), dict(log_lines=0, xcom=["a"], wait=True)):
        play(monkeypatch, wished(1), lambda context: told.append(context.options) or ended(context), **waits)
    assert [(one["log_lines"], one["xcom"], one["wait"]) for one in told] == [(0, ["a"], False), (0, [], False)]


def test_equal_warnings_are_said_once(monkeypatch):
    def trigger(context):
        context.warn("paused")
        context.warn(f"old {context.options['run_key']}")
        return made(context)

    _result, warnings = play(monkeypatch, wished(7), trigger)
    assert warnings == ["paused", "old 0", "old 1", "old 2", "old 3", "and 3 more"]


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        (
            [dict(dag_id="d"), dict(dag_id="e"), dict(dag_id="d", conf={})],
            "Runs 1 and 3 of the list are one and the same run: give each a run_key (or run_id) of its own",
        ),
        ([dict(dag_id="d"), dict(dag_id="d", run_id="a b")], "Run 2 of the list: run_id 'a b' is none that Airflow takes"),
    ],
)
def test_the_list_is_judged_before_anything_is_sent(monkeypatch, runs, sentence):
    with pytest.raises(AirflowError, match=re.escape(sentence)):
        play(monkeypatch, runs, None)


def ended(context):
    run = dict(dict.fromkeys(DAG_RUN.keys), dag_id="d", run_id="r", state="success")
    return dict(changed=False, found=True, attempt=1, dag_run=run, run_url=None)


@pytest.mark.parametrize("dag", [dict(is_paused=True), None])
def test_a_run_that_has_ended_is_not_waited_for_though_its_dag_is_paused_or_gone(monkeypatch, dag):
    result, _warnings = play(monkeypatch, wished(2), ended, dag=dag, wait=True)
    assert [one["dag_run"]["state"] for one in result["dag_runs"]] == ["success", "success"]


@pytest.mark.parametrize(("waits", "sentence"), [(dict(on_timeout="cancel"), "cannot cancel a run"), (dict(xcom=["work"]), "gives no results of tasks")])
def test_waits_that_cannot_be_are_refused_before_anything_starts(monkeypatch, waits, sentence):
    with pytest.raises(AirflowError, match=sentence):
        play(monkeypatch, wished(2), None, verbs=("read", "create"), wait=True, **waits)


def test_no_runs_are_no_change(monkeypatch):
    assert play(monkeypatch, [], None)[0] == dict(changed=False, dag_runs=[])


def test_a_number_at_once_that_is_none(monkeypatch):
    with pytest.raises(AirflowError, match="max_parallel is a number of runs, it cannot be 0"):
        play(monkeypatch, wished(1), None, 0)
