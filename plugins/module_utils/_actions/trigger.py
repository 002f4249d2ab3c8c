# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a DAG run, once. **PRIVATE** to the collection."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError, TimedOut, TransportError
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import fit
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._wait import Until, watch

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context

ENDED = ("success", "failed")
LONGEST_RUN_ID = 250
# Prefixes by which Airflow tells where a run came from (airflow.utils.types.DagRunType of 1.10 to 3.3).
RESERVED = ("scheduled__", "backfill__", "dataset_triggered__", "asset_triggered__", "asset_materialization__", "operator_triggered__")
DIGEST_VERSION = 1


def trigger(context: Context) -> dict[str, t.Any]:
    options = context.options
    _judge(options)
    run_id = identity(options)
    conf = options["conf"] or {}
    scope = dict(dag_id=options["dag_id"])
    what = f"The run {run_id!r} of the DAG {options['dag_id']!r}"
    runs = context.open(DAG_RUN, scope)
    wish = dict(run_id=run_id, conf=conf, note=options["note"])
    wish = fit(DAG_RUN, runs, {name: value for name, value in wish.items() if value is not None}, None, context.warn)
    if context.check_mode:
        run, created = _once_there(context, lambda: runs.read(run_id)), False
        if run is None:
            _dag(context)
            return dict(changed=True, found=False, dag_run=dict({name: wish.get(name) for name in DAG_RUN.keys}, **scope), run_url=None)
    else:
        run, created = _once_there(context, lambda: _create_or_find(context, runs, wish))
    if created:
        if _is_paused(context):
            paused = f"The DAG {options['dag_id']!r} is paused: {what[0].lower() + what[1:]} was made, and will not start before somebody unpauses the DAG"
            if options["wait"]:
                raise AirflowError(paused, **_result(run, True))
            context.warn(paused)
    else:
        _same_conf(what, run, conf)
        if run["state"] in ENDED and not options["run_id"] and options["run_key"] is None:
            context.warn(
                f"{what} ended as {run['state']} before: the same DAG with the same conf is run once ever. "
                "For another run give run_key (a date, a commit) or run_id, or set force"
            )
    if options["wait"] and run["state"] not in ENDED and not context.check_mode:
        try:
            run = _told(run, watch(lambda: runs.read(run_id), Until(what, "state", ENDED), options["wait_timeout"], options["poll_interval"], context.tell))
        except AirflowError as exc:  # whatever it was, the run is not lost
            exc.details = {**_result(run, created), **exc.details, **({"timed_out": True} if isinstance(exc, TimedOut) else {})}
            raise
    result = _result(run, created)
    if run["state"] == "failed":
        when = "" if created else ", before this task" if not options["wait"] else ""
        raise AirflowError(f"{what} failed{when}" + (f": see {run['url']}" if run["url"] else ""), **result)
    return result


def identity(options: Mapping[str, t.Any]) -> str:
    """The run's id: as given; else, with force, one that nobody has; else a digest of what was asked, so that the same wish is the same run.

    The digest is SHA-256 over canonical JSON. It can never change: a run that was started by an older release must be found again.
    """
    if options["run_id"]:
        return options["run_id"]
    if options["force"]:
        return f"ansible__{secrets.token_hex(16)}"
    asked = dict(version=DIGEST_VERSION, dag_id=options["dag_id"], conf=options["conf"] or {}, run_key=options["run_key"])
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"ansible__{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"


def _judge(options: Mapping[str, t.Any]) -> None:
    """What a server would answer with an error page, or quietly drop, is said before anything is sent."""
    run_id = options["run_id"]
    if options["client"] != "rest":
        raise AirflowError("DAG runs are triggered through the REST API only: leave out client=python")
    if run_id is not None:
        if not re.match(r"[A-Za-z0-9_.~:+-]+\Z", run_id) or run_id in (".", ".."):
            raise AirflowError(f"run_id {run_id!r} is none that Airflow takes: letters, digits and _ . ~ : + - only")
        if len(run_id) > LONGEST_RUN_ID:
            raise AirflowError(f"run_id is {len(run_id)} characters long, Airflow takes {LONGEST_RUN_ID}")
        if run_id.startswith(RESERVED):
            raise AirflowError(f"run_id {run_id!r} begins with {run_id.partition('__')[0]}__, which Airflow keeps for runs of its own")
    for name, least in (("wait_timeout", 0.001), ("poll_interval", 0.001), ("wait_for_dag", 0)):
        if options[name] < least:
            raise AirflowError(f"{name} is a number of seconds, it cannot be {options[name]:g}")


