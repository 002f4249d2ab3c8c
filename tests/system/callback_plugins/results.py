# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of the tests: writes each result as a line of JSON to the file RESULTS, with what the database COUNTED held before and after it.

COUNTED is ``file table table ...``: an SQLite database.
"""

from __future__ import annotations

import collections
import json
import os
import sqlite3

from ansible.plugins.callback import CallbackBase


def counted():
    file, *tables = os.environ["COUNTED"].split()
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        return {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}
    finally:
        database.close()


def host(result):
    return (getattr(result, "host", None) or result._host).get_name()


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "results"

    def __init__(self):
        super().__init__()
        self.before: dict[str, int] | None = None
        self.items: dict[str, list[bool]] = collections.defaultdict(list)  # by host: whether each item of the loop failed

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.before = counted() if "COUNTED" in os.environ else None

    def keep(self, result, failed=False):
        """Not every Ansible leaves ``failed`` in a result."""
        told = dict(getattr(result, "result", None) or result._result, failed=failed)
        items = self.items.pop(host(result), [])
        if items:
            told["results"] = [dict(item, failed=bad) for item, bad in zip(told["results"], items, strict=True)]
        task = getattr(result, "task", None) or result._task
        if not {"results", "ansible_loop_var"} & set(told) or "results" in told:
            after = counted() if "COUNTED" in os.environ else None
            line = dict(task=task.get_name(), result=told, before=self.before, after=after)
            with open(os.environ["RESULTS"], "a", encoding="utf-8") as file:
                file.write(json.dumps(line, default=str) + "\n")

    v2_runner_on_ok = keep

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.keep(result, failed=True)

    v2_runner_on_unreachable = v2_runner_on_failed

    def v2_runner_item_on_ok(self, result):
        self.items[host(result)].append(False)

    v2_runner_item_on_skipped = v2_runner_item_on_ok

    def v2_runner_item_on_failed(self, result):
        self.items[host(result)].append(True)
