# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import explained
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Until, watch

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
    assert clock.pauses[:3] == [0.5, 0.75, 1.125]
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


def test_a_refusal_is_not_an_outage(clock):
    with pytest.raises(ApiError, match="no"):
        wait(clock, away(clock, 0, 30, ApiError("no", 403)), outage=40.0)
    assert clock.now == 0


def test_an_outage_does_not_outlast_the_wait(clock):
    with pytest.raises(TransportError):
        wait(clock, away(clock, 2, 1000, TransportError("gone", reached=False)), timeout=20.0, outage=500.0)
    assert clock.now <= 20


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        (None, ""),
        ([dict(task_id="load", map_index=-1, try_number=2, state="failed", log=["a", "ValueError: no sales"])], "load failed at try 2 (ValueError: no sales)"),
        (
            [
                dict(task_id="load", map_index=3, try_number=1, state="failed", log=[]),
                dict(task_id="sum", map_index=-1, try_number=0, state="upstream_failed", log=[]),
            ],
            "load[3] failed at try 1; sum was not run, for one before it failed",
        ),
    ],
)
def test_a_failure_is_explained(tasks, sentence):
    assert explained(tasks) == sentence


def test_of_many_failures_some_are_explained():
    text = explained([dict(task_id="t", map_index=number, try_number=1, state="failed", log=[]) for number in range(13)])
    assert text.startswith("t[0] failed at try 1; ")
    assert text.endswith("t[9] failed at try 1; and 3 more")
