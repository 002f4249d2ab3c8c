# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for DAG runs that somebody else has started. **PRIVATE** to the collection."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import (
    ACTIVE,
    ENDED,
    WAIT,
    await_end,
    failed_tasks,
    failure,
    in_slices,
    judge_here,
    judge_wait,
    shown,
    xcom,
)
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Waited

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


def dag_run_wait(context: Context) -> dict[str, t.Any]:
    options = context.options
    judge_wait(options)
    if options["xcom"] and options["run_id"] is None:
        raise AirflowError("xcom asks for the results of one run: give its run_id, or leave out xcom")
    return in_slices(context, _begun, _finished)


def _begun(context: Context) -> dict[str, t.Any]:
    runs = context.open(DAG_RUN, dict(dag_id=context.options["dag_id"]))
    judge_here(context, runs)
    return dict(changed=False, runs=_wished(context, runs), results=[])


def _finished(context: Context, state: dict[str, t.Any], waited: Waited) -> dict[str, t.Any]:
    results = state["results"]
    for run in state["runs"][len(results) :]:
        results.append(_one(context, run, waited))
    result = dict(changed=False, dag_runs=[one["dag_run"] for one in results])
    for key in ("timed_out", "xcom"):
        for one in results:
            result.update({key: one[key]} if one.get(key) else {})
    failed = [one for one in results if one["failed"]]
    if failed:
        known = [one["failed_tasks"] for one in failed if one["failed_tasks"] is not None]
        raise AirflowError("; ".join(one["failed"] for one in failed), **result, failed_tasks=list(itertools.chain(*known)) if known else None)
    return result


def _wished(context: Context, runs: t.Any) -> list[dict[str, t.Any]]:
    """The run that is named, or all that have not ended."""
    options = context.options
    try:
        if options["run_id"] is None:
            found = runs.find(state=list(ACTIVE))
            if not found and context.open(DAG, {}).read(options["dag_id"]) is None:  # nothing of an unknown DAG is a wrong dag_id
                raise ApiError("it is not known", 404, body={})
            return found
        run = runs.read(options["run_id"])
    except ApiError as exc:
        raise why_no_run(context, exc) from None
    if run is None:
        raise AirflowError(f"There is no run {options['run_id']!r} of the DAG {options['dag_id']!r}, so nothing can be waited for")
    return [run]


def _one(context: Context, run: dict[str, t.Any], waited: Waited) -> dict[str, t.Any]:
    told: dict[str, t.Any] = {}
    if run["state"] not in ENDED and not context.check_mode:
        try:
            run, told = await_end(context, run, False, waited)
        except AirflowError as exc:  # of the others it is said all the same
            return dict({"timed_out": True} if exc.details.get("timed_out") else {}, dag_run=shown(run), failed=str(exc), failed_tasks=None)
    if run["state"] == "failed":
        tasks = failed_tasks(context, run)
        return dict(told, dag_run=shown(run), failed=failure(context.options, run, tasks), failed_tasks=tasks)
    found = dict(xcom=xcom(context, run)) if run["state"] == "success" and context.options["xcom"] else {}
    return dict(told, dag_run=shown(run), failed="", **found)


DAG_RUN_WAIT = Action(
    name="dag_run_wait",
    argument_spec=dict(
        WAIT,
        dag_id=dict(type="str", required=True),
        run_id=dict(type="str"),
        on_timeout=dict(type="str", choices=["fail", "return"], default="fail"),
    ),
    perform=dag_run_wait,
    over_rest="DAG runs are waited for",
)
