# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shapes of servers: below a path, behind TLS, behind a proxy, and with an environment that has its own mind about all that."""

from __future__ import annotations

import re
import secrets
import urllib.error
import urllib.request

import pytest
import requests

from . import control
from .surround import Authority, Forward, Nginx, free_port

ROOTS = {"airflow_1_10": "/api/experimental", "airflow_2_11": "/api/v1", "airflow_3_fab": "/api/v2", "airflow_3_simple": "/api/v2"}
POOL, TRIGGER, INFO = (f"dagops.airflow.airflow_{what}" for what in ("pool", "dag_trigger", "info"))
AS_A_MODULE = dict(ANY="thing")  # an environment of the task's own keeps it out of the worker


def task(name, options, environment=None, module=INFO):
    return {"name": name, module: options, "ignore_errors": True, **({"environment": environment} if environment else {})}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every file of certificates that a test names."""
    folder = tmp_path_factory.mktemp("files")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    found = dict(ours=ours.file, other=other.file)
    for name, (certificate, key) in dict(
        server=ours.sign("server", "127.0.0.1", "localhost"),
        wrong_name=ours.sign("wrong-name", "elsewhere.example.org"),
        expired=ours.sign("expired", "127.0.0.1", days=-1),
        client=ours.sign("client"),
        strange_client=other.sign("strange-client"),
        locked=ours.sign("locked", passphrase="nobody types this"),
    ).items():
        found[name], found[f"{name}_key"] = certificate, key
    both = folder / "both.pem"
    both.write_bytes(found["client"].read_bytes() + found["client_key"].read_bytes())
    no_certificate = folder / "no-certificate.pem"
    no_certificate.write_text("no certificate\n")
    return {name: str(file) for name, file in dict(found, both=both, no_certificate=no_certificate, missing=folder / "missing.pem").items()}


@pytest.fixture(scope="module")
def nginx(files, tmp_path_factory):
    """In front of all servers: each below the path /below/<its name>/."""

    def speaks_tls(name):
        return f"ssl_certificate {files[name]}; ssl_certificate_key {files[name + '_key']};"

    servers = dict(
        plain="",
        tls=speaks_tls("server"),
        wrong_name=speaks_tls("wrong_name"),
        expired=speaks_tls("expired"),
        wants_client=f"{speaks_tls('server')} ssl_client_certificate {files['ours']}; ssl_verify_client on;",
    )
    locations = {f"/below/{name}/": server["rest"]["api_url"] for name, server in control.SERVERS.items()}
    with Nginx(tmp_path_factory.mktemp("nginx"), servers, locations) as running:
        yield running


@pytest.fixture
def behind(nginx, name, server):
    """``behind("tls")``: the options for the server behind nginx."""

    def options(which, **more):
        scheme = "http" if which == "plain" else "https"
        return dict(server["rest"], api_url=f"{scheme}://127.0.0.1:{nginx.ports[which]}/below/{name}", api_retries=0, **more)

    return options


one_server = pytest.mark.parametrize("name", list(control.SERVERS)[-1:])  # what is on the way to a server does not depend on it


def status_of(url):
    """What a browser gets there, without following redirects."""
    return requests.get(url, allow_redirects=False, timeout=60).status_code


def test_below_a_path(ansible, nginx, behind, files, name, server):
    plain, tls = behind("plain"), behind("tls", ca_path=files["ours"])
    pool = dict(name=f"shapes {secrets.token_hex(4)}", slots=3)
    below = plain["api_url"]
    run = dict(dag_id="test_paused", run_key=secrets.token_hex(8))
    done = ansible(
        [
            task("made", dict(plain, **pool), module=POOL),
            task("with a slash", dict(plain, **pool, api_url=f"{below}/"), module=POOL),
            task("with an API's path", dict(plain, **pool, api_url=f"{below}{ROOTS[name]}"), module=POOL),
            task("with both, as a module", dict(plain, **pool, api_url=f"{below}{ROOTS[name]}/"), AS_A_MODULE, module=POOL),
            task("over TLS", dict(tls, **pool), module=POOL),
            task("over TLS, as a module", dict(tls, **dict(pool, slots=4)), AS_A_MODULE, module=POOL),
            task("removed", dict(plain, **pool, state="absent"), module=POOL),
            task("started", dict(plain, **run, api_url=f"{below}{ROOTS[name]}/"), module=TRIGGER),
            task("found", dict(tls, **run, api_url=f"{tls['api_url']}/"), module=TRIGGER),
            task("information", tls),
        ]
    )
    assert done.code == 0, done.told
    assert not any(one["result"].get("failed") for one in done.results), done.told
    changed = [one["task"] for one in done.results if one["result"]["changed"]]
    assert changed == ["made", "over TLS, as a module", "removed", "started"]
    assert done.of("information")["airflow"]["version"].startswith(server["version"][:4])
    for which, options in dict(started=plain, found=tls).items():
        result = done.of(which)
        page = result["run_url"]
        if page is None:  # 1.10 does not tell it in its answer to a trigger
            assert (name, which) == ("airflow_1_10", "started")
            continue
        assert page == result["dag_run"]["url"]
        assert page.startswith(f"{options['api_url']}/")
        assert page.count("/below/") == 1
        assert ROOTS[name] not in page
    # Airflow shows that page to a browser, or has it log in first: not an address that it doesn't know.
    assert status_of(done.of("found")["run_url"].replace(tls["api_url"], plain["api_url"])) in (200, 302)
    for which in ("plain", "tls"):
        assert any(f"/below/{name}/" in request for request in nginx.passed_on(which))


def test_tls(ansible, nginx, behind, files):
    """What a user is told, and that no Airflow was asked anything."""


@one_server
def test_netrc_does_not_count(ansible, tmp_path, name):
    raise NotImplementedError
