#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_run_wait
short_description: Wait for DAG runs of Airflow that are there already
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Waits for the end of a run, or of all runs of a DAG that have not ended, through the REST API of Airflow 1.10, 2.x or 3.x.
  - It never starts a run, and never cancels one. A run that has failed is a failed task.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.wait
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
    details: Looks once, and does not wait.
  diff_mode:
    support: none
  async:
    support: full
options:
  dag_id:
    description: Which DAG.
    type: str
    required: true
  run_id:
    description: Which run. By default all that are queued or running when the task begins; none is fine, too. O(xcom) needs it.
    type: str
  on_timeout:
    description: What to do when O(wait_timeout) is over before a run's end. V(fail) fails the task, V(return) ends it well, with RV(timed_out).
    type: str
    choices: [fail, return]
    default: fail
seealso:
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: Nothing is loaded any more
  dagops.airflow.airflow_dag_run_wait:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    wait_timeout: 600
"""

RETURN = r"""
dag_runs:
  description: The runs, each as M(dagops.airflow.airflow_dag_trigger) returns it, and its C(duration) in seconds.
  returned: success, and on failure where they are known
  type: list
  elements: dict
  sample:
    - dag_id: load_sales
      run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
      state: success
      duration: 12.5
failed_tasks:
  description: The tasks of failed runs that failed, as M(dagops.airflow.airflow_dag_trigger) returns them.
  returned: when a run has failed
  type: list
  elements: dict
  sample:
    - run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
      task_id: load
      map_index: -1
      try_number: 2
      state: failed
      reason: "ValueError: no sales on this day"
      log: ["ValueError: no sales on this day"]
xcom:
  description: What tasks left, by task and key, as O(xcom) asks for it; of a mapped task a list.
  returned: when it is asked for and the run has succeeded
  type: dict
  sample:
    load:
      return_value: 1234
timed_out:
  description: Whether O(wait_timeout) was over before a run's end, under O(on_timeout=return).
  returned: when it was
  type: bool
  sample: true
resume:
  description:
    - What the next slice of the wait needs, see O(resume). What it holds may change from release to release, but for the keys of C(seen),
      which are C(dag_id), C(run_id), C(state), C(url) and C(tasks) (how many of each state, and the names of the first ones).
  returned: when O(wait_slice) was over before the wait
  type: dict
  sample:
    elapsed: 15.0
    away: 0.0
    seen:
      dag_id: load_sales
      run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
      state: running
      tasks:
        success:
          count: 1
          tasks: [extract]
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run_wait import DAG_RUN_WAIT
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_RUN_WAIT)


if __name__ == "__main__":
    main()
