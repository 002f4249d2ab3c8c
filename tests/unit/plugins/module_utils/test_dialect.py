# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Dialect, in_path
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.experimental import EXPERIMENTAL
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.registry import NEWEST_FIRST
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v1 import V1
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v2 import V2
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.pool import POOL
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import XCOM


class Session:
    url = "http://x"

    def __init__(self):
        self.calls = []

    def call(self, method, path, json=None, params=None, allow=()):
        self.calls.append((method, path, json, params))
        return dict(name="p", pool="p", slots=3, include_deferred=True)


@pytest.mark.parametrize(("name", "encoded"), [("a b", "a%20b"), ("a/b", "a%2Fb"), ("ü", "%C3%BC"), ("a?b#c&d+e", "a%3Fb%23c%26d%2Be"), ("a.b", "a.b")])
def test_path_is_encoded(name, encoded):
    assert in_path(name) == encoded


@pytest.mark.parametrize("name", ["", ".", "..", "/a"])
def test_path_that_a_server_would_misread_is_refused(name):
    with pytest.raises(AirflowError, match="cannot be part of an address"):
        in_path(name)


@pytest.mark.parametrize(
    ("dialect", "call"),
    [
        (V2, ("PATCH", "/api/v2/pools/p", dict(pool="p", slots=5, include_deferred=False), dict(update_mask=["slots"]))),
        (V1, ("PATCH", "/api/v1/pools/p", dict(slots=5), dict(update_mask="slots"))),
        (EXPERIMENTAL, ("POST", "/api/experimental/pools", dict(name="p", slots=5, description=""), None)),
    ],
)
def test_the_same_patch_in_each_dialect(dialect, call):
    session = Session()
    dialect.open(session, "pool", POOL.keys, {}, None).update("p", dict(slots=5), dict(name="p", slots=3, description=None, include_deferred=False))
    method, path, json, params = session.calls[0]
    if dialect is EXPERIMENTAL:
        json.pop("include_deferred")  # never asked of a 1.10, which does not tell it
    assert (method, path, json, params) == call


@pytest.mark.parametrize("dialect", NEWEST_FIRST)
def test_a_missing_row_is_the_message(dialect: Dialect):
    with pytest.raises(Unsupported, match=f"{dialect.title} has no moons that this collection can manage through the REST API: use client=python"):
        dialect.open(None, "moon", (), {}, None)


@pytest.mark.parametrize(
    ("dialect", "body", "version"),
    [
        (V2, dict(version="3.3.2", git_version=None), "3.3.2"),
        (V2, dict(version="2.11.2"), None),
        (V2, "<html>log in</html>", None),
        (V2, dict(version=3), None),
        (V1, dict(version="2.11.2"), "2.11.2"),
        (V1, dict(detail="moved"), None),
        (EXPERIMENTAL, dict(metadatabase=dict(status="healthy"), scheduler=dict(status="healthy")), "1.10"),
        (EXPERIMENTAL, dict(status="UP"), None),
        (EXPERIMENTAL, [], None),
    ],
)
def test_only_the_right_shape_is_recognised(dialect, body, version):
    assert dialect.recognise(body) == version


class Pages:
    """A list of runs as a server gives it, so many at once and no more."""

    url = "http://x"

    def __init__(self, number, most, begun=0):
        self.number, self.most, self.begun, self.calls = number, most, begun, []

    def call(self, method, path, json=None, params=None, allow=()):
        self.calls.append((path, params))
        last = min(self.number, params["offset"] + min(self.most, params["limit"]))
        started = ["2026-11-25T00:00:00Z" if number >= self.begun else None for number in range(last)]
        runs = [dict(dag_run_id=f"r{number}", dag_id="d", state="success", start_date=started[number]) for number in range(params["offset"], last)]
        return dict(dag_runs=runs, total_entries=self.number)


@pytest.mark.parametrize(("newest", "limits"), [(None, [100, 100, 100]), (120, [100, 70]), (3, [3]), (1000, [100, 100, 100])])
@pytest.mark.parametrize("dialect", [V1, V2])
def test_all_pages_or_so_many(dialect, newest, limits):
    session = Pages(130, most=50)
    found = dialect.open(session, "dag_run", DAG_RUN.keys, dict(dag_id=None), None).find(newest=newest, state=["success"])
    assert [run["run_id"] for run in found] == [f"r{number}" for number in range(min(newest or 130, 130))]
    assert {run["dag_id"] for run in found} == {"d"}
    assert {path for path, _params in session.calls} == {f"{dialect.root}/dags/~/dagRuns"}
    assert [params["limit"] for _path, params in session.calls][: len(limits)] == limits
    assert {params.get("order_by") for _path, params in session.calls} == {None if newest is None else "-id"}


@pytest.mark.parametrize(("newest", "found"), [(None, range(60, 130)), (20, range(60, 80)), (100, range(60, 130))])
def test_what_has_not_begun_is_not_later_than_anything(newest, found):
    """Airflow 3 counts a run without a start as one that has started since any moment."""
    session = Pages(130, most=50, begun=60)
    runs = V2.open(session, "dag_run", DAG_RUN.keys, dict(dag_id="d"), None).find(newest=newest, since="2026-11-24T00:00:00Z")
    assert [run["run_id"] for run in runs] == [f"r{number}" for number in found]


@pytest.mark.parametrize("dialect", [V1, V2])
def test_what_stands_in_a_note_spoils_no_address(dialect):
    run = dict(dag_run_id="a b", dag_id="d", note="/etc is full", partition_key="..")
    session = SimpleNamespace(url="http://x", call=lambda *words, **more: run)
    found = dialect.open(session, "dag_run", DAG_RUN.keys, dict(dag_id="d"), None).read("a b")
    assert found["note"] == "/etc is full"
    assert found["url"].endswith("a%20b")


@pytest.mark.parametrize(
    ("map_index", "version", "query"),
    [({}, "2.5.0", None), (dict(map_index=3), "2.7.0", dict(map_index="3")), (dict(map_index=3), None, dict(map_index="3", stringify="false"))],
)
def test_a_read_asks_with_what_this_version_knows(map_index, version, query):
    asked = []
    session = SimpleNamespace(url="http://x", call=lambda *words, params, **more: asked.append(params))
    V1.open(session, "xcom", XCOM.keys, dict(dag_id="d", run_id="r", task_id="t", **map_index), version).read("k")
    assert asked == [query]


def test_a_row_that_knows_no_anywhere_wants_its_scope():
    with pytest.raises(Unsupported, match=r"^Airflow 1.10 cannot be asked for those of all at once: give dag_id$"):
        EXPERIMENTAL.open(None, "dag_run", DAG_RUN.keys, dict(dag_id=None), None)
