# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of this folder need of the controller: Ansible's commands, their results as data, and Debian's programs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
SERVERS = json.loads(os.environ.get("SERVERS", "{}"))  # from the noxfile
ONLY = os.environ.get("ONLY")  # that one's tests alone
BIN = pathlib.Path(sys.executable).parent  # the commands of the environment that the tests run in


class Done(t.NamedTuple):
    """What came of a command of Ansible's."""

    code: int
    told: str  # standard output and standard error
    results: list[dict[str, t.Any]]  # task, result, before, after: see callback_plugins/results.py

    def of(self, task: str) -> dict[str, t.Any]:
        """The one result of a task."""
        (found,) = [one["result"] for one in self.results if one["task"] == task]
        return found


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a command: nobody's own Airflow, nobody's own proxy, and not what the tests know of the servers, for there are secrets in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "SERVERS")) and "proxy" not in name.lower()}
    # Ansible's wrapper of an async task takes ~ from HOME, its task that asks for the job from the user database
    kept["ANSIBLE_ASYNC_DIR"] = str(pathlib.Path.home() / ".ansible_async")
    return {**kept, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", **more}


def run(
    folder: pathlib.Path,
    what: list[t.Any],
    *args: str,
    environment: dict[str, str] | None = None,
    counted: str = "",
    given: dict[str, t.Any] | None = None,
    module_defaults: dict[str, t.Any] | None = None,
    inventory: str = "",
    hosts: str = "localhost",
    timeout: float = 600,
) -> Done:
    """One of Ansible's commands, ``["localhost", "-m", ...]``, or a play of the given tasks, or the given plays; its files lie in the folder."""
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    variables = dict(ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callback_plugins"), ANSIBLE_CALLBACKS_ENABLED="results", RESULTS=str(results))
    variables["ANSIBLE_LOAD_CALLBACK_PLUGINS"] = "true"  # ad hoc, too
    if counted:
        variables["COUNTED"] = counted
    if what and isinstance(what[0], dict):
        play = folder / "play.yml"
        plays = what if "hosts" in what[0] else [dict(hosts=hosts, gather_facts=False, module_defaults=module_defaults or {}, tasks=what)]
        play.write_text(json.dumps(plays))
        command = ["ansible-playbook", *args, str(play)]
    else:
        command = ["ansible", *what, *args]
    if given:
        file = folder / "given.json"
        file.write_text(json.dumps(given))
        command[1:1] = ["-e", f"@{file}"]
    if inventory:
        file = folder / "inventory.ini"
        file.write_text(inventory)
        command[1:1] = ["-i", str(file)]
    command[0] = str(BIN / command[0])
    done = subprocess.run(
        command, env={**surroundings(**variables), **(environment or {})}, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
    )
    lines = results.read_text().splitlines() if results.exists() else []
    return Done(done.returncode, done.stdout + done.stderr, [json.loads(line) for line in lines])


def kill(pid):
    """A process and all that come from it: Ansible's workers are sessions of their own, so they are not of its process group."""
    for one in _family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _family(pid):
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def web(server):
    """The leader of the processes that answer."""
    name = "api-server" if server["version"].startswith("3") else "webserver"
    return int((pathlib.Path(server["python"]["airflow_home"]) / f"run/{name}.pid").read_text().split()[0])


def stop_web(server):
    """The process that answers ends, if it has not."""
    leader = web(server)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGTERM)
    end = time.monotonic() + 30
    while os.path.exists(f"/proc/{leader}") and time.monotonic() < end:
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def start(server):
    """What of it does not run."""
    home = pathlib.Path(server["python"]["airflow_home"])
    subprocess.run([BIN / "python", home / "control.py", home / "server.json", "start"], check=True, capture_output=True)


def free_port() -> int:
    """Below those that the system itself gives to connections, so that none of them takes it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def program(name: str, package: str, where: str = "/usr/sbin") -> str:
    """A program of Debian's, installed where root runs the tests; elsewhere the test is left out by name, in CI that is a failure."""
    with open(f"/tmp/.airflow-tests-{os.geteuid()}.lock", "w") as lock:  # the tests are played in lanes: what another one just installs is not ready yet
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _found(name, where)
        if os.geteuid() == 0 and shutil.which("apt-get"):
            quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            for pause in (0, 10, 60):  # a mirror may have a bad moment, and its lists another user
                if found is None:
                    time.sleep(pause)
                    for words in (["update"], ["install", "-y", "--no-install-recommends", package]):
                        subprocess.run(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600", *words], check=False, env=quiet, stdout=subprocess.DEVNULL)
                    found = _found(name, where)
    if found is None:
        missing = f"{name} is missing (Debian's package {package})"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def _found(name: str, where: str) -> str | None:
    return shutil.which(name, path=where) or shutil.which(name)
