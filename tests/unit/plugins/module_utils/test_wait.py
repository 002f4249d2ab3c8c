# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, TimedOut
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


def wait(clock, read, timeout=100.0, interval=10.0):
    told = []
    found = watch(read, UNTIL, timeout, interval, told.append, clock.sleep, clock)
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