def _create_or_find(context: Context, runs: t.Any, wish: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], bool]:
    """After any end of the POST but a clear yes or a clear no, look for our run, and only then judge."""
    try:
        told = runs.create(wish)
    except (ApiError, TransportError) as exc:
        lost = isinstance(exc, TransportError) and exc.reached or isinstance(exc, ApiError) and exc.status >= 500
        taken = isinstance(exc, ApiError) and exc.status in runs.taken
        run = runs.read(wish["run_id"]) if lost or taken else None
        if run is None:
            raise
        return run, lost
    return _told({name: wish.get(name) for name in told}, told), True


def _told(known: Mapping[str, t.Any], told: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the server tells, and where it is silent what we know ourselves."""
    return {**known, **{name: value for name, value in told.items() if value is not None}}


def _once_there(context: Context, deed: t.Callable[[], t.Any]) -> t.Any:
    """A DAG that was just deployed is unknown (404) or, on 1.10, not whole (500) until Airflow has read its file."""
    end = time.monotonic() + (0 if context.check_mode else context.options["wait_for_dag"])
    while True:
        try:
            return deed()
        except ApiError as exc:
            if exc.status not in (404, 500) or time.monotonic() >= end:
                raise _no_dag(context, exc) if exc.status == 404 else exc from None
        time.sleep(1)


def _dag(context: Context) -> dict[str, t.Any]:
    found = context.open(DAG, {}).read(context.options["dag_id"])
    if found is None:
        raise _no_dag(context)
    return found


def _is_paused(context: Context) -> bool:
    """Asked when the run is made already: a failure of the question must not hide that."""
    try:
        return bool(_dag(context)["is_paused"])
    except AirflowError as exc:
        context.warn(f"The run was made; whether its DAG is paused cannot be told: {exc}")
        return False


def _no_dag(context: Context, exc: ApiError | None = None) -> AirflowError:
    details = exc.details if exc else {}
    return AirflowError(
        f"There is no DAG {context.options['dag_id']!r} at {context.options['api_url']}: check dag_id; "
        "the file of a new DAG takes Airflow up to some minutes to see",
        **details,
    )


def _same_conf(what: str, run: Mapping[str, t.Any], conf: Mapping[str, t.Any]) -> None:
    """One run id with two confs would be two wishes; 1.10 does not tell a run's conf."""
    if run["conf"] is not None and run["conf"] != conf:
        there, asked = (json.dumps(one, sort_keys=True, ensure_ascii=False) for one in (run["conf"], conf))
        raise AirflowError(f"{what} exists with another conf: it has {there}, asked was {asked}. Give another run_id", dag_run=run)


def _result(run: Mapping[str, t.Any], created: bool) -> dict[str, t.Any]:
    return dict(changed=created, found=not created, dag_run={name: run[name] for name in DAG_RUN.keys}, run_url=run["url"])


TRIGGER = Action(
    name="trigger",
    argument_spec=dict(
        dag_id=dict(type="str", required=True),
        conf=dict(type="dict"),
        run_id=dict(type="str"),
        run_key=dict(type="str", no_log=False),
        force=dict(type="bool", default=False),
        note=dict(type="str"),
        wait=dict(type="bool", default=False),
        wait_timeout=dict(type="float", default=3600.0),
        poll_interval=dict(type="float", default=10.0),
        wait_for_dag=dict(type="float", default=0.0),
    ),
    required=dict(mutually_exclusive=[("run_id", "run_key")]),
    perform=trigger,
)
