# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at runs. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import judge_date
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import ACTIVE, ENDED, shown
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


FILTERS = ("logical_date", "state", "since", "newest")


def dag_run_info(context: Context) -> dict[str, t.Any]:
    options = context.options
    _judge(options)
    runs = context.open(DAG_RUN, dict(dag_id=options["dag_id"]))
    try:
        if options["run_id"] is not None:
            run = runs.read(options["run_id"])
            found = [] if run is None else [run]
        else:
            found = runs.find(**{name: options[name] for name in FILTERS if options[name] is not None})
        if not found and options["dag_id"] and context.open(DAG, {}).read(options["dag_id"]) is None:  # nothing of an unknown DAG is a wrong dag_id
            raise ApiError("it is not known", 404, body={})
    except ApiError as exc:
        raise (why_no_run(context, exc) if options["dag_id"] else exc) from None
    return dict(changed=False, dag_runs=[shown(run) for run in found])


def _judge(options: Mapping[str, t.Any]) -> None:
    if options["newest"] is not None and options["newest"] < 1:
        raise AirflowError(f"newest is a number of runs, it cannot be {options['newest']}")
    for name in ("logical_date", "since"):
        judge_date(options, name)


DAG_RUN_INFO = Action(
    name="dag_run_info",
    argument_spec=dict(
        dag_id=dict(type="str"),
        run_id=dict(type="str"),
        logical_date=dict(type="str"),
        state=dict(type="list", elements="str", choices=[*ACTIVE, *ENDED]),
        since=dict(type="str"),
        newest=dict(type="int"),
    ),
    required=dict(mutually_exclusive=[("run_id", name) for name in FILTERS], required_by=dict(run_id="dag_id")),
    perform=dag_run_info,
    over_rest="DAG runs are looked at",
)
