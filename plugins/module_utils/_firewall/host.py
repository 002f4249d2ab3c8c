# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine that a backend works on, and the only writer. **PRIVATE** to the collection."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Run

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Write

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"LC_ALL": "C", "LANG": "C", "LANGUAGE": "C", "PATH": PATH}  # what the tools say is read


class Host:
    """``run`` takes a command and its standard input and gives (status, output, errors); ``move`` puts a finished file in its place."""

    def __init__(self, run: Callable[[Sequence[str], str], tuple[int, str, str]], move: Callable[[str, str], None] = os.replace) -> None:
        self._run = run
        self._move = move

    def has(self, program: str) -> bool:
        return shutil.which(program, path=PATH) is not None

    def ask(self, *argv: str) -> tuple[int, str]:
        """Whatever it says: the status tells."""
        status, out, err = self._run(argv, "")
        return status, out if status == 0 else out or err

    def tell(self, *argv: str) -> str:
        return self.do(argv)

    def do(self, argv: Sequence[str], stdin: str = "") -> str:
        status, out, err = self._run(argv, stdin)
        if status:
            said = " ".join((err.strip() or out.strip() or "nothing").split())
            raise AirflowError(f"{' '.join(argv)} ended with status {status}; it said: {said[:500]}")
        return out

    def text(self, path: str) -> str | None:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise AirflowError(f"{path} cannot be read: {exc.strerror}") from None

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except OSError:
            return []

    def put(self, path: str, text: str) -> None:
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        try:
            mode = os.stat(path).st_mode & 0o777
        except FileNotFoundError:
            mode = 0o640
        handle, made = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")  # no pattern of an include matches it
        with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(made, mode)
        self._move(made, path)

    def drop(self, path: str) -> None:
        os.unlink(path)
        folder = os.path.dirname(path)
        if not os.listdir(folder):
            os.rmdir(folder)


def rehearse(steps: Sequence[Run | Write], host: Host) -> None:
    """What can be tried without writing is tried, so that nothing is half done."""
    for step in steps:
        if isinstance(step, Run) and step.trial:
            host.do(step.trial, step.stdin)


def apply(steps: Sequence[Run | Write], host: Host) -> None:
    """The only writer."""
    done: list[str] = []
    for step in steps:
        try:
            if isinstance(step, Run):
                host.do(step.argv, step.stdin)
            elif step.text is None:
                host.drop(step.path)
            else:
                host.put(step.path, step.text)
        except (AirflowError, OSError) as exc:
            raise AirflowError(f"{exc} (done before: {', '.join(done) or 'nothing'}; to do was: {step.what})", done=done) from None
        done.append(step.what)
