#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_variable
short_description: Manage variables of Airflow
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Creates, changes and removes variables, which DAGs read by their key.
  - Through the REST API on Airflow 2.x and 3.x; on Airflow 1.10 with O(client=python) on the master.
  - Airflow keeps each value as a text. A mapping, a list, a number or a boolean is kept as JSON; the order of keys and spaces make no difference.
  - Airflow 3 tells V(***) in place of a value whose key looks like that of a secret (C(password), C(token) and such), and of such parts of a mapping.
    What it hides is left alone by default, see O(update_secrets). Such values are kept out of Ansible's log and results, too.

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
  key:
    description: Key of the variable, at most 250 characters. One that begins with C(/), and C(.) and C(..), can only be had with O(client=python).
    type: str
    required: true
  value:
    description:
      - The value, of any type of JSON. Needed to create a variable. To store the null of JSON give the text C(null), in quotes; a bare null
        means that the option is not given.
      - V(***) is refused, for it is what Airflow shows in place of a secret.
    type: raw
  description:
    description: What the variable is for. An empty text clears it. Left out with a warning on Airflow 1.10.
    type: str
seealso:
  - module: dagops.airflow.airflow_variable_info
  - module: dagops.airflow.airflow_connection
"""

EXAMPLES = r"""
- name: Where the reports go
  dagops.airflow.airflow_variable:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    key: report_target
    value:
      folder: /srv/reports
      keep_days: 30
    description: Read by the DAG reports

- name: A secret of which Airflow 3 does not tell whether it is another now
  dagops.airflow.airflow_variable:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    key: partner_token
    value: "{{ partner_token }}"
    update_secrets: always

- name: Not needed any more
  dagops.airflow.airflow_variable:
    api_url: http://airflow.example.org:8080
    api_username: admin
    api_password: "{{ airflow_password }}"
    key: report_target
    state: absent
"""

RETURN = r"""
variable:
  description: The variable as it now is, or would be in check mode. Null where it is absent.
  returned: success
  type: dict
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
    key: report_target
    value: '{"folder": "/srv/reports", "keep_days": 30}'
    description: Read by the DAG reports
"""

from ansible_collections.dagops.airflow.plugins.module_utils._module import run
from ansible_collections.dagops.airflow.plugins.module_utils._resources.variable import VARIABLE


def main() -> None:
    run(VARIABLE)


if __name__ == "__main__":
    main()
