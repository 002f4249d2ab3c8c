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
ANY = -1  # as often as there is time for
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


def wait(name, given, says, **more):
    return Row(name, given, says, module="airflow_dag_run_wait", **more)


def runs(name, given, says, **more):
    return Row(name, given, says, module="airflow_dag_runs", **more)


def pool(name, given, says, **more):
    return Row(name, given, says, module="airflow_pool", **more)


def user(name, given, says, **more):
    return Row(name, {"username": "bad_input", **given}, says, module="airflow_api_user", **more)


def info(name, given, says, **more):
    return Row(name, given, says, module="airflow_info", **more)


def variable(name, given, says, **more):
    return Row(name, {"key": "bad_input", **given}, says, module="airflow_variable", **more)


def connection(name, given, says, **more):
    return Row(name, {"connection_id": "bad_input", **given}, says, module="airflow_connection", **more)


# What several rows are answered alike.
A_MASK = " holds '***', which is what Airflow shows in place of a secret: give the secret itself"
A_LONGER_MASK = " holds '********', which is what Airflow shows in place of a secret: give the secret itself"
NO_ADDRESS = " (there is no such address: are api_url and api_version right?)"
FORBIDDEN_BY_1 = (
    "POST <url>/api/experimental/dags/test_paused/dag_runs: HTTP 403, Forbidden (no API user has this name and "
    "password: users of the REST API are not those of the web interface, see airflow_api_user)"
)
FORBIDDEN_BY_2 = (
    "POST <url>/api/v1/dags/test_paused/dagRuns: HTTP 403, Forbidden (wrong credentials (api_username and "
    "api_password, or api_token), or a user without any role: Airflow 2 answers all alike)"
)
NO_ANSWER = dict(api_retries=0)
ROWS = [
    # The address
    trigger("no address", dict(api_url=None), "api_url is missing: give the address of Airflow's web server, or set AIRFLOW_API_URL where the module runs"),
    trigger(
        "an empty address", dict(api_url=""), ("api_url is missing: give the address of Airflow's web server, or set AIRFLOW_API_URL where the module runs")
    ),
    trigger(
        "a name for an address", dict(api_url="airflow"), ("api_url 'airflow' is no address of a web server: it looks like http://airflow.example.org:8080")
    ),
    trigger(
        "another protocol",
        dict(api_url="ftp://airflow.example.org"),
        "api_url 'ftp://airflow.example.org' is no address of a web server: it looks like http://airflow.example.org:8080",
    ),
    trigger("no host", dict(api_url="http://"), "api_url 'http:' is no address of a web server: it looks like http://airflow.example.org:8080"),
    trigger(
        "a space in the host",
        dict(api_url="http://air flow:8080"),
        "api_url 'http://air flow:8080' is no address of a web server: failed to parse: Host 'air flow' contains invalid character ' '",
    ),
    trigger(
        "a port that is none",
        dict(api_url="http://127.0.0.1:99999"),
        "api_url 'http://127.0.0.1:99999' is no address of a web server: it looks like http://airflow.example.org:8080",
    ),
    trigger(
        "port 0",
        dict(api_url="http://127.0.0.1:0"),
        "api_url 'http://127.0.0.1:0' is no address of a web server: it looks like http://airflow.example.org:8080",
    ),
    trigger(
        "a broken IPv6 address",
        dict(api_url="http://[::1"),
        "api_url 'http://[::1' is no address of a web server: it looks like http://airflow.example.org:8080",
    ),
    trigger(
        "a password in the address",
        dict(api_url="http://admin:secret-in-url@127.0.0.1:8080"),
        "api_url must not hold a user and a password: they would be shown in logs; use api_username and api_password",
    ),
    trigger(
        "a query in the address",
        dict(api_url="http://127.0.0.1:8080/?next=home"),
        "api_url 'http://127.0.0.1:8080/?next=home' is no address of a web server: it looks like http://airflow.example.org:8080",
    ),
    trigger(
        "a host that does not resolve",
        dict(api_url="http://no-such-host.invalid:8080", **NO_ANSWER),
        "The host 'no-such-host.invalid' of api_url cannot be found: check the name",
    ),
    trigger(
        "a dead server",
        dict(api_url="http://127.0.0.1:9", api_retries=0),
        "No server answers at http://127.0.0.1:9 (connection refused): is Airflow running there, and is the port right?",
    ),
    trigger(
        "a server that hangs", dict(api_url="<hung>", api_retries=0, api_timeout=1), "<hung> took the request, but gave no answer within 1 s (api_timeout)"
    ),
    trigger(
        "a port that speaks something else", dict(api_url="<ssh>", **NO_ANSWER), "The connection to <ssh> broke before the answer came: SSH-2.0-OpenSSH_9.2p1"
    ),
    trigger(
        "a port that hangs up",
        dict(api_url="<mute>", **NO_ANSWER),
        (
            "The connection to <mute> broke before the answer came: remote end closed connection without response; if "
            "the server speaks TLS, use https:// in api_url"
        ),
    ),
    trigger(
        "a web page that is not Airflow",
        dict(api_url="<page>", **NO_ANSWER),
        (
            "What answers at <page> is not an Airflow that we know: check api_url (/api/v2/version: HTTP 200, an HTML "
            "page; /api/v1/version: HTTP 200, an HTML page; /health: HTTP 200, an HTML page)"
        ),
    ),
    trigger(
        "a web page that is not Airflow, under a fixed version",
        dict(api_url="<page>", api_version="v2", api_auth="basic", **NO_ANSWER),
        "What <page>/api/v2/dags/test_paused/dagRuns answers is not what an Airflow says: is api_url Airflow's own address?",
        asks=0,
    ),
    trigger(
        "a log-in page in front",
        dict(api_url="<login>", **NO_ANSWER),
        "What answers at <login> is not an Airflow that we know: check api_url (/api/v2/version: HTTP 302 to /sso/login?next=/; ",
    ),
    trigger(
        "a log-in page in front, under a fixed version",
        dict(api_url="<login>", api_version="v1", **NO_ANSWER),
        "POST <login>/api/v1/dags/test_paused/dagRuns leads away to '/sso/login?next=/': is api_url Airflow's own address?",
    ),
    trigger(
        "some other API",
        dict(api_url="<json>", **NO_ANSWER),
        "What answers at <json> is not an Airflow that we know: check api_url (/api/v2/version: HTTP 200, some JSON; ",
    ),
    trigger(
        "some other API, under a fixed version",
        dict(api_url="<json>", api_version="v1", **NO_ANSWER),
        "What <json>/api/v1/dags/test_paused/dagRuns answers is not what an Airflow says: is api_url Airflow's own address?",
    ),
    pool(
        "some other API, under a fixed version",
        dict(name="bad_input", slots=1, api_url="<json>", api_version="v1", **NO_ANSWER),
        "What <json>/api/v1/pools answers is not what an Airflow says: is api_url Airflow's own address?",
    ),
    trigger(
        "a server that knows nothing",
        dict(api_url="<nothing>", **NO_ANSWER),
        "What answers at <nothing> is not an Airflow that we know: check api_url (/api/v2/version: HTTP 404; /api/v1/version: HTTP 404; /health: HTTP 404)",
    ),
    trigger(
        "a server with an error",
        dict(api_url="<error>", **NO_ANSWER),
        "What answers at <error> is not an Airflow that we know: check api_url (/api/v2/version: HTTP 500; /api/v1/version: HTTP 500; /health: HTTP 500)",
    ),
    trigger(
        "TLS to a server without",
        dict(api_url="<https>", **NO_ANSWER),
        "No secure connection to <https>: the server does not speak TLS: try http:// in api_url",
    ),
    trigger(
        "a path that is none of Airflow's",
        dict(api_url="<url>/airflow"),
        "What answers at <url>/airflow is not an Airflow that we know: check api_url (/api/v2/version: HTTP ",
    ),
    trigger(
        "the wrong version, v2",
        dict(api_version="v2"),
        "<url> gave no token for user 'admin' (HTTP 404 to POST /auth/token): are api_url and api_version right? (api_auth=login needs Airflow 3)",
        on=(*ONE, *TWO),
    ),
    trigger(
        "the wrong version, v1",
        dict(api_version="v1"),
        {
            "airflow_1_10": (f"POST <url>/api/v1/dags/test_paused/dagRuns: HTTP 404, an HTML page{NO_ADDRESS}"),
            "": f"POST <url>/api/v1/dags/test_paused/dagRuns: HTTP 405, Method Not Allowed{NO_ADDRESS}",
        },
        on=(*ONE, *THREE),
        asks=1,
    ),
    trigger(
        "the wrong version, experimental",
        dict(api_version="experimental"),
        {
            "airflow_2_11": (f"POST <url>/api/experimental/dags/test_paused/dag_runs: HTTP 404, an HTML page{NO_ADDRESS}"),
            "": (
                "POST <url>/api/experimental/dags/test_paused/dag_runs: HTTP 405, Method Not Allowed (there is no such "
                "address: are api_url and api_version right?)"
            ),
        },
        on=(*TWO, *THREE),
        asks=1,
    ),
    trigger("no such version", dict(api_version="v3"), "value of api_version must be one of: auto, experimental, v1, v2, got: v3"),
    # How it is spoken to
    trigger("a time-out of nothing", dict(api_timeout=0), "api_timeout must be more than 0 s, and api_retries not negative"),
    trigger("a negative time-out", dict(api_timeout=-1), "api_timeout must be more than 0 s, and api_retries not negative"),
    trigger(
        "a time-out in words",
        dict(api_timeout="soon"),
        "argument 'api_timeout' is of type str and we were unable to convert to float: <class 'str'> cannot be converted to a float",
    ),
    trigger("negative retries", dict(api_retries=-1), "api_timeout must be more than 0 s, and api_retries not negative"),
    trigger(
        "an authority that is not there",
        dict(ca_path="<folder>/no.pem"),
        "ca_path '<folder>/no.pem' cannot be read (no such file or directory): it is looked for where the module runs",
    ),
    trigger(
        "a certificate that is not there",
        dict(client_cert="<folder>/no.pem"),
        "client_cert '<folder>/no.pem' cannot be read (no such file or directory): it is looked for where the module runs",
    ),
    trigger(
        "a key without certificate", dict(client_key="<folder>/empty.env"), "client_key is given without client_cert: name the certificate that it belongs to"
    ),
    # Who speaks
    trigger(
        "a wrong password",
        dict(api_password="n0t-this-0ne"),
        {
            "airflow_1_10": FORBIDDEN_BY_1,
            "airflow_2_11": FORBIDDEN_BY_2,
            "": "<url> does not accept the password of user 'admin': check api_username and api_password",
        },
        asks=dict(airflow_1_10=1, airflow_2_11=1),
    ),
    trigger(
        "an unknown user",
        dict(api_username="nobody"),
        {
            "airflow_1_10": FORBIDDEN_BY_1,
            "airflow_2_11": FORBIDDEN_BY_2,
            "": "<url> does not accept the password of user 'nobody': check api_username and api_password",
        },
        asks=dict(airflow_1_10=1, airflow_2_11=1),
    ),
    trigger(
        "no credentials",
        dict(api_username=None, api_password=None),
        {
            "airflow_1_10": (
                "POST <url>/api/experimental/dags/test_paused/dag_runs: HTTP 401, Unauthorized (it wants credentials: set api_username and api_password)"
            ),
            "airflow_2_11": FORBIDDEN_BY_2,
            "": (
                "POST <url>/api/v2/dags/test_paused/dagRuns: HTTP 401, Not authenticated (it wants credentials: set "
                "api_username and api_password, or api_token)"
            ),
        },
        asks=1,
    ),
    trigger("no password", dict(api_password=None), "api_password is missing: give it, or set AIRFLOW_API_PASSWORD where the module runs"),
    trigger("a password without a user", dict(api_username=None), "api_password is given without api_username: give both (or AIRFLOW_API_USERNAME)"),
    trigger(
        "a garbage token",
        dict(api_token="gArbage-t0ken"),
        {
            "airflow_1_10": "POST <url>/api/experimental/dags/test_paused/dag_runs: HTTP 500, UnicodeDecodeError: 'utf-8' codec can't decode byte",
            "airflow_2_11": FORBIDDEN_BY_2,
            "": (
                "POST <url>/api/v2/dags/test_paused/dagRuns: HTTP 403, Invalid JWT token (api_token is none of this "
                "Airflow's, or was revoked: get a new one, or give api_username and api_password)"
            ),
        },
        asks=1,
    ),
    trigger(
        "an expired token",
        dict(api_token="<expired>"),
        "POST <url>/api/v2/dags/test_paused/dagRuns: HTTP 401, Token Expired (api_token is over: get a new one, or give api_username and api_password)",
        on=THREE,
        asks=1,
    ),
    trigger("a token that is missing", dict(api_auth="token"), "api_auth is token, but there is no api_token (or AIRFLOW_API_TOKEN)"),
    trigger(
        "a log-in that this Airflow does not have",
        dict(api_auth="login"),
        "<url> gave no token for user 'admin' (HTTP 404 to POST /auth/token): are api_url and api_version right? (api_auth=login needs Airflow 3)",
        on=(*ONE, *TWO),
    ),
    trigger(
        "basic on Airflow 3",
        dict(api_auth="basic"),
        "POST <url>/api/v2/dags/test_paused/dagRuns: HTTP 401, Not authenticated (it wants credentials: set api_username and api_password, or api_token)",
        on=THREE,
        asks=1,
    ),
    trigger(
        "a user who may not",
        dict(api_username="bad_input_viewer", api_password="v1ewer-passw0rd"),
        {
            "airflow_2_11": (
                "POST <url>/api/v1/dags/test_paused/dagRuns: HTTP 403, Forbidden (the password is right, but this user may not do that: he needs another role)"
            ),
            "": (
                "POST <url>/api/v2/dags/test_paused/dagRuns: HTTP 403, Forbidden (the credentials are right, but their "
                "user may not do that: he needs another role, or, if he just got it, half a minute)"
            ),
        },
        on=("airflow_2_11", "airflow_3_fab"),
        asks=1,
    ),
    pool(
        "a user who may not",
        dict(name="bad_input", slots=1, api_username="bad_input_viewer", api_password="v1ewer-passw0rd"),
        {
            "airflow_2_11": "POST <url>/api/v1/pools: HTTP 403, Forbidden (the password is right, but this user may not do that: he needs another role)",
            "": (
                "POST <url>/api/v2/pools: HTTP 403, Forbidden (the credentials are right, but their "
                "user may not do that: he needs another role, or, if he just got it, half a minute)"
            ),
        },
        on=("airflow_2_11", "airflow_3_fab"),
        asks=1,
    ),
    trigger("no requests where the module runs", {}, "Failed to import the required Python library (requests)", interpreter="<folder>/bare/bin/python"),
    # Which DAG
    trigger("no DAG", dict(dag_id=None), "missing required arguments: dag_id"),
    trigger("an empty DAG", dict(dag_id=""), "dag_id '' cannot be part of an address: no Airflow can be asked for it"),
    trigger("a DAG called ..", dict(dag_id=".."), "dag_id '..' cannot be part of an address: no Airflow can be asked for it"),
    trigger("a DAG with a leading slash", dict(dag_id="/test_paused"), "dag_id '/test_paused' cannot be part of an address: no Airflow can be asked for it"),
    trigger(
        "an unknown DAG",
        dict(dag_id="nope"),
        {
            "airflow_1_10": (
                "There is no DAG 'nope' at <url> that can be run (Dag id nope not found in DagModel): check dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'nope' at <url>: check dag_id; the file of a new DAG takes Airflow up to some minutes to see, ",
        },
        asks=1,
    ),
    trigger(
        "a DAG almost right",
        dict(dag_id="test_pausd"),
        {
            "airflow_1_10": (
                "There is no DAG 'test_pausd' at <url> that can be run (Dag id test_pausd not found in DagModel): check "
                "dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'test_pausd' at <url>: is test_paused or ",
        },
        asks=1,
    ),
    trigger(
        "a DAG in capitals",
        dict(dag_id="Test_Paused"),
        {
            "airflow_1_10": (
                "There is no DAG 'Test_Paused' at <url> that can be run (Dag id Test_Paused not found in DagModel): check "
                "dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'Test_Paused' at <url>: is test_paused or ",
        },
        asks=1,
    ),
    trigger(
        "an unknown DAG with a slash",
        dict(dag_id="a/b"),
        {
            "airflow_1_10": (f"POST <url>/api/experimental/dags/a%2Fb/dag_runs: HTTP 404, an HTML page{NO_ADDRESS}"),
            "airflow_2_11": "There is no DAG 'a/b' at <url>: check dag_id; the file of a new DAG takes Airflow up to some minutes to see, ",
            "": f"POST <url>/api/v2/dags/a%2Fb/dagRuns: HTTP 405, Method Not Allowed{NO_ADDRESS}",
        },
        asks=1,
    ),
    trigger(
        "an unknown DAG that is not ASCII",
        dict(dag_id="täglich"),
        {
            "airflow_1_10": (
                "There is no DAG 'täglich' at <url> that can be run (Dag id täglich not found in DagModel): check dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'täglich' at <url>: check dag_id; the file of a new DAG takes Airflow up to some minutes to see, ",
        },
        asks=1,
    ),
    trigger(
        "an unknown DAG that is waited for",
        dict(dag_id="nope", wait_for_dag=1),
        {
            "airflow_1_10": (
                "There is no DAG 'nope' at <url> that can be run (Dag id nope not found in DagModel): check dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'nope' at <url>: check dag_id; the file of a new DAG takes Airflow up to some minutes to see, ",
        },
        asks=ANY,
    ),
    trigger(
        "an unknown DAG whose run is waited for",
        dict(dag_id="nope", wait=True),
        {
            "airflow_1_10": (
                "There is no DAG 'nope' at <url> that can be run (Dag id nope not found in DagModel): check dag_id, and that its file can be imported"
            ),
            "": "There is no DAG 'nope' at <url>: check dag_id; the file of a new DAG takes Airflow up to some minutes to see, ",
        },
        asks=1,
    ),
    trigger(
        "a paused DAG that is waited for",
        dict(wait=True, force=True),
        "The DAG 'test_paused' is paused, so a run would not start and the wait not end: nothing was started. Set unpause",
    ),
    # Its configuration
    trigger(
        "conf that is a text",
        dict(conf="hello"),
        "argument 'conf' is of type str and we were unable to convert to dict: dictionary requested, could not parse JSON or key=value",
    ),
    trigger(
        "conf that is a list",
        dict(conf=[1, 2]),
        "argument 'conf' is of type list and we were unable to convert to dict: <class 'list'> cannot be converted to a dict",
    ),
    trigger(
        "conf that is a number",
        dict(conf=3),
        "argument 'conf' is of type int and we were unable to convert to dict: <class 'int'> cannot be converted to a dict",
    ),
    trigger(
        "conf that is broken JSON",
        dict(conf='{"a": '),
        "argument 'conf' is of type str and we were unable to convert to dict: unable to evaluate string as dictionary",
    ),
    trigger(
        "conf with a number that is none",
        dict(conf=dict(a="<nan>")),
        ("conf holds a number that JSON does not have, such as .nan or .inf: give a text or null"),
    ),
    trigger(
        "params that the DAG refuses",
        dict(dag_id="test_params", conf=dict(who="me", n="many")),
        "The DAG 'test_params' does not take this conf: n: 'many' is not of type 'integer'",
        on=(*TWO, *THREE),
        asks=1,
    ),
    trigger(
        "params that are missing",
        dict(dag_id="test_params"),
        {
            "airflow_2_11": "The DAG 'test_params' does not take this conf: who: No value passed and Param has no default value",
            "": "The DAG 'test_params' does not take this conf: who: No value passed",
        },
        on=(*TWO, *THREE),
        asks=1,
    ),
    # Which run
    *(
        trigger(f"a run id with {what}", dict(run_id=run_id), f"run_id {run_id!r} is none that Airflow takes: letters, digits and _ . ~ : + - only")
        for what, run_id in {
            "a slash": "a/b",
            "a space": "a b",
            "a letter that is not ASCII": "é",
            "a line break": "a\nb",
            "a per cent sign": "100%",
            "only a dot": ".",
            "only two dots": "..",
        }.items()
    ),
    trigger("an empty run id", dict(run_id=""), "run_id is empty: give a name, or leave it out"),
    trigger("a run id of 251 characters", dict(run_id="x" * 251), "run_id is 251 characters long, Airflow takes 250"),
    *(
        trigger(
            f"a run id of Airflow's own, {prefix}",
            dict(run_id=f"{prefix}__2026"),
            f"run_id '{prefix}__2026' begins with {prefix}__, which Airflow keeps for runs of its own",
        )
        for prefix in ("scheduled", "backfill", "dataset_triggered", "asset_triggered", "asset_materialization", "operator_triggered")
    ),
    trigger("a run id and a run key", dict(run_id="a", run_key="b"), "parameters are mutually exclusive: run_id|run_key"),
    trigger(
        "a date without a time zone",
        dict(logical_date="2026-11-25T00:00:00"),
        "logical_date '2026-11-25T00:00:00' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00",
    ),
    trigger(
        "a day for a date",
        dict(logical_date="2026-11-25"),
        "logical_date '2026-11-25' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00",
    ),
    trigger(
        "an impossible date",
        dict(logical_date="2026-02-30T00:00:00Z"),
        "logical_date '2026-02-30T00:00:00Z' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00",
    ),
    trigger(
        "seconds for a date",
        dict(logical_date=1764028800),
        "logical_date '1764028800' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00",
    ),
    trigger(
        "a word for a date",
        dict(logical_date="yesterday"),
        "logical_date 'yesterday' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00",
    ),
    trigger(
        "no date where each run has one",
        dict(logical_date="none"),
        {
            "airflow_2_11": "Airflow 2 gives every run a logical_date: leave out logical_date=none",
            "": "Airflow 1.10 gives every run a logical_date: leave out logical_date=none",
        },
        on=(*ONE, *TWO),
    ),
    trigger(
        "a date and a run key",
        dict(logical_date="2026-11-25T00:00:00Z", run_key="b"),
        "run_key says nothing beside a logical_date, which names the run: leave out one of them",
    ),
    trigger(
        "half an interval",
        dict(logical_date="2026-11-25T00:00:00Z", data_interval_start="2026-11-25T00:00:00Z"),
        "data_interval_start and data_interval_end go together: give both, or none",
    ),
    trigger(
        "an interval without a date",
        dict(data_interval_start="2026-11-24T00:00:00Z", data_interval_end="2026-11-25T00:00:00Z"),
        "data_interval_start and data_interval_end are of a run with a logical_date: give one",
    ),
    trigger(
        "an interval that ends before it starts",
        dict(logical_date="2026-11-25T00:00:00Z", data_interval_start="2026-11-25T00:00:00Z", data_interval_end="2026-11-24T00:00:00Z"),
        "data_interval_start is after data_interval_end",
    ),
    trigger(
        "a word for the earliest start", dict(run_after="soon"), "run_after 'soon' is no date with a time and a time zone, such as 2026-11-25T00:00:00+00:00"
    ),
    trigger(
        "an earliest start where there is none",
        dict(run_after="2099-01-01T00:00:00Z"),
        {
            "airflow_1_10": "Airflow 1.10 has no run_after for a dag run: it came with Airflow 3",
            "": "Airflow 2 has no run_after for a dag run: it came with Airflow 3",
        },
        on=(*ONE, *TWO),
    ),
    trigger("force, and a run id", dict(force=True, run_id="a"), "force starts another run in any case, run_id names one: leave out one of them"),
    trigger(
        "force, and what to do if it failed",
        dict(force=True, if_failed="rerun"),
        "force starts another run in any case, if_failed asks for one that was there: leave out one of them",
    ),
    trigger(
        "another attempt of a date",
        dict(logical_date="2026-11-25T00:00:00Z", if_failed="rerun"),
        "A date has one run, so another attempt cannot have the same logical_date: set if_failed to clear, or leave out logical_date",
    ),
    trigger("no attempts", dict(max_attempts=0), "max_attempts counts the first run too, it cannot be 0"),
    trigger("another way if it failed", dict(if_failed="ignore"), "value of if_failed must be one of: fail, clear, rerun, got: ignore"),
    trigger(
        "the same run id with another conf",
        dict(run_id="bad_input_there", conf=dict(a=2)),
        "The run 'bad_input_there' of the DAG 'test_paused' exists with another conf: it has {\"a\": 1}, asked was {\"a\": 2}. Give another run_id",
        on=(*TWO, *THREE),
        asks=1,
    ),
    trigger(
        "the same run id with another date",
        dict(run_id="bad_input_there", conf=dict(a=1), logical_date="2026-11-25T00:00:00Z"),
        "The run 'bad_input_there' of the DAG 'test_paused' exists with another logical_date: it has ",
        asks=1,
    ),
    trigger("a note that is too long", dict(note="x" * 1001), "note is 1001 characters long, Airflow takes 1000"),
    trigger(
        "an unknown option",
        dict(dag="test_paused"),
        "Unsupported parameters for (dagops.airflow.airflow_dag_trigger) module: dag. Supported parameters include: ",
    ),
    # Times
    trigger("a wait of nothing", dict(wait_timeout=0), "wait_timeout is a number of seconds, it cannot be 0"),
    trigger("a negative wait", dict(wait_timeout=-5), "wait_timeout is a number of seconds, it cannot be -5"),
    trigger("a wait for ever", dict(wait_timeout="inf"), "wait_timeout is a number of seconds, it cannot be inf"),
    trigger(
        "a wait in words",
        dict(wait_timeout="long"),
        "argument 'wait_timeout' is of type str and we were unable to convert to float: <class 'str'> cannot be converted to a float",
    ),
    trigger("an interval of nothing", dict(poll_interval=0), "poll_interval is a number of seconds, it cannot be 0"),
    trigger("a negative wait for the DAG", dict(wait_for_dag=-1), "wait_for_dag is a number of seconds, it cannot be -1"),
    trigger("a negative outage", dict(outage_timeout=-1), "outage_timeout is a number of seconds, it cannot be -1"),
    trigger("a negative number of lines", dict(log_lines=-1), "log_lines is a number of lines, it cannot be -1"),
    trigger("results of no task", dict(xcom=[":key"]), "xcom ':key' names no task: write task_id, or task_id:key"),
    trigger(
        "results where there are none",
        dict(xcom=["work"]),
        "Airflow 1.10 gives no results of tasks through its REST API: leave out xcom",
        on=ONE,
    ),
    trigger(
        "a run to be cancelled where it cannot be",
        dict(on_timeout="cancel"),
        "Airflow 1.10 cannot cancel a run through its REST API: set on_timeout to fail or return",
        on=ONE,
    ),
    wait("no DAG", {}, "missing required arguments: dag_id"),
    wait(
        "a run that is not there",
        dict(dag_id="test_paused", run_id="no_such_run"),
        "There is no run 'no_such_run' of the DAG 'test_paused', so nothing can be waited for",
    ),
    wait("to cancel", dict(dag_id="test_paused", on_timeout="cancel"), "value of on_timeout must be one of: fail, return, got: cancel"),
    wait("a wait of nothing", dict(dag_id="test_paused", wait_timeout=0), "wait_timeout is a number of seconds, it cannot be 0"),
    wait(
        "through Airflow's Python",
        {"dag_id": "test_paused", "<python>": True},
        "DAG runs are waited for through the REST API only: leave out client=python",
    ),
    runs("no list", {}, "missing required arguments: runs"),
    runs("a run without its DAG", dict(runs=[{}]), "missing required arguments: dag_id found in runs"),
    runs(
        "one run twice",
        dict(runs=[dict(dag_id="test_paused"), dict(dag_id="test_paused")]),
        "Runs 1 and 2 of the list are one and the same run: give each a run_key (or run_id) of its own",
    ),
    runs(
        "one run that cannot be",
        dict(runs=[dict(dag_id="test_paused", run_key="a"), dict(dag_id="test_paused", run_id="a b")]),
        "Run 2 of the list: run_id 'a b' is none that Airflow takes: letters, digits and _ . ~ : + - only",
    ),
    runs("none at a time", dict(runs=[dict(dag_id="test_paused")], max_parallel=0), "max_parallel is a number of runs, it cannot be 0"),
    runs("an unknown option", dict(runs=[dict(dag_id="test_paused", wait=True)]), "runs.wait. Supported parameters include:"),
    info("a wait of nothing", dict(wait_until_healthy=True, wait_timeout=0), "wait_timeout is a number of seconds, it cannot be 0"),
    info("an interval of nothing", dict(wait_until_healthy=True, poll_interval=0), "poll_interval is a number of seconds, it cannot be 0"),
    info(
        "a wait for a dead server",
        dict(wait_until_healthy=True, wait_timeout=1, poll_interval=0.5, api_url="http://127.0.0.1:9", api_retries=0),
        (
            "Airflow at http://127.0.0.1:9 is still not there (No server answers at http://127.0.0.1:9 (connection "
            "refused): is Airflow running there, and is the port right?) after 1 s (wait_timeout)"
        ),
    ),
    # Pools
    pool("no name", dict(slots=1), "missing required arguments: name"),
    pool("an empty name", dict(name="", slots=1), "name is empty: give the one that is meant"),
    pool("a name called .", dict(name=".", slots=1), "name '.' cannot be part of an address: no Airflow can be asked for it"),
    pool("a name with a leading slash", dict(name="/a", slots=1), "name '/a' cannot be part of an address: no Airflow can be asked for it"),
    pool("a name that is too long", dict(name="x" * 257, slots=1), "name is 257 characters long, Airflow takes 256"),
    pool(
        "no slots",
        dict(name="bad_input"),
        {
            "airflow_1_10": "To create the pool 'bad_input', Airflow 1.10 needs slots",
            "airflow_2_11": "To create the pool 'bad_input', Airflow 2 needs slots",
            "": "To create the pool 'bad_input', Airflow 3 needs slots",
        },
    ),
    pool(
        "slots in words",
        dict(name="bad_input", slots="many"),
        "argument 'slots' is of type str and we were unable to convert to int: \"'many'\" cannot be converted to an int",
    ),
    pool("slots below none", dict(name="bad_input", slots=-2), "slots cannot be -2: it is a number of tasks, or -1 for any number"),
    pool(
        "what came later",
        dict(name="bad_input", slots=1, include_deferred=True),
        "Airflow 1.10 has no include_deferred for a pool: it came with Airflow 2.7",
        on=ONE,
    ),
    pool("the pool that Airflow needs", dict(name="default_pool", state="absent"), "The pool 'default_pool' is Airflow's own and cannot be removed"),
    pool("no such state", dict(name="bad_input", slots=1, state="here"), "value of state must be one of: present, absent, got: here"),
    pool(
        "through Airflow's Python",
        {**dict(name="bad_input", slots=1), "<python>": True},
        {
            "airflow_2_11": "Airflow 2 has no pools that this collection can manage through Airflow's own Python: use client=rest",
            "airflow_3_fab": "Airflow 3 has no pools that this collection can manage through Airflow's own Python: use client=rest",
            "airflow_3_simple": (
                "Airflow 3 with the simple auth manager has no pools that this collection can manage through Airflow's own Python: use client=rest"
            ),
            "": "Airflow 1.10 has no pools that this collection can manage through Airflow's own Python: use client=rest",
        },
    ),
    # Kinds that one client does not have
    trigger("through Airflow's Python", {"<python>": True}, "DAG runs are triggered through the REST API only: leave out client=python"),
    Row(
        "a user through the REST API",
        dict(username="bad_input", password="p4ssword-of-one"),
        "has no users that this collection can manage through the REST API: use client=python on the master",
        module="airflow_api_user",
    ),
    # Airflow's Python
    *(
        user(name, {"<python>": True, "state": "absent", **given}, says)
        for name, given, says in (
            (
                "nothing behind airflow_python",
                dict(airflow_python="/no/such/python"),
                "There is no interpreter '/no/such/python': set airflow_python to the Python that Airflow is installed in",
            ),
            (
                "a folder for airflow_python",
                dict(airflow_python="<folder>"),
                "airflow_python '<folder>' cannot be started: [Errno 13] Permission denied: '<folder>'",
            ),
            (
                "no Python behind airflow_python",
                dict(airflow_python="/bin/sh"),
                "airflow_python '/bin/sh' is no Python that speaks with us; it said: /bin/sh: 1: 0: not found",
            ),
            (
                "another program behind airflow_python",
                dict(airflow_python="/bin/true"),
                "airflow_python '/bin/true' is no Python that speaks with us; it said: nothing, exit status 0",
            ),
            (
                "no Airflow behind airflow_python",
                dict(airflow_python="<own_python>"),
                "The Python '<own_python>' has no Airflow: set airflow_python to the one that Airflow is installed in",
            ),
            (
                "an unbalanced quote in airflow_python",
                dict(airflow_python="docker exec 'web python"),
                'airflow_python "docker exec \'web python" is no command: No closing quotation',
            ),
            ("a home that is not there", dict(airflow_home="<folder>/no", airflow_env_file=None), "there is no Airflow home <folder>/no: set airflow_home"),
            (
                "a file for a home",
                dict(airflow_home="<folder>/empty.env", airflow_env_file=None),
                "there is no Airflow home <folder>/empty.env: set airflow_home",
            ),
            (
                "a home without a database",
                dict(airflow_home="<folder>/home", airflow_env_file=None),
                (
                    "the Airflow home <folder>/home holds neither airflow.cfg nor airflow.db, and no setting names a database: "
                    "set airflow_home, or airflow_env_file, as the service has it"
                ),
            ),
            (
                "a home with an empty database",
                dict(airflow_home="<folder>/empty", airflow_env_file="<folder>/empty.env"),
                (
                    "The database sqlite:///<folder>/empty/airflow.db has no Airflow tables yet: initialise it, or set "
                    "airflow_home or airflow_env_file as the service has it"
                ),
            ),
            ("settings that are not there", dict(airflow_env_file="<folder>/no.env"), "There is no airflow_env_file '<folder>/no.env'"),
            ("a folder for settings", dict(airflow_env_file="<folder>"), "airflow_env_file '<folder>' cannot be read: [Errno 21] Is a directory: '<folder>'"),
            (
                "settings that are no text",
                dict(airflow_env_file="<folder>/binary.env"),
                "airflow_env_file '<folder>/binary.env' cannot be read: 'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
            ),
            (
                "a database that is not there",
                dict(airflow_env_file="<folder>/elsewhere.env"),
                "there is no database <folder>/no.db: set airflow_home, or airflow_env_file, as the service has it",
            ),
            (
                "a database server that is down",
                dict(airflow_env_file="<folder>/down.env"),
                "The database postgresql+psycopg2://airflow:***@127.0.0.1:9/airflow could not open: OperationalError: connection to server at",
            ),
            (
                "another auth than that of API users",
                dict(airflow_env_file="<folder>/other.env"),
                {
                    "airflow_1_10": (
                        "This Airflow 1.10.15 authenticates by airflow.api.auth.backend.deny_all; its database holds users of the "
                        "REST API only under airflow.contrib.auth.backends.password_auth"
                    ),
                    "airflow_2_11": (
                        "This Airflow 2.11.2 authenticates by example.AuthManager; its database holds users of the REST API only "
                        "under airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
                    ),
                    "": (
                        "This Airflow 3.3.2 authenticates by example.AuthManager; its database holds users of the REST API only "
                        "under airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
                    ),
                },
            ),
            ("an empty name", dict(username=""), "username is empty: give the one that is meant"),
            ("an account that is not there", dict(airflow_user="no-such-account"), "There is no user 'no-such-account' here: see airflow_user"),
        )
    ),
    user(
        "the settings of the service forgotten",
        {"<python>": True, "airflow_env_file": None, "password": "p4ssword-of-one", "roles": ["Admin"]},
        "the settings name no auth manager, which means the simple one, but the database has users of FAB's: set airflow_env_file, or airflow_home",
        on=("airflow_3_fab",),
    ),
    user(
        "a read-only database",
        {"<python>": True, "airflow_python": "<read_only>", "password": "p4ssword-of-one", "email": "b@example.org", "roles": ["Admin"]},
        {
            "airflow_3_simple": "could not create: OSError: [Errno 30] Read-only file system",
            "": "could not create: OperationalError: attempt to write a readonly database",
        },
    ),
    user(
        "no password",
        {"<python>": True},
        {
            "airflow_1_10": "To create the user 'bad_input', Airflow 1.10 needs password",
            "airflow_2_11": "To create the user 'bad_input', Airflow 2 needs password, email, roles",
            "airflow_3_simple": "To create the user 'bad_input', Airflow 3 with the simple auth manager needs password, roles",
            "": "To create the user 'bad_input', Airflow 3 needs password, email, roles",
        },
    ),
    user(
        "an empty password",
        {"<python>": True, "password": "", "email": "b@example.org", "roles": ["Admin"]},
        {
            "airflow_1_10": "To create the user 'bad_input', Airflow 1.10 needs password",
            "airflow_2_11": "To create the user 'bad_input', Airflow 2 needs password",
            "airflow_3_simple": "To create the user 'bad_input', Airflow 3 with the simple auth manager needs password",
            "": "To create the user 'bad_input', Airflow 3 needs password",
        },
    ),
    user(
        "no e-mail and no role",
        {"<python>": True, "password": "p4ssword-of-one"},
        {"airflow_3_fab": "To create the user 'bad_input', Airflow 3 needs email, roles", "": "To create the user 'bad_input', Airflow 2 needs email, roles"},
        on=("airflow_2_11", "airflow_3_fab"),
    ),
    user(
        "a role that is not there",
        {"<python>": True, "password": "p4ssword-of-one", "email": "b@example.org", "roles": ["Chief"]},
        {
            "airflow_1_10": "roles of a user can only be ['Admin'] on Airflow 1.10: there every API user may do everything",
            "airflow_3_simple": "the simple auth manager gives each user exactly one role of viewer, user, op, admin, not chief",
            "": "there are no roles Chief; there are: Admin, Op, Public, User, Viewer",
        },
    ),
    user(
        "no role at all",
        {"<python>": True, "password": "p4ssword-of-one", "email": "b@example.org", "roles": []},
        {
            "airflow_1_10": "roles of a user can only be ['Admin'] on Airflow 1.10: there every API user may do everything",
            "airflow_2_11": "To create the user 'bad_input', Airflow 2 needs roles",
            "airflow_3_simple": "To create the user 'bad_input', Airflow 3 with the simple auth manager needs roles",
            "": "To create the user 'bad_input', Airflow 3 needs roles",
        },
    ),
    user(
        "an e-mail that another has",
        {"<python>": True, "password": "p4ssword-of-one", "email": "admin@example.org", "roles": ["Admin"]},
        "the email admin@example.org belongs to admin already",
        on=("airflow_2_11", "airflow_3_fab"),
    ),
    user(
        "a password longer than bcrypt looks",
        {"<python>": True, "password": "x" * 73},
        "password is longer than 72 bytes: bcrypt, which Airflow 1.10 uses, does not look at the rest",
        on=ONE,
    ),
    user(
        "a user who is not active",
        {"<python>": True, "password": "p4ssword-of-one", "active": False},
        {
            "airflow_1_10": "active of a user can only be True on Airflow 1.10: there an API user is active as long as he exists: use state=absent",
            "": "active of a user can only be True on Airflow 3 with the simple auth manager: there a user is active as long as he exists: use state=absent",
        },
        on=(*ONE, "airflow_3_simple"),
    ),
    user(
        "a name with a colon",
        {"<python>": True, "username": "a:b", "password": "p4ssword-of-one", "roles": ["Admin"]},
        "the simple auth manager cannot have a user a:b: comma and colon part the names in its setting",
        on=("airflow_3_simple",),
    ),
    user(
        "two roles",
        {"<python>": True, "password": "p4ssword-of-one", "roles": ["Admin", "Viewer"]},
        "the simple auth manager gives each user exactly one role of viewer, user, op, admin, not admin, viewer",
        on=("airflow_3_simple",),
    ),
    # Variables and connections, of both clients: only the REST API of 1.10 has none
    variable(
        "no variables",
        dict(value="x"),
        "Airflow 1.10 has no variables that this collection can manage through the REST API: use client=python on the master",
        on=ONE,
    ),
    connection(
        "no connections",
        dict(conn_type="http"),
        "Airflow 1.10 has no connections that this collection can manage through the REST API: use client=python on the master",
        on=ONE,
    ),
    *(
        row(name, {**given, **client}, says, on=on)
        for client, on, kind in (({}, (*TWO, *THREE), ""), ({"<python>": True}, ONE, ", by Airflow's own Python"))
        for row, what, given, says in (
            (variable, "no key", dict(key=None, value="x"), "missing required arguments: key"),
            (variable, "an empty key", dict(key="", value="x"), "key is empty: give the one that is meant"),
            (variable, "a key that is too long", dict(key="k" * 251, value="x"), "key is 251 characters long, Airflow takes 250"),
            (variable, "no value", {}, "To create the variable 'bad_input', Airflow "),
            (variable, "a mask for a value", dict(value="***"), f"value{A_MASK}"),
            (variable, "a mask inside a value", dict(value=dict(password="***")), f"value{A_MASK}"),
            (variable, "a mask inside the JSON of a value", dict(value='{"password": "***"}'), f"value{A_MASK}"),
            (
                variable,
                "an unknown way with secrets",
                dict(value="x", update_secrets="sometimes"),
                "value of update_secrets must be one of: if_known, always, on_create, got: sometimes",
            ),
            (connection, "no connection_id", dict(connection_id=None, conn_type="http"), "missing required arguments: connection_id"),
            (connection, "an empty connection_id", dict(connection_id="", conn_type="http"), "connection_id is empty: give the one that is meant"),
            (
                connection,
                "a space in connection_id",
                dict(connection_id="bad input", conn_type="http"),
                "connection_id is 'bad input': Airflow takes letters, digits, dots, dashes and underscores, 200 at most",
            ),
            (
                connection,
                "a slash in connection_id",
                dict(connection_id="bad/input", conn_type="http"),
                "connection_id is 'bad/input': Airflow takes letters, digits, dots, dashes and underscores, 200 at most",
            ),
            (connection, "no type", dict(host="example.org"), "To create the connection 'bad_input', Airflow "),
            (connection, "an empty type", dict(conn_type=""), "conn_type is empty: a connection has a type"),
            (connection, "a port that is no number", dict(conn_type="http", port="eighty"), "argument 'port' is of type "),
            (connection, "a port below all", dict(conn_type="http", port=-1), "port is -1: a port is a number from 1 to 65535"),
            (connection, "a port above all", dict(conn_type="http", port=70000), "port is 70000: a port is a number from 1 to 65535"),
            (connection, "a text for an extra", dict(conn_type="http", extra="no json"), "extra is a mapping, or the JSON of one"),
            (connection, "a list for an extra", dict(conn_type="http", extra=[1]), "extra is a mapping, or the JSON of one"),
            (connection, "a mask inside an extra", dict(conn_type="http", extra=dict(token="***")), f"extra{A_MASK}"),
            (connection, "a mask for a password", dict(conn_type="http", password="***"), f"password{A_LONGER_MASK}"),
            (connection, "an empty password", dict(conn_type="http", password=""), "password is empty, and Airflow removes none: set state to absent, then"),
            (connection, "a uri and a part of it", dict(uri="http://example.org", host="example.org"), "parameters are mutually exclusive: uri|host"),
            (connection, "a uri without a type", dict(uri="example.org"), "uri begins with a connection type, as in postgresql://user@host:5432/schema"),
            (connection, "a uri that is a number", dict(uri=7), "uri begins with a connection type, as in postgresql://user@host:5432/schema"),
            (
                connection,
                "a slash in the password of a uri",
                dict(uri="http://me:pass/word@example.org:80"),
                "uri is no address: is each part percent-encoded, a slash in a password as %2F, # as %23, ? as %3F?",
            ),
            (
                connection,
                "a protocol in the host of a uri",
                dict(uri="http://https://example.org"),
                "The host in uri holds a protocol of its own: write it percent-encoded, or give conn_type, host and the others instead",
            ),
        )
        for name in [what + kind]
    ),
    variable("a key that is a folder", dict(key="..", value="x"), "key '..' cannot be part of an address: no Airflow can be asked for it", on=(*TWO, *THREE)),
]
