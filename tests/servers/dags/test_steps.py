"""A DAG whose runs are seen to move: one file for airflow 1.10, 2 and 3. It runs one task after the other, on 2 and 3 a mapped one among them.

conf: seconds, of each task; broken, the index of the piece that fails.
"""

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
PIECES = 3


class NoSales(Exception):
    """Its name does not say that it is an error."""


def step(index=-1, dag_run=None, **context):
    conf = dag_run.conf or {}
    time.sleep(float(conf.get("seconds", 1)))
    if index == conf.get("broken"):
        raise NoSales("no sales of piece %d" % index)


with DAG("test_steps", start_date=datetime(2020, 1, 1), catchup=False, max_active_runs=32, is_paused_upon_creation=False, **SCHEDULE) as test_steps:
    first = PythonOperator(task_id="extract", python_callable=step, **CONTEXT)
    last = PythonOperator(task_id="report", python_callable=step, **CONTEXT)
    if GENERATION == 1:
        pieces = [PythonOperator(task_id="load_%d" % number, python_callable=step, op_args=[number], **CONTEXT) for number in range(PIECES)]
    else:
        pieces = PythonOperator.partial(task_id="load", python_callable=step).expand(op_args=[[number] for number in range(PIECES)])
    first >> pieces >> last
