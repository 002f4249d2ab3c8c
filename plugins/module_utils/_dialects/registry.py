# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Airflows that are known. Static imports: Ansible ships to a host what it finds imported. **PRIVATE** to the collection."""

from __future__ import annotations

from ansible_collections.dagops.airflow.plugins.module_utils._dialects.experimental import EXPERIMENTAL
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v1 import V1
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v2 import V2

NEWEST_FIRST = (V2, V1, EXPERIMENTAL)
