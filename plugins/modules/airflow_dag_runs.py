#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_runs
short_description: Start many DAG runs of Airflow, each once
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Starts a list of DAG runs through the REST API of Airflow 1.10, 2.x or 3.x, with one log-in. Each of them is what M(dagops.airflow.airflow_dag_trigger)
    makes of the same options.
  - The whole list is judged before anything is sent. A run that fails does not keep the others from being started; the task then fails at its end.
  - Played again, after it was killed in the middle or after some have failed, the task starts the rest.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.wait
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
    details: Says which runs would be started.
  diff_mode:
    support: none
  async:
    support: full
options:
  runs:
    description: The runs. No two of them may be one and the same.
    type: list
    elements: dict
    required: true
    suboptions:
      dag_id:
        description: Which DAG. See O(dagops.airflow.airflow_dag_trigger#module:dag_id).
        type: str
        required: true
      conf:
        description: Its configuration, a mapping. See O(dagops.airflow.airflow_dag_trigger#module:conf).
        type: dict
      run_id:
        description: Name of the run. See O(dagops.airflow.airflow_dag_trigger#module:run_id).
        type: str
      run_key:
        description: Any text that says which of many equal runs is meant. See O(dagops.airflow.airflow_dag_trigger#module:run_key).
        type: str
      logical_date:
        description: The date that the run is for. It names the run. See O(dagops.airflow.airflow_dag_trigger#module:logical_date).
        type: str
      data_interval_start:
        description: Start of the data that the run is for. See O(dagops.airflow.airflow_dag_trigger#module:data_interval_start).
        type: str
      data_interval_end:
        description: End of the data that the run is for. See O(dagops.airflow.airflow_dag_trigger#module:data_interval_end).
        type: str
      run_after:
        description: The earliest moment at which a new run may start. See O(dagops.airflow.airflow_dag_trigger#module:run_after).
        type: str
      partition_key:
        description: Which partition it is for. See O(dagops.airflow.airflow_dag_trigger#module:partition_key).
        type: str
      force:
        description: Start another run in any case. See O(dagops.airflow.airflow_dag_trigger#module:force).
        type: bool
        default: false
      note:
        description: A note for the people who look at a new run. See O(dagops.airflow.airflow_dag_trigger#module:note).
        type: str
      if_failed:
        description: What to do with a run that was there already and has failed. See O(dagops.airflow.airflow_dag_trigger#module:if_failed).
        type: str
        choices: [fail, clear, rerun]
        default: fail
      max_attempts:
        description: How many attempts there are at most. See O(dagops.airflow.airflow_dag_trigger#module:max_attempts).
        type: int
        default: 2
      unpause:
        description: Whether to unpause the DAG where it is paused. See O(dagops.airflow.airflow_dag_trigger#module:unpause).
        type: bool
        default: false
      wait_for_dag:
        description: Seconds to wait for a DAG that was just deployed. See O(dagops.airflow.airflow_dag_trigger#module:wait_for_dag).
        type: float
        default: 0
  max_parallel:
    description:
      - How many runs are started at once.
      - One at a time is what an Airflow on SQLite can take. For 200 runs, Airflow 3.3 there needed ten times as long with V(2), and some runs failed with V(4).
        On PostgreSQL it needed two thirds of the time with V(4). Airflow 1.10 and 2 gained little or nothing (C(make benchmark ARGS='3 parallel')).
    type: int
    default: 1
  wait:
    description: Whether to wait for the end of all of them, when all have started. O(wait_timeout) holds for them together.
    type: bool
    default: false
seealso:
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: The sales of three shops
  dagops.airflow.airflow_dag_runs:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    runs:
      - dag_id: load_sales
        conf: {shop: north}
        run_key: "2026-11-25"
      - dag_id: load_sales
        conf: {shop: south}
        run_key: "2026-11-25"
      - dag_id: load_sales
        conf: {shop: west}
        run_key: "2026-11-25"
"""

RETURN = r"""
dag_runs:
  description: What became of each run, in the order of O(runs).
  returned: success and failure, unless the options are wrong
  type: list
  elements: dict
  contains:
    dag_id:
      description: The DAG.
      type: str
    changed:
      description: Whether this task has started the run.
      type: bool
    failed:
      description: That it failed. Not there otherwise.
      type: bool
    msg:
      description: Why it failed. Not there otherwise.
      type: str
    found:
      description: Whether the run was there already.
      type: bool
    attempt:
      description: Which attempt the run is.
      type: int
    dag_run:
      description: The run, as M(dagops.airflow.airflow_dag_trigger) returns it.
      type: dict
    run_url:
      description: The run's page in Airflow's web interface, where it is known.
      type: str
    duration:
      description: Seconds from the run's start to its end, where both are known.
      type: float
    failed_tasks:
      description: As M(dagops.airflow.airflow_dag_trigger) returns them.
      type: list
      elements: dict
    xcom:
      description: What tasks left, as O(xcom) asks for it; of a mapped task a list.
      type: dict
    timed_out:
      description: That O(wait_timeout) was over before the run's end.
      type: bool
    cancelled:
      description: That the run was cancelled, see O(on_timeout).
      type: bool
    import_error:
      description: The traceback of the DAG's file, where that is why no run was started.
      type: str
    warnings:
      description: What this run is warned of.
      type: list
      elements: str
  sample:
    - dag_id: load_sales
      changed: true
      found: false
      attempt: 1
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

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_runs import DAG_RUNS
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_RUNS)


if __name__ == "__main__":
    main()
