# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ufw: an allow rule per source with our comment, in ufw's files and in the kernel. **PRIVATE** to the collection.

What is there is read from ufw's own files, for `ufw show added` prints a rule for every IPv4 address and one for every address alike.
"""

from __future__ import annotations

import collections
import ipaddress
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import IPTABLES, to_enable
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import MARK, Opening, Plan, Rule, Run, listed, of_family, refusal, target
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import network, short

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import Found
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Wish

FILES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
CHAINS = {4: "ufw-user-input", 6: "ufw6-user-input"}
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


class Tuple(t.NamedTuple):
    """A rule of ufw's as its file tells it. ``opening`` where it lets one source to one TCP port, and says nothing else."""

    text: str
    verb: str
    protocol: str
    ports: str
    source: t.Any
    simple: bool  # nothing but a source and a port is asked for
    comment: str
    rules: list[Opening | None]  # that it makes in ufw's chain of the kernel; None is one of another shape

    @property
    def opening(self) -> Opening | None:
        if self.verb == "allow" and self.simple and self.protocol == "tcp" and self.ports.isdigit():
            return Opening(self.source, int(self.ports))
        return None


class Seen(t.NamedTuple):
    tuples: dict[int, list[Tuple]]  # by family
    kernel: dict[int, list[Opening | None]]  # the rules of ufw's chain; None is one of another shape
    ipv6: bool
    disabled: bool


def look(host: Host, found: Found) -> Seen:
    ipv6 = re.search(r"(?m)^IPV6=['\"]?yes", host.text("/etc/default/ufw") or "", re.IGNORECASE) is not None
    families = (4, 6) if ipv6 else (4,)
    return Seen(
        {version: parse(host.text(FILES[version]) or "") for version in families},
        {version: kernel(host.tell(IPTABLES[version], "-S", CHAINS[version]), version) for version in families},
        ipv6,
        to_enable(host, "ufw"),
    )


def parse(text: str) -> list[Tuple]:
    """Lines such as `### tuple ### allow tcp 8080 0.0.0.0/0 any 10.0.0.0/24 in comment=6461`, each with its rules behind it."""
    found = []
    for block in text.split("### tuple ### ")[1:]:
        line, *rules = block.splitlines()
        words, _mark, comment = line.partition(" comment=")
        fields = words.split()
        verb, protocol, ports, to, from_ports, source = fields[:6]
        simple = fields[6:] in ([], ["in"]) or (
            len(fields) == 9 and fields[8] == "in"
        )  # no interface, no other direction; with names of applications or without
        simple = simple and protocol in ("tcp", "any") and from_ports == "any" and to in EVERYWHERE.values()
        net = ipaddress.ip_network(source, strict=False)
        made = [_made(rule, net.version) for rule in rules if rule.startswith(f"-A {CHAINS[net.version]} ")]
        found.append(Tuple(words, verb.partition("_")[0], protocol, ports, net, simple, unhex(comment), made))
    return found


def _made(rule: str, version: int) -> Opening | None:
    hit = re.match(rf"-A {CHAINS[version]} -p tcp --dport (\d+)(?: -s (\S+))? -j ACCEPT$", rule)
    return Opening(network(hit.group(2) or EVERYWHERE[version]), int(hit.group(1))) if hit else None


def unhex(comment: str) -> str:
    try:
        return bytes.fromhex(comment).decode(errors="replace")
    except ValueError:
        return comment


def kernel(text: str, version: int) -> list[Opening | None]:
    shape = re.compile(rf"-A {CHAINS[version]}(?: -s (\S+))? -p tcp -m tcp --dport (\d+) -j ACCEPT$")
    hits = [shape.match(line) for line in text.splitlines() if line.startswith("-A ")]
    return [Opening(network(hit.group(1) or EVERYWHERE[version]), int(hit.group(2))) if hit else None for hit in hits]


def saved(host: Host, port: str) -> list[str]:
    """The files that hold our rules for these ports (a pattern)."""
    mine = re.compile(rf"(?m)^### tuple ### allow tcp {port} .* comment={MARK.encode().hex()}$")
    return [path for path in FILES.values() if mine.search(host.text(path) or "")]


