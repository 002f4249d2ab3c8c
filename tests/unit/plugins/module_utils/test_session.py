# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._errors import ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._session import Session, explain
from ansible_collections.dagops.airflow.plugins.module_utils._transport import Answer

EXPIRED = (401, "Token Expired")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (dict(detail="DAG with dag_id: 'nope' not found", title="DAG not found", status=404), "DAG with dag_id: 'nope' not found"),
        (dict(detail=None, status=403, title="Forbidden"), "Forbidden"),
        (dict(detail=[dict(type="missing", loc=["body", "slots"], msg="Field required")]), "slots: Field required"),
        (dict(detail=dict(reason="Unique constraint violation", message="ID x")), "ID x"),
        (dict(error="Dag id nope not found in DagModel"), "Dag id nope not found in DagModel"),
        ("Forbidden", "Forbidden"),
        (
            "<!DOCTYPE html><html><pre>Traceback\nValueError: DAG 'x' not found in serialized_dag table\n</pre></html>",
            "ValueError: DAG 'x' not found in serialized_dag table",
        ),
        ("<html>Welcome</html>", "an HTML page"),
        (None, ""),
        ({}, ""),
    ],
)
def test_every_shape_of_an_error_becomes_a_line(body, said):
    assert explain(body) == said


class Server:
    """Says what it was told to say, and counts log-ins."""

    url = "http://x"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.logins = 0

    def log_in(self):
        self.logins += 1
        return lambda request: request

    def send(self, method, path, auth, json=None, params=None, accept=""):
        status, body = self.answers.pop(0)
        return Answer(status, body, {"Location": "/login"})

    def session(self, **words):
        return Session(self, self.log_in, (EXPIRED,), **words)


def test_an_expired_token_is_renewed_once():
    server = Server((200, 1), (401, dict(detail="Token Expired")), (200, 2))
    session = server.session()
    assert [session.call("GET", "/a"), session.call("GET", "/a")] == [1, 2]
    assert server.logins == 2


def test_a_fresh_token_is_not_renewed():
    server = Server((401, dict(detail="Token Expired")))
    with pytest.raises(ApiError):
        server.session().call("GET", "/a")
    assert server.logins == 1


def test_not_allowed_is_not_expired():
    server = Server((200, 1), (401, dict(detail="Not authenticated")))
    session = server.session()
    session.call("GET", "/a")
    with pytest.raises(ApiError):
        session.call("GET", "/a")
    assert server.logins == 1


def test_an_error_says_what_was_asked_and_what_to_do():
    with pytest.raises(ApiError) as failure:
        Server((403, dict(detail="Forbidden"))).session(hints={403: "ask for the right"}).call("POST", "/a")
    assert str(failure.value) == "POST http://x/a: HTTP 403, Forbidden (ask for the right)"
    assert failure.value.details == dict(status=403, method="POST", url="http://x/a", body=dict(detail="Forbidden"))


def test_a_redirect_is_an_error():
    with pytest.raises(ApiError, match="leads away to '/login': is api_url Airflow's own address"):
        Server((302, "")).session().call("GET", "/a")


def test_an_allowed_status_is_nothing():
    assert Server((404, dict(detail="no"))).session().call("GET", "/a", allow=(404,)) is None


def test_a_404_of_somebody_else_is_not_a_missing_object():
    with pytest.raises(ApiError, match=r"HTTP 404, an HTML page \(there is no such address: are api_url and api_version right\?\)"):
        Server((404, "<html>")).session().call("GET", "/a", allow=(404,))
