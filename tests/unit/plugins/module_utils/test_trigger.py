# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions import trigger as trigger_module
from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import attempt_id, first_and_number, identity, stamp
from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import TRIGGER
from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Rules
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, Foreign, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context, perform
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant, same_json
from ansible_collections.dagops.airflow.plugins.module_utils._resources.cleared_tasks import CLEARED_TASKS
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import TASK_INSTANCE
from ansible_collections.dagops.airflow.plugins.module_utils._transport import Patience


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
        (dict(logical_date="none"), "ansible__6c70e0b79c5bb64c622237006d328568"),
        (dict(logical_date="2026-11-25T01:00:00+01:00"), "ansible__2026-11-25T00:00:00+00:00"),
        (dict(logical_date="2026-11-25 00:00Z", conf=dict(a=1)), "ansible__2026-11-25T00:00:00+00:00"),
    ],
)
def test_golden_vectors_of_the_digest(asked, run_id):
    assert identity(options(**asked)) == run_id


@pytest.mark.parametrize("neutral", [dict(note="n"), dict(wait=True), dict(wait_timeout=1.0), dict(api_url="http://y"), dict(api_username="u")])
def test_nothing_else_is_part_of_the_identity(neutral):
    assert identity(options(**neutral)) == identity(options())


def test_an_own_id_is_taken_as_it_is():
    assert identity(options(run_id="r", conf=dict(a=1))) == "r"


@pytest.mark.parametrize(
    ("first", "number", "run_id"),
    [
        ("r", 2, "retry__r__2"),
        ("ansible__6c70e0b79c5bb64c622237006d328568", 10, "retry__ansible__6c70e0b79c5bb64c622237006d328568__10"),
        ("x" * 237, 2, "retry__" + "x" * 237 + "__2"),
        ("x" * 238, 2, "retry__" + "x" * 220 + "~" + "267bcbe7723ca36f" + "__2"),
    ],
)
def test_golden_ids_of_attempts(first, number, run_id):
    assert attempt_id(first, number) == run_id
    assert len(run_id) <= 250
    assert first_and_number(run_id)[1] == number


@pytest.mark.parametrize("length", [1, 236, 237, 238, 250])
def test_whoever_goes_on_from_an_attempt_starts_the_same_one(length):
    for number in (2, 9, 99, 999):
        first, _number = first_and_number(attempt_id("x" * length, number))
        assert attempt_id(first, number + 1) == attempt_id("x" * length, number + 1)


@pytest.mark.parametrize(
    ("run_id", "told"), [("r", ("r", 1)), ("retry__r__2", ("r", 2)), ("retry__a__b__12", ("a__b", 12)), ("retry__r__0", ("retry__r__0", 1))]
)
def test_an_attempt_knows_its_first_run(run_id, told):
    assert first_and_number(run_id) == told


