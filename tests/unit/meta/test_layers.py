# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom: the layers of the house, read from the import statements."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

PLUGINS = pathlib.Path(__file__).parents[3] / "plugins"
UTILS = PLUGINS / "module_utils"
FIREWALL = PLUGINS / "modules/airflow_firewall.py"
PREFIX = "ansible_collections.dagops.airflow.plugins."

# A file (or the folder it lies in) -> what of ours it may import. The lower layers stand first.
MAY_IMPORT = {
    "_errors": (),
    "_bridge_script": (),
    "_lost": (),
    "_transport": ("_errors", "_lost"),
    "_auth": ("_errors", "_transport"),
    "_session": ("_errors", "_transport"),
    "_bridge": ("_errors", "_bridge_script"),
    "_dialect": ("_errors",),
    "_dialects": ("_errors", "_dialect", "_dialects", "_resource"),
    "_resource": (),
    "_resources": ("_resource",),
    "_connect": ("_errors", "_auth", "_session", "_transport", "_bridge", "_dialect", "_dialects", "_resource"),
    "_reconcile": ("_errors", "_resource"),
    "_wait": ("_errors",),
    "_actions": ("_actions", "_errors", "_resource", "_resources", "_reconcile", "_wait", "_perform"),
    "_perform": ("_errors", "_connect", "_reconcile", "_wait", "_resource"),
    "_module": ("_errors", "_connect", "_perform", "_resource"),
    "action": ("_resources", "_actions", "_worker"),
    "_progress": (),
    "_worker": ("_module", "_perform", "_progress", "_resource", "_errors"),
    "modules": ("_module", "_resources", "_actions"),
    "_firewall": ("_errors", "_firewall"),  # an island, with a facade of its own
    "airflow_firewall": ("_errors", "_firewall"),
    "doc_fragments": (),
}


def files():
    return [path for path in sorted(PLUGINS.rglob("*.py")) if path.read_text().strip()]


def part(path):
    """The name under which a file stands in MAY_IMPORT."""
    if path == FIREWALL:
        return path.stem
    inside = path.relative_to(path.parent if path.parent == PLUGINS / "plugin_utils" else UTILS if UTILS in path.parents else PLUGINS)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imported(path):
    """Module names, and of ours the part that they belong to."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: ansible-test wants absolute imports"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names] if base.endswith("module_utils") else [base]
        yield from names


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_imports_only_from_the_layers_below(path):
    for name in imported(path):
        if name.startswith(PREFIX):
            inside = name[len(PREFIX) :].removeprefix("module_utils.").removeprefix("plugin_utils.").split(".")[0]
            assert inside in MAY_IMPORT[part(path)], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_only_the_facade_knows_ansible_and_only_the_transport_knows_requests(path):
    for name in imported(path):
        top = name.split(".")[0]
        assert top != "ansible" or part(path) in ("_module", "_worker", "airflow_firewall"), f"{path.name} imports {name}"
        assert top not in ("requests", "urllib3") or part(path) == "_transport", f"{path.name} imports {name}"
        assert top != "importlib" or part(path) in ("_bridge_script", "_worker"), f"{path.name}: what is imported by a made-up name is not shipped to the host"


def test_only_dialects_know_paths():
    for path in files():
        if part(path) != "_dialects":
            code = re.sub(r'(?s)""".*?"""', "", path.read_text())
            assert "/api/" not in code, f"{path.name} has the text /api/"


def test_only_perform_and_actions_read_check_mode():
    for path in files():
        if part(path) not in ("_perform", "_actions", "_module", "_worker", "modules", "airflow_firewall", "doc_fragments"):
            assert "check_mode" not in path.read_text(), path.name


def test_modules_are_documentation_and_three_words():
    for path in sorted(set((PLUGINS / "modules").glob("*.py")) - {FIREWALL}):
        tree = ast.parse(path.read_text())
        code = [node for node in tree.body if not (isinstance(node, ast.Assign) and node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN"))]
        assert sum(node.end_lineno - node.lineno + 1 for node in code) <= 12, path.name


def test_no_class_is_long():
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and part(path) != "doc_fragments":
                assert node.end_lineno - node.lineno < 100, f"{path.name}: {node.name}"
                assert all(getattr(base, "id", "") != "AnsibleModule" for base in node.bases)


def test_event_sources_import_what_speaks_to_airflow():
    for path in (PLUGINS.parent / "extensions").rglob("*.py"):
        ours = {name[len(PREFIX) :].removeprefix("module_utils.") for name in imported(path) if name.startswith(PREFIX)}
        allowed = ("_perform", "_connect", "_resource", "_resources", "_errors", "_module", "_actions.identity")  # the last one is pure
        assert [name for name in ours if name not in allowed and name.split(".")[0] not in allowed] == [], path.name


def test_everything_stands_in_the_table():
    assert {part(path) for path in files()} == set(MAY_IMPORT)
