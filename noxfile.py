# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# dependencies = ["nox>=2026.8.10", "antsibull-nox~=1.10"]
# ///
"""Sessions of ``make test``: those of antsibull-nox.toml, and what needs the real servers or several versions of ansible-core."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import antsibull_nox
import nox

if t.TYPE_CHECKING:
    from collections.abc import Collection

ROOT = pathlib.Path(__file__).parent
# ansible-core: the Pythons that its controller side runs on. The first and the last one with an interpreter here are tested.
CORES = {
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
TARGETS_FROM = "3.8"  # the oldest Python that a module may meet
PIP_VERSIONS = ("23_1_2", "24_2", "25_2")  # what ansible-test of these releases asks for by name
# What the inventory of the tests' servers does not say, because only tests want to know it.
SERVERS = {  # user_table: where API users are counted; the simple auth manager has none
    "airflow_1_10": dict(version="1.10.15", user_table="users"),
    "airflow_2_11": dict(version="2.11.2", user_table="ab_user"),
    "airflow_3_fab": dict(version="3.3.2", user_table="ab_user"),
    "airflow_3_simple": dict(version="3.3.2", user_table=""),
}
# What needs servers is played in two halves beside each other: most of it is waiting for Airflow.
HALVES = {"airflow-1-2": ("airflow_1_10", "airflow_2_11"), "airflow-3": ("airflow_3_fab", "airflow_3_simple")}
ONCE = ("role_airflow_server", "module_airflow_firewall", "role_airflow_firewall")  # targets that speak to no server of the tests: the first half plays them
# What is long has proved itself on all servers: `make faults` plays it there, `make test` on these.
LONG = {
    "test_dag_retry": ("airflow_2_11",),
    "test_events": ("airflow_3_simple",),
    "test_maintenance": ("airflow_3_fab",),
    "test_retry_failed": ("airflow_2_11",),
    "test_waits": ("airflow_3_simple",),
}
# As ansible-core's own CI plays them: a real scheduler has bad moments. What was played again is named at the end, what follows a failure is played, too.
TWICE = ("--retry-on-error", "--continue-on-error")
NO_TESTS = 5  # exit status of pytest: what was asked for by name may be there for one server alone
PASSWORD = "only-for-tests"  # of every server's admin: tests/servers/up.yml

nox.options.default_venv_backend = "virtualenv"


def unmask_pyenv() -> None:
    """pyenv's shims answer to every version it has, but start only the selected one: put the real interpreters on PATH instead."""
    root = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")
    wanted = {TARGETS_FROM, *(python for pythons in CORES.values() for python in pythons)}  # ansible-test takes every one that it finds
    real = [str(path) for python in sorted(wanted) for path in root.glob(f"versions/{python}.*/bin")]
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if pathlib.Path(entry) != root / "shims"]
    os.environ["PATH"] = os.pathsep.join(path + real)


