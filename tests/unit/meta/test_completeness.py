# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One truth per fact: what must be named in several places is named in all of them."""

from __future__ import annotations

import importlib
import pathlib
import re
import runpy

import pytest
import yaml

from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._module import variable

ROOT = pathlib.Path(__file__).parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FOR_AIRFLOW = [name for name in MODULES if name != "airflow_firewall"]  # which speaks to none
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
TARGETS = sorted(path.name for path in (ROOT / "tests/integration/targets").iterdir())
SERVERS = yaml.safe_load((ROOT / "tests/servers/inventory.yml").read_text())["servers"]["hosts"]
TAPED = importlib.import_module("ansible_collections.dagops.airflow.tests.unit.plugins.modules.test_on_tape").SERVERS
PREFIX = "ansible_collections.dagops.airflow.plugins."


def module(name):
    return importlib.import_module(f"{PREFIX}modules.{name}")


def fragment(name):
    return yaml.safe_load(importlib.import_module(f"{PREFIX}doc_fragments.{name}").ModuleDocFragment.DOCUMENTATION)


def test_every_module_is_in_the_action_group():
    assert yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["airflow"] == FOR_AIRFLOW


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_target(name):
    assert f"module_{name}" in TARGETS


@pytest.mark.parametrize("name", ROLES)
def test_every_role_has_a_target(name):
    assert f"role_{name}" in TARGETS


@pytest.mark.parametrize("name", [name for name in FOR_AIRFLOW if "client: python" not in module(name).EXAMPLES])  # those are judged by their target alone
def test_every_module_that_speaks_rest_has_a_tape_of_every_server(name):
    tests = (ROOT / "tests/unit/plugins/modules/test_on_tape.py").read_text()
    used = {
        scenario
        for scenario in re.findall(r"^def test_(\w+)\(deck", tests, re.MULTILINE)
        for body in [tests.split(f"def test_{scenario}(deck")[1].split("\ndef ")[0]]
        if f"deck({name}" in body
    }
    assert used
    for scenario in used:
        for server in SERVERS:
            assert (ROOT / f"tests/unit/plugins/modules/tapes/{scenario}-{TAPED[server]}.json").is_file()


def test_connection_fragment_and_code_name_the_same_options():
    documented = fragment("connection")["options"]
    assert set(documented) == set(CONNECTION)
    for name, words in documented.items():
        text = " ".join(words["description"] if isinstance(words["description"], list) else [words["description"]])
        if name != "api_url":
            assert f"If it is not given, E({variable(name)}) is used." in text
        else:
            assert f"E({variable(name)})" in text


@pytest.mark.parametrize("name", ROLES)
def test_role_defaults_are_its_argument_specs(name):
    options = yaml.safe_load((ROOT / f"roles/{name}/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROOT / f"roles/{name}/defaults/main.yml").read_text())
    assert {option: words["default"] for option, words in options.items()} == defaults
    assert all(option.startswith(f"{name}_") for option in options)
    readme = (ROOT / f"roles/{name}/README.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == list(defaults)


def test_private_role_variables_are_marked():
    for name in ROLES:
        private = yaml.safe_load((ROOT / f"roles/{name}/vars/main.yml").read_text())
        assert all(variable.startswith(f"__{name}") for variable in private)


@pytest.mark.parametrize("name", MODULES)
def test_documentation_gives_each_option_and_return_a_text(name):
    for returned in yaml.safe_load(module(name).RETURN).values():
        assert returned["description"]
        assert {"type", "returned"} <= set(returned)
    assert yaml.safe_load(module(name).EXAMPLES)
    assert yaml.safe_load(module(name).DOCUMENTATION)["module"] == name


def test_no_sanity_ignore_file():
    assert not list(ROOT.glob("tests/sanity/ignore*"))


def test_support_page_is_what_the_tables_say():
    page = runpy.run_path(str(ROOT / "docs/support.py"))["page"]()
    assert page == (ROOT / "docs/docsite/rst/guide_support.rst").read_text(), "python docs/support.py > docs/docsite/rst/guide_support.rst"
