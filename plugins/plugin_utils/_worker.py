# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's work in Ansible's worker process, where that is the same thing, and the module everywhere else. **PRIVATE** to the collection.

A module costs its host the start of a Python, a quarter second or more; in the worker a task costs its requests.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import json
import os
import sys
import time
import typing as t

from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._module import frame, variable
from ansible_collections.dagops.airflow.plugins.module_utils._perform import perform

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action, Resource

display = Display()
AT_A_TERMINAL = sys.stderr.isatty()  # asked where this file is loaded, in the main process: a worker's standard error is none
# Seconds from one line to the next where nothing changes, and where something does: a pipeline's log is no terminal.
SIGN_OF_LIFE, LEAST = (10.0, 0.0) if AT_A_TERMINAL else (60.0, 10.0)

# A worker process lives for one task of one host: so do the connections that its loop items share. They end with the process.
CONNECTIONS: dict[t.Any, t.Any] = {}


class Progress:
    """A line on standard error for the person who waits: what is waited for and where it is seen, each change, and now and then a sign of life."""

    def __init__(self, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._clock = clock
        self._start = clock()
        self._told: tuple[t.Any, ...] = ()
        self._last = 0.0

    def __call__(self, seen: Mapping[str, t.Any]) -> None:
        now, news = self._clock(), (seen.get("dag_id"), seen.get("run_id"), seen.get("state"))
        if self._told and now - self._last < (SIGN_OF_LIFE if news == self._told else LEAST):
            return
        first = news[:2] != self._told[:2]
        what = f"the run {seen['run_id']!r} of the DAG {seen['dag_id']!r}" if "run_id" in seen else "Airflow"
        where = f", see {seen['url']}" if first and seen.get("url") else ""
        display.display(f"[{self._host}] {'waiting for ' if first else ''}{what}: {seen.get('state')}, {now - self._start:.0f} s{where}", stderr=True)
        self._told, self._last = news, now


class WorkerAction(ActionBase):
    """What an action plugin of this collection is, but for ``what``."""

    _supports_async = True
    what: Resource | Action

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        reason = why_as_a_module(self, task_vars or {})
        display.vv(
            f"{self._task.action}: {'in the worker' if reason is None else 'as a module, because of ' + reason}",
            host=(task_vars or {}).get("inventory_hostname"),
        )
        if reason is None:
            host = (task_vars or {}).get("inventory_hostname", "localhost")
            result.update(self._here((lambda seen: None) if self._task.no_log else Progress(host)))
        else:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
        return result

    def _here(self, tell: Callable[[Mapping[str, t.Any]], None]) -> dict[str, t.Any]:
        """Everything that the frame of a module does: validate, perform, warn, put errors into results, mask secrets."""
        validator = ModuleArgumentSpecValidator(**frame(self.what))
        checked = validator.validate(as_a_module_gets_them(self._task.args))
        warnings: list[str] = []
        if checked.error_messages:
            error = checked.errors[0]
            msg = error.msg
            if isinstance(error, UnsupportedError):
                msg = f"Unsupported parameters for ({self._task.action}) module: {msg}"
            return remove_values(dict(failed=True, changed=False, msg=msg), checked._no_log_values)
        try:
            with inside(self._loader.get_basedir()):
                result = perform(self.what, checked.validated_parameters, self._task.check_mode, tell, warnings.append, CONNECTIONS)
        except AirflowError as exc:
            result = dict(dict(changed=False), **exc.details, failed=True, msg=str(exc))
        if warnings:
            result["warnings"] = warnings
        return remove_values(result, checked._no_log_values)


@contextlib.contextmanager
def inside(folder: str) -> t.Iterator[None]:
    """A module on the controller runs in the folder of the playbook: names of files are meant from there."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def as_a_module_gets_them(args: t.Any) -> dict[str, t.Any]:
    """On its way into a module an option becomes JSON and comes back: an unquoted date is then a text, and a tagged text a plain one."""

    def plain(value: t.Any) -> str:
        return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)

    return json.loads(json.dumps(args, default=plain))


def why_as_a_module(action: ActionBase, task_vars: dict[str, t.Any]) -> str | None:
    """The reason why the work cannot be done in this very process as if it were on the host; None if it can."""
    task, connection = action._task, action._connection
    host_vars = task_vars
    if task.delegate_to:
        host_vars = task_vars.get("ansible_delegated_vars", {}).get(task.delegate_to, {})
    interpreter = action._templar.template(host_vars.get("ansible_python_interpreter"))
    if connection.transport != "local":
        return "the host, which is not the controller"
    if sys.platform == "darwin":
        return "macOS, where a forked process may not look up proxies"
    if (task.args.get("client") or os.environ.get(variable("client"))) == "python":
        return "client=python"
    if connection.become is not None:
        return "become"
    if task.async_val:
        return "async"
    if any(task.environment or ()):
        return "environment"
    if interpreter and _environment(interpreter) != _environment(sys.executable):
        return f"ansible_python_interpreter, which is {interpreter}"
    if importlib.util.find_spec("requests") is None:
        return "the controller's Python, which has no requests"
    return None


def _environment(interpreter: str) -> tuple[str, str]:
    """A virtual environment's Python is a link to one outside: the folder that the link lies in counts, too."""
    return os.path.dirname(os.path.abspath(interpreter)), os.path.realpath(interpreter)
