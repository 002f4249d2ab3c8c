# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands around a real server: certificates, an nginx in front of it, a forward proxy on the way to it."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.server
import ipaddress
import os
import pathlib
import selectors
import shlex
import signal
import socket
import subprocess
import threading
import time
import typing as t
import urllib.error
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import control
from .proxy import OURS

# -- certificates


class Authority:
    """Signs certificates, and writes them into files of a folder."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(self._signed(name, self.key, x509.BasicConstraints(ca=True, path_length=None))))

    def sign(self, name: str, *hosts: str, days: int = 30, passphrase: str = "") -> tuple[pathlib.Path, pathlib.Path]:
        """The files of a certificate, which is valid from 40 days ago for some days from now, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        hidden = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        alternatives = [x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts or [name]]
        files[0].write_bytes(_pem(self._signed(name, key, x509.SubjectAlternativeName(alternatives), days)))
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden))
        return files

    def _signed(self, name: str, key: t.Any, extension: t.Any, days: int = 30) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        is_authority = isinstance(extension, x509.BasicConstraints)
        usages = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only")
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=40))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(extension, critical=is_authority)
            .add_extension(x509.KeyUsage(key_cert_sign=is_authority, digital_signature=True, **dict.fromkeys(usages, False)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


# -- nginx

CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    {temporary}
    log_format what '$server_port $upstream_addr $request_method $request_uri';
    access_log {folder}/access.log what;
    proxy_set_header Host $http_host;
    {servers}
}}
"""


class Nginx:
    """``with Nginx(folder, dict(tls="ssl_certificate ..."), locations) as nginx``: a server for each name, on the port ``nginx.ports[name]``.

    All of them pass on what comes under one of ``locations``, a path that ends with a slash -> the address that stands behind it.
    It is a process of the user's own, whoever that is, and all its files lie in the folder.
    """

    def __init__(self, folder: pathlib.Path, servers: dict[str, str], locations: dict[str, str]) -> None:
        self.folder = folder
        self.servers = servers
        self.locations = " ".join(f"location {path} {{ proxy_pass {address}/; }}" for path, address in locations.items())
        self.ports: dict[str, int] = {}

    def __enter__(self):
        program = control.program("nginx", "nginx")
        for _attempt in range(3):  # somebody may take a free port before it does
            with contextlib.ExitStack() as held:
                self.ports = {name: held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for name in self.servers}
            (self.folder / "nginx.conf").write_text(self._config())
            # At first it complains of a log of the system's that not everybody may write
            self._process = subprocess.Popen([program, "-p", self.folder, "-c", self.folder / "nginx.conf"], stderr=subprocess.DEVNULL)
            if self._listens():
                return self
        raise AssertionError((self.folder / "error.log").read_text())

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait()

    def passed_on(self, name: str) -> list[str]:
        """The requests to a server of ours that it gave to an Airflow: method and path."""
        lines = [line.split(" ", 2) for line in (self.folder / "access.log").read_text().splitlines()]
        return [request for port, upstream, request in lines if int(port) == self.ports[name] and upstream != "-"]

    def _config(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        return CONFIG.format(
            folder=self.folder,
            user="user root;" if os.geteuid() == 0 else "",  # else its worker may not enter the folder
            temporary=" ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds),
            servers="\n".join(
                f"server {{ listen 127.0.0.1:{self.ports[name]}{' ssl' if 'ssl_' in words else ''}; {words} {self.locations} }}"
                for name, words in self.servers.items()
            ),
        )

    def _listens(self) -> bool:
        while self._process.poll() is None:
            with contextlib.suppress(OSError):
                for port in self.ports.values():
                    socket.create_connection(("127.0.0.1", port)).close()
                return True
            time.sleep(0.02)
        return False


# -- a forward proxy


class Forward:
    """A forward proxy, as HTTP_PROXY names it. ``seen`` holds (who, method, what) of each request: ``proxy.url("me")`` is its address for somebody.

    Nobody comes through without a name, and ``refused`` does not come anywhere.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Forwarding)
        self._server.daemon_threads = True
        self._server.proxy = self

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs=dict(poll_interval=0.05), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, who: str = "") -> str:
        return f"http://{who + ':proxy-s3cret@' if who else ''}127.0.0.1:{self._server.server_address[1]}"

    def by(self, who: str) -> list[str]:
        return [f"{method} {what}" for name, method, what in self.seen if name == who]


class _Forwarding(http.server.BaseHTTPRequestHandler):
    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.admitted():
            headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-") and name.lower() != "connection"}
            asked = urllib.request.Request(self.path, body or None, headers, method=self.command)
            try:
                answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=120)
            except urllib.error.HTTPError as exc:
                answer = exc
            with answer:
                self.tell(answer.status, [(name, value) for name, value in answer.headers.items() if name.lower() not in OURS], answer.read())

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = pass_on

    def do_CONNECT(self):
        if not self.admitted():
            return
        host, _colon, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=120) as there, selectors.DefaultSelector() as ways:
            self.send_response(200)
            self.end_headers()
            ways.register(self.connection, selectors.EVENT_READ, there)
            ways.register(there, selectors.EVENT_READ, self.connection)
            while True:
                for key, _events in ways.select():
                    piece = key.fileobj.recv(65536)
                    if not piece:
                        return
                    key.data.sendall(piece)

    def admitted(self):
        who = base64.b64decode(self.headers.get("Proxy-Authorization", "").partition(" ")[2]).decode().partition(":")[0]
        self.server.proxy.seen.append((who, self.command, self.path))
        if who and who != "refused":
            return True
        self.tell(403 if who else 407, [("Content-Type", "text/html")], b"<html>the proxy does not let you</html>")
        return False

    def tell(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


# -- a second web server


@contextlib.contextmanager
def below(path: str, server: dict[str, t.Any], folder: pathlib.Path) -> t.Iterator[str]:
    """A web server of Airflow 1.10 that lives below a path itself (its base_url), on the home of a server that is there; its address."""
    port = control.free_port()
    address = f"http://127.0.0.1:{port}{path}"
    lines = pathlib.Path(server["python"]["airflow_env_file"]).read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if line and line[0] != "#")
    environment = {name: "".join(shlex.split(value)) for name, value in environment.items()}
    environment.update(AIRFLOW__WEBSERVER__BASE_URL=address, AIRFLOW__WEBSERVER__WEB_SERVER_PORT=str(port))
    environment["PATH"] = f"{server['venv']}/bin:{os.environ['PATH']}"
    with open(folder / "webserver.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [f"{server['venv']}/bin/airflow", "webserver", "--pid", folder / "webserver.pid"],
            env=control.surroundings(**environment),
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(f"{address}/health", process, folder / "webserver.log")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for(url: str, process: subprocess.Popen, log: pathlib.Path) -> None:
    end = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30).close()
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())
