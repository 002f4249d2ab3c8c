# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which firewalls filter here: by what can drop a packet, not by what is installed or what a unit's state says. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host

    Key = t.Tuple[str, str, str]  # family, table, chain

NAMES = ("firewalld", "ufw", "nftables", "iptables")
IPTABLES = {4: "iptables", 6: "ip6tables"}
WORLDS = ("nf_tables", "legacy")
FIREWALLD_STATES = {0: "running", 251: "failed", 252: "not running"}


class Chain(t.NamedTuple):
    """A base chain that a packet to this host passes. ``drops``: what is not accepted in it may end there."""

    key: Key
    hook: str
    owner: str
    drops: bool


class World(t.NamedTuple):
    """One of the two iptables of a family: the command that reaches it, and its rules (of the table filter, as iptables -S prints them)."""

    command: str
    version: int
    kind: str
    rules: list[str]
    default: bool  # what the command without a suffix reaches, and so what brings saved rules back

    @property
    def drops(self) -> bool:
        return "-P INPUT DROP" in self.rules or ends_in_refusal(self.rules, "INPUT")


class Found(t.NamedTuple):
    active: list[str]
    chains: list[Chain]
    rules: Mapping[Key, list[dict[str, t.Any]]]
    worlds: list[World]
    hint: str = ""  # what should filter, and does not


def find(host: Host, named: str = "auto") -> Found:
    firewalld, complaints, hint = _firewalld(host)
    ufw = host.has("ufw") and host.ask("ufw", "status")[1].startswith("Status: active")
    chains, rules, missing = _nftables(host, ufw)
    worlds = [world for world in _worlds(host, {chain.key for chain in chains}) if not (firewalld and "-N INPUT_ZONES" in world.rules)]
    seen_by_iptables = {world.version for world in worlds if world.kind == "nf_tables"}
    chains = [  # a chain that only looks like one of iptables
        chain._replace(owner="nftables") if chain.owner == "iptables" and versions(chain.key[0])[0] not in seen_by_iptables and not firewalld else chain
        for chain in chains
    ]
    if not firewalld and any(chain.owner == "firewalld" and chain.drops for chain in chains):
        raise AirflowError("The rules of firewalld filter here, but firewalld does not answer: see systemctl status firewalld, and start it")
    active = (["firewalld"] if firewalld else []) + (["ufw"] if ufw else [])
    if any(chain.owner == "nftables" and chain.drops for chain in chains):
        active.append("nftables")
    kinds = sorted({world.kind for world in worlds if world.drops}, key=WORLDS.index)
    if ufw:  # it filters by one of the two, the other one is somebody else's
        kinds = [kind for kind in kinds if not any(world.default and world.kind == kind for world in worlds)]
    active += [f"iptables ({kind})" for kind in kinds] if len(kinds) == 2 else ["iptables"] * len(kinds)
    for name, complaint in (*complaints, *missing):
        if named == name or not active:
            raise AirflowError(complaint)
    return Found(active, chains, rules, worlds, hint)


def choose(found: Found, named: str) -> str | None:
    """The one to work with. None: nothing filters here."""
    if named not in ("auto", *found.active):
        raise AirflowError(f"The firewall {named} is not active on this host; active is: {', '.join(found.active) or 'none'}", active=found.active)
    if len(found.active) > 1:
        raise AirflowError(
            f"More than one firewall can drop packets on this host ({', '.join(found.active)}), and a port that is open in one of them stays shut: "
            "switch off all but one",
            active=found.active,
        )
    return found.active[0] if found.active else None


def unfiltered(found: Found, name: str) -> list[int]:
    """The families (4, 6) that this firewall lets in from everywhere."""
    if name == "nftables":
        taken = {family for chain in found.chains if chain.owner == name and chain.drops for family in versions(chain.key[0])}
    elif name == "iptables":
        taken = {world.version for world in found.worlds if world.drops}
    else:
        return []
    return [version for version in (4, 6) if version not in taken]


def versions(family: str) -> tuple[int, ...]:
    return {"ip": (4,), "ip6": (6,), "inet": (4, 6)}.get(family, ())


def to_enable(host: Host, unit: str) -> bool:
    return host.has("systemctl") and host.ask("systemctl", "is-enabled", unit)[1].strip() == "disabled"


def _firewalld(host: Host) -> tuple[bool, list[tuple[str, str]], str]:
    """Whether it runs, and what is to be said where it should. One that dies of its configuration ends as if it had been stopped."""
    if not host.has("firewall-cmd"):
        return False, [], ""
    status = host.ask("firewall-cmd", "--state")[0]
    if status == 0 or not host.has("systemctl"):
        return status == 0, [], ""
    if host.ask("systemctl", "is-failed", "firewalld")[0] != 0:
        enabled = host.ask("systemctl", "is-enabled", "firewalld")[1].strip() == "enabled"
        return False, [], "firewalld is enabled at boot, but does not run: see journalctl -u firewalld" if enabled else ""
    state = FIREWALLD_STATES.get(status, f"status {status}")
    return False, [("firewalld", f"firewalld failed to start and does not filter ({state}): see journalctl -u firewalld, and mend it; nothing was changed")], ""


