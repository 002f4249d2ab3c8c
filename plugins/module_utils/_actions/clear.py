# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have the failed tasks of a run done again. **PRIVATE** to the collection."""

from __future__ import annotations

import bisect
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import ILL, called
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, Foreign, TransportError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant
from ansible_collections.dagops.airflow.plugins.module_utils._resources.cleared_tasks import CLEARED_TASKS
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import TASK_INSTANCE
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Tries

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

SAME_MOMENT, EACH_TASK = 1.0, 0.01  # seconds in which Airflow cancels a run, and more for each of its tasks


def clear(context: Context, runs: t.Any, run: dict[str, t.Any]) -> tuple[dict[str, t.Any], bool]:
    """The run, and whether this has set it going, or somebody else meanwhile.

    Its failed tasks alone: to clear the run would clear all of them on Airflow 2. Done twice it is done once.
    """
    if CLEARED_TASKS.kind not in context.connection.dialect.rows:
        raise Unsupported(f"{runs.title} cannot clear tasks through its REST API: set if_failed to rerun")
    cleared = context.open(CLEARED_TASKS, dict(dag_id=context.options["dag_id"]))
    if context.check_mode:
        _undone(_tasks(context, run), context, run)
        return {**run, "state": "queued", "end_date": None}, True
    tries = Tries(context.options["api_retries"])
    did = False
    while True:
        try:
            did = _clear_once(context, runs, cleared, run) or did
        except (ApiError, TransportError) as exc:
            if not unclear(exc):
                raise
            did = True  # as far as anybody can know
            now = runs.read(run["run_id"])
            if (now is None or now["state"] == "failed") and not tries.again(getattr(exc, "retry_after", 0.0)):
                raise
        else:
            now = runs.read(run["run_id"])
            if now is None:
                raise AirflowError(f"{called(context.options, run)} was deleted while its tasks were cleared")
            return now, did
        if now is not None and now["state"] != "failed":
            return now, did


def _clear_once(context: Context, runs: t.Any, cleared: t.Any, run: Mapping[str, t.Any]) -> bool:
    """Whether there was something: its failed tasks, and what was cut off when it was cancelled; where there is neither, all that have not succeeded."""
    tasks = _tasks(context, run)
    cut_off = _cut_off(tasks, run)
    if not cut_off and cleared.create(dict(run_id=run["run_id"]))["task_instances"]:
        return True
    now = runs.read(run["run_id"])
    if now is None or now["state"] != "failed":  # somebody else was faster: what is at work again is left alone
        return False
    if cut_off:
        return _clear_these(context, cleared, run, tasks, [task for task in tasks if _which(task) in cut_off or task["state"] in (None, *ILL)])
    return _clear_these(context, cleared, run, tasks, _undone(tasks, context, run))


def _clear_these(
    context: Context, cleared: t.Any, run: Mapping[str, t.Any], tasks: Sequence[Mapping[str, t.Any]], chosen: Sequence[Mapping[str, t.Any]]
) -> bool:
    """Whatever their states are."""
    if "map_index" in cleared.rules.lacks:
        names = {task["task_id"] for task in chosen}
        again = sorted({task["task_id"] for task in tasks if task["task_id"] in names and task["state"] == "success"})
        if again:
            text = f"What had succeeded of {', '.join(again)} in {run['run_id']!r} may be done again, too"
            text += f", for {cleared.title} clears all instances of a mapped task together before version 3.2"
            context.once(("said", text), lambda: context.warn(text) or text)
    return bool(cleared.create(dict(run_id=run["run_id"], only_failed=False, tasks=sorted(map(_which, chosen))))["task_instances"])


def _which(task: Mapping[str, t.Any]) -> tuple[str, int]:
    return task["task_id"], task["map_index"]


def _cut_off(tasks: Sequence[Mapping[str, t.Any]], run: Mapping[str, t.Any]) -> set[tuple[str, int]]:
    """Tasks that did not come to their turn because the run was cancelled: Airflow skips them at the moment at which it fails what is running."""
    moments = sorted(instant(one["end_date"]) for one in (run, *tasks) if one["end_date"] and one["state"] == "failed")
    apart = SAME_MOMENT + EACH_TASK * len(tasks)
    return {
        _which(task)
        for task in tasks
        if task["state"] == "skipped"
        and task["end_date"]
        and task["start_date"] in (None, task["end_date"])  # it did not skip itself
        and _near(instant(task["end_date"]), moments) < apart
    }


def _near(moment: datetime, moments: Sequence[datetime]) -> float:
    """Seconds to the nearest of them, which are in order."""
    place = bisect.bisect(moments, moment)
    return min((abs((moment - one).total_seconds()) for one in moments[max(0, place - 1) : place + 1]), default=float("inf"))


def _tasks(context: Context, run: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    return context.open(TASK_INSTANCE, dict(dag_id=context.options["dag_id"], run_id=run["run_id"])).find()


def _undone(tasks: Sequence[Mapping[str, t.Any]], context: Context, run: Mapping[str, t.Any]) -> list[Mapping[str, t.Any]]:
    undone = [task for task in tasks if task["state"] != "success"]
    if not undone:
        raise AirflowError(f"{called(context.options, run)} was marked as failed, but all of its tasks have succeeded: there is nothing to do again")
    return undone


def unclear(exc: AirflowError) -> bool:
    """Whether the server may have done it, or may do it if it is asked again."""
    if isinstance(exc, Foreign):
        return True
    return exc.reached if isinstance(exc, TransportError) else isinstance(exc, ApiError) and (exc.status >= 500 or exc.status == 429)
