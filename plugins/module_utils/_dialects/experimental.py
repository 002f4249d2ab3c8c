# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Airflow 1.10, ``/api/experimental``: no OpenAPI document; the recordings of a real 1.10.15 judge it."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import HEALTH, Dialect, Endpoint, Rules, Store
from ansible_collections.dagops.airflow.plugins.module_utils._errors import ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import as_instant, instant

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _recognise(body: t.Any) -> str | None:
    known = isinstance(body, dict) and isinstance(body.get("metadatabase"), dict) and isinstance(body.get("scheduler"), dict)
    return "1.10" if known else None


class Upsert(Store):
    """POST creates and overwrites, and wants everything; there is no PATCH."""

    def update(self, key: str, patch: Mapping[str, t.Any], current: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return self.create({**{name: value for name, value in current.items() if value is not None}, **patch})


class DatedRuns(Store):
    """A run can be asked for by its date only: the id is looked up in the list of all runs, once."""

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self._seen: dict[str, dict[str, t.Any]] = {}

    def read(self, key: str) -> dict[str, t.Any] | None:
        if key in self._seen:
            known = self._seen[key]
            body = self._session.call("GET", self._item(known["logical_date"]), allow=self._row.missing)
            return None if body is None else {**known, "state": body["state"]}
        for run in self.find():
            if run["run_id"] == key:
                self._seen[key] = run
                return run
        return None

    def find(
        self,
        newest: int | None = None,
        logical_date: str | None = None,
        state: t.Collection[str] = (),
        since: str | None = None,
        ended_since: str | None = None,  # it does not tell when a run ended: all of them
    ) -> list[dict[str, t.Any]]:
        bodies = _or_404(lambda: self._session.call("GET", self._path), 400)
        if not isinstance(bodies, list):
            raise self._foreign(self._path)
        if newest is not None:
            bodies = sorted(bodies, key=lambda body: body["id"], reverse=True)
        runs = [dict(self._decode(body), url=self._session.url + _page(body["dag_run_url"])) for body in bodies]
        runs = [run for run in runs if not state or run["state"] in state]
        runs = [run for run in runs if since is None or (run["start_date"] and instant(run["start_date"]) >= instant(since))]
        return [run for run in runs if logical_date is None or as_instant(run["logical_date"], logical_date)][:newest]

    def create(self, values: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return _or_404(lambda: super(DatedRuns, self).create(values), 500, "not found in serialized_dag table")


def _page(path: str) -> str:
    """Without the path below which the server believes to live: api_url has it, or what stands for it at a proxy."""
    found = re.search(r"(/admin/airflow)?/graph\?.*", path)
    return found.group() if found else path


def _or_404(deed: Callable[[], t.Any], status: int, text: str = "") -> t.Any:
    """1.10 has words of its own for a DAG that it does not know (400 to a list of runs), or that it cannot run (a page of 500)."""
    try:
        return deed()
    except ApiError as exc:
        if exc.status != status or text not in str(exc):
            raise
        details = {name: value for name, value in exc.details.items() if name not in ("status", "body")}
        raise ApiError(str(exc), 404, body=dict(error=exc.details["body"]), **details) from None


class PausedByPath(Store):
    """A GET that writes; it answers with a mere "ok". Of a DAG nothing else is told, and of an unknown one a page of 500."""

    def read(self, key: str) -> dict[str, t.Any] | None:
        try:
            return dict(super().read(key), dag_id=key)
        except ApiError as exc:
            if exc.status != 500 or "has no attribute 'is_paused'" not in str(exc):
                raise
            return None

    def update(self, key: str, patch: Mapping[str, t.Any], current: Mapping[str, t.Any]) -> dict[str, t.Any]:
        self._session.call("GET", f"{self._item(key)}/{str(patch['is_paused']).lower()}")
        return {**current, **patch}


EXPERIMENTAL = Dialect(
    name="experimental",
    title="Airflow 1.10",
    root="/api/experimental",
    probe="/health",
    recognise=_recognise,
    by_password="basic",
    error_key="error",
    hints={
        401: "it wants credentials: set api_username and api_password",
        403: "no API user has this name and password: users of the REST API are not those of the web interface, see airflow_api_user",
    },
    rows=dict(
        pool=Endpoint(
            "/api/experimental/pools",
            key="name",
            reads=dict(name="pool"),
            always=dict(description=""),
            store=Upsert,
            rules=Rules(needs=("slots",), lacks=dict(include_deferred="it came with Airflow 2.7")),
        ),
        health=Endpoint("/health", item="", verbs=("read",), codecs=HEALTH),
        dag=Endpoint("/api/experimental/dags", item="/{}/paused", verbs=("read", "update"), missing=(), store=PausedByPath),
        dag_run=Endpoint(
            "/api/experimental/dags/{dag_id}/dag_runs",
            verbs=("read", "create"),
            key="run_id",
            wire=dict(logical_date="execution_date"),
            always=dict(replace_microseconds="false"),  # else two runs of one second collide
            taken=(400, 409),
            unsaid=(500,),
            store=DatedRuns,
            rules=Rules(
                lacks=dict(
                    note="notes came with Airflow 2.5",
                    run_after="it came with Airflow 3",
                    partition_key="it came with Airflow 3.2",
                    data_interval_start="it came with Airflow 2.2",
                    data_interval_end="it came with Airflow 2.2",
                )
            ),
        ),
    ),
)
