# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polling until something has happened. **PRIVATE** to the collection."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import LONGEST_PAUSE, AirflowError, ApiError, TimedOut, TransportError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

FIRST_PAUSE = 0.5  # seconds
BLIP = 1.0  # seconds of a server that is away of which nothing is said
SLOWER = 1.2  # each pause is so many times the one before, up to poll_interval: whoever has waited t seconds is told some 0.1 t too late


class Tries:
    """How often something may be done again, with growing pauses, or such as the server asked for."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._pause = FIRST_PAUSE

    def again(self, asked: float = 0.0) -> bool:
        """False where it was tried often enough; True after a pause."""
        if self._left <= 0:
            return False
        self._left -= 1
        time.sleep(min(max(self._pause, asked), LONGEST_PAUSE))
        self._pause *= 2
        return True


def judge_seconds(options: Mapping[str, t.Any], *names: str, least: float = 0.001) -> None:
    for name in names:
        if not options[name] >= least or options[name] == float("inf"):
            raise AirflowError(f"{name} is a number of seconds, it cannot be {options[name]:g}")


class Until(t.NamedTuple):
    what: str  # for the user: "the run x of the DAG y"
    field: str
    ends: Collection[str]  # values of the field that end the wait


class SliceOver(Exception):
    """The slice of a wait is over, the wait is not. ``seen``: how far it has come."""

    def __init__(self, seen: Mapping[str, t.Any]) -> None:
        super().__init__()
        self.seen = seen


class Waited:
    """How long a wait has lasted, for all runs of a task and over all slices. Times are seconds of a clock that nobody sets.

    ``elapsed``, ``away`` (how long the server has been away just now) and ``pause`` are those of the slice before, ``piece`` is the length of this one.
    """

    def __init__(self, elapsed: float = 0.0, away: float = 0.0, pause: float = FIRST_PAUSE, piece: float | None = None, clock: t.Any = time.monotonic) -> None:
        self.clock = clock
        self.start = clock() - elapsed
        self.away_since = clock() - away if away else None
        self.pause = pause
        self.over = float("inf") if piece is None else clock() + piece

    @property
    def elapsed(self) -> float:
        return self.clock() - self.start

    def told(self) -> dict[str, float]:
        """What the next slice must know."""
        return dict(elapsed=self.elapsed, away=0.0 if self.away_since is None else self.clock() - self.away_since, pause=self.pause)


def watch(
    read: Callable[[], dict[str, t.Any] | None],
    until: Until,
    timeout: float,
    interval: float,
    tell: Callable[[dict[str, t.Any]], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    outage: float = 0.0,
    waited: Waited | None = None,
) -> dict[str, t.Any]:
    """The object, once its field says that it has ended. ``outage``: how long the server may be away; ``waited``: of what this wait is a part."""
    waited = waited or Waited(clock=clock)
    clock, end = waited.clock, waited.start + timeout
    while True:
        asked, least = clock(), 0.0
        try:
            found = read()
            waited.away_since = None
        except (ApiError, TransportError) as exc:
            if isinstance(exc, ApiError) and exc.status < 500 and exc.status != 429:
                raise
            least = min(getattr(exc, "retry_after", 0.0), LONGEST_PAUSE)
            waited.away_since = away = asked if waited.away_since is None else waited.away_since
            if clock() - away >= outage:
                raise
            if clock() >= end:
                raise TimedOut(f"{until.what} was not seen to end in {timeout:g} s (wait_timeout), and the server is away: {exc}") from None
            if clock() - away >= BLIP:
                tell(dict(away=clock() - away))
        else:
            if found is None:
                raise AirflowError(f"{until.what} was deleted while it was waited for")
            if found[until.field] in until.ends:
                waited.pause = FIRST_PAUSE
                return found
            tell(found)
            if clock() >= end:
                raise TimedOut(f"{until.what} is still {found[until.field]} after {timeout:g} s (wait_timeout)")
        if clock() >= waited.over:
            raise SliceOver({})
        sleep(max(0.0, min(max(least, min(waited.pause, interval)), end - clock(), waited.over - clock())))
        waited.pause = min(waited.pause * SLOWER, interval)
