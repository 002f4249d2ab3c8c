# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polling until something has happened. **PRIVATE** to the collection."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

FIRST_PAUSE = 0.5  # seconds; each pause is half as long again as the one before, up to poll_interval


LONGEST_PAUSE = 30.0  # seconds, whatever a server asks for


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


def watch(
    read: Callable[[], dict[str, t.Any] | None],
    until: Until,
    timeout: float,
    interval: float,
    tell: Callable[[dict[str, t.Any]], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    outage: float = 0.0,
) -> dict[str, t.Any]:
    """The object, once its field says that it has ended. Times are seconds of a clock that nobody sets; ``outage``: how long the server may be away."""
    end = clock() + timeout
    pause = min(FIRST_PAUSE, interval)
    away: float | None = None
    while True:
        try:
            found = read()
            away = None
        except (ApiError, TransportError) as exc:
            if isinstance(exc, ApiError) and exc.status < 500 and exc.status != 429:
                raise
            away = clock() if away is None else away
            if clock() - away >= min(outage, end - away):
                raise
        else:
            if found is None:
                raise AirflowError(f"{until.what} was deleted while it was waited for")
            if found[until.field] in until.ends:
                return found
            tell(found)
            if clock() >= end:
                raise TimedOut(f"{until.what} is still {found[until.field]} after {timeout:g} s (wait_timeout)")
        sleep(max(0.0, min(pause, end - clock())))
        pause = min(pause * 1.5, interval)
