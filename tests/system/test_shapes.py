# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shapes of servers: below a path, behind TLS, behind a proxy, and with an environment that has its own mind about all that."""

from __future__ import annotations

import re
import secrets

import pytest
import requests

from . import control
from .control import free_port
from .surround import Authority, Forward, Nginx, below

ROOTS = {"airflow_1_10": "/api/experimental", "airflow_2_11": "/api/v1", "airflow_3_fab": "/api/v2", "airflow_3_simple": "/api/v2"}
POOL, TRIGGER, INFO = (f"dagops.airflow.airflow_{what}" for what in ("pool", "dag_trigger", "info"))
AS_A_MODULE = dict(ANY="thing")  # an environment of the task's own keeps it out of the worker

WHERE = {"in the worker": None, "as a module": AS_A_MODULE}


def task(name, options, environment=None, module=INFO):
    return {"name": name, module: options, "ignore_errors": True, **({"environment": environment} if environment else {})}


@pytest.fixture
def ansible(ansible):
    """Without the authorities that whoever runs the tests may have in the environment."""

    def run(tasks, **environment):
        return ansible(tasks, environment=dict(dict(REQUESTS_CA_BUNDLE="", CURL_CA_BUNDLE=""), **environment))

    return run


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


@pytest.fixture
def nginx(files, tmp_path):
    """In front of all servers: each below the path /below/<its name>/. Of each test its own, for it notes a request when its client has long gone on."""

    def speaks_tls(name):
        return f"ssl_certificate {files[name]}; ssl_certificate_key {files[name + '_key']};"

    servers = dict(
        plain="",
        redirects="return 301 https://$http_host$request_uri;",
        tls=speaks_tls("server"),
        wrong_name=speaks_tls("wrong_name"),
        expired=speaks_tls("expired"),
        wants_client=f"{speaks_tls('server')} ssl_client_certificate {files['ours']}; ssl_verify_client on;",
    )
    locations = {f"/below/{name}/": server["rest"]["api_url"] for name, server in control.SERVERS.items()}
    with Nginx(tmp_path, servers, locations) as running:
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
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, allow_redirects=False, timeout=60).status_code


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
    assert not any(one["result"]["failed"] for one in done.results), done.told
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


@pytest.mark.parametrize("name", [name for name in control.SERVERS if name == "airflow_1_10"])
def test_a_server_that_lives_below_a_path_itself(ansible, tmp_path, server):
    """1.10 tells the address of a run's page, with its own path: that is api_url's already, or a proxy has another one for it."""
    run = dict(dag_id="test_paused", run_key=secrets.token_hex(8))
    with below("/its/own", server, tmp_path) as address, Nginx(tmp_path, dict(plain=""), {"/front/": address}) as nginx:
        front = f"http://127.0.0.1:{nginx.ports['plain']}/front"
        itself, before = dict(server["rest"], api_url=f"{address}/"), dict(server["rest"], api_url=front)
        done = ansible(
            [task("started", {**itself, **run}, module=TRIGGER), task("itself", {**itself, **run}, module=TRIGGER)]
            + [task("behind a proxy", {**before, **run}, module=TRIGGER), task("too short", dict(server["rest"], api_url=address[: -len("/its/own")]))]
        )
        assert [one["task"] for one in done.results if not one["result"]["failed"]] == ["started", "itself", "behind a proxy"], done.told
        pages = [done.of(name)["run_url"] for name in ("itself", "behind a proxy")]
        assert [page.partition("?")[0] for page in pages] == [f"{address}/admin/airflow/graph", f"{front}/admin/airflow/graph"]
        assert {status_of(page) for page in pages} <= {200, 302}
        assert status_of(pages[0].replace("/its/own", "/its/own/its/own")) == 404
    assert "is not an Airflow that we know: check api_url (" in done.of("too short")["msg"]


