# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is and what is wished to what must be done. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import MASK, has_mask, inside, same_leaves

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._resource import Resource

HIDDEN = "********"


class Plan(t.NamedTuple):
    verb: str  # keep, create, update or delete
    before: dict[str, t.Any]
    after: dict[str, t.Any]
    patch: dict[str, t.Any]  # what a create or an update sends
    unknown: t.Sequence[str] = ()  # fields of which nobody can know whether they are as wished

    @property
    def changed(self) -> bool:
        return self.verb != "keep"


def fit(resource: Resource, store: t.Any, desired: Mapping[str, t.Any], current: Mapping[str, t.Any] | None, warn: Callable[[str], None]) -> dict[str, t.Any]:
    """What is wished, as far as this Airflow has it: the rest is refused by name, or left out with a warning where it only describes."""
    fitting, rules, kind = dict(desired), store.rules, resource.kind.replace("_", " ")
    for name in [name for name in desired if name in rules.lacks]:
        if not resource.fields[name].describes:
            raise Unsupported(f"{store.title} has no {name} for a {kind}: {rules.lacks[name]}")
        warn(f"{store.title} has no {name} for a {kind}: left out")
        del fitting[name]
    fitting.update({name: spell(fitting[name]) for name, spell in rules.spelled.items() if name in fitting})
    for name, (value, why) in rules.fixed.items():
        if name in fitting and not resource.fields[name].same(fitting.pop(name), value):
            raise Unsupported(f"{name} of a {kind} can only be {value} on {store.title}: {why}")
    for name, (limit, why) in rules.longest.items():
        if len(str(fitting.get(name, "")).encode()) > limit:
            raise AirflowError(f"{name} is longer than {limit} bytes: {why}")
    if current is None:
        missing = [name for name in rules.needs if fitting.get(name) in (None, [], "") and not (resource.fields[name].empty and name in fitting)]
        if missing:
            raise AirflowError(f"To create the {kind} {desired[resource.key]!r}, {store.title} needs {', '.join(missing)}")
        fitting.update({name: fitting[source] for name, source in rules.defaults.items() if name not in fitting})
    return fitting


def plan(
    resource: Resource,
    current: Mapping[str, t.Any] | None,
    desired: Mapping[str, t.Any],
    absent: bool = False,
    matches: Mapping[str, bool | None] | None = None,
    retold: Collection[str] = (),
    secrets: str = "always",
    veils: Collection[str] | None = None,
) -> Plan:
    """Pure. ``matches`` says of each hidden field that is to be compared whether the stored value is the wished one (None: unknowable).

    ``secrets``: what is unknowable is sent (``always``) or left alone. ``retold``: fields that this Airflow tells in another form than they are kept in.
    ``veils``: those in which it shows masks; any of them, if that is not said.
    """
    if absent:
        return Plan("keep" if current is None else "delete", dict(current or {}), {}, {})
    if current is None:
        after = {name: desired.get(name) for name in resource.keys}
        after.update({name: HIDDEN for name in resource.secrets if name in desired})
        return Plan("create", {}, after, dict(desired))
    told = resource.veil(current) if secrets == "on_create" else current
    open_ones = [name for name in desired if name not in resource.secrets and name != resource.key]
    verdicts = {name: resource.fields[name].same(told.get(name), desired[name]) for name in open_ones}
    for name in [name for name, same in verdicts.items() if same is None and veils is not None and name not in veils and secrets != "on_create"]:
        verdicts[name] = _written(current.get(name)) == _written(desired[name])  # nothing is masked here, *** is what it holds
    verdicts.update({name: None for name, same in verdicts.items() if same is False and name in retold and same_json(current.get(name), desired[name])})
    verdicts.update(matches or {})
    patch = {name: desired[name] for name, same in verdicts.items() if same is False or (same is None and secrets == "always")}
    for name in patch if resource.masks else ():
        if veils is None or name in veils:
            judge_copied(name, current.get(name), desired[name])
        if secrets == "on_create" and has_mask(told.get(name)):
            raise AirflowError(
                f"{name} of the {resource.kind} {desired[resource.key]!r} differs, and to change it is to write the secrets in it, too: "
                "set update_secrets to if_known or always"
            )
    before, after = dict(current), {**current, **patch}
    for name in set(patch) & set(matches or ()):
        before[name], after[name] = HIDDEN, f"{HIDDEN} (new)"
    return Plan("update" if patch else "keep", before, after, patch, [name for name, same in verdicts.items() if same is None])


def _written(value: t.Any) -> str:
    """By this 1 is not true, and the order of keys says nothing."""
    return json.dumps(inside(value), sort_keys=True)


def judge_copied(name: str, told: t.Any, wished: t.Any) -> None:
    """A text with a mask in it that is just as Airflow shows it was copied from there: to write it would be to lose the secret."""
    told, wished = inside(told), inside(wished)
    if isinstance(told, dict) and isinstance(wished, dict):
        for key in set(told) & set(wished):
            judge_copied(name, told[key], wished[key])
    elif isinstance(told, list) and isinstance(wished, list):
        for one, other in zip(told, wished):
            judge_copied(name, one, other)
    elif isinstance(wished, str) and MASK in wished and told == wished:
        raise AirflowError(f"{name} holds {MASK!r} where Airflow hides a part of a text: give the secret itself")


def same_json(one: t.Any, other: t.Any) -> bool:
    """Texts that say the same as JSON."""
    try:
        return same_leaves(json.loads(one), json.loads(other)) is True
    except (TypeError, ValueError):
        return False


def shown(resource: Resource, todo: Plan) -> dict[str, dict[str, t.Any]]:
    """The plan as a diff that tells no secret, and yet that one has changed."""
    before, after = resource.veil(todo.before), resource.veil(todo.after)
    if todo.verb == "update":
        after.update({name: f"{HIDDEN} (new)" for name in todo.patch if before.get(name) == after.get(name)})
    return dict(before=before, after=after)


def apply(todo: Plan, store: t.Any, key: str) -> dict[str, t.Any]:
    """The only writer. Returns the object as the Airflow tells it afterwards."""
    if todo.verb == "create":
        return store.create(todo.patch)
    if todo.verb == "update":
        return store.update(key, todo.patch, todo.before)
    if todo.verb == "delete":
        store.delete(key)
    return todo.after
