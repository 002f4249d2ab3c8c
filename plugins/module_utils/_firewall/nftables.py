# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nftables: a chain of our own in every table that drops, with one jump to it at the head of the chain that drops. **PRIVATE** to the collection.

An accept in a table of our own would open nothing, for the other chains are asked as well. At run time all is one transaction, in which no
table of anybody's is flushed. For the boot there is a file of our own, included last in nftables' own file.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import to_enable, versions
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Opening, Plan, Rule, Run, Write, listed, refusal, target
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import network, short

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.find import Chain, Found, Key
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host
    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Wish

FILES = ("/etc/sysconfig/nftables.conf", "/etc/nftables.conf")  # what the unit reads: RHEL and Fedora, others
FOLDER = "/etc/nftables.airflow.d"  # which no pattern of an administrator's matches, else it would be read twice, or before its table is there
INCLUDE = f'include "{FOLDER}/*.nft"'
HEAD = "# What the role dagops.airflow.airflow_firewall opened, for the boot. Anything that is written here by hand is lost.\n"
OURS = re.compile(r"airflow_(\d+)$")
TELLING = re.compile(r"\s*(ip6? saddr \S+ tcp dport \d+ accept|insert rule .* jump airflow_\d+)$")


class Seen(t.NamedTuple):
    chains: list[Chain]
    rules: Mapping[Key, list[dict[str, t.Any]]]
    file: str  # nftables' own
    text: str
    read: str  # the same with all that it includes
    saved: dict[int, str]  # our files' texts by port
    disabled: bool


def look(host: Host, found: Found) -> Seen:
    file = next((file for file in FILES if host.text(file) is not None), FILES[-1])
    text = host.text(file) or ""
    patterns = [os.path.join(os.path.dirname(file), pattern) for pattern in re.findall(r'(?m)^\s*include\s+"([^"]+)"', text)]
    included = [name for pattern in patterns for name in sorted(glob.glob(pattern)) if not name.startswith(f"{FOLDER}/")]
    ports = [int(hit.group(1)) for name in host.names(FOLDER) for hit in [re.match(r"(\d+)\.nft$", name)] if hit]
    return Seen(
        [chain for chain in found.chains if chain.owner == "nftables"],
        found.rules,
        file,
        text,
        "\n".join([text, *(host.text(name) or "" for name in included)]),
        {port: host.text(_file(port)) or "" for port in ports},
        to_enable(host, "nftables"),
    )


def saved(host: Host, port: str) -> list[str]:
    """Our files of these ports (a pattern) for the boot."""
    return [f"{FOLDER}/{name}" for name in host.names(FOLDER) if re.match(rf"{port}\.nft$", name)]


def plan(seen: Seen, wish: Wish) -> Plan:
    inputs = [chain.key for chain in seen.chains if chain.hook == "input"]
    dropping = [chain.key for chain in seen.chains if chain.drops]
    tables = list(dict.fromkeys(key[:2] for key in inputs))
    ours = {(table, port): _openings(seen.rules[(*table, _chain(port))]) for table in tables for port in _ports(seen, table)}
    there = {one for openings in ours.values() for one in openings if one} | {one for text in seen.saved.values() for one in _stored(text)}
    wished = target(there, wish)
    lines: list[str] = []
    before, after, blocked = [], [], []
    for table in tables:
        heads = [key for key in inputs if key[:2] == table]
        for port in sorted({*_ports(seen, table), *(one.port for one in wished)}):
            here = [one for one in listed(wished) if one.port == port and one.net.version in versions(table[0])]
            if not any(key in dropping for key in heads):
                here = []
            lines += _transaction(seen, table, port, here, heads, dropping)
            before += [f"{' '.join(table)}: {_rule(one) if one else 'something else'}" for one in ours.get((table, port), [])]
            before += [f"{' '.join(key)}: jump {_chain(port)}" for key in heads for _jump in _jumps(seen, key, _chain(port))]
            after += [f"{' '.join(table)}: {_rule(one)}" for one in here]
            after += [f"{' '.join(key)}: jump {_chain(port)}" for key in heads if here and key in dropping]
    for key in [chain.key for chain in seen.chains]:
        if key in dropping and not any(_jumps(seen, key, _chain(wish.port))):
            continue  # ours will come first
        blocked += [
            f"the rule '{stands}' of the chain {' '.join(key)} comes first and refuses {one.net}"
            for one in listed(wished)
            if one.net in wish.nets and one.net.version in versions(key[0])
            for stands in [refusal(_others(seen.rules, key, one.port), one.net)]
            if stands
        ]
    steps: list[t.Any] = []
    if lines:
        steps.append(Run(f"nft: {'; '.join(lines)}", ("nft", "-f", "-"), "\n".join(lines) + "\n", ("nft", "-c", "-f", "-")))
    lasting = [key for key in dropping if _saved(seen, key)]
    notes = [
        f"The table {' '.join(key[:2])} is not in {seen.file}, so that the port is open in it until the next boot only"
        for key in dropping
        if key not in lasting and wished
    ]
    files = _files(seen, wished, lasting)
    steps += files
    now = {**{_file(port): text for port, text in seen.saved.items()}, seen.file: seen.text}
    before += [f"{path}: {line}" for path, text in sorted(now.items()) for line in _telling(text) if path != seen.file or line == INCLUDE]
    now.update({step.path: step.text or "" for step in files})
    after += [f"{path}: {line}" for path, text in sorted(now.items()) for line in _telling(text) if path != seen.file or line == INCLUDE]
    if wished and lasting and seen.disabled:
        steps.append(Run("enable nftables at boot", ("systemctl", "enable", "nftables")))
    return Plan(steps, before, after, listed(wished), notes, [] if wish.absent else blocked)


