# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import json
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions import wait as wait_module
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import _reason, explained, in_slices
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._wait import SliceOver, Until, Waited, watch

UNTIL = Until("The run 'r'", "state", ("success", "failed"))


class Clock:
    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.pauses.append(seconds)


@pytest.fixture
def clock():
    return Clock()


def wait(clock, read, timeout=100.0, interval=10.0, outage=0.0):
    told = []
    found = watch(read, UNTIL, timeout, interval, told.append, clock.sleep, clock, outage)
    return found, told


@pytest.mark.parametrize("end", ["success", "failed"])
def test_every_terminal_state_ends_the_wait(clock, end):
    found, told = wait(clock, lambda: dict(state=end if clock.now >= 5 else "running"))
    assert found == dict(state=end)
    assert {seen["state"] for seen in told} == {"running"}


def test_polling_starts_quick_and_slows_down(clock):
    wait(clock, lambda: dict(state="success" if clock.now >= 60 else "running"))
    assert clock.pauses[:3] == pytest.approx([0.5, 0.6, 0.72])
    assert max(clock.pauses) == 10


def test_a_short_interval_is_kept(clock):
    wait(clock, lambda: dict(state="success" if clock.now >= 1 else "running"), interval=0.2)
    assert set(clock.pauses) == {0.2}


def test_the_wait_ends_in_time(clock):
    with pytest.raises(TimedOut, match=r"The run 'r' is still queued after 7 s \(wait_timeout\)"):
        wait(clock, lambda: dict(state="queued"), timeout=7.0)
    assert clock.now == 7


def test_a_deleted_run_is_an_error(clock):
    with pytest.raises(AirflowError, match="was deleted while it was waited for"):
        wait(clock, lambda: dict(state="running") if clock.now < 2 else None)


def away(clock, start, end, failure):
    def read():
        if start <= clock.now < end:
            raise failure
        return dict(state="success" if clock.now >= 60 else "running")

    return read


@pytest.mark.parametrize("failure", [TransportError("refused", reached=False), ApiError("starting", 503), ApiError("busy", 429)])
def test_a_server_that_is_away_for_a_while_is_waited_for(clock, failure):
    assert wait(clock, away(clock, 10, 30, failure), outage=40.0)[0] == dict(state="success")
    with pytest.raises(type(failure)):
        clock.now = 0.0
        wait(clock, away(clock, 10, 55, failure), outage=20.0)
    assert 30 <= clock.now <= 45


def test_the_time_of_a_look_that_fails_is_time_without_a_server(clock):
    def read():
        clock.now += 30
        raise TransportError("gone", reached=False)

    with pytest.raises(TransportError):
        wait(clock, read, timeout=1000.0, outage=40.0)
    assert clock.now <= 61


def test_nothing_is_said_of_a_moment_without_a_server(clock):
    _found, told = wait(clock, away(clock, 10, 11, ApiError("busy", 503)), outage=40.0)
    assert all("away" not in seen for seen in told)
    _found, told = wait(clock, away(clock, clock.now, clock.now + 20, ApiError("busy", 503)), timeout=1000.0, outage=40.0)
    assert any("away" in seen for seen in told)


def test_a_refusal_is_not_an_outage(clock):
    with pytest.raises(ApiError, match="no"):
        wait(clock, away(clock, 0, 30, ApiError("no", 403)), outage=40.0)
    assert clock.now == 0


def test_an_outage_does_not_outlast_the_wait(clock):
    with pytest.raises(TimedOut, match=r"was not seen to end in 20 s \(wait_timeout\), and the server is away: gone"):
        wait(clock, away(clock, 2, 1000, TransportError("gone", reached=False)), timeout=20.0, outage=500.0)
    assert clock.now == 20


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        (None, ""),
        ([dict(task_id="load", map_index=-1, try_number=2, state="failed", reason="ValueError: no sales")], "load failed at try 2 (ValueError: no sales)"),
        (
            [
                dict(task_id="load", map_index=3, try_number=1, state="failed", reason=None),
                dict(task_id="sum", map_index=-1, try_number=0, state="upstream_failed", reason=None),
            ],
            "load[3] failed at try 1; sum was not run, for one before it failed",
        ),
    ],
)
def test_a_failure_is_explained(tasks, sentence):
    assert explained(tasks) == sentence


