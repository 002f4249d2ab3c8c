# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of module_utils/_actions/wait.py, under the same name."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description: Seconds to wait, see O(on_timeout).
    type: float
    default: 3600
  poll_interval:
    description: Seconds from one look at a run to the next. The first looks come sooner.
    type: float
    default: 10
  outage_timeout:
    description: Seconds for which the server may be away during the wait, because it is restarted for example, before the task fails. The run goes on.
    type: float
    default: 120
  on_timeout:
    description:
      - What to do when O(wait_timeout) is over before a run's end.
      - V(fail) fails the task, and the run goes on.
      - V(cancel) cancels the run, if this very task has started it, and fails the task. Airflow 2 and 3.
      - V(return) ends the task well, with C(timed_out) in its result, at which a pipeline must look. The run goes on.
    type: str
    choices: [fail, cancel, return]
    default: fail
  log_lines:
    description:
      - How many of the last lines of the log of each failed task to return. V(0) for none, and then the message gives no reasons. Airflow 2 and 3.
      - What Airflow masks in its logs stays masked.
    type: int
    default: 10
  xcom:
    description:
      - Whose results to return when the run has succeeded, as V(task_id), or V(task_id:key) for another key than C(return_value). Airflow 2 and 3.
      - Of a mapped task the results of all its instances are returned, by one request for each.
    type: list
    elements: str
    default: []
  wait_slice:
    description:
      - Seconds after which the task ends well although the wait is not over, with C(resume) for the next slice of it. By default the wait is one piece.
      - Where the module runs on another host than the controller, the task does this by itself, unless it is C(async),
        to show the wait to the person at the terminal; nobody else needs it.
      - A wait whose results would hide a secret, because it is part of a name or of a conf, is one piece in any case.
    type: float
  resume:
    description: The C(resume) that an earlier slice of this wait has returned. Everything else must be as it was there. Nothing is started again.
    type: dict
"""
