#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_trigger
short_description: Start a DAG run of Airflow, once
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Starts a run of a DAG through the REST API of Airflow 1.10, 2.x or 3.x, and can wait for its end.
  - The same task played twice gives one run. What makes two tasks the same is O(run_id) where it is given, else O(dag_id), O(conf) and O(run_key) together.
  - A run that is there already is found, not doubled, whether it still runs or has ended. If it has failed, the task fails.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
    details: Says whether a run would be started. Does not wait.
  diff_mode:
    support: none
  async:
    support: full
options:
  dag_id:
    description: Which DAG.
    type: str
    required: true
  conf:
    description: Its configuration, a mapping. None is the same as an empty one.
    type: dict
  run_id:
    description:
      - Name of the run. If there is a run of this name with another O(conf), the task fails, except on Airflow 1.10, whose REST API does not tell a run's conf.
      - At most 250 characters, of letters, digits and C(_.~:+-), and none of the beginnings that Airflow keeps for itself, such as C(scheduled__).
    type: str
  run_key:
    description:
      - Any text that says which of many equal runs is meant, such as a date, a commit, or the id of a pipeline.
      - Without it, and without O(run_id) and O(force), a DAG is run once ever with one and the same O(conf). A task that finds such a run at its end warns.
    type: str
  force:
    description: Start another run in any case.
    type: bool
    default: false
  note:
    description: A note for the people who look at the run. Airflow before 2.5 has none, and goes without.
    type: str
  wait:
    description: Whether to wait for the end of the run. A run that fails is then a failed task.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait; after that the task fails, and the run goes on.
    type: float
    default: 3600
  poll_interval:
    description: Seconds from one look at the run to the next. The first looks come sooner.
    type: float
    default: 10
  wait_for_dag:
    description: Seconds to wait for a DAG that was just deployed, until Airflow has read its file.
    type: float
    default: 0
seealso:
  - module: dagops.airflow.airflow_api_user
"""

EXAMPLES = r"""
- name: Load the sales of a day, once, and wait for the end
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    conf:
      day: "2026-11-25"
    run_key: nightly 2026-11-25
    wait: true

- name: Another run, in any case
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    conf:
      day: "2026-11-25"
    force: true
"""

RETURN = r"""
dag_run:
  description: The run. Each key is there on every Airflow, and null where this one does not tell. In check mode, what would be asked for.
  returned: success, and on failure where the run is known
  type: dict
  contains:
    dag_id:
      description: The DAG.
      type: str
    run_id:
      description: Name of the run.
      type: str
    conf:
      description: Its configuration. Null for a run that was found on Airflow 1.10.
      type: dict
    state:
      description: V(queued), V(running), V(success) or V(failed). Null for a new run on Airflow 1.10 that is not waited for.
      type: str
    run_type:
      description: How it came about, V(manual) for a trigger. Null on Airflow 1.10.
      type: str
    logical_date:
      description: The date that the run is for.
      type: str
    note:
      description: Its note. Null on Airflow 1.10.
      type: str
    queued_at:
      description: When it was made. Null on Airflow 1.10.
      type: str
    start_date:
      description: When it started.
      type: str
    end_date:
      description: When it ended. Null on Airflow 1.10.
      type: str
    data_interval_start:
      description: Start of the data that it is for. Null on Airflow 1.10.
      type: str
    data_interval_end:
      description: End of the data that it is for. Null on Airflow 1.10.
      type: str
    url:
      description: Its page in Airflow's web interface.
      type: str
  sample:
    dag_id: load_sales
    run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
    state: success
found:
  description: Whether the run was there already.
  returned: success
  type: bool
  sample: false
run_url:
  description:
    - The run's page in Airflow's web interface.
    - Null for a new run on Airflow 1.10 that is not waited for, and in check mode for a run that is not there.
  returned: success
  type: str
  sample: http://airflow.example.org:8080/dags/load_sales/runs/ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
timed_out:
  description: That O(wait_timeout) was over before the run's end.
  returned: when it was
  type: bool
  sample: true
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import TRIGGER
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(TRIGGER)


if __name__ == "__main__":
    main()
