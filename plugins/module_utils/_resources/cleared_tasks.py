# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of a run that are to be done again."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource

CLEARED_TASKS = Resource(
    kind="cleared_tasks",
    key="run_id",
    parents=dict(dag_id=dict(type="str", required=True)),
    fields=dict(run_id=Field(dict(type="str"))),
    told=("task_instances",),
)