def _saved(seen: Seen, key: Key) -> bool:
    """Whether the boot makes this table. One of the family ip may be written without its family."""
    family = rf"{key[0]}\s+"
    return re.search(rf"\btable\s+{f'({family})?' if key[0] == 'ip' else family}{re.escape(key[1])}(?![\w-])", seen.read) is not None


def _transaction(seen: Seen, table: tuple[str, str], port: int, here: list[Opening], heads: list[Key], dropping: list[Key]) -> list[str]:
    """The lines that make this table's chain and its jumps what they are to be; none where they are."""
    name, own, there = " ".join(table), (*table, _chain(port)), (*table, _chain(port)) in seen.rules
    lines = []
    if here and _openings(seen.rules.get(own, [])) != here:
        lines += [f"flush chain {name} {own[2]}"] if there else []
        lines += [f"add chain {name} {own[2]}"] if not there else []
        lines += [f"add rule {name} {own[2]} {_rule(one)}" for one in here]
    for key in heads:
        jumps = _jumps(seen, key, own[2])
        wanted = 1 if here and key in dropping else 0
        if wanted and not jumps:
            lines.append(f"insert rule {name} {key[2]} jump {own[2]}")
        lines += [f"delete rule {name} {key[2]} handle {handle}" for handle in jumps[wanted:]]
    if there and not here:
        lines += [f"flush chain {name} {own[2]}", f"delete chain {name} {own[2]}"]
    return lines


def _jumps(seen: Seen, key: Key, chain: str) -> list[int]:
    return [rule["handle"] for rule in seen.rules[key] if {"jump": {"target": chain}} in rule.get("expr", [])]


def _files(seen: Seen, wished: set[Opening], lasting: list[Key]) -> list[Write]:
    steps = []
    ports = sorted({one.port for one in wished}) if lasting else []
    for port in ports:
        text = _text([one for one in listed(wished) if one.port == port], lasting)
        if seen.saved.get(port) != text:
            steps.append(Write(f"write {_file(port)}", _file(port), text))
    steps += [Write(f"remove {_file(port)}", _file(port), None) for port in sorted(seen.saved) if port not in ports]
    lines = seen.text.rstrip().splitlines()
    others = [line for line in seen.text.splitlines() if line.strip() != INCLUDE]
    included = [number for number, line in enumerate(lines, 1) if line.strip() == INCLUDE]
    if ports and included != [len(lines)]:  # once, and last
        steps.append(Write(f"include {_file(ports[0])} in {seen.file}", seen.file, "\n".join([*others, INCLUDE]) + "\n"))
    elif not ports and included:
        steps.append(Write(f"include nothing of ours in {seen.file}", seen.file, "".join(line + "\n" for line in others)))
    return steps


def _text(openings: list[Opening], keys: list[Key]) -> str:
    """The chain that drops is named without its words: were it gone, the boot would not fail for us."""
    text = HEAD
    for table in dict.fromkeys(key[:2] for key in keys):
        here = [one for one in openings if one.net.version in versions(table[0])]
        if here:
            chain = _chain(here[0].port)
            heads = [key[2] for key in keys if key[:2] == table]
            text += f"table {' '.join(table)} {{\n\tchain {chain} {{\n" + "".join(f"\t\t{_rule(one)}\n" for one in here) + "\t}\n"
            text += "".join(f"\tchain {head} {{\n\t}}\n" for head in heads) + "}\n"
            text += "".join(f"insert rule {' '.join(table)} {head} jump {chain}\n" for head in heads)
    return text


