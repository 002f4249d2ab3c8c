# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DAG runs."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource, as_instant

DAG_RUN = Resource(
    kind="dag_run",
    key="run_id",
    parents=dict(dag_id=dict(type="str", required=True)),
    fields=dict(
        run_id=Field(dict(type="str")),
        conf=Field(dict(type="dict")),
        logical_date=Field(dict(type="str"), same=as_instant),
        data_interval_start=Field(dict(type="str"), same=as_instant),
        data_interval_end=Field(dict(type="str"), same=as_instant),
        run_after=Field(dict(type="str"), same=as_instant),
        partition_key=Field(dict(type="str", no_log=False)),
        note=Field(dict(type="str"), same=lambda one, other: (one or "") == (other or ""), describes=True),
    ),
    told=("dag_id", "state", "run_type", "queued_at", "start_date", "end_date", "url"),
)
