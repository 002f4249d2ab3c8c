# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""control.py SERVER.JSON start | wait | stop | status | run COMMAND...: an Airflow's processes, each in a session of its own with a pid file.

Made for servers without systemd. The processes get the environment of the server's file and nothing of the caller's, but HOME, PATH and LANG.
``start`` starts what does not run and waits until Airflow says that it is healthy; prints what it started. ``wait`` only waits, for processes that
systemd has started. ``stop`` ends every process of each session, and prints what it ended. Exit status 1 with a sentence on standard error when Airflow
does not become healthy.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

STOP_SECONDS = 15


class Server:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.words = json.load(file)
        self.run_folder = self.words["run_folder"]
        self.began = time.monotonic()
        self.environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        with open(self.words["environment_file"], encoding="utf-8") as file:
            for line in file:
                name, separator, value = line.rstrip("\n").partition("=")
                if separator and not name.startswith("#"):
                    self.environment[name] = value
        self.environment["PATH"] = os.pathsep.join((self.words["bin"], os.environ.get("PATH", os.defpath)))

    def run(self, command):
        os.chdir(self.words["home"])
        os.execvpe(os.path.join(self.words["bin"], command[0]), command, self.environment)

    def start(self):
        os.makedirs(self.run_folder, exist_ok=True)
        started = []
        for name, command in self.words["processes"].items():
            if self.session(name):
                continue
            if os.path.exists(self.words["pid_files"].get(name, "")):
                os.unlink(self.words["pid_files"][name])
            # Private: Airflow 3 with the simple auth manager prints the passwords that it makes
            with open(self.file(name, "out"), "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
                process = subprocess.Popen(
                    [os.path.join(self.words["bin"], command[0])] + command[1:],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=self.words["home"],
                    env=self.environment,
                    start_new_session=True,
                )
            with open(self.file(name, "pid"), "w", encoding="utf-8") as file:
                file.write(f"{process.pid} {born(process.pid)}\n")
            started.append(name)
        self.wait(self.words["processes"])
        return started

    def wait(self, ours=()):
        end = time.monotonic() + self.words["start_timeout"]
        while not self.healthy():
            for name in ours:
                if not self.session(name):
                    sys.exit(f"{name} ended by itself; the end of {self.file(name, 'out')}:\n{self.last_lines(name)}")
            if time.monotonic() > end:
                sys.exit(f"Airflow is not healthy after {self.words['start_timeout']} s: see {self.run_folder}")
            time.sleep(0.5)

    def healthy(self):
        """The database and the scheduler, as the web server sees them; where that is another node's, only whether the processes last."""
        if not self.words["health"]:
            return time.monotonic() > self.began + self.words["settles"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.words["health"], timeout=10) as answer:
                told = json.loads(answer.read().decode())
            return all(told[part]["status"] == "healthy" for part in self.words["healthy"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return False

    def stop(self):
        running = {name: leader for name in self.names() for leader in [self.session(name)] if leader}
        for sig in (signal.SIGTERM, signal.SIGKILL):
            pids = [pid for leader in running.values() for pid in members(leader)]
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + STOP_SECONDS
            while any(members(leader) for leader in running.values()) and time.monotonic() < end:
                time.sleep(0.1)
        for name in {*self.words["processes"], *running}:
            if os.path.exists(self.file(name, "pid")):
                os.unlink(self.file(name, "pid"))
        return list(running)

    def names(self):
        """Those that are to run here, and those that were."""
        there = sorted(file[: -len(".pid")] for file in os.listdir(self.run_folder) if file.endswith(".pid")) if os.path.isdir(self.run_folder) else []
        return list(self.words["processes"]) + [name for name in there if name not in self.words["processes"] and self.session(name)]

    def session(self, name):
        """The leader's pid while anything of the session lives; a pid file of another boot or process does not count."""
        try:
            with open(self.file(name, "pid"), encoding="utf-8") as file:
                leader, started = (int(word) for word in file.read().split())
        except (OSError, ValueError):
            return None
        if born(leader) not in (None, started):
            return None
        return leader if members(leader) else None

    def file(self, name, kind):
        return os.path.join(self.run_folder, f"{name}.{kind}")

    def last_lines(self, name):
        with open(self.file(name, "out"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-15:])


def stat(pid):
    """The fields of /proc/PID/stat behind the command's name (proc(5)): 0 is the state, 3 the session, 19 the time of birth."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def born(pid):
    try:
        return int(stat(pid)[19])
    except OSError:
        return None


def members(session):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = stat(entry)
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry))
    return found


def main():
    server = Server(sys.argv[1])
    verb = sys.argv[2]
    if verb == "run":
        server.run(sys.argv[3:])
    elif verb == "wait":
        server.wait()
    elif verb == "status":
        print(" ".join(name for name in server.names() if server.session(name)))
    else:
        print(" ".join(server.start() if verb == "start" else server.stop()))


if __name__ == "__main__":
    main()
