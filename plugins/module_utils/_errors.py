# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, each with a sentence for the user. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

LONGEST_PAUSE = 30.0  # seconds for which a server is left alone, whatever it asks for


class AirflowError(Exception):
    """A failure in words. The keyword arguments become keys of the failed task's result."""

    def __init__(self, msg: str, **details: t.Any) -> None:
        super().__init__(msg)
        self.details = details


class TransportError(AirflowError):
    """No answer came. ``reached`` is false where it is certain that the server did not get the request."""

    def __init__(self, msg: str, reached: bool, **details: t.Any) -> None:
        super().__init__(msg, **details)
        self.reached = reached


class ApiError(AirflowError):
    """The server answered, and did not do what was asked. ``retry_after``: seconds that it asked to be left alone for."""

    def __init__(self, msg: str, status: int, retry_after: float = 0.0, **details: t.Any) -> None:
        super().__init__(msg, status=status, **details)
        self.status = status
        self.retry_after = retry_after


class Foreign(AirflowError):
    """What came is nothing that an Airflow says, or not the whole of it."""


class Unsupported(AirflowError):
    """This Airflow has no such thing."""


class NotThereYet(AirflowError):
    """The interpreter, the home or the database of Airflow does not exist: forgiven in check mode, where an earlier task would make it."""


class TimedOut(AirflowError):
    """A wait was over before what was waited for."""
