# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pools: how many tasks of a kind may run at once."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource

POOL = Resource(
    kind="pool",
    key="name",
    fields=dict(
        name=Field(dict(type="str", required=True)),
        slots=Field(dict(type="int")),
        description=Field(dict(type="str"), same=lambda one, other: (one or "") == (other or "")),
        include_deferred=Field(dict(type="bool")),
    ),
)
