# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ad hoc and in pipelines: address and credentials from the environment, exit codes to trust, hosts over SSH, Airflow in a container."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import textwrap

import yaml

from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._module import variable

from . import control
from .test_secrets import Watch

TRIGGER = "dagops.airflow.airflow_dag_trigger"
API_USER = "dagops.airflow.airflow_api_user"
TELLS_CONF = ("2", "3")  # the generations that tell the conf of a run that was there


def credentials(server):
    return {variable(name): value for name, value in server["rest"].items()}


def ad_hoc(arguments, *more):
    return ["localhost", "-m", TRIGGER, "-a", arguments, *more]


def test_ad_hoc_from_the_environment(server, ansible):
    """Both forms of the arguments are one wish: one run. Check mode foretells it; what fails is 2."""
    key = secrets.token_hex(8)
    words = f"""dag_id=test_paused conf='{{"a": 1}}' run_key={key}"""
    environment = credentials(server)

    foretold = ansible(ad_hoc(words, "--check"), environment=environment)
    assert foretold.code == 0, foretold.told
    assert "localhost | CHANGED => {" in foretold.told
    first = ansible(ad_hoc(words), environment=environment)
    assert first.code == 0, first.told
    assert "localhost | CHANGED => {" in first.told
    run = first.of(TRIGGER)["dag_run"]
    assert run["conf"] == {"a": 1}
    assert run["run_id"] == foretold.of(TRIGGER)["dag_run"]["run_id"]

    again = ansible(ad_hoc(json.dumps(dict(dag_id="test_paused", conf=dict(a=1), run_key=key))), environment=environment)
    assert again.code == 0, again.told
    assert "localhost | SUCCESS => {" in again.told
    found = again.of(TRIGGER)
    assert (found["found"], found["dag_run"]["run_id"]) == (True, run["run_id"])
    if server["version"].startswith(TELLS_CONF):
        assert found["dag_run"]["conf"] == {"a": 1}

    failed = ansible(ad_hoc("dag_id=nope"), environment=environment)
    assert failed.code == 2, failed.told
    assert "localhost | FAILED! => {" in failed.told
    assert failed.of(TRIGGER)["msg"].startswith("There is no DAG 'nope' at ")
    for done in (foretold, first, again, failed):
        assert "Traceback" not in done.told
        assert server["rest"]["api_password"] not in done.told


def test_exit_codes_of_a_play(server, ansible):
    """Green twice for one build, red for what went wrong, and what stands behind a failure is not played."""
    run = {TRIGGER: dict(dag_id="test_paused", run_key=secrets.token_hex(8)), "name": "run"}
    after = {"ansible.builtin.debug": dict(msg="deployed"), "name": "after"}
    said = dict(module_defaults={"group/dagops.airflow.airflow": server["rest"]})
    foretold, first, again = (ansible([run, after], *args, **said) for args in (["--check"], [], []))
    assert [done.code for done in (foretold, first, again)] == [0, 0, 0], first.told
    assert [done.of("run")["changed"] for done in (foretold, first, again)] == [True, True, False]
    for wrong in (dict(dag_id="nope"), dict(api_password="wr0ng-0ne"), dict(api_url="http://127.0.0.1:9", api_retries=0), dict(api_timeout="soon")):
        broken = ansible([{**run, TRIGGER: {**run[TRIGGER], **wrong}}, after], **said)
        assert broken.code == 2, broken.told
        assert [one["task"] for one in broken.results] == ["run"]
        assert "Traceback" not in broken.told


