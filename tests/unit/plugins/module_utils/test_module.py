# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dagops.airflow.plugins.module_utils._actions.info import INFO
from ansible_collections.dagops.airflow.plugins.module_utils._module import frame


@pytest.mark.parametrize(("said", "means"), [(None, 30.0), ("", 30.0), ("7.5", 7.5)])
def test_an_option_from_the_environment(monkeypatch, said, means):
    """An empty variable is none."""
    if said is None:
        monkeypatch.delenv("AIRFLOW_API_TIMEOUT", raising=False)
    else:
        monkeypatch.setenv("AIRFLOW_API_TIMEOUT", said)
    checked = ArgumentSpecValidator(**frame(INFO, {})).validate({})
    assert checked.error_messages == []
    assert checked.validated_parameters["api_timeout"] == means
