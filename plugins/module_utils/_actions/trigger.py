# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a DAG run, once. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import time
import typing as t
from datetime import datetime, timezone

from ansible_collections.dagops.airflow.plugins.module_utils._actions.clear import clear, unclear
from ansible_collections.dagops.airflow.plugins.module_utils._actions.diagnose import why_no_run
from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import (
    DATES,
    NO_DATE,
    airflows_own,
    attempt_id,
    dated,
    first_and_number,
    identity,
    judge,
    kept,
    normal,
    stamp,
)
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import (
    ENDED,
    WAIT,
    await_end,
    called,
    duration,
    failed_tasks,
    failure,
    in_slices,
    judge_here,
    judge_wait,
    merged,
    shown,
    xcom,
)
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, Foreign, TransportError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import fit
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action, as_instant, instant, same_json
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Tries, Waited, judge_seconds

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


class Wish(t.NamedTuple):
    """One run that shall be, as this Airflow takes it."""

    values: dict[str, t.Any]  # what is sent
    by_date: bool = False  # whether its date names it, whatever its id
    stamped: str = ""  # the option that holds a date of ours alone

    @property
    def run_id(self) -> str:
        return self.values["run_id"]

    def made(self, run: Mapping[str, t.Any]) -> bool:
        """Whether this very wish made the run. Where nothing in it is ours alone nobody can know, and it is taken as made."""
        return run["run_id"] == self.run_id and (not self.stamped or as_instant(run[self.stamped], self.values[self.stamped]))


def trigger(context: Context) -> dict[str, t.Any]:
    judge_all(context.options)
    return in_slices(context, _started, finish)


def begun(context: Context, waits: bool, is_paused: Callable[[Context], bool | None]) -> tuple[dict[str, t.Any], bool]:
    """Of one of many runs the result before any wait, and whether this task has set it going. ``waits``: it will be waited for."""
    judge_all(context.options)
    state = _started(context.of({**context.options, "wait": waits}, context.warn), is_paused)
    return finish(context, state, Waited()), state.get("ours", False)


def _started(context: Context, is_paused: Callable[[Context], bool | None] | None = None) -> dict[str, t.Any]:
    """What is there now: the run, what the result says of it, and whether this task has set it going."""
    options = context.options
    runs = context.open(DAG_RUN, dict(dag_id=options["dag_id"]))
    judge_here(context, runs)
    wish = _wish(context, runs)
    # What would be waited for in vain is not started: the DAG is asked before, and not again afterwards
    paused = (is_paused or _is_paused)(context) if options["wait"] and not options["unpause"] and not context.check_mode else None
    if context.check_mode or paused or airflows_own(options):
        run, made = _find(context, runs, wish), False
        if run is None and airflows_own(options):
            raise AirflowError(f"The DAG {options['dag_id']!r} has no such run: {kept(wish.run_id)}")
        if run is None and options["logical_date"] and not wish.by_date:
            _date_is_free(options, runs, wish)
        if run is None:
            _startable(context, paused)
            return dict(changed=True, run=None, result=dict(changed=True, found=False, attempt=1, dag_run=shown(_planned(options, wish)), run_url=None))
    else:
        run, made = _start(context, runs, wish)
    number, changed = first_and_number(wish.run_id)[1], made
    if not made:
        if options["conf"] is None and options["run_id"] and options["if_failed"] != "fail" and run["conf"] is not None:
            wish = wish._replace(values={**wish.values, "conf": run["conf"]})
        _same(options, wish, run)
        run, number, changed = _newest(context, runs, wish, run, number, paused)
    ours = changed
    if run["state"] not in ENDED and paused is not False and (changed or options["unpause"] or options["wait"]):
        changed = _unpaused(context, run, changed, number) or changed
    return dict(changed=changed, run=run, result=_result(run, changed, not made, number), ours=ours)


def finish(context: Context, state: Mapping[str, t.Any], waited: Waited) -> dict[str, t.Any]:
    """The result for a run that is there: waited for, if that is asked; with the reasons if it failed, with what its tasks left if it did not."""
    options, run, result = context.options, state["run"], dict(state["result"])
    if run is None:
        return result
    ended_before = run["state"] in ENDED
    if options["wait"] and not ended_before and not context.check_mode:
        try:
            run, told = await_end(context, run, state["ours"], waited)
        except AirflowError as exc:  # whatever it was, the run is not lost
            exc.details = {**result, **exc.details}
            raise
        result = {**_result(run, result["changed"], result["found"], result["attempt"]), **told}
    if run["state"] == "failed":
        tasks = failed_tasks(context, run)
        why = _failed(options, run, result["changed"], result["attempt"], tasks, ended_before)
        raise AirflowError(why, **result, failed_tasks=tasks)
    if run["state"] == "success" and options["xcom"] and not context.check_mode:
        try:
            result["xcom"] = xcom(context, run)
        except AirflowError as exc:
            exc.details = {**result, **exc.details}
            raise
    return result


