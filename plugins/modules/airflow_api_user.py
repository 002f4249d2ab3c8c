#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_api_user
short_description: Manage the users who may call Airflow's REST API
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Creates, changes and removes API users on the master, through Airflow's own Python, which works before any other API user exists. Use it with
    O(client=python).
  - On Airflow 1.10 the users of the REST API are those of the backend C(password_auth). The users of the web interface under C(rbac = True) are others,
    and this module does not touch them.
  - On Airflow 2.9 and newer and on 3 they are the users of the FAB auth manager, who may log in to the web interface, too.
  - On Airflow 3 with the simple auth manager they are the names in a setting, which this module writes to C(airflow.cfg), and the passwords in a file.
    A new name or another role holds after a restart, see RV(restart_required). If the setting comes from the environment, it must be changed there.
  - The password is compared with its stored hash, so a second run changes nothing, and a run with another password does.
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
    details: Passwords are masked.
  async:
    support: full
options:
  username:
    description: By which name he calls.
    type: str
    required: true
  password:
    description:
      - His password. Needed to create a user.
      - On Airflow 1.10 at most 72 bytes, for C(bcrypt) does not look at the rest.
    type: str
  update_password:
    description:
      - V(always) makes this the password, whatever it was.
      - V(on_create) leaves the password of an existing user alone.
    type: str
    choices: [always, on_create]
    default: always
  email:
    description: His e-mail address. FAB needs one to create a user, and no two users may share it. The simple auth manager has none.
    type: str
  first_name:
    description: His first name, by default O(username). Airflow 1.10 and the simple auth manager have no such field, and go without.
    type: str
  last_name:
    description: His last name, by default O(username). Airflow 1.10 and the simple auth manager have no such field, and go without.
    type: str
  roles:
    description:
      - Names of his roles, exactly these. FAB needs at least one to create a user, the simple auth manager exactly one of V(Viewer), V(User),
        V(Op) and V(Admin).
      - On Airflow 1.10 every API user may do everything, so that only V(Admin) is accepted.
      - The web server of Airflow 3 with FAB remembers a user and his roles for 30 seconds (its setting C([fab] cache_ttl)), so that a change may count
        that much later.
    type: list
    elements: str
  active:
    description: Whether he may log in. On Airflow 1.10 only V(true) is accepted.
    type: bool
  superuser:
    description: A mark of Airflow 1.10, which its REST API does not look at. On Airflow 3 only V(false) is accepted.
    type: bool
seealso:
  - module: dagops.airflow.airflow_dag_trigger
"""

EXAMPLES = r"""
- name: Somebody who may trigger DAGs
  dagops.airflow.airflow_api_user:
    client: python
    airflow_python: /opt/airflow/venv/bin/python
    airflow_home: /opt/airflow
    airflow_env_file: /opt/airflow/airflow.env
    username: deployer
    password: "{{ deployer_password }}"
    email: deployer@example.org
    roles: [Admin]

- name: He has left
  dagops.airflow.airflow_api_user:
    client: python
    airflow_python: /opt/airflow/venv/bin/python
    airflow_home: /opt/airflow
    airflow_env_file: /opt/airflow/airflow.env
    username: deployer
    state: absent
"""

RETURN = r"""
user:
  description: The user as he now is, or would be in check mode, without his password. Null where he is absent.
  returned: success
  type: dict
  contains:
    username:
      description: His name.
      type: str
    email:
      description: His e-mail address.
      type: str
    first_name:
      description: His first name. Null on Airflow 1.10.
      type: str
    last_name:
      description: His last name. Null on Airflow 1.10.
      type: str
    roles:
      description: Names of his roles.
      type: list
      elements: str
    active:
      description: Whether he may log in.
      type: bool
    superuser:
      description: A mark of Airflow 1.10.
      type: bool
  sample:
    username: deployer
    email: deployer@example.org
    first_name: deployer
    last_name: deployer
    roles: [Admin]
    active: true
    superuser: false
restart_required:
  description: That what was changed holds only after a restart of Airflow, a new name or another role of its simple auth manager.
  returned: when it is so
  type: bool
  sample: true
"""

from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.user import USER


def main() -> None:
    run(USER)


if __name__ == "__main__":
    main()
