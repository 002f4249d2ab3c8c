# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are meant. **PRIVATE** to the collection."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def networks(sources: Iterable[str]) -> list[Network]:
    """In one spelling, without host bits, each once, in order. An entry that means nothing, or nobody, is refused by its name."""
    return sorted({_caller(source) for source in sources}, key=order)


def _caller(source: str) -> Network:
    found = network(source)
    for why, so in (
        ("an IPv4 address written as one of IPv6", found.version == 6 and found.subnet_of(MAPPED)),
        ("a loopback address", found.is_loopback),
        ("the unspecified address", found.is_unspecified),
        ("a multicast address", found.is_multicast),
    ):
        if so:
            raise AirflowError(f"The source {source!r} is {why}, from which no other host calls: write the address that the caller has in the network")
    return found


def network(source: str) -> Network:
    text = source.strip()
    if re.match(r"(\d+\.){0,3}0\d", text):  # octal for some programs, decimal for others
        raise AirflowError(f"The source {source!r} has a number with a leading zero: write it without")
    try:
        if "%" in text:
            raise ValueError("an interface is no part of a source")
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise AirflowError(f"The source {source!r} is neither an address nor a network: write it like 10.0.0.7, 10.0.0.0/24 or 2001:db8::/64") from None
    if found.prefixlen == 0 and text.partition("/")[0] not in ("0.0.0.0", "::"):
        raise AirflowError(f"The source {source!r} means every address: if that is wished, write {found}")
    return found


def order(net: Network) -> tuple[int, int, int]:
    return net.version, int(net.network_address), net.prefixlen


def short(net: Network) -> str:
    """As firewalls print it: a single address has no prefix."""
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)
