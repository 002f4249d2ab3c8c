# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for the end of DAG runs, and say what came of them. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import TASK_INSTANCE, TASK_LOG, XCOM
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Until, judge_seconds, watch

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

ENDED = ("success", "failed")
ILL = ("failed", "upstream_failed")
MOST_TASKS = 10  # whose logs are fetched; a mapped task may have thousands
RETURN_VALUE = "return_value"  # Airflow's name for what a task returns

WAIT: dict[str, dict[str, t.Any]] = dict(
    wait_timeout=dict(type="float", default=3600.0),
    poll_interval=dict(type="float", default=10.0),
    outage_timeout=dict(type="float", default=120.0),
    on_timeout=dict(type="str", choices=["fail", "cancel", "return"], default="fail"),
    log_lines=dict(type="int", default=10),
    xcom=dict(type="list", elements="str", default=[]),
)


def judge_wait(options: Mapping[str, t.Any]) -> None:
    judge_seconds(options, "wait_timeout", "poll_interval")
    judge_seconds(options, "outage_timeout", least=0)
    if options["log_lines"] < 0:
        raise AirflowError(f"log_lines is a number of lines, it cannot be {options['log_lines']}")
    for wanted in options["xcom"]:
        if not wanted.partition(":")[0]:
            raise AirflowError(f"xcom {wanted!r} names no task: write task_id, or task_id:key")


def called(options: Mapping[str, t.Any], run: Mapping[str, t.Any]) -> str:
    return f"The run {run['run_id']!r} of the DAG {options['dag_id']!r}"


def await_end(context: Context, runs: t.Any, run: dict[str, t.Any], ours: bool) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The run at its end, and what is to be told of the wait. ``ours``: this task has started it, so this task may cancel it."""
    options, run_id = context.options, run["run_id"]
    until = Until(called(options, run), "state", ENDED)
    try:
        ended = watch(lambda: runs.read(run_id), until, options["wait_timeout"], options["poll_interval"], context.tell, outage=options["outage_timeout"])
        return merged(run, ended), {}
    except (ApiError, TransportError) as exc:
        raise AirflowError(f"{exc}. {called(options, run)} goes on: play the task again to wait for its end", **exc.details) from None
    except TimedOut as exc:
        exc.details["timed_out"] = True
        if options["on_timeout"] == "fail":
            raise
        now = runs.read(run_id) or run
        if options["on_timeout"] == "return" or now["state"] in ENDED:
            return merged(run, now), dict(timed_out=now["state"] not in ENDED)
        if not ours:
            raise AirflowError(f"{exc}; it is not cancelled, for another task has started it", **exc.details) from None
        try:
            cancelled = runs.update(run_id, dict(state="failed"), now)
        except (ApiError, TransportError) as lost:
            raise AirflowError(f"{exc}; whether it was cancelled is not known: {lost}", **exc.details) from None
        raise AirflowError(f"{exc}, and was cancelled", **exc.details, cancelled=True, dag_run={key: cancelled[key] for key in DAG_RUN.keys}) from None


def merged(known: Mapping[str, t.Any], said: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the server tells, and where it is silent what we know ourselves."""
    return {**known, **{key: value for key, value in said.items() if value is not None}}


def judge_here(context: Context, runs: t.Any) -> None:
    """What this Airflow cannot do is said before anything is started."""
    options = context.options
    if options["on_timeout"] == "cancel" and "update" not in runs.verbs:
        raise Unsupported(f"{runs.title} cannot cancel a run through its REST API: set on_timeout to fail or return")
    if options["xcom"] and XCOM.kind not in context.connection.dialect.rows:
        raise Unsupported(f"{runs.title} gives no results of tasks through its REST API: leave out xcom")


def duration(run: Mapping[str, t.Any]) -> float | None:
    """Seconds."""
    if not run["start_date"] or not run["end_date"]:
        return None
    return (instant(run["end_date"]) - instant(run["start_date"])).total_seconds()


def failed_tasks(context: Context, run: Mapping[str, t.Any]) -> list[dict[str, t.Any]] | None:
    """With the ends of their logs; None where this Airflow, or this server just now, does not tell."""
    options = context.options
    if TASK_INSTANCE.kind not in context.connection.dialect.rows:
        return None
    of_run = dict(dag_id=options["dag_id"], run_id=run["run_id"])
    try:
        tasks = [task for task in context.open(TASK_INSTANCE, of_run).find() if task["state"] in ILL]
        tasks.sort(key=lambda task: (ILL.index(task["state"]), task["end_date"] or "", task["task_id"], task["map_index"]))
        return [
            dict(
                {key: task[key] for key in ("task_id", "map_index", "try_number", "state")},
                log=_log(context, dict(of_run, task_id=task["task_id"], map_index=task["map_index"]), task) if number < MOST_TASKS else [],
            )
            for number, task in enumerate(tasks)
        ]
    except (ApiError, TransportError) as exc:
        context.warn(f"Which tasks of {run['run_id']!r} failed cannot be told: {exc}")
        return None


def _log(context: Context, scope: Mapping[str, t.Any], task: Mapping[str, t.Any]) -> list[str]:
    lines = context.options["log_lines"]
    if not lines or not task["try_number"] or task["state"] != "failed":
        return []
    try:
        found = context.open(TASK_LOG, scope).read(task["try_number"])
    except (ApiError, TransportError):  # a log that cannot be had hides no failure
        return []
    return [line for line in (found or {}).get("content", ()) if line.strip() and "::endgroup::" not in line and "::group::" not in line][-lines:]


def explained(tasks: list[dict[str, t.Any]] | None) -> str:
    """For the end of a sentence about a failed run."""
    parts = []
    for task in tasks or ():
        index = f"[{task['map_index']}]" if task["map_index"] not in (None, -1) else ""
        how = f"failed at try {task['try_number']}" if task["state"] == "failed" else "was not run, for one before it failed"
        parts.append(f"{task['task_id']}{index} {how}" + (f" ({task['log'][-1].strip()[:200]})" if task["log"] else ""))
    more = f"; and {len(parts) - MOST_TASKS} more" if len(parts) > MOST_TASKS else ""
    return "; ".join(parts[:MOST_TASKS]) + more


def xcom(context: Context, run: Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """task -> key -> value, as asked for; null with a warning where there is none."""
    found: dict[str, dict[str, t.Any]] = {}
    for wanted in context.options["xcom"]:
        task_id, _colon, key = wanted.partition(":")
        key = key or RETURN_VALUE
        entry = context.open(XCOM, dict(dag_id=context.options["dag_id"], run_id=run["run_id"], task_id=task_id)).read(key)
        if entry is None:
            context.warn(f"The task {task_id!r} of {run['run_id']!r} left no {key!r}")
        found.setdefault(task_id, {})[key] = entry and entry["value"]
    return found
