# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which path a task takes, in the worker or as a module, that it says so at -vv, and that nothing of one item or task leaks into the next."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import urllib.request

import pytest

from . import control
from .proxy import Proxy

POOL = "dagops.airflow.airflow_pool"
TRIGGER = "dagops.airflow.airflow_dag_trigger"
API_USER = "dagops.airflow.airflow_api_user"
GROUP = "group/dagops.airflow.airflow"
HERE = "in the worker"
PROBES = {"1": 3, "2": 2, "3": 1}  # requests that find out which generation answers


def generation(server):
    return server["version"][0]


def rows_of(server, other):
    """(hosts, name, task, what it says): one DAG run, asked for on every path, is made once and found by all the others."""
    run = {TRIGGER: dict(dag_id="test_paused", run_key=secrets.token_hex(8))}
    slow = {**run, "async": 300}
    nobody = {API_USER: dict(server["python"], username="nobody_at_all", state="absent")}
    job = {
        "ansible.builtin.async_status": dict(jid="{{ started.ansible_job_id }}"),
        "register": "ended",
        "until": "ended is finished",
        "retries": 300,
        "delay": 1,
    }
    module = "as a module, because of "
    remote = module + "the host, which is not the controller"
    rows = [
        ("localhost", "plain", run, HERE),
        ("localhost", "no environment", dict(run, environment={}), HERE),
        ("localhost", "its own interpreter", dict(run, vars=dict(ansible_python_interpreter=sys.executable)), HERE),
        ("localhost", "environment", dict(run, environment=dict(ANY="thing")), module + "environment"),
        ("localhost", "another interpreter", dict(run, vars=dict(ansible_python_interpreter=other)), f"{module}ansible_python_interpreter, which is {other}"),
        ("localhost", "client python", nobody, module + "client=python"),
        ("localhost", "async and poll", dict(slow, poll=1), module + "async"),
        ("localhost", "async and no poll", dict(slow, poll=0, register="started"), module + "async"),
        ("localhost", "async status", job, None),
        ("localhost", "delegated to a remote host", dict(run, delegate_to="far"), remote),
        ("far", "remote", run, remote),
        ("far", "remote, delegated to localhost", dict(run, delegate_to="localhost"), HERE),
        ("far", "remote, delegated, environment", dict(run, delegate_to="localhost", environment=dict(ANY="thing")), module + "environment"),
        ("far", "remote, async and poll", dict(slow, poll=1), remote),
    ]
    if os.geteuid() == 0:  # who else may become somebody without a password is this machine's own affair
        rows.insert(1, ("localhost", "become", dict(run, become=True, become_method="ansible.builtin.su"), module + "become"))
    return rows


# Which path it is has nothing to do with the server; that both give the same on each server shows the integration target both_paths.
@pytest.mark.parametrize("name", sorted({*list(control.SERVERS)[:1], *list(control.SERVERS)[-1:]}) or [None], indirect=True)
def test_each_circumstance_takes_its_path(server, far, ansible, tmp_path):
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    rows = rows_of(server, str(other))
    plays = [dict(hosts=hosts, gather_facts=False, module_defaults={GROUP: server["rest"]}, tasks=[dict(task, name=name)]) for hosts, name, task, _said in rows]
    done = ansible(plays, "-vv", inventory=far.inventory)
    assert done.code == 0, done.told
    said = re.findall(r"<(\w+)> dagops\.airflow\.\w+: (in the worker|as a module, because of .*)", done.told)
    assert said == [(hosts, path) for hosts, _name, _task, path in rows if path], done.told
    for _hosts, name, _task, _path in rows:
        result = done.of(name)
        if name == "client python":
            assert (result["changed"], result["user"]) == (False, None)
        elif name == "async and no poll":
            assert result["ansible_job_id"]
        else:
            assert (name, result["changed"], result["found"]) == (name, name == "plain", name != "plain")
            assert result["dag_run"]["run_id"] == done.of("plain")["dag_run"]["run_id"]


def test_loop_items_share_one_log_in(server, address, ansible):
    """Five items: the probes and the log-in once. The next task begins anew."""
    with Proxy(address) as proxy:
        options = dict(server["rest"], name="there is no such pool {{ item }}", state="absent")
        loop = {POOL: dict(options, api_url=f"{proxy.url}/@loop"), "loop": [1, 2, 3, 4, 5], "name": "loop"}
        after = {POOL: dict(options, api_url=f"{proxy.url}/@after"), "vars": dict(item=6), "name": "after"}
        done = ansible([loop, after])
    assert done.code == 0, done.told
    assert [item["changed"] for item in done.of("loop")["results"]] == [False] * 5
    log_ins = 1 if generation(server) == "3" else 0
    assert cost(proxy, "loop") == (PROBES[generation(server)], log_ins, 5)
    assert cost(proxy, "after") == (PROBES[generation(server)], log_ins, 1)


def cost(proxy, mark):
    """Probes, log-ins, and the rest."""
    asked = [request for request in proxy.seen if request.mark == mark]
    log_ins = sum(request.path == "/auth/token" for request in asked)
    pools = sum("/pools/" in request.path for request in asked)
    return len(asked) - log_ins - pools, log_ins, pools


