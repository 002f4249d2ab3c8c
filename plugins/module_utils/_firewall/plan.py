# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the backends have in common: words for what is wished, found and to be done. Pure. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import order

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import Network

MARK = "dagops.airflow"


class Opening(t.NamedTuple):
    net: Network
    port: int


class Wish(t.NamedTuple):
    port: int
    nets: tuple[Network, ...]
    absent: bool = False
    exclusive: bool = True
    zone: str = ""


class Run(t.NamedTuple):
    """A command that writes. ``trial`` is the same without writing, where a backend has such a thing."""

    what: str
    argv: tuple[str, ...]
    stdin: str = ""
    trial: tuple[str, ...] = ()


class Write(t.NamedTuple):
    """A file's new text; None removes it."""

    what: str
    path: str
    text: str | None


class Plan(t.NamedTuple):
    steps: list[Run | Write]
    before: list[str]
    after: list[str]
    open: list[Opening]  # ours, afterwards
    notes: list[str]
    blocked: list[str]  # why the port would stay shut


class Rule(t.NamedTuple):
    """Somebody else's rule that certainly decides about our port, for this source (None: for every one)."""

    text: str
    refuses: bool
    source: Network | None


def target(ours: Iterable[Opening], wish: Wish) -> set[Opening]:
    """What of ours is to be there afterwards."""
    asked = {Opening(net, wish.port) for net in wish.nets}
    if wish.absent:
        if wish.exclusive:
            return set()
        return {one for one in ours if one.port != wish.port or (asked and one not in asked)}
    return asked if wish.exclusive else asked | set(ours)


def listed(openings: Iterable[Opening]) -> list[Opening]:
    return sorted(openings, key=lambda one: (one.port, order(one.net)))


def of_family(openings: Iterable[Opening], version: int) -> set[Opening]:
    return {one for one in openings if one.net.version == version}


def inside(net: Network, source: Network | None) -> bool:
    return source is None or (net.version == source.version and net.subnet_of(source))


def refusal(rules: Iterable[Rule], net: Network) -> str | None:
    """The first of these rules that takes everything from this network, if it refuses."""
    for rule in rules:
        if inside(net, rule.source):
            return rule.text if rule.refuses else None
    return None
