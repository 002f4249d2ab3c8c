# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each row of bad_input.py on each real server: failed, with its sentence; nothing was written, and the server holds as much as before."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from . import control
from .bad_input import ROWS
from .proxy import Proxy

EXPIRED = """
import datetime, jwt
from airflow.configuration import conf
past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
claims = dict(sub="1", role="admin", aud=conf.get("api_auth", "jwt_audience", fallback="apache-airflow"), iat=past, nbf=past, exp=past)
print("TOKEN", jwt.encode(claims, conf.get("api_auth", "jwt_secret"), algorithm="HS512"))
"""
# Airflow's home is read-only for this one process.
READ_ONLY = """#!/bin/sh
mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec {python} "$@"
"""


class Says(http.server.BaseHTTPRequestHandler):
    """A web server that is no Airflow: answers everything alike."""

    status, headers_told, body = 200, {}, b""

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        for name, value in {**self.headers_told, "Content-Length": str(len(self.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *args):
        pass


STRANGERS = {
    "page": (200, {"Content-Type": "text/html"}, b"<html><body>Welcome to nginx!</body></html>"),
    "login": (302, {"Location": "/sso/login?next=/"}, b""),
    "json": (200, {"Content-Type": "application/json"}, b'{"version": "7.17.0", "name": "elastic"}'),
    "nothing": (404, {"Content-Type": "text/html"}, b"<html>Not Found</html>"),
    "error": (500, {"Content-Type": "text/html"}, b"<html>Internal Server Error</html>"),
}


@pytest.fixture(scope="module")
def strangers():
    """Addresses of what is no Airflow."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name, (status, headers, body) in STRANGERS.items():
            handler = type(name, (Says,), dict(status=status, headers_told=headers, body=body))
            server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.05), daemon=True).start()
            stack.callback(server.shutdown)
            found[name] = f"http://127.0.0.1:{server.server_address[1]}"
        hung = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # nobody accepts
        found["hung"] = f"http://127.0.0.1:{hung.getsockname()[1]}"
        for name, greeting in (("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n"), ("mute", b"")):
            found[name] = f"http://127.0.0.1:{stack.enter_context(_greets(greeting))}"
        yield found


@contextlib.contextmanager
def _greets(greeting):
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _address = server.accept()
                with client, contextlib.suppress(OSError):
                    client.sendall(greeting)
                    client.recv(65536)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.fixture
def places(strangers, server, tmp_path):
    """What stands for the words in angle brackets."""
    folder = tmp_path / "places"
    for name in ("home", "empty"):
        (folder / name).mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "bare"], check=True)
    (folder / "empty/airflow.db").touch()
    auth = "AIRFLOW__API__AUTH_BACKEND=airflow.contrib.auth.backends.password_auth\n"
    manager = "AIRFLOW__CORE__AUTH_MANAGER=airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager\n"
    database = "AIRFLOW__CORE__SQL_ALCHEMY_CONN={0}\nAIRFLOW__DATABASE__SQL_ALCHEMY_CONN={0}\n"
    for name, text in {
        "empty": auth + manager,
        "other": "AIRFLOW__API__AUTH_BACKEND=airflow.api.auth.backend.deny_all\nAIRFLOW__CORE__AUTH_MANAGER=example.AuthManager\n",
        "elsewhere": auth + manager + database.format(f"sqlite:///{folder}/no.db"),
        "down": auth + manager + database.format("postgresql+psycopg2://airflow:secret-of-db@127.0.0.1:9/airflow"),
    }.items():
        (folder / f"{name}.env").write_text(text)
    (folder / "binary.env").write_bytes(b"A=\xff\xfe\n")
    wrapper = folder / "read_only"
    wrapper.write_text(READ_ONLY.format(home=server["python"]["airflow_home"], python=server["python"]["airflow_python"]))
    wrapper.chmod(0o755)
    return dict(
        strangers, folder=str(folder), own_python=sys.executable, read_only=f"{shutil.which('unshare')} {'' if os.geteuid() == 0 else '-r '}-m {wrapper}"
    )


def expired(server):
    """A token that this server made, and that is over."""
    python = server["python"]
    done = subprocess.run(
        [python["airflow_python"], "-c", EXPIRED],
        env=control.surroundings(AIRFLOW_HOME=python["airflow_home"]),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rpartition("TOKEN ")[2].strip()


def filled(value, places):
    if isinstance(value, dict):
        return {name: filled(inner, places) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, places) for inner in value]
    if value == "<nan>":
        return float("nan")
    for name, place in places.items():
        value = value.replace(f"<{name}>", place) if isinstance(value, str) else value
    return value


def options(row, server, places):
    given = dict(row.given)
    client = server["python"] if given.pop("<python>", False) else dict(server["rest"], api_url="<url>")
    merged = filled({**client, **given}, places)
    return {name: value for name, value in merged.items() if value is not None}


def test_bad_input(name, server, address, places, ansible):
    rows = [(f"@{number}", row) for number, row in enumerate(ROWS) if name in row.on]
    if any("<expired>" in str(row.given) for _mark, row in rows):
        places["expired"] = expired(server)
    viewer = dict(username="bad_input_viewer", password="v1ewer-passw0rd", email="viewer@example.org", roles=["Viewer"])
    there = dict(server["rest"], dag_id="test_paused", run_id="bad_input_there", conf=dict(a=1))
    with Proxy(address) as proxy:
        tasks = [
            {"name": "There", "dagops.airflow.airflow_dag_trigger": there},
            {"name": "Not there", "dagops.airflow.airflow_pool": dict(server["rest"], name="bad_input", state="absent")},
        ]
        if server["user_table"] == "ab_user":
            tasks.append({"name": "Viewer", "dagops.airflow.airflow_api_user": {**server["python"], **viewer}})
        for mark, row in rows:
            here = dict(places, url=f"{proxy.url}/{mark}", https=proxy.url.replace("http:", "https:"))
            task = {"name": mark, f"dagops.airflow.{row.module}": options(row, server, here), "ignore_errors": True}
            if row.interpreter:
                task["vars"] = dict(ansible_python_interpreter=filled(row.interpreter, here))
            tasks.append(task)
        tasks.append({"name": "Viewer goes", "dagops.airflow.airflow_api_user": {**server["python"], "username": "bad_input_viewer", "state": "absent"}})
        if server["user_table"] != "ab_user":
            tasks.pop()
        tables = ["dag_run", "slot_pool", "variable", "connection", *([server["user_table"]] if server["user_table"] else [])]
        done = ansible(tasks, counted=" ".join([f"{server['python']['airflow_home']}/airflow.db", *tables]), timeout=1200)
    told = {one["task"]: one for one in done.results}
    wrong = []
    for mark, row in rows:
        if mark not in told:
            wrong.append(f"{row.module} {row.name}: not played: {done.told[-2000:]}")
            continue
        one = told[mark]
        result, msg = one["result"], str(one["result"].get("msg"))
        says = row.says if isinstance(row.says, str) else row.says.get(name, row.says.get(""))
        says = filled(says, dict(places, url=f"{proxy.url}/{mark}", https=proxy.url.replace("http:", "https:"), server=server["rest"]["api_url"]))
        wrote = [request for request in proxy.seen if request.mark == mark[1:] and request.writes]
        asks = row.asks if isinstance(row.asks, int) else row.asks.get(name, 0)
        faults = {
            "is not failed": not result.get("failed"),
            "is changed": result.get("changed"),
            f"says {msg!r}, not {says!r}": says not in msg,
            "shows a traceback": "Traceback" in json.dumps(result),
            f"wrote {len(wrote)} times, not {asks}": len(wrote) != asks and asks >= 0,
            f"left {one['after']} where {one['before']} was": one["before"] != one["after"],
        }
        wrong += [f"{row.module} {row.name}: {fault}" for fault, holds in faults.items() if holds]
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_table_is_large_and_each_sentence_is_said_of_one_thing():
    assert len(ROWS) >= 60
    assert len({(row.module, row.name, row.on) for row in ROWS}) == len(ROWS)
    assert all(len(str(row.says)) > 20 for row in ROWS)
