"""The DAGs of the tests: one file for Airflow 1.10, 2 and 3."""

import time
from datetime import datetime

import airflow

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
SCHEDULE = {"schedule_interval": None} if GENERATION == 1 else {"schedule": None}
CONTEXT = {"provide_context": True} if GENERATION == 1 else {}


def succeed(dag_run, **context):
    return dict(dag_run.conf or {})


def fail(**context):
    raise RuntimeError("this task fails on purpose")


def slow(dag_run, **context):
    time.sleep(float((dag_run.conf or {}).get("seconds", 20)))


def dag(dag_id, function, paused=False):
    with DAG(dag_id, start_date=datetime(2020, 1, 1), catchup=False, max_active_runs=16, is_paused_upon_creation=paused, **SCHEDULE) as made:
        PythonOperator(task_id="work", python_callable=function, **CONTEXT)
    return made


test_ok = dag("test_ok", succeed)
test_fail = dag("test_fail", fail)
test_slow = dag("test_slow", slow)
test_paused = dag("test_paused", succeed, paused=True)  # where runs are counted: none of them costs a task
load_sales = dag("load_sales", succeed)  # of the modules' examples