# The server, the options (a word is one of ``files``), and what the user is told; {base} is the address that was asked.
OURS = dict(ca_path="ours")
REFUSED = {
    "a private authority": (
        "tls",
        {},
        (
            "The certificate of {base} is signed by no authority of Python's library requests (.*): "
            "name the file with its authority in ca_path, or set validate_certs to false"
        ),
    ),
    "another authority": ("tls", dict(ca_path="other"), "The certificate of {base} is signed by no authority of ca_path {other} .*"),
    "another name": (
        "wrong_name",
        OURS,
        r"The certificate of {base} is for another name \(.* '127\.0\.0\.1'.*\): put a name that it has into api_url, or set validate_certs to false",
    ),
    "expired": ("expired", OURS, "The certificate of {base} has expired: have it renewed, or set validate_certs to false"),
    "no client's certificate": (
        "wants_client",
        OURS,
        "The server at {base} wants to see a certificate of the client: name it in client_cert, and its key in client_key",
    ),
    "a strange client's certificate": (
        "wants_client",
        dict(OURS, client_cert="strange_client", client_key="strange_client_key"),
        r"The server at {base} does not accept the certificate in client_cert: is it signed by an authority that the server trusts, and not expired\?",
    ),
    "TLS against plain HTTP": ("plain", dict(api_url="https"), "No secure connection to {base}: the server does not speak TLS: try http:// in api_url"),
    "plain HTTP against TLS": ("tls", dict(api_url="http"), "The server at {base} speaks TLS: write https:// in api_url"),
    "plain HTTP where one is sent to TLS": (
        "redirects",
        dict(api_url="http"),
        r"What answers at {base} is not an Airflow that we know: check api_url \(/api/v2/version: HTTP 301 to https:.*\)",
    ),
    "no file for ca_path": (
        "tls",
        dict(ca_path="missing"),
        r"ca_path '{missing}' cannot be read \(no such file or directory\): it is looked for where the module runs",
    ),
    "no file for client_cert": (
        "wants_client",
        dict(OURS, client_cert="missing", client_key="client_key"),
        "client_cert '{missing}' cannot be read .*",
    ),
    "no file for client_key": ("wants_client", dict(OURS, client_cert="client", client_key="missing"), "client_key '{missing}' cannot be read .*"),
    "no certificate in ca_path": ("tls", dict(ca_path="no_certificate"), r"ca_path '{no_certificate}' holds no certificates in the form of PEM \(.*\)"),
    "no certificate in client_cert": (
        "wants_client",
        dict(OURS, client_cert="no_certificate", client_key="client_key"),
        "client_cert '{no_certificate}' and client_key '{client_key}' are no certificate and its key in the form of PEM .*",
    ),
    "a key of another": (
        "wants_client",
        dict(OURS, client_cert="client", client_key="server_key"),
        "client_cert '{client}' and client_key '{server_key}' are no certificate and its key in the form of PEM .*",
    ),
    "no key": (
        "wants_client",
        dict(OURS, client_cert="client"),
        "client_cert '{client}', without a client_key, holds no certificate and its key in the form of PEM .*",
    ),
    "a key alone": (
        "wants_client",
        dict(OURS, client_key="client_key"),
        "client_key is given without client_cert: name the certificate that it belongs to",
    ),
    "a locked key": (
        "wants_client",
        dict(OURS, client_cert="locked", client_key="locked_key"),
        "The key in '{locked_key}' has a passphrase, which nobody is there to type: give one without, .*",
    ),
}
# The server, the options, and the environment.
ACCEPTED = {
    "our authority": ("tls", OURS, {}),
    "not validated": ("tls", dict(validate_certs=False), {}),
    "another name, not validated": ("wrong_name", dict(validate_certs=False), {}),
    "expired, not validated": ("expired", dict(validate_certs=False), {}),
    "a client's certificate": ("wants_client", dict(OURS, client_cert="client", client_key="client_key"), {}),
    "a client's certificate with its key": ("wants_client", dict(OURS, client_cert="both"), {}),
    "a client's certificate, not validated": ("wants_client", dict(validate_certs=False, client_cert="both"), {}),
    "the environment's authority": ("tls", {}, dict(REQUESTS_CA_BUNDLE="ours")),
    "ours against the environment's": ("tls", OURS, dict(REQUESTS_CA_BUNDLE="other")),
    "ours against a missing one": ("tls", OURS, dict(REQUESTS_CA_BUNDLE="missing")),
    "not validated, as a module": ("tls", dict(validate_certs=False), dict(REQUESTS_CA_BUNDLE="other")),
}