def test_of_many_failures_some_are_explained():
    text = explained([dict(task_id="t", map_index=number, try_number=1, state="failed", reason=None) for number in range(13)])
    assert text.startswith("t[0] failed at try 1; ")
    assert text.endswith("t[9] failed at try 1; and 3 more")


A2 = """\
[2026-11-28T07:39:38.120+0000] {taskinstance.py:3337} ERROR - Task failed with exception
Traceback (most recent call last):
  File "/dags/test_steps.py", line 35, in step
    raise NoSales("no sales of piece %d" % index)
unusual_prefix_7128f2182c788ea3835ae50ce368d1c7304fbd08_test_steps.NoSales: no sales of piece 1
[2026-11-28T07:39:38.300+0000] {taskinstance.py:1242} INFO - Marking task as FAILED. dag_id=test_steps, task_id=load, run_id=r
[2026-11-28T07:39:40.404+0000] {local_task_job_runner.py:266} INFO - Task exited with return code 1
[2026-11-28T07:39:40.485+0000] {taskinstance.py:3925} INFO - 0 downstream tasks scheduled from follow-on schedule check"""
CHAINED = """\
[2026-11-28T07:20:29.700+0000] {taskinstance.py:3337} ERROR - Task failed with exception
Traceback (most recent call last):
  File "/dags/x.py", line 3, in f
    1 / 0
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/dags/x.py", line 5, in f
    raise SystemExit
SystemExit
[2026-11-28T07:20:29.707+0000] {taskinstance.py:1242} INFO - Marking task as FAILED."""
GROUP = """\
[2026-11-28T11:03:30.700+0000] {taskinstance.py:3337} ERROR - Task failed with exception
  + Exception Group Traceback (most recent call last):
  |   File "/dags/x.py", line 3, in f
  |     raise ExceptionGroup("two pieces", [ValueError("no sales"), KeyError("price")])
  | ExceptionGroup: two pieces (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: no sales
    +---------------- 2 ----------------
    | KeyError: 'price'
    +------------------------------------
[2026-11-28T11:03:30.707+0000] {taskinstance.py:1242} INFO - Marking task as FAILED."""
HANDLED = """\
Traceback (most recent call last):
  File "/dags/x.py", line 3, in f
ValueError: that was only logged
[2026-11-28T07:20:29.707+0000] {local_task_job_runner.py:266} INFO - Task exited with return code -9"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (A2, "test_steps.NoSales: no sales of piece 1"),
        (CHAINED, "SystemExit"),
        (GROUP, "ExceptionGroup: two pieces (2 sub-exceptions)"),
        (HANDLED, "Task exited with return code -9"),
        ("[...] {x.py:1} INFO - State of this instance has been externally set to failed. Terminating instance.", "has been externally set to failed"),
        ("Task failed with exception\nRuntimeError: this task fails on purpose", "RuntimeError: this task fails on purpose"),
        ("Task failed with exception\nNoSales: none\nTask instance in failure state", "NoSales: none"),
        ('Traceback (most recent call last):\n  File "x"\nx.step.<locals>.NoSales: none\nINFO - bye', "x.step.<locals>.NoSales: none"),
        ("somebody.Error: it says so\nbye", "somebody.Error: it says so"),
        ("no reason at all\nbye", "bye"),
    ],
)
def test_the_reason_is_the_exception_and_not_what_stands_behind_it(log, reason):
    assert _reason(log.splitlines()).endswith(reason)


def test_a_task_without_a_log_has_no_reason():
    assert _reason([]) is None


class Away:
    """A context whose run ends after 40 s, and whose server is away for a while."""

    def __init__(self, clock, begun, end=40):
        self.clock, self.begun, self.end = clock, begun, end
        self.options = dict(resume=None, wait_slice=7.0, api_version="auto", api_password="s3cret")
        self.connection = SimpleNamespace(dialect=SimpleNamespace(name="v2"), version="3.0.1")

    def of(self, options, warn):
        context = Away(self.clock, self.begun, self.end)
        context.options = dict(options)
        return context

    def know(self, version):
        assert version == "3.0.1"  # what came later is not asked of it in a later slice either

    def warn(self, text):
        raise AssertionError(text)

    def hides(self, text):
        return self.options["api_password"] in text

    def begin(self, context):
        self.begun.append(context.options["api_version"])
        return dict(changed=True, run_id=self.options.get("run_id", "r"))

    def go_on(self, context, state, waited):
        read = away(self.clock, 10, 30, TransportError("gone", reached=False)) if self.end else lambda: dict(state="running")
        found = watch(read, UNTIL, 100.0, 3.0, lambda seen: None, self.clock.sleep, outage=self.outage, waited=waited)
        return dict(changed=state["changed"], state=found["state"], run_id=state["run_id"])

    outage = 60.0


def sliced(context):
    """What a slice after the other gives, each through JSON, as from a host."""
    results = []
    while True:
        result = json.loads(json.dumps(in_slices(context, context.begin, context.go_on)))
        results.append(result)
        if "resume" not in result:
            return results
        context.options = dict(context.options, resume=result["resume"])


@pytest.fixture
def timed(clock, monkeypatch):
    """The clock of a wait is this one."""
    monkeypatch.setattr(wait_module, "Waited", functools.partial(Waited, clock=clock))
    return clock


def test_a_wait_in_slices_is_one_wait(timed):
    begun = []
    results = sliced(Away(timed, begun))
    assert begun == ["auto"]  # once, and with what was asked
    assert results[-1] == dict(changed=True, state="success", run_id="r")
    assert all(one["changed"] and one["resume"]["api_version"] == "v2" for one in results[:-1])
    elapsed = [one["resume"]["elapsed"] for one in results[:-1]]
    assert elapsed == [7.0 * number for number in range(1, len(elapsed) + 1)]
    assert max(one["resume"]["away"] for one in results[:-1]) > 7  # over the end of a slice
    assert results[3]["resume"]["pause"] == 3.0


def test_an_outage_goes_on_across_slices(timed):
    context = Away(timed, [])
    Away.outage, before = 15.0, Away.outage
    try:
        with pytest.raises(TransportError):
            sliced(context)
    finally:
        Away.outage = before
    assert 25 <= timed.now <= 28


def test_a_time_out_counts_all_slices(timed):
    with pytest.raises(TimedOut, match=r"after 100 s \(wait_timeout\)"):
        sliced(Away(timed, [], end=0))
    assert timed.now == 100


def test_what_a_result_would_mask_is_not_cut_in_slices(timed):
    context = Away(timed, [])
    context.options["run_id"] = "of s3cret"
    assert len(sliced(context)) == 1


def test_a_wrong_resume_is_a_sentence(timed):
    context = Away(timed, [])
    context.options["resume"] = dict(elapsed=3)
    with pytest.raises(AirflowError, match="resume is not what an earlier slice of this wait has returned"):
        sliced(context)


def test_a_slice_that_is_over_says_so_even_while_the_server_is_away(clock):
    with pytest.raises(SliceOver):
        watch(
            away(clock, 0, 50, TransportError("gone", reached=False)),
            UNTIL,
            100.0,
            3.0,
            lambda seen: None,
            clock.sleep,
            outage=60.0,
            waited=Waited(piece=5.0, clock=clock),
        )
    assert clock.now == 5
