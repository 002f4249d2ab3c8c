# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that DAGs import, under the Python and with the packages of each Airflow."""

from __future__ import annotations

import subprocess

from . import control

FILE = control.ROOT / "roles/airflow_dag_retry/files/airflow_dag_retry.py"


def test_units_under_airflows_own_python(server, tmp_path):
    command = [f"{server['venv']}/bin/python", "-W", "ignore", str(control.HERE / "dag_retry_units.py"), str(FILE)]
    done = subprocess.run(command, env=control.surroundings(AIRFLOW_HOME=str(tmp_path)), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
