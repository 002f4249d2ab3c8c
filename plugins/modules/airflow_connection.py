#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_connection
short_description: Manage connections of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Creates, changes and removes connections, which tell tasks where another system is and how to get in.
  - Through the REST API on Airflow 2.x and 3.x; on Airflow 1.10 with O(client=python) on the master.
  - No Airflow tells a password through its REST API, nor parts of O(extra) that have a secret's name. Through REST the password of a connection
    that is there already is not changed unless O(update_secrets=always). Such values are kept out of Ansible's log and results, too.
  - Airflow 1.10 may hold several connections of one name, and takes any of them. They are not changed, but O(state=absent) removes them all.

extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.state
  - dagops.airflow.update_secrets
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
  connection_id:
    description: Name of the connection. Letters, digits and C(_.-), at most 200.
    type: str
    required: true
  conn_type:
    description: The kind of system, C(postgres) or C(http) for example. Needed to create a connection.
    type: str
  description:
    description: What the connection is for. An empty text clears it. Left out with a warning on Airflow 1.10.
    type: str
  host:
    description: Name or address. An empty text clears it.
    type: str
  login:
    description: The user there. An empty text clears it.
    type: str
  password:
    description: His password. Airflow removes none; to have a connection without one, remove it and create it again.
    type: str
  schema:
    description: The database, or what goes for one there. An empty text clears it.
    type: str
  port:
    description: The port, 1 to 65535.
    type: int
  extra:
    description:
      - More settings, a mapping or the JSON of one. It is the whole of them; an empty mapping clears it.
    type: raw
  uri:
    description:
      - All of that in one, in the form of Airflow's documentation, C(postgresql://user:password@host:5432/schema?sslmode=require).
      - Each part is percent-encoded, slashes too, which the filter C(urlencode) leaves as they are. What it does not say is cleared, but for the password
        and the port.
      - Excludes O(conn_type), O(host), O(login), O(password), O(schema), O(port) and O(extra).
    type: str
seealso:
  - module: dagops.airflow.airflow_connection_info
  - module: dagops.airflow.airflow_variable
"""

EXAMPLES = r"""
- name: The warehouse
  dagops.airflow.airflow_connection:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    connection_id: warehouse
    conn_type: postgres
    host: db.example.org
    login: etl
    password: "{{ warehouse_password }}"
    schema: sales
    port: 5432
    extra:
      sslmode: require

- name: The same in one line
  dagops.airflow.airflow_connection:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    connection_id: warehouse
    uri: "postgresql://etl:{{ warehouse_password | urlencode | replace('/', '%2F') }}@db.example.org:5432/sales?sslmode=require"

- name: Not needed any more
  dagops.airflow.airflow_connection:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    connection_id: warehouse
    state: absent
"""

RETURN = r"""
connection:
  description: The connection as it now is, or would be in check mode, without its password. Null where it is absent.
  returned: success
  type: dict
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
      description: More settings, with V(***) in place of those that have a secret's name.
      type: dict
  sample:
    connection_id: warehouse
    conn_type: postgres
    description: null
    host: db.example.org
    login: etl
    schema: sales
    port: 5432
    extra:
      sslmode: require
"""

from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.connection import CONNECTION


def main() -> None:
    run(CONNECTION)


if __name__ == "__main__":
    main()
