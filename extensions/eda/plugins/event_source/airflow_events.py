# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed runs and import errors of an Airflow, as events."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import pathlib
import sys
import time
import typing as t
from datetime import timedelta

# ansible-rulebook finds this file in the folders of collections, Python does not; a mere checkout may not lie so deep
sys.path.extend(map(str, pathlib.Path(__file__).absolute().parents[7:8]))

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import RUN_ID, first_and_number
from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION, connect
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._module import variable
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import IMPORT_ERROR
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN

DOCUMENTATION = r"""
short_description: Failed runs and import errors of an Airflow
description:
  - Asks an Airflow, again and again, which runs have failed and which files it cannot import, and makes an event of each.
  - What was told stands in a file, so that nothing is missed while the rulebook or Airflow is away. Each is told at least once. After a restart, what was told
    in the last O(overlap) seconds is told again, for it may not have been acted on; act by the id of the run's next attempt, that is done once.
  - What had failed before the first start is not told. A DAG of O(dag_ids) that is not there (yet) is warned of once, and asked for again at each look;
    when it comes, what of it failed in the last O(overlap) seconds is told, on Airflow 1.10 what fails from then on.
  - An event has RV(kind), V(dag_run) or V(import_error). With V(dag_run) it has RV(dag_run), RV(attempt), the number in its id, RV(first_run_id), and
    RV(can_be_rerun), false where its conf is not known, or its id one that M(dagops.airflow.airflow_dag_trigger) does not take.
    With V(import_error) it has RV(import_error), with C(filename) and C(stack_trace).
  - Airflow 1.10 tells no import errors, no confs, and the runs of O(dag_ids) only.
options:
  api_url:
    description:
      - Address of Airflow. This option and the others of the collection's modules for the connection, O(api_username), O(api_password), O(api_token) and
        so on, fall back to the environment, E(AIRFLOW_API_URL) and so on.
    type: str
    required: true
  dag_ids:
    description: The DAGs whose runs are told of. By default all.
    type: list
    elements: str
  cursor_file:
    description: The file that holds what was told. One for each rulebook.
    type: path
    required: true
  poll_interval:
    description: Seconds from one look to the next.
    type: float
    default: 10
  longest_wait:
    description: Where Airflow does not answer, the time to the next look doubles, up to so many seconds.
    type: float
    default: 300
  overlap:
    description: Seconds in which an event has surely been acted on.
    type: float
    default: 600
"""

EXAMPLES = r"""
- dagops.airflow.airflow_events:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_ids: [load_sales]
    cursor_file: /var/lib/rulebook/airflow.json
"""

logger = logging.getLogger(__name__)
SECONDS = dict(poll_interval=10.0, longest_wait=300.0, overlap=600.0)
OPTIONS = dict(SECONDS, dag_ids=None, cursor_file=None)


