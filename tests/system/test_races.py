# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several controllers at once for the same runs: each run is there once, and exactly one of them says that it has made it.

TRIGGERS as in test_faults.py. On PostgreSQL eight at once; SQLite takes one writer at a time, so there it is two.
"""

from __future__ import annotations

import collections
import concurrent.futures
import uuid

import pytest

from . import control, postgres
from .proxy import Proxy
from .test_faults import DAG, PATIENT, TRIGGERS, Weather, runs_of

RUNS = max(5, TRIGGERS // 6)
FULL = TRIGGERS >= 300


def race(controllers, rest, url, prefix, folder, **patience):
    """What each controller's loop told of each run."""
    options = {**rest, "api_url": url, "dag_id": DAG, "run_id": "{{ item }}", "conf": {"of": "{{ item }}"}, **patience}
    task = {"name": "Loop", "dagops.airflow.airflow_dag_trigger": options, "loop": [f"{prefix}{number}" for number in range(RUNS)], "ignore_errors": True}

    def one(number):
        place = folder / f"{prefix}{number}"
        place.mkdir()
        return control.run(place, [task], timeout=1800)

    with concurrent.futures.ThreadPoolExecutor(controllers) as pool:
        return [told for done in pool.map(one, range(controllers)) for told in done.of("Loop")["results"]]


def judge(told, prefix, there, proxy):
    failed = [one for one in told if one.get("failed")]
    assert failed == [], failed[:3]
    claimed = collections.Counter(one["dag_run"]["run_id"] for one in told if one["changed"])
    print(f"{len(told)} triggers of {RUNS} runs, {len(proxy.seen)} requests: {len(there)} made, faults {sum(proxy.faults.values())}")
    assert sorted(there) == sorted(f"{prefix}{number}" for number in range(RUNS))
    assert claimed == dict.fromkeys(there, 1)


def test_two_controllers_on_sqlite(server, address, tmp_path):
    prefix = f"race_{uuid.uuid4().hex[:8]}_"
    with Proxy(address) as proxy:
        told = race(2, server["rest"], proxy.url, prefix, tmp_path)
    judge(told, prefix, list(runs_of(server, prefix).elements()), proxy)


@pytest.mark.parametrize("name", [name for name in control.SERVERS if name in ("airflow_2_11", "airflow_3_fab") or (FULL and name == "airflow_1_10")])
def test_eight_controllers_on_postgresql(name, tmp_path):
    with postgres.database() as database, postgres.airflow(name, tmp_path, database) as rest:
        address = rest["api_url"].partition("://")[2]
        for share in (0, 0.45):  # and with the network breaking on top
            prefix = f"race_{uuid.uuid4().hex[:8]}_"
            with Proxy(address, Weather(share)) as proxy:
                told = race(8, rest, proxy.url, prefix, tmp_path, **(dict(PATIENT, api_retries=30) if share else {}))
            judge(told, prefix, postgres.rows(database, f"select run_id from dag_run where run_id like '{prefix}%'"), proxy)
