# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same kinds spoken to Airflow's own Python on the master, without HTTP: a table per generation. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import EXTRA, Dialect, Rules
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, Unsupported

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
PASSWORD = "airflow.contrib.auth.backends.password_auth"


class Model(t.NamedTuple):
    """One row: a kind as a table of Airflow's database, or as another home of it. Classes are written ``module:Class``."""

    model: str
    key: str
    home: str = "Table"  # the class of the bridge's program that knows how it is kept
    wraps: str = ""  # a class whose new object the model's constructor wants
    attributes: Mapping[str, str] = {}  # option -> attribute, where they differ
    codecs: Mapping[str, t.Any] = {}
    secrets: Collection[str] = ()  # options that are never told, and kept in a form that can be read
    hashed: Mapping[str, str] = {}  # option -> module with generate_password_hash() and check_password_hash()
    related: Mapping[str, str] = {}  # option -> model whose names it lists
    unique: Collection[str] = ()  # beside the key
    guard: tuple[str, str] = ("", "")  # which kind of guard, and by what name, must authenticate for this table to count
    store: t.Any = None
    rules: Rules = Rules()

    def spec(self, names: Collection[str]) -> dict[str, t.Any]:
        """What the program inside Airflow's interpreter needs to know of it."""
        own = [name for name in names if name not in self.rules.lacks and name not in self.rules.fixed]
        attributes = {name: self.attributes.get(name, name) for name in own if name not in self.related}
        return dict(self._asdict(), attributes=attributes, rules=None, store=None, codecs=None)


