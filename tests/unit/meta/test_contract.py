# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialects' rows against Airflow's own OpenAPI documents, of the oldest and the newest minor that we say we support.

The documents come out of Airflow's own packages, fetched from the package index at test time into .cache; nothing of theirs is committed.
1.10 has no such document: what judges it are the tapes and the real server.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import zipfile

import pytest
import yaml

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Store
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v1 import V1
from ansible_collections.dagops.airflow.plugins.module_utils._dialects.v2 import V2
from ansible_collections.dagops.airflow.plugins.module_utils._resources.cleared_tasks import CLEARED_TASKS
from ansible_collections.dagops.airflow.plugins.module_utils._resources.connection import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag import DAG, DAG_DETAILS, DAG_WARNING, IMPORT_ERROR
from ansible_collections.dagops.airflow.plugins.module_utils._resources.dag_run import DAG_RUN
from ansible_collections.dagops.airflow.plugins.module_utils._resources.health import HEALTH
from ansible_collections.dagops.airflow.plugins.module_utils._resources.pool import POOL
from ansible_collections.dagops.airflow.plugins.module_utils._resources.task_instance import TASK_INSTANCE, TASK_LOG, XCOM
from ansible_collections.dagops.airflow.plugins.module_utils._resources.variable import VARIABLE

CACHE = pathlib.Path(__file__).parents[3] / ".cache" / "openapi"
RESOURCES = {
    resource.kind: resource
    for resource in (
        *(POOL, VARIABLE, CONNECTION, DAG, DAG_DETAILS, DAG_WARNING, DAG_RUN),
        *(HEALTH, IMPORT_ERROR, CLEARED_TASKS, TASK_INSTANCE, TASK_LOG, XCOM),
    )
}
DOCUMENTS = {  # package and version -> dialect, document
    "apache-airflow==2.5.0": (V1, "airflow/api_connexion/openapi/v1.yaml"),
    "apache-airflow==2.11.2": (V1, "airflow/api_connexion/openapi/v1.yaml"),
    "apache-airflow-core==3.0.0": (V2, "airflow/api_fastapi/core_api/openapi/v1-rest-api-generated.yaml"),
    "apache-airflow-core==3.3.2": (V2, "airflow/api_fastapi/core_api/openapi/v2-rest-api-generated.yaml"),
}
CASES = [(package, kind) for package, (dialect, _file) in DOCUMENTS.items() for kind in dialect.rows]
# Writable by the server and no option of ours, with the reason.
NOT_OPTIONS = {
    "dag_run": dict(
        execution_date="the old name of logical_date",
        state="read only for a trigger",
    ),
    "dag": {},
    "cleared_tasks": dict.fromkeys(
        (
            *("start_date", "end_date", "task_ids", "only_running", "include_subdags", "include_parentdag", "include_upstream", "include_downstream"),
            *("include_future", "include_past", "run_on_latest_version", "prevent_running_task", "note", "execution_date"),
        ),
        "which other tasks: here it is the failed ones of one run",
    ),
    **{kind: dict(team_name="teams are an experiment of Airflow 3") for kind in ("pool", "variable", "connection")},
}
# What a document calls otherwise than its server.
MISSPELLED = {("apache-airflow==2.5.0", "dag_warning"): "import_errors"}


