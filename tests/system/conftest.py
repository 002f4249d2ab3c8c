# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SERVERS = json.loads(os.environ.get("SERVERS", "{}"))  # from the noxfile


# Not the simple auth manager: Airflow itself keeps its passwords in clear there, and knows a new name only after a restart.
@pytest.fixture(params=[name for name, words in SERVERS.items() if words["user_table"]] or [None])
def server(request):
    assert SERVERS, "no server to test against"
    return SERVERS[request.param]


@pytest.fixture
def ansible():
    """The commands of the environment that the tests run in."""
    return pathlib.Path(sys.executable).parent
