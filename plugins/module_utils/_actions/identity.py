# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which run is meant: its id, and those of its further attempts. Pure. **PRIVATE** to the collection."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import typing as t
from datetime import datetime, timedelta

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant

if t.TYPE_CHECKING:
    from collections.abc import Mapping

RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")
LONGEST_RUN_ID = 250
DIGITS = 4  # kept free for the number of an attempt, so that a shortened id is the same at each of them
LONGEST_NOTE = 1000
# Prefixes by which Airflow tells where a run came from (airflow.utils.types.DagRunType of 1.10 to 3.3).
RESERVED = ("scheduled__", "backfill__", "dataset_triggered__", "asset_triggered__", "asset_materialization__", "operator_triggered__")
DIGEST_VERSION = 1
NO_DATE = "none"  # a run without a logical date is asked for by this word
DATES = ("logical_date", "data_interval_start", "data_interval_end", "run_after")


def identity(options: Mapping[str, t.Any]) -> str:
    """The run's id: as given; else, with force, one that nobody has; else of its date; else a digest of what was asked.

    The same wish is the same run, so none of this can change after 1.0.
    """
    if options["run_id"] is not None:
        return options["run_id"]
    if options["force"]:
        return f"ansible__{secrets.token_hex(16)}"
    if dated(options):
        return f"ansible__{normal(options['logical_date'])}"
    asked = dict(version=DIGEST_VERSION, dag_id=options["dag_id"], conf=options["conf"] or {}, run_key=options["run_key"])
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"ansible__{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"


def dated(options: Mapping[str, t.Any]) -> bool:
    return options["logical_date"] not in (None, NO_DATE)


def normal(date: str) -> str:
    return instant(date).isoformat()


def stamp(now: datetime) -> str:
    """A date for a run that was given none: now, less up to two seconds, so that no server finds it in its future.

    Its microseconds are ours alone: by them a run whose answer was lost is told from one that somebody else made meanwhile.
    """
    return (now - timedelta(seconds=1)).replace(microsecond=secrets.randbelow(10**6)).isoformat(timespec="microseconds")


def first_and_number(run_id: str) -> tuple[str, int]:
    """Of an attempt: the id of the first one, and which this is."""
    match = re.match(r"retry__(.+)__([1-9][0-9]{0,3})\Z", run_id)
    return (match.group(1), int(match.group(2))) if match else (run_id, 1)


def attempt_id(first: str, number: int) -> str:
    """The id of a further attempt of a run. Where it would be too long for Airflow, a digest stands for the end of the first one's id."""
    room = LONGEST_RUN_ID - len("retry____") - DIGITS
    if len(first) > room:
        digest = hashlib.sha256(first.encode()).hexdigest()[:16]
        first = f"{first[: room - len(digest) - 1]}~{digest}"
    return f"retry__{first}__{number}"


def airflows_own(options: Mapping[str, t.Any]) -> bool:
    """Whether the run that is asked for can only be one that Airflow has made."""
    return (options["run_id"] or "").startswith(RESERVED)


def kept(run_id: str) -> str:
    return f"run_id {run_id!r} begins with {run_id.partition('__')[0]}__, which Airflow keeps for runs of its own"


def judge(options: Mapping[str, t.Any]) -> None:
    """What a server would answer with an error page, or quietly drop, is said before anything is sent."""
    run_id = options["run_id"]
    if run_id is not None:
        if run_id == "":
            raise AirflowError("run_id is empty: give a name, or leave it out")
        if not RUN_ID.fullmatch(run_id) or run_id in (".", ".."):
            raise AirflowError(f"run_id {run_id!r} is none that Airflow takes: letters, digits and _ . ~ : + - only")
        if len(run_id) > LONGEST_RUN_ID:
            raise AirflowError(f"run_id is {len(run_id)} characters long, Airflow takes {LONGEST_RUN_ID}")
        if airflows_own(options) and options["if_failed"] == "fail":
            raise AirflowError(f"{kept(run_id)}. Of one that is there if_failed may ask for more")
    _judge_dates(options)
    if options["run_key"] == "":
        raise AirflowError("run_key is empty: give what tells this run from others, or leave it out")
    if options["run_key"] is not None and dated(options):
        raise AirflowError("run_key says nothing beside a logical_date, which names the run: leave out one of them")
    for name in ("run_id", "logical_date"):
        if options["force"] and options[name] not in (None, NO_DATE):
            raise AirflowError(f"force starts another run in any case, {name} names one: leave out one of them")
    if options["force"] and options["if_failed"] != "fail":
        raise AirflowError("force starts another run in any case, if_failed asks for one that was there: leave out one of them")
    if options["if_failed"] == "rerun" and dated(options):
        raise AirflowError("A date has one run, so another attempt cannot have the same logical_date: set if_failed to clear, or leave out logical_date")
    if options["max_attempts"] < 1:
        raise AirflowError(f"max_attempts counts the first run too, it cannot be {options['max_attempts']}")
    judge_note(options)
    try:
        json.dumps(options["conf"], allow_nan=False)
    except ValueError:
        raise AirflowError("conf holds a number that JSON does not have, such as .nan or .inf: give a text or null") from None


def judge_note(options: Mapping[str, t.Any]) -> None:
    if len(options["note"] or "") > LONGEST_NOTE:
        raise AirflowError(f"note is {len(options['note'])} characters long, Airflow takes {LONGEST_NOTE}")


def judge_date(options: Mapping[str, t.Any], name: str) -> None:
    try:
        if options[name] is not None:
            instant(options[name])
    except ValueError:
        raise AirflowError(f"{name} {options[name]!r} is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00") from None


def _judge_dates(options: Mapping[str, t.Any]) -> None:
    for name in DATES:
        if options[name] != NO_DATE or name != "logical_date":
            judge_date(options, name)
    ends = [options["data_interval_start"], options["data_interval_end"]]
    if None in ends and ends != [None, None]:
        raise AirflowError("data_interval_start and data_interval_end go together: give both, or none")
    if ends[0] is not None and not dated(options):
        raise AirflowError("data_interval_start and data_interval_end are of a run with a logical_date: give one")
    if ends[0] is not None and instant(ends[0]) > instant(ends[1]):
        raise AirflowError("data_interval_start is after data_interval_end")
