# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source: what is told, what is told again after a restart, and what is not."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import pathlib
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TransportError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant

FILE = pathlib.Path(__file__).parents[4] / "extensions/eda/plugins/event_source/airflow_events.py"
SPEC = importlib.util.spec_from_file_location("airflow_events", FILE)
airflow_events = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(airflow_events)
Source, main = airflow_events.Source, airflow_events.main
INSIDE = Source.look.__globals__
NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


def failed(run_id, end="2026-11-25T00:00:00Z"):
    return dict(dag_id="d", run_id=run_id, end_date=end, state="failed", conf={})


def throw(exc):
    raise exc


class Airflow:
    """What it has, and what it was asked."""

    def __init__(self, monkeypatch):
        self.runs, self.errors, self.asked, self.away, self.now, self.missing = [], [], [], None, NOW, []
        monkeypatch.setitem(INSIDE, "connect", self.connect)

    def connect(self, options):
        if self.away:
            throw(self.away)
        errors = SimpleNamespace(find=lambda: self.errors)
        dialect = SimpleNamespace(rows=("dag_run", "import_error"))

        def store(resource, scope):
            runs = SimpleNamespace(now=lambda: self.now, find=lambda **words: self.find(scope.get("dag_id"), **words))
            return dict(dag_run=runs, import_error=errors)[resource.kind]

        return SimpleNamespace(open=store, close=lambda: None, known_version=lambda: "3.3.2", dialect=dialect)

    def find(self, dag_id, state, ended_since):
        if dag_id in self.missing:
            raise ApiError(f"GET /dags/{dag_id}: HTTP 404", 404)
        self.asked.append(ended_since)
        runs = [run for run in self.runs if dag_id in (None, run["dag_id"])]
        return [run for run in runs if run["end_date"] is None or instant(run["end_date"]) >= instant(ended_since)]


@pytest.fixture
def airflow(monkeypatch):
    return Airflow(monkeypatch)


@pytest.fixture
def start(tmp_path):
    return lambda **more: Source(dict(api_url="http://a", cursor_file=str(tmp_path / "cursor.json"), **more))


def turn(source):
    told = []

    async def put(event):
        told.append(event)

    asyncio.run(source.turn(put))
    return [event.get("dag_run", event.get("import_error")).get("run_id", "import error") for event in told]


def test_what_failed_before_the_first_start_is_not_told(airflow, start):
    airflow.runs = [failed("old")]
    source = start()
    assert turn(source) == []
    airflow.runs.append(failed("new"))
    assert turn(source) == ["new"]
    assert turn(source) == []
    assert airflow.asked[0] == "2026-11-24T23:50:00+00:00"


def test_after_a_restart_the_last_are_told_again(airflow, start, monkeypatch):
    source = start()
    airflow.runs = [failed("old")]
    turn(source)
    airflow.runs.append(failed("new"))
    assert turn(source) == ["new"]
    airflow.runs.append(failed("meanwhile"))
    assert turn(start()) == ["new", "meanwhile"]
    source, later = start(), time.time() + 700
    assert turn(source) == ["new", "meanwhile"]
    monkeypatch.setattr(time, "time", lambda: later)
    assert turn(source) == []
    assert turn(start()) == []


def test_what_failed_long_before_it_was_told_is_told_again_too(airflow, start, monkeypatch):
    """The rulebook was off for an hour, and is killed before it has acted on what it then heard."""
    turn(start())
    airflow.now, airflow.runs = NOW + timedelta(hours=1), [failed("r", end="2026-11-25T00:01:00Z")]
    assert turn(start()) == ["r"]
    source, later = start(), time.time() + 700
    assert turn(source) == ["r"]
    monkeypatch.setattr(time, "time", lambda: later)
    assert turn(source) == []
    turn(source)
    assert turn(start()) == []
    assert airflow.asked[-1] == "2026-11-25T00:50:00+00:00"


def test_a_dag_that_is_not_there_hides_no_other(airflow, start, caplog):
    source = start(dag_ids=["later", "d"])
    airflow.missing = ["later"]
    turn(source)
    airflow.runs = [failed("r")]
    assert turn(source) == ["r"]
    assert [record.getMessage() for record in caplog.records] == ["airflow_events: there is no DAG 'later' (yet): GET /dags/later: HTTP 404"]


def test_a_dag_that_comes_back_brings_nothing_old(airflow, start):
    """And one that comes late, on Airflow 1.10, which tells no ends."""
    airflow.runs, airflow.missing = [dict(failed("old"), end_date=None)], ["late"]
    source = start(dag_ids=["d", "late"])
    assert turn(source) == []
    airflow.runs.append(dict(failed("new"), end_date=None))
    assert turn(source) == ["new"]
    airflow.missing = ["d", "late"]
    assert turn(source) == []
    airflow.missing = ["late"]
    assert turn(source) == []
    airflow.missing = []
    airflow.runs.append(dict(failed("long ago"), end_date=None, dag_id="late"))
    assert turn(source) == []
    airflow.runs.append(dict(failed("now"), end_date=None, dag_id="late"))
    assert turn(source) == ["now"]