def test_a_stamp_is_past_and_ours_alone():
    now = datetime(2026, 11, 25, tzinfo=timezone.utc)
    stamps = [instant(stamp(now)) for number in range(100)]
    assert len(set(stamps)) > 95
    assert all(now - timedelta(seconds=2) < one < now for one in stamps)


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
        (dict(run_id=""), "run_id is empty: give a name, or leave it out"),
        (dict(run_key=""), "run_key is empty: give what tells this run from others, or leave it out"),
        (dict(logical_date="9999-12-31T23:59:59-05:00"), "is no date with a time and a time zone"),
        (dict(run_id=".."), "is none that Airflow takes"),
        (dict(run_id="x" * 251), "run_id is 251 characters long, Airflow takes 250"),
        (dict(run_id="scheduled__2026-11-25"), "begins with scheduled__, which Airflow keeps for runs of its own"),
        (dict(run_id="asset_triggered__x"), "begins with asset_triggered__"),
        (dict(wait_timeout=-1.0), "wait_timeout is a number of seconds, it cannot be -1"),
        (dict(poll_interval=0.0), "poll_interval is a number of seconds, it cannot be 0"),
        (dict(wait_for_dag=-1.0), "wait_for_dag is a number of seconds, it cannot be -1"),
        (dict(client="python"), "through the REST API only"),
        (dict(logical_date="2026-11-25"), "logical_date '2026-11-25' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00"),
        (dict(logical_date="2026-11-25T00:00:00"), "is no date with a time and a time zone"),
        (dict(logical_date="2026-02-30T00:00:00Z"), "is no date with a time and a time zone"),
        (dict(logical_date="1764028800"), "is no date with a time and a time zone"),
        (dict(run_after="soon"), "run_after 'soon' is no date"),
        (dict(logical_date="2026-11-25T00:00Z", data_interval_start="2026-11-25T00:00Z"), "data_interval_start and data_interval_end go together"),
        (dict(data_interval_start="2026-11-25T00:00Z", data_interval_end="2026-11-26T00:00Z"), "are of a run with a logical_date: give one"),
        (
            dict(logical_date="2026-11-25T00:00Z", data_interval_start="2026-11-26T00:00Z", data_interval_end="2026-11-25T00:00Z"),
            "data_interval_start is after data_interval_end",
        ),
        (dict(logical_date="2026-11-25T00:00Z", run_key="k"), "run_key says nothing beside a logical_date"),
        (dict(force=True, run_id="r"), "force starts another run in any case, run_id names one"),
        (dict(force=True, logical_date="2026-11-25T00:00Z"), "force starts another run in any case, logical_date names one"),
        (dict(force=True, if_failed="clear"), "force starts another run in any case, if_failed asks for one that was there"),
        (dict(if_failed="rerun", logical_date="2026-11-25T00:00Z"), "another attempt cannot have the same logical_date"),
        (dict(max_attempts=0), "max_attempts counts the first run too, it cannot be 0"),
        (dict(note="x" * 1001), "note is 1001 characters long, Airflow takes 1000"),
        (dict(conf=dict(a=float("nan"))), "conf holds a number that JSON does not have"),
        (dict(wait_timeout=float("nan")), "wait_timeout is a number of seconds, it cannot be nan"),
        (dict(wait_timeout=float("inf")), "wait_timeout is a number of seconds, it cannot be inf"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(wrong, sentence):
    with pytest.raises(AirflowError, match=re.escape(sentence)):
        perform(TRIGGER, options(**wrong))  # nothing listens at that address: a request would be another sentence


class Runs:
    """A store that says what it was told to say: each end of a POST in its turn, each run that is found."""

    title, taken, unsaid, nullable = "Airflow X", (409,), (500,), ()
    rules = Rules()

    def __init__(self, *ends, found=()):
        self.ends = list(ends)
        self.found = list(found)
        self.sent = []

    def now(self):
        return datetime(2026, 11, 25, tzinfo=timezone.utc)

    def create(self, values):
        self.sent.append(dict(values))
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return dict(dict.fromkeys(DAG_RUN.keys), **values, state="queued")

    def read(self, key):
        found = self.found.pop(0) if self.found else None
        return found(self.sent[-1]) if callable(found) else found

    def find(self, **wished):
        return []


RUN = dict(dict.fromkeys(DAG_RUN.keys), run_id="r", conf={}, state="running", logical_date="2026-11-24T00:00:00Z")
LOST = TransportError("lost", reached=True)
CUT = Foreign("no Airflow")


def ours(sent):
    return dict(RUN, logical_date=sent["logical_date"].replace("+00:00", "Z"))


def play(runs, monkeypatch, dag=None, cleared=None, tasks=None, check_mode=False, no_dag=False, **given):
    warnings = []

    def fake_open(self, resource, scope):
        if isinstance(dag, Exception) and resource is DAG:
            raise dag
        dags = SimpleNamespace(read=lambda key: None if no_dag else dag or dict(is_paused=False, is_stale=False))
        found = tasks or SimpleNamespace(find=list)
        return {DAG.kind: dags, DAG_RUN.kind: runs, CLEARED_TASKS.kind: cleared, TASK_INSTANCE.kind: found}[resource.kind]

    monkeypatch.setattr(Context, "open", fake_open)
    monkeypatch.setattr(
        Context,
        "connection",
        SimpleNamespace(
            memory={}, session=SimpleNamespace(patience=Patience(1.0, 0)), dialect=SimpleNamespace(rows=dict(cleared_tasks=cleared) if cleared else {})
        ),
    )
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return perform(TRIGGER, options(**{"run_id": "r", **given}), check_mode, warn=warnings.append), warnings


def test_a_conflict_is_followed_by_a_look(monkeypatch):
    result, _warnings = play(Runs(ApiError("taken", 409), found=[RUN]), monkeypatch)
    assert (result["changed"], result["found"]) == (False, True)


@pytest.mark.parametrize("end", [ApiError("page", 500), LOST, CUT])
@pytest.mark.parametrize(("found", "changed"), [(ours, True), (RUN, False)])
def test_after_a_lost_answer_the_date_tells_whose_run_it_is(monkeypatch, end, found, changed):
    result, _warnings = play(Runs(end, found=[found]), monkeypatch)
    assert (result["changed"], result["found"]) == (changed, not changed)


@pytest.mark.parametrize("end", [ApiError("page", 500), ApiError("later", 429, retry_after=1.0), LOST])
def test_what_did_not_come_about_is_tried_again(monkeypatch, end):
    runs = Runs(end, end, None)
    assert play(runs, monkeypatch)[0]["changed"]
    assert len(runs.sent) == 3
    assert len({sent["run_id"] for sent in runs.sent}) == 1


@pytest.mark.parametrize("end", [ApiError("page", 500), LOST, CUT])
def test_and_in_the_end_is_an_error(monkeypatch, end):
    """Of this run alone: the server is there."""
    runs = Runs(*[end] * 4)
    with pytest.raises(AirflowError, match="The run 'r' is not there") as failure:
        play(runs, monkeypatch)
    assert len(runs.sent) == 4
    assert not isinstance(failure.value, TransportError)


def test_what_is_no_airflow_at_all_is_said_so(monkeypatch):
    def read(run_id):
        raise Foreign("no Airflow")

    runs = Runs(CUT)
    monkeypatch.setattr(runs, "read", read)
    with pytest.raises(Foreign, match="^no Airflow$"):
        play(runs, monkeypatch)


def test_a_date_that_a_page_of_500_hides_is_replaced(monkeypatch):
    """So 1.10 answers to the same microsecond of another run."""
    runs = Runs(ApiError("page", 500), None)
    runs.find = lambda logical_date: [dict(RUN, run_id="other")]
    assert play(runs, monkeypatch)[0]["changed"]
    assert runs.sent[0]["logical_date"] != runs.sent[1]["logical_date"]


def test_a_dag_that_comes_and_is_paused_is_not_waited_for(monkeypatch):
    runs = Runs(ApiError("no DAG", 404), None)
    told = [None, True]
    monkeypatch.setattr(trigger_module, "_is_paused", lambda context: told.pop(0))
    with pytest.raises(AirflowError, match="is paused, so a run would not start and the wait not end: nothing was started"):
        play(runs, monkeypatch, wait=True, wait_for_dag=60.0)
    assert len(runs.sent) == 1


def test_check_mode_goes_on_without_a_dag_that_will_be_waited_for(monkeypatch):
    told, warnings = play(Runs(), monkeypatch, dag=None, check_mode=True, no_dag=True, wait_for_dag=60.0)
    assert told["changed"]
    assert warnings == ["There is no DAG 'd'. Check mode goes on as if an earlier task deployed it"]


@pytest.mark.parametrize("dag", [dict(is_stale=True), dict(is_stale=False, has_import_errors=True)])
def test_check_mode_says_what_the_server_would_refuse(monkeypatch, dag):
    monkeypatch.setattr(trigger_module, "why_no_run", lambda context, exc: exc)
    with pytest.raises(ApiError, match="The DAG 'd' cannot be run"):
        play(Runs(), monkeypatch, dag=dict(dag, is_paused=False), check_mode=True)
    runs = Runs()
    runs.find = lambda logical_date: [dict(RUN, run_id="other")]
    with pytest.raises(AirflowError, match="has a run of 2026-11-24T00:00:00[+]00:00 already, 'other': a date has one run"):
        play(runs, monkeypatch, logical_date="2026-11-24T00:00:00Z", check_mode=True)


@pytest.mark.parametrize("end", [ApiError("no", 422), ApiError("no", 403), TransportError("refused", reached=False)])
def test_a_clear_no_is_not_tried_again(monkeypatch, end):
    runs = Runs(end, None)
    with pytest.raises(type(end)):
        play(runs, monkeypatch)
    assert len(runs.sent) == 1


def test_a_date_that_somebody_else_took_is_replaced(monkeypatch):
    runs = Runs(ApiError("taken", 409), None)
    assert play(runs, monkeypatch)[0]["changed"]
    assert runs.sent[0]["logical_date"] != runs.sent[1]["logical_date"]


def test_where_the_server_cannot_be_asked_either(monkeypatch):
    def gone(key):
        raise TransportError("gone", reached=False)

    runs = Runs(TransportError("lost", reached=True))
    monkeypatch.setattr(runs, "read", gone)
    with pytest.raises(
        AirflowError, match=re.escape("lost. Whether the run 'r' was started cannot be told (gone): play the task again, that starts no second")
    ):
        play(runs, monkeypatch)


FAILED = dict(RUN, state="failed")


def test_the_newest_attempt_counts(monkeypatch):
    attempts = [FAILED, dict(FAILED, run_id="retry__r__2"), dict(RUN, run_id="retry__r__3", state="success")]
    result, _warnings = play(Runs(ApiError("taken", 409), found=attempts), monkeypatch)
    assert (result["changed"], result["attempt"], result["dag_run"]["run_id"]) == (False, 3, "retry__r__3")


def test_rerun_starts_the_next_attempt(monkeypatch):
    runs = Runs(ApiError("taken", 409), None, found=[FAILED, None])
    result, _warnings = play(runs, monkeypatch, if_failed="rerun", conf={})
    assert (result["changed"], result["attempt"], result["dag_run"]["run_id"]) == (True, 2, "retry__r__2")
    assert [sent["run_id"] for sent in runs.sent] == ["r", "retry__r__2"]


def test_another_attempt_is_about_the_same(monkeypatch):
    """Its conf, where none is given, and the data interval of whatever run."""
    interval = dict(data_interval_start="2026-11-23T00:00:00Z", data_interval_end="2026-11-24T00:00:00Z")
    runs = Runs(ApiError("taken", 409), None, found=[dict(FAILED, conf=dict(a=1), **interval), None])
    play(runs, monkeypatch, if_failed="rerun")
    assert runs.sent[0]["conf"] == {}
    assert runs.sent[1]["conf"] == dict(a=1)
    assert [runs.sent[1][name] for name in interval] == ["2026-11-23T00:00:00+00:00", "2026-11-24T00:00:00+00:00"]
    with pytest.raises(AirflowError, match="exists with another conf"):
        play(Runs(ApiError("taken", 409), found=[dict(FAILED, conf=dict(a=1))]), monkeypatch, if_failed="fail")


def test_another_conf_is_an_error_that_shows_both(monkeypatch):
    with pytest.raises(AirflowError, match=re.escape('exists with another conf: it has {"a": 1}, asked was {"a": 2}')) as failure:
        play(Runs(ApiError("taken", 409), found=[dict(RUN, conf=dict(a=1))]), monkeypatch, conf=dict(a=2))
    assert failure.value.details["dag_run"]["run_id"] == "r"


def test_what_one_conf_lacks_is_shown_though_it_is_empty(monkeypatch):
    with pytest.raises(AirflowError, match=re.escape('it has {"a": {}}, asked was {}')):
        play(Runs(ApiError("taken", 409), found=[dict(RUN, conf=dict(a={}))]), monkeypatch, conf={})


@pytest.mark.parametrize(
    ("there", "asked", "same"),
    [
        (dict(n=1152921504606847000), dict(n=1.152921504606847e18), True),  # as PostgreSQL's jsonb gives it back
        (dict(a=[dict(b=1.0)]), dict(a=[dict(b=1)]), True),
        (dict(n=10**400), dict(n=1.0), False),
        (dict(full=1), dict(full=True), False),
        (dict(full=0.0), dict(full=False), False),
        (dict(a=[1]), dict(a=[1, 2]), False),
        (dict(a=None), dict(), False),
    ],
)
def test_confs_that_are_the_same(there, asked, same):
    assert same_json(there, asked) is same
    assert same_json(asked, there) is same


@pytest.mark.parametrize("there", ["us", None])
def test_a_run_of_another_partition_is_not_taken_for_it(monkeypatch, there):
    with pytest.raises(AirflowError, match=f"exists with another partition_key: it has {there}, asked was eu"):
        play(Runs(ApiError("taken", 409), found=[dict(RUN, partition_key=there)]), monkeypatch, partition_key="eu")


def test_another_attempt_is_of_the_same_partition(monkeypatch):
    runs = Runs(ApiError("taken", 409), None, found=[dict(FAILED, partition_key="eu"), None])
    play(runs, monkeypatch, if_failed="rerun")
    assert runs.sent[1]["partition_key"] == "eu"


def test_a_conf_that_nobody_tells_is_not_lost(monkeypatch):
    there = [dict(FAILED, conf=None), None]
    with pytest.raises(AirflowError, match=re.escape("Airflow X does not tell the conf of 'r', so another attempt could not have it: give conf, {} for none")):
        play(Runs(ApiError("taken", 409), found=there), monkeypatch, if_failed="rerun")
    runs = Runs(ApiError("taken", 409), None, found=there)
    play(runs, monkeypatch, if_failed="rerun", conf=dict(a=1))
    assert runs.sent[1]["conf"] == dict(a=1)


def test_rerun_ends_at_max_attempts(monkeypatch):
    with pytest.raises(AirflowError, match=re.escape("The run 'retry__r__2' of the DAG 'd' failed, attempt 2 of 2 (max_attempts)")):
        play(Runs(ApiError("taken", 409), found=[FAILED, dict(FAILED, run_id="retry__r__2"), None]), monkeypatch, if_failed="rerun")


SCHEDULED = dict(FAILED, run_id="scheduled__2026-11-25", data_interval_start="2026-11-24T00:00:00Z", data_interval_end="2026-11-25T00:00:00Z")


@pytest.mark.parametrize("failed", [[SCHEDULED, None], [SCHEDULED, dict(SCHEDULED, run_id="retry__scheduled__2026-11-25__2"), None]])
def test_a_scheduled_run_is_done_again_for_its_own_interval(monkeypatch, failed):
    runs = Runs(None, found=failed)
    result, _warnings = play(runs, monkeypatch, run_id=SCHEDULED["run_id"], if_failed="rerun", max_attempts=3)
    run_id = f"retry__scheduled__2026-11-25__{len(failed)}"
    assert (result["changed"], result["attempt"], result["dag_run"]["run_id"]) == (True, len(failed), run_id)
    (sent,) = runs.sent
    assert (sent["run_id"], sent["data_interval_start"], sent["data_interval_end"]) == (run_id, "2026-11-24T00:00:00+00:00", "2026-11-25T00:00:00+00:00")


@pytest.mark.parametrize("if_failed", ["clear", "rerun"])
def test_a_run_of_airflows_own_is_never_made(monkeypatch, if_failed):
    runs = Runs(found=[None])
    with pytest.raises(AirflowError, match="The DAG 'd' has no such run: run_id 'scheduled__2026-11-25' begins with scheduled__"):
        play(runs, monkeypatch, run_id=SCHEDULED["run_id"], if_failed=if_failed)
    assert not runs.sent


class Cleared:
    title = "Airflow 9"

    def __init__(self, create, **lacks):
        self.create = create
        self.rules = Rules(lacks=lacks)


def tasks_in(**states):
    moment = "2026-11-25T00:00:10Z"
    tasks = [dict(task_id=name, map_index=-1, state=state, start_date=moment, end_date=moment) for name, state in states.items()]
    return SimpleNamespace(find=lambda: tasks)


def test_clear_does_what_has_not_succeeded_where_nothing_failed(monkeypatch):
    done = []

    def clear(values):
        done.append(values)
        return dict(task_instances=done[1:])

    tasks = tasks_in(b="skipped", a="success", c=None)
    runs = Runs(ApiError("taken", 409), found=[FAILED, None, FAILED, dict(RUN, state="queued")])
    result, _warnings = play(runs, monkeypatch, cleared=Cleared(clear), tasks=tasks, if_failed="clear")
    assert result["dag_run"]["state"] == "queued"
    assert done == [dict(run_id="r"), dict(run_id="r", only_failed=False, tasks=[("b", -1), ("c", -1)])]


def test_clear_of_a_cancelled_run_does_what_was_cut_off_too(monkeypatch):
    """Airflow fails what was running, and skips what was to come, at the moment at which it ends the run."""
    done = []
    cancelled = dict(FAILED, end_date="2026-11-25T00:00:12Z")
    tasks = tasks_in(extract="success", load="failed", report="skipped", branch="skipped", sum="skipped", last=None)
    tasks.find()[3].update(dict.fromkeys(("start_date", "end_date"), "2026-11-25T00:00:01Z"))
    tasks.find()[4]["start_date"] = "2026-11-25T00:00:09Z"
    runs = Runs(ApiError("taken", 409), found=[cancelled, None, cancelled, dict(RUN, state="queued")])
    cleared = Cleared(lambda values: done.append(values) or dict(task_instances=[1]))
    play(runs, monkeypatch, cleared=cleared, tasks=tasks, if_failed="clear")
    assert done == [dict(run_id="r", only_failed=False, tasks=[("last", -1), ("load", -1), ("report", -1)])]
    tasks = tasks_in(load="failed", branch="skipped")
    tasks.find()[1]["start_date"] = "2026-11-25T00:00:01Z"
    runs = Runs(ApiError("taken", 409), found=[cancelled, None, dict(RUN, state="queued")])
    play(runs, monkeypatch, cleared=cleared, tasks=tasks, if_failed="clear")
    assert done[1:] == [dict(run_id="r")]


@pytest.mark.parametrize("lacks", [{}, dict(map_index="it came later")])
def test_clear_of_a_mapped_task_that_was_cut_off(monkeypatch, lacks):
    """One of its instances had succeeded: where single ones cannot be named that is said."""
    done, cancelled = [], dict(FAILED, end_date="2026-11-25T00:00:12Z")
    tasks = tasks_in(load0="success", load1="failed", load2="skipped", other="success")
    for index, task in enumerate(tasks.find()[:3]):
        task.update(task_id="load", map_index=index)
    tasks.find()[2]["start_date"] = None
    runs = Runs(ApiError("taken", 409), found=[cancelled, None, cancelled, dict(RUN, state="queued")])
    cleared = Cleared(lambda values: done.append(values) or dict(task_instances=[1]), **lacks)
    _result, warnings = play(runs, monkeypatch, cleared=cleared, tasks=tasks, if_failed="clear")
    assert done == [dict(run_id="r", only_failed=False, tasks=[("load", 1), ("load", 2)])]
    said = ["What had succeeded of load in 'r' may be done again, too, for Airflow 9 clears all instances of a mapped task together before version 3.2"]
    assert [text for text in warnings if "succeeded" in text] == (said if lacks else [])


@pytest.mark.parametrize("end_date", [None, "2026-11-25T00:00:12Z"])
def test_who_comes_second_clears_nothing(monkeypatch, end_date):
    """What another controller has set going again is left alone, also if the run had been cancelled."""
    done = []
    tasks = tasks_in(load="failed", report="skipped") if end_date else None
    again = dict(RUN, state="running")
    runs = Runs(ApiError("taken", 409), found=[dict(FAILED, end_date=end_date), None, again, again])
    cleared = Cleared(lambda values: done.append(values) or dict(task_instances=[]))
    result, _warnings = play(runs, monkeypatch, cleared=cleared, tasks=tasks, if_failed="clear")
    assert (result["changed"], result["dag_run"]["state"]) == (False, "running")
    assert done == ([] if end_date else [dict(run_id="r")])


def test_clear_looks_after_a_lost_answer(monkeypatch):
    done = []

    def clear(values):
        done.append(values)
        raise LOST

    runs = Runs(ApiError("taken", 409), found=[FAILED, None, FAILED, dict(RUN, state="queued")])
    result, _warnings = play(runs, monkeypatch, cleared=Cleared(clear), if_failed="clear")
    assert (result["changed"], result["dag_run"]["state"]) == (True, "queued")
    assert done == [dict(run_id="r")] * 2


def test_an_old_end_is_told_with_its_age(monkeypatch):
    ended = (datetime.now(timezone.utc) - timedelta(hours=3, minutes=5)).isoformat()
    _result, warnings = play(Runs(ApiError("taken", 409), found=[dict(RUN, state="success", end_date=ended)]), monkeypatch, run_id=None)
    assert "ended as success before, 3 hours ago: the same DAG with the same conf is run once ever. For another run give run_key" in warnings[0]


def test_a_run_that_was_made_is_not_hidden_by_a_later_failure(monkeypatch):
    result, warnings = play(Runs(None), monkeypatch, dag=TransportError("gone", reached=True))
    assert result["changed"]
    assert warnings == ["The run 'r' of the DAG 'd' is there; whether its DAG is paused cannot be told: gone"]


def test_a_run_that_is_deleted_during_the_wait_is_still_told(monkeypatch):
    with pytest.raises(AirflowError, match="was deleted while it was waited for") as failure:
        play(Runs(None), monkeypatch, wait=True)
    assert failure.value.details["changed"]
    assert failure.value.details["dag_run"]["run_id"] == "r"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (None, "after 0.001 s (wait_timeout), and was cancelled"),
        (RUN, "after 0.001 s (wait_timeout); it is not cancelled, for another task has started it"),
    ],
)
def test_only_what_this_task_has_started_is_cancelled(monkeypatch, found, sentence):
    asked = []
    runs = Runs(ApiError("taken", 409) if found else None, found=[RUN] * 4)
    runs.verbs = ("read", "create", "update")
    runs.update = lambda key, patch, current: asked.append(patch) or {**RUN, **patch}
    with pytest.raises(AirflowError, match=re.escape(sentence)) as failure:
        play(runs, monkeypatch, wait=True, on_timeout="cancel", wait_timeout=0.001)
    assert failure.value.details["timed_out"]
    assert asked == ([] if found else [dict(state="failed")])