def test_a_minimal_environment(server, tmp_path):
    """As in a container: no HOME, no TERM, no terminal, no UTF-8; ad hoc and as a play, twice."""
    play = tmp_path / "play.yml"
    key = secrets.token_hex(8)
    play.write_text(json.dumps([dict(hosts="localhost", gather_facts=False, tasks=[{TRIGGER: dict(dag_id="test_paused", run_key=key, note="Größe")}])]))
    empty = {variable(name): "" for name in CONNECTION}  # as pipelines set what nobody filled
    given = [f"{name}={value}" for name, value in {**empty, **credentials(server), "PATH": "/usr/bin:/bin", "LANG": "C"}.items()]

    def bare(*command):
        done = subprocess.run(
            ["env", "-i", *given, control.BIN / command[0], *command[1:]],
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # without the tests' own terminal
            timeout=600,
            check=False,
        )
        told = (done.stdout + done.stderr).decode()  # strictly: what is no UTF-8 is not readable
        assert "Traceback" not in told and "\x1b" not in told
        return done.returncode, told

    for changed in (1, 0):
        code, told = bare("ansible-playbook", play)
        assert code == 0, told
        assert f"ok=1    changed={changed} " in told
    code, told = bare("ansible", *ad_hoc("dag_id=test_paused run_key=" + key))
    assert code == 0, told
    assert '"found": true' in told
    code, told = bare("ansible", *ad_hoc("dag_id=größe"))
    assert code == 2, told
    assert "There is no DAG 'größe' at " in told


