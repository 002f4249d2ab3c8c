# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users who may call the REST API."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Field, Resource, as_set

USER = Resource(
    kind="user",
    key="username",
    fields=dict(
        username=Field(dict(type="str", required=True)),
        password=Field(dict(type="str", no_log=True)),
        email=Field(dict(type="str"), describes=True),
        first_name=Field(dict(type="str"), describes=True),
        last_name=Field(dict(type="str"), describes=True),
        roles=Field(dict(type="list", elements="str"), same=as_set),
        active=Field(dict(type="bool")),
        superuser=Field(dict(type="bool")),
    ),
    steers=dict(update_password=dict(type="str", choices=["always", "on_create"], default="always", no_log=False)),
)
