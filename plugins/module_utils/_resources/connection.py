# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections: where another system is, and how to get in."""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.dagops.airflow.plugins.module_utils._resource import UPDATE_SECRETS, Field, Resource, same_leaves, same_text, secret_leaves, veiled

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHOLE = "__extra__"  # in a query: the whole extra as JSON (Airflow's documentation, "Generating a Connection URI")
LONGEST_ID = 200  # characters, of Airflow 3's REST API
ENCODED = "is each part percent-encoded, a slash in a password as %2F, # as %23, ? as %3F?"
ID = re.compile(rf"[\w.-]{{1,{LONGEST_ID}}}")
OF_URI = ("conn_type", "host", "login", "password", "schema", "port", "extra")


def _mapping(extra: t.Any) -> dict[str, t.Any]:
    """A mapping, given as one or as the JSON of one."""
    try:
        found = json.loads(extra or "{}") if isinstance(extra, str) else extra
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    raise ValueError("extra is a mapping, or the JSON of one")


def _unfold(options: Mapping[str, t.Any]) -> dict[str, t.Any]:
    if options.get("uri") is None:
        return dict(options)
    text = str(options["uri"])  # it is asked for secrets before Ansible has judged its type
    if not re.match(r"[A-Za-z][\w+.-]*://", text):
        raise ValueError("uri begins with a connection type, as in postgresql://user@host:5432/schema")
    try:
        uri = urlsplit(text)
    except ValueError:  # its words show a part of the password
        raise ValueError(f"uri is no address: {ENCODED}") from None
    if uri.fragment or ("@" in uri.path + uri.query and "@" not in uri.netloc):
        raise ValueError(f"uri is no address: {ENCODED}")
    try:
        port = uri.port
    except ValueError:
        raise ValueError(f"The port in uri is no number of a port: {ENCODED}") from None
    if uri.path.startswith("//"):
        raise ValueError("The host in uri holds a protocol of its own: write it percent-encoded, or give conn_type, host and the others instead")
    query = dict(parse_qsl(uri.query, keep_blank_values=True))
    said = dict(
        conn_type={"postgresql": "postgres"}.get(uri.scheme, uri.scheme.replace("-", "_")),
        host=unquote(uri.hostname or ""),
        login=unquote(uri.username or ""),
        password=unquote(uri.password) if uri.password else None,
        schema=unquote(uri.path[1:]),
        port=port,
        extra=_mapping(query[WHOLE]) if WHOLE in query else query,
    )
    return {**options, **said}


def _wrong_id(connection_id: str) -> str:
    """What REST, Airflow's command and its pages take; on 1.10 they take more."""
    return "" if ID.fullmatch(connection_id) else f"is {connection_id!r}: Airflow takes letters, digits, dots, dashes and underscores, {LONGEST_ID} at most"


def _wrong_port(port: int) -> str:
    return "" if 0 < port < 65536 else f"is {port}: a port is a number from 1 to 65535"


def _wrong_type(conn_type: str) -> str:
    return "" if conn_type else "is empty: a connection has a type"


def _wrong_password(password: str) -> str:
    return "" if password else "is empty, and Airflow removes none: set state to absent, then create the connection without one"


def _hides(options: Mapping[str, t.Any]) -> Sequence[str]:
    """In an extra, and in what a URI means."""
    extra, uri = options.get("extra"), options.get("uri")
    found: list[str] = []
    try:
        found += secret_leaves(_mapping(extra) if extra else {})
    except ValueError:
        found.append(str(extra))  # nobody knows what of it is a secret
    if found and isinstance(extra, str):
        found.append(extra)  # as JSON it may be written in many ways
    try:
        said = _unfold(options) if uri is not None else {}
    except ValueError:
        said = {}
    return [*found, *secret_leaves(said.get("extra")), *filter(None, [said.get("password")])]


def _veil(found: Mapping[str, t.Any]) -> dict[str, t.Any]:
    extra = found.get("extra")
    return {**found, "extra": veiled(extra, hidden=isinstance(extra, str))} if extra else dict(found)


def _same_extra(told: t.Any, wished: dict[str, t.Any]) -> bool | None:
    return same_leaves(told or {}, wished)


CONNECTION = Resource(
    kind="connection",
    key="connection_id",
    fields=dict(
        connection_id=Field(dict(type="str", required=True), wrong=_wrong_id),
        conn_type=Field(dict(type="str"), wrong=_wrong_type),
        description=Field(dict(type="str"), same=same_text, describes=True),
        host=Field(dict(type="str"), same=same_text),
        login=Field(dict(type="str"), same=same_text),
        password=Field(dict(type="str", no_log=True), wrong=_wrong_password),
        schema=Field(dict(type="str"), same=same_text),
        port=Field(dict(type="int"), wrong=_wrong_port),
        extra=Field(dict(type="raw"), same=_same_extra, kept=_mapping),
    ),
    steers=dict(uri=dict(type="str", no_log=True), **UPDATE_SECRETS),
    required=dict(mutually_exclusive=[("uri", name) for name in OF_URI]),
    masks=True,
    unfold=_unfold,
    hides=_hides,
    veil=_veil,
)
