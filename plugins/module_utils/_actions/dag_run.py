# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a run that is there what it shall be. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.clear import clear
from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import judge_note
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import ACTIVE, ENDED, called, shown
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import fit
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


# Wished state -> the states that are as good, and the one that follows.
WISHES = {
    "present": (("queued", "running", *ENDED), None),
    "cancelled": (ENDED, "failed"),
    "cleared": (("queued", "running", "success"), "queued"),
    "failed": (("failed",), "failed"),
    "success": (("success",), "success"),
    "absent": ((), None),
}
DONE = dict(cancelled="cancelled", cleared="cleared", failed="marked as failed", success="marked as successful", absent="deleted")


def dag_run(context: Context) -> dict[str, t.Any]:
    options = context.options
    judge_note(options)
    wish, note = options["state"], options["note"]
    if wish == "absent" and note is not None:
        raise AirflowError("A run that is absent has no note: leave out note, or state=absent")
    runs = context.open(DAG_RUN, dict(dag_id=options["dag_id"]))
    try:
        run = runs.read(options["run_id"])
    except ApiError as exc:
        raise why_no_run(context, exc) from None
    if run is None:
        if wish != "absent":
            raise AirflowError(f"There is no run {options['run_id']!r} of the DAG {options['dag_id']!r}: airflow_dag_trigger starts one")
        return dict(changed=False, dag_run=None, diff=dict(before={}, after={}))
    good, follows = WISHES[wish]
    patch: dict[str, t.Any] = {}
    if note is not None:
        patch = {
            name: value for name, value in fit(DAG_RUN, runs, dict(note=note), run, context.warn).items() if not DAG_RUN.fields[name].same(run[name], value)
        }
    if run["state"] not in good and follows:
        patch["state"] = follows
    if not patch and wish != "absent":
        return _result(run, run, False)
    # What this Airflow cannot do is refused before anything is done, in check mode as without
    if ("delete" if wish == "absent" else "update") not in runs.verbs:
        raise Unsupported(f"{runs.title} can only start runs and look at them through its REST API: a run cannot be {DONE[wish]}")
    return _removed(context, runs, run) if wish == "absent" else _changed(context, runs, run, patch)


def _changed(context: Context, runs: t.Any, run: dict[str, t.Any], patch: dict[str, t.Any]) -> dict[str, t.Any]:
    now, planned, changed = run, {**run, **patch}, True
    if patch.get("state") in ACTIVE:
        now, cleared = clear(context, runs, run)
        patch = {name: value for name, value in patch.items() if name != "state"}
        changed = cleared or bool(patch)
    if context.check_mode:
        now = planned
    elif patch:
        now = runs.update(run["run_id"], patch, now)
        if "state" in patch and now["state"] in ACTIVE:
            context.warn(f"{called(context.options, run)} ends once its teardown is done, which Airflow plays first")
    return _result(run, planned if changed else run, changed, now)


def _removed(context: Context, runs: t.Any, run: dict[str, t.Any]) -> dict[str, t.Any]:
    """Airflow 3 refuses to delete a run that is running, Airflow 2 leaves its tasks at work: it is cancelled before."""
    if not context.check_mode:
        if run["state"] in ACTIVE:
            ended = runs.update(run["run_id"], dict(state="failed"), run)
            if ended["state"] in ACTIVE:
                text = "was cancelled, and ends once its teardown is done, which Airflow plays first: play the task again then"
                raise AirflowError(f"{called(context.options, run)} {text}", changed=True, dag_run=shown(ended))
        runs.delete(run["run_id"])
    return dict(changed=True, dag_run=None, diff=dict(before=_told(run), after={}))


def _told(run: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What this module can change of a run."""
    return {name: run[name] for name in ("dag_id", "run_id", "state", "note")}


def _result(before: Mapping[str, t.Any], planned: Mapping[str, t.Any], changed: bool, now: Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    return dict(changed=changed, dag_run=shown(now or planned), diff=dict(before=_told(before), after=_told(planned)))


DAG_RUN_STATE = Action(
    name="dag_run",
    argument_spec=dict(
        dag_id=dict(type="str", required=True),
        run_id=dict(type="str", required=True),
        state=dict(type="str", choices=list(WISHES), default="present"),
        note=dict(type="str"),
    ),
    perform=dag_run,
    over_rest="DAG runs are changed",
)
