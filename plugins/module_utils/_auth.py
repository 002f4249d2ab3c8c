# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One function per way to prove who we are. **PRIVATE** to the collection.

Each takes a transport and the connection options and returns the hook that ``requests`` calls with every request before it is sent.
A hook, because requests lets a ``~/.netrc`` replace a plain header.
"""

from __future__ import annotations

import base64
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._transport import Transport

    Hook = Callable[[t.Any], t.Any]


def anonymous(transport: Transport | None = None, options: Mapping[str, t.Any] | None = None) -> Hook:
    return lambda request: request


def basic(transport: Transport, options: Mapping[str, t.Any]) -> Hook:
    username, password = _password(options)
    return _header("Basic " + base64.b64encode(f"{username}:{password}".encode()).decode())


def token(transport: Transport, options: Mapping[str, t.Any]) -> Hook:
    if not options["api_token"]:
        raise AirflowError("api_auth is token, but there is no api_token (or AIRFLOW_API_TOKEN)")
    given = options["api_token"].strip()
    if not re.fullmatch("[!-~]+", given):  # http.client would refuse it, and show it
        raise AirflowError("api_token holds a character that no token has, such as a space or a line break: give the token alone")
    return _header("Bearer " + given)


def login(transport: Transport, options: Mapping[str, t.Any]) -> Hook:
    """Airflow 3: a password buys a JWT, which costs the server a hash only once (``POST /auth/token`` of both auth managers)."""
    username, password = _password(options)
    answer = transport.send("POST", "/auth/token", anonymous(), json=dict(username=username, password=password))
    details = dict(method="POST", url=transport.url + "/auth/token")
    if answer.status == 401:
        raise ApiError(f"{transport.url} does not accept the password of user {username!r}: check api_username and api_password", 401, **details)
    if answer.status != 201 or not isinstance(answer.body, dict) or not isinstance(answer.body.get("access_token"), str):
        raise ApiError(
            f"{transport.url} gave no token for user {username!r} (HTTP {answer.status} to POST /auth/token): "
            "are api_url and api_version right? (api_auth=login needs Airflow 3)",
            answer.status,
            **details,
        )
    return _header("Bearer " + answer.body["access_token"])


METHODS: dict[str, Callable[..., Hook]] = dict(none=anonymous, basic=basic, token=token, login=login)


def method(options: Mapping[str, t.Any], by_password: str) -> str:
    """The method's name: as asked, else what the given credentials are good for; ``by_password`` is what a dialect prefers for a password."""
    if options["api_auth"] != "auto":
        return options["api_auth"]
    if options["api_token"]:
        return "token"
    if options["api_password"] and not options["api_username"]:
        raise AirflowError("api_password is given without api_username: give both (or AIRFLOW_API_USERNAME)")
    return by_password if options["api_username"] else "none"


def _password(options: Mapping[str, t.Any]) -> tuple[str, str]:
    for name in ("api_username", "api_password"):
        if not options[name]:
            raise AirflowError(f"{name} is missing: give it, or set {'AIRFLOW_' + name.upper()} where the module runs")
    return options["api_username"], options["api_password"]


def _header(value: str) -> Hook:
    def set_header(request: t.Any) -> t.Any:
        request.headers["Authorization"] = value
        return request

    return set_header
