# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP exchange. The only file that imports requests. **PRIVATE** to the collection."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ansible_collections.dagops.airflow.plugins.module_utils._errors import LONGEST_PAUSE, AirflowError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._lost import LOST, MISADDRESSED, chain, find, plain

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Reads, and what says how something shall be, never a step from how it is: done twice it is done once. A POST is never among them.
HARMLESS = frozenset(("GET", "HEAD", "PATCH", "DELETE"))
TRY_AGAIN = (429, 500, 502, 503, 504)
SHORTEST = 5.0  # seconds that a server has to answer, however little time is left
BACKOFF = 0.5  # seconds; urllib3 doubles it from one try to the next
LOGIN = "/auth/token"  # the one POST that may be done twice: it only buys a token


class Answer(t.NamedTuple):
    status: int
    body: t.Any  # what its JSON holds, else its text
    headers: Mapping[str, str]


class Patience:
    """How long a request is waited for, in seconds, and how often it is tried again."""

    def __init__(self, timeout: float, retries: int) -> None:
        self.timeout = self._most = timeout
        self.retries = retries
        self._left: Callable[[], float] | None = None

    @property
    def once(self) -> bool:
        return self._left is not None

    @contextlib.contextmanager
    def of_one_try(self, left: Callable[[], float]) -> t.Iterator[None]:
        """In it each request is tried once, and not for longer than there is time left: for who asks again and again himself."""
        self._left = left
        try:
            yield
        finally:
            self._left = None

    def of_a_request(self) -> tuple[float, int]:
        self.timeout = self._most if self._left is None else min(self._most, max(SHORTEST, self._left()))
        return self.timeout, 0 if self.once else self.retries


class Transport:
    """Sends requests to one server over kept-alive connections.

    What is harmless, and a log-in, is tried again after lost connections and the answers of TRY_AGAIN; anything else only where no connection came about.
    Redirects are not followed: behind a proxy one leads to a log-in page, on Airflow 2 to another variable.
    """

    def __init__(self, url: str, verify: bool | str = True, cert: tuple[str, str] | str | None = None, timeout: float = 30.0, retries: int = 3) -> None:
        self.url = url
        self._verify = verify
        self._cert = cert
        self.patience = Patience(timeout, retries)
        self._requests: t.Any = None
        self._proxy: str | None = None
        self._answered = False
        self._ahead = timedelta()  # the server's clock against ours

    @property
    def where(self) -> str:
        """The address, and how it is reached: what an error must name."""
        return self.url + (f" (through the proxy {self._proxy})" if self._proxy else "")

    def now(self) -> datetime:
        """By the server's clock, as its last answer told it in whole seconds, so rather late than early; by ours before the first one."""
        return datetime.now(timezone.utc) + self._ahead

    def send(
        self,
        method: str,
        path: str,
        auth: Callable[[t.Any], t.Any],
        json: t.Any = None,
        params: t.Any = None,
        accept: str = "application/json",
    ) -> Answer:
        import requests  # here: a module that sends no request does not pay for it

        if self._requests is None:
            self._requests = _session(requests, self.url, self._verify, self._cert, self.patience)
            self._proxy = _without_password(requests.utils.select_proxy(self.url, self._requests.proxies))
        timeout, tries = self.patience.of_a_request()
        asked = dict(auth=auth, json=json, params=params, headers=dict(Accept=accept), timeout=timeout, allow_redirects=False)
        tries = tries if method in HARMLESS or path == LOGIN else 0
        while True:
            try:
                response = self._requests.request(method, self.url + path, **asked)
                _whole(response)
                break
            except requests.exceptions.ChunkedEncodingError as exc:  # a body that was cut: urllib3 has let it go already
                if tries <= 0:
                    raise self._lost(method, path, exc) from None
                tries -= 1
            except (requests.RequestException, OSError, UnicodeError) as exc:
                raise self._lost(method, path, exc) from None
        self._ahead = _date(response, default=self.now()) - datetime.now(timezone.utc)
        try:
            body = response.json()
        except ValueError:
            body = response.text
        if response.status_code >= 400 and isinstance(body, str):
            error = self._error(MISADDRESSED, method, path, f"HTTP {response.status_code}", " ".join(body.split()))
            if error:
                raise error
        self._answered = True
        return Answer(response.status_code, body, response.headers)

    def close(self) -> None:
        if self._requests is not None:
            self._requests.close()

    def _lost(self, method: str, path: str, exc: BaseException) -> TransportError:
        errors = chain(exc)
        names, last = " ".join(type(one).__name__ for one in errors), errors[-1]
        return self._error(LOST, method, path, names, str(last), str(last.__cause__ or last.__context__ or ""))

    def _error(self, table: t.Any, method: str, path: str, names: str, text: str, cause: str = "") -> TransportError | None:
        where = urlsplit(self.url)
        how = f"{where.scheme}{' proxied' if self._proxy else ''}{'' if self._answered else ' first'}"
        found = find(table, f"{how} {names}: {text} {cause}")
        if found is None:
            return None
        reached, sentence = found
        told = sentence.format(
            base=self.url,
            where=self.where,
            host=where.hostname,
            proxy=self._proxy,
            variable=f"{(where.scheme if where.scheme in self._requests.proxies else 'all').upper()}_PROXY",
            trusted=_trusted(self._verify),
            timeout=self.patience.timeout,
            why=plain(text) or names.split()[-1],
        )
        return TransportError(told, reached, method=method, url=self.url + path)


