# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tapes: what real servers answered, and a stand-in for a Transport that plays them.

A tape is a JSON file, named by scenario and server. It holds the server's version, each exchange in its order, and a nonce for names
that must be new on the server. Playing fails on a
request that is not the recorded one, on a surplus one, and on a tape that is not at its end; in check mode a write is refused.
Credentials are not on a tape, and what differs from run to run is replaced by a word in angle brackets.
"""

from __future__ import annotations

import json
import os
import pathlib
from datetime import datetime, timezone

from ansible_collections.dagops.airflow.plugins.module_utils._session import explain
from ansible_collections.dagops.airflow.plugins.module_utils._transport import Answer, Transport

FOLDER = pathlib.Path(__file__).parent / "tapes"
SECRET = ("password", "access_token")
VOLATILE = ("logical_date", "execution_date", "run_after")


def scrubbed(value):
    if isinstance(value, dict):
        return {name: f"<{name}>" if name in SECRET and inner else scrubbed(inner) for name, inner in value.items()}
    return [scrubbed(inner) for inner in value] if isinstance(value, list) else value


def request(method, path, json=None, params=None):
    body = scrubbed(json)
    if isinstance(body, dict):
        body = {name: f"<{name}>" if name in VOLATILE and value else value for name, value in body.items()}
    return dict(method=method, path=path, json=body, params=params)


class Player:
    """Plays a tape: has a Transport's one method."""

    def __init__(self, name):
        self.url = "http://airflow.example.org"
        self.check_mode = False
        tape = json.loads((FOLDER / f"{name}.json").read_text())
        self.exchanges = tape["exchanges"]
        self.nonce = tape["nonce"]
        self.sent = []

    def send(self, method, path, auth, json=None, params=None, accept="application/json"):
        asked = request(method, path, json, params)
        assert self.exchanges, f"surplus request: {asked}"
        expected = self.exchanges.pop(0)
        assert asked == expected["request"]
        assert not (self.check_mode and method != "GET" and path != "/auth/token"), f"a write in check mode: {asked}"
        self.sent.append(f"{method} {path}")
        answer = expected["answer"]
        return Answer(answer["status"], answer["body"], {})

    def now(self):
        return datetime.now(timezone.utc)

    def close(self):
        pass


class Recorder(Transport):
    """A real Transport that remembers."""

    check_mode = False

    def __init__(self, url):
        super().__init__(url)
        self.nonce = os.urandom(4).hex()
        self.exchanges = []
        self.sent = []

    def send(self, method, path, auth, json=None, params=None, accept="application/json"):
        answer = super().send(method, path, auth, json, params, accept)
        # Of a page nobody reads more than the exception at its end
        body = (
            answer.body if not isinstance(answer.body, str) else f"{answer.body[:300]}\n{explain(answer.body)}" if "<html" in answer.body else answer.body[:300]
        )
        self.exchanges.append(dict(request=request(method, path, json, params), answer=dict(status=answer.status, body=scrubbed(body))))
        self.sent.append(f"{method} {path}")
        return answer

    def save(self, name, version):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.json").write_text(json.dumps(dict(server=version, nonce=self.nonce, exchanges=self.exchanges), indent=1, ensure_ascii=False) + "\n")
