# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DAGs, and what Airflow tells of them."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource

DAG = Resource(
    kind="dag",
    key="dag_id",
    fields=dict(
        dag_id=Field(dict(type="str", required=True)),
        is_paused=Field(dict(type="bool")),
    ),
    told=("is_stale", "has_import_errors", "fileloc", "description", "owners", "tags", "timetable_description", "next_run_after", "next_logical_date"),
)
DAG_DETAILS = Resource(kind="dag_details", key="", parents=dict(dag_id=dict(type="str", required=True)), fields={}, told=("params",))
DAG_WARNING = Resource(kind="dag_warning", key="", fields={}, told=("dag_id", "warning_type", "message"))

# Errors of the files that DAGs are in.
IMPORT_ERROR = Resource(kind="import_error", key="import_error_id", fields={}, told=("import_error_id", "filename", "stack_trace"))