def test_a_run_that_was_cleared_and_failed_again_is_told_again(airflow, start):
    source = start()
    turn(source)
    airflow.runs = [failed("r")]
    assert turn(source) == ["r"]
    airflow.runs = [failed("r", end="2026-11-25T00:05:00Z")]
    assert turn(source) == ["r"]


def test_an_import_error_is_told_when_it_comes_and_when_it_comes_back(airflow, start):
    source, error = start(), dict(filename="a.py", stack_trace="NameError")
    turn(source)
    airflow.errors = [error]
    assert turn(source) == ["import error"]
    assert turn(source) == []
    airflow.errors = []
    assert turn(source) == []
    airflow.errors = [error]
    assert turn(source) == ["import error"]


def test_attempts_say_their_number(airflow, start):
    told = []

    async def put(event):
        told.append((event["first_run_id"], event["attempt"]))

    source = start()
    turn(source)
    airflow.runs = [failed("r"), failed("retry__r__2")]
    asyncio.run(source.turn(put))
    assert told == [("r", 1), ("r", 2)]


def test_the_file_is_written_after_the_events(airflow, start, tmp_path):
    source = start()
    turn(source)

    async def put(event):
        raise OSError("killed")

    airflow.runs = [failed("r")]
    with pytest.raises(OSError, match="killed"):
        asyncio.run(source.turn(put))
    assert json.loads((tmp_path / "cursor.json").read_text())["told"] == {}
    assert turn(start()) == ["r"]


def test_a_server_that_is_away_is_asked_less_and_less(airflow, tmp_path, monkeypatch):
    airflow.away, waits = TransportError("away", reached=False), []

    async def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 5:
            airflow.away = None
        if len(waits) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main(asyncio.Queue(), dict(api_url="http://a", cursor_file=str(tmp_path / "c"), poll_interval=10, longest_wait=100)))
    assert waits == [20, 40, 80, 100, 100, 10, 10]


def test_a_run_whose_conf_is_not_told_cannot_be_rerun(airflow, start):
    source = start()
    turn(source)
    known = dict(a={}, b=None, scheduled__2026=None, retry__scheduled__2026__2=None)
    airflow.runs = [dict(failed(run_id), conf=conf) for run_id, conf in {**known, "{{ template }}": {}}.items()]
    found = source.look()[1].values()
    assert [event["dag_run"]["run_id"] for event in found if event["can_be_rerun"]] == ["a", "scheduled__2026", "retry__scheduled__2026__2"]


def test_options_of_the_environment_have_their_types(monkeypatch):
    for name, text in dict(AIRFLOW_API_URL="http://a", AIRFLOW_VALIDATE_CERTS="no", AIRFLOW_API_RETRIES="7", AIRFLOW_API_TIMEOUT="1.5").items():
        monkeypatch.setenv(name, text)
    found = Source(dict(cursor_file="c")).connection
    assert (found["validate_certs"], found["api_retries"], found["api_timeout"]) == (False, 7, 1.5)
    monkeypatch.setenv("AIRFLOW_API_RETRIES", "often")
    with pytest.raises(AirflowError, match="AIRFLOW_API_RETRIES 'often' is no int"):
        Source(dict(cursor_file="c"))


def test_what_this_airflow_cannot_do_is_not_asked_again(airflow, tmp_path):
    airflow.away = Unsupported("Airflow 1.10 cannot be asked for those of all at once: give dag_id")
    with pytest.raises(Unsupported, match="give dag_id"):
        asyncio.run(main(asyncio.Queue(), dict(api_url="http://a", cursor_file=str(tmp_path / "c"))))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (dict(api_url="http://a"), "cursor_file is missing"),
        (dict(cursor_file="c"), "api_url is missing"),
        (dict(api_url="http://a", cursor_file=str(FILE)), "holds something else than a cursor: name another file"),
        (dict(api_url="http://a", cursor_file="/no/such/c"), "cursor_file /no/such/c cannot be written: there is no folder /no/such"),
        (dict(api_url="http://a", cursor_file="c", dag_ids="load"), "dag_ids is a list of DAGs, it cannot be 'load'"),
        (dict(api_url="http://a", cursor_file="c", poll_interval="soon"), "poll_interval is a number of seconds, it cannot be 'soon'"),
        (dict(api_url="http://a", cursor_file="c", overlap=None), "overlap is a number of seconds, it cannot be None"),
        (dict(api_url="http://a", cursor_file="c", dag_id="d"), "airflow_events has no option dag_id"),
    ],
)
def test_what_cannot_be_is_said(args, says, monkeypatch):
    monkeypatch.delenv("AIRFLOW_API_URL", raising=False)
    with pytest.raises(AirflowError, match=says):
        Source(args)
