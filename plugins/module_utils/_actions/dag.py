# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pause a DAG or set it going, wait until Airflow has it, remove what Airflow knows of it. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Until, judge_seconds, watch

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


THERE = "there"


def dag(context: Context) -> dict[str, t.Any]:
    options = context.options
    judge_seconds(options, "wait_for_dag", least=0)
    dags = context.open(DAG, {})
    if options["state"] == "absent":
        return _removed(context, dags)
    current = _there(context, dags)
    wished = current["is_paused"] if options["paused"] is None else options["paused"]
    changed, after = current["is_paused"] != wished, {**current, "is_paused": wished}
    if changed and not context.check_mode:
        after = dags.update(options["dag_id"], dict(is_paused=wished), current)
    diff = dict(before=dict(dag_id=options["dag_id"], is_paused=current["is_paused"]), after=dict(dag_id=options["dag_id"], is_paused=wished))
    return dict(changed=changed, dag=_shown(after), diff=diff)


def _there(context: Context, dags: t.Any) -> dict[str, t.Any]:
    """The DAG, once Airflow has read its file, and can use it."""
    options = context.options
    dag_id, wait = options["dag_id"], options["wait_for_dag"]

    def look() -> dict[str, t.Any]:
        found = dags.read(dag_id)
        parsed = found is not None and not (wait and (found["is_stale"] or found["has_import_errors"]))
        return dict(state=THERE if parsed else "not there", dag_id=dag_id, found=found)

    try:
        return watch(look, Until(f"The DAG {dag_id!r}", "state", (THERE,)), 0.0 if context.check_mode else wait, 2.0, context.tell)["found"]
    except TimedOut:
        missing = why_no_run(context, ApiError("it is not known", 404, body={}))
    if not (context.check_mode and wait):
        raise missing
    context.warn(f"{missing}. Check mode goes on as if an earlier task deployed it")
    return {**dict.fromkeys(DAG.keys), "dag_id": dag_id}


def _removed(context: Context, dags: t.Any) -> dict[str, t.Any]:
    dag_id = context.options["dag_id"]
    if context.options["paused"] is not None:
        raise AirflowError("A DAG that is absent is neither paused nor active: leave out paused, or state=absent")
    if "delete" not in dags.verbs:
        raise Unsupported(f"{dags.title} cannot remove a DAG through its REST API: use `airflow delete_dag` on the master")
    current = dags.read(dag_id)
    if current is None:
        return dict(changed=False, dag=None, diff=dict(before={}, after={}))
    running = [run["run_id"] for run in context.open(DAG_RUN, dict(dag_id=dag_id)).find(state=["running"])]
    if running:
        shown = ", ".join(map(repr, running[:3])) + (f" and {len(running) - 3} more" if len(running) > 3 else "")
        raise AirflowError(
            f"The DAG {dag_id!r} has runs that are running: {shown}. Wait for them with airflow_dag_run_wait, or cancel them with airflow_dag_run"
        )
    if not current["is_stale"]:
        context.warn(f"The file of the DAG {dag_id!r} is still there: Airflow will know the DAG again, without its history, when it next reads the file")
    if not context.check_mode:
        dags.delete(dag_id)
    return dict(changed=True, dag=None, diff=dict(before=dict(dag_id=dag_id, is_paused=current["is_paused"]), after={}))


def _shown(found: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: found[name] for name in DAG.keys}


DAG_STATE = Action(
    name="dag",
    argument_spec=dict(
        dag_id=dict(type="str", required=True),
        paused=dict(type="bool"),
        wait_for_dag=dict(type="float", default=0.0),
        state=dict(type="str", choices=["present", "absent"], default="present"),
    ),
    perform=dag,
    over_rest="DAGs are managed",
)
