#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_connection_info
short_description: Look at connections of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Tells of one connection, or of all, without their passwords.
  - Through the REST API on Airflow 2.x and 3.x; on Airflow 1.10 with O(client=python) on the master.

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
  connection_id:
    description: Which one. By default all. One that is not there is an empty list, not a failure.
    type: str
seealso:
  - module: dagops.airflow.airflow_connection
"""

EXAMPLES = r"""
- name: What is there at db.example.org?
  dagops.airflow.airflow_connection_info:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
  register: told

- name: Their names
  ansible.builtin.debug:
    msg: "{{ told.connections | selectattr('host', 'equalto', 'db.example.org') | map(attribute='connection_id') }}"
"""

RETURN = r"""
connections:
  description: The connections.
  returned: success
  type: list
  elements: dict
  contains:
    connection_id:
      description: Its name.
      type: str
    conn_type:
      description: The kind of system.
      type: str
    description:
      description: What it is for. Null on Airflow 1.10.
      type: str
    host:
      description: Name or address.
      type: str
    login:
      description: The user there.
      type: str
    schema:
      description: The database, or what goes for one there.
      type: str
    port:
      description: The port.
      type: int
    extra:
      description: More settings, with V(***) in place of those that have a secret's name. Empty where all are asked for of Airflow 2, whose list leaves it out.
      type: dict
  sample:
    - connection_id: warehouse
      conn_type: postgres
      description: null
      host: db.example.org
      login: etl
      schema: sales
      port: 5432
      extra:
        sslmode: require
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.held import info_of
from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.connection import CONNECTION


def main() -> None:
    run(info_of(CONNECTION))


if __name__ == "__main__":
    main()
