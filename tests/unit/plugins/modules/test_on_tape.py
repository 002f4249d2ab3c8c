# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module against what real servers answered.

``make tapes`` records them anew: against the running servers of tests/servers, whose names are in RECORD (name=url, ...).
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import re

import pytest
from ansible.module_utils import basic

from ansible_collections.dagops.airflow.plugins.module_utils import _connect
from ansible_collections.dagops.airflow.plugins.modules import (
    airflow_connection,
    airflow_connection_info,
    airflow_dag,
    airflow_dag_info,
    airflow_dag_run,
    airflow_dag_run_info,
    airflow_dag_run_wait,
    airflow_dag_runs,
    airflow_dag_trigger,
    airflow_info,
    airflow_pool,
    airflow_variable,
    airflow_variable_info,
)
from ansible_collections.dagops.airflow.tests.unit.plugins.modules.tape import Player, Recorder

SERVERS = {"airflow_1_10": "1.10.15", "airflow_2_11": "2.11.2", "airflow_3_fab": "3.3.2-fab", "airflow_3_simple": "3.3.2-simple"}
RECORD = dict(pair.split("=", 1) for pair in os.environ.get("RECORD_TAPES", "").split() if pair)
PASSWORD = "only-for-tests"
POOL = dict(name="tape pool", slots=3, description="first")


class Deck:
    """Runs modules one after the other against one tape."""

    def __init__(self, transport, monkeypatch, capsys):
        self.transport = transport
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        monkeypatch.setattr(_connect, "Transport", lambda *args, **kwargs: transport)
        for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
            monkeypatch.delenv(name)

    def __call__(self, module, check_mode=False, **args):
        """The module's result, with the requests that it cost under ``sent``. As AnsiballZ would run it, on every ansible-core."""
        given = dict(api_url="http://airflow.example.org", api_username="admin", api_password=PASSWORD, **args)
        given.update(_ansible_check_mode=check_mode, _ansible_diff=True)
        self.monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(dict(ANSIBLE_MODULE_ARGS=given)).encode())
        if hasattr(basic, "_ANSIBLE_PROFILE"):
            self.monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")
        self.monkeypatch.setattr("sys.stdin", io.StringIO())
        self.transport.check_mode = check_mode
        self.transport.sent.clear()
        with pytest.raises(SystemExit):
            module.main()
        result = json.loads(self.capsys.readouterr().out)
        assert PASSWORD not in json.dumps(result)
        return dict(result, sent=list(self.transport.sent))


@pytest.fixture(params=SERVERS)
def server(request):
    return request.param


@pytest.fixture
def deck(request, server, monkeypatch, capsys):
    name = f"{request.node.originalname[len('test_') :]}-{SERVERS[server]}"
    if not RECORD:
        player = Player(name)
        yield Deck(player, monkeypatch, capsys)
        assert not player.exchanges, f"the tape goes on: {player.exchanges[0]['request']}"
    else:
        recorder = Recorder(RECORD[server])
        yield Deck(recorder, monkeypatch, capsys)
        recorder.save(name, SERVERS[server])


ROOT = {"airflow_1_10": "/api/experimental", "airflow_2_11": "/api/v1", "airflow_3_fab": "/api/v2", "airflow_3_simple": "/api/v2"}
ASKED = ["GET /api/v2/version", "GET /api/v1/version", "GET /health"]  # newest first, until one answers
PROBES = {"airflow_1_10": ASKED, "airflow_2_11": ASKED[:2], "airflow_3_fab": ASKED[:1], "airflow_3_simple": ASKED[:1]}
LOGIN = {"airflow_1_10": [], "airflow_2_11": [], "airflow_3_fab": ["POST /auth/token"], "airflow_3_simple": ["POST /auth/token"]}
RUNS = {server: f"{root}/dags/test_paused/{'dag_runs' if server == 'airflow_1_10' else 'dagRuns'}" for server, root in ROOT.items()}
DAG = {server: f"GET {root}/dags/test_paused{'/paused' if server == 'airflow_1_10' else ''}" for server, root in ROOT.items()}


def assert_costs(result, server, task):
    """Beside the questions that a loop shares: what the guide says of this task."""
    guide = (pathlib.Path(__file__).parents[4] / "docs/docsite/rst/guide_exactly_once.rst").read_text()
    documented = re.search(rf"^   \* - {task}\n     - ([A-Z ]+)$", guide, re.MULTILINE).group(1).split()
    assert [one.split()[0] for one in result["sent"]] == [one.split()[0] for one in (*PROBES[server], *LOGIN[server])] + documented


