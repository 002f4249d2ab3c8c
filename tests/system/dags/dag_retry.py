"""DAGs that run themselves again: one file for Airflow 1.10, 2 and 3. The test copies it to the servers."""

import importlib
from datetime import datetime, timedelta

import airflow
from airflow.exceptions import AirflowSkipException

importlib.invalidate_caches()  # the folder of plugins was made after this Airflow was started
from airflow_dag_retry import retry_on_failure

GENERATION = int(airflow.__version__.split(".", maxsplit=1)[0])
if GENERATION == 3:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG
else:
    from airflow import DAG

    if GENERATION == 2:
        from airflow.operators.python import PythonOperator
    else:
        from airflow.operators.python_operator import PythonOperator
CONTEXT = {"provide_context": True} if GENERATION == 1 else {}


def succeed(**context):
    print("conf", context["dag_run"].conf)


def fail(**context):
    raise RuntimeError("this task fails on purpose")


def fail_first(**context):
    if not context["dag_run"].run_id.startswith("retry__"):
        raise RuntimeError("the first attempt fails on purpose")


def fail_twice(**context):
    if not context["dag_run"].run_id.endswith("__3"):
        raise RuntimeError("the first two attempts fail on purpose")


def fail_one(index, **context):
    if index:
        fail_first(**context)


def skip(**context):
    raise AirflowSkipException("nothing to check")


def dag(name, check, work=succeed, schedule=None, last=1, pieces=(), **retry):
    when = {"schedule_interval" if GENERATION == 1 else "schedule": schedule}
    made = DAG("test_retry_" + name, start_date=datetime(2020, 1, 1), catchup=False, max_active_runs=4, is_paused_upon_creation=bool(schedule), **when)
    with made:
        working = PythonOperator(task_id="work", python_callable=work, **CONTEXT)
        if pieces:
            checking = PythonOperator.partial(task_id="check", python_callable=check).expand(op_args=[[piece] for piece in pieces])
        else:
            checking = PythonOperator(task_id="check", python_callable=check, **CONTEXT)
        working >> checking
        for number in range(last):
            retry_on_failure(check=checking if number else "check", task_id=f"last_{number}", **retry)
    return made


once = dag("once", fail_first)
always = dag("always", fail)
thrice = dag("thrice", fail_twice, max_attempts=3)
if GENERATION > 1:
    mapped = dag("mapped", fail_one, pieces=[0, 1])
fine = dag("fine", succeed)
skipped = dag("skipped", skip)
late = dag("late", succeed, work=fail_first, delay=timedelta(seconds=3))
two = dag("two", fail_first, last=2)
other = dag("other", fail, dag_id="test_retry_fine")
scheduled = dag("scheduled", fail_first, schedule="* * * * *")
held_up = dag("held_up", fail_first, connection_id="test_retry", retries=60, retry_delay=timedelta(seconds=3))


def run_again_by_hand(**context):
    """As people wrote it for Airflow 1.10, before there was this role."""
    import json

    import requests
    from airflow.configuration import conf
    from airflow.models import TaskInstance, Variable

    state = TaskInstance(context["dag"].get_task("check"), context["execution_date"]).current_state()
    if state == "failed":
        url = conf.get("webserver", "base_url") + "/api/experimental/dags/test_retry_by_hand/dag_runs"
        access = (Variable.get("test_retry_username"), Variable.get("test_retry_password"))
        print(requests.post(url, data=json.dumps("{}"), auth=access).text)
    else:
        print(state)


def fail_first_by_hand(**context):
    if not context["dag_run"].run_id.startswith("manual__"):
        raise RuntimeError("the first run fails on purpose")


if GENERATION == 1:
    with DAG("test_retry_by_hand", start_date=datetime(2020, 1, 1), catchup=False, schedule_interval=None, is_paused_upon_creation=False) as by_hand:
        work = PythonOperator(task_id="work", python_callable=succeed, **CONTEXT)
        check = PythonOperator(task_id="check", python_callable=fail_first_by_hand, **CONTEXT)
        work >> check >> PythonOperator(task_id="again", python_callable=run_again_by_hand, trigger_rule="all_done", **CONTEXT)
