# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task of ours costs, against what a user would write instead: both in turn, as the ratio of their medians.

benchmark.py [ROUNDS] [ROW ...]: on the running servers of tests/servers. Rows:
one: a new run as a playbook of one task, both ways; wall time and CPU time are those of the whole ansible-playbook.
loop: a loop of 100 new runs, as modules and in the worker; what it adds to a play that does nothing.
late: how long after the end of a run of 5 s the task is over, both ways; and of Airflow 3 the answer of its own address that waits, asked once a second.
parallel: 200 new runs in one task with max_parallel of 1, 2, 4 and 8; Airflow 3.3 on SQLite is given only 1 and 2, for it answers more with locks, for minutes.
many: 200 new runs in one task, against the bare server's time for as many POSTs over one connection, against loops, and against Airflow's own command.
With DATABASE=postgresql, on servers of its own that keep their data there (root, Debian's PostgreSQL). SERVER=airflow_2_11 for one.
Requests are counted by a proxy between.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import requests

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
from tests.system import control, postgres
from tests.system.proxy import Proxy

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
WANTED = sys.argv[2:]
MANY = 200
WIDTHS = (1, 2, 4, 8)
PASSWORD = "only-for-tests"

OURS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - dagops.airflow.airflow_dag_trigger:
        {api_url: "URL", api_username: admin, api_password: PASSWORD, dag_id: test_paused, run_key: "KEY"}
"""
LOOP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - dagops.airflow.airflow_dag_trigger:
        {api_url: "URL", api_username: admin, api_password: PASSWORD, dag_id: test_paused, run_key: "KEY {{ item }}"}
      loop: "{{ range(100) | list }}"
      environment: ENVIRONMENT
"""
NOTHING = """
- hosts: localhost
  gather_facts: false
  tasks: []
"""
# What people write by hand: the least that starts a run. On Airflow 3 it must log in first.
URI = {
    "airflow_1_10": """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: URL/api/experimental/dags/test_paused/dag_runs
        method: POST
        url_username: admin
        url_password: PASSWORD
        force_basic_auth: true
        body_format: json
        body: {run_id: "KEY", replace_microseconds: "false"}
""",
    "airflow_2_11": """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: URL/api/v1/dags/test_paused/dagRuns
        method: POST
        url_username: admin
        url_password: PASSWORD
        force_basic_auth: true
        body_format: json
        body: {dag_run_id: "KEY"}
""",
    "airflow_3_fab": """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: URL/auth/token
        method: POST
        body_format: json
        body: {username: admin, password: PASSWORD}
        status_code: 201
      register: login
    - ansible.builtin.uri:
        url: URL/api/v2/dags/test_paused/dagRuns
        method: POST
        headers: {Authorization: "Bearer {{ login.json.access_token }}"}
        body_format: json
        body: {dag_run_id: "KEY", logical_date: null}
""",
}
URI["airflow_3_simple"] = URI["airflow_3_fab"]


# A loop of 20 of the same.
URI_LOOP = {server: text.replace("KEY", "KEY-{{ item }}") + '      loop: "{{ range(20) | list }}"\n' for server, text in URI.items()}
MANY_RUNS = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - dagops.airflow.airflow_dag_runs:
        api_url: URL
        api_username: admin
        api_password: PASSWORD
        max_parallel: PARALLEL
        runs: {json.dumps([dict(dag_id="test_paused", run_id=f"KEY-{number}") for number in range(MANY)])}
"""
# The path of a POST, the name of the run's id in it, and what it must have beside.
POST = {
    "airflow_1_10": ("/api/experimental/dags/test_paused/dag_runs", "run_id", dict(replace_microseconds="false")),
    "airflow_2_11": ("/api/v1/dags/test_paused/dagRuns", "dag_run_id", {}),
    "airflow_3_fab": ("/api/v2/dags/test_paused/dagRuns", "dag_run_id", dict(logical_date=None)),
}
POST["airflow_3_simple"] = POST["airflow_3_fab"]

OVER = """
    - ansible.builtin.debug:
        msg: "over at {{ lookup('ansible.builtin.pipe', 'date +%s.%N') }}"
"""
OURS_LATE = (
    """
- hosts: localhost
  gather_facts: false
  tasks:
    - dagops.airflow.airflow_dag_trigger:
        {api_url: "URL", api_username: admin, api_password: PASSWORD, dag_id: test_slow, run_id: "KEY", conf: {seconds: 5}, wait: true}
"""
    + OVER
)
UNTIL = """
    - ansible.builtin.uri:
        url: URLPATH
        headers: HEADERS
        url_username: "USERNAME"
        url_password: "SECRET"
        force_basic_auth: FORCED
      register: run
      until: run.json.state in ["success", "failed"]
      retries: 60
      delay: 5
"""


def uri_late(server, key):
    """What people write by hand to wait: a look every five seconds, which is Ansible's own pause."""
    path, forced = POST[server][0].replace("test_paused", "test_slow"), not server.startswith("airflow_3")
    date = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    more = f', conf: {{seconds: 5}}, execution_date: "{date}"}}' if server == "airflow_1_10" else ", conf: {seconds: 5}}"
    start = "".join(URI[server].replace("test_paused", "test_slow").rstrip().rpartition("}")[:1]) + more
    words = dict(
        URLPATH=f"URL{path}/{date if server == 'airflow_1_10' else key}",
        HEADERS="{}" if forced else '{Authorization: "Bearer {{ login.json.access_token }}"}',
        USERNAME="admin" if forced else "",
        SECRET=PASSWORD if forced else "",
        FORCED=str(forced).lower(),
    )
    wait = UNTIL
    for name, word in words.items():
        wait = wait.replace(name, word)
    return start + wait + OVER


def play(text, proxy, key, told=None):
    """Seconds of wall and CPU, and requests, of one playbook."""
    url = proxy.url
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text.replace("URL", url).replace("KEY", key).replace("PASSWORD", PASSWORD))
        file.flush()
        proxy.seen.clear()
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [pathlib.Path(sys.executable).parent / "ansible-playbook", file.name]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)
        if done.returncode:
            sys.exit(done.stdout[-3000:])
        if told is not None:
            told.append(done.stdout)
        after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return end - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, len(proxy.seen)


ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")} | {"ANSIBLE_LOCALHOST_WARNING": "false"}