def judge_all(options: Mapping[str, t.Any]) -> None:
    """Before anything is sent."""
    judge(options)
    judge_wait(options)
    judge_seconds(options, "wait_for_dag", least=0)


def _wish(context: Context, runs: t.Any) -> Wish:
    options = context.options
    asked = {name: options[name] for name in DAG_RUN.fields if options[name] is not None}
    asked.update(run_id=identity(options), conf=options["conf"] or {})
    dateless = asked.get("logical_date") == NO_DATE
    if dateless:
        del asked["logical_date"]
    asked.update({name: normal(asked[name]) for name in DATES if name in asked})
    values = fit(DAG_RUN, runs, asked, None, context.warn)
    if dateless and "logical_date" not in runs.nullable:
        raise Unsupported(f"{runs.title} gives every run a logical_date: leave out logical_date=none")
    stamped = "run_after" if dateless else "logical_date"
    return _stamped(runs, Wish(values, dated(options) and options["run_id"] is None, "" if stamped in values else stamped))


def _stamped(runs: t.Any, wish: Wish) -> Wish:
    return wish._replace(values={**wish.values, wish.stamped: stamp(runs.now())}) if wish.stamped else wish


def _start(context: Context, runs: t.Any, wish: Wish) -> tuple[dict[str, t.Any], bool]:
    """The run, and whether this made it. A DAG that was just deployed may be unknown until Airflow has read its file."""
    options = context.options
    end = time.monotonic() + options["wait_for_dag"]
    while True:
        try:
            return _create_or_find(context, runs, wish)
        except ApiError as exc:
            if exc.status not in (400, 404) or time.monotonic() >= end or (exc.status == 400 and "import errors" not in str(exc)):
                raise why_no_run(context, exc) from None
        time.sleep(1)
        if options["wait"] and not options["unpause"]:  # Airflow pauses a DAG that it has just found, if nobody has told it otherwise
            _not_in_vain(options, _is_paused(context))


def _create_or_find(context: Context, runs: t.Any, wish: Wish) -> tuple[dict[str, t.Any], bool]:
    """After any end of the POST but a clear yes or a clear no, look for our run, and only then judge."""
    tries = Tries(context.options["api_retries"])
    while True:
        try:
            told = runs.create(wish.values)
            return merged({name: wish.values.get(name) for name in told}, told), True
        except (ApiError, TransportError, Foreign) as exc:
            taken = isinstance(exc, ApiError) and exc.status in runs.taken
            if not taken and not unclear(exc):
                raise
            run = _look(runs, wish, exc)
            if run is not None:
                return run, wish.made(run) and bool(wish.stamped or not taken)
            if isinstance(exc, ApiError) and not wish.stamped:
                _date_is_free(context.options, runs, wish, exc)
            if not tries.again(getattr(exc, "retry_after", 0.0)):
                text = f"{exc}. The run {wish.run_id!r} is not there"
                if isinstance(exc, TransportError):  # but the server is, for it was asked: what else is wished of it can go on
                    raise AirflowError(text, **exc.details) from None
                exc.args = (text,)
                raise
            if taken or (isinstance(exc, ApiError) and exc.status in runs.unsaid and wish.stamped and _of_the_date(runs, wish)):
                wish = _stamped(runs, wish)


def _read(runs: t.Any, wish: Wish) -> dict[str, t.Any] | None:
    run = runs.read(wish.run_id)
    if run is None and wish.by_date:
        run = next(iter(runs.find(logical_date=wish.values["logical_date"])), None)
    return run


def _look(runs: t.Any, wish: Wish, lost: AirflowError) -> dict[str, t.Any] | None:
    try:
        return _read(runs, wish)
    except AirflowError as exc:
        if isinstance(exc, Foreign) and isinstance(lost, Foreign):
            raise  # no Airflow at all
        raise AirflowError(
            f"{lost}. Whether the run {wish.run_id!r} was started cannot be told ({exc}): play the task again, that starts no second one", **lost.details
        ) from None


def _find(context: Context, runs: t.Any, wish: Wish) -> dict[str, t.Any] | None:
    try:
        return _read(runs, wish)
    except ApiError as exc:
        if exc.status != 404:
            raise
        if context.check_mode and context.options["wait_for_dag"]:
            return None
        raise why_no_run(context, exc) from None


