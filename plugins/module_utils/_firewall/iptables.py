# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iptables: a chain of our own with one jump to it at the head of INPUT, and the same lines in the saved file. **PRIVATE** to the collection.

Nobody else's rules are saved with ours: only our lines in the file are edited.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import TALK, to_enable
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Opening, Plan, Rule, Run, Write, listed, of_family, refusal, target
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import network

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import Found, World
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Wish

FILES = {  # Debian and Ubuntu; RHEL and Fedora
    4: ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables"),
    6: ("/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables"),
}
UNITS = {"/etc/iptables/rules.v4": "netfilter-persistent", "/etc/sysconfig/iptables": "iptables"}
UNITS.update({"/etc/iptables/rules.v6": "netfilter-persistent", "/etc/sysconfig/ip6tables": "ip6tables"})
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
MINE = re.compile(r"(?::|(?:\[\d+:\d+\] )?-A )(?:INPUT -j )?AIRFLOW_\d+(?: |$)")  # a line of the saved file
JUMP = re.compile(r"-A INPUT -j AIRFLOW_\d+$")


class Seen(t.NamedTuple):
    worlds: dict[int, World]  # by family: the one that drops
    saved: dict[int, tuple[str, str]]  # by family: path and text
    disabled: list[str]  # units


def look(host: Host, found: Found) -> Seen:
    worlds: dict[int, World] = {}
    kind = next((world.kind for world in found.worlds if world.drops), None)
    for world in found.worlds:
        if world.kind == kind:
            worlds[world.version] = world
    saved = {}
    for version, world in worlds.items():
        for path in FILES[version]:
            text = host.text(path)
            if text is not None and world.default and version not in saved:
                saved[version] = (path, text)
    units = sorted({UNITS[path] for path, _text in saved.values()})
    return Seen(worlds, saved, [unit for unit in units if to_enable(host, unit)])


def saved(host: Host, port: str) -> list[str]:
    """The files that hold our chain of these ports (a pattern)."""
    return [path for paths in FILES.values() for path in paths if re.search(rf"(?m)^:AIRFLOW_{port}\b", host.text(path) or "")]


def plan(seen: Seen, wish: Wish) -> Plan:
    live = {version: _openings(world.rules, version) for version, world in seen.worlds.items()}
    stored = {version: _openings(text.splitlines(), version) for version, (_path, text) in seen.saved.items()}
    ours = {one for place in (*live.values(), *stored.values()) for some in place.values() for one in some if one}
    wished = target(ours, wish)
    steps: list[t.Any] = []
    before, after, notes, blocked = [], [], [], []
    for version, world in seen.worlds.items():
        here = of_family(wished, version)
        lines = _transaction(world, live[version], here)
        if lines:
            text = "\n".join(["*filter", *lines, "COMMIT"]) + "\n"
            restore = (f"{world.command}-restore", "--noflush", "-w", "5")
            steps.append(Run(f"{world.command}: {'; '.join(lines)}", restore, text, (*restore, "--test")))
        before += [f"{world.command}: {_rule(one) if one else 'something else'}" for some in live[version].values() for one in some]
        before += [f"{world.command}: {rule}" for rule in world.rules if JUMP.match(rule)]
        after += [f"{world.command}: {_rule(one)}" for one in listed(here)]
        after += [f"{world.command}: -A INPUT -j {_chain(port)}" for port in sorted({one.port for one in here})]
        if version in seen.saved:
            path, text = seen.saved[version]
            edited = edit(text, here)
            before += [f"{path}: {line}" for line in text.splitlines() if MINE.match(line)]
            after += [f"{path}: {line}" for line in edited.splitlines() if MINE.match(line)]
            if edited != text:
                steps.append(Write(f"write {path}", path, edited))
        elif here:
            why = "there are no saved rules" if world.default else f"the saved rules are not those of {world.command}"
            notes.append(f"{world.command}: {why} on this host, so that the port is open until the next boot only")
        blocked += [
            f"the rule '{stands}' of {world.command} comes first and refuses {one.net}"
            for one in listed(here)
            if one.net in wish.nets and f"-A INPUT -j {_chain(one.port)}" in world.rules  # else ours will come first
            for stands in [refusal(_others(world.rules, "INPUT", one, version), one.net)]
            if stands
        ]
    if wished:
        steps += [Run(f"enable {unit} at boot", ("systemctl", "enable", unit)) for unit in seen.disabled]
    return Plan(steps, before, after, listed(wished), notes, [] if wish.absent else blocked)