def one_run(proxy, server):
    ours, theirs = [], []
    for number in range(ROUNDS):
        key = f"benchmark-{time.time_ns()}-{number}"
        ours.append(play(OURS, proxy, key))
        theirs.append(play(URI[server], proxy, key + "-uri"))
    wall, cpu = (statistics.median(one[i] for one in ours) / statistics.median(one[i] for one in theirs) for i in (0, 1))
    print(f"{server:<16}{wall:>8.2f}{cpu:>8.2f}   {ours[0][2]} / {theirs[0][2]}")
    print(json.dumps(dict(server=server, ours=ours, uri=theirs)), file=sys.stderr)


def loop(proxy, server):
    """What a loop adds to a play that does nothing: as modules, and in the worker."""
    empty = play(NOTHING, proxy, "")[1]
    key = f"benchmark-{time.time_ns()}"
    modules = play(LOOP.replace("ENVIRONMENT", "{ANY: thing}"), proxy, key)
    worker = play(LOOP.replace("ENVIRONMENT", "{}"), proxy, key + "-worker")
    print(f"{server:<16}{(modules[1] - empty) / (worker[1] - empty):>8.1f}   {modules[2]} / {worker[2]}")
    print(json.dumps(dict(server=server, modules=modules, worker=worker, empty=empty)), file=sys.stderr)


def bare(url, server, key, count):
    """Seconds of as many POSTs over one connection, each with its credentials as ours are."""
    with requests.Session() as session:
        if server.startswith("airflow_3"):
            token = session.post(f"{url}/auth/token", json=dict(username="admin", password=PASSWORD)).json()["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
        else:
            session.auth = ("admin", PASSWORD)
        path, name, more = POST[server]
        start = time.monotonic()
        for number in range(count):
            session.post(f"{url}{path}", json={name: f"{key}-{number}", **more}).raise_for_status()
        return time.monotonic() - start


def many(proxy, server):
    """Milliseconds a run, less what a play that does nothing takes; the last column's command is played for 5 runs."""
    key = f"benchmark-{time.time_ns()}"
    empty = play(NOTHING, proxy, "")[0]
    least = bare(proxy.url, server, f"{key}-bare", MANY) / MANY
    task = MANY_RUNS.replace("PARALLEL", os.environ.get("MAX_PARALLEL", "1"))
    ours = (play(task, proxy, f"{key}-many")[0] - empty) / MANY
    again = bare(proxy.url, server, f"{key}-bare2", MANY) / MANY
    least = min(least, again)
    worker = (play(LOOP.replace("ENVIRONMENT", "{}"), proxy, f"{key}-loop")[0] - empty) / 100
    uri = (play(URI_LOOP[server], proxy, f"{key}-uri")[0] - empty) / 20
    command = airflow_command(server, key, 5)
    print(f"{server:<16}{ours / least:>8.2f}{worker / ours:>8.2f}{uri / ours:>8.1f}{command / ours:>8.1f}   {1000 * ours:.0f} ms")
    print(json.dumps(dict(server=server, bare=least, ours=ours, loop=worker, uri=uri, command=command)), file=sys.stderr)


def parallel(proxy, server):
    """Seconds of the same task with more of its runs at once, as ratios to one after the other."""
    key = f"benchmark-{time.time_ns()}"
    empty = play(NOTHING, proxy, "")[0]
    widths = WIDTHS[:2] if server.startswith("airflow_3") and os.environ.get("DATABASE") != "postgresql" else WIDTHS
    took = {width: [] for width in widths}
    for number in range(ROUNDS):
        for width in widths:
            took[width].append(play(MANY_RUNS.replace("PARALLEL", str(width)), proxy, f"{key}-{width}-{number}")[0] - empty)
    least = statistics.median(took[1])
    print(f"{server:<16}" + "".join(f"{statistics.median(took[width]) / least:>8.2f}" for width in widths) + f"   {1000 * least / MANY:.0f} ms")
    print(json.dumps(dict(server=server, took=took)), file=sys.stderr)


def late(proxy, server):
    """Seconds from the end of a run, as the server's database has it, to the end of the task."""
    if os.environ.get("DATABASE") == "postgresql":
        sys.exit("late: on the servers of tests/servers only")
    took = {"ours": [], "uri": [], **({"address": []} if server.startswith("airflow_3") else {})}
    for number in range(ROUNDS):
        for way, lateness in took.items():
            key, told = f"late-{time.time_ns()}-{number}-{way}", []
            if way == "address":
                over = own_address(proxy, key)
            else:
                play(OURS_LATE if way == "ours" else uri_late(server, key), proxy, key, told)
                over = float(re.search(r"over at ([\d.]+)", told[0]).group(1))
            lateness.append(over - ended(server, key))
    ours, uri, *own = (statistics.median(lateness) for lateness in took.values())
    print(f"{server:<16}{ours / uri:>8.2f}   {ours:.2f} s / {uri:.2f} s{''.join(f'; Airflow 3 itself {one:.2f} s' for one in own)}")
    print(json.dumps(dict(server=server, took=took)), file=sys.stderr)


def own_address(proxy, key):
    """When the address of Airflow 3 that waits for the end of a run has answered."""
    token = requests.post(f"{proxy.url}/auth/token", json=dict(username="admin", password=PASSWORD), timeout=60).json()["access_token"]
    headers, runs = dict(Authorization=f"Bearer {token}"), f"{proxy.url}/api/v2/dags/test_slow/dagRuns"
    requests.post(runs, json=dict(dag_run_id=key, logical_date=None, conf=dict(seconds=5)), headers=headers, timeout=60).raise_for_status()
    requests.get(f"{runs}/{key}/wait", params=dict(interval=1), headers=headers, timeout=600).raise_for_status()
    return time.time()


def ended(server, run_id):
    with contextlib.closing(sqlite3.connect(f"file:{ROOT}/.servers/{server}/airflow.db?mode=ro", uri=True, timeout=60)) as database:
        ((date,),) = database.execute("select end_date from dag_run where run_id = ?", (run_id,))
    return datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc).timestamp()