def _of_the_date(runs: t.Any, wish: Wish) -> dict[str, t.Any] | None:
    date = wish.values.get("logical_date")
    return next(iter(runs.find(logical_date=date)), None) if date else None


def _date_is_free(options: Mapping[str, t.Any], runs: t.Any, wish: Wish, exc: ApiError | None = None) -> None:
    """What a server answers to a second run of a date is a conflict that does not tell why, on 1.10 a page of 500."""
    other = _of_the_date(runs, wish)
    if other is not None:
        text = f"The DAG {options['dag_id']!r} has a run of {wish.values['logical_date']} already, {other['run_id']!r}: a date has one run"
        raise AirflowError(f"{text}. Give another logical_date, or leave out run_id", **(exc.details if exc else {}))
    if exc is not None and exc.status in runs.taken:
        raise exc


def _dag(context: Context) -> dict[str, t.Any] | None:
    return context.open(DAG, {}).read(context.options["dag_id"])


def _is_paused(context: Context) -> bool | None:
    dag = _dag(context)
    return dag and dag["is_paused"]


def _startable(context: Context, paused: bool | None) -> None:
    """Of a run that is not there."""
    options = context.options
    dag = dict(is_paused=paused, is_stale=False) if paused is not None else _dag(context)
    if dag is None and context.check_mode and options["wait_for_dag"]:
        context.warn(f"There is no DAG {options['dag_id']!r}. Check mode goes on as if an earlier task deployed it")
        return
    if dag is None or dag["is_stale"] or dag.get("has_import_errors"):
        raise why_no_run(context, ApiError(f"The DAG {options['dag_id']!r} cannot be run", 404, body={}))
    if dag["is_paused"] and not options["unpause"]:
        if options["wait"]:
            _not_in_vain(options, True)
        context.warn(f"The DAG {options['dag_id']!r} is paused: its run will not start before somebody unpauses it, see unpause")


def _not_in_vain(options: Mapping[str, t.Any], paused: bool | None) -> None:
    if paused:
        raise AirflowError(f"The DAG {options['dag_id']!r} is paused, so a run would not start and the wait not end: nothing was started. Set unpause")


def _unpaused(context: Context, run: Mapping[str, t.Any], changed: bool, number: int) -> bool:
    """Whether the DAG was paused and is no more. Asked when the run is there: a failure of the question must not hide that."""
    options, what = context.options, called(context.options, run)
    try:
        dags = context.open(DAG, {})
        dag = context.once(("dag", options["dag_id"]), lambda: dags.read(options["dag_id"]))
        if not dag or not dag["is_paused"]:
            return False
        if options["unpause"]:
            if not context.check_mode:
                dags.update(options["dag_id"], dict(is_paused=False), dag)
            dag["is_paused"] = False
            return True
    except AirflowError as exc:
        context.warn(f"{what} is there; whether its DAG is paused cannot be told: {exc}")
        return False
    paused = f"The DAG {options['dag_id']!r} is paused: {what[0].lower() + what[1:]} is there, and will not go on before somebody unpauses the DAG, see unpause"
    if options["wait"]:
        raise AirflowError(paused, **_result(run, changed, not changed, number))
    context.warn(paused)
    return False


def _same(options: Mapping[str, t.Any], wish: Wish, run: Mapping[str, t.Any]) -> None:
    """One run id with two confs, or two dates, would be two wishes. 1.10 does not tell a run's conf."""
    there, asked = run["conf"], wish.values["conf"]
    another = f"Give another {'logical_date' if wish.by_date else 'run_id'}"
    if there is not None and not same_json(there, asked):
        names = [name for name in {**there, **asked} if name not in there or name not in asked or not same_json(there[name], asked[name])]
        confs = [json.dumps({name: conf[name] for name in names if name in conf}, sort_keys=True, ensure_ascii=False) for conf in (there, asked)]
        raise AirflowError(f"{called(options, run)} exists with another conf: it has {confs[0]}, asked was {confs[1]}. {another}", dag_run=shown(run))
    for name in ("logical_date", "data_interval_start", "data_interval_end", "partition_key"):
        told = run[name] is not None or name == "partition_key"  # who takes one tells it
        if name in wish.values and name != wish.stamped and told and not DAG_RUN.fields[name].same(run[name], wish.values[name]):
            raise AirflowError(
                f"{called(options, run)} exists with another {name}: it has {run[name]}, asked was {wish.values[name]}. {another}",
                dag_run=shown(run),
            )


