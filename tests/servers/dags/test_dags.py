"""The DAGs of the tests: one file for Airflow 1.10, 2 and 3."""

import os
import tempfile
import time
from datetime import datetime

import airflow

GENERATION = int(airflow.__version__.split(".", maxsplit=1)[0])
if GENERATION == 3:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG, Param
else:
    from airflow import DAG

    if GENERATION == 2:
        from airflow.models.param import Param
        from airflow.operators.python import PythonOperator
    else:
        from airflow.operators.python_operator import PythonOperator
SCHEDULE = {"schedule_interval": None} if GENERATION == 1 else {"schedule": None}
CONTEXT = {"provide_context": True} if GENERATION == 1 else {}


def succeed(dag_run, **context):
    return dict(dag_run.conf or {})


def fail(**context):
    raise RuntimeError("this task fails on purpose")


def slow(dag_run, **context):
    time.sleep(float((dag_run.conf or {}).get("seconds", 20)))


def fail_unless_told(dag_run, **context):
    """Fails once per run: the second time the file that the first one left is there."""
    mark = os.path.join(tempfile.gettempdir(), "test_fails_once-" + dag_run.conf["mark"])
    if not os.path.exists(mark):
        with open(mark, "w"):
            raise RuntimeError("this task fails the first time")
    os.remove(mark)


def dag(dag_id, function, paused=False, then="", **more):
    with DAG(dag_id, start_date=datetime(2020, 1, 1), catchup=False, max_active_runs=16, is_paused_upon_creation=paused, **SCHEDULE, **more) as made:
        work = PythonOperator(task_id="work", python_callable=function, **CONTEXT)
        if then:
            work >> PythonOperator(task_id=then, python_callable=succeed, **CONTEXT)
    return made


test_ok = dag("test_ok", succeed)
test_fail = dag("test_fail", fail)
test_slow = dag("test_slow", slow)
test_paused = dag("test_paused", succeed, paused=True)  # where runs are counted: none of them costs a task
test_cut_off = dag("test_cut_off", slow, then="after")
test_explain = dag("test_explain", fail, then="after")
test_unpause = dag("test_unpause", succeed, paused=True)
test_held = dag("test_held", succeed, paused=True)  # whose runs are looked at and changed, and never start
test_window = dag("test_window", slow)  # which is paused and set going
test_other_window = dag("test_other_window", succeed)
test_fails_once = dag("test_fails_once", fail_unless_told)
if GENERATION > 1:
    test_params = dag("test_params", succeed, paused=True, params={"who": Param(type="string"), "n": Param(3, type="integer")})
load_sales = dag("load_sales", succeed)  # of the modules' examples
