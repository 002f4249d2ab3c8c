# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wished: pure data. **PRIVATE** to the collection."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def equal(one: t.Any, other: t.Any) -> bool:
    return one == other


def as_set(one: t.Any, other: t.Any) -> bool:
    """Lists that mean a set: order and repetition say nothing."""
    return set(one or ()) == set(other or ())


DATE = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)\Z")


def instant(text: str) -> datetime:
    """Of a date with its time zone (ISO 8601); ValueError for anything else. (``fromisoformat`` of Python 3.8 knows too few forms.)"""
    match = DATE.match(text)
    if not match:
        raise ValueError(text)
    day, minute, second, fraction, zone = match.groups()
    zone = "+0000" if zone == "Z" else zone.replace(":", "")
    return datetime.strptime(f"{day} {minute}:{second or '00'}.{(fraction or '0')[:6]}{zone}", "%Y-%m-%d %H:%M:%S.%f%z").astimezone(timezone.utc)


def as_instant(one: t.Any, other: t.Any) -> bool:
    """Dates that mean the same moment."""
    return one == other if one is None or other is None else instant(one) == instant(other)


class Field(t.NamedTuple):
    spec: Mapping[str, t.Any]  # Ansible's own words, verbatim
    same: Callable[[t.Any, t.Any], bool] = equal
    wrong: Callable[[t.Any], str] = lambda value: ""  # why no Airflow should get this value: some take it, and are broken by it
    describes: bool = False  # says something to people only: an Airflow that lacks it goes without, with a warning

    @property
    def secret(self) -> bool:
        return self.spec.get("no_log") is True


class Resource(t.NamedTuple):
    """One kind of thing that an Airflow holds."""

    kind: str  # names the dialects' row, the module and the returned key
    key: str  # the field that identifies it
    fields: Mapping[str, Field]
    parents: Mapping[str, Mapping[str, t.Any]] = {}  # options that fill the path: the dag_id of a run
    steers: Mapping[str, Mapping[str, t.Any]] = {}  # options that say how, not what
    told: t.Sequence[str] = ()  # what servers tell beside the fields
    stays: t.Sequence[str] = ()  # Airflow's own, which cannot be removed

    @property
    def argument_spec(self) -> dict[str, t.Any]:
        spec: dict[str, t.Any] = {name: dict(field.spec) for name, field in self.fields.items()}
        spec.update({name: dict(words) for name, words in {**self.parents, **self.steers}.items()})
        spec["state"] = dict(type="str", choices=["present", "absent"], default="present")
        return spec

    @property
    def secrets(self) -> list[str]:
        return [name for name, field in self.fields.items() if field.secret]

    @property
    def keys(self) -> list[str]:
        """What a returned object has, on every Airflow."""
        return [name for name in (*self.fields, *self.told) if name not in self.secrets]

    def desired(self, options: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """An omitted option means: leave alone."""
        return {name: options[name] for name in self.fields if options.get(name) is not None}

    def scope(self, options: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {name: options[name] for name in self.parents}


class Action(t.NamedTuple):
    """One deed that is more than "make it so"."""

    name: str
    argument_spec: Mapping[str, t.Any]
    perform: Callable[..., dict[str, t.Any]]  # (context) -> result
    required: Mapping[str, t.Any] = {}  # AnsibleModule's mutually_exclusive, required_by, ...
