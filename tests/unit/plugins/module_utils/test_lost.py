# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._lost import LOST, chain, find, plain


@pytest.mark.parametrize(
    ("subject", "reached", "sentence"),
    [
        # as OpenSSL, urllib3 and requests of several years say it
        ("https first SSLError MaxRetryError SSLError CertificateError: hostname 'a' doesn't match 'b'", False, "is for another name"),
        ("https first SSLError MaxRetryError SSLError: (\"hostname 'a' doesn't match 'b'\",)", False, "is for another name"),
        ("https first SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is", False, "is for another name"),
        ("https first SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate in", False, "no authority of"),
        ("https first SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid", False, "the clocks"),
        ("https first SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number", False, "does not speak TLS"),
        ("https first SSLError: [SSL] record layer failure", False, "does not speak TLS"),
        ("https first SSLError: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", False, "name it in client_cert"),
        ("https first SSLError: [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca", False, "does not accept the certificate in client_cert"),
        ("https first SSLError: [SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate", False, "does not accept the certificate"),
        ("https first SSLError: [SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure", False, "client_cert, client_key"),
        ("https first SSLError SSLEOFError: EOF occurred in violation of protocol", True, "if the server does not speak TLS"),
        ("https SSLError: [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed", True, "see api_url, ca_path"),
        ("https first ReadTimeout ReadTimeoutError: Read timed out. _ssl.c:989: The handshake operation timed out", False, "no answer to TLS"),
        ("https ReadTimeout ReadTimeoutError: Read timed out. The read operation timed out", True, "took the request"),
        ("http first ConnectionError MaxRetryError NewConnectionError: <SSLHost>: Failed: [Errno 111] Connection refused", False, "No server answers"),
        ("http first ConnectionError NewConnectionError: [Errno -3] Temporary failure in name resolution", False, "cannot be found"),
        ("http first ConnectTimeout MaxRetryError ConnectTimeoutError: timed out", False, "Nothing answered"),
        ("http proxied first ProxyError MaxRetryError ProxyError NewConnectionError: Connection refused", False, "The proxy"),
        ("http proxied first ProxyError MaxRetryError ProxyError NameResolutionError: Failed to resolve", False, "The proxy"),
        ("https proxied first ProxyError MaxRetryError ProxyError OSError: Tunnel connection failed: 407 Proxy Authentication Required", False, "The proxy"),
        ("http proxied ProxyError MaxRetryError ProxyError ConnectionResetError: reset", True, "broke before the answer came"),
        ("http proxied first InvalidURL LocationParseError: Failed to parse: http://p:port", False, "is no address"),
        ("http first InvalidURL: Failed to parse", False, "api_url"),
        ("http ConnectionError ProtocolError RemoteDisconnected: Remote end closed", True, "broke before the answer came: {why}"),
    ],
)
def test_the_sentence_for_an_error(subject, reached, sentence):
    found = find(LOST, subject)
    assert found[0] is reached
    assert sentence in found[1]


def test_every_sentence_can_be_told():
    words = dict(base="b", where="w", host="h", proxy="p", variable="v", trusted="t", timeout=1.0, why="y")
    for _sign, _reached, sentence in LOST:
        assert "{" not in sentence.format(**words)


def test_the_last_error_is_the_one_that_says_what_happened():
    inner = ConnectionRefusedError(111, "Connection refused")
    middle = ValueError("it failed", inner)
    outer = KeyError("outer")
    outer.reason = middle
    assert chain(outer) == [outer, middle, inner]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<conn object>: Failed to establish a new connection: [Errno 111] Connection refused", "connection refused"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, it is not valid for 'x'. (_ssl.c:1006)", None),
        ("[X509: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3926)", "key values mismatch"),
        ("(\"hostname 'a' doesn't match 'b'\",)", "hostname 'a' doesn't match 'b'"),
        ("Remote end closed connection without response", "remote end closed connection without response"),
    ],
)
def test_marks_of_the_libraries_are_left_out(text, wanted):
    assert plain(text) == (wanted or "IP address mismatch, it is not valid for 'x'")
