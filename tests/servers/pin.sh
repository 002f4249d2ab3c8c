#!/bin/sh
# pin.sh FILE REQUIREMENT...: pins anew what a server of this collection is installed from, for every Python that this Airflow supports.
# What FILE pins already stays as it is where that is possible. Wants uv. The three files were made by
#   PYTHON=3.7.1 BUILD=roles/airflow_server/files/build-1.10.15.txt \
#     tests/servers/pin.sh roles/airflow_server/files/requirements-1.10.15.txt 'apache-airflow[password]==1.10.15' 'sqlalchemy<1.4' psycopg2-binary
#   PYTHON=3.10 tests/servers/pin.sh roles/airflow_server/files/requirements-2.11.2.txt apache-airflow==2.11.2 apache-airflow-providers-fab psycopg2-binary
#   PYTHON=3.11 tests/servers/pin.sh roles/airflow_server/files/requirements-3.3.2.txt \
#     apache-airflow==3.3.2 apache-airflow-providers-fab==3.10.2 psycopg2-binary asyncpg
set -eu
file=$1
shift
printf '%s\n' "$@" | uv pip compile --quiet --universal --fork-strategy requires-python --python-version "$PYTHON" ${BUILD:+--build-constraints "$BUILD"} \
  --no-annotate --no-header --no-emit-index-url --output-file "$file" -