def _session(requests: t.Any, url: str, verify: bool | str, cert: t.Any, patience: Patience) -> t.Any:
    """Looks at the environment once: requests would do so before every request, and let some of it win over our own options."""
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning
    from urllib3.util.retry import Retry

    class Patient(Retry):
        """A server is not waited for as long as it likes."""

        def is_exhausted(self) -> bool:
            return patience.once or super().is_exhausted()

        def get_retry_after(self, response: t.Any) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, LONGEST_PAUSE)

    session = requests.Session()
    found = session.merge_environment_settings(url, {}, None, verify, cert)
    session.trust_env = False  # from here on; nor does a ~/.netrc replace the credentials
    session.proxies, session.cert = found["proxies"], found["cert"]
    session.verify = found["verify"] or verify  # an empty variable means nothing; older releases of requests then validated nothing
    scheme = urlsplit(url).scheme
    if scheme == "https" or isinstance(verify, str) or cert:
        _judge_files(_trusted(verify), session.verify, session.cert)
        if session.verify is False:
            disable_warnings(InsecureRequestWarning)  # the user said so
    retry = Patient(
        total=patience.retries,
        other=0,  # what TLS refuses, it refuses again; and urllib3 would not look whether it was a write
        backoff_factor=BACKOFF,
        allowed_methods=HARMLESS,
        status_forcelist=TRY_AGAIN,
        raise_on_status=False,
        respect_retry_after_header=True,
    )
    reads = requests.adapters.HTTPAdapter(max_retries=retry)
    login = requests.adapters.HTTPAdapter(max_retries=retry.new(allowed_methods=("POST",)))
    login.poolmanager, login.proxy_manager = reads.poolmanager, reads.proxy_manager  # one connection is enough
    session.mount(f"{scheme}://", reads)
    session.mount(url + LOGIN, login)
    return session


def _trusted(verify: bool | str) -> str:
    """Whose authorities are trusted."""
    if isinstance(verify, str):
        return f"ca_path {verify}"
    named = (f"{name} {os.environ[name]}" for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name))
    return next(named, "Python's library requests")


def _whole(response: t.Any) -> None:
    """urllib3 before 2 takes a body that was cut for a short one."""
    import requests

    length = response.headers.get("Content-Length", "")
    if length.isdigit() and response.request.method != "HEAD" and response.raw.tell() < int(length):
        raise requests.exceptions.ChunkedEncodingError(f"{response.raw.tell()} of {length} bytes came")


def _date(response: t.Any, default: datetime) -> datetime:
    try:
        found = parsedate_to_datetime(response.headers["Date"])
        return found if found.tzinfo else found.replace(tzinfo=timezone.utc)  # of two headers, or of the zone -0000
    except (KeyError, TypeError, ValueError):
        return default


def _without_password(proxy: str | None) -> str | None:
    return proxy and re.sub(r"^(\w+://)?.*@", r"\1", proxy)


def _judge_files(trusted: str, verify: bool | str, cert: tuple[str | None, str] | str | None) -> None:
    """A file of certificates that is none is told by its name: OpenSSL names no file, and asks the terminal for a passphrase."""
    import ssl  # here: most who import this file use no TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(verify, str):
        option = trusted.partition(" ")[0]
        _read(option, verify)
        try:
            context.load_verify_locations(**{"capath" if os.path.isdir(verify) else "cafile": verify})
        except OSError as exc:
            raise AirflowError(f"{option} {verify!r} holds no certificates in the form of PEM ({plain(str(exc))})") from None
    if cert:
        certificate, key = (cert, None) if isinstance(cert, str) else cert
        _read("client_cert", certificate)
        if key:
            _read("client_key", key)

        def passphrase() -> str:
            raise AirflowError(
                f"The key in {key or certificate!r} has a passphrase, which nobody is there to type: give one without, readable by its user alone"
            )

        try:
            context.load_cert_chain(certificate, key, passphrase)
        except OSError as exc:
            what = f"client_cert {certificate!r} and client_key {key!r} are no" if key else f"client_cert {certificate!r}, without a client_key, holds no"
            raise AirflowError(f"{what} certificate and its key in the form of PEM ({plain(str(exc))})") from None


def _read(option: str, path: str) -> None:
    try:
        if not os.path.isdir(path):
            open(path, "rb").close()
    except OSError as exc:
        raise AirflowError(f"{option} {path!r} cannot be read ({plain(str(exc.strerror))}): it is looked for where the module runs") from None