class OrmStore:
    """Create, read, update and delete over one row, by a bridge."""

    def __init__(self, bridge: t.Any, row: Model, names: Collection[str], scope: Mapping[str, t.Any], title: str, version: str | None) -> None:
        self.title = title
        self.rules = row.rules.of(version)
        self._bridge = bridge
        self._row = row
        self._names = names
        self._spec = row.spec((*names, *row.hashed, *row.secrets))
        kind, name = row.guard
        if kind and bridge.guards[kind] != name:
            raise Unsupported(
                f"This Airflow {version} authenticates by {bridge.guards[kind] or 'nothing'}; its database holds users of the REST API only under {name}"
            )
        bridge.ask("open", row=self._spec)

    def read(self, key: str) -> dict[str, t.Any] | None:
        return self._decode(self._bridge.ask("read", row=self._spec, key=key))

    def find(self) -> list[dict[str, t.Any]]:
        return [t.cast("dict[str, t.Any]", self._decode(one)) for one in self._bridge.ask("list", row=self._spec)]

    def create(self, values: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", self._decode(self._bridge.ask("create", row=self._spec, values=self._encode(values))))

    def update(self, key: str, patch: Mapping[str, t.Any], current: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", self._decode(self._bridge.ask("update", row=self._spec, key=key, values=self._encode(patch))))

    def delete(self, key: str) -> None:
        self._bridge.ask("delete", row=self._spec, key=key)

    def matches(self, key: str, name: str, value: t.Any) -> bool | None:
        return self._bridge.ask("matches", row=self._spec, key=key, name=name, value=value)

    def judge(self, key: str, values: Mapping[str, t.Any] | None) -> None:
        for name in self._row.hashed:
            if values and values.get(name) == "":
                raise AirflowError(f"An empty {name} lets nobody in: give one, or leave the option out")
        trouble = self._bridge.ask("judge", row=self._spec, key=key, values=values)
        if trouble:
            raise AirflowError(trouble)

    def _encode(self, values: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {name: self._row.codecs[name].encode(value) if name in self._row.codecs else value for name, value in values.items()}

    def _decode(self, found: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
        if found is None:
            return None
        found = {name: found.get(name) for name in self._names}
        found.update({name: codec.decode(found[name]) for name, codec in self._row.codecs.items()})
        found.update({name: value for name, (value, why) in self.rules.fixed.items() if name in found})
        return found


def _generation(major: str, auth_manager: str = "") -> Callable[[t.Any], str | None]:
    """What the bridge's hello tells of a generation, and, where that makes a difference, of its auth manager."""

    def recognise(hello: Mapping[str, t.Any]) -> str | None:
        known = hello["version"].partition(".")[0] == major and auth_manager in ("", hello["guards"]["auth_manager"])
        return hello["version"] if known else None

    return recognise


FAB_USER = Model(
    "airflow.providers.fab.auth_manager.models:User",
    key="username",
    hashed=dict(password="werkzeug.security"),
    related=dict(roles="airflow.providers.fab.auth_manager.models:Role"),
    unique=("email",),
    guard=("auth_manager", FAB),
    rules=Rules(
        fixed=dict(superuser=(False, "a column of Airflow 1.10's users; give a role instead")),
        needs=("password", "email", "roles"),
        defaults=dict(first_name="username", last_name="username"),
    ),
)

VARIABLE = Model("airflow.models:Variable", key="key", attributes=dict(value="val"), rules=Rules(needs=("value",)))
CONNECTION = Model(
    "airflow.models:Connection",
    key="connection_id",
    attributes=dict(connection_id="conn_id"),
    codecs=EXTRA,
    secrets=("password",),
    rules=Rules(needs=("conn_type",)),
)
HELD = dict(variable=VARIABLE, connection=CONNECTION)


def _without_descriptions(row: Model) -> Model:
    return row._replace(rules=row.rules._replace(lacks=dict(description="it came with Airflow 2")))


HERE: dict[str, t.Any] = dict(store=OrmStore, client="Airflow's own Python", elsewhere="use client=rest")

PYTHON_1 = Dialect(
    name="python-1",
    title="Airflow 1.10",
    recognise=_generation("1"),
    **HERE,
    rows=dict(
        user=Model(
            f"{PASSWORD}:PasswordUser",
            key="username",
            wraps="airflow.models:User",
            attributes=dict(password="_password"),
            hashed=dict(password="flask_bcrypt"),
            guard=("auth_backend", PASSWORD),
            rules=Rules(
                lacks=dict(first_name="", last_name=""),
                fixed=dict(
                    active=(True, "there an API user is active as long as he exists: use state=absent"),
                    roles=(["Admin"], "there every API user may do everything"),
                ),
                needs=("password",),
                longest=dict(password=(72, "bcrypt, which Airflow 1.10 uses, does not look at the rest")),
            ),
        ),
        **{kind: _without_descriptions(row) for kind, row in HELD.items()},
    ),
)

PYTHON_2 = Dialect(name="python-2", title="Airflow 2", recognise=_generation("2"), rows=dict(user=FAB_USER, **HELD), **HERE)

PYTHON_3 = Dialect(name="python-3", title="Airflow 3", recognise=_generation("3"), rows=dict(user=FAB_USER, **HELD), **HERE)

PYTHON_3_SIMPLE = Dialect(
    name="python-3-simple",
    title="Airflow 3 with the simple auth manager",
    recognise=_generation("3", SIMPLE),
    **HERE,
    rows=dict(
        user=Model(
            "",
            key="username",
            home="SimpleUsers",
            hashed=dict(password=""),  # hidden, though it is kept in clear
            rules=Rules(
                lacks=dict(email="", first_name="", last_name=""),
                fixed=dict(
                    active=(True, "there a user is active as long as he exists: use state=absent"),
                    superuser=(False, "a column of Airflow 1.10's users; give a role instead"),
                ),
                needs=("password", "roles"),
                spelled=dict(roles=lambda roles: [role.capitalize() for role in roles]),  # its own are in small letters
                restarts=("username", "roles"),
            ),
        ),
        **HELD,
    ),
)

PYTHON = (PYTHON_3_SIMPLE, PYTHON_3, PYTHON_2, PYTHON_1)


def dialect_of(hello: Mapping[str, t.Any]) -> Dialect:
    for dialect in PYTHON:
        if dialect.recognise(hello):
            return dialect
    raise Unsupported(f"client=python does not know Airflow {hello['version']}")
