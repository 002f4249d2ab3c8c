# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start many DAG runs, each once. **PRIVATE** to the collection."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.dagops.airflow.plugins.module_utils._actions.identity import identity
from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import EXCLUSIVE, RUN, TRIGGER, finish, judge_all, trigger
from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import ENDED, WAIT, judge_here, judge_wait
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

TOLD = 5  # failures and warnings that are spelled out
DEFAULTS = {name: words.get("default") for name, words in TRIGGER.argument_spec.items()}


def dag_runs(context: Context) -> dict[str, t.Any]:
    wishes = [{**context.options, **DEFAULTS, **run} for run in context.options["runs"]]
    judge_wait(context.options)
    _judge(wishes, context.options["max_parallel"])
    for wish in wishes[:1]:  # the waits are those of the task
        judge_here(context, context.open(DAG_RUN, dict(dag_id=wish["dag_id"])))
    ended: list[AirflowError] = []  # what would end every other run alike

    def one(wish: Mapping[str, t.Any]) -> dict[str, t.Any]:
        if ended:
            return dict(failed=True, changed=False, dag_id=wish["dag_id"], msg="not tried, because of what came before")
        warnings: list[str] = []
        try:
            result = trigger(context.of(wish, warnings.append))
        except AirflowError as exc:
            if isinstance(exc, TransportError) or (isinstance(exc, ApiError) and exc.status == 401):
                ended.append(exc)
            result = {**dict(changed=False), **exc.details, "failed": True, "msg": str(exc)}
        return dict(result, dag_id=wish["dag_id"], **({"warnings": warnings} if warnings else {}))

    results = [one(wish) for wish in wishes[:1]]  # alone: it finds out what all the others share
    with ThreadPoolExecutor(context.options["max_parallel"]) as pool:
        results += pool.map(one, wishes[1:])
    if context.options["wait"] and not context.check_mode:
        end = time.monotonic() + context.options["wait_timeout"]
        # All have started, so to wait for one after the other is to wait for all
        results = [_waited(context, wish, result, end) for wish, result in zip(wishes, results)]
    _some(dict.fromkeys(text for result in results for text in result.get("warnings", ())), context.warn)
    told = dict(changed=any(result["changed"] for result in results), dag_runs=results)
    failed = [result["msg"] for result in results if result.get("failed")]
    if failed:
        lines: list[str] = []
        _some(failed, lines.append)
        raise AirflowError(f"{len(failed)} of {len(results)} runs failed: {'; '.join(lines)}", **told)
    return told


def _waited(context: Context, wish: Mapping[str, t.Any], result: dict[str, t.Any], end: float) -> dict[str, t.Any]:
    """The same run at its end. One time-out holds for all of them."""
    if result.get("failed"):
        return result
    waits = {name: context.options[name] for name in ("wait", *WAIT)}
    own = context.of({**wish, **waits, "wait_timeout": max(0.001, end - time.monotonic())}, context.warn)
    runs = context.open(DAG_RUN, dict(dag_id=wish["dag_id"]))
    try:
        dag = context.once(("dag", wish["dag_id"]), lambda: context.open(DAG, {}).read(wish["dag_id"]))
        if dag and dag["is_paused"] and result["dag_run"]["state"] not in ENDED:
            raise AirflowError(f"The DAG {wish['dag_id']!r} is paused, so its run {result['dag_run']['run_id']!r} is not waited for, see unpause")
        return {**result, **finish(own, runs, dict(result["dag_run"], url=result["run_url"]), result, ours=not result["found"])}
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
)
