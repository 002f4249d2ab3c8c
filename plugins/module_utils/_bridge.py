# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts Airflow's interpreter and speaks with it. **PRIVATE** to the collection."""

from __future__ import annotations

import collections
import inspect
import json
import os
import pwd
import shlex
import shutil
import subprocess
import threading
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils import _bridge_script
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, NotThereYet

if t.TYPE_CHECKING:
    from collections.abc import Mapping

# Whoever is given a shell instead of a Python would run the program as shell commands; a Python passes over this line.
GUARD = "0;exit\n"


class Bridge:
    """One process of Airflow's Python for one task. ``start()`` says hello, ``ask()`` does the rest."""

    def __init__(self, options: Mapping[str, t.Any]) -> None:
        self._options = options
        self._process: t.Any = None
        self._noise: collections.deque[str] = collections.deque(maxlen=200)
        self._reader: t.Any = None
        self.database = ""
        self.guards: dict[str, str] = {}  # who authenticates: by auth_manager (3.x), by auth_backend (1.10)

    def start(self) -> dict[str, t.Any]:
        """The hello of the Airflow that answers: ``version``, ``database`` (without its password), ``guards``."""
        command = interpreter(self._options["airflow_python"])
        environment = self._settings()
        home = environment.get("AIRFLOW_HOME")
        account = _account(self._options["airflow_user"], home)
        try:
            # A conversation, which run_command cannot hold
            self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                [*command, "-c", GUARD + inspect.getsource(_bridge_script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                universal_newlines=True,
                cwd="/",
                env=_surroundings(account),
                preexec_fn=account and (lambda: _become(account)),  # noqa: PLW1509 -- no thread runs yet; `user` came with Python 3.9
            )
        except FileNotFoundError:
            raise NotThereYet(f"There is no interpreter {command[0]!r}: set airflow_python to the Python that Airflow is installed in") from None
        except (OSError, subprocess.SubprocessError) as exc:
            raise AirflowError(f"airflow_python {shlex.join(command)!r} cannot be started: {exc}") from None
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        said = self._exchange(dict(environment=environment))
        if said is None:
            raise AirflowError(f"airflow_python {shlex.join(command)!r} is no Python that speaks with us; it said: {self._last_words()}")
        if said.get("not_there"):
            raise NotThereYet(f"{shlex.join(command)}: {said['not_there']}")
        if said.get("missing") == "airflow":
            raise AirflowError(f"The Python {shlex.join(command)!r} has no Airflow: set airflow_python to the one that Airflow is installed in")
        if "error" in said:
            raise AirflowError(f"Airflow could not be loaded by {shlex.join(command)}: {said['error']}")
        self.database, self.guards = said["database"], said["guards"]
        return said

    def ask(self, operation: str, **words: t.Any) -> t.Any:
        said = self._exchange(dict(words, op=operation))
        if said is None:
            raise AirflowError(f"Airflow's Python ended while it was asked to {operation}; it said: {self._last_words()}")
        if "error" in said:
            raise AirflowError(f"The database {self.database} could not {operation}: {said['error']}")
        if operation == "open" and not said["result"]:
            raise NotThereYet(
                f"The database {self.database} has no Airflow tables yet: initialise it, or set airflow_home or airflow_env_file as the service has it"
            )
        return said["result"]

    def close(self) -> None:
        if self._process is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass
            self._process.wait()

    def _exchange(self, words: Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        try:
            return json.loads(self._process.stdout.readline())
        except ValueError:
            return None

    def _listen(self) -> None:
        self._noise.extend(self._process.stderr)

    def _last_words(self) -> str:
        self.close()
        self._reader.join(timeout=1)
        return " ".join("".join(list(self._noise)[-3:]).split()) or f"nothing, exit status {self._process.returncode}"

    def _settings(self) -> dict[str, str]:
        """What the service gets from its environment: sent by the pipe, so that it stands in no process's environment."""
        settings = {}
        if self._options["airflow_env_file"]:
            try:
                with open(self._options["airflow_env_file"], encoding="utf-8") as file:
                    settings = environment_file(file.read())
            except FileNotFoundError:
                raise NotThereYet(f"There is no airflow_env_file {self._options['airflow_env_file']!r}") from None
            except (OSError, UnicodeError) as exc:
                raise AirflowError(f"airflow_env_file {self._options['airflow_env_file']!r} cannot be read: {exc}") from None
        if self._options["airflow_home"]:
            settings["AIRFLOW_HOME"] = os.path.expanduser(self._options["airflow_home"])
        return settings


def interpreter(asked: str | None) -> list[str]:
    """The words of the command: as asked, else what the first lines of the ``airflow`` on PATH say (pip and uv write a second one where the path is long)."""
    if asked:
        try:
            return shlex.split(asked)
        except ValueError as exc:
            raise AirflowError(f"airflow_python {asked!r} is no command: {exc}") from None
    script = shutil.which("airflow")
    if script is None:
        raise NotThereYet("There is no airflow on PATH: set airflow_python to the Python that Airflow is installed in")
    with open(script, "rb") as file:
        first, second = (file.readline().decode(errors="replace").strip() for number in range(2))
    if first.endswith("/sh") and second.startswith("'''exec'"):
        return shlex.split(second[len("'''exec'") :])[:1]
    if first.startswith("#!"):
        return shlex.split(first[2:])
    raise AirflowError(f"{script} does not say which Python it belongs to: set airflow_python")


def environment_file(text: str) -> dict[str, str]:
    """Names and values of a systemd EnvironmentFile (systemd.exec(5)): comments, quotes and continued lines as there."""
    settings = {}
    for line in text.replace("\\\n", "").splitlines():
        line = line.strip()
        if line and line[0] not in "#;" and "=" in line:
            name, _mark, value = line.partition("=")
            value = value.strip()
            settings[name.strip()] = "".join(shlex.split(value)) if value[:1] in ("'", '"') else value
    return settings


def _account(name: str | None, home: str | None) -> t.Any:
    """As whom Airflow's Python runs, where it is not as whom we run: root would leave files that the scheduler cannot write."""
    try:
        if name:
            account = pwd.getpwnam(name)
        elif os.geteuid() == 0 and home and os.path.isdir(home):
            account = pwd.getpwuid(os.stat(home).st_uid)
        else:
            return None
    except KeyError:
        raise AirflowError(f"There is no user {name or os.stat(str(home)).st_uid!r} here: see airflow_user") from None
    if account.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise AirflowError(f"Only root can run Airflow's Python as {account.pw_name}: use become, or leave out airflow_user")
    return account


def _become(account: t.Any) -> None:
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _surroundings(account: t.Any) -> dict[str, str]:
    """The interpreter's environment: ours without our credentials."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_API_")}
    if account:
        ours.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
    return ours
