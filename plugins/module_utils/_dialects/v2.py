# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Airflow 3, ``/api/v2``. Judge of every row: Airflow's own OpenAPI document (tests/unit/meta/test_contract.py)."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import EXTRA, HEALTH, LOG_QUERY, PARAMS, TAGS, Codec, Dialect, Endpoint, Rules, Store


def _recognise(body: t.Any) -> str | None:
    version = body.get("version") if isinstance(body, dict) else None
    return version if isinstance(version, str) and version.startswith("3.") else None


class EventLog(Store):
    """A log is a list of events, of each try and each index of a mapped task."""

    def read(self, key: str) -> dict[str, t.Any] | None:
        body = self._session.call("GET", self._item(key), params=self._query, allow=self._row.missing)
        events = body.get("content") if isinstance(body, dict) else None
        return None if events is None else dict(content=[line for event in events for line in _lines(event)])


def _lines(event: t.Any) -> list[str]:
    if not isinstance(event, dict):  # before 3.0 had structured logs, and of handlers that have none
        return str(event).splitlines()
    errors = [f"{error.get('exc_type')}: {error.get('exc_value')}" for error in event.get("error_detail") or ()]
    return [*str(event.get("event") or "").splitlines(), *errors]


V2 = Dialect(
    name="v2",
    title="Airflow 3",
    root="/api/v2",
    probe="/api/v2/version",
    recognise=_recognise,
    by_password="login",
    guards=("/auth/fab/v1/users", {401: "fab", 200: "simple"}),  # under the simple manager every such path is a page of the interface
    expired=((401, "Token Expired"), (403, "Invalid JWT token")),
    hints={
        401: "it wants credentials: set api_username and api_password, or api_token",
        # Airflow's FAB auth manager keeps a user with his roles for 30 s ([fab] cache_ttl), by his number.
        403: "the credentials are right, but their user may not do that: he needs another role, or, if he just got it, half a minute",
        (401, "Token Expired"): "api_token is over: get a new one, or give api_username and api_password",
        (403, "Invalid JWT token"): "api_token is none of this Airflow's, or was revoked: get a new one, or give api_username and api_password",
    },
    rows=dict(
        pool=Endpoint(
            "/api/v2/pools",
            key="name",
            patch_key="pool",
            whole=("slots", "include_deferred"),
            mask="repeated",
            rules=Rules(needs=("slots",)),
        ),
        variable=Endpoint(
            "/api/v2/variables",
            key="key",
            patch_key="key",
            whole=("value",),
            mask="repeated",
            plural="variables",
            rules=Rules(needs=("value",), retold=("value",), veils=("value",)),
        ),
        connection=Endpoint(
            "/api/v2/connections",
            key="connection_id",
            patch_key="connection_id",
            whole=("conn_type",),
            mask="repeated",
            codecs=EXTRA,
            masked=("password",),
            plural="connections",
            rules=Rules(needs=("conn_type",), veils=("extra",)),
        ),
        health=Endpoint("/api/v2/monitor/health", item="", verbs=("read",), codecs=HEALTH),
        dag=Endpoint(
            "/api/v2/dags",
            verbs=("read", "update", "delete"),
            mask="joined",
            reads=dict(next_run_after="next_dagrun_run_after", next_logical_date="next_dagrun_logical_date"),
            codecs=dict(tags=TAGS),
            plural="dags",
        ),
        dag_details=Endpoint("/api/v2/dags/{dag_id}/details", item="", verbs=("read",), codecs=dict(params=PARAMS)),
        dag_warning=Endpoint("/api/v2/dagWarnings", verbs=(), plural="dag_warnings", finds=dict(dag_id=("dag_id",))),
        import_error=Endpoint("/api/v2/importErrors", verbs=("read",), plural="import_errors"),
        cleared_tasks=Endpoint(
            "/api/v2/dags/{dag_id}/clearTaskInstances",
            verbs=("create",),
            key="dag_run_id",
            wire=dict(run_id="dag_run_id", tasks="task_ids"),
            codecs=dict(tasks=Codec(encode=lambda tasks: [[*task] if task[1] >= 0 else task[0] for task in tasks], decode=list)),  # of pairs
            always=dict(dry_run=False, only_failed=True, reset_dag_runs=True),
            rules=Rules(since=dict(map_index="3.2")),  # before its pull request 56346 an Airflow clears all instances of a mapped task together
        ),
        task_instance=Endpoint("/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", verbs=("read",), plural="task_instances"),
        task_log=Endpoint("/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs", verbs=("read",), query=LOG_QUERY, store=EventLog),
        xcom=Endpoint("/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries", verbs=("read",), query=dict(map_index="{map_index}")),
        dag_run=Endpoint(
            "/api/v2/dags/{dag_id}/dagRuns",
            key="dag_run_id",
            wire=dict(run_id="dag_run_id"),
            mask="repeated",
            always=dict(logical_date=None),
            nullable=("logical_date",),
            plural="dag_runs",
            finds=dict(logical_date=("logical_date_gte", "logical_date_lte"), state=("state",), since=("start_date_gte",), ended_since=("end_date_gte",)),
            begun=dict(since="start_date", ended_since="end_date"),
            newest="-id",
            anywhere="~",
            rules=Rules(since=dict(partition_key="3.2")),
            page="/dags/{dag_id}/runs/{run_id}",
        ),
    ),
)
