# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._bridge import Bridge, environment_file, interpreter
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, NotThereYet

NOTHING = dict(airflow_python=None, airflow_home=None, airflow_env_file=None, airflow_user=None)


def test_environment_file_reads_what_systemd_reads():
    text = "# a comment\n; another\n\nA=1\nB = two words \nC=\"quoted # no comment\"\nD='x'\\\n' y'\nE=a=b\nno setting\n"
    assert environment_file(text) == dict(A="1", B="two words", C="quoted # no comment", D="x y", E="a=b")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/opt/airflow/bin/python\nimport sys\n", ["/opt/airflow/bin/python"]),
        ("#!/usr/bin/env python3\n", ["/usr/bin/env", "python3"]),
        ("#!/bin/sh\n'''exec' '/a very long/path/bin/python' \"$0\" \"$@\"\n' '''\n", ["/a very long/path/bin/python"]),
    ],
)
def test_interpreter_is_read_from_the_command_on_path(tmp_path, monkeypatch, script, words):
    command = tmp_path / "airflow"
    command.write_text(script)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter(None) == words


def test_interpreter_may_be_a_command():
    assert interpreter("docker exec -i webserver python") == ["docker", "exec", "-i", "webserver", "python"]


def test_a_command_with_half_a_quotation():
    with pytest.raises(AirflowError, match='airflow_python "docker \'x" is no command: No closing quotation'):
        interpreter("docker 'x")


def test_no_airflow_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotThereYet, match="There is no airflow on PATH: set airflow_python"):
        interpreter(None)


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        (dict(airflow_python="/no/such/python"), NotThereYet, "There is no interpreter '/no/such/python': set airflow_python"),
        (dict(airflow_python="/bin/sh"), AirflowError, "'/bin/sh' is no Python that speaks with us"),
        (dict(airflow_python="/bin/false"), AirflowError, "'/bin/false' is no Python that speaks with us; it said: nothing, exit status 1"),
        (dict(airflow_python="/etc"), AirflowError, "airflow_python '/etc' cannot be started"),
        (dict(airflow_python=sys.executable, airflow_home="/no/such/home"), NotThereYet, "there is no Airflow home /no/such/home: set airflow_home"),
        (dict(airflow_env_file="/no/such/file", airflow_python=sys.executable), NotThereYet, "There is no airflow_env_file '/no/such/file'"),
    ],
)
def test_a_wrong_interpreter_is_told_in_a_sentence(given, error, sentence):
    bridge = Bridge({**NOTHING, **given})
    try:
        with pytest.raises(error, match=sentence):
            bridge.start()
    finally:
        bridge.close()


def test_a_command_that_leaves_standard_input_outside(tmp_path):
    command = tmp_path / "docker"
    command.write_text(f'#!/bin/sh\nshift 3\nexec "{sys.executable}" "$@" < /dev/null\n')
    command.chmod(0o755)
    bridge = Bridge({**NOTHING, "airflow_python": f"{command} exec web python"})
    with pytest.raises(AirflowError, match="nothing comes in by its standard input; docker exec and kubectl exec want -i for that"):
        bridge.start()
    bridge.close()


def test_a_home_without_a_database_is_found_before_airflow_is_loaded(tmp_path):
    bridge = Bridge({**NOTHING, "airflow_python": sys.executable, "airflow_home": str(tmp_path)})
    with pytest.raises(NotThereYet, match="holds neither airflow.cfg nor airflow.db"):
        bridge.start()
    bridge.close()
    assert not list(tmp_path.iterdir())


def test_a_python_without_airflow(tmp_path):
    (tmp_path / "airflow.db").touch()
    bridge = Bridge({**NOTHING, "airflow_python": sys.executable, "airflow_home": str(tmp_path)})
    with pytest.raises(AirflowError, match="has no Airflow: set airflow_python to the one that Airflow is installed in"):
        bridge.start()
    bridge.close()
