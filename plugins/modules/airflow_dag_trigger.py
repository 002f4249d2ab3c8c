#!/usr/bin/python
# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: airflow_dag_trigger
short_description: Start a DAG run of Airflow, once
version_added: 0.1.0
author:
  - dagops contributors (@dagops)
description:
  - Starts a run of a DAG through the REST API of Airflow 1.10, 2.x or 3.x, and can wait for its end.
  - The same task played twice gives one run. What makes two tasks the same is O(run_id) where it is given, else O(logical_date), else O(dag_id), O(conf)
    and O(run_key) together.
  - A run that is there already is found, not doubled, whether it still runs or has ended. If it has failed, the task fails, see O(if_failed).
  - A lost connection doubles nothing and loses nothing. After any answer but a clear yes or a clear no the module looks for its run, and only then
    starts it again, at most O(api_retries) times. RV(ignore:changed) says whether this very task has started the run, also in a race of several controllers,
    unless O(logical_date) is given and the answer was lost, for then nobody can know.
extends_documentation_fragment:
  - dagops.airflow.connection
  - dagops.airflow.wait
  - dagops.airflow.attributes
  - dagops.airflow.attributes.actiongroup
attributes:
  check_mode:
    support: full
    details: Says whether a run would be started. Does not wait.
  diff_mode:
    support: none
  async:
    support: full
options:
  dag_id:
    description: Which DAG.
    type: str
    required: true
  conf:
    description:
      - Its configuration, a mapping. None is the same as an empty one; but with O(run_id) and O(if_failed=clear) or O(if_failed=rerun) it is that of the
        run that is there. Airflow 1.10 does not tell that, so there give it for another attempt of a run of this name, C({}) for none.
      - Airflow 2 and 3 check it against the params of the DAG; what they refuse fails the task by the name of the param.
    type: dict
  run_id:
    description:
      - Name of the run. If there is a run of this name with another O(conf), the task fails, except on Airflow 1.10, whose REST API does not tell a run's conf.
      - At most 250 characters, of letters, digits and C(_.~:+-), and none of the beginnings that Airflow keeps for itself, such as C(scheduled__), but
        for a run that is there already and O(if_failed=clear) or O(if_failed=rerun). Another attempt has the data interval of the run (not on Airflow 1.10).
    type: str
  run_key:
    description:
      - Any text that says which of many equal runs is meant, such as a date, a commit, or the id of a pipeline.
      - Without it, and without O(run_id) and O(force), a DAG is run once ever with one and the same O(conf). A task that finds such a run at its end warns.
      - Excludes O(run_id), and an O(logical_date) that is a date.
    type: str
  logical_date:
    description:
      - The date that the run is for, with its time zone (ISO 8601), such as V(2026-11-25T00:00:00+00:00). A date has one run, and that run is the one meant,
        whatever its name, also if Airflow's scheduler made it.
      - By default the moment of the trigger, by the server's clock.
      - V(none) asks for a run without a date, which only Airflow 3 has. It says nothing about which run is meant.
    type: str
  data_interval_start:
    description: Start of the data that the run is for, with O(data_interval_end) and O(logical_date). Airflow 2.2 and newer.
    type: str
  data_interval_end:
    description: End of the data that the run is for, with O(data_interval_start) and O(logical_date). Airflow 2.2 and newer.
    type: str
  run_after:
    description: The earliest moment at which a new run may start. Airflow 3 only. A run that is there already keeps its own.
    type: str
  partition_key:
    description:
      - Which partition a run of a partitioned DAG is for. Airflow 3.2 and newer.
      - It says nothing of which run is meant. Where one task text is played for several partitions, give each a O(run_key).
    type: str
  force:
    description: Start another run in any case. Excludes O(run_id), O(logical_date) and O(if_failed).
    type: bool
    default: false
  note:
    description: A note for the people who look at a new run, at most 1000 characters. Airflow before 2.5 has none, and goes without.
    type: str
  if_failed:
    description:
      - What to do with a run that was there already and has failed. Its newest attempt counts.
      - V(fail) fails the task.
      - V(clear) has its failed tasks done again, in the same run. Airflow 2 and 3. Of several controllers that do so at once, one says that it is a change.
      - V(rerun) starts the next attempt, a run called C(retry__<run id>__2), C(retry__<run id>__3) and so on, with the same O(conf).
        A date has one run, so with an O(logical_date) that is a date take V(clear), or name the run by O(run_id).
    type: str
    choices: [fail, clear, rerun]
    default: fail
  max_attempts:
    description: How many attempts O(if_failed=rerun) starts at most, the first one included. After that the task fails.
    type: int
    default: 2
  unpause:
    description:
      - Whether to unpause the DAG where it is paused. This also sets its scheduled runs going.
      - A paused DAG takes runs, and does not start them. Without this option a run that would be waited for is not made,
        and any other one is made with a warning.
    type: bool
    default: false
  wait:
    description: Whether to wait for the end of the run. A run that fails is then a failed task.
    type: bool
    default: false
  wait_for_dag:
    description:
      - Seconds to wait for a DAG that was just deployed, until Airflow has read its file.
      - With Airflow's own settings that may be five minutes, so V(360) is a good value.
      - If the file of a DAG that Airflow knew cannot be imported any more, the task fails at once, with the error in RV(import_error) (Airflow 2 and 3).
        A DAG that it never knew can be in any file, so the errors of files are then in the message.
    type: float
    default: 0
seealso:
  - module: dagops.airflow.airflow_api_user
