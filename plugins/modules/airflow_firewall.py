#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_firewall
short_description: Open the API's port to those who call it, and to nobody else
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Opens a TCP port for named sources in the firewall that really filters on the host, which is firewalld, ufw, nftables or iptables.
  - Which one filters is found by what can drop a packet, not by what is installed or what a service's state says.
  - It only adds rules that accept, and only for these sources. Nobody else's rule is flushed, moved, edited, saved or loaded anew, so that it cannot cut
    off the connection that it came through.
  - What is in force and what comes back at the next boot are compared and mended each for itself, and the unit that brings the rules back is enabled.
  - Where an earlier rule of somebody else's would keep the port shut, the task fails, names the rule, and changes nothing.
  - With nftables and iptables its accept stands at the head of the chain that drops. So an administrator's refusal of one of the O(sources) in that same
    chain, behind it, is overridden for O(port). With ufw and firewalld such a refusal comes first, and the task fails and names it.
  - Closing a port stops new connections; those that stand go on.
  - Its own rules are known by a chain of their own (nftables C(airflow_8080), iptables C(AIRFLOW_8080)) or by the comment C(dagops.airflow) (ufw). The
    rich rules of firewalld carry no comment, so they are known by their exact shape, with the priority 71. An administrator's identical rule counts as ours.
extends_documentation_fragment:
  - dagops.airflow.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  async:
    support: full
options:
  port:
    description: The TCP port.
    type: int
    default: 8080
  sources:
    description:
      - Who may call it, as IPv4 and IPv6 addresses and networks.
      - Empty means that nobody is added. Everybody must be said in so many words, V(0.0.0.0/0) and V(::/0).
      - What no other host calls from is refused, which is a loopback, unspecified or multicast address, and an IPv4 address written as one of IPv6.
      - Host names are resolved by the role P(dagops.airflow.airflow_firewall#role), on the controller.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present), the port is open to O(sources).
      - V(absent), what this module opened is closed. With O(exclusive=false) only O(port), and if there are O(sources) only for them.
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description:
      - Whether sources and ports that this module opened earlier, and that are not asked for now, are closed.
      - On a host on which two ports are opened, say 8080 and 8793, each task needs V(false), or each closes the other's port. Sources that leave the list are
        then closed by a task with O(state=absent) and those O(sources).
    type: bool
    default: true
  backend:
    description: The firewall. V(auto) takes the one that filters; one that is named and does not filter is an error, and so are two that both do.
    type: str
    choices: [auto, firewalld, ufw, nftables, iptables]
    default: auto
  when_inactive:
    description:
      - What to do where no firewall filters, give a warning or fail. In neither case one is switched on.
      - With O(state=absent) it fails only where something that was opened is still saved, and would come back with the firewall. It names the file.
    type: str
    choices: [notice, fail]
    default: notice
  zone:
    description:
      - The zone of firewalld. By default every zone through which packets come, less those that have sources only and refuse everything (the target DROP or
        REJECT), for they are lists of whom to keep out.
    type: str
    default: ""
notes:
  - Needs root, and the program of the firewall that filters (C(firewall-cmd), C(ufw), C(nft), or C(iptables) and C(ip6tables)).
  - With nftables a file in C(/etc/nftables.airflow.d) holds the rules for the boot, and a last line of C(/etc/nftables.conf) includes it. A table that is
    not in that file, because some program made it, is opened until the next boot only, with a warning.
  - With iptables only its own lines are edited in the saved rules (C(/etc/iptables/rules.v4) and C(rules.v6)). Where there are none, nothing is saved, with a
    warning.
  - Tested on Debian 12. Not tested on the family of RHEL, whose paths it knows, and not with SELinux.
seealso:
  - module: dagops.airflow.airflow_info
"""

EXAMPLES = r"""
- name: The workers may call the API
  dagops.airflow.airflow_firewall:
    sources: [10.20.0.0/24, "2001:db8:0:20::/64"]
  become: true

- name: Nobody may any more
  dagops.airflow.airflow_firewall:
    state: absent
  become: true
"""

RETURN = r"""
firewall:
  description: What filters, and who may pass.
  returned: success
  type: dict
  contains:
    backend:
      description: The firewall that was worked with. Null where none filters.
      type: str
    active:
      description: All firewalls that can drop what comes in.
      type: list
      elements: str
    port:
      description: The port.
      type: int
    sources:
      description: For whom this module keeps the port open, or would in check mode, in the firewall's own spelling.
      type: list
      elements: str
  sample:
    backend: nftables
    active: [nftables]
    port: 8080
    sources: [10.20.0.0/24, "2001:db8:0:20::/64"]
changes:
  description: What was done, or would be done in check mode, step by step.
  returned: success
  type: list
  elements: str
  sample:
    - "runtime, zone public: add 10.20.0.0/24 to port 8080"
active:
  description: All firewalls that can drop what comes in.
  returned: when it fails because of them
  type: list
  elements: str
done:
  description: The steps that were done before one failed.
  returned: when a step fails
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import ENVIRONMENT, Host
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.settle import settle


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            port=dict(type="int", default=8080),
            sources=dict(type="list", elements="str", default=[]),
            state=dict(choices=["present", "absent"], default="present"),
            exclusive=dict(type="bool", default=True),
            backend=dict(choices=["auto", "firewalld", "ufw", "nftables", "iptables"], default="auto"),
            when_inactive=dict(choices=["notice", "fail"], default="notice"),
            zone=dict(default=""),
        ),
        supports_check_mode=True,
    )
    host = Host(lambda argv, stdin: module.run_command(list(argv), data=stdin, environ_update=ENVIRONMENT), module.atomic_move)
    try:
        result = settle(module.params, host, module.check_mode, module.warn)
    except AirflowError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
