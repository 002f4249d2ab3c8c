# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DAG that runs itself again when its check fails. For Airflow 1.10, 2 and 3.

    from airflow_dag_retry import retry_on_failure

    with DAG(...):
        work >> check
        retry_on_failure(check=check)

Written by the role dagops.airflow.airflow_dag_retry, whose documentation says more.

``python airflow_dag_retry.py`` reads address, credentials and Airflow's major version as JSON on standard input, and tries them.
"""

import hashlib
import json
import re
import sys
import time
from datetime import datetime, timezone
from urllib.parse import quote

LONGEST_RUN_ID = 250
DIGITS = 4  # of an attempt
TIMEOUT = 30
FAILED = {"failed", "upstream_failed"}
# By Airflow's major version: where runs are, how their ids and dates are called, what is answered to an id that is taken, and who may call
REST = {
    1: dict(runs="/api/experimental/dags/{}/dag_runs", key="run_id", taken=400, proof="/api/experimental/test"),
    2: dict(runs="/api/v1/dags/{}/dagRuns", key="dag_run_id", taken=409, date="logical_date", proof="/api/v1/dags?limit=1"),
    3: dict(runs="/api/v2/dags/{}/dagRuns", key="dag_run_id", taken=409, date="logical_date", proof="/api/v2/dags?limit=1", token="/auth/token"),
}


class Trouble(Exception):
    """A sentence for whoever reads the task's log. ``sent`` is false where it is certain that the server did not get the request."""

    sent = True


class Unknown(Trouble):
    """Whether the attempt was started cannot be told."""


def retry_on_failure(check, max_attempts=2, delay=0, dag_id=None, connection_id="airflow_api", variables=None, api_url=None, **task):
    """Add the task that starts the next attempt of a run whose check failed, or could not be made because what it waits for failed.

    :param check: the checking task, or its id.
    :param max_attempts: how many runs there are at most, with the first.
    :param delay: seconds, or a timedelta, from the failure to the next attempt.
    :param dag_id: another DAG to run in place of this one.
    :param connection_id: the Airflow Connection with the API's address and credentials.
    :param variables: in its place the name of two Airflow Variables, ``<name>_username`` and ``<name>_password``; wants api_url.
    :param task: what else the task shall have, such as task_id (retry_on_failure), retries, pool.
    """
    delay = getattr(delay, "total_seconds", lambda: float(delay))()
    if max_attempts < 1 or delay < 0:
        raise ValueError("retry_on_failure: max_attempts counts the first run too and is at least 1, delay is at least 0")
    if variables and not api_url:
        raise ValueError("retry_on_failure: two Variables hold no address, give api_url")
    if generation() == 1:
        from airflow.operators.python_operator import PythonOperator

        task["provide_context"] = True
    elif generation() == 2:
        from airflow.operators.python import PythonOperator
    else:
        from airflow.providers.standard.operators.python import PythonOperator
    check = getattr(check, "operator", check)  # of a function with @task
    if not isinstance(check, str):
        task.setdefault("dag", check.dag)
    task.setdefault("task_id", "retry_on_failure")
    task.setdefault("execution_timeout", None)  # that of the DAG's own tasks may be shorter than the delay
    words = dict(
        max_attempts=max_attempts, delay=delay, dag_id=dag_id, connection_id=None if variables else connection_id, variables=variables, api_url=api_url
    )
    words["check"] = check if isinstance(check, str) else check.task_id
    last = PythonOperator(trigger_rule="all_done", python_callable=last_task, op_kwargs=dict(retry=words), **task)
    last.set_upstream(last.dag.get_task(words["check"]))
    return last


def generation():
    import airflow

    return int(airflow.__version__.split(".")[0])


