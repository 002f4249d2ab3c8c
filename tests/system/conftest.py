# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import pathlib
import tempfile

import pytest

from . import control
from .sshd import Sshd


@pytest.fixture(params=list(control.SERVERS) or [None])
def name(request):
    """Of a server."""
    assert control.SERVERS, "no server to test against"
    return request.param


@pytest.fixture
def server(name):
    return control.SERVERS[name]


@pytest.fixture
def address(server):
    """host:port of the server."""
    return server["rest"]["api_url"].partition("://")[2]


@pytest.fixture
def ansible(tmp_path):
    """``control.run`` in a folder of the test's own."""
    return functools.partial(control.run, tmp_path)


@pytest.fixture(scope="session")
def far():
    """A remote host, see sshd.py. Its path is short: a control socket's may have 100 characters."""
    with tempfile.TemporaryDirectory(prefix="far-", dir="/tmp") as folder, Sshd(pathlib.Path(folder)) as host:
        yield host


def whose(item):
    """Which server a test is of; what is of none belongs to the last one."""
    return getattr(item, "callspec", None) and item.callspec.params.get("name") or list(control.SERVERS)[-1]


def pytest_collection_modifyitems(config, items):
    """A test of servers that only the other half has is not there, rather than skipped; nor is one that another process plays."""
    elsewhere = [item for item in items if any("empty parameter set" in mark.kwargs.get("reason", "") for mark in item.iter_markers("skip"))]
    elsewhere += [item for item in items if control.ONLY and item not in elsewhere and whose(item) != control.ONLY]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]
