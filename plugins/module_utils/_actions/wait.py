# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for the end of DAG runs, and say what came of them. **PRIVATE** to the collection."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._resource import instant
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import NOT_MAPPED, TASK_INSTANCE, TASK_LOG, XCOM
from ansible_collections.dagops.airflow.plugins.module_utils._wait import SliceOver, Until, Waited, judge_seconds, watch

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

ACTIVE = ("queued", "running")
ENDED = ("success", "failed")
ILL = ("failed", "upstream_failed")
LONGEST_REASON = 200  # characters
MOST_TASKS = 10  # whose logs are fetched; a mapped task may have thousands
NAMED = 5  # tasks of one state that are shown by name
PAUSED_AFTER, PAUSED_EVERY = 10.0, 30.0  # seconds after which, and then how often, the DAG of a run is looked at
RETURN_VALUE = "return_value"  # Airflow's name for what a task returns

WAIT: dict[str, dict[str, t.Any]] = dict(
    wait_timeout=dict(type="float", default=3600.0),
    poll_interval=dict(type="float", default=10.0),
    outage_timeout=dict(type="float", default=120.0),
    on_timeout=dict(type="str", choices=["fail", "cancel", "return"], default="fail"),
    log_lines=dict(type="int", default=10),
    xcom=dict(type="list", elements="str", default=[]),
    wait_slice=dict(type="float"),
    resume=dict(type="dict"),
)
# Why a task failed: the last match in its log of the first pattern that has one. Airflow 2 writes more lines behind an exception.
FRAMES = r"Traceback \(most recent call last\):\n(?:(?:[ \t].*)?\n)*?"
CAUSES = rf"(?:{FRAMES}[A-Za-z_].*\n+(?:During handling of|The above exception).*\n+)*"  # of exceptions that led to another one
TRACEBACK = CAUSES + FRAMES + r"([A-Za-z_][\w.<>]*(?::.*)?)$"
RAISED = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"Task failed with exception\n" + TRACEBACK,  # Airflow 2
        r"Task failed with exception\n([A-Za-z_][\w.<>]*:.*)$",  # Airflow 3, see EventLog
        r"(State of this instance has been externally set to \w+)",
        r"^  \| ([A-Za-z_][\w.<>]*: .*\(\d+ sub-exceptions?\))$",  # an ExceptionGroup, whose traceback is drawn as a tree
        r"(Task exited with return code (?![01]\b).*)$",
        r"^" + TRACEBACK,
        r"^([A-Za-z_][\w.<>]*(?:Error|Exception)\b.*)$",
    )
)
MODULE_PREFIX = re.compile(r"^unusual_prefix_[0-9a-f]{40}_")  # by which Airflow 2 and 3 import a DAG's file


def judge_wait(options: Mapping[str, t.Any]) -> None:
    judge_seconds(options, "wait_timeout", "poll_interval")
    judge_seconds(options, "outage_timeout", least=0)
    if options["wait_slice"] is not None:
        judge_seconds(options, "wait_slice")
    if options["log_lines"] < 0:
        raise AirflowError(f"log_lines is a number of lines, it cannot be {options['log_lines']}")
    for wanted in options["xcom"]:
        if not wanted.partition(":")[0]:
            raise AirflowError(f"xcom {wanted!r} names no task: write task_id, or task_id:key")


def called(options: Mapping[str, t.Any], run: Mapping[str, t.Any]) -> str:
    return f"The run {run['run_id']!r} of the DAG {options['dag_id']!r}"


def in_slices(
    context: Context, begin: Callable[[Context], dict[str, t.Any]], go_on: Callable[[Context, dict[str, t.Any], Waited], dict[str, t.Any]]
) -> dict[str, t.Any]:
    """A deed that waits, as a whole or a slice of it.

    ``begin`` gives what is to be waited for, as data with a ``changed``. ``go_on`` waits, writes down in that how far it has come, and gives the result.
    A slice that is over before the wait gives what the next one needs, instead.
    """
    options, before = context.options, context.options["resume"] or {}
    try:
        if before:  # the probes are spared, and cannot fail where the server is away just now
            context = context.of({**options, "api_version": before["api_version"]}, context.warn)
            context.know(before["version"])
        state, times = before["state"] if before else begin(context), {name: before[name] for name in ("elapsed", "away", "pause") if before}
        piece = None if context.hides(json.dumps(state)) else options["wait_slice"]
        waited = Waited(**times, piece=piece)
        try:
            return go_on(context, state, waited)
        except SliceOver as over:
            connection = context.connection
            asked = dict(api_version=connection.dialect.name, version=connection.version)
            return dict(changed=state["changed"], resume=dict(waited.told(), seen=over.seen, **asked, state=state))
    except (AttributeError, KeyError, TypeError) as exc:
        if not before:
            raise
        raise AirflowError(f"resume is not what an earlier slice of this wait has returned: {exc!r}") from None