def _newest(context: Context, runs: t.Any, wish: Wish, run: dict[str, t.Any], number: int, paused: bool | None) -> tuple[dict[str, t.Any], int, bool]:
    """Of a run that was there: its newest attempt, which one that is, and whether it was set going here."""
    options, first = context.options, first_and_number(run["run_id"])[0]
    while run["state"] == "failed" and not wish.by_date:
        later = runs.read(attempt_id(first, number + 1))
        if later is None:
            break
        run, number = later, number + 1
    if run["state"] == "failed" and options["if_failed"] != "fail" and paused:
        text = f"The DAG {options['dag_id']!r} is paused, so the wait would not end: nothing was done again. Set unpause"
        raise AirflowError(text, **_result(run, False, True, number))
    if run["state"] == "failed" and options["if_failed"] == "clear":
        run, cleared = clear(context, runs, run)
        return run, number, cleared
    if run["state"] == "failed" and options["if_failed"] == "rerun":
        if number >= options["max_attempts"]:
            tasks = failed_tasks(context, run)
            text = failure(options, run, tasks, f", attempt {number} of {options['max_attempts']} (max_attempts)")
            raise AirflowError(text, **_result(run, False, True, number), failed_tasks=tasks)
        if options["run_id"] and options["conf"] is None and run["conf"] is None:
            raise Unsupported(f"{runs.title} does not tell the conf of {run['run_id']!r}, so another attempt could not have it: give conf, {{}} for none")
        again = _stamped(runs, wish._replace(values={**wish.values, **_subject(run), "run_id": attempt_id(first, number + 1)}))
        if context.check_mode:
            return _planned(options, again), number + 1, True
        run, made = _start(context, runs, again)
        return run, number + 1, made
    if run["state"] in ENDED and not options["run_id"] and not wish.by_date and options["run_key"] is None:
        context.warn(
            f"{called(options, run)} ended as {run['state']} before{_ago(run)}: the same DAG with the same conf is run once ever. "
            "For another run give run_key (a date, a commit) or run_id, or set force"
        )
    return run, number, False


def _subject(run: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a run was about, so that another attempt is about the same."""
    told = {name: run[name] for name in ("data_interval_start", "data_interval_end")}
    interval = {name: normal(date) for name, date in told.items()} if all(told.values()) else {}
    return interval if run["partition_key"] is None else dict(interval, partition_key=run["partition_key"])


def _ago(run: Mapping[str, t.Any]) -> str:
    ended = run["end_date"] or run["start_date"] or run["logical_date"]
    if not ended:
        return ""
    seconds = max(0, (datetime.now(timezone.utc) - instant(ended)).total_seconds())
    size, unit = next((size, unit) for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")) if seconds >= size or unit == "second")
    count = int(seconds // size)
    return f", {count} {unit}{'' if count == 1 else 's'} ago"


def _failed(
    options: Mapping[str, t.Any], run: Mapping[str, t.Any], changed: bool, number: int, tasks: list[dict[str, t.Any]] | None, ended_before: bool
) -> str:
    attempt = f", attempt {number}" if number > 1 else ""
    before = ", before this task" if ended_before else ""
    again = "" if changed else "; to have it done again set if_failed"
    return failure(options, run, tasks, attempt + before) + again


def _planned(options: Mapping[str, t.Any], wish: Wish) -> dict[str, t.Any]:
    """A run that check mode does not make."""
    planned = {name: value for name, value in wish.values.items() if name != wish.stamped}
    return {**dict.fromkeys(DAG_RUN.keys), **planned, "dag_id": options["dag_id"]}


def _result(run: Mapping[str, t.Any], changed: bool, found: bool, number: int) -> dict[str, t.Any]:
    return dict(changed=changed, found=found, attempt=number, dag_run=shown(run), run_url=run["url"], duration=duration(run))


# What one run is; the rest is about waiting for it.
RUN: dict[str, dict[str, t.Any]] = dict(
    dag_id=dict(type="str", required=True),
    conf=dict(type="dict"),
    run_id=dict(type="str"),
    run_key=dict(type="str", no_log=False),
    logical_date=dict(type="str"),
    data_interval_start=dict(type="str"),
    data_interval_end=dict(type="str"),
    run_after=dict(type="str"),
    partition_key=dict(type="str", no_log=False),
    note=dict(type="str"),
    force=dict(type="bool", default=False),
    if_failed=dict(type="str", choices=["fail", "clear", "rerun"], default="fail"),
    max_attempts=dict(type="int", default=2),
    unpause=dict(type="bool", default=False),
    wait_for_dag=dict(type="float", default=0.0),
)
EXCLUSIVE = [("run_id", "run_key")]
TRIGGER = Action(
    name="trigger",
    argument_spec=dict(
        RUN,
        wait=dict(type="bool", default=False),
        **WAIT,
    ),
    required=dict(mutually_exclusive=EXCLUSIVE),
    perform=trigger,
    over_rest="DAG runs are triggered",
)
