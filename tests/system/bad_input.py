# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people get wrong, and the sentence that they get: one table for all modules. It grows with every module.

In ``given`` and ``says`` stand in angle brackets: <url>, the address that the row is played against, and the names of conftest's ``places``.
``says`` differs by server where it must: a mapping, with the rest under "".
"""

from __future__ import annotations

import typing as t

ONE = ("airflow_1_10",)
TWO = ("airflow_2_11",)
THREE = ("airflow_3_fab", "airflow_3_simple")
ALL = (*ONE, *TWO, *THREE)


class Row(t.NamedTuple):
    name: str
    given: dict[str, t.Any]
    says: str | dict[str, str]
    module: str = "airflow_dag_trigger"
    on: t.Sequence[str] = ALL
    asks: int | dict[str, int] = 0  # writing requests that reach the server, because only the server can know: it refuses them
    interpreter: str = ""


def trigger(name, given, says, **more):
    return Row(name, {"dag_id": "test_paused", **given}, says, **more)


def pool(name, given, says, **more):
    return Row(name, given, says, module="airflow_pool", **more)


def user(name, given, says, **more):
    return Row(name, {"username": "bad_input", **given}, says, module="airflow_api_user", **more)


def info(name, given, says, **more):
    return Row(name, given, says, module="airflow_info", **more)


NO_ANSWER = dict(api_retries=0, api_timeout=2)
ROWS = [
    # The address
    trigger("no address", dict(api_url=None), "?"),
    trigger("an empty address", dict(api_url=""), "?"),
    trigger("a name for an address", dict(api_url="airflow"), "?"),
    trigger("another protocol", dict(api_url="ftp://airflow.example.org"), "?"),
    trigger("no host", dict(api_url="http://"), "?"),
    trigger("a space in the host", dict(api_url="http://air flow:8080"), "?"),
    trigger("a port that is none", dict(api_url="http://127.0.0.1:99999"), "?"),
    trigger("port 0", dict(api_url="http://127.0.0.1:0"), "?"),
    trigger("a broken IPv6 address", dict(api_url="http://[::1"), "?"),
    trigger("a password in the address", dict(api_url="http://admin:secret-in-url@127.0.0.1:8080"), "?"),
    trigger("a query in the address", dict(api_url="http://127.0.0.1:8080/?next=home"), "?"),
    trigger("a host that does not resolve", dict(api_url="http://no-such-host.invalid:8080", **NO_ANSWER), "?"),
    trigger("a dead server", dict(api_url="http://127.0.0.1:9", api_retries=0), "?"),
    trigger("a server that hangs", dict(api_url="<hung>", api_retries=0, api_timeout=1), "?"),
    trigger("a port that speaks something else", dict(api_url="<ssh>", **NO_ANSWER), "?"),
    trigger("a port that hangs up", dict(api_url="<mute>", **NO_ANSWER), "?"),
    trigger("a web page that is not Airflow", dict(api_url="<page>", **NO_ANSWER), "?"),
    trigger("a web page that is not Airflow, under a fixed version", dict(api_url="<page>", api_version="v2", api_auth="basic", **NO_ANSWER), "?", asks=0),
    trigger("a log-in page in front", dict(api_url="<login>", **NO_ANSWER), "?"),
    trigger("a log-in page in front, under a fixed version", dict(api_url="<login>", api_version="v1", **NO_ANSWER), "?"),
    trigger("some other API", dict(api_url="<json>", **NO_ANSWER), "?"),
    trigger("some other API, under a fixed version", dict(api_url="<json>", api_version="v1", **NO_ANSWER), "?"),
    pool("some other API, under a fixed version", dict(name="bad_input", slots=1, api_url="<json>", api_version="v1", **NO_ANSWER), "?"),
    trigger("a server that knows nothing", dict(api_url="<nothing>", **NO_ANSWER), "?"),
    trigger("a server with an error", dict(api_url="<error>", **NO_ANSWER), "?"),
    trigger("TLS to a server without", dict(api_url="<https>", **NO_ANSWER), "?"),
    trigger("a path that is none of Airflow's", dict(api_url="<url>/airflow"), "?"),
    trigger("the wrong version, v2", dict(api_version="v2"), "?", on=(*ONE, *TWO)),
    trigger("the wrong version, v1", dict(api_version="v1"), "?", on=(*ONE, *THREE), asks=1),
    trigger("the wrong version, experimental", dict(api_version="experimental"), "?", on=(*TWO, *THREE), asks=1),
    trigger("no such version", dict(api_version="v3"), "?"),
    # How it is spoken to
    trigger("a time-out of nothing", dict(api_timeout=0), "?"),
    trigger("a negative time-out", dict(api_timeout=-1), "?"),
    trigger("a time-out in words", dict(api_timeout="soon"), "?"),
    trigger("negative retries", dict(api_retries=-1), "?"),
    trigger("an authority that is not there", dict(ca_path="<folder>/no.pem"), "?"),
    trigger("a certificate that is not there", dict(client_cert="<folder>/no.pem"), "?"),
    trigger("a key without certificate", dict(client_key="<folder>/empty.env"), "?"),
    # Who speaks
    trigger("a wrong password", dict(api_password="n0t-this-0ne"), "?", asks=dict(airflow_1_10=1, airflow_2_11=1)),
    trigger("an unknown user", dict(api_username="nobody"), "?", asks=dict(airflow_1_10=1, airflow_2_11=1)),
    trigger("no credentials", dict(api_username=None, api_password=None), "?", asks=1),
    trigger("no password", dict(api_password=None), "?"),
    trigger("a password without a user", dict(api_username=None), "?"),
    trigger("a garbage token", dict(api_token="gArbage-t0ken"), "?", asks=1),
    trigger("an expired token", dict(api_token="<expired>"), "?", on=THREE, asks=1),
    trigger("a token that is missing", dict(api_auth="token"), "?"),
    trigger("a log-in that this Airflow does not have", dict(api_auth="login"), "?", on=(*ONE, *TWO)),
    trigger("basic on Airflow 3", dict(api_auth="basic"), "?", on=THREE, asks=1),
    trigger("a user who may not", dict(api_username="bad_input_viewer", api_password="v1ewer-passw0rd"), "?", on=("airflow_2_11", "airflow_3_fab"), asks=1),
    pool(
        "a user who may not",
        dict(name="bad_input", slots=1, api_username="bad_input_viewer", api_password="v1ewer-passw0rd"),
        "?",
        on=("airflow_2_11", "airflow_3_fab"),
        asks=1,
    ),
    trigger("no requests where the module runs", {}, "Failed to import the required Python library (requests)", interpreter="<folder>/bare/bin/python"),
    # Which DAG
    trigger("no DAG", dict(dag_id=None), "?"),
    trigger("an empty DAG", dict(dag_id=""), "?"),
    trigger("a DAG called ..", dict(dag_id=".."), "?"),
    trigger("a DAG with a leading slash", dict(dag_id="/test_paused"), "?"),
    trigger("an unknown DAG", dict(dag_id="nope"), "?", asks=1),
    trigger("a DAG almost right", dict(dag_id="test_pausd"), "?", asks=1),
    trigger("a DAG in capitals", dict(dag_id="Test_Paused"), "?", asks=1),
    trigger("an unknown DAG with a slash", dict(dag_id="a/b"), "?", asks=1),
    trigger("an unknown DAG that is not ASCII", dict(dag_id="täglich"), "?", asks=1),
    trigger("an unknown DAG that is waited for", dict(dag_id="nope", wait_for_dag=0.5), "?", asks=2),
    trigger("an unknown DAG whose run is waited for", dict(dag_id="nope", wait=True), "?", asks=1),
    trigger("a paused DAG that is waited for", dict(wait=True, force=True), "?"),
    # Its configuration
    trigger("conf that is a text", dict(conf="hello"), "?"),
    trigger("conf that is a list", dict(conf=[1, 2]), "?"),
    trigger("conf that is a number", dict(conf=3), "?"),
    trigger("conf that is broken JSON", dict(conf='{"a": '), "?"),
    trigger("conf with a number that is none", dict(conf=dict(a="<nan>")), "?"),
    trigger("params that the DAG refuses", dict(dag_id="test_params", conf=dict(who="me", n="many")), "?", on=(*TWO, *THREE), asks=1),
    trigger("params that are missing", dict(dag_id="test_params"), "?", on=(*TWO, *THREE), asks=1),
    # Which run
    *(
        trigger(f"a run id with {what}", dict(run_id=run_id), "?")
        for what, run_id in {
            "a slash": "a/b",
            "a space": "a b",
            "a letter that is not ASCII": "é",
            "a line break": "a\nb",
            "a per cent sign": "100%",
            "nothing in it": "",
            "only a dot": ".",
            "only two dots": "..",
            "251 characters": "x" * 251,
        }.items()
    ),
    *(
        trigger(f"a run id of Airflow's own, {prefix}", dict(run_id=f"{prefix}__2026"), "?")
        for prefix in ("scheduled", "backfill", "dataset_triggered", "asset_triggered", "asset_materialization", "operator_triggered")
    ),
    trigger("a run id and a run key", dict(run_id="a", run_key="b"), "?"),
    trigger("a date without a time zone", dict(logical_date="2026-11-25T00:00:00"), "?"),
    trigger("a day for a date", dict(logical_date="2026-11-25"), "?"),
    trigger("an impossible date", dict(logical_date="2026-02-30T00:00:00Z"), "?"),
    trigger("seconds for a date", dict(logical_date=1764028800), "?"),
    trigger("a word for a date", dict(logical_date="yesterday"), "?"),
    trigger("no date where each run has one", dict(logical_date="none"), "?", on=(*ONE, *TWO)),
    trigger("a date and a run key", dict(logical_date="2026-11-25T00:00:00Z", run_key="b"), "?"),
    trigger("half an interval", dict(logical_date="2026-11-25T00:00:00Z", data_interval_start="2026-11-25T00:00:00Z"), "?"),
    trigger("an interval without a date", dict(data_interval_start="2026-11-24T00:00:00Z", data_interval_end="2026-11-25T00:00:00Z"), "?"),
    trigger(
        "an interval that ends before it starts",
        dict(logical_date="2026-11-25T00:00:00Z", data_interval_start="2026-11-25T00:00:00Z", data_interval_end="2026-11-24T00:00:00Z"),
        "?",
    ),
    trigger("a word for the earliest start", dict(run_after="soon"), "?"),
    trigger("an earliest start where there is none", dict(run_after="2099-01-01T00:00:00Z"), "?", on=(*ONE, *TWO)),
    trigger("force, and a run id", dict(force=True, run_id="a"), "?"),
    trigger("force, and what to do if it failed", dict(force=True, if_failed="rerun"), "?"),
    trigger("another attempt of a date", dict(logical_date="2026-11-25T00:00:00Z", if_failed="rerun"), "?"),
    trigger("no attempts", dict(max_attempts=0), "?"),
    trigger("another way if it failed", dict(if_failed="ignore"), "?"),
    trigger("the same run id with another conf", dict(run_id="bad_input_there", conf=dict(a=2)), "?", on=(*TWO, *THREE), asks=1),
    trigger("the same run id with another date", dict(run_id="bad_input_there", conf=dict(a=1), logical_date="2026-11-25T00:00:00Z"), "?", asks=1),
    trigger("a note that is too long", dict(note="x" * 1001), "?"),
    trigger("an unknown option", dict(dag="test_paused"), "?"),
    # Times
    trigger("a wait of nothing", dict(wait_timeout=0), "?"),
    trigger("a negative wait", dict(wait_timeout=-5), "?"),
    trigger("a wait for ever", dict(wait_timeout="inf"), "?"),
    trigger("a wait in words", dict(wait_timeout="long"), "?"),
    trigger("an interval of nothing", dict(poll_interval=0), "?"),
    trigger("a negative wait for the DAG", dict(wait_for_dag=-1), "?"),
    info("a wait of nothing", dict(wait_until_healthy=True, wait_timeout=0), "?"),
    info("an interval of nothing", dict(wait_until_healthy=True, poll_interval=0), "?"),
    info("a wait for a dead server", dict(wait_until_healthy=True, wait_timeout=1, poll_interval=0.5, api_url="http://127.0.0.1:9", api_retries=0), "?"),
    # Pools
    pool("no name", dict(slots=1), "?"),
    pool("an empty name", dict(name="", slots=1), "?"),
    pool("a name called .", dict(name=".", slots=1), "?"),
    pool("a name with a leading slash", dict(name="/a", slots=1), "?"),
    pool("a name that is too long", dict(name="x" * 257, slots=1), "?"),
    pool("no slots", dict(name="bad_input"), "?"),
    pool("slots in words", dict(name="bad_input", slots="many"), "?"),
    pool("slots below none", dict(name="bad_input", slots=-2), "?"),
    pool("what came later", dict(name="bad_input", slots=1, include_deferred=True), "?", on=ONE),
    pool("the pool that Airflow needs", dict(name="default_pool", state="absent"), "?", asks=1),
    pool("no such state", dict(name="bad_input", slots=1, state="here"), "?"),
    pool("through Airflow's Python", {**dict(name="bad_input", slots=1), "<python>": True}, "?"),
    # Kinds that one client does not have
    trigger("through Airflow's Python", {"<python>": True}, "?"),
    Row("a user through the REST API", dict(username="bad_input", password="p4ssword-of-one"), "?", module="airflow_api_user"),
    # Airflow's Python
    *(
        user(name, {"<python>": True, "state": "absent", **given}, says)
        for name, given, says in (
            ("nothing behind airflow_python", dict(airflow_python="/no/such/python"), "?"),
            ("a folder for airflow_python", dict(airflow_python="<folder>"), "?"),
            ("no Python behind airflow_python", dict(airflow_python="/bin/sh"), "?"),
            ("another program behind airflow_python", dict(airflow_python="/bin/true"), "?"),
            ("no Airflow behind airflow_python", dict(airflow_python="<own_python>"), "?"),
            ("an unbalanced quote in airflow_python", dict(airflow_python="docker exec 'web python"), "?"),
            ("a home that is not there", dict(airflow_home="<folder>/no", airflow_env_file=None), "?"),
            ("a file for a home", dict(airflow_home="<folder>/empty.env", airflow_env_file=None), "?"),
            ("a home without a database", dict(airflow_home="<folder>/home", airflow_env_file=None), "?"),
            ("a home with an empty database", dict(airflow_home="<folder>/empty", airflow_env_file="<folder>/empty.env"), "?"),
            ("settings that are not there", dict(airflow_env_file="<folder>/no.env"), "?"),
            ("a folder for settings", dict(airflow_env_file="<folder>"), "?"),
            ("settings that are no text", dict(airflow_env_file="<folder>/binary.env"), "?"),
            ("a database that is not there", dict(airflow_env_file="<folder>/elsewhere.env"), "?"),
            ("a database server that is down", dict(airflow_env_file="<folder>/down.env"), "?"),
            ("another auth than that of API users", dict(airflow_env_file="<folder>/other.env"), "?"),
            ("an account that is not there", dict(airflow_user="no-such-account"), "?"),
            ("an empty name", dict(username=""), "?"),
        )
    ),
    user(
        "a read-only database",
        {"<python>": True, "airflow_python": "<read_only>", "password": "p4ssword-of-one", "email": "b@example.org", "roles": ["Admin"]},
        "?",
    ),
    user("no password", {"<python>": True}, "?"),
    user("an empty password", {"<python>": True, "password": "", "email": "b@example.org", "roles": ["Admin"]}, "?"),
    user("no e-mail and no role", {"<python>": True, "password": "p4ssword-of-one"}, "?", on=("airflow_2_11", "airflow_3_fab")),
    user("a role that is not there", {"<python>": True, "password": "p4ssword-of-one", "email": "b@example.org", "roles": ["Chief"]}, "?"),
    user("no role at all", {"<python>": True, "password": "p4ssword-of-one", "email": "b@example.org", "roles": []}, "?"),
    user(
        "an e-mail that another has",
        {"<python>": True, "password": "p4ssword-of-one", "email": "admin@example.org", "roles": ["Admin"]},
        "?",
        on=("airflow_2_11", "airflow_3_fab"),
    ),
    user("a password longer than bcrypt looks", {"<python>": True, "password": "x" * 73}, "?", on=ONE),
    user("a user who is not active", {"<python>": True, "password": "p4ssword-of-one", "active": False}, "?", on=(*ONE, "airflow_3_simple")),
    user("a name with a colon", {"<python>": True, "username": "a:b", "password": "p4ssword-of-one", "roles": ["Admin"]}, "?", on=("airflow_3_simple",)),
    user("two roles", {"<python>": True, "password": "p4ssword-of-one", "roles": ["Admin", "Viewer"]}, "?", on=("airflow_3_simple",)),
]
