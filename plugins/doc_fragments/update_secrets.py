# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  update_secrets:
    description:
      - What becomes of secrets of something that is there already.
      - With V(if_known) one is changed where Airflow tells that it is another, and left alone with a warning where it does not tell. O(client=python) always
        knows.
      - With V(always) it is also sent where Airflow does not tell; the task is then changed each time, with a warning.
      - With V(on_create) it is never compared and never changed.
    type: str
    choices: [if_known, always, on_create]
    default: if_known
"""
