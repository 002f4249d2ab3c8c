#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_info
short_description: What an Airflow is, and how it feels
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Tells an Airflow's version, which API it has, who authenticates, how it feels, and which kinds of this collection it supports.
  - Can wait until it is healthy, for example after a restart.
  - Needs no credentials; where some are given, they are tried on Airflow 3.
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
  wait_until_healthy:
    description: Whether to wait until the database and the scheduler are healthy. A server that does not answer yet is waited for, too.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait; after that the task fails.
    type: float
    default: 300
  poll_interval:
    description: Seconds from one look to the next. The first looks come sooner.
    type: float
    default: 5
seealso:
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: What is there?
  dagops.airflow.airflow_info:
    api_url: http://airflow.example.org:8080
  register: there

- name: Go on once it is healthy
  dagops.airflow.airflow_info:
    api_url: http://airflow.example.org:8080
    wait_until_healthy: true
"""

RETURN = r"""
airflow:
  description: The Airflow.
  returned: success
  type: dict
  contains:
    version:
      description: Its version. Airflow 1.10 tells only that by REST.
      type: str
    title:
      description: What this collection calls it.
      type: str
    api_version:
      description: Which REST API it has, a choice of O(api_version). Null with O(client=python).
      type: str
    kinds:
      description: What this collection can do with it through the chosen O(client).
      type: list
      elements: str
    health:
      description: The status of each of its parts, null where it has no such part. Null with O(client=python).
      type: dict
    auth_manager:
      description:
        - Who authenticates. With O(client=python), a class of Airflow's.
        - By REST V(fab) or V(simple) on Airflow 3, and null where that cannot be seen from outside.
      type: str
    database:
      description: Its database, without the password. Null by REST.
      type: str
  sample:
    version: 3.3.2
    title: Airflow 3
    api_version: v2
    kinds: [dag, dag_run, pool]
    health: {metadatabase: healthy, scheduler: healthy, triggerer: null, dag_processor: healthy}
    auth_manager: fab
    database: null
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.info import INFO
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(INFO)


if __name__ == "__main__":
    main()
