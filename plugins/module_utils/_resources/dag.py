# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DAGs, as far as a trigger must know them."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource

DAG = Resource(
    kind="dag",
    key="dag_id",
    fields=dict(
        dag_id=Field(dict(type="str", required=True)),
        is_paused=Field(dict(type="bool")),
    ),
    told=("is_stale", "has_import_errors", "fileloc"),
)

# Errors of the files that DAGs are in.
IMPORT_ERROR = Resource(kind="import_error", key="import_error_id", fields={}, told=("import_error_id", "filename", "stack_trace"))
