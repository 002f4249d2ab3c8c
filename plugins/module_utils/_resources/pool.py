# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pools: how many tasks of a kind may run at once."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource

LONGEST_NAME = 256  # of every Airflow's database column


def _wrong_name(name: str) -> str:
    return f"is {len(name)} characters long, Airflow takes {LONGEST_NAME}" if len(name) > LONGEST_NAME else ""


def _wrong_slots(slots: int) -> str:
    return f"cannot be {slots}: it is a number of tasks, or -1 for any number" if slots < -1 else ""


POOL = Resource(
    kind="pool",
    key="name",
    fields=dict(
        name=Field(dict(type="str", required=True), wrong=_wrong_name),
        slots=Field(dict(type="int"), wrong=_wrong_slots),
        description=Field(dict(type="str"), same=lambda one, other: (one or "") == (other or "")),
        include_deferred=Field(dict(type="bool")),
    ),
    stays=("default_pool",),
)