def runs(python: str) -> bool:
    exe = shutil.which(f"python{python}")
    return exe is not None and subprocess.run([exe, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0


def left_out(what: str) -> None:
    """What cannot be tested here is said by name; in CI that is a failure."""
    if os.environ.get("CI"):
        sys.exit(what)
    print(f"WARNING: left out: {what}", file=sys.stderr)


def seed_pip_bootstrap() -> None:
    """ansible-test fetches get-pip.py from a host that not every network reaches; ensurepip is already here."""
    cache = pathlib.Path.home() / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in PIP_VERSIONS:
        script = cache / f"get_pip_{version}.py"
        if not script.exists():
            shutil.copy(ROOT / "tests/utils/get_pip.py", script)


def servers(names: Collection[str] = tuple(SERVERS)) -> dict[str, dict]:
    """Where the tests' real servers are, and how to speak to them; as `make servers` left them."""
    found = {}
    for name in names:
        words = SERVERS[name]
        port = ROOT / ".servers" / f"{name}.port"
        if not port.exists():
            left_out(f"{name}: there is no such server, see `make servers`")
            continue
        home, venv = ROOT / ".servers" / name, ROOT / ".servers" / f"venv-{words['version']}"
        found[name] = dict(
            words,
            venv=str(venv),
            rest=dict(api_url=f"http://127.0.0.1:{port.read_text().strip()}", api_username="admin", api_password=PASSWORD),
            python=dict(client="python", airflow_python=f"{venv}/bin/python", airflow_home=str(home), airflow_env_file=f"{home}/airflow.env"),
        )
    if not found:
        sys.exit("there is no server to test against: make servers")
    return found


def before_integration(half: str) -> None:
    seed_pip_bootstrap()
    config = dict(servers=servers(HALVES[half]), collection=str(pathlib.Path.cwd()))
    pathlib.Path("tests/integration/integration_config.yml").write_text(json.dumps(config))


def tidy() -> None:
    """antsibull-nox copies tests/output back; it cannot copy the nested directories that --venv leaves there."""
    shutil.rmtree("tests/output/.tmp", ignore_errors=True)


def add_ansible_test(kind: str, core: str, *args: str, half: str = "") -> None:
    antsibull_nox.add_ansible_test_session(
        name="-".join(filter(None, (kind, core, half))),
        description=f"ansible-test {kind} with ansible-core {core}, in virtual environments." + (f" Servers: {', '.join(HALVES[half])}." if half else ""),
        # --venv would take a target that stands right behind it for a Python, and silently not play it
        ansible_test_params=[kind, *args, *(TWICE if half else ()), "--venv", "--truncate", "0"],
        default=True,
        ansible_core_version=core,
        ansible_core_source="pypi",
        callback_before=functools.partial(before_integration, half) if half else seed_pip_bootstrap,
        callback_after=tidy,
    )


unmask_pyenv()


@nox.session(venv_backend="none")
def meta(session: nox.Session) -> None:
    """Tests about the code base itself: layers, completeness, and the dialects against Airflow's OpenAPI documents."""
    session.run("make", "-s", ".venv/.pytest", external=True)
    session.run(".venv/bin/python", "-m", "pytest", "-q", "tests/unit/meta", external=True)


antsibull_nox.load_antsibull_nox_toml()
cores = [core for core, pythons in CORES.items() if any(map(runs, pythons))]
if cores[-1] != list(CORES)[-1]:
    left_out(f"ansible-core {list(CORES)[-1]}: it needs one of Python {', '.join(list(CORES.values())[-1])}")
oldest, newest = cores[0], cores[-1]
TARGET_PYTHONS = {oldest: TARGETS_FROM, newest: "3.13"}  # modules and module_utils run on these, where they are here
# What needs no server comes first, for the servers take a good part of two cores.
for core in sorted({oldest, newest}, key=cores.index):
    # What pylint says, its newest release says
    add_ansible_test("sanity", core, *(("--skip-test", "pylint") if core != newest else ()))
    python = TARGET_PYTHONS[core] if runs(TARGET_PYTHONS[core]) else "default"
    if python == "default":
        left_out(f"Python {TARGET_PYTHONS[core]}: the units run on the Pythons that are here")
    add_ansible_test("units", core, "--python", python, "tests/unit/plugins/")


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """make demo from a fresh clone, as a newcomer meets it."""
    session.run("make", "-s", ".venv/.pytest", external=True)
    session.run(".venv/bin/python", "-m", "pytest", "-q", "tests/system/test_demo.py", external=True)


@nox.session(venv_backend="none")
def real_servers(session: nox.Session) -> None:
    """Install and start the tests' real Airflow servers."""
    session.run("make", "servers", external=True)


# The oldest ansible-core plays what depends on Ansible most, the newest everything.
for half in HALVES:
    if oldest != newest:
        add_ansible_test("integration", oldest, "module_airflow_pool", "module_airflow_info", "both_paths", half=half)
    elsewhere = () if half == next(iter(HALVES)) else ONCE
    add_ansible_test("integration", newest, *(word for target in elsewhere for word in ("--exclude", target)), half=half)


@nox.session(venv_backend="none")
@nox.parametrize("half", list(HALVES), ids=list(HALVES))
def system(session: nox.Session, half: str) -> None:
    """What only shows from outside a task: real servers, and Ansible's own commands. The tests of each server in a process of their own."""
    session.run("make", "-s", ".venv/.system", external=True)
    tests = [path for path in sorted(pathlib.Path("tests/system").glob("test_*.py")) if path.stem != "test_demo"]
    found, ends = servers(HALVES[half]), {}
    for name in found:
        wanted = session.posargs or [str(path) for path in tests if name in LONG.get(path.stem, (name,))]
        command = [".venv/bin/python", "-m", "pytest", "-q", "--durations=10", *wanted]
        print(f"{name}: {' '.join(command)}", flush=True)
        ends[name] = subprocess.run(command, env=dict(os.environ, SERVERS=json.dumps(found), ONLY=name), check=False).returncode
    if any(end not in ((0, NO_TESTS) if session.posargs else (0,)) for end in ends.values()):
        session.error(f"exit statuses: {ends}")


def play_hosts(session: nox.Session, *tests: str) -> None:
    if os.geteuid() != 0 or not pathlib.Path("/etc/debian_version").exists():
        left_out("the tests on real hosts, which are made of Debian's packages, by root: NOT RUN")
        return
    session.run("make", "-s", ".venv/.pytest", external=True)
    session.run(".venv/bin/python", "-m", "pytest", "-q", "--durations=10", *tests, *session.posargs, external=True)


@nox.session(name="hosts-firewall", venv_backend="none", tags=["hosts"])
def hosts_firewall(session: nox.Session) -> None:
    """The firewall role on real hosts of their own: systemd, sshd, a firewall and real packets."""
    play_hosts(session, "tests/hosts/test_airflow_firewall.py")


@nox.session(name="hosts-site", venv_backend="none", tags=["hosts"])
def hosts_site(session: nox.Session) -> None:
    """playbooks/site.yml across real hosts, and one Airflow over two of them."""
    if not all((ROOT / f".servers/venv-{words['version']}").exists() for words in SERVERS.values()):  # what the hosts have mounted
        session.run("make", "servers", external=True)
    play_hosts(session, "tests/hosts/test_site.py", "tests/hosts/test_dag_retry.py")


if __name__ == "__main__":
    nox.main()
