#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_variable_info
short_description: Look at variables of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Tells of one variable, or of all.
  - Through the REST API on Airflow 2.x and 3.x; on Airflow 1.10 with O(client=python) on the master.
  - Secrets are not told, though some Airflows would.

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
  key:
    description: Which one. By default all. One that is not there is an empty list, not a failure.
    type: str
seealso:
  - module: dagops.airflow.airflow_variable
"""

EXAMPLES = r"""
- name: Which variables are there?
  dagops.airflow.airflow_variable_info:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
  register: told

- name: Their keys
  ansible.builtin.debug:
    msg: "{{ told.variables | map(attribute='key') }}"
"""

RETURN = r"""
variables:
  description: The variables.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: Its key.
      type: str
    value:
      description: The text that Airflow keeps, with V(***) in place of what has a secret's name.
      type: str
    description:
      description: What it is for. Null on Airflow 1.10.
      type: str
  sample:
    - key: report_target
      value: '{"folder": "/srv/reports", "keep_days": 30}'
      description: Read by the DAG reports
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.held import info_of
from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.variable import VARIABLE


def main() -> None:
    run(info_of(VARIABLE))


if __name__ == "__main__":
    main()
