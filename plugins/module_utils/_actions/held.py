# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at what an Airflow holds: one of a kind by its name, or all. **PRIVATE** to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action

if t.TYPE_CHECKING:
    from ansible_collections.dagops.airflow.plugins.module_utils._perform import Context
    from ansible_collections.dagops.airflow.plugins.module_utils._resource import Resource


def info_of(resource: Resource) -> Action:
    def info(context: Context) -> dict[str, t.Any]:
        store, key = context.open(resource, {}), context.options[resource.key]
        found = store.find() if key is None else [one for one in [store.read(key)] if one is not None]
        return {"changed": False, f"{resource.kind}s": [resource.veil({name: one[name] for name in resource.keys}) for one in found]}

    return Action(
        name=f"{resource.kind}_info",
        argument_spec={resource.key: dict(resource.fields[resource.key].spec, required=False)},
        perform=info,
    )
