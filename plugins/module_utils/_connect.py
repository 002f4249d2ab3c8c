# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From connection options to a store: the only place that chooses a client and a version. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.dagops.airflow.plugins.module_utils import _auth
from ansible_collections.dagops.airflow.plugins.module_utils._bridge import Bridge
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.python import dialect_of
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.registry import NEWEST_FIRST
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._session import Session, explain
from ansible_collections.dagops.airflow.plugins.module_utils._transport import Transport

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Dialect
    from ansible_collections.dagops.airflow.plugins.module_utils._resource import Resource

# The options of the doc fragment `connection`; each falls back to an environment variable, see _module.
CONNECTION: dict[str, dict[str, t.Any]] = dict(
    api_url=dict(type="str"),
    api_username=dict(type="str"),
    api_password=dict(type="str", no_log=True),
    api_token=dict(type="str", no_log=True),
    api_version=dict(type="str", choices=["auto", *sorted(dialect.name for dialect in NEWEST_FIRST)], default="auto"),
    api_auth=dict(type="str", choices=["auto", *_auth.METHODS], default="auto"),
    api_timeout=dict(type="float", default=30.0),
    api_retries=dict(type="int", default=3),
    validate_certs=dict(type="bool", default=True),
    ca_path=dict(type="path"),
    client_cert=dict(type="path"),
    client_key=dict(type="path"),
    client=dict(type="str", choices=["rest", "python"], default="rest"),
    airflow_python=dict(type="str"),
    airflow_home=dict(type="path"),
    airflow_env_file=dict(type="path"),
    airflow_user=dict(type="str"),
)


class Connection(t.NamedTuple):
    session: t.Any  # a Session or a Bridge
    dialect: Dialect
    version: str | None  # None where it was not asked
    memory: dict[t.Any, t.Any]  # what need not be asked twice: by a task, or by the items of a loop
    told: Mapping[str, t.Any] = {}  # what a bridge's hello told

    def open(self, resource: Resource, scope: Mapping[str, t.Any]) -> t.Any:
        return self.dialect.open(self.session, resource.kind, resource.keys, scope, self.version)

    def known_version(self) -> str | None:
        return self.version or self.dialect.recognise(self.session.call("GET", self.dialect.probe))

    def auth_manager(self) -> str | None:
        """Who authenticates: a class of Airflow's, as its own Python tells, or what can be seen from outside; None where that is nothing."""
        if self.told:
            return self.told["guards"]["auth_manager"] or self.told["guards"]["auth_backend"]
        path, names = self.dialect.guards
        return names.get(self.session.status(path)) if path else None

    def close(self) -> None:
        self.session.close()


def connect(options: Mapping[str, t.Any]) -> Connection:
    return _by_python(options) if options["client"] == "python" else _by_rest(options)


def _by_python(options: Mapping[str, t.Any]) -> Connection:
    bridge = Bridge(options)
    hello = bridge.start()
    return Connection(bridge, dialect_of(hello), hello["version"], {}, hello)


def _by_rest(options: Mapping[str, t.Any]) -> Connection:
    if not options["api_url"]:
        raise AirflowError("api_url is missing: give the address of Airflow's web server, or set AIRFLOW_API_URL where the module runs")
    if options["api_timeout"] <= 0 or options["api_retries"] < 0:
        raise AirflowError("api_timeout must be more than 0 s, and api_retries not negative")
    if options["client_key"] and not options["client_cert"]:
        raise AirflowError("client_key is given without client_cert: name the certificate that it belongs to")
    cert = (options["client_cert"], options["client_key"]) if options["client_key"] else options["client_cert"]
    verify = options["validate_certs"] and (options["ca_path"] or True)
    transport = Transport(base(options["api_url"]), verify, cert, options["api_timeout"], options["api_retries"])
    dialect, version = _choose(transport, options["api_version"])
    method = _auth.method(options, dialect.by_password)
    session = Session(transport, lambda: _auth.METHODS[method](transport, options), dialect.expired, dialect.hints, dialect.error_key, dialect.everybody)
    return Connection(session, dialect, version, {})


def base(url: str) -> str:
    """The address without what people copy along with it: a trailing slash, and the path of an API."""
    url = url.strip().rstrip("/")
    for dialect in NEWEST_FIRST:
        if url.endswith(dialect.root):
            url = url[: -len(dialect.root)]
    try:
        where = urlsplit(url)
        valid = where.scheme in ("http", "https") and where.hostname and where.port != 0 and not where.query and "#" not in url
    except ValueError:
        valid = False
    if not valid:
        raise AirflowError(f"api_url {url!r} is no address of a web server: it looks like http://airflow.example.org:8080")
    if where.username is not None:
        raise AirflowError("api_url must not hold a user and a password: they would be shown in logs; use api_username and api_password")
    return url.rstrip("/")


def _choose(transport: Transport, asked: str) -> tuple[Dialect, str | None]:
    """Newest first, and only a 200 of the right shape is believed: a proxy may answer everything with a log-in page."""
    tried = []
    for dialect in NEWEST_FIRST:
        if asked == dialect.name:
            return dialect, None
        if asked == "auto":
            answer = transport.send("GET", dialect.probe, _auth.anonymous())
            version = dialect.recognise(answer.body) if answer.status == 200 else None
            if version:
                return dialect, version
            said = {2: f", {explain(answer.body)[:60] or 'some JSON'}", 3: f" to {answer.headers.get('Location', 'nowhere')}"}.get(answer.status // 100, "")
            tried.append(f"{dialect.probe}: HTTP {answer.status}{said}")
    raise AirflowError(f"What answers at {transport.where} is not an Airflow that we know: check api_url ({'; '.join(tried)})")
