# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of a run, what they wrote and what they left."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Resource

OF_A_RUN: dict[str, dict[str, t.Any]] = dict(dag_id=dict(type="str", required=True), run_id=dict(type="str", required=True))
OF_A_TASK = dict(OF_A_RUN, task_id=dict(type="str", required=True), map_index=dict(type="int"))
NOT_MAPPED = -1  # the map_index of a task that is not mapped

TASK_INSTANCE = Resource(
    kind="task_instance", key="task_id", parents=OF_A_RUN, fields={}, told=("task_id", "map_index", "try_number", "state", "start_date", "end_date")
)
TASK_LOG = Resource(kind="task_log", key="try_number", parents=OF_A_TASK, fields={}, told=("content",))
XCOM = Resource(kind="xcom", key="key", parents=OF_A_TASK, fields={}, told=("value",))