def test_pool_comes_changes_and_goes(deck, server):
    deck(airflow_pool, **dict(POOL, state="absent"))  # of an earlier recording
    assert deck(airflow_pool, check_mode=True, **POOL)["changed"]
    made = deck(airflow_pool, **POOL)
    assert made["changed"]
    assert made["pool"] == dict(POOL, include_deferred=None if server == "airflow_1_10" else False)
    assert made["diff"]["before"] == {}
    again = deck(airflow_pool, **POOL)
    assert not again["changed"]
    assert len(again["sent"]) == len(PROBES[server] + LOGIN[server]) + 1
    other = deck(airflow_pool, **dict(POOL, slots=4))
    assert other["changed"]
    assert (other["diff"]["before"]["slots"], other["diff"]["after"]["slots"]) == (3, 4)
    assert other["pool"]["description"] == "first"
    assert not deck(airflow_pool, name=POOL["name"], slots=4)["changed"]
    assert deck(airflow_pool, name=POOL["name"], description="")["pool"]["description"] in ("", None)
    assert deck(airflow_pool, check_mode=True, name=POOL["name"], state="absent")["changed"]
    assert deck(airflow_pool, name=POOL["name"], state="absent")["changed"]
    assert not deck(airflow_pool, name=POOL["name"], state="absent")["changed"]


def test_pool_needs_slots(deck, server):
    for check_mode in (True, False):
        refused = deck(airflow_pool, check_mode=check_mode, name="tape_no_slots")
        assert refused["failed"]
        assert refused["msg"].startswith("To create the pool 'tape_no_slots', Airflow ")
        assert refused["msg"].endswith(" needs slots")


def test_pool_include_deferred(deck, server):
    wished = deck(airflow_pool, check_mode=True, name="tape_deferred", slots=1, include_deferred=True)
    if server == "airflow_1_10":
        assert wished["msg"] == "Airflow 1.10 has no include_deferred for a pool: it came with Airflow 2.7"
    else:
        assert wished["pool"]["include_deferred"] is True


def test_trigger_once(deck, server):
    wish = dict(dag_id="test_paused", run_key=deck.transport.nonce)
    cost = PROBES[server] + LOGIN[server]
    planned = deck(airflow_dag_trigger, check_mode=True, **wish)
    assert planned["changed"]
    made = deck(airflow_dag_trigger, **wish)
    assert made["changed"]
    assert not made["found"]
    assert made["sent"] == [*cost, f"POST {RUNS[server]}", DAG[server]]
    assert_costs(made, server, "a new run")
    assert any("is paused" in warning for warning in map(str, made["warnings"]))
    found = deck(airflow_dag_trigger, **wish)
    assert not found["changed"]
    assert found["found"]
    assert found["dag_run"]["run_id"] == made["dag_run"]["run_id"]
    assert found["sent"][:-1] == [*cost, f"POST {RUNS[server]}"]
    assert found["sent"][-1].startswith(f"GET {RUNS[server]}")
    assert_costs(found, server, "a run that is there")
    assert set(found["dag_run"]) == set(made["dag_run"]) == set(planned["dag_run"])


def test_runs_share_what_need_not_be_asked_twice(deck, server):
    runs = [dict(dag_id="test_paused", run_key=f"{deck.transport.nonce} {number}") for number in range(4)]
    made = deck(airflow_dag_runs, runs=runs)
    assert made["changed"]
    assert [one["changed"] for one in made["dag_runs"]] == [True] * 4
    assert made["sent"] == [*PROBES[server], *LOGIN[server], f"POST {RUNS[server]}", DAG[server], *[f"POST {RUNS[server]}"] * 3]
    assert_costs(made, server, "four new runs of one DAG with airflow_dag_runs")
    again = deck(airflow_dag_runs, runs=runs[:2])
    assert not again["changed"]
    assert [one["dag_run"]["run_id"] for one in again["dag_runs"]] == [one["dag_run"]["run_id"] for one in made["dag_runs"][:2]]


