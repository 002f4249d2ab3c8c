# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal

import pytest

from .lab import Lab


@pytest.fixture(scope="session")
def hosts():
    lab = Lab()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: they are taken away
    try:
        lab.up()
        yield lab
    finally:
        lab.down()


@pytest.fixture
def lab(hosts):
    """The hosts as they were at first."""
    hosts.clean()
    return hosts
