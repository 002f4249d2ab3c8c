# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._progress import LOG, TERMINAL, Progress, pace, watch_time


class Wait:
    """Looks at a run every two seconds, for a while."""

    def __init__(self, rhythm, detailed=False, took=0.0):
        self.now, self.said, self.asked, self.took = 100.0, [], 0, took
        self.progress = Progress(lambda text, bad: self.said.append(("!" if bad else "") + text), "h", rhythm, detailed, lambda: self.now)

    def look(self, until, state="running", tasks=None, step=2, **more):
        def asked():
            self.asked += 1
            self.now += self.took
            return tasks

        while self.now < 100 + until:
            self.progress(dict(dag_id="d", run_id="r", state=state, url="http://x/r", tasks=asked, **more))
            self.now += step
        return self


def states(**counts):
    return {state.replace("_", " ") if state == "to_come" else state: dict(count=len(tasks), tasks=tasks) for state, tasks in counts.items()}


FIRST = "[h] 0:00 d: waiting for the run r, see http://x/r (to come back to it: airflow_dag_run_wait with dag_id=d run_id=r)"


def test_at_a_terminal_each_change_is_seen_at_once_and_a_sign_of_life():
    wait = Wait(TERMINAL).look(2, "queued").look(4, tasks=states(running=["a"], to_come=["b"])).look(30, tasks=states(success=["a"], running=["b[1]"]))
    assert wait.said == [
        FIRST,
        "[h] 0:00 d: queued",
        "[h] 0:02 d: running; tasks: 1 running, 1 to come; now a",
        "[h] 0:04 d: running; tasks: 1 success, 1 running; now b[1]",
        "[h] 0:14 d: running; tasks: 1 success, 1 running; now b[1]",
        "[h] 0:24 d: running; tasks: 1 success, 1 running; now b[1]",
    ]


def test_in_a_log_a_line_every_ten_seconds_at_most_and_every_minute_at_least():
    wait = Wait(LOG)
    for second in range(0, 40, 2):
        wait.look(second + 2, tasks=states(running=[f"t{second}"]))
    times = [line.split()[1] for line in wait.said]
    assert times == ["0:00", "0:00", "0:10", "0:20", "0:30"]
    assert wait.asked == 4  # what is not said is not asked for
    wait.look(180, tasks=states(running=["long"]))
    assert [line.split()[1] for line in wait.said[5:]] == ["0:40", "1:40", "2:40"]


def test_many_hosts_are_told_of_less_often():
    wait = Wait(pace(True, 5))
    for second in range(12):
        wait.look(second + 1, tasks=states(running=[f"t{second}"]), step=1)
    assert [line.split()[1] for line in wait.said] == ["0:00", "0:00", "0:03", "0:06", "0:09"]
    assert [pace(True, 1), pace(True, 4), pace(False, 1), pace(False, 20)] == [TERMINAL, TERMINAL, LOG, LOG]
    assert [pace(True, 5), pace(True, 20), pace(True, 100)] == [(3, 30), (10, 30), (50, 150)]


def test_detail_names_the_tasks():
    tasks = dict(states(failed=["a"], running=["c", "d"]), success=dict(count=7, tasks=["s1", "s2"]))
    assert Wait(TERMINAL, detailed=True).look(1, tasks=tasks).said[1] == "![h] 0:00 d: running; tasks: 1 failed (a), 7 success (s1, s2, ...), 2 running (c, d)"


def test_what_keeps_a_run_from_going_on_is_said():
    assert Wait(TERMINAL).look(1, "queued", paused=True).said[1] == "[h] 0:00 d: queued; its DAG is paused"
    wait = Wait(TERMINAL).look(1, away=3.0, tasks=states(running=["a"]))
    assert wait.said[1] == "[h] 0:00 d: running; the server is away"
    assert wait.asked == 0


def test_a_question_that_takes_long_is_seldom_asked():
    wait = Wait(TERMINAL, took=3.0).look(60, tasks=states(running=["a"]))
    assert wait.asked == 2


def test_another_run_begins_anew():
    wait = Wait(LOG).look(2)
    wait.progress(dict(dag_id="e", run_id="s", state="queued"))
    assert wait.said[2:] == [
        "[h] 0:02 e: waiting for the run s (to come back to it: airflow_dag_run_wait with dag_id=e run_id=s)",
        "[h] 0:02 e: queued",
    ]


def test_a_wait_for_something_else():
    wait = Wait(TERMINAL)
    wait.progress(dict(state="not there (refused)"))
    wait.progress(dict(dag_id="d", state="not there"))
    assert wait.said == ["[h] 0:00 Airflow: not there (refused)", "[h] 0:00 d: not there"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3600, "1:00:00"), (36125.9, "10:02:05")])
def test_time_is_that_of_a_watch(seconds, text):
    assert watch_time(seconds) == text
