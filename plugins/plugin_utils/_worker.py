# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's work in Ansible's worker process, where that is the same thing, and the module everywhere else. **PRIVATE** to the collection.

A module costs its host the start of a Python, a quarter second or more; in the worker a task costs its requests.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib.util
import itertools
import json
import os
import sys
import time
import typing as t

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._module import frame, variable
from ansible_collections.dagops.airflow.plugins.module_utils._perform import perform
from ansible_collections.dagops.airflow.plugins.module_utils._progress import Progress, pace

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action, Resource

display = Display()
AT_A_TERMINAL = sys.stderr.isatty()  # asked where this file is loaded, in the main process: a worker's standard error is none
# Of waiting: a new wait is soon seen to move, a long one costs its host little
SLICES = (1.0, 2.0, 4.0, 8.0, 15.0)

# A worker process lives for one task of one host: so do the connections that its loop items share. They end with the process.
CONNECTIONS: dict[t.Any, t.Any] = {}


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
        tell = (lambda seen: None) if self._task.no_log else progress(task_vars or {})
        if reason is None:
            result.update(self._here(tell))
        elif self._waits():
            result.update(self._in_slices(task_vars, tell))
        else:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
        return result

    def _waits(self) -> bool:
        """Whether the module can be asked for slices of its wait. An async task is nobody's to look at, and whoever sets a slice himself has reasons."""
        args, spec = self._task.args, getattr(self.what, "argument_spec", {})
        return "wait_slice" in spec and not self._task.async_val and not self._task.check_mode and not {"wait_slice", "resume"} & set(args)

    def _in_slices(self, task_vars: dict[str, t.Any] | None, tell: Callable[[Mapping[str, t.Any]], None]) -> dict[str, t.Any]:
        """The module on its host, again and again until the wait is over."""
        args, warnings, since, known = dict(self._task.args), [], None, None
        for length in itertools.chain(SLICES, itertools.repeat(SLICES[-1])):
            result = self._execute_module(module_args=dict(args, wait_slice=length), task_vars=task_vars)
            warnings += [warning for warning in result.pop("warnings", ()) if warning not in warnings]
            resume = result.pop("resume", None)
            if resume is None:
                break
            known = result
            tell(dict(resume["seen"], tasks=functools.partial(resume["seen"].get, "tasks")))
            since = time.monotonic() - resume["elapsed"] if since is None else since
            between = time.monotonic() - since - resume["elapsed"]  # the module knows nothing of the time from one slice to the next
            args["resume"] = dict(resume, elapsed=resume["elapsed"] + between, away=resume["away"] and resume["away"] + between)
        if known and result.get("failed"):  # however this slice ended, what the ones before it did is done
            result["changed"] = result.get("changed") or known["changed"]
        for name in ("wait_slice", "resume"):
            result.get("invocation", {}).get("module_args", {}).pop(name, None)
        return dict(result, warnings=warnings) if warnings else result

    def _here(self, tell: Callable[[Mapping[str, t.Any]], None]) -> dict[str, t.Any]:
        """Everything that the frame of a module does: validate, perform, warn, put errors into results, mask secrets."""
        args = as_a_module_gets_them(self._task.args)
        checked = ModuleArgumentSpecValidator(**frame(self.what, args)).validate(args)
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


def progress(task_vars: Mapping[str, t.Any]) -> Progress:
    def say(text: str, bad: bool) -> None:
        display.display(text, color=C.COLOR_ERROR if bad and AT_A_TERMINAL else None, stderr=True)

    hosts = len(task_vars.get("ansible_play_batch", ()))
    return Progress(say, task_vars.get("inventory_hostname", "localhost"), pace(AT_A_TERMINAL, hosts), display.verbosity > 0)


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