class Look:
    """At each look at a run that goes on: who waits is shown it, and a DAG that was paused meanwhile is warned of."""

    def __init__(self, context: Context, run: Mapping[str, t.Any], waited: Waited) -> None:
        self._context = context
        self._waited = waited
        self._ask_at = PAUSED_AFTER
        self.found = run
        self.seen = {name: run[name] for name in ("dag_id", "run_id", "state", "url")}

    def __call__(self, found: Mapping[str, t.Any]) -> None:
        self.seen["away"] = found.get("away")
        if not self.seen["away"]:
            self.found = found
            self.seen["state"] = found["state"]
            self._see_whether_paused()
        self._context.tell(dict(self.seen, tasks=self.tasks))

    def tasks(self) -> dict[str, dict[str, t.Any]] | None:
        """state -> how many tasks, and the first of them; None where this Airflow, or this server just now, does not tell."""
        if self.seen.get("away") or TASK_INSTANCE.kind not in self._context.connection.dialect.rows:
            return None
        found: dict[str, dict[str, t.Any]] = {}
        try:
            tasks = self._context.open(TASK_INSTANCE, {name: self.seen[name] for name in ("dag_id", "run_id")}).find()
        except (ApiError, TransportError):  # of the run itself it will be said, if that lasts
            return None
        for task in tasks:
            some = found.setdefault(task["state"] or "to come", dict(count=0, tasks=[]))
            some["count"] += 1
            if len(some["tasks"]) < NAMED:
                some["tasks"].append(named(task))
        return found

    def _see_whether_paused(self) -> None:
        """A run of a paused DAG waits in vain: the next of its tasks is not started, and its end not seen by Airflow itself."""
        if self._waited.elapsed < self._ask_at:
            return
        self._ask_at = self._waited.elapsed + PAUSED_EVERY
        try:
            dag = self._context.open(DAG, {}).read(self.seen["dag_id"])
        except (ApiError, TransportError):
            return
        paused = bool(dag and dag["is_paused"])
        if paused and not self.seen.get("paused"):
            text = "is paused, so the wait is in vain before somebody unpauses it"
            self._context.warn(f"The DAG {self.seen['dag_id']!r} of the run {self.seen['run_id']!r} {text}")
        self.seen["paused"] = paused


def await_end(context: Context, run: dict[str, t.Any], ours: bool, waited: Waited) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The run at its end, and what is to be told of the wait. ``ours``: this task has started it, so this task may cancel it."""
    options, run_id = context.options, run["run_id"]
    runs = functools.lru_cache(None)(lambda: context.open(DAG_RUN, dict(dag_id=options["dag_id"])))  # a server may be away at the begin of a slice
    until, look = Until(called(options, run), "state", ENDED), Look(context, run, waited)
    try:
        with _one_try_each(context, waited):
            ended = watch(
                lambda: runs().read(run_id), until, options["wait_timeout"], options["poll_interval"], look, outage=options["outage_timeout"], waited=waited
            )
        return merged(run, ended), {}
    except SliceOver:
        raise SliceOver(dict(look.seen, tasks=look.tasks())) from None
    except (ApiError, TransportError) as exc:
        raise AirflowError(f"{exc}. {called(options, run)} goes on: play the task again to wait for its end", **exc.details) from None
    except TimedOut as exc:
        exc.details["timed_out"] = True
        if options["on_timeout"] == "fail":
            raise
        if options["on_timeout"] == "return":
            if waited.away_since is not None:
                context.warn(str(exc))
            return merged(run, look.found), dict(timed_out=True)
        if not ours:
            raise AirflowError(f"{exc}; it is not cancelled, for another task has started it", **exc.details) from None
        try:
            now = runs().read(run_id) or run
            if now["state"] in ENDED:
                return merged(run, now), {}
            cancelled = runs().update(run_id, dict(state="failed"), now)
        except (ApiError, TransportError) as lost:
            raise AirflowError(f"{exc}; whether it was cancelled is not known: {lost}", **exc.details) from None
        teardown = "; it ends once its teardown is done" if cancelled["state"] in ACTIVE else ""
        raise AirflowError(f"{exc}, and was cancelled{teardown}", **exc.details, cancelled=True, dag_run=shown(cancelled)) from None


def _one_try_each(context: Context, waited: Waited) -> t.ContextManager[None]:
    """Who looks again and again need not try each look again, unless the server may not be away at all."""
    if not context.options["outage_timeout"]:
        return contextlib.nullcontext()
    return context.connection.session.patience.of_one_try(lambda: context.options["wait_timeout"] - waited.elapsed)


def shown(run: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A run as results show it."""
    return dict({name: run[name] for name in DAG_RUN.keys}, duration=duration(run))