def test_trigger_and_wait_for_a_run_of_a_paused_dag(deck, server):
    refused = deck(airflow_dag_trigger, dag_id="test_paused", run_key=deck.transport.nonce, wait=True)
    assert refused["failed"]
    assert refused["msg"] == "The DAG 'test_paused' is paused, so a run would not start and the wait not end: nothing was started. Set unpause"
    assert refused["sent"][:-1] == [*PROBES[server], *LOGIN[server], DAG[server]]
    assert_costs(refused, server, "a run of a paused DAG that would be waited for")


def test_trigger_by_date(deck, server):
    """The run of a date is found by its date, whatever its id."""
    year, minute, second = (int(deck.transport.nonce[i : i + 2], 16) % most for i, most in ((0, 100), (2, 60), (4, 60)))
    date = f"19{year:02}-01-01T00:{minute:02}:{second:02}+00:00"
    other = deck(airflow_dag_trigger, dag_id="test_paused", run_id=f"tape_{deck.transport.nonce}", logical_date=date)
    assert other["changed"]
    found = deck(airflow_dag_trigger, dag_id="test_paused", logical_date=date.replace("T", " "))
    assert (found["changed"], found["found"]) == (False, True)
    assert found["dag_run"]["run_id"] == other["dag_run"]["run_id"]
    assert_costs(found, server, "a run that is there, by its date, under another name")
    taken = deck(airflow_dag_trigger, dag_id="test_paused", run_id=f"tape_{deck.transport.nonce}_2", logical_date=date)
    assert taken["failed"]
    assert f"has a run of {date} already, 'tape_{deck.transport.nonce}': a date has one run" in taken["msg"]


def test_wait_for_what_is_not_there(deck, server):
    nothing = deck(airflow_dag_run_wait, dag_id="load_sales")
    assert (nothing["changed"], nothing["dag_runs"]) == (False, [])
    assert len(nothing["sent"]) == len(PROBES[server] + LOGIN[server]) + 2  # its runs, and whether it is there
    missing = deck(airflow_dag_run_wait, dag_id="test_paused", run_id="tape_no_such_run")
    assert missing["msg"] == "There is no run 'tape_no_such_run' of the DAG 'test_paused', so nothing can be waited for"


def test_run_is_made_what_it_shall_be(deck, server):
    """Of a paused DAG: a run that does not start by itself."""
    run = dict(dag_id="test_held", run_id=f"tape_{deck.transport.nonce}")
    missing = deck(airflow_dag_run, **run)
    assert missing["msg"] == f"There is no run '{run['run_id']}' of the DAG 'test_held': airflow_dag_trigger starts one"
    assert not deck(airflow_dag_run, **run, state="absent")["changed"]
    deck(airflow_dag_trigger, **run)
    there = deck(airflow_dag_run, **run)
    assert (there["changed"], there["dag_run"]["state"]) == (False, "running" if server == "airflow_1_10" else "queued")
    assert len(there["sent"]) == len(PROBES[server] + LOGIN[server]) + 1
    if server == "airflow_1_10":
        for state, done in dict(cancelled="cancelled", failed="marked as failed", success="marked as successful", absent="deleted").items():
            refused = deck(airflow_dag_run, check_mode=True, **run, state=state)
            assert refused["msg"] == f"Airflow 1.10 can only start runs and look at them through its REST API: a run cannot be {done}"
        noted = deck(airflow_dag_run, **run, note="first")
        assert not noted["changed"]
        assert any("has no note for a dag run: left out" in warning for warning in map(str, noted["warnings"]))
        return
    steps = [  # wished, the state that follows
        (dict(note="first"), "queued"),
        (dict(note="second", state="cancelled"), "failed"),
        (dict(state="cleared"), "queued"),
        (dict(state="success"), "success"),
        (dict(state="failed", note=""), "failed"),
        (dict(state="cleared"), None if server == "airflow_2_11" else "queued"),  # there the tasks stay successful
        (dict(state="absent"), None),
    ]
    for wished, state in steps:
        planned = deck(airflow_dag_run, check_mode=True, **run, **wished)
        made = deck(airflow_dag_run, **run, **wished)
        if state is None and wished["state"] == "cleared":
            assert planned["msg"] == made["msg"]
            assert made["msg"].endswith(" was marked as failed, but all of its tasks have succeeded: there is nothing to do again")
            continue
        again = deck(airflow_dag_run, **run, **wished)
        assert (planned["changed"], made["changed"], again["changed"]) == (True, True, False), wished
        assert planned["diff"] == made["diff"], wished
        assert (made["dag_run"] or {}).get("state") == state, wished
        assert "note" not in wished or (made["dag_run"]["note"] or "") == wished["note"]
        assert again["dag_run"] == made["dag_run"], wished


