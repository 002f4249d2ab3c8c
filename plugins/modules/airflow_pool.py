#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_pool
short_description: Manage pools of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Creates, changes and removes pools, which limit how many tasks of a kind run at once.
  - Works on Airflow 1.10, 2.x and 3.x.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.state
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
  name:
    description: Name of the pool.
    type: str
    required: true
  slots:
    description: How many tasks may run at once; V(-1) means any number. Needed to create a pool.
    type: int
  description:
    description: What the pool is for. An empty text clears it.
    type: str
  include_deferred:
    description: Whether deferred tasks take a slot. Airflow 2.7 and newer.
    type: bool
seealso:
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: At most three tasks at a time on the old database
  dagops.airflow.airflow_pool:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    name: old_database
    slots: 3
    description: It cannot take more

- name: No limit any more
  dagops.airflow.airflow_pool:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    name: old_database
    state: absent
"""

RETURN = r"""
pool:
  description: The pool as it now is, or would be in check mode. Null where it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    slots:
      description: How many tasks may run at once.
      type: int
    description:
      description: What it is for.
      type: str
    include_deferred:
      description: Whether deferred tasks take a slot. Null on Airflow before 2.7.
      type: bool
  sample:
    name: old_database
    slots: 3
    description: It cannot take more
    include_deferred: false
"""

from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.pool import POOL


def main() -> None:
    run(POOL)


if __name__ == "__main__":
    main()