def _transaction(world: World, live: dict[int, list[Opening | None]], here: set[Opening]) -> list[str]:
    """The lines that make our chains and jumps what they are to be; none where they are."""
    lines: list[str] = []
    for port in sorted({*live, *(one.port for one in here)}):
        wanted = [one for one in listed(here) if one.port == port]
        jumps = world.rules.count(f"-A INPUT -j {_chain(port)}")
        if wanted and live.get(port) != wanted:
            lines += [f":{_chain(port)} - [0:0]", *(f"-A {_chain(port)} {_rule(one)}" for one in wanted)]  # empties it, too, if it is there
        if wanted and not jumps:
            lines.append(f"-I INPUT -j {_chain(port)}")
        lines += [f"-D INPUT -j {_chain(port)}"] * (jumps - (1 if wanted else 0))
        if port in live and not wanted:
            lines += [f"-F {_chain(port)}", f"-X {_chain(port)}"]
    return lines


def edit(text: str, here: set[Opening]) -> str:
    """The saved file with our lines and no others changed: the jumps before all rules, our chains after them."""
    lines: list[str] = []
    ports = sorted({one.port for one in here})
    table, headed = "", False
    for line in text.splitlines():
        if line.startswith("*"):
            table, headed = line.strip(), False
        if table == "*filter" and MINE.match(line):
            continue
        if table == "*filter" and not headed and re.match(r"-A|\[|COMMIT", line):
            lines += [f":{_chain(port)} - [0:0]" for port in ports] + [f"-A INPUT -j {_chain(port)}" for port in ports]
            headed = True
        if table == "*filter" and line == "COMMIT":
            lines += [f"-A {_chain(one.port)} {_rule(one)}" for one in listed(here)]
        lines.append(line)
    if ports and "*filter" not in lines:
        lines += ["*filter", *(f":{_chain(port)} - [0:0]" for port in ports), *(f"-A INPUT -j {_chain(port)}" for port in ports)]
        lines += [*(f"-A {_chain(one.port)} {_rule(one)}" for one in listed(here)), "COMMIT"]
    return text if lines == text.splitlines() else "".join(line + "\n" for line in lines)


def _openings(rules: list[str], version: int) -> dict[int, list[Opening | None]]:
    """Our chains by port, and what each holds, in order; None is a rule that is not of our shape."""
    shape = re.compile(r"(?: -s (\S+))? -p tcp -m tcp --dport (\d+) -j ACCEPT$")
    found: dict[int, list[Opening | None]] = {}
    for line in rules:
        hit = re.match(r"(?:-N |:|(?:\[\d+:\d+\] )?-A )AIRFLOW_(\d+)(.*)", line)
        if hit:
            some = found.setdefault(int(hit.group(1)), [])
            if "-A " in line:
                words = shape.match(hit.group(2))
                some.append(Opening(network(words.group(1) or EVERYWHERE[version]), int(words.group(2))) if words else None)
    return found


def _others(rules: list[str], chain: str, one: Opening, version: int, depth: int = 0) -> Iterator[Rule]:
    """What comes before our jump and certainly decides about the port, through jumps as well."""
    shape = re.compile(rf"-A {re.escape(chain)}(?: -s (\S+))?(?: -p tcp)?(?: -m tcp)?(?: --dport (\d+)(?::(\d+))?)?{TALK} -[jg] (\S+)")
    for line in rules:
        if line == f"-A INPUT -j {_chain(one.port)}" and chain == "INPUT":
            return
        hit = shape.match(line)
        if not hit or (hit.group(2) and not int(hit.group(2)) <= one.port <= int(hit.group(3) or hit.group(2))):
            continue
        if hit.group(6) in ("ACCEPT", "DROP", "REJECT"):
            yield Rule(line, hit.group(6) != "ACCEPT", network(hit.group(1)) if hit.group(1) else None)
        elif hit.group(6) == "RETURN" and not hit.group(1):
            return
        elif not hit.group(1) and depth < 8:
            yield from _others(rules, hit.group(6), one, version, depth + 1)


def _chain(port: int) -> str:
    return f"AIRFLOW_{port}"


def _rule(one: Opening) -> str:
    """As iptables prints it: without a source where it is every one."""
    return f"{'' if one.net.prefixlen == 0 else f'-s {one.net} '}-p tcp -m tcp --dport {one.port} -j ACCEPT"
