# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints docsite/rst/guide_support.rst from the dialects' tables: what works on which Airflow. A test compares."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._dialects.python import PYTHON
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.registry import NEWEST_FIRST
from ansible_collections.dagops.airflow.plugins.module_utils._resources.connection import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.pool import POOL
from ansible_collections.dagops.airflow.plugins.module_utils._resources.user import USER
from ansible_collections.dagops.airflow.plugins.module_utils._resources.variable import VARIABLE

MODULES = {
    "airflow_api_user": USER,
    "airflow_connection": CONNECTION,
    "airflow_dag": DAG,
    "airflow_dag_run": DAG_RUN,
    "airflow_dag_trigger": DAG_RUN,
    "airflow_pool": POOL,
    "airflow_variable": VARIABLE,
}
# What a module does with what is there, where that is not so everywhere.
DEEDS = {
    "airflow_dag": dict(update="paused and set going", delete="removed"),
    "airflow_dag_run": dict(update="cancelled, cleared, marked and noted", delete="deleted"),
}
HEAD = """..
  Copyright (c) 2026, dagops contributors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. _ansible_collections.dagops.airflow.docsite.guide_support:

What works on which Airflow
===========================

This page is printed from the tables that the modules work by.
"""


def limits(rules):
    """What one Airflow does not have, or has in one form only, in words."""
    words = [f"``{name}`` is refused: {why}" if why else f"``{name}`` is left out with a warning" for name, why in rules.lacks.items()]
    words += [f"``{name}`` needs Airflow {since}" for name, since in rules.since.items()]
    words += [f"``{name}`` can only be ``{value}``" for name, (value, why) in rules.fixed.items()]
    words += [f"a change of ``{name}`` holds after a restart" for name in rules.restarts]
    return words


def lacking(module, row):
    """Deeds that one Airflow cannot do."""
    return [f"it cannot be {deed}" for verb, deed in DEEDS.get(module, {}).items() if verb not in row.verbs]


def page():
    lines = [HEAD]
    for module, resource in MODULES.items():
        lines += [f":ansplugin:`dagops.airflow.{module}#module`", "-" * 60, ""]
        for dialect in (*NEWEST_FIRST, *PYTHON):
            row = dialect.rows.get(resource.kind)
            if row is not None:
                described = {name: "" for name in row.rules.lacks if resource.fields[name].describes}
                words = limits(row.rules._replace(lacks={**row.rules.lacks, **described})) if module not in DEEDS else lacking(module, row)
                lines.append(f"- {dialect.title}, through {dialect.client}" + (": " + "; ".join(words) + "." if words else "."))
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