def test_runs_are_looked_at(deck, server):
    names = [f"tape_{deck.transport.nonce}_{number}" for number in range(2)]
    for name in names:
        deck(airflow_dag_trigger, dag_id="test_held", run_id=name)
    one = deck(airflow_dag_run_info, dag_id="test_held", run_id=names[0])
    assert [run["run_id"] for run in one["dag_runs"]] == names[:1]
    assert len(one["sent"]) == len(PROBES[server] + LOGIN[server]) + 1
    assert deck(airflow_dag_run_info, dag_id="test_held", run_id="tape_no_such_run")["dag_runs"] == []
    newest = deck(airflow_dag_run_info, dag_id="test_held", state=["queued", "running"], newest=1)
    assert [run["run_id"] for run in newest["dag_runs"]] == names[1:]
    of_a_date = deck(airflow_dag_run_info, dag_id="test_held", logical_date="1999-01-01T00:00:00+00:00")
    assert of_a_date["dag_runs"] == []
    unknown = deck(airflow_dag_run_info, dag_id="test_hled")
    assert unknown["msg"].startswith("There is no DAG 'test_hled' at http://airflow.example.org")
    anywhere = deck(airflow_dag_run_info, newest=1)
    if server == "airflow_1_10":
        assert anywhere["msg"] == "Airflow 1.10 cannot be asked for those of all at once: give dag_id"
    else:
        assert len(anywhere["dag_runs"]) == 1


def test_dag_is_paused_and_set_going(deck, server):
    base = len(PROBES[server] + LOGIN[server])
    deck(airflow_dag, dag_id="test_window", paused=False)  # as it should be
    for paused in (True, False):
        planned = deck(airflow_dag, check_mode=True, dag_id="test_window", paused=paused)
        made = deck(airflow_dag, dag_id="test_window", paused=paused)
        assert (planned["changed"], made["changed"], made["dag"]["is_paused"]) == (True, True, paused)
        assert planned["diff"] == made["diff"]
        assert len(made["sent"]) == base + 2
        told = deck(airflow_dag_info, dag_id="test_window")
        assert [(dag["dag_id"], dag["is_paused"]) for dag in told["dags"]] == [("test_window", paused)]
        assert len(told["sent"]) == base + (1 if server == "airflow_1_10" else 4)
        again = deck(airflow_dag, dag_id="test_window", paused=paused)
        assert not again["changed"]
        assert len(again["sent"]) == base + 1
        assert set(planned["dag"]) == set(made["dag"]) == set(again["dag"])
    every = deck(airflow_dag_info, paused=False)
    gone = deck(airflow_dag, check_mode=True, dag_id="test_window", state="absent")
    if server == "airflow_1_10":
        assert every["msg"] == "Airflow 1.10 lists no DAGs through its REST API: give dag_id"
        assert gone["msg"] == "Airflow 1.10 cannot remove a DAG through its REST API: use `airflow delete_dag` on the master"
    else:
        assert "test_window" in [dag["dag_id"] for dag in every["dags"]]
        assert not any(dag["is_paused"] for dag in every["dags"])
        assert gone["changed"]
        assert any("The file of the DAG 'test_window' is still there" in warning for warning in map(str, gone["warnings"]))


def test_dag_that_is_not_there(deck, server):
    missing = deck(airflow_dag, dag_id="test_widnow", paused=True)
    assert missing["msg"].startswith("There is no DAG 'test_widnow' at http://airflow.example.org")
    planned = deck(airflow_dag, check_mode=True, dag_id="test_widnow", paused=True, wait_for_dag=360)
    assert planned["changed"]
    assert any("Check mode goes on as if an earlier task deployed it" in warning for warning in map(str, planned["warnings"]))
    assert deck(airflow_dag_info, dag_id="test_widnow")["dags"] == []
    if server != "airflow_1_10":
        assert not deck(airflow_dag, dag_id="test_widnow", state="absent")["changed"]


def test_trigger_of_an_unknown_dag(deck, server):
    for check_mode in (True, False):
        refused = deck(airflow_dag_trigger, check_mode=check_mode, dag_id="test_pausd")
        assert refused["failed"]
        assert refused["msg"].startswith("There is no DAG 'test_pausd' at http://airflow.example.org")
        assert ("check dag_id" if server == "airflow_1_10" else "is test_paused or ") in refused["msg"]


