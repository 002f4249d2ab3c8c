# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task of ours costs, against what a user would write instead: both in turn, as the ratio of their medians.

benchmark.py [ROUNDS]: on every running server of tests/servers. Each round starts one new run both ways, as a playbook of one task.
Wall time and CPU time are those of the whole ansible-playbook; the requests are counted by a proxy between.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
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


class Counter(http.server.BaseHTTPRequestHandler):
    """Passes everything on, and counts."""

    protocol_version = "HTTP/1.1"
    target = ""
    count = 0

    def pass_on(self):
        type(self).count += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(self.target, timeout=60)
        connection.request(self.command, self.path, body, {name: value for name, value in self.headers.items() if name != "Host"})
        answer = connection.getresponse()
        text = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        connection.close()

    do_GET = do_POST = do_PATCH = do_DELETE = pass_on

    def log_message(self, *args):
        pass


def play(text, url, key):
    """Seconds of wall and CPU, and requests, of one playbook."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text.replace("URL", url).replace("KEY", key).replace("PASSWORD", PASSWORD))
        file.flush()
        Counter.count = 0
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([pathlib.Path(sys.executable).parent / "ansible-playbook", file.name], check=True, capture_output=True, env=ENVIRONMENT)
        after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return end - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, Counter.count


ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")} | {"ANSIBLE_LOCALHOST_WARNING": "false"}


def one_run(url, server):
    ours, theirs = [], []
    for number in range(ROUNDS):
        key = f"benchmark-{time.time_ns()}-{number}"
        ours.append(play(OURS, url, key))
        theirs.append(play(URI[server], url, key + "-uri"))
    wall, cpu = (statistics.median(one[i] for one in ours) / statistics.median(one[i] for one in theirs) for i in (0, 1))
    print(f"{server:<16}{wall:>8.2f}{cpu:>8.2f}   {ours[0][2]} / {theirs[0][2]}")
    print(json.dumps(dict(server=server, ours=ours, uri=theirs)), file=sys.stderr)


def loop(url, server):
    """What a loop adds to a play that does nothing: as modules, and in the worker."""
    empty = play(NOTHING, url, "")[1]
    key = f"benchmark-{time.time_ns()}"
    modules = play(LOOP.replace("ENVIRONMENT", "{ANY: thing}"), url, key)
    worker = play(LOOP.replace("ENVIRONMENT", "{}"), url, key + "-worker")
    print(f"{server:<16}{(modules[1] - empty) / (worker[1] - empty):>8.1f}   {modules[2]} / {worker[2]}")
    print(json.dumps(dict(server=server, modules=modules, worker=worker, empty=empty)), file=sys.stderr)


def main():
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{proxy.server_address[1]}"
    print(f"one new run, {ROUNDS} rounds in turn: airflow_dag_trigger / ansible.builtin.uri")
    print(f"{'server':<16}{'wall':>8}{'CPU':>8}   requests")
    for server in URI:
        Counter.target = address(server)
        one_run(url, server)
    print("a loop of 100 new runs, as modules / in the worker")
    print(f"{'server':<16}{'CPU':>8}   requests")
    for server in URI:
        Counter.target = address(server)
        loop(url, server)


def address(server):
    return f"127.0.0.1:{(ROOT / '.servers' / f'{server}.port').read_text().strip()}"


if __name__ == "__main__":
    main()