def last_task(retry, **context):
    """What the task does: fails, whether or not it could start another attempt, unless the check is content."""
    from airflow.exceptions import AirflowException, AirflowFailException

    run, other = context["dag_run"], retry["dag_id"]
    states = check_states(retry["check"], context)
    print("The check {} is {}".format(retry["check"], ", ".join(sorted(states)) or "without a state"))
    if not states & FAILED:
        return
    first, number = first_and_number(run.run_id)
    failed = "attempt {} of {} failed".format(number, retry["max_attempts"])
    if number >= retry["max_attempts"]:
        attempts = [first] + [attempt_id(first, one) for one in range(2, number + 1)]
        if number > 10:
            attempts[2:-1] = ["..."]
        raise AirflowFailException("{}, and no other is made: {}".format(failed, ", ".join(attempts)))
    again = attempt_id(first, number + 1)
    time.sleep(retry["delay"])
    try:
        told = start(Api(generation(), *access(retry)).log_in(), other or context["dag"].dag_id, again, run)
    except Unknown as exc:
        text = f"{failed}, and whether {again} was started cannot be told: {exc}. Clear this task once the master is well, that starts no second one"
        raise AirflowException(text) from None
    except Trouble as exc:  # Airflow's own retries of this task, where it has some, try that again
        raise AirflowException(f"{failed}, and {again} was not started: {exc}") from None
    raise AirflowFailException("{}, {} {}{}".format(failed, told, again, " of the DAG " + other if other else ""))


def check_states(check, context):
    """Of the check in this run; a mapped one has several. Tasks of Airflow 3 have no database."""
    run = context["dag_run"]
    if hasattr(run, "get_task_instances"):
        states = [one.state for one in run.get_task_instances() if one.task_id == check]
    else:
        states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, task_ids=[check], run_ids=[run.run_id]).get(run.run_id, {}).values()
    return {str(getattr(state, "value", state)) for state in states}


def first_and_number(run_id):
    """Of an attempt: the id of the first one, and which this is."""
    match = re.match(r"retry__(.+)__([1-9][0-9]{0,3})\Z", run_id)
    return (match.group(1), int(match.group(2))) if match else (run_id, 1)


def attempt_id(first, number):
    """By the rule of the module airflow_dag_trigger, so that all who think they must start an attempt start the same."""
    room = LONGEST_RUN_ID - len("retry____") - DIGITS
    if len(first) > room:
        digest = hashlib.sha256(first.encode()).hexdigest()[:16]
        first = f"{first[: room - len(digest) - 1]}~{digest}"
    return f"retry__{first}__{number}"


def access(retry):
    """Address, user and password."""
    if generation() == 3:
        from airflow.sdk import Connection, Variable

        connection = Connection.get
    else:
        from airflow.models import Variable

        if generation() == 2:
            from airflow.hooks.base import BaseHook
        else:
            from airflow.hooks.base_hook import BaseHook
        connection = BaseHook.get_connection
    if retry["variables"]:
        return (retry["api_url"], *(Variable.get("{}_{}".format(retry["variables"], what)) for what in ("username", "password")))
    there = connection(retry["connection_id"])
    return retry["api_url"] or address(there), there.login or "", there.password or ""


def address(there):
    """Of a Connection, as Airflow's own HTTP hook reads it."""
    scheme, between, host = (there.host or "").rpartition("://")
    if not between:
        scheme = there.schema or (there.conn_type if there.conn_type in ("http", "https") else "http")
        host = f"[{host}]" if host.count(":") > 1 and host[:1] != "[" else host
    name, slash, path = host.partition("/")
    if there.port and not re.search(r":[0-9]+\Z", name):
        name = f"{name}:{there.port}"
    return f"{scheme}://{name}{slash}{path}"