def merged(known: Mapping[str, t.Any], said: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the server tells, and where it is silent what we know ourselves."""
    return {**known, **{key: value for key, value in said.items() if value is not None}}


def judge_here(context: Context, runs: t.Any) -> None:
    """What this Airflow cannot do is said before anything is started."""
    options = context.options
    if options["on_timeout"] == "cancel" and "update" not in runs.verbs:
        raise Unsupported(f"{runs.title} cannot cancel a run through its REST API: set on_timeout to fail or return")
    if options["xcom"] and XCOM.kind not in context.connection.dialect.rows:
        raise Unsupported(f"{runs.title} gives no results of tasks through its REST API: leave out xcom")


def duration(run: Mapping[str, t.Any]) -> float | None:
    """Seconds."""
    if not run["start_date"] or not run["end_date"]:
        return None
    return (instant(run["end_date"]) - instant(run["start_date"])).total_seconds()


def failed_tasks(context: Context, run: Mapping[str, t.Any]) -> list[dict[str, t.Any]] | None:
    """With the ends of their logs; None where this Airflow, or this server just now, does not tell."""
    options = context.options
    if TASK_INSTANCE.kind not in context.connection.dialect.rows:
        return None
    of_run = dict(dag_id=options["dag_id"], run_id=run["run_id"])
    try:
        tasks = [task for task in context.open(TASK_INSTANCE, of_run).find() if task["state"] in ILL]
        tasks.sort(key=lambda task: (ILL.index(task["state"]), task["end_date"] or "", task["task_id"], task["map_index"]))
        return [_failed(context, of_run, task, number < MOST_TASKS) for number, task in enumerate(tasks)]
    except (ApiError, TransportError) as exc:
        context.warn(f"Which tasks of {run['run_id']!r} failed cannot be told: {exc}")
        return None


def _failed(context: Context, of_run: Mapping[str, t.Any], task: Mapping[str, t.Any], with_log: bool) -> dict[str, t.Any]:
    lines = _log(context, dict(of_run, task_id=task["task_id"], map_index=task["map_index"]), task) if with_log else []
    told = {key: task[key] for key in ("task_id", "map_index", "try_number", "state")}
    return dict(told, run_id=of_run["run_id"], reason=_reason(lines), log=lines[-context.options["log_lines"] :])


def _log(context: Context, scope: Mapping[str, t.Any], task: Mapping[str, t.Any]) -> list[str]:
    if not context.options["log_lines"] or not task["try_number"] or task["state"] != "failed":
        return []
    try:
        found = context.open(TASK_LOG, scope).read(task["try_number"])
    except (ApiError, TransportError):  # a log that cannot be had hides no failure
        return []
    return [line for line in (found or {}).get("content", ()) if line.strip() and "::endgroup::" not in line and "::group::" not in line]


def _reason(lines: Sequence[str]) -> str | None:
    text = "\n".join(lines)
    found = next((matches[-1] for matches in (pattern.findall(text) for pattern in RAISED) if matches), lines[-1] if lines else None)
    return found and MODULE_PREFIX.sub("", found.strip())[:LONGEST_REASON]


def named(task: Mapping[str, t.Any]) -> str:
    return task["task_id"] + (f"[{task['map_index']}]" if task["map_index"] not in (None, -1) else "")


def explained(tasks: list[dict[str, t.Any]] | None) -> str:
    """For the end of a sentence about a failed run."""
    parts = []
    for task in tasks or ():
        how = f"failed at try {task['try_number']}" if task["state"] == "failed" else "was not run, for one before it failed"
        parts.append(f"{named(task)} {how}" + (f" ({task['reason']})" if task["reason"] else ""))
    more = f"; and {len(parts) - MOST_TASKS} more" if len(parts) > MOST_TASKS else ""
    return "; ".join(parts[:MOST_TASKS]) + more


def failure(options: Mapping[str, t.Any], run: Mapping[str, t.Any], tasks: list[dict[str, t.Any]] | None, which: str = "") -> str:
    """The sentence for a run that failed. ``which``: what more there is to say of it."""
    why = f": {explained(tasks)}" if tasks else ""
    return f"{called(options, run)} failed{which}{why}{see(run)}"


def see(run: Mapping[str, t.Any]) -> str:
    return f"; see {run['url']}" if run["url"] else ""


def xcom(context: Context, run: Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """task -> key -> value, as asked for, of a mapped task a list of those of its instances; null with a warning where there is none."""
    found: dict[str, dict[str, t.Any]] = {}
    for wanted in context.options["xcom"]:
        task_id, _colon, key = wanted.partition(":")
        key = key or RETURN_VALUE
        entry = _left(context, run, task_id, key)
        if entry is None:
            context.warn(f"The task {task_id!r} of {run['run_id']!r} left no {key!r}")
        found.setdefault(task_id, {})[key] = entry and entry["value"]
    return found


def _left(context: Context, run: Mapping[str, t.Any], task_id: str, key: str) -> dict[str, t.Any] | None:
    of_run = dict(dag_id=context.options["dag_id"], run_id=run["run_id"])

    def of(map_index: int | None) -> dict[str, t.Any] | None:
        which = {} if map_index is None else dict(map_index=map_index)
        return context.open(XCOM, dict(of_run, task_id=task_id, **which)).read(key)

    entry = of(None)
    if entry is None:
        tasks = [task for task in context.open(TASK_INSTANCE, of_run).find() if task["task_id"] == task_id]
        entries = [of(index) for index in sorted(task["map_index"] for task in tasks if task["map_index"] not in (None, NOT_MAPPED))]
        entry = dict(value=[one and one["value"] for one in entries]) if any(entries) else None
    return entry