def _telling(text: str) -> list[str]:
    """What of a file a diff shows: our rules, our jumps, and that ours are included."""
    return [line.strip() for line in text.splitlines() if line.strip() == INCLUDE or TELLING.match(line)]


def _stored(text: str) -> list[Opening]:
    return [Opening(network(net), int(port)) for net, port in re.findall(r"^\s*ip6? saddr (\S+) tcp dport (\d+) accept$", text, re.MULTILINE)]


def _file(port: int) -> str:
    return f"{FOLDER}/{port}.nft"


def _chain(port: int) -> str:
    return f"airflow_{port}"


def _ports(seen: Seen, table: tuple[str, str]) -> list[int]:
    return sorted(int(hit.group(1)) for key in seen.rules if key[:2] == table for hit in [OURS.match(key[2])] if hit)


def _rule(one: Opening) -> str:
    return f"ip{'6' if one.net.version == 6 else ''} saddr {short(one.net)} tcp dport {one.port} accept"


def _openings(rules: list[dict[str, t.Any]]) -> list[Opening | None]:
    """What our chain holds, in order; None is a rule that is not of our shape."""
    return [_opening(rule.get("expr", [])) for rule in rules]


def _opening(expr: list[dict[str, t.Any]]) -> Opening | None:
    known = _match(expr[:-1])
    if len(expr) == 3 and "accept" in expr[2] and known and known[0] is not None and isinstance(known[1], int):
        return Opening(known[0], known[1])
    return None


def _others(rules: Mapping[Key, list[dict[str, t.Any]]], key: Key, port: int, depth: int = 0) -> Iterator[Rule]:
    """What comes before our jump and certainly decides about the port, through jumps as well."""
    for rule in rules.get(key, []):
        expr = [part for part in rule.get("expr", []) if not {"counter", "log"} & set(part)]
        if {"jump": {"target": _chain(port)}} in expr:
            return
        known = _match(expr[:-1]) if expr else None
        if known is None or not _has(known[1], port):
            continue
        (verdict,) = expr[-1]
        if verdict in ("accept", "drop", "reject"):
            text = f"{'' if known[0] is None else str(known[0]) + ' '}{'' if known[1] is None else 'tcp dport ' + _ports_text(known[1]) + ' '}{verdict}"
            yield Rule(text, verdict != "accept", known[0])
        elif verdict in ("jump", "goto") and known[0] is None and depth < 8:
            yield from _others(rules, (key[0], key[1], expr[-1][verdict]["target"]), port, depth + 1)
        elif verdict == "return" and known[0] is None:
            return


def _match(expr: list[dict[str, t.Any]]) -> tuple[t.Any, t.Any] | None:
    """(source, ports) of a rule that asks for nothing else; None where it does."""
    source = ports = None
    for part in expr:
        words = part.get("match", {})
        left = words.get("left", {})
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        meta = left.get("meta", {}).get("key") if isinstance(left, dict) else None
        right = words.get("right")
        if words.get("op") != "==":
            return None
        if payload.get("field") == "saddr" and payload.get("protocol") in ("ip", "ip6") and _net(right):
            source = _net(right)
        elif payload.get("field") == "dport" and payload.get("protocol") in ("tcp", "th"):
            ports = right
        elif meta == "nfproto" and right in ("ipv4", "ipv6"):
            source = source or network({"ipv4": "0.0.0.0/0", "ipv6": "::/0"}[right])
        elif not (meta == "l4proto" and right in ("tcp", 6)):
            return None
    return source, ports


def _net(right: t.Any) -> t.Any:
    if isinstance(right, dict) and "prefix" in right:
        return network(f"{right['prefix']['addr']}/{right['prefix']['len']}")
    try:
        return network(right) if isinstance(right, str) else None
    except AirflowError:
        return None


def _has(ports: t.Any, port: int) -> bool:
    if isinstance(ports, dict) and "set" in ports:
        return any(_has(one, port) for one in ports["set"])
    if isinstance(ports, dict) and "range" in ports:
        return ports["range"][0] <= port <= ports["range"][1]
    return ports is None or ports == port


def _ports_text(ports: t.Any) -> str:
    if isinstance(ports, dict) and "set" in ports:
        return "{ " + ", ".join(map(_ports_text, ports["set"])) + " }"
    if isinstance(ports, dict) and "range" in ports:
        return "-".join(map(str, ports["range"]))
    return str(ports)
