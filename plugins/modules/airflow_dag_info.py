#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_info
short_description: Look at DAGs of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Tells of one DAG or of all, through the REST API of Airflow 2.x or 3.x, with the errors of files that cannot be imported. Airflow 1.10 tells only
    whether a DAG is paused, and lists none.
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
    description: Which DAG. One that is not there is an empty list, not a failure. By default all that are not stale, which Airflow 1.10 does not tell.
    type: str
  paused:
    description: Only those that are paused, or only those that are not.
    type: bool
seealso:
  - module: dagops.airflow.airflow_dag
"""

EXAMPLES = r"""
- name: When does it run next, and with which params?
  dagops.airflow.airflow_dag_info:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
  register: sales
"""

RETURN = r"""
dags:
  description: The DAGs. Each key is there on every Airflow, and null where this one does not tell.
  returned: success
  type: list
  elements: dict
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
    params:
      description: Its params by name, each with its C(value), C(schema) and C(description). Null where O(dag_id) is not given.
      type: dict
    import_error:
      description: The traceback of its file, where that cannot be imported.
      type: str
    dag_warnings:
      description: What Airflow finds fault with in it, each with C(dag_id), C(warning_type) and C(message).
      type: list
      elements: dict
  sample:
    - dag_id: load_sales
      is_paused: false
      is_stale: false
      next_run_after: "2026-11-26T00:00:00+00:00"
import_errors:
  description: The errors of all files that cannot be imported, each with C(filename) and C(stack_trace). Null on Airflow 1.10.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_info import DAG_INFO
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(DAG_INFO)


if __name__ == "__main__":
    main()