def test_a_cancellation_whose_answer_is_lost_is_said(monkeypatch):
    runs = Runs(None, found=[RUN] * 4)
    runs.verbs = ("read", "create", "update")

    def update(key, patch, current):
        raise LOST

    runs.update = update
    with pytest.raises(AirflowError, match="whether it was cancelled is not known: lost") as failure:
        play(runs, monkeypatch, wait=True, on_timeout="cancel", wait_timeout=0.001)
    assert failure.value.details["dag_run"]["run_id"] == "r"


@pytest.mark.parametrize(("on_timeout", "sentence"), [("fail", "and the server is away: lost"), ("cancel", "whether it was cancelled is not known: lost")])
def test_a_server_that_is_away_when_the_wait_is_over(monkeypatch, on_timeout, sentence):
    def read(run_id):
        raise LOST

    runs = Runs(None, None)
    runs.verbs, runs.read = ("read", "create", "update"), read
    with pytest.raises(AirflowError, match=sentence) as failure:
        play(runs, monkeypatch, wait=True, wait_timeout=0.001, on_timeout=on_timeout)
    assert failure.value.details["timed_out"]
    result, warnings = play(runs, monkeypatch, wait=True, wait_timeout=0.001, on_timeout="return")
    assert (result["changed"], result["timed_out"], result["dag_run"]["run_id"]) == (True, True, "r")
    assert "was not seen to end in 0.001 s (wait_timeout), and the server is away: lost" in warnings[-1]