def document(package):
    _dialect, file = DOCUMENTS[package]
    folder = CACHE / package
    if not folder.is_dir():
        fetch = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--ignore-requires-python",
            "--only-binary",
            ":all:",
        ]
        subprocess.run([*fetch, "--dest", str(folder) + ".part", package], check=True)
        pathlib.Path(f"{folder}.part").rename(folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return yaml.load(wheel.read(file), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.fixture(scope="module")
def documents():
    return {package: document(package) for package in DOCUMENTS}


class Contract:
    """One row and the part of a document that it claims to follow."""

    def __init__(self, package, kind, documents):
        self.dialect = DOCUMENTS[package][0]
        self.row = self.dialect.rows[kind]
        self.plural = MISSPELLED.get((package, kind), self.row.plural)
        self.version = package.partition("==")[2]
        self.resource = RESOURCES[kind]
        self.document = documents[package]
        base = self.document.get("servers", [{}])[0].get("url", "").rstrip("/")
        self.paths = {self.anonymous(base + path): words for path, words in self.document["paths"].items()}

    @staticmethod
    def anonymous(path):
        return re.sub(r"\{[^}]*\}", "{}", path)

    def collection(self):
        return self.paths[self.anonymous(self.row.path)]

    def item(self):
        return self.paths[self.anonymous(self.row.path + self.row.item)]

    def resolved(self, schema):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        merged = dict(schema)
        for one in schema.get("allOf", ()):
            inner = self.resolved(one)
            merged["properties"] = {**merged.get("properties", {}), **inner.get("properties", {})}
            merged["required"] = [*merged.get("required", ()), *inner.get("required", ())]
        return merged

    def body(self, operation):
        content = (
            operation["requestBody"].get("content")
            or self.document["components"]["requestBodies"][operation["requestBody"]["$ref"].rpartition("/")[2]]["content"]
        )
        return self.resolved(content["application/json"]["schema"])

    def answer(self, operation):
        status = next(status for status in ("200", "201") if status in operation["responses"])
        return self.resolved(operation["responses"][status]["content"]["application/json"]["schema"])

    def parameters(self, *words):
        found = {}
        for parameter in [one for word in words for one in word.get("parameters", ())]:
            if "$ref" in parameter:
                parameter = self.document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
            found[parameter["name"]] = parameter
        return found

    def sent(self, names):
        lacks = self.row.rules.of(self.version).lacks
        return {self.row.wire.get(name, name) for name in names if name not in lacks}

    def options(self):
        return self.sent(self.resource.fields)


@pytest.fixture(params=CASES, ids="-".join)
def contract(request, documents):
    return Contract(*request.param, documents)


def test_read_is_there_and_tells_what_we_look_for(contract):
    if "read" not in contract.row.verbs:
        return
    told = contract.answer(contract.item()["get"]).get("properties", {})
    lacks = contract.row.rules.of(contract.version).lacks
    for name in contract.resource.fields:
        if name not in lacks:
            assert contract.row.reads.get(name, contract.row.wire.get(name, name)) in told


def test_a_read_asks_with_parameters_that_this_version_knows(contract):
    if "read" in contract.row.verbs:
        item = contract.item()
        scope = dict.fromkeys(contract.resource.parents, "1")
        asked = Store(None, contract.row, (), scope, "", contract.version)._query
        assert set(asked or ()) <= set(contract.parameters(item, item["get"]))


def test_create_sends_known_keys_and_all_that_are_required(contract):
    if "create" not in contract.row.verbs:
        return
    body = contract.body(contract.collection()["post"])
    sent = contract.options() | set(contract.row.always)
    assert sent <= set(body["properties"])
    given = {contract.row.key, *contract.row.always, *contract.sent(contract.row.rules.needs)}
    assert set(body.get("required", ())) <= given
    assert contract.row.key in body["properties"]


def test_update_sends_known_keys_and_its_mask_as_the_server_reads_it(contract):
    if "update" not in contract.row.verbs:
        return
    body = contract.body(contract.item()["patch"])
    sent = contract.options() - contract.sent([contract.resource.key])
    writable = {name for name, words in body["properties"].items() if not words.get("readOnly")}
    if contract.row.patch_key:
        sent |= {contract.row.patch_key}
    if contract.resource is DAG_RUN:
        sent = {"state"} if contract.dialect is V1 else {"state", "note"}  # all that is ever sent of it; Airflow 2 has another address for the note
    if contract.resource is not DAG:
        assert sent <= writable
    mask = contract.parameters(contract.item(), contract.item()["patch"]).get("update_mask")
    assert (mask is not None) == bool(contract.row.mask)


def test_list_is_there_and_knows_our_parameters(contract):
    if contract.row.plural:
        operation = contract.collection()["get"]
        assert {contract.plural, "total_entries"} <= set(contract.answer(operation)["properties"])
        asked = {
            "limit",
            "offset",
            *(["order_by"] if contract.row.newest else []),
            *(parameter for parameters in contract.row.finds.values() for parameter in parameters),
        }
        assert asked <= set(contract.parameters(contract.collection(), operation))


def test_delete_is_there(contract):
    if "delete" in contract.row.verbs:
        assert "delete" in contract.item()


def test_no_writable_field_is_forgotten(contract):
    if "create" not in contract.row.verbs:
        return
    body = contract.body(contract.collection()["post"])
    writable = {name for name, words in body["properties"].items() if not words.get("readOnly") and not contract.resolved(words).get("readOnly")}
    known = contract.options() | set(contract.row.always) | set(NOT_OPTIONS[contract.resource.kind])
    assert writable <= known


def test_told_is_told(contract):
    """What only the server writes, of the rows that tell of DAGs."""
    if contract.resource not in (DAG, DAG_DETAILS, DAG_WARNING):
        return
    operation = contract.item()["get"] if "read" in contract.row.verbs else contract.collection()["get"]
    told = contract.answer(operation)["properties"]
    if contract.row.verbs == ():
        told = contract.resolved(told[contract.plural]["items"])["properties"]
    for name in contract.resource.told:
        assert contract.row.reads.get(name, contract.row.wire.get(name, name)) in told


def test_a_note_has_an_address_of_its_own_on_airflow_2(documents):
    for package, (dialect, _file) in DOCUMENTS.items():
        if dialect is V1:
            words = documents[package]["paths"]["/dags/{dag_id}/dagRuns/{dag_run_id}/setNote"]["patch"]
            schema = words["requestBody"]["content"]["application/json"]["schema"]
            if "$ref" in schema:
                schema = documents[package]["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert set(schema["properties"]) == {"note"}


def test_probe_is_there_without_credentials(documents):
    for package, (dialect, _file) in DOCUMENTS.items():
        base = documents[package].get("servers", [{}])[0].get("url", "").rstrip("/")
        assert dialect.probe in {base + path for path in documents[package]["paths"]}


def test_states_that_end_a_run(documents):
    from ansible_collections.dagops.airflow.plugins.module_utils._actions.wait import ENDED

    for package, found in documents.items():
        states = found["components"]["schemas"].get("DagState", found["components"]["schemas"].get("DagRunState"))["enum"]
        assert set(states) == {"queued", "running", *ENDED}, package
