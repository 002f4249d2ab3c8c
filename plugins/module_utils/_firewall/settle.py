# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole behaviour of airflow_firewall, knowing no Ansible. **PRIVATE** to the collection."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall import firewalld, iptables, nftables, ufw
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import choose, find, unfiltered
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import apply, rehearse
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Wish
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import networks

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Plan

BACKENDS: dict[str, t.Any] = {"firewalld": firewalld, "ufw": ufw, "nftables": nftables, "iptables": iptables}


def wish_of(options: Mapping[str, t.Any]) -> Wish:
    if not 1 <= options["port"] <= 65535:
        raise AirflowError(f"There is no port {options['port']}: it is a number from 1 to 65535")
    nets = tuple(networks(options["sources"]))
    return Wish(options["port"], nets, options["state"] == "absent", options["exclusive"], options["zone"])


def settle(options: Mapping[str, t.Any], host: Host, dry: bool, warn: Callable[[str], None]) -> dict[str, t.Any]:
    """``dry``: say what would change, and change nothing."""
    wish = wish_of(options)
    if os.geteuid() != 0:
        raise AirflowError("Only root may see and change a firewall's rules: use become")
    nets6 = [net for net in wish.nets if net.version == 6]
    if nets6 and not wish.absent and not (host.text("/proc/net/if_inet6") or "").strip():
        raise AirflowError(f"IPv6 is switched off on this host, so that {nets6[0]} cannot be let in: leave it out")
    found = find(host, options["backend"])
    name = choose(found, options["backend"])
    if name is None:
        said = f"No firewall filters what comes in on this host{f' ({found.hint})' if found.hint else ''}"
        if options["when_inactive"] == "fail" and not wish.absent:
            raise AirflowError(f"{said}: switch one on before a port is opened in it, or set when_inactive to notice", active=[])
        ports = r"\d+" if wish.exclusive else str(wish.port)
        left = ", ".join(path for one in BACKENDS.values() for path in one.saved(host, ports)) if wish.absent else ""
        if left:
            said += f", but what this module opened stands in {left} and comes back with the firewall: start it, and play this again"
            if options["when_inactive"] == "fail":
                raise AirflowError(said, active=[])
            warn(f"{said}; nothing was changed")
        else:
            warn(f"{said}: there is nothing to {'close' if wish.absent else 'open'}, and nothing was changed")
        return dict(changed=False, firewall=dict(backend=None, active=[], port=wish.port, sources=[]), changes=[], diff=dict(before="", after=""))
    backend = BACKENDS[name]

    def look_and_plan(found: t.Any) -> Plan:
        return backend.plan(backend.look(host, found), wish)

    todo = look_and_plan(found)
    if todo.blocked:
        raise AirflowError(
            f"{name} would keep the port {wish.port} shut: {'; '.join(todo.blocked)}. Remove that rule first; nothing was changed", active=found.active
        )
    if not wish.absent:
        for version in unfiltered(found, name):
            warn(f"{name} does not filter IPv{version} on this host: the port {wish.port} is open to every IPv{version} address")
    for note in todo.notes:
        warn(note)
    rehearse(todo.steps, host)
    if not dry and todo.steps:
        apply(todo.steps, host)
        left = look_and_plan(find(host, options["backend"])).steps
        if left:
            raise AirflowError(f"{name} did not keep what was written, missing is: {', '.join(step.what for step in left)}")
    return dict(
        changed=bool(todo.steps),
        firewall=dict(backend=name, active=found.active, port=wish.port, sources=[str(one.net) for one in todo.open if one.port == wish.port]),
        changes=[step.what for step in todo.steps],
        diff=dict(before=_lines(todo.before), after=_lines(todo.after)),
    )


def _lines(rules: list[str]) -> str:
    return "".join(f"{rule}\n" for rule in rules)
