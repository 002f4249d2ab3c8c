# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for DAG runs that somebody else has started. **PRIVATE** to the collection."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import (
    ENDED,
    WAIT,
    await_end,
    called,
    duration,
    explained,
    failed_tasks,
    judge_here,
    judge_wait,
    xcom,
)
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

ACTIVE = ("queued", "running")


def dag_run_wait(context: Context) -> dict[str, t.Any]:
    options = context.options
    if options["client"] != "rest":
        raise AirflowError("DAG runs are waited for through the REST API only: leave out client=python")
    judge_wait(options)
    if options["xcom"] and options["run_id"] is None:
        raise AirflowError("xcom asks for the results of one run: give its run_id, or leave out xcom")
    runs = context.open(DAG_RUN, dict(dag_id=options["dag_id"]))
    judge_here(context, runs)
    end = time.monotonic() + options["wait_timeout"]
    results = [_one(context, runs, run, end) for run in _wished(context, runs)]
    result = dict(changed=False, dag_runs=[one["dag_run"] for one in results])
    for key in ("timed_out", "xcom"):
        for one in results:
            result.update({key: one[key]} if one.get(key) else {})
    failed = [one for one in results if one["failed"]]
    if failed:
        raise AirflowError("; ".join(one["failed"] for one in failed), **result, failed_tasks=[task for one in failed for task in one["failed_tasks"] or ()])
    return result


def _wished(context: Context, runs: t.Any) -> list[dict[str, t.Any]]:
    """The run that is named, or all that have not ended."""
    options = context.options
    try:
        if options["run_id"] is None:
            return runs.find(state=list(ACTIVE))
        run = runs.read(options["run_id"])
    except ApiError as exc:
        raise why_no_run(context, exc) from None
    if run is None:
        raise AirflowError(f"There is no run {options['run_id']!r} of the DAG {options['dag_id']!r}, so nothing can be waited for")
    return [run]


def _one(context: Context, runs: t.Any, run: dict[str, t.Any], end: float) -> dict[str, t.Any]:
    waited: dict[str, t.Any] = {}
    if run["state"] not in ENDED and not context.check_mode:
        left = max(0.001, end - time.monotonic())
        run, waited = await_end(context.of({**context.options, "wait_timeout": left}, context.warn), runs, run, ours=False)
    shown = dict({key: run[key] for key in DAG_RUN.keys}, duration=duration(run))
    if run["state"] == "failed":
        tasks = failed_tasks(context, run)
        why = f": {explained(tasks)}" if tasks else ""
        return dict(waited, dag_run=shown, failed=f"{called(context.options, run)} failed{why}; see {run['url']}", failed_tasks=tasks)
    found = dict(xcom=xcom(context, run)) if run["state"] == "success" and context.options["xcom"] else {}
    return dict(waited, dag_run=shown, failed="", **found)


DAG_RUN_WAIT = Action(
    name="dag_run_wait",
    argument_spec=dict(
        WAIT,
        dag_id=dict(type="str", required=True),
        run_id=dict(type="str"),
        on_timeout=dict(type="str", choices=["fail", "return"], default="fail"),
    ),
    perform=dag_run_wait,
)