def airflow_command(server, key, count):
    """Seconds a run of Airflow's own command on the master."""
    home = ROOT / ".servers" / server
    words = ["trigger_dag"] if server == "airflow_1_10" else ["dags", "trigger"]
    start = time.monotonic()
    for number in range(count):
        command = [
            sys.executable,
            home / "control.py",
            home / "server.json",
            "run",
            "airflow",
            *words,
            "test_paused",
            "--run_id" if len(words) == 1 else "--run-id",
        ]
        subprocess.run([*command, f"{key}-command-{number}"], check=True, capture_output=True, env=ENVIRONMENT)
    return (time.monotonic() - start) / count


ROWS = {
    "one": (one_run, f"one new run, {ROUNDS} rounds in turn: airflow_dag_trigger / ansible.builtin.uri", f"{'wall':>8}{'CPU':>8}   requests"),
    "loop": (loop, "a loop of 100 new runs, as modules / in the worker", f"{'CPU':>8}   requests"),
    "many": (
        many,
        f"{MANY} new runs in one task / bare POSTs; a loop of ours, of uri, and Airflow's command / that task",
        f"{'bare':>8}{'loop':>8}{'uri':>8}{'airflow':>8}   a run",
    ),
    "late": (
        late,
        f"after the end of a run of 5 s, {ROUNDS} rounds in turn: airflow_dag_trigger with wait / ansible.builtin.uri with until",
        f"{'late':>8}   seconds",
    ),
    "parallel": (
        parallel,
        f"{MANY} new runs in one task by max_parallel, {ROUNDS} rounds in turn, / max_parallel 1",
        "".join(f"{width:>8}" for width in WIDTHS) + "   a run at 1",
    ),
}


def main():
    for row in WANTED or ROWS:
        measure, title, head = ROWS[row]
        print(f"{title}\n{'server':<16}{head}")
        for server in os.environ.get("SERVER", "").split() or URI:
            with address(server) as there, Proxy(there) as proxy:
                measure(proxy, server)


@contextlib.contextmanager
def address(server):
    if os.environ.get("DATABASE") != "postgresql":
        yield f"127.0.0.1:{(ROOT / '.servers' / f'{server}.port').read_text().strip()}"
        return
    venv = pathlib.Path(json.loads((ROOT / ".servers" / server / "server.json").read_text())["bin"]).parent
    control.SERVERS[server] = dict(venv=str(venv), rest={})
    with tempfile.TemporaryDirectory() as folder, postgres.database() as database, postgres.airflow(server, pathlib.Path(folder), database) as rest:
        yield rest["api_url"].partition("://")[2]


if __name__ == "__main__":
    main()
