# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange. The only file that imports requests. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, TransportError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READS = frozenset(("GET", "HEAD"))
TRY_AGAIN = (429, 500, 502, 503, 504)
BACKOFF = 0.5  # seconds; urllib3 doubles it from one try to the next


class Answer(t.NamedTuple):
    status: int
    body: t.Any  # what its JSON holds, else its text
    headers: Mapping[str, str]


class Transport:
    """Sends requests to one server over kept-alive connections.

    Reads are tried again after lost connections and the answers of TRY_AGAIN; anything else only where no connection came about.
    Redirects are not followed: behind a proxy one leads to a log-in page, on Airflow 2 to another variable.
    """

    def __init__(self, url: str, verify: bool | str = True, cert: tuple[str, str] | str | None = None, timeout: float = 30.0, retries: int = 3) -> None:
        self.url = url
        self._verify = verify
        self._cert = cert
        self._timeout = timeout
        self._retries = retries
        self._requests: t.Any = None

    def send(
        self,
        method: str,
        path: str,
        auth: Callable[[t.Any], t.Any],
        json: t.Any = None,
        params: t.Any = None,
    ) -> Answer:
        import requests  # here: a module that sends no request does not pay for it

        session = self._session(requests)
        try:
            # The auth hook also keeps ~/.netrc from replacing the credentials.
            response = session.request(
                method,
                self.url + path,
                auth=auth,
                json=json,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                verify=self._verify_for(session),
                cert=self._cert,
            )
        except (requests.RequestException, OSError, UnicodeError) as exc:  # OSError: a file that is not there
            raise _lost(self.url, self._timeout, method, path, exc) from None
        try:
            body = response.json()
        except ValueError:
            body = response.text
        return Answer(response.status_code, body, response.headers)

    def close(self) -> None:
        if self._requests is not None:
            self._requests.close()

    def _session(self, requests: t.Any) -> t.Any:
        if self._requests is None:
            import urllib3
            from urllib3.util.retry import Retry

            if self._verify is False:  # it was asked for: in the worker a warning would be noise on the terminal
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            retry = Retry(
                total=self._retries,
                backoff_factor=BACKOFF,
                allowed_methods=READS,
                status_forcelist=TRY_AGAIN,
                raise_on_status=False,
                respect_retry_after_header=True,
            )
            self._requests = requests.Session()
            self._requests.headers["Accept"] = "application/json"
            self._requests.mount(self.url, requests.adapters.HTTPAdapter(max_retries=retry))
        return self._requests

    def _verify_for(self, session: t.Any) -> bool | str:
        """Our own options win over REQUESTS_CA_BUNDLE, which wins over the default."""
        if self._verify is not True:
            return self._verify
        return session.merge_environment_settings(self.url, {}, None, None, None)["verify"]


def _lost(base: str, timeout: float, method: str, path: str, exc: Exception) -> AirflowError:
    """The sentence for an exchange that did not come about."""
    where = urlsplit(base)
    reason = _root(exc)
    name, text = type(reason).__name__, str(reason)
    details = dict(method=method, url=base + path)
    if isinstance(exc, UnicodeError) or name in ("InvalidURL", "LocationParseError"):
        return AirflowError(f"api_url {base!r} is no address of a web server: {text}", **details)
    if "SSL" in name or "Certificate" in name or "CERTIFICATE" in text or "invalid path" in text:
        if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
            hint = "name the authority that signed it in ca_path, or set validate_certs to false"
        elif "WRONG_VERSION_NUMBER" in text or "record layer" in text:
            hint = "the server does not speak TLS: try http:// in api_url"
        else:
            hint = "see api_url, ca_path (else REQUESTS_CA_BUNDLE), client_cert and client_key"
        return TransportError(f"No secure connection to {base}: {text}; {hint}", reached=False, **details)
    if name == "NameResolutionError" or "getaddrinfo" in text or "Name or service not known" in text or "name resolution" in text:
        return TransportError(f"The host {where.hostname!r} of api_url cannot be found: check the name", reached=False, **details)
    if name == "ConnectTimeoutError":
        return TransportError(f"Nothing answered at {base} within {timeout:g} s: check host, port and firewall", reached=False, **details)
    if name == "NewConnectionError":
        why = "connection refused" if "refused" in text.lower() else text.rpartition(": ")[2]
        return TransportError(f"No server answers at {base} ({why}): is Airflow running there, and is the port right?", reached=False, **details)
    if name in ("ReadTimeoutError", "ReadTimeout"):
        return TransportError(f"{base} took the request, but gave no answer within {timeout:g} s (api_timeout)", reached=True, **details)
    if name == "BadStatusLine" and where.scheme == "http":
        text += "; if the server speaks TLS, use https:// in api_url"
    return TransportError(f"The connection to {base} broke before the answer came: {text or name}", reached=True, **details)


def _root(exc: BaseException) -> BaseException:
    """requests wraps urllib3's error, which wraps the system's: the sentence is made from the one that says what happened."""
    for inner in (getattr(exc, "reason", None), *exc.args):
        if isinstance(inner, BaseException) and inner is not exc:
            return _root(inner) if not isinstance(inner, OSError) or hasattr(inner, "reason") else inner
    return exc
