#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_run_info
short_description: Look at DAG runs of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Tells of the runs of a DAG, or of all DAGs, through the REST API of Airflow 1.10, 2.x or 3.x. What is asked for by several options is what fits all of them.
  - All pages of a long list are read, see O(newest).
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  async:
    support: full
options:
  dag_id:
    description: Which DAG. One that is not there fails the task. By default all of them, which Airflow 1.10 does not know.
    type: str
  run_id:
    description: One run by its name. A run that is not there is an empty list, not a failure. It needs O(dag_id), and excludes the other options.
    type: str
  logical_date:
    description: The run of this date, with its time zone (ISO 8601), such as V(2026-11-25T00:00:00+00:00).
    type: str
  state:
    description: Runs in one of these states.
    type: list
    elements: str
    choices: [queued, running, success, failed]
  since:
    description: Runs that have started at this moment or later (ISO 8601, with its time zone). A run that has not started yet is none of them.
    type: str
  newest:
    description: So many runs at most, those that were made last, and the last one first.
    type: int
seealso:
  - module: dagops.airflow.airflow_dag_run
  - module: dagops.airflow.airflow_dag_run_wait
"""

EXAMPLES = r"""
- name: The last ten failures
  dagops.airflow.airflow_dag_run_info:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    state: [failed]
    newest: 10
  register: failures

- name: What has run since midnight?
  dagops.airflow.airflow_dag_run_info:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    since: "2026-11-25T00:00:00+00:00"
"""

RETURN = r"""
dag_runs:
  description: The runs, each as M(dagops.airflow.airflow_dag_trigger) returns it. Each key is there on every Airflow, and null where this one does not tell.
  returned: success
  type: list
  elements: dict
  sample:
    - dag_id: load_sales
      run_id: stock_taking
      state: success
      duration: 12.5
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run_info import DAG_RUN_INFO
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_RUN_INFO)


if __name__ == "__main__":
    main()
