# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unit tests of airflow_dag_retry.py, run by each Airflow's own Python, with Airflow's own exceptions and requests: ``python dag_retry_units.py FILE``.

Stand-ins are there only for the master and for a run.
"""

import contextlib
import http.server
import importlib.util
import io
import json
import sys
import threading
import types
import unittest
from datetime import datetime, timezone

from airflow.exceptions import AirflowException, AirflowFailException

spec = importlib.util.spec_from_file_location("airflow_dag_retry", sys.argv.pop())
retry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(retry)
MAJOR = retry.generation()
ROW = retry.REST[MAJOR]
RUNS = ROW["runs"].format("d")
LOST = object()


class Master:
    """Answers what it is told to, one after the other, and remembers what it was asked."""

    def __init__(self, *answers):
        self.asked, answers = [], list(answers)
        master = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
                if self.path == ROW.get("token") and master.token:
                    self.tell(201, dict(access_token="t"))
                    return
                master.asked.append((self.command, self.path, body))
                told = answers.pop(0)
                told = told(body) if callable(told) else told
                if told is LOST:
                    self.close_connection = True
                else:
                    self.tell(*told)

            do_GET = do_POST

            def tell(self, status, body):
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *words):
                pass

        self.token = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def made(body):
    return 200, {ROW["key"]: body[ROW["key"]], "conf": body["conf"]}


def there(run_id):
    return 200, [{"run_id": "another"}, {"run_id": run_id}] if MAJOR == 1 else {ROW["key"]: run_id}


ABSENT = (200, []) if MAJOR == 1 else (404, {"detail": "DAGRun not found"})
TAKEN = (ROW["taken"], {"error": "already exists"})
START, END = (datetime(2026, 11, day, tzinfo=timezone.utc) for day in (24, 25))


CONF = {"a": [1, {"b": None}]}


class Run:
    conf = CONF
    data_interval_start, data_interval_end = START, END

    def __init__(self, run_id, state):
        self.run_id = run_id
        self.states = [state] if isinstance(state, str) or state is None else state

    if MAJOR < 3:

        def get_task_instances(self):
            return [types.SimpleNamespace(task_id=name, state=state) for state in self.states for name in ("check", "work")]


class Tests(unittest.TestCase):
    def play(self, *answers, run_id="x", state="failed", token=True, **words):
        """What the task printed, what it raised, and what the master was asked."""
        master, out = Master(*answers), io.StringIO()
        master.token = token
        self.addCleanup(master.close)
        run = Run(run_id, state)
        words = dict(dict(check="check", max_attempts=2, delay=0, dag_id=None, connection_id="c", variables=None, api_url=None), **words)
        ti = types.SimpleNamespace(get_task_states=lambda dag_id, task_ids, run_ids: {run_ids[0]: {str(n): s for n, s in enumerate(run.states)}})
        before, retry.time = (retry.access, retry.time), types.SimpleNamespace(sleep=lambda seconds: None)
        retry.access = lambda words: (words["api_url"] or master.url, "u", "s3cret")
        raised = None
        try:
            with contextlib.redirect_stdout(out):
                retry.last_task(words, dag_run=run, dag=types.SimpleNamespace(dag_id="d"), ti=ti)
        except AirflowException as exc:
            raised = exc
        finally:
            retry.access, retry.time = before
        self.assertNotIn("s3cret", out.getvalue() + str(raised))
        return out.getvalue(), raised, master.asked

    def test_what_did_not_fail_is_left_alone(self):
        for state in ("success", "skipped", None):
            out, raised, asked = self.play(state=state)
            self.assertIsNone(raised)
            self.assertEqual(asked, [])
            self.assertIn(f"The check check is {state}", out)

    def test_the_next_attempt_is_started_and_the_task_fails(self):
        for state in ("failed", "upstream_failed", ["success", "failed"]):
            out, raised, asked = self.play(made, state=state)
            self.assertIs(type(raised), AirflowFailException)
            self.assertEqual(str(raised), "attempt 1 of 2 failed, started retry__x__2")
            ((method, path, body),) = asked
            self.assertEqual((method, path, body["conf"], body[ROW["key"]]), ("POST", RUNS, CONF, "retry__x__2"))
            if MAJOR == 1:
                self.assertEqual(sorted(body), ["conf", "replace_microseconds", "run_id"])
            else:
                self.assertEqual((body["data_interval_start"], body["data_interval_end"]), (START.isoformat(), END.isoformat()))
                self.assertLess(abs((datetime.now(timezone.utc) - datetime.fromisoformat(body["logical_date"])).total_seconds()), 60)
            self.assertIn(f"{RUNS}: 200 ", out)

    def test_the_number_goes_on_and_comes_to_an_end(self):
        first = "scheduled__2026-11-25T00:00:00+00:00"
        self.assertIn(f"attempt 2 of 3 failed, started retry__{first}__3", str(self.play(made, run_id=f"retry__{first}__2", max_attempts=3)[1]))
        raised, asked = self.play(run_id=f"retry__{first}__3", max_attempts=3)[1:]
        self.assertIs(type(raised), AirflowFailException)
        self.assertEqual(str(raised), f"attempt 3 of 3 failed, and no other is made: {first}, retry__{first}__2, retry__{first}__3")
        self.assertEqual(asked, [])

    def test_another_dag(self):
        raised, asked = self.play(made, dag_id="e/f")[1:]
        self.assertEqual(str(raised), "attempt 1 of 2 failed, started retry__x__2 of the DAG e/f")
        self.assertEqual(asked[0][1], ROW["runs"].format("e%2Ff"))

    def test_somebody_else_was_first(self):
        self.assertEqual(str(self.play(TAKEN, there("retry__x__2"))[1]), "attempt 1 of 2 failed, somebody else had started retry__x__2")

    def test_an_answer_is_lost_and_the_run_is_there(self):
        for lost in (LOST, (500, "<html>"), (502, "<html>")):
            raised, asked = self.play(lost, there("retry__x__2"))[1:]
            self.assertEqual(str(raised), "attempt 1 of 2 failed, started retry__x__2")
            self.assertEqual([one[0] for one in asked], ["POST", "GET"])

    def test_an_answer_is_lost_and_the_run_is_not_there(self):
        raised, asked = self.play(LOST, ABSENT, made)[1:]
        self.assertEqual(str(raised), "attempt 1 of 2 failed, started retry__x__2")
        self.assertEqual([one[0] for one in asked], ["POST", "GET", "POST"])

    def test_an_answer_is_lost_and_nobody_tells_what_came_of_it(self):
        raised, asked = self.play(*(LOST, (503, "busy")) * 3)[1:]
        self.assertIs(type(raised), AirflowException)
        self.assertIn("attempt 1 of 2 failed, and whether retry__x__2 was started cannot be told: http://127.0.0.1", str(raised))
        self.assertEqual([one[0] for one in asked], ["POST", "GET"] * 3)
        self.assertEqual(str(self.play(LOST, (503, "busy"), LOST, there("retry__x__2"))[1]), "attempt 1 of 2 failed, started retry__x__2")

    def test_a_partition_is_passed_on(self):
        if MAJOR == 3:
            self.addCleanup(setattr, Run, "partition_key", None)
            Run.partition_key = "north"
            self.assertEqual(self.play(made)[2][0][2]["partition_key"], "north")

    def test_something_answers_that_is_no_airflow(self):
        for page in ((200, "<html>log in</html>"), (200, {"run": "of the mill"}), (200, [1]), (302, "")):
            raised, asked = self.play(page)[1:]
            self.assertIs(type(raised), AirflowException)
            self.assertIn("attempt 1 of 2 failed, and retry__x__2 was not started: POST http://127.0.0.1", str(raised))
            self.assertEqual(len(asked), 1)
        self.assertIn("by something that is not Airflow's API", str(self.play((200, "<html>"))[1]))

    def test_refused(self):
        for status in (401, 403):
            raised = self.play((status, "Forbidden"), token=False)[1]
            self.assertIs(type(raised), AirflowException)
            self.assertIn(f"the user 'u' was refused ({status}): his password is wrong, or he may not do that", str(raised))

    def test_nobody_listens(self):
        exchange, asked = retry.Api.exchange, []
        self.addCleanup(setattr, retry.Api, "exchange", exchange)
        retry.Api.exchange = lambda api, method, *words: asked.append(method) or exchange(api, method, *words)
        raised = self.play(api_url="http://127.0.0.1:9")[1]
        self.assertEqual(asked, ["POST"] if MAJOR == 3 else ["POST", "GET"])  # on 3 it cannot log in
        self.assertIs(type(raised), AirflowException)
        self.assertIn("was not started: http://127.0.0.1:9", str(raised))
        self.assertIn("Is the master up, and its port open to this host?", str(raised))

    def test_a_dag_says_it_in_one_line(self):
        if MAJOR == 3:
            from airflow.providers.standard.operators.empty import EmptyOperator
            from airflow.sdk import DAG
        elif MAJOR == 2:
            from airflow import DAG
            from airflow.operators.empty import EmptyOperator
        else:
            from airflow import DAG
            from airflow.operators.dummy_operator import DummyOperator as EmptyOperator
        with DAG("d", start_date=datetime(2026, 1, 1)) as dag:
            check = EmptyOperator(task_id="check")
            last = retry.retry_on_failure(check=check, max_attempts=3, delay=2)
            self.assertEqual(last.upstream_task_ids, {"check"})
            self.assertEqual(str(getattr(last.trigger_rule, "value", last.trigger_rule)), "all_done")
            self.assertEqual(retry.retry_on_failure("check", task_id="again").upstream_task_ids, {"check"})
        self.assertEqual(retry.retry_on_failure(check=check, task_id="outside").dag, dag)
        for wrong in (dict(max_attempts=0), dict(delay=-1), dict(variables="v")):
            with self.assertRaises(ValueError):
                retry.retry_on_failure(check=check, **wrong)

    def test_the_prove(self):
        for answer, says in (((200, {"status": "OK", "dags": []}), ""), ((403, "Forbidden"), "was refused (403)"), ((200, "<html>"), "is not Airflow's API")):
            master = Master(answer)
            self.addCleanup(master.close)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    retry.prove(MAJOR, master.url, "u", "p")
                self.assertEqual(says, "")
            except retry.Trouble as exc:
                self.assertIn(says or "nothing", str(exc))


if __name__ == "__main__":
    unittest.main()