@pytest.fixture
def second(server, ansible):
    """The options of somebody else who may call; the simple auth manager would know a new name only after a restart: there it is a token."""
    if not server["user_table"]:
        yield dict(api_username="", api_password="", api_token=token(server))
        return
    name = f"second_{secrets.token_hex(4)}"
    user = dict(server["python"], username=name)
    role = "Admin" if generation(server) == "1" else "Viewer"
    password = secrets.token_hex(8) + "-Aa1"
    made = ansible([{API_USER: dict(user, password=password, email=f"{name}@example.org", roles=[role])}])
    assert made.code == 0, made.told
    yield dict(api_username=name, api_password=password)
    gone = ansible([{API_USER: dict(user, state="absent")}])
    assert gone.code == 0, gone.told


def token(server):
    rest = server["rest"]
    body = json.dumps(dict(username=rest["api_username"], password=rest["api_password"])).encode()
    request = urllib.request.Request(rest["api_url"] + "/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["access_token"]


def test_users_and_secrets_do_not_leak_from_item_to_item(server, second, address, ansible):
    """All items have one address. The first user's password is a secret in his own items only; nobody rides on another's log-in."""
    first = {name: server["rest"][name] for name in ("api_username", "api_password")}
    pool = f"leak_{secrets.token_hex(4)}"
    spoken = f"it says {first['api_password']} and {second['api_password'] or second.get('api_token')}"
    callers = [first, second, dict(first, api_password="wr0ng-0ne"), first, dict(api_username="", api_password="")]
    with Proxy(address) as proxy:
        given = dict(callers=callers, common=dict(api_url=proxy.url, name=pool))
        loop = {POOL: "{{ common | combine({'slots': 2, 'description': spoken}, callers[item]) }}", "vars": dict(spoken=spoken), "ignore_errors": True}
        done = ansible([dict(loop, loop=list(range(len(callers))), check_mode=True, name="check")], given=given)
        seen = list(proxy.seen)
        write = {POOL: "{{ common | combine({'slots': item, 'state': states[item]}, callers[who[item]]) }}", "ignore_errors": True}
        words = dict(states=["absent", "present", "present", "absent"], who=[0, 0, 1, 0])
        written = ansible([dict(write, loop=[1, 2, 3], vars=words, name="write")], given=given)
    items = done.of("check")["results"]
    assert [item["failed"] for item in items] == [False, False, True, False, True], items
    told = [item["pool"]["description"] for item in items if "pool" in item]
    own, other = "it says ******** and ", f"it says {first['api_password']} and ********"
    assert [told[0].startswith(own), told[1], told[2].startswith(own)] == [True, other, True]
    assert (second["api_password"] or second["api_token"]) in told[0]

    sent = [request.authorization for request in seen if "/pools" in request.path]
    if generation(server) == "3":
        assert "does not accept the password of user 'admin'" in items[2]["msg"]
        assert len(sent) == 4 and sent[0] == sent[2] != sent[1] and sent[3] == ""
        assert all(one.startswith("Bearer ") for one in sent[:3])
        assert sum(request.path == "/auth/token" for request in seen) == (3 if server["user_table"] else 2)
    else:
        basic = [f"Basic {base64.b64encode((who['api_username'] + ':' + who['api_password']).encode()).decode()}" for who in callers[:-1]]
        assert sent == [*basic, ""]

    created, changed, removed = written.of("write")["results"]
    assert created["changed"] and removed["changed"]
    if server["user_table"] and generation(server) != "1":
        assert changed["failed"] and changed["status"] == 403, changed
    else:
        assert changed["changed"], changed


class Secure(Proxy):
    """The same over TLS."""

    def __init__(self, target, certificate):
        super().__init__(target)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http://", "https://")


def test_tls_settings_do_not_leak_from_item_to_item(ansible, tmp_path):
    """Whoever does not look at a certificate must not blind the next one."""
    assert control.SERVERS, "no server to test against"
    server = list(control.SERVERS.values())[-1]
    certificate = tmp_path / "own.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    openssl = control.program("openssl", "openssl", "/usr/bin")
    subprocess.run([openssl, *words, "-keyout", str(certificate), "-out", str(tmp_path / "cert.pem")], check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "cert.pem").read_text())
    blind, strict, knowing = dict(validate_certs=False), dict(validate_certs=True), dict(ca_path=str(tmp_path / "cert.pem"))
    settings = [blind, strict, knowing, strict, blind]
    with Secure(server["rest"]["api_url"].partition("://")[2], certificate) as proxy:
        task = {POOL: "{{ common | combine(settings[item]) }}", "ignore_errors": True}
        given = dict(common=dict(server["rest"], api_url=proxy.url, api_retries=0, name="there is no such pool", state="absent"), settings=settings)
        done = ansible([dict(task, loop=list(range(len(settings))), name="loop"), dict(task, vars=dict(item=1), name="after")], given=given)
    items = done.of("loop")["results"]
    assert [item["failed"] for item in items] == [False, True, False, True, False], items
    for refused in (items[1], items[3], done.of("after")):
        assert refused["failed"]
        assert "is signed by no authority of " in refused["msg"] and "in ca_path, or set validate_certs to false" in refused["msg"]
    assert "InsecureRequestWarning" not in done.told