def start(api, dag_id, run_id, run):
    """Start the next attempt of a run, once: after any answer but a clear yes or no it is looked for, and only then judged."""
    row = REST[api.major]
    path = row["runs"].format(quote(dag_id, safe=""))
    body = {row["key"]: run_id, "conf": run.conf or {}}
    ends = {name: getattr(run, name, None) for name in ("data_interval_start", "data_interval_end")}
    if "date" not in row:
        body["replace_microseconds"] = "false"  # its date is now, to the microsecond
    elif all(ends.values()):
        body.update({name: date.isoformat() for name, date in ends.items()})
    if getattr(run, "partition_key", None) is not None:  # Airflow 3.2 and newer
        body["partition_key"] = run.partition_key
    unknown = False
    for left in (2, 1, 0):  # tries
        if "date" in row:
            body[row["date"]] = datetime.now(timezone.utc).isoformat()
        try:
            status, answer = api.call("POST", path, body)
        except Trouble as exc:
            status, trouble, sent = 0, exc, exc.sent
        else:
            sent = True
            if status < 300 and isinstance(answer, dict) and answer.get(row["key"]) == run_id:
                return "started"
            trouble = Trouble(api.refusal("POST", path, status, answer))
        if status not in (0, row["taken"]) and status < 500:
            break
        there = is_there(api, path, run_id)
        if there:
            return "somebody else had started" if status == row["taken"] else "started"
        unknown = there is None and (sent or unknown)
        if there is None and not sent:
            break  # nobody answers, and each try costs twice the time-out where a firewall drops it
        time.sleep(left)  # its date was taken, or the server is not well
    raise Unknown(str(trouble)) if unknown else trouble


def is_there(api, path, run_id):
    """None where the server does not say."""
    one = "" if api.major == 1 else "/" + quote(run_id, safe="")  # 1.10 knows no run by its id
    try:
        status, answer = api.call("GET", path + one)
    except Trouble:
        return None
    if status not in (200, 404):
        return None
    rows = answer if isinstance(answer, list) else [answer]
    return any(isinstance(row, dict) and row.get(REST[api.major]["key"]) == run_id for row in rows)


class Api:
    """The REST API of the master, which shows in the log what it is asked and what it answers."""

    def __init__(self, major, url, user, password):
        self.major, self.url, self.user, self.password = major, url.rstrip("/"), user, password
        self.token = None

    def log_in(self):
        path = REST[self.major].get("token")
        if path:
            status, answer = self.exchange("POST", path, dict(username=self.user, password=self.password))
            self.token = answer.get("access_token") if isinstance(answer, dict) else None
            if not self.token:
                raise Trouble(self.refusal("POST", path, status, answer))
        return self

    def call(self, method, path, body=None):
        """Status, and what the answer is as JSON, or its text."""
        status, answer = self.exchange(method, path, body)
        told = {name: value for name, value in answer.items() if name != "conf"} if isinstance(answer, dict) else answer
        print(f"{method} {self.url}{path}: {status} {json.dumps(told)[:1000]}")
        return status, answer

    def exchange(self, method, path, body=None):
        import requests  # which Airflow brings

        try:
            answer = requests.request(method, self.url + path, json=body, auth=self.authorise, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as exc:
            trouble = Trouble(f"{self.url}{path} cannot be asked: {exc}. Is the master up, and its port open to this host?")
            unsent = (requests.ConnectTimeout, requests.exceptions.SSLError, ValueError)  # the last one: an address that is none
            trouble.sent = not isinstance(exc, unsent) and "NewConnectionError" not in repr(exc)
            raise trouble from None
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, answer.text

    def authorise(self, request):
        from requests.auth import HTTPBasicAuth

        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        elif "token" not in REST[self.major]:
            HTTPBasicAuth(self.user.encode(), self.password.encode())(request)
        return request

    def refusal(self, method, path, status, answer):
        asked = f"{method} {self.url}{path}"
        if status in (401, 403):
            return f"{asked}: the user {self.user!r} was refused ({status}): his password is wrong, or he may not do that"
        if status < 300:
            return f"{asked} was answered {status} by something that is not Airflow's API: {json.dumps(answer)[:300]}"
        return f"{asked} was answered {status}: {json.dumps(answer)[:1000]}"


def prove(major, url, user, password):
    """That this host may call the API: an answer as Airflow gives it."""
    api = Api(major, url, user, password).log_in()
    status, answer = api.call("GET", REST[major]["proof"])
    if status != 200 or not isinstance(answer, dict) or not {"status", "dags"} & set(answer):
        raise Trouble(api.refusal("GET", REST[major]["proof"], status, answer))


if __name__ == "__main__":
    try:
        prove(**json.load(sys.stdin))
    except Trouble as exc:
        sys.exit(str(exc))
