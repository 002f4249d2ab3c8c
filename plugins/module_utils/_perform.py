# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole behaviour of a module, knowing no Ansible: (what, options, check mode) -> result. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION, Connection, connect
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, NotThereYet
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import apply, fit, plan, shown
from ansible_collections.dagops.airflow.plugins.module_utils._resource import MASK, Action, Resource, has_mask

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Context:
    """What a deed may use: the options, a connection, and two ways to be heard."""

    def __init__(
        self,
        options: Mapping[str, t.Any],
        check_mode: bool,
        tell: Callable[[dict[str, t.Any]], None] | None,
        warn: Callable[[str], None],
        connections: dict[t.Any, Connection],
    ) -> None:
        self.options = options
        self.check_mode = check_mode
        self.tell = tell or (lambda seen: None)
        self.warn = warn
        self._connections = connections

    def of(self, options: Mapping[str, t.Any], warn: Callable[[str], None]) -> Context:
        """The same for a part of the task, with options of its own."""
        return Context(options, self.check_mode, self.tell, warn, self._connections)

    def once(self, what: t.Any, ask: Callable[[], t.Any]) -> t.Any:
        """What needs to be asked once in a task, or in a loop."""
        memory = self.connection.memory
        if memory.get(what) is None:  # what was not there may have come
            memory[what] = ask()
        return memory[what]

    def hides(self, text: str) -> bool:
        """Whether a result would not show this text as it is, because a secret is in it."""
        secrets = (self.options[name] for name, words in CONNECTION.items() if words.get("no_log"))
        return any(secret and json.dumps(secret)[1:-1] in text for secret in secrets)

    @property
    def connection(self) -> Connection:
        """Made when it is first needed, and shared by all whose connection options are equal, each and every one."""
        key = tuple(self.options[name] for name in CONNECTION)
        if key not in self._connections:
            self._connections[key] = connect(self.options)
        return self._connections[key]

    def know(self, version: str | None) -> None:
        """The version, where an earlier slice of the task has asked for it."""
        key = tuple(self.options[name] for name in CONNECTION)
        self._connections[key] = self.connection._replace(version=version)

    def open(self, resource: Resource, scope: Mapping[str, t.Any]) -> t.Any:
        """The store of a kind."""
        return self.connection.open(resource, scope)


def perform(
    what: Resource | Action,
    options: Mapping[str, t.Any],
    check_mode: bool = False,
    tell: Callable[[dict[str, t.Any]], None] | None = None,
    warn: Callable[[str], None] = lambda text: None,
    connections: dict[t.Any, Connection] | None = None,
) -> dict[str, t.Any]:
    """The task's result. Raises AirflowError. ``connections`` are the caller's, to be kept from one item of a loop to the next, and closed."""
    own: dict[t.Any, Connection] = {}
    context = Context(options, check_mode, tell, warn, own if connections is None else connections)
    if isinstance(what, Action) and what.over_rest and options["client"] != "rest":
        raise AirflowError(f"{what.over_rest} through the REST API only: leave out client=python")
    try:
        return what.perform(context) if isinstance(what, Action) else _make_it_so(what, context)
    finally:
        for connection in own.values():
            connection.close()


def _make_it_so(resource: Resource, context: Context) -> dict[str, t.Any]:
    options, key = context.options, context.options[resource.key]
    if key == "":
        raise AirflowError(f"{resource.key} is empty: give the one that is meant")
    absent = options["state"] == "absent"
    if absent and key in resource.stays:
        raise AirflowError(f"The {resource.kind} {key!r} is Airflow's own and cannot be removed")
    try:
        options = resource.unfold(options)
        desired = resource.desired(options)
    except ValueError as exc:
        raise AirflowError(str(exc)) from None
    for name, value in desired.items():
        wrong = resource.fields[name].wrong(value)
        if not wrong and resource.masks and has_mask(value):
            wrong = f"holds {MASK!r}, which is what Airflow shows in place of a secret: give the secret itself"
        if wrong:
            raise AirflowError(f"{name} {wrong}")
    secrets = options.get("update_secrets", "always")
    try:
        store = context.open(resource, resource.scope(options))
    except NotThereYet as exc:
        if not context.check_mode:
            raise
        context.warn(f"{exc}. Check mode goes on as if an earlier task made it")
        todo, restart = plan(resource, None, desired, absent), set()
    else:
        current = store.read(key)
        matches: dict[str, bool | None] = {}
        if not absent:
            desired = fit(resource, store, desired, current, context.warn)
        if current is not None or not absent:
            store.judge(key, None if absent else desired)
        if current is not None and not absent:
            compared = [name for name in resource.secrets if name in desired and "on_create" not in (secrets, options.get(f"update_{name}"))]
            matches = {name: store.matches(key, name, desired[name]) for name in compared}
        todo = plan(resource, current, desired, absent, matches, store.rules.retold, secrets, store.rules.veils)
        resent = [name for name in todo.patch if secrets == "if_known" and resource.masks and current is not None and has_mask(current.get(name))]
        if resent:
            context.warn(f"To change {', '.join(resent)} of the {resource.kind} {key!r} is to write the secrets in it, too: they are sent as given")
        if todo.unknown and secrets != "on_create":
            done = "sent, so this may be no change" if secrets == "always" else "left alone; set update_secrets to always, or use client=python on the master"
            names = ", ".join(todo.unknown)
            context.warn(f"Whether {names} of the {resource.kind} {key!r} is what is wished cannot be known, for {store.title} does not show it: {done}")
        restart = {name for name in todo.patch if name in store.rules.restarts}
    after = todo.after if context.check_mode else apply(todo, store, key)
    told = resource.veil({name: after[name] for name in resource.keys}) if after else None
    result = {"changed": todo.changed, resource.kind: told, "diff": shown(resource, todo)}
    if restart:
        result["restart_required"] = True
    return result


def argument_spec(what: Resource | Action) -> dict[str, dict[str, t.Any]]:
    """Every option of a module, but for the environment that some fall back to."""
    return {**CONNECTION, **what.argument_spec}
