# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""make demo as a newcomer meets it: from a fresh clone, with an empty HOME, as root and as an ordinary user."""

from __future__ import annotations

import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import urllib.request

import pytest

from .control import ROOT, free_port

USER = "dagops-newcomer"  # has a home in the user database, where Ansible looks
# Nothing of the environment but what a package index needs; pip's own settings count for a newcomer, too.
KEPT = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith(("_proxy", "_PROXY")) or name == "SSL_CERT_FILE"}


def processes(folder):
    """Processes that hold something of this folder open or in their command."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


class Newcomer:
    def __init__(self, folder, prefix, path, home):
        self.checkout = folder / "airflow"
        self.prefix = prefix
        self.port = free_port()
        # A real Airflow of theirs, which the demo must not touch: were it asked, there would be files.
        self.airflow_home = folder / "their-airflow"
        self.environment = dict(
            KEPT, HOME=str(home), PATH=path, AIRFLOW_PORT=str(self.port), AIRFLOW_HOME=str(self.airflow_home), AIRFLOW_API_URL="http://127.0.0.1:9"
        )

    def __call__(self, *command, **words):
        return subprocess.run(
            [*self.prefix, *command], cwd=self.checkout, env=self.environment, capture_output=True, text=True, timeout=2700, check=False, **words
        )


@pytest.fixture(params=["root", "ordinary user"])
def newcomer(request, tmp_path_factory):
    interpreter = pathlib.Path(sys.base_prefix) / "bin"
    folder = pathlib.Path("/var/tmp" if os.geteuid() == 0 else tmp_path_factory.mktemp("newcomer")) / f"dagops-newcomer-{os.getpid()}"
    folder.mkdir()
    home = folder / "home"
    home.mkdir()
    prefix = []
    path = f"{interpreter}:/usr/bin:/bin"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "airflow")], check=True)
    if request.param == "ordinary user" and os.geteuid() == 0:
        path = "/usr/bin:/bin"  # root's own Pythons are not for others: the system's must do
        subprocess.run(["useradd", "--create-home", USER], check=False, capture_output=True)
        home = pathlib.Path(pwd.getpwnam(USER).pw_dir)
        subprocess.run(["chown", "-R", USER, str(folder)], check=True)
        prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"]
    elif request.param == "root" and os.geteuid() != 0:
        pytest.skip("left out: make demo as root needs root")
    someone = Newcomer(folder, prefix, path, home)
    yield someone
    someone("make", "-s", "demo-clean")
    assert processes(folder) == []
    shutil.rmtree(folder)
    if prefix:
        subprocess.run(["userdel", "--remove", USER], check=True, capture_output=True)


def test_demo_from_a_fresh_clone_again_and_stopped(newcomer):
    first = newcomer("make", "demo")
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert re.search(r"The run ansible__[0-9a-f]{32} ended as success after [0-9.]+ s", first.stdout)
    url = re.search(r"See it: (http://127.0.0.1:\d+)/dags/hello_airflow/runs/ansible__", first.stdout).group(1)
    assert url == f"http://127.0.0.1:{newcomer.port}"
    assert b"<html" in urllib.request.urlopen(url, timeout=30).read().lower()
    password_file = newcomer.checkout / ".demo/api_password"
    assert password_file.stat().st_mode & 0o777 == 0o600
    assert password_file.read_text().split()[0] not in first.stdout + first.stderr

    again = newcomer("make", "demo")
    assert again.returncode == 0, again.stdout[-3000:]
    assert re.search(r"localhost +: .*changed=0 ", again.stdout)
    assert "it was there already: the same task makes the same run" in again.stdout

    stopped = newcomer("make", "demo-stop")
    assert stopped.returncode == 0, stopped.stdout[-3000:]
    assert processes(newcomer.checkout) == []

    with socket.create_server(("127.0.0.1", newcomer.port)):
        taken = newcomer("make", "demo")
    assert taken.returncode != 0
    assert f"Port {newcomer.port} of 127.0.0.1 is taken by another program" in taken.stdout

    assert not newcomer.airflow_home.exists()
    status = newcomer("git", "-c", f"safe.directory={newcomer.checkout}", "status", "--short")
    assert (status.returncode, status.stdout) == (0, "")


def test_a_missing_venv_is_said(tmp_path):
    """Debian and Ubuntu split ensurepip off."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexit 0\n')
    python.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    failed = subprocess.run(["make", "demo", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "lacks venv; on Debian and Ubuntu: apt install python3-venv" in failed.stderr
