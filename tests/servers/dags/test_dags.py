"""The DAGs of the tests: one file for Airflow 1.10, 2 and 3."""

import os
import tempfile
import time
from datetime import datetime

import airflow

GENERATION = int(airflow.__version__.split(".", maxsplit=1)[0])
if GENERATION == 3:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG, Param, PartitionedAtRuntime, Variable
else:
    from airflow import DAG
    from airflow.models import Variable

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


def fail_with_a_secret(**context):
    raise RuntimeError("the door says " + Variable.get("test_masked_secret"))


def piece(index, dag_run, ti, **context):
    """Told seconds, the last piece takes so long: once, for it leaves a file, with the number of its process, that says that it has begun."""
    begun = (dag_run.conf or {}).get("begun")
    if begun and index and not os.path.exists(begun):
        with open(begun + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(begun + ".new", begun)
        time.sleep(float(dag_run.conf["seconds"]))
    return [index, ti.try_number]


def fail_unless_told(dag_run, **context):
    """Fails once per run: the second time the file that the first one left is there."""
    mark = os.path.join(tempfile.gettempdir(), "test_fails_once-" + dag_run.conf["mark"])
    if not os.path.exists(mark):
        with open(mark, "w"):
            raise RuntimeError("this task fails the first time")
    os.remove(mark)


def dag(dag_id, function, paused=False, then="", **more):
    more = dict(SCHEDULE, **more)
    with DAG(dag_id, start_date=datetime(2020, 1, 1), catchup=False, max_active_runs=16, is_paused_upon_creation=paused, **more) as made:
        work = PythonOperator(task_id="work", python_callable=function, **CONTEXT)
        if then:
            work >> PythonOperator(task_id=then, python_callable=succeed, **CONTEXT)
    return made


test_ok = dag("test_ok", succeed)
test_fail = dag("test_fail", fail)
test_slow = dag("test_slow", slow)
test_paused = dag("test_paused", succeed, paused=True)  # where runs are counted: none of them costs a task
test_masked = dag("test_masked", fail_with_a_secret)
test_explain = dag("test_explain", fail, then="after")
test_unpause = dag("test_unpause", succeed, paused=True)
test_held = dag("test_held", succeed, paused=True)  # whose runs are looked at and changed, and never start
test_window = dag("test_window", slow)  # which is paused and set going
test_other_window = dag("test_other_window", succeed)
test_fails_once = dag("test_fails_once", fail_unless_told)
if GENERATION > 1:
    with dag("test_pieces", succeed) as test_pieces:
        pieces = PythonOperator.partial(task_id="piece", python_callable=piece).expand(op_args=[[0], [1]])
        test_pieces.get_task("work") >> pieces >> PythonOperator(task_id="after", python_callable=succeed)
    with dag("test_teardown", slow) as test_teardown:
        test_teardown.get_task("work") >> PythonOperator(task_id="teardown", python_callable=slow).as_teardown(setups=[])
    test_params = dag("test_params", succeed, paused=True, params={"who": Param(type="string"), "n": Param(3, type="integer")})
if GENERATION > 2:
    test_partitioned = dag("test_partitioned", succeed, paused=True, schedule=PartitionedAtRuntime())
load_sales = dag("load_sales", succeed)  # of the modules' examples