"""

EXAMPLES = r"""
- name: Load the sales of a day, once, and wait for the end
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    conf:
      day: "2026-11-25"
    run_key: nightly 2026-11-25
    wait: true

- name: Played again after the run has failed, this starts another attempt, three in all
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    conf:
      day: "2026-11-25"
    run_key: nightly 2026-11-25
    if_failed: rerun
    max_attempts: 3

- name: The run of a date, whoever has started it
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    logical_date: "2026-11-25T00:00:00+00:00"

- name: Another run, in any case
  dagops.airflow.airflow_dag_trigger:
    api_url: http://airflow.example.org:8080
    api_username: deployer
    api_password: "{{ deployer_password }}"
    dag_id: load_sales
    conf:
      day: "2026-11-25"
    force: true
"""

RETURN = r"""
dag_run:
  description: The run. Each key is there on every Airflow, and null where this one does not tell. In check mode, what would be asked for.
  returned: success, and on failure where the run is known
  type: dict
  contains:
    dag_id:
      description: The DAG.
      type: str
    run_id:
      description: Name of the run.
      type: str
    conf:
      description: Its configuration. Null for a run that was found on Airflow 1.10.
      type: dict
    state:
      description: V(queued), V(running), V(success) or V(failed). Null for a new run on Airflow 1.10 that is not waited for.
      type: str
    run_type:
      description: How it came about, V(manual) for a trigger. Null on Airflow 1.10.
      type: str
    logical_date:
      description: The date that the run is for.
      type: str
    note:
      description: Its note. Null on Airflow 1.10.
      type: str
    queued_at:
      description: When it was made. Null on Airflow 1.10.
      type: str
    start_date:
      description: When it started.
      type: str
    end_date:
      description: When it ended. Null on Airflow 1.10.
      type: str
    run_after:
      description: The earliest moment at which it may start. Null on Airflow 1.10 and 2.
      type: str
    partition_key:
      description: Which partition it is for. Null on Airflow before 3.2.
      type: str
    data_interval_start:
      description: Start of the data that it is for. Null on Airflow 1.10.
      type: str
    data_interval_end:
      description: End of the data that it is for. Null on Airflow 1.10.
      type: str
    url:
      description: Its page in Airflow's web interface.
      type: str
    duration:
      description: Seconds from its start to its end. Null where it has not ended, and on Airflow 1.10.
      type: float
  sample:
    dag_id: load_sales
    run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
    state: success
found:
  description: Whether the run was there already.
  returned: success
  type: bool
  sample: false
attempt:
  description: Which attempt the run is, 1 for the first, see O(if_failed).
  returned: success, and on failure where the run is known
  type: int
  sample: 1
import_error:
  description: The traceback of the DAG's file, where that is why no run was started.
  returned: when the file cannot be imported
  type: str
  sample: "Traceback (most recent call last): ... ModuleNotFoundError: No module named 'sales'"
run_url:
  description:
    - The run's page in Airflow's web interface.
    - Null for a new run on Airflow 1.10 that is not waited for, and in check mode for a run that is not there.
  returned: success
  type: str
  sample: http://airflow.example.org:8080/dags/load_sales/runs/ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
duration:
  description: Seconds from the run's start to its end. Null where it has not ended, and on Airflow 1.10.
  returned: success, and on failure where the run is known
  type: float
  sample: 12.5
failed_tasks:
  description: The tasks of a failed run that failed, or were not run because one before them failed. Null on Airflow 1.10, whose REST API lists no tasks,
    and where the server just then does not tell.
  returned: when the run has failed
  type: list
  elements: dict
  contains:
    run_id:
      description: The run that it is of.
      type: str
    task_id:
      description: The task.
      type: str
    map_index:
      description: Its index where it is mapped, else -1.
      type: int
    try_number:
      description: Its last try.
      type: int
    state:
      description: V(failed) or V(upstream_failed).
      type: str
    reason:
      description: The line of its log that says why, of an exception the last one. Null where there is no log, or O(log_lines) is V(0).
      type: str
    log:
      description: The last lines of its log, see O(log_lines).
      type: list
      elements: str
  sample:
    - run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
      task_id: load
      map_index: -1
      try_number: 2
      state: failed
      reason: "ValueError: no sales on this day"
      log: ["ValueError: no sales on this day"]
xcom:
  description: What tasks left, by task and key, as O(xcom) asks for it; of a mapped task a list. Null for what there is not.
  returned: when it is asked for and the run has succeeded
  type: dict
  sample:
    load:
      return_value: 1234
cancelled:
  description: That the run was cancelled, see O(on_timeout).
  returned: when it was
  type: bool
  sample: true
timed_out:
  description: That O(wait_timeout) was over before the run's end.
  returned: when it was
  type: bool
  sample: true
resume:
  description:
    - What the next slice of the wait needs, see O(resume). What it holds may change from release to release, but for the keys of C(seen),
      which are C(dag_id), C(run_id), C(state), C(url) and C(tasks) (how many of each state, and the names of the first ones).
  returned: when O(wait_slice) was over before the wait
  type: dict
  sample:
    elapsed: 15.0
    away: 0.0
    seen:
      dag_id: load_sales
      run_id: ansible__7e2a0b7d3b2f4f0aa8e5f0a5d1c0b9e8
      state: running
      tasks:
        success:
          count: 1
          tasks: [extract]
"""

from ansible_collections.dagops.airflow.plugins.module_utils._actions.trigger import TRIGGER
from ansible_collections.dagops.airflow.plugins.module_utils._module import run


def main() -> None:
    run(TRIGGER)


if __name__ == "__main__":
    main()
