# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reverse proxy before a real server: it counts what passes, and breaks it where it is told to."""

from __future__ import annotations

import collections
import http.client
import http.server
import socket
import struct
import threading
import time
import typing as t

STALL = 4.0  # seconds: longer than the api_timeout of the tests that meet it
OURS = ("transfer-encoding", "content-length", "connection", "date", "server", "keep-alive")


class Request(t.NamedTuple):
    mark: str  # what stood before the path as /@mark: whose request it was
    method: str
    path: str
    authorization: str = ""

    @property
    def writes(self) -> bool:
        """1.10 also writes by GET (paused/true); a log-in makes nothing."""
        return self.method not in ("GET", "HEAD") and self.path != "/auth/token" or "/paused/" in self.path


class Proxy:
    """``with Proxy("127.0.0.1:8080") as proxy``: ``proxy.url`` leads to that server.

    ``meet(request)`` names one of FAULTS, or nothing, for each request as it comes.
    """

    def __init__(self, target: str, meet: t.Callable[[Request], str | None] = lambda request: None) -> None:
        self.target = target
        self.meet = meet
        self.seen: list[Request] = []
        self.faults: collections.Counter[str] = collections.Counter()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs=dict(poll_interval=0.05), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that went away is none of our business."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    body = b""
    asked = Request("", "", "")

    def pass_on(self):
        proxy = self.server.proxy
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mark = ""
        if self.path.startswith("/@"):
            mark, _slash, rest = self.path[2:].partition("/")
            self.path = "/" + rest
        self.asked = Request(mark, self.command, self.path, self.headers.get("Authorization", ""))
        proxy.seen.append(self.asked)
        fault = proxy.meet(self.asked)
        if fault:
            proxy.faults[fault] += 1
            FAULTS[fault](self)
            return
        try:
            answer = self.forward()
        except OSError:
            self.drop()
        else:
            self.tell(*answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = pass_on

    def forward(self):
        connection = http.client.HTTPConnection(self.server.proxy.target, timeout=120)
        try:
            connection.request(
                self.command, self.path, self.body, {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            )
            answer = connection.getresponse()
            return answer.status, [(name, value) for name, value in answer.getheaders() if name.lower() not in OURS], answer.read()
        finally:
            connection.close()

    def tell(self, status, headers, body, length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def drop(self):
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()
        self.connection.close()

    def cut(self):
        status, headers, body = self.forward()
        self.tell(status, headers, body[: len(body) // 2], length=len(body))
        self.drop()

    def stall(self):
        time.sleep(STALL)
        self.drop()

    def refuse(self, status, headers=()):
        self.tell(status, [("Content-Type", "text/html"), *headers], b"<html>the proxy is busy</html>")

    def log_message(self, *args):
        pass


# What a network does to a request: before the server has got it, or after the server has done it.
FAULTS: dict[str, t.Callable[[_Handler], t.Any]] = {
    "dropped before": lambda self: self.drop(),
    "dropped after": lambda self: (self.forward(), self.drop()),
    "reset before": lambda self: self.reset(),
    "reset after": lambda self: (self.forward(), self.reset()),
    "502 after": lambda self: (self.forward(), self.refuse(502)),
    "503 before": lambda self: self.refuse(503, [("Retry-After", "1")]),
    "429 before": lambda self: self.refuse(429, [("Retry-After", "1")]),
    "cut": lambda self: self.cut(),
    "stalled before": lambda self: self.stall(),
    "stalled after": lambda self: (self.forward(), self.stall()),
}
