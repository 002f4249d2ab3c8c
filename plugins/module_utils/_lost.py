# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an exchange did not come about, in a sentence that says what to do. **PRIVATE** to the collection."""

from __future__ import annotations

import re

BROKE = "The connection to {where} broke before the answer came: {why}"
WANTED = "The server at {where} wants to see a certificate of the client: name it in client_cert, and its key in client_key"
UNWANTED = "The server at {where} does not accept the certificate in client_cert: is it signed by an authority that the server trusts, and not expired?"
# What ended an exchange: a sign of it; whether the server may have got the request; what to tell, and what to do. The first sign that fits counts.
# It is looked for in a text like "http proxied first ConnectionError MaxRetryError NewConnectionError: Connection refused", which is the scheme, whether
# a proxy of the environment is in between, whether the server has not answered anything yet, the errors from the outermost to the one that says
# what happened, its text, and that of its cause.
LOST: tuple[tuple[str, bool, str], ...] = (
    (
        r"ProxyError .*(NewConnection|NameResolution|ConnectTimeout|SSL|Certificate)Error: |Tunnel connection failed",
        False,
        "The proxy {proxy} of the environment does not lead to {base} ({why}): correct {variable}, or name {host} in NO_PROXY, where the module runs",
    ),
    (
        r"SOCKS support",
        False,
        "The proxy {proxy} of the environment speaks SOCKS: install requests[socks] where the module runs, correct {variable}, or name {host} in NO_PROXY",
    ),
    (
        r"^\w+ proxied .*(InvalidURL|InvalidProxyURL|ProxyScheme|LocationParseError)",
        False,
        "The proxy {proxy} of the environment is no address: correct {variable}",
    ),
    (r"InvalidURL|LocationParseError|Unicode\w*Error: ", False, "api_url {base!r} is no address of a web server: {why}"),
    (r"certificate has expired", False, "The certificate of {where} has expired: have it renewed, or set validate_certs to false"),
    (r"certificate is not yet valid", False, "The certificate of {where} is not valid yet: are the clocks of this host and of the server right?"),
    (
        r"CERTIFICATE_VERIFY_FAILED.*mismatch|hostname .* doesn't match",
        False,
        "The certificate of {where} is for another name ({why}): put a name that it has into api_url, or set validate_certs to false",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        False,
        (
            "The certificate of {where} is signed by no authority of {trusted} ({why}): name the file with its authority in ca_path, or "
            "set validate_certs to false"
        ),
    ),
    (r"WRONG_VERSION_NUMBER|RECORD_LAYER|record layer", False, "No secure connection to {where}: the server does not speak TLS: try http:// in api_url"),
    (r"ALERT_CERTIFICATE_REQUIRED", False, WANTED),
    (r"ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|ACCESS_DENIED|DECRYPT_ERROR)", False, UNWANTED),
    (r"HANDSHAKE_FAILURE", False, "No secure connection to {where} ({why}): does it want to see a certificate of the client (client_cert, client_key)?"),
    (
        r"handshake operation timed out",
        False,
        "No secure connection to {where}: no answer to TLS within {timeout:g} s (api_timeout); if the server does not speak it, use http:// in api_url",
    ),
    (r"^https first .*(EOF occurred|RemoteDisconnected|ConnectionResetError)", True, BROKE + "; if the server does not speak TLS, use http:// in api_url"),
    (r"\[SSL|SSL\w*Error: ", True, "No secure connection to {where} ({why}): see api_url, ca_path, client_cert and client_key"),
    (r"NameResolutionError|getaddrinfo|Name or service not known|name resolution", False, "The host {host!r} of api_url cannot be found: check the name"),
    (r"ConnectTimeoutError: ", False, "Nothing answered at {where} within {timeout:g} s: check host, port and firewall"),
    (r"NewConnectionError: ", False, "No server answers at {where} ({why}): is Airflow running there, and is the port right?"),
    (r"ReadTimeout(Error)?: ", True, "{where} took the request, but gave no answer within {timeout:g} s (api_timeout)"),
    (r"^http first .*(BadStatusLine|RemoteDisconnected|ConnectionResetError)", True, BROKE + "; if the server speaks TLS, use https:// in api_url"),
    (r"", True, BROKE),
)
# The same for answers by which a server in front of Airflow says that it was addressed in the wrong way: "http first HTTP 400: its page".
MISADDRESSED: tuple[tuple[str, bool, str], ...] = (
    (
        r"HTTP 400: .*(plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP to an SSL-enabled server port)",
        False,
        "The server at {where} speaks TLS: write https:// in api_url",
    ),
    (r"HTTP 400: .*No required SSL certificate was sent", False, WANTED),
    (r"HTTP 400: .*The SSL certificate error", False, UNWANTED),
    (r"proxied .*HTTP 407: ", False, "The proxy {proxy} wants a name and a password: write them into {variable}, as http://name:password@host:port"),
)
# What the libraries put around what they say.
MARKS = (
    r"^.*(Failed to establish a new connection|certificate verify failed): "
    r"|\[(Errno|SSL|X509)\b[^]]*\] ?"
    r"|\.?( \(_ssl\.c:\d+\))?$"
    r"""|^\(["']|["'],\)$"""
)


def find(table: tuple[tuple[str, bool, str], ...], subject: str) -> tuple[bool, str] | None:
    """Whether the server may have got the request, and the sentence."""
    return next(((reached, sentence) for sign, reached, sentence in table if re.search(sign, subject)), None)


def chain(exc: BaseException) -> list[BaseException]:
    """requests wraps urllib3's error, which wraps the system's: the last one says what happened."""
    for inner in (getattr(exc, "reason", None), *exc.args):
        if isinstance(inner, BaseException) and inner is not exc:
            return [exc, *chain(inner)]
    return [exc]


def plain(text: str) -> str:
    """What a library says, without its marks."""
    text = re.sub(MARKS, "", text)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
