# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How one Airflow generation spells what can be wished. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, Foreign, Unsupported

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


PAGE = 100  # as many as any Airflow gives at once


class Codec(t.NamedTuple):
    """The shape of one value on the wire, where it is not the option's own."""

    encode: Callable[[t.Any], t.Any]
    decode: Callable[[t.Any], t.Any]


def _status(part: t.Any) -> str | None:
    return part.get("status") if isinstance(part, dict) else None


# Every Airflow tells of each of its parts a mapping with a status.
HEALTH = {name: Codec(encode=_status, decode=_status) for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")}
# The names alone; and of a param what says how to give it.
TAGS = Codec(encode=lambda names: [dict(name=name) for name in names], decode=lambda tags: [tag["name"] for tag in tags or ()])
PARAMS = Codec(
    encode=lambda params: params,
    decode=lambda params: {name: {key: param.get(key) for key in ("value", "schema", "description")} for name, param in (params or {}).items()},
)


def _object(text: t.Any) -> t.Any:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


# Which log, and the whole of it.
LOG_QUERY = dict(map_index="{map_index}", full_content="true")
# A connection's extra is a mapping, and Airflow keeps it as a text.
EXTRA = dict(extra=Codec(encode=lambda extra: json.dumps(extra) if isinstance(extra, dict) else extra, decode=_object))


class Rules(t.NamedTuple):
    """What one Airflow asks of the options of a kind, whichever client speaks to it. All keys are names of options."""

    lacks: Mapping[str, str] = {}  # not there: why, for the user
    since: Mapping[str, str] = {}  # there from this version on
    fixed: Mapping[str, tuple[t.Any, str]] = {}  # always this value: and why
    needs: Collection[str] = ()  # without these it cannot be created
    defaults: Mapping[str, str] = {}  # on creation, an omitted option takes the value of this other option
    longest: Mapping[str, tuple[int, str]] = {}  # bytes: and why
    spelled: Mapping[str, Callable[[t.Any], t.Any]] = {}  # how this Airflow writes a value that people write in several ways
    retold: Collection[str] = ()  # told as JSON that means the same, not as it was written
    veils: Collection[str] = ()  # told with a mask in place of each secret in them
    restarts: Collection[str] = ()  # a new value of these holds only after a restart of Airflow

    def of(self, version: str | None) -> Rules:
        """The same, with what came later than this version among what it lacks; of an unknown version nothing is held against it."""
        late = {name: f"it came with Airflow {since}, this is {version}" for name, since in self.since.items() if _older(version, since)}
        return self._replace(lacks={**self.lacks, **late})


class Endpoint(t.NamedTuple):
    """One row of a dialect: a kind over REST. Data, no behaviour."""

    path: str  # of the collection, filled from the resource's parents
    item: str = "/{}"  # what follows for one object; nothing where there is only one
    key: str = ""  # wire name of the identity in a POST
    verbs: Collection[str] = ("read", "create", "update", "delete")
    wire: Mapping[str, str] = {}  # option -> name in requests and answers, where they differ
    reads: Mapping[str, str] = {}  # option -> name in answers, where it differs from that in requests
    codecs: Mapping[str, Codec] = {}
    always: Mapping[str, t.Any] = {}  # what a POST must carry: a value, or a function that makes one
    patch_key: str = ""  # wire name of the identity inside a PATCH body
    whole: Collection[str] = ()  # options that every PATCH body must carry, changed or not
    mask: str = ""  # how update_mask is written: joined, repeated, not at all, or "unused" where there is one
    missing: Collection[int] = (404,)  # statuses that mean: there is no such object
    taken: Collection[int] = (409,)  # statuses of a POST that may mean: there is one already
    unsaid: Collection[int] = ()  # statuses of a POST behind which a date that is taken may be hidden
    plural: str = ""  # what a list stands under in its answer
    finds: Mapping[str, Collection[str]] = {}  # option -> parameters of a list that must all be this value
    begun: Mapping[str, str] = {}  # option -> what must have a value, where a list also holds what has none yet
    newest: str = ""  # order_by of a list that begins with what was made last
    anywhere: str = ""  # what stands in the path for a parent that is not given: any of them
    query: Mapping[str, str] = {}  # parameters of every read of one object, filled from the parents; without those whose parent is not given
    query_since: Mapping[str, str] = {}  # such parameters that came with this version
    accept: str = "application/json"  # what a read of one object asks for
    nullable: Collection[str] = ()  # options that may be sent as null
    masked: Collection[str] = ()  # hidden options of which an answer tells whether they have a value
    page: str = ""  # of one object in the user interface
    store: t.Any = None  # a subclass of Store, for a truly odd server
    rules: Rules = Rules()


class Store:
    """Create, read, update and delete over one row; speaks options, never wire names."""

    def __init__(self, session: t.Any, row: Endpoint, names: Collection[str], scope: Mapping[str, t.Any], title: str, version: str | None) -> None:
        self.title = title
        self.rules = row.rules.of(version)
        self.taken, self.unsaid = row.taken, row.unsaid
        self.nullable = row.nullable
        self.verbs = row.verbs
        self._session = session
        self._row = row
        self._names = names
        self._scope = scope
        self._path = row.path.format(**{name: self._part(name, value) for name, value in scope.items()})
        known = {name: value for name, value in row.query.items() if not _older(version, row.query_since.get(name, "0"))}
        self._query = {name: value.format(**scope) for name, value in known.items() if value[:1] != "{" or value[1:-1] in scope} or None
        self._bare: Collection[str] = ()  # hidden options that the object last read has no value of
        self._key = next((name for name in names if row.key and self._wire(name) == row.key), "")

    def read(self, key: str) -> dict[str, t.Any] | None:
        body = self._session.call("GET", self._item(key), params=self._query, allow=self._row.missing, accept=self._row.accept)
        self._bare = [] if body is None else [name for name in self._row.masked if body.get(self._wire(name)) is None]
        return None if body is None else self._decode(body, key)

    def find(self, newest: int | None = None, **wished: t.Any) -> list[dict[str, t.Any]]:
        """All objects that have these values, of all pages; or so many, those that were made last, and the last one first."""
        found: list[dict[str, t.Any]] = []
        begun, seen = [self._row.begun[name] for name in wished if name in self._row.begun], 0
        params = {parameter: value for name, value in wished.items() for parameter in self._row.finds[name]}
        if newest is not None:
            params["order_by"] = self._row.newest
        while True:
            page_size = PAGE if newest is None else min(PAGE, newest - len(found))
            body = self._session.call("GET", self._path, params=dict(params, limit=page_size, offset=seen))
            page = body.get(self._row.plural) if isinstance(body, dict) else None
            if not isinstance(page, list):
                raise self._foreign(self._path)
            seen += len(page)
            found += [one for one in map(self._decode, page) if all(one[name] for name in begun)]
            if not page or seen >= body.get("total_entries", 0) or len(found) == newest:
                return found

    def now(self) -> t.Any:
        """By the server's clock."""
        return self._session.now()

    def create(self, values: Mapping[str, t.Any]) -> dict[str, t.Any]:
        always = {name: value() if callable(value) else value for name, value in self._row.always.items()}
        body = self._session.call("POST", self._path, json=dict(always, **self._encode(values)))
        made = self._decode(body, values.get(self._key))
        made.update({name: value for name, value in values.items() if name in made and self._wire(name) not in body})  # what the answer leaves out
        return made

    def update(self, key: str, patch: Mapping[str, t.Any], current: Mapping[str, t.Any]) -> dict[str, t.Any]:
        names = list(self._encode(patch))
        # The identity first: the audit log of 2.11 hides a variable's value only behind its key
        body = {self._row.patch_key: key} if self._row.patch_key else {}
        body.update(self._encode({**{name: current.get(name) for name in self._row.whole}, **patch}))
        params = {"joined": {"update_mask": ",".join(names)}, "repeated": {"update_mask": names}}.get(self._row.mask)
        return self._decode(self._session.call("PATCH", self._item(key), json=body, params=params), key)

    def delete(self, key: str) -> None:
        self._session.call("DELETE", self._item(key), allow=self._row.missing)

    def matches(self, key: str, name: str, value: t.Any) -> bool | None:
        """Whether a hidden value is this one; None where nobody can know."""
        return False if name in self._bare else None

    def judge(self, key: str, values: Mapping[str, t.Any] | None) -> None:
        """Raise what the server would say to these values, or (None) to a removal, only when it is done."""

    def _part(self, name: str, value: t.Any) -> str:
        if value is None and not self._row.anywhere:
            raise Unsupported(f"{self.title} cannot be asked for those of all at once: give {name}")
        return self._row.anywhere if value is None else in_path(value, name)

    def _item(self, key: str) -> str:
        return self._path + (self._row.item.format(in_path(key, self._key or "The name")) if self._row.item else "")

    def _wire(self, name: str) -> str:
        return self._row.wire.get(name, name)

    def _encode(self, values: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {self._wire(name): self._row.codecs[name].encode(value) if name in self._row.codecs else value for name, value in values.items()}

    def _decode(self, body: Mapping[str, t.Any], key: str | None = None) -> dict[str, t.Any]:
        """The same keys on every Airflow, null where this one does not tell. What is not the one that was asked for is nobody's answer."""
        wires = {name: self._row.reads.get(name, self._wire(name)) for name in self._names}
        if not isinstance(body, dict) or not set(wires.values()) & set(body) or (self._key and key is not None and body.get(wires[self._key], key) != key):
            raise self._foreign(self._path)
        codecs = self._row.codecs
        found = {name: codecs[name].decode(body.get(wire)) if name in codecs else body.get(wire) for name, wire in wires.items()}
        found.update({name: value for name, value in self._scope.items() if name in found and value is not None})
        found.update({name: value for name, (value, why) in self.rules.fixed.items() if name in found})
        if self._row.page:
            found["url"] = self._session.url + self._row.page.format(**{name: quote(str(value), safe="") for name, value in found.items() if value})
        return found

    def _foreign(self, path: str) -> Foreign:
        return Foreign(f"What {self._session.url}{path} answers is not what an Airflow says: is api_url Airflow's own address?")


class Dialect(t.NamedTuple):
    """One Airflow generation: a table."""

    name: str  # a choice of api_version
    title: str
    rows: Mapping[str, t.Any]
    recognise: Callable[[t.Any], str | None]  # (what it says of itself) -> version, or None: that is somebody else
    store: t.Any = Store
    client: str = "the REST API"
    elsewhere: str = "use client=python on the master"  # what to do about a kind that is not here
    root: str = ""  # where its paths begin
    probe: str = ""  # answers without credentials
    by_password: str = ""  # the method of _auth that a password is best used with
    expired: Collection[tuple[int, str]] = ()  # answers that mean: log in again
    guards: tuple[str, Mapping[int, str]] = ("", {})  # a path that tells by its status, without credentials, who authenticates
    error_key: str = "detail"  # in the body of every error of the API itself
    hints: Mapping[t.Any, str] = {}  # what to do about a status, or about (status, detail)
    everybody: str = ""  # a path that every user may read, where a wrong password and a missing right are the same answer

    def open(self, session: t.Any, kind: str, names: Collection[str], scope: Mapping[str, t.Any], version: str | None) -> t.Any:
        row = self.rows.get(kind)
        if row is None:
            raise Unsupported(f"{self.title} has no {kind.replace('_', ' ')}s that this collection can manage through {self.client}: {self.elsewhere}")
        return (row.store or self.store)(session, row, names, scope, self.title, version)


def in_path(value: t.Any, name: str = "The name") -> str:
    """Percent-encoded with no safe characters. Clients, proxies and servers resolve dots and slashes, so some names cannot be asked for by path."""
    text = str(value)
    if text in ("", ".", "..") or text.startswith("/"):
        raise AirflowError(f"{name} {text!r} cannot be part of an address: no Airflow can be asked for it")
    return quote(text, safe="")


def _older(version: str | None, than: str) -> bool:
    return version is not None and _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2] if part.isdigit()]
