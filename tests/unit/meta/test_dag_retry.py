# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that DAGs import names attempts as the modules do."""

from __future__ import annotations

import pathlib
import runpy

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions import identity

FILE = runpy.run_path(str(pathlib.Path(__file__).parents[3] / "roles/airflow_dag_retry/files/airflow_dag_retry.py"))
FIRST = ("x", "scheduled__2026-11-25T00:00:00+00:00", "retry__", "retry__x__0", "retry__x__02", "a__2", *("x" * length for length in range(235, 251)))


@pytest.mark.parametrize("first", FIRST)
def test_attempts_have_the_same_ids(first):
    for number in (2, 3, 10, 100):
        run_id = FILE["attempt_id"](first, number)
        assert run_id == identity.attempt_id(first, number)
        assert len(run_id) <= identity.LONGEST_RUN_ID
        assert FILE["first_and_number"](run_id) == identity.first_and_number(run_id)
    assert FILE["first_and_number"](first) == identity.first_and_number(first)
