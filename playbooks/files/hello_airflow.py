"""A small DAG to try: it greets whoever its conf names. One file for Airflow 1.10, 2 and 3."""

from datetime import datetime

from airflow import __version__

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG
try:
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:
    from airflow.operators.python_operator import PythonOperator


def greet(dag_run, **context):
    whom = (dag_run.conf or {}).get("whom", "world")
    print(f"Hello, {whom}!")
    return whom


with DAG("hello_airflow", start_date=datetime(2020, 1, 1), catchup=False, is_paused_upon_creation=False) as dag:
    # Airflow 1.10 hands over the context only where it is told to; later ones always do, and know no such word
    PythonOperator(task_id="greet", python_callable=greet, **({"provide_context": True} if __version__.startswith("1.") else {}))
