#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_run
short_description: Cancel, clear, mark, note or delete a DAG run of Airflow that is there
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Makes a run that is there what it shall be, through the REST API of Airflow 2.x or 3.x. It never starts one, see M(dagops.airflow.airflow_dag_trigger).
  - Airflow 1.10 can only start runs and look at them through its REST API. There this module can tell whether a run is there; what would
    have to be changed is refused.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  async:
    support: full
options:
  dag_id:
    description: Which DAG.
    type: str
    required: true
  run_id:
    description: Which run.
    type: str
    required: true
  state:
    description:
      - V(present) leaves its state alone. A run that is not there fails the task, except with V(absent).
      - V(cancelled) ends a run that is queued or running, which is then a failed one. A run that has ended is left alone.
      - V(cleared) has the failed tasks of a failed run done again, in the same run. A run that is queued, is running or has succeeded is left alone.
        If it has failed again when the task is played again, it is cleared again.
      - V(failed) and V(success) mark the run so, whatever it was. What of it still runs is ended.
      - V(absent) deletes the run with its history. One that is queued or running is cancelled before, on every Airflow.
    type: str
    choices: [present, cancelled, cleared, failed, success, absent]
    default: present
  note:
    description:
      - A note for the people who look at the run, at most 1000 characters. An empty text clears it. If it is not given, the note is left alone.
      - Airflow 1.10 has none, and goes without.
    type: str
seealso:
  - module: dagops.airflow.airflow_dag_trigger
  - module: dagops.airflow.airflow_dag_run_info
  - module: dagops.airflow.airflow_dag_run_wait
"""

EXAMPLES = r"""
- name: A run for the examples
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    run_id: stock_taking

- name: Stop it, if it still runs, and say why
  dagops.airflow.airflow_dag_run:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    run_id: stock_taking
    state: cancelled
    note: The warehouse is closed

- name: Let it count as done after all
  dagops.airflow.airflow_dag_run:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    run_id: stock_taking
    state: success

- name: No such run
  dagops.airflow.airflow_dag_run:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    run_id: stock_taking
    state: absent
"""

RETURN = r"""
dag_run:
  description:
    - The run as it now is, or would be in check mode, as M(dagops.airflow.airflow_dag_trigger) returns it. Null where it is absent.
  returned: success
  type: dict
  sample:
    dag_id: load_sales
    run_id: stock_taking
    state: failed
    note: The warehouse is closed
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run import DAG_RUN_STATE
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_RUN_STATE)


if __name__ == "__main__":
    main()