class Cursor:
    """What was told, and when. Written as a whole, or not at all."""

    def __init__(self, path: pathlib.Path, overlap: float) -> None:
        self.path = path
        self.overlap = overlap
        self.asked_until: str | None = None  # by the server's clock
        if not path.parent.is_dir():
            raise AirflowError(f"cursor_file {path} cannot be written: there is no folder {path.parent}")
        self.told: dict[str, float] = {}
        self.seen: set[str] = set()  # DAGs that were there
        if path.exists():
            try:
                kept = json.loads(path.read_text())
                self.asked_until = instant(kept["asked_until"]).isoformat()
                self.seen = set(kept.get("seen", ()))
                least = kept["at"] - overlap  # what was told later than that may not have been acted on
                self.told = {key: at for key, at in kept["told"].items() if at < least}
            except (ValueError, KeyError, TypeError, AttributeError):
                raise AirflowError(f"cursor_file {path} holds something else than a cursor: name another file") from None

    def keep(self, asked_until: str, told: dict[str, float]) -> None:
        self.asked_until, self.told = asked_until, told
        new = self.path.with_name(f"{self.path.name}.new")
        with new.open("w") as file:
            json.dump(dict(asked_until=asked_until, at=time.time(), told=told, seen=sorted(self.seen)), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


class Source:
    def __init__(self, args: dict[str, t.Any]) -> None:
        unknown = set(args) - set(CONNECTION) - set(OPTIONS)
        if unknown:
            raise AirflowError(f"airflow_events has no option {', '.join(sorted(unknown))}")
        self.options = {**OPTIONS, **args}
        if not self.options["cursor_file"]:
            raise AirflowError("cursor_file is missing: name the file that holds what was told")
        if not isinstance(self.options["dag_ids"], (list, tuple, type(None))):
            raise AirflowError(f"dag_ids is a list of DAGs, it cannot be {self.options['dag_ids']!r}")
        for name in SECONDS:
            try:
                self.options[name] = float(self.options[name])
            except (TypeError, ValueError):
                raise AirflowError(f"{name} is a number of seconds, it cannot be {self.options[name]!r}") from None
        texts = {name: os.environ.get(variable(name)) for name in CONNECTION}
        defaults = {name: _typed(name, texts[name]) if texts[name] else words.get("default") for name, words in CONNECTION.items()}
        self.connection = {**defaults, **{name: args[name] for name in CONNECTION if name in args}}
        if not self.connection["api_url"]:
            raise AirflowError("api_url is missing: give the address of Airflow, or set AIRFLOW_API_URL")
        self.cursor = Cursor(pathlib.Path(self.options["cursor_file"]).expanduser(), self.options["overlap"])
        self.missing: set[str] = set()  # DAGs that were asked for and are not there

    def look(self) -> tuple[str, dict[str, dict[str, t.Any]]]:
        """Until when this asked, and everything that is so now, by a key that stays."""
        connection = connect(self.connection)
        try:
            connection.known_version()  # by that its clock is known
            dags = {dag_id: connection.open(DAG_RUN, dict(dag_id=dag_id)) for dag_id in self.options["dag_ids"] or [None]}
            now = next(iter(dags.values())).now()
            asked_until = (now - timedelta(seconds=self.cursor.overlap)).isoformat()  # what ends now may be seen only later
            since = self.cursor.asked_until or asked_until
            found: dict[str, dict[str, t.Any]] = {}
            for dag_id, runs in dags.items():
                for run in self._failed(dag_id, runs, since):
                    first, number = first_and_number(run["run_id"])
                    key = f"{run['dag_id']} {run['run_id']} {run['end_date'] or ''}"
                    known = (run["conf"] is not None or first.startswith("scheduled__")) and RUN_ID.fullmatch(run["run_id"]) is not None
                    found[key] = dict(kind="dag_run", dag_run=run, attempt=number, first_run_id=first, can_be_rerun=known)
            if IMPORT_ERROR.kind in connection.dialect.rows:
                for error in connection.open(IMPORT_ERROR, {}).find():
                    key = f"{error['filename']} {hashlib.sha256(str(error['stack_trace']).encode()).hexdigest()}"
                    found[key] = dict(kind="import_error", import_error=error)
        finally:
            connection.close()
        return asked_until, found

    def _failed(self, dag_id: str | None, runs: t.Any, since: str) -> list[dict[str, t.Any]]:
        """Of a DAG that is not there: none, for there are the others."""
        try:
            failed = runs.find(state=["failed"], ended_since=since)
        except ApiError as exc:
            if dag_id is None or exc.status != 404:
                raise
            if dag_id not in self.missing:
                logger.warning("airflow_events: there is no DAG %r (yet): %s", dag_id, exc)
            self.missing.add(dag_id)
            return []
        self.missing.discard(dag_id)
        return failed

    def _may_be_old(self, run: dict[str, t.Any]) -> bool:
        """Of a DAG that was not there before, where Airflow (1.10) does not tell when its runs ended."""
        return run["end_date"] is None and run["dag_id"] not in self.cursor.seen

    async def turn(self, put: t.Callable[[dict[str, t.Any]], t.Awaitable[None]]) -> None:
        """One look, its events, and only then the file."""
        asked_until, found = await asyncio.to_thread(self.look)
        first = self.cursor.asked_until is None
        told = {key: at for key, at in self.cursor.told.items() if key in found or key.partition(" ")[0] in self.missing}
        for key, event in found.items():
            if key not in told:
                old = first or (event["kind"] == "dag_run" and self._may_be_old(event["dag_run"]))
                if not old:
                    await put(event)
                told[key] = 0.0 if old else time.time()
        self.cursor.seen |= {dag_id for dag_id in self.options["dag_ids"] or () if dag_id not in self.missing}
        # What may not have been acted on is found again after a restart, however long ago it failed.
        least = time.time() - self.cursor.overlap
        ends = [event["dag_run"]["end_date"] for key, event in found.items() if told[key] >= least and event["kind"] == "dag_run"]
        self.cursor.keep(min([asked_until, *filter(None, ends)], key=instant), told)


def _typed(name: str, text: str) -> t.Any:
    try:
        return dict(int=int, float=float, bool=boolean).get(CONNECTION[name]["type"], str)(text)
    except (TypeError, ValueError):
        raise AirflowError(f"{variable(name)} {text!r} is no {CONNECTION[name]['type']}") from None


async def main(queue: asyncio.Queue, args: dict[str, t.Any]) -> None:
    source = Source(args)
    interval, longest = source.options["poll_interval"], source.options["longest_wait"]
    wait = interval
    while True:
        try:
            await source.turn(queue.put)
            wait = interval
        except Unsupported:
            raise  # it will be so at the next look, too
        except AirflowError as exc:
            wait = min(wait * 2, max(longest, interval))
            logger.warning("airflow_events: %s. The next look is in %s s", exc, wait)
        await asyncio.sleep(wait)