@one_server
def test_tls(ansible, behind, files, nginx):
    """No Airflow is asked anything before all is well, and nothing is told at the side."""

    def options(which, words):
        found = behind(which, **{name: files.get(value, value) for name, value in words.items() if name != "api_url"})
        return dict(found, api_url=re.sub(r"^\w+", words.get("api_url", found["api_url"].partition(":")[0]), found["api_url"]))

    done = ansible([task(what, options(which, words)) for what, (which, words, _sentence) in REFUSED.items()])
    assert not any(nginx.passed_on(which) for which in nginx.ports)
    assert [one["task"] for one in done.results] == list(REFUSED)
    for what, (which, words, sentence) in REFUSED.items():
        result = done.of(what)
        wanted = sentence.format(base=re.escape(options(which, words)["api_url"]), **{name: re.escape(file) for name, file in files.items()})
        assert result["failed"]
        assert re.fullmatch(wanted, result["msg"]), f"{what}: {result['msg']}"
        assert "warnings" not in result
    assert "Warning" not in done.told and "Traceback" not in done.told
    done = ansible(
        [
            task(what, options(which, words), {name: files[value] for name, value in environment.items()})
            for what, (which, words, environment) in ACCEPTED.items()
        ]
    )
    assert [one["task"] for one in done.results if not one["result"]["failed"] and "warnings" not in one["result"]] == list(ACCEPTED), done.told
    assert "Warning" not in done.told and "Traceback" not in done.told
    assert all(nginx.passed_on(which) for which, _words, _environment in ACCEPTED.values())


@one_server
def test_authorities_of_the_environment(ansible, behind, files):
    """In the worker the environment is that of ansible-playbook."""
    done = ansible(
        [
            task("trusted", behind("tls")),
            task("ours against it", behind("tls", ca_path=files["other"])),
            task("another", behind("tls"), dict(REQUESTS_CA_BUNDLE=files["other"])),
            task("missing", behind("tls"), dict(REQUESTS_CA_BUNDLE=files["missing"])),
            task("no certificate", behind("tls"), dict(REQUESTS_CA_BUNDLE=files["no_certificate"])),
            task("plain HTTP does not need it", behind("plain"), dict(REQUESTS_CA_BUNDLE=files["missing"])),
        ],
        REQUESTS_CA_BUNDLE=files["ours"],
    )
    assert [one["task"] for one in done.results if not one["result"]["failed"]] == ["trusted", "plain HTTP does not need it"], done.told
    assert f"is signed by no authority of ca_path {files['other']}" in done.of("ours against it")["msg"]
    assert f"is signed by no authority of REQUESTS_CA_BUNDLE {files['other']}" in done.of("another")["msg"]
    assert done.of("missing")["msg"].startswith(f"REQUESTS_CA_BUNDLE '{files['missing']}' cannot be read (no such file or directory)")
    assert done.of("no certificate")["msg"].startswith(f"REQUESTS_CA_BUNDLE '{files['no_certificate']}' holds no certificates in the form of PEM")


@pytest.mark.parametrize("upper", [False, True], ids=["lower", "upper"])
@one_server
def test_proxy_of_ansible_playbook(ansible, behind, files, nginx, upper):
    """In the worker."""
    names = [name.upper() if upper else name for name in ("http_proxy", "https_proxy", "no_proxy")]
    address = f"127.0.0.1:{nginx.ports['tls']}"
    tasks = [task("plain", behind("plain")), task("TLS", behind("tls", ca_path=files["ours"])), task("not trusted", behind("tls"))]
    with Forward() as proxy:
        done = ansible(tasks, **dict(zip(names, (proxy.url("plain"), proxy.url("tls"), "elsewhere.example.org"))))
        assert [one["result"]["failed"] for one in done.results] == [False, False, True], done.told
        assert done.of("not trusted")["msg"].startswith(
            f"The certificate of {behind('tls')['api_url']} (through the proxy {proxy.url()}) is signed by no authority of Python's library requests"
        )
        assert f"GET {behind('plain')['api_url']}/api/v2/version" in proxy.by("plain")
        assert set(proxy.by("tls")) == {f"CONNECT {address}"}
        assert "s3cret" not in done.told
        proxy.seen.clear()
        done = ansible(tasks[:2], **dict(zip(names, (proxy.url("plain"), proxy.url("tls"), "127.0.0.1"))))
        assert [one["result"]["failed"] for one in done.results] == [False, False], done.told
        assert proxy.seen == []


