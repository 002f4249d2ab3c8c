# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""firewalld: a rich rule per source, at run time and permanently. **PRIVATE** to the collection.

A rich rule carries no comment: ours are known by their exact shape, in which the priority is one that nobody needs. Rules without a priority,
which refuse before they accept, come first; so an administrator's refusal stays in force, and is named.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import to_enable
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Opening, Plan, Rule, Run, inside, listed, refusal, target
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import network, short

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import Found
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Wish
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import Network

FOLDER = "/etc/firewalld/zones"
PRIORITY = 71
SHAPE = re.compile(rf'rule priority="{PRIORITY}" family="ipv[46]" source address="([^"]+)" port port="(\d+)" protocol="tcp" accept$')
OTHERS = re.compile(  # rules that ask for nothing but a source and a port
    r'rule(?: priority="(-?\d+)")?(?: family="ipv([46])")?(?: source address="([^"]+)")?(?: port port="([\d-]+)" protocol="tcp")?'
    r'(?: (?:log|audit)(?:(?: limit)? \w+="[^"]*")*)*(?: (accept|reject|drop))(?: type="[^"]*")?$'
)
PLACES = {"runtime": (), "permanent": ("--permanent",)}


class Zone(t.NamedTuple):
    accepts: bool  # whatever comes
    interfaces: list[str]
    sources: list[str]
    rich: list[str]
    refuses: bool = False  # whatever no rule of it accepts


class Seen(t.NamedTuple):
    zones: dict[str, dict[str, Zone]]  # by place and name
    default: str
    interfaces: list[str]
    disabled: bool


def look(host: Host, found: Found) -> Seen:
    return Seen(
        {place: parse(host.tell("firewall-cmd", *words, "--list-all-zones")) for place, words in PLACES.items()},
        host.tell("firewall-cmd", "--get-default-zone").strip(),
        [name for name in host.names("/sys/class/net") if name != "lo"],
        to_enable(host, "firewalld"),
    )


def parse(text: str) -> dict[str, Zone]:
    zones = {}
    for block in re.split(r"\n(?=\S)", text):
        name = block.split()[0] if block.split() else ""
        words = dict(re.findall(r"^  ([a-z-]+): ?(.*)$", block, re.MULTILINE))
        if name:
            rich = [line.strip() for line in block.splitlines() if line.strip().startswith("rule ")]
            aim = words.get("target", "").strip("%")  # %%REJECT%%
            zones[name] = Zone(aim == "ACCEPT", words.get("interfaces", "").split(), words.get("sources", "").split(), rich, aim in ("DROP", "REJECT"))
    return zones


def rule(one: Opening) -> str:
    return f'rule priority="{PRIORITY}" family="ipv{one.net.version}" source address="{short(one.net)}" port port="{one.port}" protocol="tcp" accept'


def saved(host: Host, port: str) -> list[str]:
    """The files that hold a rule of our shape for these ports (a pattern)."""
    paths = [f"{FOLDER}/{name}" for name in host.names(FOLDER) if name.endswith(".xml")]
    mine = re.compile(rf'<rule[^>]* priority="{PRIORITY}"[^>]*>\s*<source[^>]*>\s*<port port="{port}"')
    return [path for path in paths if mine.search(host.text(path) or "")]


