# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real sshd on a free port of this machine: what Ansible meets there is a remote host."""

from __future__ import annotations

import getpass
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from . import control

CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv *
MaxStartups 100
Subsystem sftp internal-sftp
"""  # AcceptEnv: whatever Ansible's ssh would hand over arrives


class Sshd:
    """``with Sshd(folder) as far``: ``far.inventory`` knows the one host ``far``, with the Python of the tests."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def inventory(self) -> str:
        words = dict(
            ansible_connection="ssh",
            ansible_host="127.0.0.1",
            ansible_port=self._port,
            ansible_user=getpass.getuser(),
            ansible_ssh_private_key_file=self.folder / "user",
            ansible_ssh_common_args=f"'-F none -o UserKnownHostsFile={self.folder}/known -o StrictHostKeyChecking=accept-new -o IdentitiesOnly=yes'",
            ansible_control_path_dir=self.folder,
            ansible_python_interpreter=sys.executable,
        )
        return "far " + " ".join(f"{name}={value}" for name, value in words.items()) + "\n"

    @property
    def processes(self) -> set[int]:
        """Its own and all that descend from it: what runs on the remote host."""
        assert self._process is not None
        parents = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found, new = set(), {self._process.pid}
        while new:
            found |= new
            new = {child for child, parent in parents.items() if parent in found} - found
        return found

    def __enter__(self):
        program = control.program("sshd", "openssh-server")  # by its full path, as it wants to be called
        keygen = control.program("ssh-keygen", "openssh-client")
        for name in ("host", "user"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # Debian's sshd as root wants it, for nothing
        self._port = control.free_port()
        config = self.folder / "sshd_config"
        config.write_text(CONFIG.format(port=self._port, folder=self.folder))
        log = self.folder / "sshd.log"
        with open(log, "wb") as file:
            self._process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], env=control.surroundings(), stdin=subprocess.DEVNULL, stderr=file)
        for _try in range(600):
            assert self._process.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    def __exit__(self, *exc: object) -> None:
        """Its sessions, too: Ansible keeps one open for the next command."""
        for process in sorted(self.processes, reverse=True):
            try:
                os.kill(process, signal.SIGTERM)
            except ProcessLookupError:
                pass
        assert self._process is not None
        self._process.wait(timeout=60)
