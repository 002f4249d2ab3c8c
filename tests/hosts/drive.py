# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""drive.py lines | apply [N] | record, on standard input the module's options: the module's own plan, on the host.

lines      its lines: one rule, one command or one line of a file each
apply [N]  does it, with the N-th line left out: for the test that leaves out each one; the module itself has no such thing
record     what was asked of the host and what it said, as JSON: for the unit tests
"""

from __future__ import annotations

import json
import subprocess
import sys

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall import find, host, plan, settle


def run(argv, stdin):
    done = subprocess.run(argv, input=stdin, env=host.ENVIRONMENT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def pieces(step, machine):
    """The lines of a step, as their places in it."""
    if isinstance(step, plan.Write):
        old = (machine.text(step.path) or "").splitlines()
        return [n for n, line in enumerate(step.text.splitlines()) if line.strip() and not line.startswith("#") and line not in old]
    if step.stdin:
        return [n for n, line in enumerate(step.stdin.splitlines())]
    return [n for n, word in enumerate(step.argv) if word.startswith("--add-rich-rule=")] or [None]


def without(step, piece):
    """The step less one of its lines; None if nothing is left of it."""
    if piece is None:
        return None
    if isinstance(step, plan.Write):
        return step._replace(text="".join(line + "\n" for n, line in enumerate(step.text.splitlines()) if n != piece))
    if step.stdin:
        return step._replace(stdin="".join(line + "\n" for n, line in enumerate(step.stdin.splitlines()) if n != piece))
    left = step._replace(argv=tuple(word for n, word in enumerate(step.argv) if n != piece))
    return left if any(word.startswith("--add-rich-rule=") for word in left.argv) else None


def name(step, piece):
    if piece is None:
        return " ".join(step.argv)
    if isinstance(step, plan.Write):
        return f"{step.path}: {step.text.splitlines()[piece].strip()}"
    return step.stdin.splitlines()[piece] if step.stdin else f"{step.what.split(',')[0]} {step.argv[piece]}"


class Recorder(host.Host):
    def __init__(self):
        super().__init__(self.heard)
        self.tape = dict(runs=[], programs={}, texts={}, folders={})

    def heard(self, argv, stdin):
        answer = run(argv, stdin)
        self.tape["runs"].append([list(argv), *answer])
        return answer

    def has(self, program):
        return self.tape["programs"].setdefault(program, super().has(program))

    def text(self, path):
        return self.tape["texts"].setdefault(path, super().text(path))

    def names(self, folder):
        return self.tape["folders"].setdefault(folder, super().names(folder))


machine = Recorder()
options = dict(port=8080, sources=[], state="present", exclusive=True, backend="auto", when_inactive="notice", zone="")
options.update(json.load(sys.stdin))
if sys.argv[1] == "record":
    try:
        found = find.find(machine)
        for name in found.active:
            settle.BACKENDS[name.partition(" ")[0]].look(machine, found)
    except AirflowError:
        pass
    print(json.dumps(machine.tape, indent=1))
    sys.exit()
found = find.find(machine)
backend = settle.BACKENDS[find.choose(found, "auto")]
steps = backend.plan(backend.look(machine, found), settle.wish_of(options)).steps
lines = [(n, piece) for n, step in enumerate(steps) for piece in pieces(step, machine)] if options["state"] == "present" else []
if sys.argv[1] == "lines":
    print(json.dumps([name(steps[n], piece) for n, piece in lines]))
else:
    if len(sys.argv) > 2:
        at, piece = lines[int(sys.argv[2])]
        steps[at] = without(steps[at], piece)
    try:
        host.apply([step for step in steps if step], machine)
        print("done")
    except AirflowError as exc:
        print(f"failed: {exc}")
