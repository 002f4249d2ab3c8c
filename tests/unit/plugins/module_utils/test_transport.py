# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import warnings

import pytest
import urllib3

from ansible_collections.dagops.airflow.plugins.module_utils._auth import anonymous, basic
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._transport import Patience, Transport


@pytest.fixture
def server():
    """Answers each connection with the next of a list of byte strings; an empty one hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve(*answers):
        def run():
            for answer in answers:
                connection, _address = listener.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}", asked

    yield serve
    listener.close()


def http(status, body=b"", headers=b""):
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s" % (status, len(body), headers, body)


def test_json_and_text(server):
    url, _asked = server(http(200, b'{"a": 1}'), http(200, b"<html>"))
    transport = Transport(url)
    assert transport.send("GET", "/", anonymous()).body == dict(a=1)
    assert transport.send("GET", "/", anonymous()).body == "<html>"


@pytest.mark.parametrize("headers", [b"Date: Thu, 26 Nov 2026 10:00:00 GMT\r\n" * 2, b"Date: Thu, 26 Nov 2026 10:00:00 -0000\r\n", b"Date: now\r\n"])
def test_a_date_that_is_odd_is_no_traceback(server, headers):
    url, _asked = server(http(200, b"1", headers))
    transport = Transport(url)
    assert transport.send("GET", "/", anonymous()).body == 1
    assert transport.now().tzinfo


def test_a_redirect_is_not_followed(server):
    url, _asked = server(http(308, headers=b"Location: /elsewhere\r\n"))
    assert Transport(url).send("GET", "/", anonymous()).status == 308


def test_netrc_does_not_replace_the_credentials(server, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    url, asked = server(http(200), http(200))
    transport = Transport(url)
    transport.send("GET", "/", basic(transport, dict(api_username="me", api_password="mine")))
    transport.send("GET", "/", anonymous())
    assert b"Authorization: Basic bWU6bWluZQ==" in asked[0]
    assert b"Authorization" not in asked[1]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_harmless_is_tried_again(server, method):
    url, asked = server(b"", http(500), http(200, b"1"))
    assert Transport(url).send(method, "/", anonymous()).body == 1
    assert len(asked) == 3


def test_who_asks_again_himself_gets_one_try(server):
    url, asked = server(b"", http(500), http(500), http(200, b"1"))
    transport = Transport(url)
    with transport.patience.of_one_try(lambda: 60.0):
        with pytest.raises(TransportError):
            transport.send("GET", "/", anonymous())
        assert transport.send("GET", "/", anonymous()).status == 500
    assert len(asked) == 2
    assert transport.send("GET", "/", anonymous()).body == 1


def test_no_try_is_longer_than_the_time_that_is_left():
    patience = Patience(30.0, 3)
    assert patience.of_a_request() == (30.0, 3)
    with patience.of_one_try(lambda: 12.5):
        assert patience.of_a_request() == (12.5, 0)
    with patience.of_one_try(lambda: -1.0):
        assert patience.of_a_request() == (5.0, 0)


def test_a_post_that_reached_the_server_is_not_tried_again(server):
    url, asked = server(b"", http(200, b"1"))
    with pytest.raises(TransportError) as failure:
        Transport(url).send("POST", "/", anonymous(), json={})
    assert failure.value.reached
    assert len(asked) == 1


def test_a_post_that_was_answered_is_not_tried_again(server):
    url, asked = server(http(500), http(200, b"1"))
    assert Transport(url).send("POST", "/", anonymous(), json={}).status == 500
    assert len(asked) == 1


def test_who_asked_not_to_look_at_certificates_is_not_warned():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(TransportError):
            Transport("https://127.0.0.1:9", verify=False, retries=0).send("GET", "/", anonymous())
        warnings.warn("Unverified HTTPS request", urllib3.exceptions.InsecureRequestWarning, stacklevel=1)
    assert not told


def test_nobody_listens(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(TransportError, match=rf"No server answers at {url} \(connection refused\): is Airflow running there") as failure:
        Transport(url, retries=0).send("POST", "/", anonymous())
    assert not failure.value.reached


def test_a_hung_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TransportError, match=r"gave no answer within 0.2 s \(api_timeout\)") as failure:
            Transport(url, timeout=0.2, retries=0).send("POST", "/", anonymous())
    assert failure.value.reached


def test_a_host_that_is_not_there():
    with pytest.raises(AirflowError, match="The host 'no-such-host.invalid' of api_url cannot be found"):
        Transport("http://no-such-host.invalid", retries=0).send("GET", "/", anonymous())


def test_tls_against_plain_http(server):
    url, _asked = server(http(400))
    with pytest.raises(TransportError, match="the server does not speak TLS: try http:// in api_url"):
        Transport(url.replace("http:", "https:"), retries=0).send("GET", "/", anonymous())


def test_a_handshake_that_failed_is_not_tried_again(server):
    url, asked = server(http(400), http(400))
    with pytest.raises(TransportError):
        Transport(url.replace("http:", "https:"), retries=3).send("GET", "/", anonymous())
    assert len(asked) == 1


@pytest.mark.parametrize("said", [b"", b"\x15\x03\x03\x00\x02\x02\x46"], ids=["hangs up", "an alert"])
def test_plain_http_against_tls(server, said):
    url, _asked = server(said)
    with pytest.raises(TransportError, match="broke before the answer came: .*; if the server speaks TLS, use https:// in api_url"):
        Transport(url, retries=0).send("GET", "/", anonymous())


def test_a_server_that_answered_before_speaks_what_it_spoke(server):
    url, _asked = server(http(200), b"")
    transport = Transport(url, retries=0)
    transport.send("GET", "/", anonymous())
    with pytest.raises(TransportError, match="broke before the answer came: [^;]*$") as failure:
        transport.send("POST", "/", anonymous())
    assert failure.value.reached


def test_the_proxy_of_the_environment_is_looked_up_once(server, monkeypatch):
    url, asked = server(http(200), http(200), http(407, b"<html>", b"Proxy-Authenticate: Basic\r\n"))
    monkeypatch.setenv("http_proxy", url.replace("//", "//me:s3cret@"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = Transport("http://airflow.example.org/below", retries=0)
    transport.send("GET", "/one", anonymous())
    monkeypatch.delenv("http_proxy")
    transport.send("POST", "/two", anonymous())
    assert [words.splitlines()[0] for words in asked] == [
        b"GET http://airflow.example.org/below/one HTTP/1.1",
        b"POST http://airflow.example.org/below/two HTTP/1.1",
    ]
    assert transport.where == f"http://airflow.example.org/below (through the proxy {url})"
    with pytest.raises(TransportError, match=f"The proxy {url} wants a name and a password: write them into HTTP_PROXY"):
        transport.send("GET", "/three", anonymous())


def test_no_proxy_has_the_last_word(server, monkeypatch):
    url, asked = server(http(200))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.org,127.0.0.1")
    Transport(url, retries=0).send("GET", "/", anonymous())
    assert asked[0].startswith(b"GET / HTTP/1.1")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_of_authorities_in_the_environment_that_is_not_there(server, monkeypatch, variable):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "/no/such")
    url, asked = server(http(200))
    with pytest.raises(AirflowError, match=rf"^{variable} '/no/such' cannot be read \(no such file or directory\): it is looked for where the module runs$"):
        Transport(url.replace("http:", "https:")).send("GET", "/", anonymous())
    assert asked == []
    assert Transport(url).send("GET", "/", anonymous()).status == 200  # and nobody needs it


@pytest.mark.parametrize("page", [b"Client sent an HTTP request to an HTTPS server.", b"<html>You're speaking plain HTTP to an SSL-enabled server port."])
def test_a_page_that_says_how_it_was_addressed(server, page):
    url, _asked = server(http(400, page), http(400, b"an answer"))
    transport = Transport(url, retries=0)
    with pytest.raises(TransportError, match=f"The server at {url} speaks TLS: write https:// in api_url") as failure:
        transport.send("POST", "/", anonymous())
    assert not failure.value.reached
    assert transport.send("POST", "/", anonymous()).status == 400
