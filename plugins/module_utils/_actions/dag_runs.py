# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start many DAG runs, each once. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import identity
from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import EXCLUSIVE, RUN, begun, finish, judge_all
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import WAIT, in_slices, judge_here, judge_wait
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Waited

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

TOLD = 5  # failures and warnings that are spelled out
DEFAULTS = {name: words.get("default") for name, words in RUN.items()}


def dag_runs(context: Context) -> dict[str, t.Any]:
    later = dict(wait=False, xcom=[]) if context.options["wait"] else {}  # once all have started
    wishes = [{**context.options, **DEFAULTS, **run, **later} for run in context.options["runs"]]
    judge_wait(context.options)
    _judge(wishes, context.options["max_parallel"])
    return in_slices(context, lambda context: _started(context, wishes), lambda context, state, waited: _finished(context, wishes, state, waited))


def _started(context: Context, wishes: Sequence[Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Of all wishes what became of them, and of how many the end is known."""
    for wish in wishes[:1]:  # the waits are those of the task
        judge_here(context, context.open(DAG_RUN, dict(dag_id=wish["dag_id"])))
    ended: list[AirflowError] = []  # what would end every other run alike
    ours = [False] * len(wishes)  # which of them this task has set going
    waits = context.options["wait"]

    def one(number: int, wish: Mapping[str, t.Any]) -> dict[str, t.Any]:
        if ended:
            return dict(failed=True, changed=False, dag_id=wish["dag_id"], msg="not tried, because of what came before")
        warnings: list[str] = []
        try:
            result, ours[number] = begun(context.of(wish, warnings.append), waits, _is_paused)
        except AirflowError as exc:
            if isinstance(exc, TransportError) or (isinstance(exc, ApiError) and exc.status == 401):
                ended.append(exc)
            result = {**dict(changed=False), **exc.details, "failed": True, "msg": str(exc)}
        return dict(result, dag_id=wish["dag_id"], **({"warnings": warnings} if warnings else {}))

    results = [one(0, wish) for wish in wishes[:1]]  # alone: it finds out what all the others share
    with ThreadPoolExecutor(context.options["max_parallel"]) as pool:
        results += pool.map(one, range(1, len(wishes)), wishes[1:])
    return dict(changed=any(result["changed"] for result in results), results=results, ours=ours, done=0)


def _is_paused(context: Context) -> bool | None:
    """Asked once of each DAG, however many of its runs there are; but again of one that is not there yet."""
    dag_id = context.options["dag_id"]
    dag = context.once(("dag", dag_id), lambda: context.open(DAG, {}).read(dag_id))
    return dag and dag["is_paused"]


def _finished(context: Context, wishes: Sequence[Mapping[str, t.Any]], state: dict[str, t.Any], waited: Waited) -> dict[str, t.Any]:
    results = state["results"]
    if context.options["wait"] and not context.check_mode:
        for number in range(state["done"], len(results)):  # all have started, so to wait for one after the other is to wait for all
            results[number] = _awaited(context, wishes[number], results[number], state["ours"][number], waited)
            state["done"] = number + 1
    _some(dict.fromkeys(text for result in results for text in result.get("warnings", ())), context.warn)
    told = dict(changed=state["changed"], dag_runs=results)
    failed = [result["msg"] for result in results if result.get("failed")]
    if failed:
        lines: list[str] = []
        _some(failed, lines.append)
        raise AirflowError(f"{len(failed)} of {len(results)} runs failed: {'; '.join(lines)}", **told)
    return told


def _awaited(context: Context, wish: Mapping[str, t.Any], result: dict[str, t.Any], ours: bool, waited: Waited) -> dict[str, t.Any]:
    """The same run at its end. One time-out holds for all of them."""
    if result.get("failed"):
        return result
    waits = {name: context.options[name] for name in ("wait", "api_version", *WAIT)}
    own = context.of({**wish, **waits}, context.warn)
    try:
        return {**result, **finish(own, dict(run=result["dag_run"], result=result, ours=ours), waited)}
    except AirflowError as exc:
        return {**result, **exc.details, "failed": True, "msg": str(exc)}


def _judge(wishes: Sequence[Mapping[str, t.Any]], max_parallel: int) -> None:
    """The whole list before anything is sent."""
    if max_parallel < 1:
        raise AirflowError(f"max_parallel is a number of runs, it cannot be {max_parallel}")
    seen: dict[t.Any, int] = {}
    for number, wish in enumerate(wishes, 1):
        try:
            judge_all(wish)
        except AirflowError as exc:
            raise AirflowError(f"Run {number} of the list: {exc}") from None
        same = seen.setdefault((wish["dag_id"], identity(wish)), number)
        if same != number:
            raise AirflowError(f"Runs {same} and {number} of the list are one and the same run: give each a run_key (or run_id) of its own")


def _some(texts: t.Collection[str], say: Callable[[str], None]) -> None:
    for text in list(texts)[:TOLD]:
        say(text)
    if len(texts) > TOLD:
        say(f"and {len(texts) - TOLD} more")


DAG_RUNS = Action(
    name="dag_runs",
    argument_spec=dict(
        runs=dict(type="list", elements="dict", required=True, options=RUN, mutually_exclusive=EXCLUSIVE),
        max_parallel=dict(type="int", default=1),
        wait=dict(type="bool", default=False),
        **WAIT,
    ),
    perform=dag_runs,
    over_rest="DAG runs are triggered",
)
