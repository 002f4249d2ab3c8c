# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a wait to the person who waits, and when. **PRIVATE** to the collection."""

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Pace(t.NamedTuple):
    """Seconds from one line to the next."""

    least: float  # where something changes
    most: float  # where nothing does: a sign of life


TERMINAL, LOG = Pace(0, 10), Pace(10, 60)
FEW = 4  # hosts whose every step one screen can show
EACH = 0.5  # seconds that a line of one of more hosts has to itself
ASK_SHARE = 10  # the states of tasks are asked for a tenth of the time at most: a mapped task may have thousands
NOW = ("running", "deferred", "restarting", "up_for_retry", "up_for_reschedule")  # states of the tasks that keep a run going
FAILED = ("failed", "upstream_failed")
LAST = ("scheduled", "queued", "to come")


def pace(at_a_terminal: bool, hosts: int) -> Pace:
    """Many hosts share one screen: of all of them together there are no more lines than can be read."""
    if not at_a_terminal:
        return LOG
    return TERMINAL if hosts <= FEW else Pace(max(3, hosts * EACH), max(30, 3 * hosts * EACH))


class Progress:
    """Called with what was seen at each look. ``tasks`` in it is a function, for the question costs a request: only what is said is asked for."""

    def __init__(self, say: Callable[[str, bool], None], host: str, rhythm: Pace, detailed: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._host = host
        self._pace = rhythm
        self._detailed = detailed
        self._clock = clock
        self._start = clock()
        self._last = 0.0
        self._what: t.Any = None
        self._told = ""
        self._tasks: Mapping[str, t.Any] | None = None
        self._ask_from = 0.0

    def __call__(self, seen: Mapping[str, t.Any]) -> None:
        now, what = self._clock(), (seen.get("dag_id"), seen.get("run_id"))
        first = what != self._what
        if first and seen.get("run_id"):
            self._line(now, come_back(seen), False)
        if not first and now - self._last < self._pace.least:
            return
        told = sentence(seen, self._states(seen, first), self._detailed)
        if first or told != self._told or now - self._last >= self._pace.most:
            self._line(now, told, any(self._tasks.get(state) for state in FAILED) if self._tasks else False)
            self._what, self._told, self._last = what, told, now

    def _states(self, seen: Mapping[str, t.Any], first: bool) -> Mapping[str, t.Any] | None:
        if first or seen.get("away"):
            self._tasks = None
        before = self._clock()
        if "tasks" in seen and not seen.get("away") and (first or before >= self._ask_from):
            self._tasks = seen["tasks"]()
            after = self._clock()
            self._ask_from = after + ASK_SHARE * (after - before)
        return self._tasks

    def _line(self, now: float, text: str, bad: bool) -> None:
        self._say(f"[{self._host}] {watch_time(now - self._start)} {text}", bad)


def come_back(seen: Mapping[str, t.Any]) -> str:
    see = f", see {seen['url']}" if seen.get("url") else ""
    again = f"airflow_dag_run_wait with dag_id={seen['dag_id']} run_id={seen['run_id']}"
    return f"{seen['dag_id']}: waiting for the run {seen['run_id']}{see} (to come back to it: {again})"


def sentence(seen: Mapping[str, t.Any], tasks: Mapping[str, t.Any] | None, detailed: bool) -> str:
    """A run as it was seen, in one line."""
    parts = [f"{seen.get('dag_id') or 'Airflow'}: {seen.get('state')}"]
    if seen.get("away"):
        parts.append("the server is away")
    if seen.get("paused"):
        parts.append("its DAG is paused")
    if tasks:
        counts = [f"{some['count']} {state}{f' ({names(some)})' if detailed else ''}" for state, some in sorted(tasks.items(), key=_order)]
        parts.append("tasks: " + ", ".join(counts))
        going = [names(tasks[state]) for state in NOW if state in tasks]
        parts += ["now " + ", ".join(going)] if going and not detailed else []
    return "; ".join(parts)


def _order(entry: tuple[str, t.Any]) -> tuple[int, str]:
    """Ends, then what goes on, then what has not begun."""
    state = entry[0]
    return (1 if state in NOW else 2 + LAST.index(state) if state in LAST else 0), state


def names(some: Mapping[str, t.Any]) -> str:
    return ", ".join(some["tasks"]) + (", ..." if some["count"] > len(some["tasks"]) else "")


def watch_time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