@one_server
def test_proxy_of_a_task(ansible, behind, files, nginx):
    """As a module, by ``environment``. The mark that a proxy knows somebody by is the name of the task."""
    plain, tls = behind("plain"), behind("tls", ca_path=files["ours"])
    nobody = f"http://someone:proxy-s3cret@127.0.0.1:{free_port()}"
    with Forward() as proxy:
        through = {
            "no-exception": dict(),
            "another-exception": dict(NO_PROXY="127.0.0.2,10.0.0.0/8,example.org"),
            "for-all": dict(),
        }
        past = {
            "its-address": dict(NO_PROXY="example.org,127.0.0.1"),
            "lower-case": dict(no_proxy="127.0.0.1"),
            "its-network": dict(NO_PROXY="127.0.0.0/8"),
            "everything": dict(NO_PROXY="*"),
        }
        tasks = [
            task(name, plain, {"ALL_PROXY" if name == "for-all" else "HTTP_PROXY": proxy.url(name), **environment})
            for name, environment in {**through, **past}.items()
        ]
        tasks += [
            task("for-TLS-only", plain, dict(HTTPS_PROXY=proxy.url("for-TLS-only"))),
            task("TLS", tls, dict(HTTPS_PROXY=proxy.url("TLS"))),
            task("refused", tls, dict(HTTPS_PROXY=proxy.url("refused"))),
            task("no-name", plain, dict(HTTP_PROXY=proxy.url())),
            task("not-there", plain, dict(HTTP_PROXY=nobody)),
            task("TLS-not-there", tls, dict(HTTPS_PROXY=nobody)),
            task("no-address", plain, dict(HTTP_PROXY="http://:3128")),
            task("no-port", plain, dict(HTTP_PROXY="http://someone:proxy-s3cret@127.0.0.1:port")),
            task("SOCKS", plain, dict(ALL_PROXY="socks5h://127.0.0.1:1080")),
        ]
        done = ansible(tasks)
        names = [one["task"] for one in done.results if not one["result"]["failed"]]
        assert names == [*through, *past, "for-TLS-only", "TLS"], done.told
        for name in through:
            assert f"GET {plain['api_url']}/api/v2/version" in proxy.by(name)
        assert proxy.by("TLS") == [f"CONNECT 127.0.0.1:{nginx.ports['tls']}"]
        for name in [*past, "for-TLS-only"]:
            assert proxy.by(name) == []
    assert "s3cret" not in done.told
    where = nobody.replace("someone:proxy-s3cret@", "")
    told = {
        "refused": f"The proxy {proxy.url()} of the environment does not lead to {tls['api_url']} (tunnel connection failed: 403 Forbidden): "
        "correct HTTPS_PROXY, or name 127.0.0.1 in NO_PROXY, where the module runs",
        "no-name": f"The proxy {proxy.url()} wants a name and a password: write them into HTTP_PROXY, as http://name:password@host:port",
        "not-there": f"The proxy {where} of the environment does not lead to {plain['api_url']} (connection refused): "
        "correct HTTP_PROXY, or name 127.0.0.1 in NO_PROXY, where the module runs",
        "TLS-not-there": f"The proxy {where} of the environment does not lead to {tls['api_url']} (connection refused): "
        "correct HTTPS_PROXY, or name 127.0.0.1 in NO_PROXY, where the module runs",
        "no-address": "The proxy http://:3128 of the environment is no address: correct HTTP_PROXY",
        "no-port": "The proxy http://127.0.0.1:port of the environment is no address: correct HTTP_PROXY",
        "SOCKS": "The proxy socks5h://127.0.0.1:1080 of the environment speaks SOCKS: install requests[socks] where the module runs, "
        "correct ALL_PROXY, or name 127.0.0.1 in NO_PROXY",
    }
    assert {name: done.of(name)["msg"] for name in told} == told


def test_netrc_does_not_count(ansible, tmp_path, monkeypatch):
    """Neither against our credentials, nor where we have none."""
    (right,) = {server["rest"]["api_password"] for server in control.SERVERS.values()}
    netrc = tmp_path / ".netrc"
    netrc.touch(mode=0o600)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for password in ("wrong", right):
        tasks = []
        for name, server in control.SERVERS.items():
            address = server["rest"]["api_url"]
            ours = server["rest"] if password == "wrong" else dict(api_url=address, api_auth="none")
            netrc.write_text(f"machine 127.0.0.1 login admin password {password}\n")
            assert requests.utils.get_netrc_auth(address) == ("admin", password)  # the file is one that would count
            tasks += [task(f"{name} {where}", dict(ours, name="default_pool"), environment, module=POOL) for where, environment in WHERE.items()]
        done = ansible(tasks)
        assert [(one["task"], one["result"]["failed"]) for one in done.results] == [(one["name"], password != "wrong") for one in tasks], done.told
        if password != "wrong":
            assert {one["result"]["status"] for one in done.results} <= {401, 403}
