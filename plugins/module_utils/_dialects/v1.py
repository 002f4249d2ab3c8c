# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Airflow 2, ``/api/v1``. Judge of every row: Airflow's own OpenAPI document (tests/unit/meta/test_contract.py)."""

from __future__ import annotations

import operator
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import EXTRA, HEALTH, LOG_QUERY, PARAMS, TAGS, Codec, Dialect, Endpoint, Rules, Store


def _recognise(body: t.Any) -> str | None:
    version = body.get("version") if isinstance(body, dict) else None
    return version if isinstance(version, str) and version.startswith("2.") else None


class TextLog(Store):
    """A log is a text, of each try and each index of a mapped task."""

    def read(self, key: str) -> dict[str, t.Any] | None:
        text = self._session.call("GET", self._item(key), params=self._query, allow=self._row.missing, accept=self._row.accept)
        return None if text is None else dict(content=str(text).splitlines())


class NotedRuns(Store):
    """A run's note has an address of its own."""

    def update(self, key: str, patch: t.Mapping[str, t.Any], current: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found, rest = dict(current), {name: value for name, value in patch.items() if name != "note"}
        if "note" in patch:
            found = self._decode(self._session.call("PATCH", f"{self._item(key)}/setNote", json=dict(note=patch["note"])), key)
        return super().update(key, rest, current) if rest else found


V1 = Dialect(
    name="v1",
    title="Airflow 2",
    root="/api/v1",
    probe="/api/v1/version",
    recognise=_recognise,
    by_password="basic",
    hints={
        401: "wrong api_username or api_password, or [api] auth_backends of this Airflow takes none",
        403: "wrong credentials (api_username and api_password, or api_token), or a user without any role: Airflow 2 answers all alike",
    },
    everybody="/api/v1/dags?limit=1",
    rows=dict(
        pool=Endpoint(
            "/api/v1/pools",
            key="name",
            mask="joined",
            rules=Rules(needs=("slots",), since=dict(include_deferred="2.7")),
        ),
        variable=Endpoint(
            "/api/v1/variables",
            key="key",
            patch_key="key",
            whole=("value",),
            mask="unused",  # it would call the value "val"
            plural="variables",
            rules=Rules(needs=("value",)),
        ),
        connection=Endpoint(
            "/api/v1/connections",
            key="connection_id",
            mask="unused",
            codecs=EXTRA,
            plural="connections",
            rules=Rules(needs=("conn_type",), veils=("extra",)),
        ),
        health=Endpoint("/api/v1/health", item="", verbs=("read",), codecs=HEALTH),
        dag=Endpoint(
            "/api/v1/dags",
            verbs=("read", "update", "delete"),
            mask="joined",
            reads=dict(is_stale="is_active", next_run_after="next_dagrun_create_after", next_logical_date="next_dagrun"),
            codecs=dict(is_stale=Codec(encode=operator.not_, decode=operator.not_), tags=TAGS),
            plural="dags",
        ),
        dag_details=Endpoint("/api/v1/dags/{dag_id}/details", item="", verbs=("read",), codecs=dict(params=PARAMS)),
        dag_warning=Endpoint("/api/v1/dagWarnings", verbs=(), plural="dag_warnings", finds=dict(dag_id=("dag_id",))),
        import_error=Endpoint("/api/v1/importErrors", verbs=("read",), plural="import_errors"),
        cleared_tasks=Endpoint(
            "/api/v1/dags/{dag_id}/clearTaskInstances",
            verbs=("create",),
            key="dag_run_id",
            wire=dict(run_id="dag_run_id", tasks="task_ids"),
            codecs=dict(tasks=Codec(encode=lambda tasks: sorted({task_id for task_id, _map_index in tasks}), decode=list)),  # of pairs: task_id, map_index
            always=dict(dry_run=False, only_failed=True, reset_dag_runs=True),
            rules=Rules(lacks=dict(map_index="it came with Airflow 3.2")),
        ),
        task_instance=Endpoint("/api/v1/dags/{dag_id}/dagRuns/{run_id}/taskInstances", verbs=("read",), plural="task_instances"),
        task_log=Endpoint(
            "/api/v1/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs", verbs=("read",), query=LOG_QUERY, accept="text/plain", store=TextLog
        ),
        xcom=Endpoint(
            "/api/v1/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries",
            verbs=("read",),
            query=dict(stringify="false", map_index="{map_index}"),
            query_since=dict(stringify="2.10", map_index="2.7"),
        ),
        dag_run=Endpoint(
            "/api/v1/dags/{dag_id}/dagRuns",
            key="dag_run_id",
            wire=dict(run_id="dag_run_id"),
            plural="dag_runs",
            finds=dict(logical_date=("execution_date_gte", "execution_date_lte"), state=("state",), since=("start_date_gte",), ended_since=("end_date_gte",)),
            newest="-id",
            anywhere="~",
            store=NotedRuns,
            rules=Rules(lacks=dict(run_after="it came with Airflow 3", partition_key="it came with Airflow 3.2")),
            page="/dags/{dag_id}/grid?dag_run_id={run_id}",
        ),
    ),
)