def test_trigger_with_params_that_the_dag_refuses(deck, server):
    refused = deck(airflow_dag_trigger, dag_id="test_params", conf=dict(n="x", who="me"))
    assert refused["failed"]
    if server != "airflow_1_10":  # there a DAG has no such params, and this one is not there
        assert refused["msg"] == "The DAG 'test_params' does not take this conf: n: 'x' is not of type 'integer'"


def test_wrong_version(deck, server):
    """An Airflow that does not have this API at all says 404 too: that is not a missing pool."""
    refused = deck(airflow_pool, name="p", state="absent", api_version="v2" if server == "airflow_2_11" else "v1")
    assert refused["failed"]
    assert refused["status"] == 404
    assert "are api_url and api_version right?" in refused["msg"]


def test_info(deck, server):
    told = deck(airflow_info)
    assert not told["changed"]
    airflow = told["airflow"]
    assert SERVERS[server].startswith(airflow["version"])
    assert ROOT[server] == f"/api/{airflow['api_version']}"
    held = [] if server == "airflow_1_10" else ["connection", "variable"]
    assert airflow["kinds"] == sorted(["dag", "dag_run", "pool", *held])
    assert (airflow["health"]["metadatabase"], airflow["health"]["scheduler"]) == ("healthy", "healthy")
    assert airflow["auth_manager"] == {"airflow_3_fab": "fab", "airflow_3_simple": "simple"}.get(server)
    assert deck(airflow_info, wait_until_healthy=True)["airflow"] == airflow


def no_way(told, kind):
    return told["msg"] == f"Airflow 1.10 has no {kind}s that this collection can manage through the REST API: use client=python on the master"


def test_variable_comes_changes_and_goes(deck, server):
    wish = dict(key="tape/of the variable", value=dict(n=[1, 2.5, True, None], text="ü"), description="first")
    if server == "airflow_1_10":
        assert no_way(deck(airflow_variable, **wish), "variable")
        assert no_way(deck(airflow_variable_info), "variable")
        return
    deck(airflow_variable, key=wish["key"], state="absent")
    assert deck(airflow_variable_info, key=wish["key"])["variables"] == []
    planned = deck(airflow_variable, check_mode=True, **wish)
    made = deck(airflow_variable, **wish)
    assert planned["changed"] and made["changed"]
    assert planned["variable"] == made["variable"]
    assert json.loads(made["variable"]["value"]) == wish["value"]
    again = deck(airflow_variable, **dict(wish, value='{"text":"ü","n":[1,2.5,true,null]}'))
    assert not again["changed"]
    assert len(again["sent"]) == len(PROBES[server] + LOGIN[server]) + 1
    assert deck(airflow_variable, key=wish["key"], description="second")["changed"]
    told = deck(airflow_variable_info, key=wish["key"])["variables"]
    assert [(one["description"], json.loads(one["value"])) for one in told] == [("second", wish["value"])]
    assert deck(airflow_variable, key=wish["key"], value="")["variable"]["value"] == ""
    assert deck(airflow_variable, key=wish["key"], description="")["variable"]["description"] in ("", None)
    assert wish["key"] in [one["key"] for one in deck(airflow_variable_info)["variables"]]
    assert deck(airflow_variable, key=wish["key"], state="absent")["changed"]
    assert not deck(airflow_variable, key=wish["key"], state="absent")["changed"]


def test_variable_that_is_a_secret(deck, server):
    """Airflow 2 tells it, Airflow 3 hides it: never a difference, never written back, and never shown by us."""
    wish = dict(key="tape_password", value="first-of-tape")
    if server == "airflow_1_10":
        assert no_way(deck(airflow_variable, **wish), "variable")
        return
    hidden = server != "airflow_2_11"
    deck(airflow_variable, key=wish["key"], state="absent")
    results = [deck(airflow_variable, **wish), deck(airflow_variable, **wish)]
    assert [one["changed"] for one in results] == [True, False]
    other = deck(airflow_variable, **dict(wish, value="second-of-tape"))
    assert other["changed"] != hidden
    assert any("cannot be known" in str(warning) for warning in other.get("warnings", ())) == hidden
    described = deck(airflow_variable, key=wish["key"], description="d")
    assert described["changed"]
    always = deck(airflow_variable, **wish, update_secrets="always")
    assert always["changed"]
    assert not deck(airflow_variable, **dict(wish, value="third-of-tape"), update_secrets="on_create")["changed"]
    results += [other, described, always, deck(airflow_variable_info, key=wish["key"])]
    assert "-of-tape" not in json.dumps(results)
    refused = deck(airflow_variable, key=wish["key"], value="***")
    assert refused["msg"] == "value holds '***', which is what Airflow shows in place of a secret: give the secret itself"
    deck(airflow_variable, key=wish["key"], state="absent")


