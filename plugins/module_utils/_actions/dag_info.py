# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at DAGs. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import of_file
from ansible_collections.dagops.airflow.plugins.module_utils._errors import Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG, DAG_DETAILS, DAG_WARNING, IMPORT_ERROR

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


def dag_info(context: Context) -> dict[str, t.Any]:
    options, dag_id = context.options, context.options["dag_id"]
    dags, tells = context.open(DAG, {}), context.connection.dialect.rows
    if dag_id is None and not tells[DAG.kind].plural:
        raise Unsupported(f"{dags.title} lists no DAGs through its REST API: give dag_id")
    found = dags.find() if dag_id is None else [one for one in [dags.read(dag_id)] if one]
    found = [one for one in found if options["paused"] in (None, one["is_paused"])]
    errors = context.open(IMPORT_ERROR, {}).find() if IMPORT_ERROR.kind in tells else None
    warnings = context.open(DAG_WARNING, {}).find(**({"dag_id": dag_id} if dag_id else {})) if DAG_WARNING.kind in tells else None
    details = context.open(DAG_DETAILS, dict(dag_id=dag_id)).read("") if found and dag_id and DAG_DETAILS.kind in tells else None
    return dict(
        changed=False,
        import_errors=errors and [{name: error[name] for name in ("filename", "stack_trace")} for error in errors],
        dags=[
            dict(
                {name: one[name] for name in DAG.keys},
                params=details and details["params"],
                import_error=(of_file(one["fileloc"], errors or []) or {}).get("stack_trace"),
                dag_warnings=warnings and [warning for warning in warnings if warning["dag_id"] == one["dag_id"]],
            )
            for one in found
        ],
    )


DAG_INFO = Action(
    name="dag_info",
    argument_spec=dict(dag_id=dict(type="str"), paused=dict(type="bool")),
    perform=dag_info,
    over_rest="DAGs are looked at",
)
