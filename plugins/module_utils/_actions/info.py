# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Airflow is, and how it feels. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.health import HEALTH
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Until, judge_seconds, watch

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

NO_MODULES = ("health", "import_error", "dag_details", "dag_warning", "cleared_tasks", "task_instance", "task_log", "xcom")  # rows that others use
MUST_BE_HEALTHY = ("metadatabase", "scheduler")


def info(context: Context) -> dict[str, t.Any]:
    options = context.options
    if not options["wait_until_healthy"]:
        return dict(changed=False, airflow=_look(context))
    judge_seconds(options, "wait_timeout", "poll_interval")
    if options["client"] != "rest":
        raise AirflowError("Health is asked through the REST API only: leave out client=python")

    def look() -> dict[str, t.Any]:
        try:
            airflow = _look(context)
        except AirflowError as exc:  # it is still starting, perhaps
            return dict(state=f"not there ({exc})")
        ill = [f"{name} {airflow['health'][name]}" for name in MUST_BE_HEALTHY if airflow["health"][name] != "healthy"]
        return dict(state=f"not healthy ({', '.join(ill)})" if ill else "healthy", airflow=airflow)

    what = Until(f"Airflow at {options['api_url']}", "state", ("healthy",))
    return dict(changed=False, airflow=watch(look, what, options["wait_timeout"], options["poll_interval"], context.tell)["airflow"])


def _look(context: Context) -> dict[str, t.Any]:
    connection = context.connection
    by_rest = context.options["client"] == "rest"
    return dict(
        version=connection.known_version(),
        title=connection.dialect.title,
        api_version=connection.dialect.name if by_rest else None,
        kinds=sorted(kind for kind in connection.dialect.rows if kind not in NO_MODULES),
        health=context.open(HEALTH, {}).read("") if by_rest else None,
        auth_manager=connection.auth_manager(),
        database=connection.told.get("database"),
    )


INFO = Action(
    name="info",
    argument_spec=dict(
        wait_until_healthy=dict(type="bool", default=False),
        wait_timeout=dict(type="float", default=300.0),
        poll_interval=dict(type="float", default=5.0),
    ),
    perform=info,
)
