# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import TRIGGER, identity
from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Rules
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context, perform
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN


def options(**given):
    spec = {**CONNECTION, **TRIGGER.argument_spec}
    return {**{name: words.get("default") for name, words in spec.items()}, "dag_id": "d", "api_url": "http://127.0.0.1:9", **given}


# A run that an older release started must be found again: these ids can never change. Made without our code, for example
# printf '%s' '{"conf":{},"dag_id":"d","run_key":null,"version":1}' | sha256sum
@pytest.mark.parametrize(
    ("asked", "run_id"),
    [
        (dict(), "ansible__6c70e0b79c5bb64c622237006d328568"),
        (dict(conf={}), "ansible__6c70e0b79c5bb64c622237006d328568"),
        (dict(run_key="2026-11-25"), "ansible__508dc3283a77ccb5dff1830d24289f32"),
        (dict(conf=dict(b=[1, 2.5, None, True], a="ü")), "ansible__be897cf2f08540569341255639fc08b4"),
        (dict(conf=dict(a="ü", b=[1, 2.5, None, True])), "ansible__be897cf2f08540569341255639fc08b4"),
        (dict(dag_id="other"), "ansible__d8d7264c9969275f2876ccb003c9bc58"),
    ],
)
def test_golden_vectors_of_the_digest(asked, run_id):
    assert identity(options(**asked)) == run_id


@pytest.mark.parametrize("neutral", [dict(note="n"), dict(wait=True), dict(wait_timeout=1.0), dict(api_url="http://y"), dict(api_username="u")])
def test_nothing_else_is_part_of_the_identity(neutral):
    assert identity(options(**neutral)) == identity(options())


def test_an_own_id_is_taken_as_it_is():
    assert identity(options(run_id="r", conf=dict(a=1))) == "r"


def test_force_is_always_another_run():
    ids = {identity(options(force=True)) for number in range(100)}
    assert len(ids) == 100
    assert all(re.match(r"ansible__[0-9a-f]{32}\Z", one) for one in ids)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (dict(run_id="a/b"), "run_id 'a/b' is none that Airflow takes"),
        (dict(run_id="a b"), "is none that Airflow takes"),
        (dict(run_id="é"), "is none that Airflow takes"),
        (dict(run_id="a\n"), "is none that Airflow takes"),
        (dict(run_id=""), "is none that Airflow takes"),
        (dict(run_id=".."), "is none that Airflow takes"),
        (dict(run_id="x" * 251), "run_id is 251 characters long, Airflow takes 250"),
        (dict(run_id="scheduled__2026-11-25"), "begins with scheduled__, which Airflow keeps for runs of its own"),
        (dict(run_id="asset_triggered__x"), "begins with asset_triggered__"),
        (dict(wait_timeout=-1.0), "wait_timeout is a number of seconds, it cannot be -1"),
        (dict(poll_interval=0.0), "poll_interval is a number of seconds, it cannot be 0"),
        (dict(wait_for_dag=-1.0), "wait_for_dag is a number of seconds, it cannot be -1"),
        (dict(client="python"), "through the REST API only"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(wrong, sentence):
    with pytest.raises(AirflowError, match=re.escape(sentence)):
        perform(TRIGGER, options(**wrong))  # nothing listens at that address: a request would be another sentence


class Runs:
    """A store that says what it was told to say."""

    title, taken = "Airflow X", (409,)
    rules = Rules()

    def __init__(self, made, found=None):
        self.made = made
        self.found = found

    def create(self, values):
        if isinstance(self.made, Exception):
            raise self.made
        return dict(dict.fromkeys(DAG_RUN.keys), **values, state="queued")

    def read(self, key):
        return self.found


RUN = dict(dict.fromkeys(DAG_RUN.keys), run_id="r", conf={}, state="running")


def play(runs, monkeypatch, dag=None, **given):
    warnings = []

    def fake_open(self, resource, scope):
        if resource is DAG_RUN:
            return runs
        if isinstance(dag, Exception):
            raise dag
        return SimpleNamespace(read=lambda key: dag or dict(is_paused=False))

    monkeypatch.setattr(Context, "open", fake_open)
    return perform(TRIGGER, options(run_id="r", **given), warn=warnings.append), warnings


def test_a_conflict_is_followed_by_a_look(monkeypatch):
    result, _warnings = play(Runs(ApiError("taken", 409), RUN), monkeypatch)
    assert (result["changed"], result["found"]) == (False, True)


@pytest.mark.parametrize("end", [ApiError("page", 500), TransportError("lost", reached=True)])
def test_a_lost_answer_is_followed_by_a_look(monkeypatch, end):
    result, _warnings = play(Runs(end, RUN), monkeypatch)
    assert result["dag_run"]["run_id"] == "r"


@pytest.mark.parametrize("end", [ApiError("page", 500), TransportError("lost", reached=True), ApiError("taken", 409), TransportError("refused", reached=False)])
def test_what_came_to_nothing_is_an_error(monkeypatch, end):
    with pytest.raises(type(end)):
        play(Runs(end, None), monkeypatch)


def test_a_run_that_was_made_is_not_hidden_by_a_later_failure(monkeypatch):
    result, warnings = play(Runs(None), monkeypatch, dag=TransportError("gone", reached=True))
    assert result["changed"]
    assert warnings == ["The run was made; whether its DAG is paused cannot be told: gone"]


def test_a_run_that_is_deleted_during_the_wait_is_still_told(monkeypatch):
    with pytest.raises(AirflowError, match="was deleted while it was waited for") as failure:
        play(Runs(None), monkeypatch, wait=True)
    assert failure.value.details["changed"]
    assert failure.value.details["dag_run"]["run_id"] == "r"
