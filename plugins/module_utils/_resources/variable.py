# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables: values that DAGs read by their key. Airflow keeps each as a text."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.dagops.airflow.plugins.module_utils._resource import (
    MASK,
    UPDATE_SECRETS,
    Field,
    Resource,
    inside,
    same_leaves,
    same_text,
    secret_leaves,
    sensitive,
    veiled,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_KEY = 250  # characters, of every Airflow's database column


def as_text(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _same(told: str | None, wished: str) -> bool | None:
    return same_leaves(inside(told), inside(wished))


def _wrong_key(key: str) -> str:
    return f"is {len(key)} characters long, Airflow takes {LONGEST_KEY}" if len(key) > LONGEST_KEY else ""


def _hides(options: Mapping[str, t.Any]) -> Sequence[str]:
    value = options.get("value")
    found = secret_leaves(inside(value), sensitive(str(options.get("key"))))
    return [*found, value] if found not in ([], [value]) and isinstance(value, str) else found  # as JSON it may be written in many ways


def _veil(found: Mapping[str, t.Any]) -> dict[str, t.Any]:
    if found.get("value") is None:
        return dict(found)
    value = inside(found["value"])
    hidden = veiled(value)
    return {**found, "value": MASK if sensitive(found["key"]) else found["value"] if hidden == value else as_text(hidden)}


VARIABLE = Resource(
    kind="variable",
    key="key",
    fields=dict(
        key=Field(dict(type="str", required=True, no_log=False), wrong=_wrong_key),
        value=Field(dict(type="raw"), same=_same, kept=as_text, empty=True),
        description=Field(dict(type="str"), same=same_text, describes=True),
    ),
    steers=UPDATE_SECRETS,
    masks=True,
    hides=_hides,
    veil=_veil,
)