def test_variable_that_is_told_anew(deck, server):
    """Airflow 3 tells a text that is JSON in a form of its own."""
    if server == "airflow_1_10":
        assert no_way(deck(airflow_variable, key="k", value="v"), "variable")
        return
    deck(airflow_variable, key="tape_number", state="absent")
    assert deck(airflow_variable, key="tape_number", value="1.10")["changed"]
    assert not deck(airflow_variable, key="tape_number", value="1.10")["changed"]
    deck(airflow_variable, key="tape_number", state="absent")


def test_connection_comes_changes_and_goes(deck, server):
    wish = dict(connection_id="tape_connection", conn_type="http", host="a.example.org", login="me", port=81, extra=dict(region="x", token="first-of-tape"))
    if server == "airflow_1_10":
        assert no_way(deck(airflow_connection, **wish), "connection")
        assert no_way(deck(airflow_connection_info), "connection")
        return
    name = dict(connection_id=wish["connection_id"])
    deck(airflow_connection, **name, state="absent")
    assert deck(airflow_connection_info, **name)["connections"] == []
    planned = deck(airflow_connection, check_mode=True, **wish)
    made = deck(airflow_connection, **wish)
    assert planned["changed"] and made["changed"]
    again = deck(airflow_connection, **wish)
    assert not again["changed"]
    assert len(again["sent"]) == len(PROBES[server] + LOGIN[server]) + 1
    assert any("Whether extra of the connection 'tape_connection'" in str(warning) for warning in again["warnings"])
    region = deck(airflow_connection, **name, extra=dict(region="y", token="first-of-tape"))
    assert region["changed"]
    refused = deck(airflow_connection, **name, extra=dict(region="z", token="first-of-tape"), update_secrets="on_create")
    assert refused["msg"].startswith("extra of the connection 'tape_connection' differs, and to change it is to write the secrets in it, too")
    password = deck(airflow_connection, **name, password="second-of-tape")
    assert password["changed"] == (server != "airflow_2_11")  # Airflow 3 tells that there was none
    unknown = deck(airflow_connection, **name, password="third-of-tape")
    assert not unknown["changed"]
    assert any("Whether password of the connection" in str(warning) for warning in unknown["warnings"])
    always = deck(airflow_connection, **name, password="third-of-tape", update_secrets="always")
    assert always["changed"]
    host = deck(airflow_connection, **name, host="", description="d")
    assert host["changed"] and host["connection"]["host"] in ("", None)
    shown = deck(airflow_connection_info, **name)["connections"]
    assert shown[0]["extra"] == dict(region="y", token="***")
    assert "tape_connection" in [one["connection_id"] for one in deck(airflow_connection_info)["connections"]]
    assert "-of-tape" not in json.dumps([planned, made, again, region, refused, password, unknown, always, host, shown])
    whole = deck(airflow_connection, **name, extra={})
    assert whole["changed"] and whole["connection"]["extra"] == {}
    assert deck(airflow_connection, **name, state="absent")["changed"]
    assert not deck(airflow_connection, **name, state="absent")["changed"]


def test_connection_of_a_uri(deck, server):
    wish = dict(connection_id="tape_uri", uri="postgresql://me:p%40ss-of-tape@db.example.org:5432/sales?sslmode=require")
    if server == "airflow_1_10":
        assert no_way(deck(airflow_connection, **wish), "connection")
        return
    deck(airflow_connection, connection_id="tape_uri", state="absent")
    made = deck(airflow_connection, **wish)
    said = dict(conn_type="postgres", host="db.example.org", login="me", schema="sales", port=5432, extra=dict(sslmode="require"))
    assert {name: made["connection"][name] for name in said} == said
    assert not deck(airflow_connection, **wish)["changed"]
    deck(airflow_connection, connection_id="tape_uri", state="absent")