def plan(seen: Seen, wish: Wish) -> Plan:
    zones = _zones(seen, wish)
    ours = {place: {name: set(_ours(zone)) for name, zone in found.items()} for place, found in seen.zones.items()}
    wished = {}
    for name in {name for found in ours.values() for name in found}:
        there = set().union(*(found.get(name, ()) for found in ours.values()))
        wished[name] = target(there, wish if wish.absent or name in zones else wish._replace(nets=()))
    steps: list[t.Any] = []
    for place, found in ours.items():
        for name, there in sorted(found.items()):
            for verb, some in (("add", wished[name] - there), ("remove", there - wished[name])):
                if some:
                    words = [f"--{verb}-rich-rule={rule(one)}" for one in listed(some)]
                    steps.append(Run(f"{place}, zone {name}: {verb} {_names(some)}", ("firewall-cmd", *PLACES[place], f"--zone={name}", *words)))
    opened = set().union(*wished.values())
    if opened and seen.disabled:
        steps.append(Run("enable firewalld at boot", ("systemctl", "enable", "firewalld")))
    blocked = [
        f"the rule '{stands}' of zone {name} ({place}) refuses {one.net} first"
        for place, found in seen.zones.items()
        for name in zones
        for one in listed(wished.get(name, ()))
        for stands in [refusal(_others(found[name], one.port) if name in found else [], one.net)]
        if stands and one.net in wish.nets and not wish.absent
    ]
    blocked += [] if wish.absent else _kept_out(seen, zones, wish)
    before = [f"{place} {name}: {rule(one)}" for place, found in ours.items() for name, some in sorted(found.items()) for one in listed(some)]
    after = [f"{place} {name}: {rule(one)}" for place in PLACES for name, some in sorted(wished.items()) for one in listed(some)]
    return Plan(steps, before, after, listed(opened), [], blocked)


def _zones(seen: Seen, wish: Wish) -> list[str]:
    """Those that take the packets: that have an interface or a source, and the default one where an interface has no other."""
    runtime = seen.zones["runtime"]
    taken = {interface for zone in runtime.values() for interface in zone.interfaces}
    doors = {name for name, zone in runtime.items() if zone.interfaces or (name == seen.default and set(seen.interfaces) - taken)}
    used = [name for name, zone in sorted(runtime.items()) if not zone.accepts and (name in doors or zone.sources)]
    if not wish.zone:  # a zone that refuses some sources is a list of whom to keep out
        return [name for name in used if name in doors or not runtime[name].refuses] or [seen.default]
    if wish.zone not in runtime:
        raise AirflowError(f"firewalld has no zone {wish.zone!r}; it has: {', '.join(sorted(runtime))}")
    if wish.zone not in used and wish.nets and not wish.absent:
        raise AirflowError(f"No packet comes through the zone {wish.zone}, so that the port would stay shut; in use are: {', '.join(used) or 'none'}")
    return [wish.zone]


def _kept_out(seen: Seen, zones: list[str], wish: Wish) -> list[str]:
    """Who is asked for, and comes through a zone that refuses and is left out."""
    return [
        f"the zone {name} refuses everything and takes what comes from {net}, for it has the source {source}"
        for name, zone in sorted(seen.zones["runtime"].items())
        if zone.refuses and name not in zones
        for source in zone.sources
        for net in wish.nets
        if _net(source) and inside(net, _net(source))
    ]


def _net(source: str) -> Network | None:
    try:
        return network(source)
    except AirflowError:  # an ipset or a MAC address
        return None


def _ours(zone: Zone) -> Iterator[Opening]:
    for text in zone.rich:
        hit = SHAPE.match(text)
        if hit:
            yield Opening(network(hit.group(1)), int(hit.group(2)))


def _others(zone: Zone, port: int) -> list[Rule]:
    """Those that come before ours and certainly decide about the port: by priority, and of one priority the refusing ones first."""
    found = []
    for text in zone.rich:
        hit = OTHERS.match(text)
        if not hit or SHAPE.match(text) or int(hit.group(1) or 0) > PRIORITY or not _has(hit.group(4) or "0-65535", port):
            continue
        source = hit.group(3) or {"4": "0.0.0.0/0", "6": "::/0"}.get(hit.group(2))
        accepts = hit.group(5) == "accept"
        found.append((int(hit.group(1) or 0), accepts, Rule(text, not accepts, network(source) if source else None)))
    return [one for _priority, _accepts, one in sorted(found, key=lambda one: one[:2])]


def _has(ports: str, port: int) -> bool:
    low, _dash, high = ports.partition("-")
    return int(low) <= port <= int(high or low)


def _names(openings: set[Opening]) -> str:
    return ", ".join(f"{one.net} to port {one.port}" for one in listed(openings))
