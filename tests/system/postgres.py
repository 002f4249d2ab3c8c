# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's PostgreSQL on a port of its own, and an Airflow on it: what SQLite cannot take, many writers at once, needs it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from . import control


@contextlib.contextmanager
def database(network: str = ""):
    """The URL of an empty one, which ``network``, such as 192.0.2.1/24, may ask at this machine's address in it, too.

    It refuses to run as root: then it runs as Debian's user for it, in a folder that this user can enter.
    """
    initdb = pathlib.Path(control.program("initdb", "postgresql", where=_where())).resolve()  # psql and postgres lie beside it
    port = control.free_port()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="airflow_tests_postgres-"))
    become = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        become = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    log = (folder / "log").open("wb")
    try:
        subprocess.run([*become, initdb, "-D", folder / "data", "-U", "airflow", "-A", "trust", "--no-sync"], cwd=folder, check=True, stdout=log, stderr=log)
        listen = "127.0.0.1"
        if network:
            listen += "," + network.partition("/")[0]
            with (folder / "data/pg_hba.conf").open("a") as file:
                file.write(f"host all all {ipaddress.ip_interface(network).network} trust\n")
        server = subprocess.Popen(
            [*become, initdb.with_name("postgres"), "-D", folder / "data", "-p", str(port), "-h", listen, "-k", folder, "-c", "max_connections=300"],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + 60
            while subprocess.run([initdb.with_name("psql"), *_psql(port), "-c", "create database test"], capture_output=True, check=False).returncode:
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.2)
            yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/test"
        finally:
            server.terminate()
            server.wait()
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def rows(url: str, query: str) -> list[str]:
    port = int(url.rpartition(":")[2].partition("/")[0])
    psql = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))
    told = subprocess.run([psql, *_psql(port, "test"), "-A", "-t", "-c", query], capture_output=True, text=True, check=True).stdout
    return told.split()


@contextlib.contextmanager
def airflow(name: str, folder: pathlib.Path, url: str):
    """The options of the REST API of an Airflow like the one of that name, with this database."""
    words = control.SERVERS[name]
    given = [f"servers_folder={folder}", f"airflow_server_venv={words['venv']}", "airflow_server_install=false", f"airflow_server_database={url}"]
    command = [control.BIN / "ansible-playbook", "-i", control.ROOT / "tests/servers/inventory.yml", "-l", name]
    for one in given:
        command += ["-e", one]
    plays = control.ROOT / "tests/servers"
    done = subprocess.run([*command, plays / "up.yml"], env=control.surroundings(), capture_output=True, text=True, timeout=900, check=False)
    try:
        assert done.returncode == 0, done.stdout[-4000:]
        yield dict(words["rest"], api_url=f"http://127.0.0.1:{(folder / f'{name}.port').read_text().strip()}")
    finally:
        subprocess.run([*command, plays / "down.yml"], env=control.surroundings(), capture_output=True, timeout=300, check=False)


def _psql(port: int, name: str = "postgres") -> list[str]:
    return ["-h", "127.0.0.1", "-p", str(port), "-U", "airflow", "-d", name, "-q"]


def _where() -> str:
    return os.pathsep.join(f"/usr/lib/postgresql/{version}/bin" for version in range(25, 10, -1))
