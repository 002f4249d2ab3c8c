#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag
short_description: Pause a DAG of Airflow or set it going, wait until it is there, remove what is known of it
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Pauses and unpauses a DAG, waits for one that was just deployed, and removes what Airflow knows of one, through the REST API of
    Airflow 1.10 (which can pause and unpause), 2.x or 3.x.
  - A DAG itself is a file, which is deployed by other means.
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
  paused:
    description:
      - Whether it shall be paused. If it is not given, that is left alone.
      - To unpause a DAG sets its scheduled runs going. To pause one keeps runs from starting, and those that are running do not come to their ends
        before it is unpaused, for their next tasks are not started.
    type: bool
  wait_for_dag:
    description:
      - Seconds to wait until Airflow has read the file of a DAG that was just deployed, and can import it. With Airflow's own settings that may be
        five minutes, so V(360) is a good value.
      - When they are over the task fails, with the file's import error where there is one (Airflow 2 and 3).
      - In check mode nothing is waited for, and a DAG that is not there is taken for one that an earlier task would have deployed, with a warning.
    type: float
    default: 0
  state:
    description:
      - V(present) is a DAG that is there. One that is not fails the task.
      - V(absent) removes what Airflow knows of the DAG, with the history of its runs, not its file. As long as the file is there Airflow makes the DAG anew
        when it next reads the file, within seconds or minutes, so remove the file before. A DAG that has runs that are running is not removed. Airflow 2 and 3.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: dagops.airflow.airflow_dag_info
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: A DAG that was just deployed, set going once Airflow has it
  dagops.airflow.airflow_dag:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    wait_for_dag: 360
    paused: false
"""

RETURN = r"""
dag:
  description: The DAG as it now is, or would be in check mode. Null where it is absent.
  returned: success
  type: dict
  contains:
    dag_id:
      description: Its id.
      type: str
    is_paused:
      description: Whether it is paused.
      type: bool
    is_stale:
      description: Whether its file is gone, or does not make it any more. Null on Airflow 1.10, like all that follows.
      type: bool
    has_import_errors:
      description: Whether its file cannot be imported.
      type: bool
    fileloc:
      description: Its file, on the host where Airflow reads it.
      type: str
    description:
      description: What it says of itself.
      type: str
    owners:
      description: Its owners.
      type: list
      elements: str
    tags:
      description: Its tags.
      type: list
      elements: str
    timetable_description:
      description: When it runs, in words.
      type: str
    next_run_after:
      description: When its next scheduled run may start. Null where it has none.
      type: str
    next_logical_date:
      description: The date that its next scheduled run is for. Null where it has none.
      type: str
  sample:
    dag_id: load_sales
    is_paused: false
import_error:
  description: The traceback of the DAG's file, where that is why the DAG is not there.
  returned: when the file cannot be imported
  type: str
  sample: "Traceback (most recent call last): ... ModuleNotFoundError: No module named 'sales'"
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag import DAG_STATE
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_STATE)


if __name__ == "__main__":
    main()
