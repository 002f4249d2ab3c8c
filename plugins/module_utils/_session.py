# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transport and credentials together: what a Store sees of a server. **PRIVATE** to the collection."""

from __future__ import annotations

import html
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import ApiError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._transport import Answer, Transport


class Session:
    """Calls a server as one user.

    ``log_in`` is called before the first request, and once more when an answer is one of ``expired`` (status, detail).
    ``hints`` say what to do next, by status, or by status and detail. ``error_key`` is in the body of every error of the API itself:
    without it a 404 comes from a proxy, or from an Airflow that does not have this API at all, and does not mean that an object is missing.
    ``everybody`` is a path that every user may read, where a wrong password and a missing right are one and the same 403.
    """

    def __init__(
        self,
        transport: Transport,
        log_in: Callable[[], Callable[[t.Any], t.Any]],
        expired: Collection[tuple[int, str]] = (),
        hints: Mapping[t.Any, str] | None = None,
        error_key: str = "detail",
        everybody: str = "",
    ) -> None:
        self._transport = transport
        self._log_in = log_in
        self._expired = expired
        self._hints = hints or {}
        self._error_key = error_key
        self._everybody = everybody
        self._hook: t.Any = None

    @property
    def url(self) -> str:
        return self._transport.url

    def call(self, method: str, path: str, json: t.Any = None, params: t.Any = None, allow: Collection[int] = (), accept: str = "application/json") -> t.Any:
        """The answer's body; None where its status is in ``allow``. Raises ApiError for every other status that is not a success."""
        fresh = self._hook is None
        if fresh:
            self._hook = self._log_in()
        answer = self._transport.send(method, path, self._hook, json=json, params=params, accept=accept)
        if not fresh and (answer.status, explain(answer.body)) in self._expired:
            self._hook = self._log_in()
            answer = self._transport.send(method, path, self._hook, json=json, params=params, accept=accept)
        if answer.status in allow and self._by_the_api(answer):
            return None
        if answer.status >= 300:
            raise self._refused(method, path, answer)
        return answer.body

    def now(self) -> t.Any:
        """By the server's clock."""
        return self._transport.now()

    @property
    def patience(self) -> t.Any:
        return self._transport.patience

    def status(self, path: str) -> int:
        """Of a GET without credentials."""
        return self._transport.send("GET", path, lambda request: request).status

    def close(self) -> None:
        self._transport.close()

    def _by_the_api(self, answer: Answer) -> bool:
        return isinstance(answer.body, dict) and self._error_key in answer.body

    def _refused(self, method: str, path: str, answer: Answer) -> ApiError:
        url = self._transport.url + path
        if answer.status < 400:
            msg = f"{method} {url} leads away to {answer.headers.get('Location', 'nowhere')!r}: is api_url Airflow's own address?"
        else:
            said = explain(answer.body)
            msg = f"{method} {url}: HTTP {answer.status}" + (f", {said}" if said else "")
            if answer.status == 405 or (answer.status == 404 and not self._by_the_api(answer)):
                msg += " (there is no such address: are api_url and api_version right?)"
            elif answer.status == 403 and self._everybody and self._transport.send("GET", self._everybody, self._hook).status == 200:
                msg += " (the password is right, but this user may not do that: he needs another role)"
            elif answer.status in self._hints:
                msg += f" ({self._hints.get((answer.status, said)) or self._hints[answer.status]})"
        after = str(answer.headers.get("Retry-After", ""))
        body = explain(answer.body) if isinstance(answer.body, str) else without_input(answer.body)  # nobody wants a page
        return ApiError(msg, answer.status, retry_after=float(after) if after.isdigit() else 0.0, method=method, url=url, body=body)


def explain(body: t.Any) -> str:
    """What an Airflow says of an error, in one line, from any of its shapes.

    RFC 7807 (2.x: ``detail``, null in half of them, else ``title``); FastAPI (3.x: ``detail`` is a text, a list or a mapping);
    1.10: ``error``, or an HTML page that ends with the exception.
    """
    if isinstance(body, dict):
        for name in ("detail", "title", "error", "message"):
            if body.get(name):
                return explain(body[name])
        return ""
    if isinstance(body, list):
        return "; ".join(
            ": ".join(part for part in (".".join(map(str, e.get("loc", ())[1:])), str(e.get("msg", ""))) if part) for e in body if isinstance(e, dict)
        )
    text = str(body or "")
    if "<html" in text.lower() or "<!doctype" in text.lower():
        exceptions = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|NotFound)\b.*$", text, re.MULTILINE)
        return html.unescape(exceptions[-1].strip())[:500] if exceptions else "an HTML page"
    return " ".join(text.split())[:500]


def without_input(body: t.Any) -> t.Any:
    """FastAPI repeats in its errors what it was sent: that may be a secret."""
    if isinstance(body, dict) and isinstance(body.get("detail"), list):
        return {**body, "detail": [{name: value for name, value in one.items() if name != "input"} if isinstance(one, dict) else one for one in body["detail"]]}
    return body
