# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be seen of a secret from outside while the main job is done: on the terminal at -vvv, in /proc, in files."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import subprocess
import threading

import pytest

from . import control

PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - dagops.airflow.airflow_api_user: "{{ user }}"
      diff: true
      no_log: false
    - dagops.airflow.airflow_api_user: "{{ user | combine({'password': second}) }}"
      diff: true
    - dagops.airflow.airflow_connection: "{{ connection | combine({'password': first}) }}"
      diff: true
    - dagops.airflow.airflow_connection: "{{ connection | combine({'password': second, 'extra': {'token': second}}) }}"
      diff: true
    - dagops.airflow.airflow_connection: "{{ connection | combine({'state': 'absent'}) }}"
    - dagops.airflow.airflow_variable: "{{ variable | combine({'value': {'api_key': first}}) }}"
      diff: true
    - dagops.airflow.airflow_variable: "{{ variable | combine({'value': {'api_key': second}}) }}"
      diff: true
    - dagops.airflow.airflow_variable: "{{ variable | combine({'state': 'absent'}) }}"
    - dagops.airflow.airflow_dag_trigger: "{{ run | combine({'api_password': second}) }}"
    - dagops.airflow.airflow_dag_trigger: "{{ run | combine({'api_password': 'wrong' ~ second}) }}"
      ignore_errors: true
    - dagops.airflow.airflow_api_user: "{{ user | combine({'state': 'absent'}) }}"
"""


def everybody():
    return [int(entry.name) for entry in pathlib.Path("/proc").glob("[0-9]*")]


class Watch(threading.Thread):
    """Looks at every process's arguments and environment, or at those of ``processes()``, again and again."""

    def __init__(self, words, but=(), processes=everybody):
        super().__init__(daemon=True)
        self.words = [word.encode() for word in words]
        self.but = but
        self.processes = processes
        self.over = threading.Event()
        self.seen = set()
        self.commands = set()
        self.looks = 0

    def run(self):
        while not self.over.is_set():
            self.looks += 1
            for process in self.processes():
                for name in ("cmdline", "environ"):
                    try:
                        text = pathlib.Path(f"/proc/{process}/{name}").read_bytes()
                    except OSError:
                        continue
                    if name == "cmdline":
                        self.commands.add(text.decode(errors="replace"))
                    if any(word in text for word in self.words) and process not in self.but:
                        self.seen.add(f"{name}: {text[:200]!r}")
            self.over.wait(0.02)


# Not the simple auth manager: Airflow itself keeps its passwords in clear there, and knows a new name only after a restart.
@pytest.mark.parametrize("name", [name for name, words in control.SERVERS.items() if words["user_table"]])
@pytest.mark.parametrize("blind", [True, False], ids=["ours", "control"])
def test_no_secret_is_seen(server, tmp_path, blind):
    """The control does the same with the password in an environment variable: were it not seen, the watch would be blind."""
    first, second = (f"{secrets.token_hex(12)}-Aa1" for number in range(2))
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    given = tmp_path / "given.json"  # the one file that exists to hold them
    given.touch(mode=0o600)
    user = dict(server["python"], username="secret_user", password=first, email="secret@example.org", roles=["Admin"])
    run = dict(api_url=server["rest"]["api_url"], api_username="secret_user", dag_id="test_paused", force=True)
    held = {
        "connection": dict(server["python"], connection_id="secret_connection", conn_type="http", login="me"),
        "variable": dict(server["python"], key="secret_variable"),
    }
    given.write_text(json.dumps(dict(held, user=user, run=run, first=first, second=second)))
    environment = control.surroundings(ANSIBLE_LOG_PATH=str(tmp_path / "log"))
    if not blind:
        environment["SOMETHING"] = second
    watch = Watch((first, second), but={os.getpid()})
    watch.start()
    done = subprocess.run(
        [control.BIN / "ansible-playbook", "-vvv", "--diff", "-e", f"@{given}", play], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    watch.over.set()
    watch.join()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "changed=10" in done.stdout
    assert watch.looks > 20
    assert bool(watch.seen) != blind, watch.seen
    told = done.stdout + done.stderr + (tmp_path / "log").read_text()
    for word in (first, second):
        assert word not in told
    home = pathlib.Path(server["python"]["airflow_home"])
    for file in (
        pathlib.Path(where, name) for top in (home, pathlib.Path.home() / ".ansible/tmp") for where, _folders, names in os.walk(top) for name in names
    ):
        try:
            text = file.read_bytes()
        except OSError:  # gone meanwhile, or no file of bytes
            continue
        assert first.encode() not in text and second.encode() not in text, file
