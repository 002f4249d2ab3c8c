# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits from outside: what the person who waits sees, how a wait is broken off, and what it survives.

Most wait for runs of a paused DAG, whose ends are set by the test. TRIGGERS=300 (`make faults`) makes the wait across restarts one of minutes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import pty
import re
import secrets
import signal
import subprocess
import time
import urllib.request

import pytest

from . import control
from .proxy import Proxy
from .test_paths import token

FULL = int(os.environ.get("TRIGGERS", "30")) >= 300
WAIT = "dagops.airflow.airflow_dag_run_wait"
TRIGGER = "dagops.airflow.airflow_dag_trigger"
RUN = "dagops.airflow.airflow_dag_run"
GROUP = "group/dagops.airflow.airflow"
DAG = "test_held"
LINE = re.compile(r"^\[(\S+)\] (\d+:\d\d) (\S+): (.*)$", re.MULTILINE)
TOKEN = 20  # seconds that a token lives, in the test of that


def generation(server):
    return server["version"][0]


def held(server, ansible):
    """A run that does not begin, and how to end it."""
    run = dict(dag_id=DAG, run_id=f"wait_{secrets.token_hex(6)}")
    done = ansible([{TRIGGER: run}], module_defaults={GROUP: server["rest"]})
    assert done.code == 0, done.told
    return run