def test_every_option_has_its_variable(ansible):
    """Each arrives, as what it is; and a wrong one is answered by a sentence that names the option, in the worker as in a module."""
    given = dict(
        api_url=("http://127.0.0.1:9/prefix", "http://127.0.0.1:9/prefix"),
        api_username=("somebody", "somebody"),
        api_password=("s3cret-0ne", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        api_token=("t0ken-0ne", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        api_version=("v1", "v1"),
        api_auth=("basic", "basic"),
        api_timeout=("7.5", 7.5),
        api_retries=("0", 0),
        validate_certs=("no", False),
        ca_path=("~nobody/ca.pem", os.path.expanduser("~nobody/ca.pem")),
        client_cert=("/tmp/cert.pem", "/tmp/cert.pem"),
        client_key=("/tmp/key.pem", "/tmp/key.pem"),
        client=("python", "python"),
        airflow_python=("docker exec -i web python", "docker exec -i web python"),
        airflow_home=("/opt/airflow", "/opt/airflow"),
        airflow_env_file=("/opt/airflow/env", "/opt/airflow/env"),
        airflow_user=("airflow", "airflow"),
    )
    assert set(given) == set(CONNECTION)
    environment = {variable(name): text for name, (text, _value) in given.items()}
    done = ansible(ad_hoc("dag_id=x"), environment={**environment, "ANSIBLE_INJECT_INVOCATION": "true"})
    result = done.of(TRIGGER)
    assert {name: result["invocation"]["module_args"][name] for name in given} == {name: value for name, (_text, value) in given.items()}
    assert done.code == 2
    assert "s3cret-0ne" not in done.told and "t0ken-0ne" not in done.told
    worker = ansible(ad_hoc("dag_id=x", "-vv"), environment={"AIRFLOW_API_URL": "http://127.0.0.1:9", "AIRFLOW_API_TIMEOUT": "soon"})
    assert "airflow_dag_trigger: in the worker" in worker.told
    assert worker.code == 2
    assert worker.of(TRIGGER)["msg"].startswith("argument 'api_timeout' is of type")


def test_wrong_variables(ansible):
    """One play, each variable in the environment of a task of its own, on a server that is real."""
    assert control.SERVERS, "no server to test against"
    server = list(control.SERVERS.values())[-1]
    url = server["rest"]["api_url"]
    secure = url.replace("http://", "https://")
    rows = [
        (dict(AIRFLOW_API_TIMEOUT="soon"), "argument 'api_timeout' is of type"),
        (dict(AIRFLOW_API_TIMEOUT="0"), "api_timeout must be more than 0 s"),
        (dict(AIRFLOW_API_RETRIES="few"), "argument 'api_retries' is of type"),
        (dict(AIRFLOW_API_RETRIES="-1"), "api_retries not negative"),
        (dict(AIRFLOW_VALIDATE_CERTS="perhaps"), "argument 'validate_certs' is of type"),
        (dict(AIRFLOW_API_VERSION="v7"), "value of api_version must be one of: auto, experimental, v1, v2, got: v7"),
        (dict(AIRFLOW_API_AUTH="kerberos"), "value of api_auth must be one of: auto, "),
        (dict(AIRFLOW_CLIENT="grpc"), "value of client must be one of: rest, python, got: grpc"),
        (dict(AIRFLOW_API_URL="airflow.example.org"), "api_url 'airflow.example.org' is no address of a web server"),
        (dict(AIRFLOW_API_URL=""), "set AIRFLOW_API_URL where the module runs"),
        (dict(AIRFLOW_API_PASSWORD=""), "set AIRFLOW_API_PASSWORD where the module runs"),
        (dict(AIRFLOW_API_USERNAME="", AIRFLOW_API_AUTH="basic"), "set AIRFLOW_API_USERNAME where the module runs"),
        (dict(AIRFLOW_API_USERNAME="nobody"), "api_username and api_password"),
        (dict(AIRFLOW_API_TOKEN="garbage"), "api_token"),
        (dict(AIRFLOW_API_AUTH="token"), "AIRFLOW_API_TOKEN"),
        (dict(AIRFLOW_CA_PATH="/no/such", AIRFLOW_API_URL=secure), "ca_path"),
        (dict(AIRFLOW_CLIENT_CERT="/no/such", AIRFLOW_API_URL=secure), "client_cert"),
        (dict(AIRFLOW_CLIENT_CERT="/etc/hostname", AIRFLOW_CLIENT_KEY="/no/such", AIRFLOW_API_URL=secure), "client_key"),
        (dict(AIRFLOW_CLIENT="python", AIRFLOW_PYTHON="/no/such"), "set airflow_python to the Python that Airflow is installed in"),
        (dict(AIRFLOW_CLIENT="python", AIRFLOW_PYTHON=sys.executable, AIRFLOW_HOME="/no/such"), "set airflow_home"),
        (dict(AIRFLOW_CLIENT="python", AIRFLOW_PYTHON="python 'x"), 'airflow_python "python \'x" is no command: No closing quotation'),
        (dict(AIRFLOW_CLIENT="python", AIRFLOW_ENV_FILE="/no/such", AIRFLOW_PYTHON=sys.executable), "There is no airflow_env_file '/no/such'"),
        (dict(AIRFLOW_CLIENT="python", AIRFLOW_USER="no-such-user", AIRFLOW_PYTHON=sys.executable), "see airflow_user"),
    ]
    assert {name for variables, _sentence in rows for name in variables} == set(map(variable, CONNECTION))
    tasks = [
        {API_USER if "AIRFLOW_CLIENT" in variables else "dagops.airflow.airflow_pool": arguments, "environment": {**credentials(server), **variables}}
        for variables, _sentence in rows
        for arguments in [dict(username="nobody") if "AIRFLOW_CLIENT" in variables else dict(name="nothing", state="absent")]
    ]
    done = ansible([dict(task, name=str(number), ignore_errors=True) for number, task in enumerate(tasks)])
    assert done.code == 0, done.told
    assert "Traceback" not in done.told
    for number, (variables, sentence) in enumerate(rows):
        result = done.of(str(number))
        assert result["failed"] and not result["changed"], (variables, result)
        assert sentence in result["msg"], (variables, result["msg"])


def test_a_host_over_ssh(server, far, ansible):
    """Its secrets come from the controller's environment: on the host they are in no process's environment or arguments."""
    word = secrets.token_hex(12)
    user = dict(server["python"], username=f"far_{word[:6]}", password=word, email=f"{word[:6]}@example.org", roles=["Admin"])
    defaults = {"group/dagops.airflow.airflow": {name: f"{{{{ lookup('env', '{variable(name)}') }}}}" for name in ("api_url", "api_username", "api_password")}}
    rest = dict(server["rest"])
    tasks = [{TRIGGER: dict(dag_id="test_paused", run_key=word), "name": "run"}, {TRIGGER: dict(dag_id="test_paused", run_key=word), "name": "again"}]
    if server["user_table"]:  # the simple auth manager knows a new name only after a restart
        made = ansible([{API_USER: user, "name": "user"}])
        assert made.code == 0, made.told
        rest.update(api_username=user["username"], api_password=word)
    watch = Watch([rest["api_password"]], processes=lambda: far.processes)
    watch.start()
    told = ansible(
        tasks,
        "-vv",
        hosts="far",
        inventory=far.inventory,
        module_defaults=defaults,
        environment={variable(name): value for name, value in rest.items()},
    )
    watch.over.set()
    watch.join()
    if server["user_table"]:
        assert ansible([{API_USER: dict(server["python"], username=user["username"], state="absent"), "name": "user"}]).code == 0
    assert told.code == 0, told.told
    assert told.told.count("airflow_dag_trigger: as a module, because of the host, which is not the controller") == 2
    assert (told.of("run")["changed"], told.of("again")["changed"]) == (True, False)
    assert rest["api_password"] not in told.told
    assert watch.seen == set()
    assert any("AnsiballZ_airflow_dag_trigger" in command for command in watch.commands)  # it did see the module's own process


WRAPPER = """#!/bin/sh
# Stands for docker: another environment, only these words lead to a Python, and without -i standard input stays outside.
[ "$2" = -i ] || exec "$0" "$1" -i "$2" "$3" "$4" "$5" < /dev/null
[ "$1 $3 $4" = "exec web python" ] || { echo "Error response from daemon: No such container: $3" >&2; exit 1; }
shift 4
exec env -i PATH=/usr/bin:/bin %s "$@"
"""


def test_airflow_python_is_a_command(server, ansible, tmp_path):
    wrapper = tmp_path / "with a space" / "docker"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER % server["python"]["airflow_python"])
    wrapper.chmod(0o755)
    inside = dict(server["python"], airflow_python=f"'{wrapper}' exec -i web python")
    name = f"wrapped_{secrets.token_hex(4)}"
    user = dict(inside, username=name, password=secrets.token_hex(8) + "-Aa1", email=f"{name}@example.org", roles=["Admin"])
    tasks = [
        {API_USER: user, "name": "made"},
        {API_USER: user, "name": "again"},
        {API_USER: dict(inside, username=name, state="absent"), "name": "gone"},
        {API_USER: dict(user, airflow_python=f"'{wrapper}' exec -i wep python"), "name": "no container", "ignore_errors": True},
        {API_USER: dict(user, airflow_python=f"'{wrapper}' exec web python"), "name": "no input", "ignore_errors": True},
    ]
    done = ansible(tasks)
    assert done.code == 0, done.told
    assert [done.of(task)["changed"] for task in ("made", "again", "gone")] == [True, False, True]
    assert done.of("made")["user"]["username"] == name
    assert "it said: Error response from daemon: No such container: wep" in done.of("no container")["msg"]
    assert "exec web python: EOFError: nothing comes in by its standard input; docker exec and kubectl exec want -i" in done.of("no input")["msg"]
    assert "Traceback" not in done.told


def test_the_guide(far, ansible, tmp_path):
    """What the guide shows of pipelines, as it stands there, but for names of hosts."""
    assert control.SERVERS, "no server to test against"
    server = list(control.SERVERS.values())[-1]
    guide = (control.ROOT / "docs/docsite/rst/guide_getting_started.rst").read_text().replace("http://localhost:8080", server["rest"]["api_url"])
    section = guide.partition("Ad hoc and in pipelines\n---")[2].partition("Where things run\n---")[0]
    console, play = (textwrap.dedent(block.partition("\n\n\n")[0]) for block in re.findall(r"code-block:: \S+\n\n((?:   .*\n|\n)+)", section))
    commands = [line.removeprefix("$ ") for line in console.strip().splitlines()]
    environment = control.surroundings(**credentials(server), PATH=f"{control.BIN}:/usr/bin:/bin")
    found = []
    for command in commands:
        done = subprocess.run(["sh", "-c", command], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(re.search(r'"run_id": "(ansible__\w+)"', done.stdout).group(1))
    assert found[0] != found[1] == found[2]
    told = ansible(yaml.safe_load(play), inventory=far.inventory + "[airflow_hosts]\nfar\n", environment=credentials(server))
    assert told.code == 0, told.told
    assert (told.of("Load the sales of a day")["found"], told.of("Load the sales of a day")["dag_run"]["run_id"]) == (True, found[1])
