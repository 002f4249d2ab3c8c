# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._actions.dag_run_info import DAG_RUN_INFO
from ansible_collections.dagops.airflow.plugins.plugin_utils._worker import WorkerAction


class ActionModule(WorkerAction):
    what = DAG_RUN_INFO
