# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wished: pure data. **PRIVATE** to the collection."""

from __future__ import annotations

import contextlib
import json
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
    moment = datetime.strptime(f"{day} {minute}:{second or '00'}.{(fraction or '0')[:6]}{zone}", "%Y-%m-%d %H:%M:%S.%f%z")
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(text) from None


def as_instant(one: t.Any, other: t.Any) -> bool:
    """Dates that mean the same moment."""
    return one == other if one is None or other is None else instant(one) == instant(other)


MASK = "***"  # what Airflow shows in place of a secret
# Airflow's own words: a name with one of these in it is a secret's (DEFAULT_SENSITIVE_FIELDS of airflow/sdk/_shared/secrets_masker).
SENSITIVE = (
    *("access_token", "api_key", "apikey", "authorization", "keyfile_dict", "passphrase", "passwd", "password", "private_key"),
    *("proxies", "proxy", "secret", "service_account", "token"),
)


def sensitive(name: str) -> bool:
    return any(word in name.lower() for word in SENSITIVE)


def inside(value: t.Any) -> t.Any:
    """The mapping or list that a text is the JSON of; anything else as it is."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return found if isinstance(found, (dict, list)) else value


def veiled(value: t.Any, hidden: bool = False) -> t.Any:
    """The same with a mask for each leaf that has a secret's name, or lies below one, as Airflow has it."""
    if isinstance(value, dict):
        return {name: veiled(one, hidden or sensitive(str(name))) for name, one in value.items()}
    if isinstance(value, list):
        return [veiled(one, hidden) for one in value]
    return MASK if hidden else value


def secret_leaves(value: t.Any, hidden: bool = False) -> list[str]:
    """The texts that ``veiled`` puts a mask over."""
    if isinstance(value, dict):
        return [leaf for name, one in value.items() for leaf in secret_leaves(one, hidden or sensitive(str(name)))]
    if isinstance(value, list):
        return [leaf for one in value for leaf in secret_leaves(one, hidden)]
    return [str(value)] if hidden and value not in ("", MASK, None, True, False) else []


def has_mask(value: t.Any) -> bool:
    found = inside(value)
    if isinstance(found, (dict, list)):
        return any(has_mask(one) for one in (found.values() if isinstance(found, dict) else found))
    return found == MASK


def same_leaves(told: t.Any, wished: t.Any) -> bool | None:
    """Leaf by leaf; None where all that could differ is behind a mask, which may also stand for a part of a text."""
    if told == MASK:
        return None
    if isinstance(told, dict) and isinstance(wished, dict) and set(told) == set(wished):
        verdicts = [same_leaves(told[name], wished[name]) for name in wished]
    elif isinstance(told, list) and isinstance(wished, list) and len(told) == len(wished):
        verdicts = [same_leaves(one, other) for one, other in zip(told, wished)]
    elif isinstance(told, str) and isinstance(wished, str) and MASK in told:
        return None if re.fullmatch(".*".join(map(re.escape, told.split(MASK))), wished, re.DOTALL) else False
    else:
        return bool(told == wished and isinstance(told, bool) == isinstance(wished, bool))
    return False if False in verdicts else None if None in verdicts else True


def same_json(one: t.Any, other: t.Any) -> bool:
    """No boolean is a number; a number may come back written otherwise (PostgreSQL keeps 1e3 as 1000)."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if {type(one), type(other)} == {int, float}:
        with contextlib.suppress(OverflowError):
            return float(one) == float(other)
    return bool(one == other and isinstance(one, bool) == isinstance(other, bool))


def same_text(one: t.Any, other: t.Any) -> bool:
    """No text is an empty text."""
    return (one or "") == (other or "")


class Field(t.NamedTuple):
    spec: Mapping[str, t.Any]  # Ansible's own words, verbatim
    same: Callable[[t.Any, t.Any], bool | None] = equal  # (told, wished); None: nobody can know
    kept: Callable[[t.Any], t.Any] = lambda value: value  # in which form Airflow keeps what people write in several
    empty: bool = False  # an empty text is a value like any other
    wrong: Callable[[t.Any], str] = lambda value: ""  # why no Airflow should get this value: some take it, and are broken by it
    describes: bool = False  # says something to people only: an Airflow that lacks it goes without, with a warning

    @property
    def secret(self) -> bool:
        return self.spec.get("no_log") is True


UPDATE_SECRETS: Mapping[str, t.Any] = dict(update_secrets=dict(type="str", choices=["if_known", "always", "on_create"], default="if_known", no_log=False))


class Resource(t.NamedTuple):
    """One kind of thing that an Airflow holds."""

    kind: str  # names the dialects' row, the module and the returned key
    key: str  # the field that identifies it
    fields: Mapping[str, Field]
    parents: Mapping[str, Mapping[str, t.Any]] = {}  # options that fill the path: the dag_id of a run
    steers: Mapping[str, Mapping[str, t.Any]] = {}  # options that say how, not what
    told: t.Sequence[str] = ()  # what servers tell beside the fields
    stays: t.Sequence[str] = ()  # Airflow's own, which cannot be removed
    required: Mapping[str, t.Any] = {}  # AnsibleModule's mutually_exclusive, required_by, ...
    masks: bool = False  # some Airflow shows a mask in place of a part of it
    unfold: Callable[[Mapping[str, t.Any]], dict[str, t.Any]] = dict  # options that stand for several others become those; ValueError says what is wrong
    hides: Callable[[Mapping[str, t.Any]], t.Sequence[str]] = lambda options: ()  # secrets in options that are none as a whole
    veil: Callable[[Mapping[str, t.Any]], dict[str, t.Any]] = dict  # what of an object may be shown

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
        return {name: field.kept(options[name]) for name, field in self.fields.items() if options.get(name) is not None}

    def scope(self, options: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {name: options[name] for name in self.parents}


class Action(t.NamedTuple):
    """One deed that is more than "make it so"."""

    name: str
    argument_spec: Mapping[str, t.Any]
    perform: Callable[..., dict[str, t.Any]]  # (context) -> result
    required: Mapping[str, t.Any] = {}  # AnsibleModule's mutually_exclusive, required_by, ...
    over_rest: str = ""  # what is done through the REST API alone, as the begin of a sentence