def plan(seen: Seen, wish: Wish) -> Plan:
    for net in wish.nets:
        if net.version == 6 and not seen.ipv6 and not wish.absent:
            raise AirflowError(f"ufw has IPv6 switched off (IPV6=no in /etc/default/ufw), so that {net} cannot be let in: switch it on, or leave it out")
    steps: list[t.Any] = []
    before, blocked = [], []
    stored = {version: {one.opening: one.comment == MARK for one in tuples if one.opening} for version, tuples in seen.tuples.items()}
    ours = {opening for openings in stored.values() for opening, mine in openings.items() if mine}
    wished = target(ours, wish)
    for version, tuples in seen.tuples.items():
        known, live, here = stored[version], seen.kernel[version], of_family(wished, version)
        due = collections.Counter(rule for one in tuples for rule in one.rules)  # an administrator's rule for tcp and udp makes one like ours
        for one in listed(of_family(ours, version) - here):
            if live.count(one) < due[one]:  # ufw would not delete what the kernel has lost, or an administrator's
                steps.append(_kernel("put back, to delete it,", version, ("-A",), one))
            steps.append(Run(f"delete {_name(one)}", ("ufw", "delete", *_words(one))))
            steps += [_kernel("delete a second time", version, ("-D",), one)] * (live.count(one) - due[one])
        for one in listed({one for one in live if one and one not in known and (one in here or one.port == wish.port and wish.exclusive)}):
            steps += [_kernel("delete what is in no file:", version, ("-D",), one)] * (live.count(one) - due[one])
        for one in listed(here):
            if one not in known:
                steps.append(Run(f"allow {_name(one)}", ("ufw", *_words(one), "comment", MARK)))
            elif one not in live:
                steps.append(_kernel("put back", version, ("-I", _place(tuples, live, one)), one))
            stands = refusal(_others(tuples, one), one.net)
            if stands and one.net in wish.nets:
                blocked.append(f"the ufw rule '{stands}' comes first and refuses {one.net}")
        before += [f"ufw: {_name(one)}" for one in listed(of_family(ours, version))] + [
            f"kernel: {_name(one)}" for one in listed({one for one in live if one} & (ours | here))
        ]
    after = [f"{place}: {_name(one)}" for version in seen.tuples for place in ("ufw", "kernel") for one in listed(of_family(wished, version))]
    if wished and seen.disabled:
        steps.append(Run("enable ufw at boot", ("systemctl", "enable", "ufw")))
    return Plan(steps, before, after, listed(wished), [], [] if wish.absent else blocked)


def _others(tuples: list[Tuple], one: Opening) -> list[Rule]:
    """What comes before ours, or before where it will be, and certainly decides about the port."""
    found = []
    for other in tuples:
        if other.opening == one:
            break
        if other.simple and other.verb in ("allow", "deny", "reject") and _has(other.ports, one.port):
            everyone = other.source.prefixlen == 0
            found.append(Rule(other.text, other.verb != "allow", None if everyone else other.source))
    return found


def _has(ports: str, port: int) -> bool:
    ranges = [part.partition(":") for part in ports.split(",")]
    return ports == "any" or any(int(low) <= port <= int(high or low) for low, _colon, high in ranges)


def _words(one: Opening) -> tuple[str, ...]:
    return ("allow", "proto", "tcp", "from", str(one.net) if one.net.prefixlen == 0 else short(one.net), "to", "any", "port", str(one.port))


def _place(tuples: list[Tuple], live: list[Opening | None], one: Opening) -> str:
    """Where ufw itself would have put it in its chain: behind the rules of what stands before it in the file."""
    before = [other.opening for other in tuples].index(one)
    return str(1 + min(sum(len(other.rules) for other in tuples[:before]), len(live)))


def _kernel(what: str, version: int, verb: tuple[str, ...], one: Opening) -> Run:
    words = ("-p", "tcp", "-m", "tcp", "--dport", str(one.port), "-j", "ACCEPT")
    source = () if one.net.prefixlen == 0 else ("-s", str(one.net))
    return Run(f"kernel: {what} {_name(one)}", (IPTABLES[version], "-w", "5", verb[0], CHAINS[version], *verb[1:], *source, *words))


def _name(one: Opening) -> str:
    return f"{one.net} to port {one.port}"
