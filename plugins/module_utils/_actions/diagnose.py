# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a DAG cannot be run, as far as the server can tell. **PRIVATE** to the collection."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, ApiError
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG, IMPORT_ERROR

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context


def why_no_run(context: Context, exc: ApiError) -> AirflowError:
    """The sentence for a DAG that the server did not start; asked only when it did not."""
    dag_id = context.options["dag_id"]
    if exc.status not in (400, 404) or not isinstance(exc.details.get("body"), dict):  # a page is of somebody who knows no DAGs
        return exc
    try:
        dag = context.open(DAG, {}).read(dag_id) if context.connection.dialect.rows[DAG.kind].plural else None
        broken = dag and _import_error(context, dag.get("fileloc"))
        if broken and broken["stack_trace"]:
            last = broken["stack_trace"].strip().splitlines()[-1]
            return AirflowError(
                f"The file of the DAG {dag_id!r} cannot be imported: {last} (see import_error)", **exc.details, import_error=broken["stack_trace"]
            )
        refused = re.search(r"Invalid input for param (\S+): (.*?)(?: Failed validating.*)?(?: \(|$)", str(exc))
        if refused:
            return AirflowError(f"The DAG {dag_id!r} does not take this conf: {refused.group(1)}: {refused.group(2).strip()}", **exc.details)
        if exc.status != 404:
            return exc
        if not context.connection.dialect.rows[DAG.kind].plural:  # 1.10 lists no DAGs, but tells an unknown one from a broken one
            where = context.options["api_url"]
            return AirflowError(
                f"There is no DAG {dag_id!r} at {where} that can be run ({_said(exc)}): check dag_id, and that its file can be imported", **exc.details
            )
        if dag:
            return AirflowError(
                f"The DAG {dag_id!r} is known to Airflow, but its file is gone or broken: deploy it again, or see its import errors", **exc.details
            )
        return AirflowError(_unknown(context, dag_id), **exc.details)
    except AirflowError:  # of the questions: the first error tells more
        return exc


def _said(exc: ApiError) -> str:
    """The server's own words of the sentence."""
    return str(exc).partition(f"HTTP {exc.details.get('status', exc.status)}, ")[2] or str(exc)


def _import_error(context: Context, file: str | None) -> dict[str, t.Any] | None:
    if not file or IMPORT_ERROR.kind not in context.connection.dialect.rows:
        return None
    return of_file(file, context.open(IMPORT_ERROR, {}).find())


def of_file(file: str | None, errors: list[dict[str, t.Any]]) -> dict[str, t.Any] | None:
    """Airflow 2 tells whole paths, Airflow 3 those inside a bundle of DAGs."""
    return next((error for error in errors if file and error["filename"] and (file == error["filename"] or file.endswith("/" + error["filename"]))), None)


def _unknown(context: Context, dag_id: str) -> str:
    text = f"There is no DAG {dag_id!r} at {context.options['api_url']}: "
    near = difflib.get_close_matches(dag_id, [dag["dag_id"] for dag in context.open(DAG, {}).find()])
    if near:
        return text + f"is {' or '.join(near)} meant?"
    waited = context.options.get("wait_for_dag")
    hint = f"waited {waited:g} s (wait_for_dag)" if waited else "see wait_for_dag"
    return text + f"check dag_id; the file of a new DAG takes Airflow up to some minutes to see, {hint}" + _broken_files(context)


def _broken_files(context: Context) -> str:
    """A DAG whose file was never read well is not known; it may be in one of these."""
    errors = context.open(IMPORT_ERROR, {}).find()
    told = [f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in errors[:3] if error["stack_trace"]]
    return f"; files that cannot be imported: {'; '.join(told)}" if told else ""