class Play:
    """ansible-playbook in the background; at a terminal, if that is asked."""

    def __init__(self, folder, tasks, rest, *args, hosts="localhost", inventory="", terminal=False, **environment):
        self.folder = folder
        folder.mkdir()
        (folder / "play.yml").write_text(json.dumps([dict(hosts=hosts, gather_facts=False, module_defaults={GROUP: rest}, tasks=tasks)]))
        (folder / "inventory").write_text(inventory or "localhost ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}")
        command = [control.BIN / "ansible-playbook", "-i", folder / "inventory", *args, folder / "play.yml"]
        kept = {
            name: value for name, value in control.surroundings(**environment).items() if name not in ("NO_COLOR", "ANSIBLE_NOCOLOR") or name in environment
        }
        self.result = folder / "result.json"
        words = dict(
            kept,
            ANSIBLE_CALLBACK_PLUGINS=str(control.HERE / "callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="results",
            RESULTS=str(self.result),
            TERM="xterm-256color",
        )
        self.told = ""
        self.master = None
        if terminal:
            self.master, slave = pty.openpty()
            self.process = subprocess.Popen(
                ["setsid", "--ctty", *command], env=words, cwd=folder, stdin=slave, stdout=slave, stderr=slave
            )  # Ctrl-C is a matter of the terminal that controls it
            os.close(slave)
        else:
            self.process = subprocess.Popen(command, env=words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            self.master = self.process.stdout.fileno()
        os.set_blocking(self.master, False)

    def read(self):
        with contextlib.suppress(BlockingIOError, OSError):
            while piece := os.read(self.master, 65536):
                self.told += piece.decode().replace("\r\n", "\n")
        return self.told

    def until(self, text, seconds=120):
        end = time.monotonic() + seconds
        while not re.search(text, self.read()):
            assert time.monotonic() < end and self.process.poll() is None, self.told
            time.sleep(0.05)

    def interrupt(self):
        """Seconds from Ctrl-C to the end."""
        start = time.monotonic()
        os.write(self.master, b"\x03")
        while self.process.poll() is None:
            assert time.monotonic() - start < 60, self.told
            self.read()
            time.sleep(0.02)
        return time.monotonic() - start

    def end(self, seconds=300):
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.read()
            time.sleep(0.1)
        self.read()
        lines = self.result.read_text().splitlines() if self.result.exists() else []
        return [json.loads(line)["result"] for line in lines]

    @property
    def lines(self):
        return LINE.findall(self.read())


PATHS = ["worker", "module", "far"]


def on(path, far):
    """Where the task is played: in the worker, as a module here, on a remote host."""
    return (dict(hosts="far", inventory=far.inventory) if path == "far" else {}), (dict(environment=dict(ANY="thing")) if path == "module" else {})


@pytest.mark.parametrize(("path", "plain"), [("worker", "NO_COLOR"), ("far", "ANSIBLE_NOCOLOR")])
def test_a_run_is_seen_to_move(server, far, tmp_path, path, plain):
    where, how = on(path, far)
    broken = generation(server) != "1"
    asked = dict(
        dag_id="test_steps", run_key=secrets.token_hex(8), conf=dict(seconds=1, broken=1 if broken else 9), wait=True, wait_timeout=280, poll_interval=2
    )
    play = Play(tmp_path / "play", [{TRIGGER: asked, "ignore_errors": True, **how}], server["rest"], "-v", terminal=True, **{plain: "1"}, **where)
    (result,) = play.end()
    host = "far" if path == "far" else "localhost"
    assert {line[0] for line in play.lines} == {host}, play.told
    run_id = result["dag_run"]["run_id"]
    assert play.lines[0][3].startswith(f"waiting for the run {run_id}")
    assert play.lines[0][3].endswith(f"(to come back to it: airflow_dag_run_wait with dag_id=test_steps run_id={run_id})")
    assert not re.search(r"\x1b\[[0-9;]*m\[", play.told)
    if not broken:
        assert result["dag_run"]["state"] == "success"
        assert any(line[3] == "running" for line in play.lines)
        return
    assert any("tasks: " in line[3] for line in play.lines), play.told
    assert any("extract" in line[3] for line in play.lines), "-v names the tasks"
    assert "load[1] failed at try 1 (" in result["msg"], result["msg"]
    assert "NoSales: no sales of piece 1)" in result["msg"]
    assert "unusual_prefix" not in result["msg"]
    assert "report was not run, for one before it failed" in result["msg"]
    tasks = {(task["task_id"], task["map_index"]): task for task in result["failed_tasks"]}
    assert tasks["load", 1]["reason"].endswith("NoSales: no sales of piece 1")
    assert tasks["report", -1]["state"] == "upstream_failed"


def test_what_airflow_masks_stays_masked(server, ansible):
    """A task fails with a secret in its words."""
    if generation(server) == "1":
        return  # whose REST tells no logs
    word = secrets.token_hex(12)
    held = dict(server["python"], key="test_masked_secret")
    done = ansible(
        [
            {"dagops.airflow.airflow_variable": dict(held, value=word)},
            {TRIGGER: dict(dag_id="test_masked", run_id=f"masked_{secrets.token_hex(4)}", wait=True, poll_interval=2), "name": "run", "ignore_errors": True},
            {"dagops.airflow.airflow_variable": dict(held, state="absent")},
        ],
        module_defaults={GROUP: server["rest"]},
    )
    assert done.code == 0, done.told
    assert "work failed at try 1 (RuntimeError: the door says ***)" in done.of("run")["msg"]
    assert any("the door says ***" in line for line in done.of("run")["failed_tasks"][0]["log"])
    assert word not in done.told + json.dumps(done.results)


@pytest.mark.parametrize("path", PATHS)
def test_ctrl_c_ends_a_wait_at_once(server, ansible, far, tmp_path, path):
    run = held(server, ansible)
    where, how = on(path, far)
    play = Play(tmp_path / "play", [{WAIT: dict(run, wait_timeout=600), **how}], server["rest"], terminal=True, **where)
    play.until(r"waiting for the run")
    took = play.interrupt()
    print(f"{path}: {took:.2f} s")
    assert took < (3 if FULL else 10), play.told  # alone on a machine it is one
    assert "Traceback" not in play.told
    assert f"run_id={run['run_id']})" in play.told.replace("\n", "")
    if path == "far":  # what is left on the host ends by itself
        end = time.monotonic() + 40
        while any(b"AnsiballZ_airflow" in _command(pid) for pid in far.processes):
            assert time.monotonic() < end
            time.sleep(0.5)


def _command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_who_does_not_want_to_see_it_sees_nothing(server, address, ansible, tmp_path):
    """no_log says nothing; where nobody looks, in an async task, no tasks are asked for."""
    run = held(server, ansible)
    with Proxy(address) as proxy:
        rest = dict(server["rest"])
        options = dict(run, wait_timeout=4, poll_interval=1, on_timeout="return")
        tasks = [
            {WAIT: dict(options, api_url=f"{proxy.url}/@silent"), "no_log": True},
            {WAIT: dict(options, api_url=f"{proxy.url}/@async"), "async": 300, "poll": 1},
            {WAIT: dict(options, api_url=f"{proxy.url}/@seen")},
        ]
        play = Play(tmp_path / "play", tasks, rest)
        results = play.end()
    assert [result.get("timed_out") for result in results[1:]] == [True] * 2, play.told  # the first one is hidden
    asked = {mark: sum("/taskInstances" in request.path for request in proxy.seen if request.mark == mark) for mark in ("silent", "async", "seen")}
    assert (asked["silent"], asked["async"]) == (0, 0)
    assert bool(asked["seen"]) == (generation(server) != "1")
    assert sum(line[3].startswith("waiting for the run") for line in play.lines) == 1, play.told


def test_twenty_hosts_stay_readable(server, ansible, tmp_path):
    run = held(server, ansible)
    hosts = [f"h{number:02}" for number in range(20)]
    inventory = "\n".join(f"{host} ansible_connection=local ansible_python_interpreter={{{{ansible_playbook_python}}}}" for host in hosts)
    task = {WAIT: dict(run, wait_timeout=40 if FULL else 15, poll_interval=5, on_timeout="return", api_retries=10)}
    play = Play(tmp_path / "play", [task], server["rest"], "-f", "20", hosts="all", inventory=inventory, terminal=True)
    results = play.end()
    assert [result["timed_out"] for result in results] == [True] * 20, play.told
    shown = [line for line in play.told.splitlines() if " test_held: " in line]
    assert all(LINE.match(line) for line in shown), shown
    for host in hosts:
        (_come_back, *times) = seconds(line for line in play.lines if line[0] == host)
        assert times, host
        assert all(later - earlier >= 9 for earlier, later in zip(times, times[1:])), (host, times)  # half a second for each host
    assert not FULL or max(sum(line[0] == host for line in play.lines) for host in hosts) > 2, play.told  # a sign of life in half a minute
    print(f"20 hosts: {len(shown)} lines")


def seconds(lines):
    """At which seconds of the wait they were said."""
    return [int(minutes) * 60 + int(rest) for minutes, rest in (line[1].split(":") for line in lines)]


def delete(server, run):
    """At once: airflow_dag_run would cancel it first."""
    rest = server["rest"]
    if generation(server) == "3":
        sent = f"Bearer {token(server)}"
    else:
        sent = "Basic " + base64.b64encode(f"{rest['api_username']}:{rest['api_password']}".encode()).decode()
    path = f"/api/v{int(generation(server)) - 1}/dags/{run['dag_id']}/dagRuns/{run['run_id']}"
    with urllib.request.urlopen(urllib.request.Request(rest["api_url"] + path, method="DELETE", headers=dict(Authorization=sent)), timeout=60) as answer:
        assert answer.status == 204


def test_a_run_that_is_deleted_is_not_waited_for(server, ansible, tmp_path):
    if generation(server) == "1":
        return  # where REST deletes no run
    run = held(server, ansible)
    play = Play(tmp_path / "play", [{WAIT: dict(run, wait_timeout=120, poll_interval=1), "ignore_errors": True}], server["rest"])
    play.until("waiting for the run")
    delete(server, run)
    (result,) = play.end()
    assert result["msg"] == f"The run {run['run_id']!r} of the DAG {DAG!r} was deleted while it was waited for"


@contextlib.contextmanager
def short_tokens(server):
    """The process that answers, anew, with tokens that soon end; afterwards as it was."""
    file = pathlib.Path(server["python"]["airflow_env_file"])
    before = file.read_text()

    def restart(pause=0.0):
        control.stop_web(server)
        time.sleep(1 + pause)
        control.start(server)

    changed = generation(server) == "3"
    try:
        if changed:
            file.write_text(f"{before.rstrip()}\nAIRFLOW__API_AUTH__JWT_EXPIRATION_TIME={TOKEN}\n")
            restart()
        yield restart
    finally:
        if changed:
            file.write_text(before)
            restart()


def test_a_wait_outlives_a_restart_and_its_token(server, address, ansible, far, tmp_path):
    """In the worker, at a terminal and in a log, and on a remote host at once: the run ends well, long after, and all of them know it."""
    run = held(server, ansible)
    ten = generation(server) == "1"  # whose REST ends no run: the wait ends by its time
    hold = 240 if FULL else 45
    options = dict(run, wait_timeout=hold + 30 if ten else 900, poll_interval=3, outage_timeout=180, on_timeout="return")
    with Proxy(address) as proxy, short_tokens(server) as restart:
        plays = {}
        for path in ("worker", "log", "far"):
            task = {WAIT: dict(options, api_url=f"{proxy.url}/@{path}")}
            plays[path] = Play(tmp_path / path, [task], server["rest"], terminal=path != "log", **on(path, far)[0])
        for play in plays.values():
            play.until("waiting for the run")
        start = time.monotonic()
        restart(5.0)
        print(f"away for {time.monotonic() - start:.0f} s")
        time.sleep(max(0.0, start + hold - time.monotonic()))
        if not ten:
            done = ansible([{RUN: dict(run, state="success")}], module_defaults={GROUP: server["rest"]})
            assert done.code == 0, done.told
        ended = time.monotonic()
        results = {path: play.end() for path, play in plays.items()}
        print(f"known {time.monotonic() - ended:.1f} s later")
    for path, play in plays.items():
        (result,) = results[path]
        assert not result["failed"], (path, play.told)
        assert result["dag_runs"][0]["state"] == ("running" if ten else "success"), (path, result)
        assert result.get("timed_out", False) is ten
        assert any("the server is away" in line[3] for line in play.lines), (path, play.told)
        paused = [text for text in map(str, result.get("warnings", [])) if "is paused, so the wait is in vain" in text]
        assert len(paused) == 1, (path, result)
        log_ins = sum(request.path == "/auth/token" for request in proxy.seen if request.mark == path)
        print(f"{path}: {len([one for one in proxy.seen if one.mark == path])} requests, {log_ins} log-ins, in {hold} s and more")
        assert log_ins >= 2 if generation(server) == "3" else log_ins == 0
    (_come_back, *times) = seconds(plays["log"].lines)
    assert all(10 <= later - earlier <= 150 for earlier, later in zip(times, times[1:])), plays["log"].told


def test_an_outage_that_lasts_too_long_ends_the_wait(server, address, ansible, far, tmp_path):
    """Of a wait in slices, each shorter than the outage."""
    run = held(server, ansible)
    gone = []
    with Proxy(address, lambda request: "dropped before" if gone else None) as proxy:
        options = dict(run, api_url=proxy.url, wait_timeout=300, outage_timeout=20, api_retries=0)
        play = Play(tmp_path / "play", [{WAIT: options, "ignore_errors": True}], server["rest"], hosts="far", inventory=far.inventory)
        play.until("waiting for the run")
        gone.append(True)
        start = time.monotonic()
        (result,) = play.end()
    assert result["failed"]
    assert "goes on: play the task again to wait for its end" in result["msg"]
    assert 15 <= time.monotonic() - start <= 150  # far less than wait_timeout