def _nftables(host: Host, ufw: bool) -> tuple[list[Chain], dict[Key, list[dict[str, t.Any]]], list[tuple[str, str]]]:
    chains: list[Chain] = []
    rules: dict[Key, list[dict[str, t.Any]]] = {}
    if not host.has("nft"):
        wanted = host.has("systemctl") and host.ask("systemctl", "is-enabled", "nftables")[1].strip() == "enabled"
        return chains, rules, [("nftables", "nftables is to filter here, but there is no program nft: install the package nftables")] if wanted else []
    status, out = host.ask("nft", "-j", "list", "ruleset")
    try:
        objects = json.loads(out)["nftables"] if status == 0 else None
    except (ValueError, KeyError):
        objects = None
    if objects is None:
        raise AirflowError(f"nft cannot list the rules of this host: {' '.join(out.split())[:300] or 'it says nothing'}")
    for one in objects:
        if "chain" in one:
            rules.setdefault(_key(one["chain"], "name"), [])
        elif "rule" in one:
            rules.setdefault(_key(one["rule"], "chain"), []).append(one["rule"])
    for chain in [one["chain"] for one in objects if "chain" in one]:
        if chain.get("hook") in ("input", "prerouting") and versions(chain["family"]):
            key = _key(chain, "name")
            owner = "firewalld" if key[1] == "firewalld" else "nftables"
            if key in (("ip", "filter", "INPUT"), ("ip6", "filter", "INPUT")):
                owner = "ufw" if ufw else "iptables"
            drops = chain["hook"] == "input" and chain.get("type") == "filter" and (chain.get("policy") == "drop" or nft_ends_in_refusal(rules, key))
            chains.append(Chain(key, chain["hook"], owner, drops))
    return chains, rules, []


def _key(words: Mapping[str, t.Any], name: str) -> Key:
    return words["family"], words["table"], words[name]


def nft_ends_in_refusal(rules: Mapping[Key, list[dict[str, t.Any]]], key: Key, depth: int = 0) -> bool:
    """Whether a rule without a condition refuses; in a chain that is jumped to as well."""
    for rule in rules.get(key, []):
        words = [(name, value) for part in rule.get("expr", []) for name, value in part.items() if name not in ("counter", "log") and not _xt_says(value)]
        if len(words) == 1:
            name, value = words[0]
            if name in ("drop", "reject") or (name == "xt" and (value or {}).get("name") == "REJECT"):
                return True
            if name in ("jump", "goto") and depth < 8 and nft_ends_in_refusal(rules, (key[0], key[1], value["target"]), depth + 1):
                return True
    return False


def _xt_says(value: t.Any) -> bool:
    return isinstance(value, dict) and value.get("name") in ("comment", "LOG", "NFLOG")


def _worlds(host: Host, keys: set[Key]) -> list[World]:
    """Both are asked only where they are in use, for a look would make the tables of the legacy one."""
    worlds = []
    for version, command in IPTABLES.items():
        said = host.ask(command, "-V")[1] if host.has(command) else ""
        plain = "legacy" if "(legacy)" in said or (said and "nf_tables" not in said) else "nf_tables"
        used = {
            "nf_tables": ("ip" if version == 4 else "ip6", "filter", "INPUT") in keys if host.has("nft") else bool(said) and plain == "nf_tables",
            "legacy": "filter" in (host.text(f"/proc/net/{'ip' if version == 4 else 'ip6'}_tables_names") or "").split(),
        }
        for kind in WORLDS:
            exact = command if said and kind == plain else f"{command}-{'nft' if kind == 'nf_tables' else 'legacy'}"
            if used[kind] and host.has(exact):
                status, out = host.ask(exact, "-S")
                if status == 0:  # else it is a table that nft made, and that iptables does not understand
                    worlds.append(World(exact, version, kind, out.splitlines(), bool(said) and kind == plain))
    return worlds


TALK = r"( -m comment --comment (\"[^\"]*\"|\S+))?"


def ends_in_refusal(rules: list[str], chain: str, depth: int = 0) -> bool:
    """Whether a rule without a condition refuses; in a chain that is jumped to as well."""
    for rule in rules:
        hit = re.match(rf"-A {re.escape(chain)}{TALK} -[jg] (\S+)", rule)
        if hit and (hit.group(3) in ("DROP", "REJECT") or (depth < 8 and ends_in_refusal(rules, hit.group(3), depth + 1))):
            return True
    return False
