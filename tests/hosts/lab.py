# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real hosts on this machine, with real firewalls: made, asked, rebooted and taken away. ``python -m tests.hosts.lab up | down`` from a checkout."""

from __future__ import annotations

import concurrent.futures
import fcntl
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
MAKERS = ("build-images.sh", "host.sh")
# Images are made once; another form of the scripts makes its own. Not below a checkout: two of them share the images.
FOLDER = pathlib.Path(os.environ.get("HOSTS_DIR") or "/var/cache/dagops-hosts") / hashlib.sha256((HERE / MAKERS[0]).read_bytes()).hexdigest()[:8]
LOCK = "/run/lock/dagops-hosts.lock"
MASTERS = {  # by the firewall that filters there: image, last part of the addresses
    "firewalld": ("firewalld", "11"),
    "ufw": ("ufw", "12"),
    "nftables": ("base", "13"),
    "iptables": ("iptables", "14"),
}
NAMES = tuple(MASTERS)
CALLERS = {"client": ("10.86.10.2", "fd86:0:0:a::2"), "outsider": ("10.86.20.2", "fd86:0:0:14::2")}
CLIENT = ["10.86.10.0/24", "fd86:0:0:a::/64"]  # the networks
OUTSIDER = ["10.86.20.0/24", "fd86:0:0:14::/64"]
# Each firewall by its own tool: whatever is not asked for is dropped, and port 7 is somebody else's rule.
DENY = {
    "firewalld": """
        systemctl -q enable --now firewalld; firewall-cmd --state
        firewall-cmd -q --add-port=7/tcp; firewall-cmd -q --permanent --add-port=7/tcp
        """,
    "ufw": """
        ufw allow 22/tcp; ufw allow from 192.0.2.0/24 to any port 7 proto tcp comment admin; ufw default deny incoming; ufw --force enable
        systemctl -q enable ufw
        """,
    "nftables": """
        cat > /etc/nftables.conf <<'EOF'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    iif "lo" accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport 22 accept
    ip saddr 192.0.2.0/24 tcp dport 7 accept comment "admin"
  }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain output { type filter hook output priority filter; policy accept; }
}
EOF
        systemctl -q enable --now nftables
        """,
    "iptables": """
        for t in iptables:icmp ip6tables:ipv6-icmp; do c=${t%%:*}
          $c -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; $c -A INPUT -i lo -j ACCEPT; $c -A INPUT -p ${t##*:} -j ACCEPT
          $c -A INPUT -p tcp --dport 22 -j ACCEPT; $c -A INPUT -p tcp --dport 7 -m comment --comment admin -j ACCEPT; $c -P INPUT DROP
        done; netfilter-persistent save 2>/dev/null; systemctl -q enable netfilter-persistent
        """,
}
LISTENER = """
    cat > /etc/systemd/system/web.service <<'EOF'
[Service]
ExecStart=/usr/bin/python3 /srv/listen.py
DynamicUser=yes
[Install]
WantedBy=multi-user.target
EOF
    cat > /srv/listen.py <<'EOF'
import http.server, socket, sys, threading
class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for port in (8080, 9090):
    threading.Thread(target=Six(("::", port), http.server.SimpleHTTPRequestHandler).serve_forever).start()
EOF
    systemctl daemon-reload; systemctl -q enable --now web
    """
# All rules, at run time and in the files, as text without counters, handles and dates.
RULES = {
    "firewalld": "firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones; cat /etc/firewalld/zones/*.xml; nft -s list ruleset",
    "ufw": "nft list tables; ufw show added; cat /etc/ufw/*.rules /etc/ufw/ufw.conf /etc/default/ufw; iptables-save; ip6tables-save",
    "nftables": "nft -s list ruleset; cat /etc/nftables.conf; ls /etc/nftables.airflow.d; cat /etc/nftables.airflow.d/*",
    "iptables": "nft list tables; iptables-save; ip6tables-save; cat /etc/iptables/*",
}
OURS = {  # what of that is ours
    "firewalld": r' *rich rules: ?\n|\trule priority="71"[^\n]*\n| *<rule[^>]* priority="71">.*?</rule>\n|[^\n]*tcp dport (8080|9090) accept\n',
    "ufw": r"[^\n]*(8080|9090)[^\n]*\n|(?<=\n)\n",
    "nftables": r"\n\tchain airflow_\d+ {.*?\n\t}\n|[^\n]*jump airflow_\d+\n|(?<=\n)\d+\.nft\n|[^\n]*include[^\n]*airflow\.d[^\n]*\n|# What the role.*",
    "iptables": r"[^\n]*AIRFLOW_[^\n]*\n",
}


class Lab:
    """The hosts. Every method that names none works on all masters at once."""

    KNOCKS = tuple((caller, family) for caller in (*CALLERS, "controller") for family in (4, 6))

    def __init__(self):
        self.ansible = pathlib.Path(sys.executable).parent
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "ANSIBLE_"))}
        self.environment.update(HOSTS_DIR=str(FOLDER), ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), ANSIBLE_FORKS="10", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
        self.at_first = {}
        self.machine = None

    # --- their life
    def lock(self):
        """One set of hosts per machine, for their names and addresses are fixed: another run waits here."""
        self._lock = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)  # held until this process ends
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def up(self):
        if os.geteuid() != 0:
            sys.exit("the test hosts need root: systemd-nspawn, namespaces and packages of Debian")
        self.lock()
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.sh(HERE / MAKERS[0], timeout=1200)
        self.host("all-down")  # what a killed run left
        self.machine = self.network()
        self.host("net-up")
        for_all(lambda name: self.host("up", name, "base", *CALLERS[name]), CALLERS)
        for_all(self.fresh, MASTERS)
        self.inventory()

    def down(self):
        self.host("all-down")
        left = self.host("leftovers", check=False)
        assert left == "", f"left behind:\n{left}"
        assert self.machine in (None, self.network()), "this machine's own network is not as it was"

    def network(self):
        """This machine's own."""
        return self.sh("sh", "-c", "ip -br addr; ip route; ip -6 route; if command -v nft >/dev/null; then nft -s list ruleset; fi")

    def fresh(self, name, *options):
        """As a stock server with this firewall, and a program on 8080 and 9090."""
        image, last = MASTERS[name]
        self.host("wipe", name)
        self.host("up", name, image, f"10.86.0.{last}", f"fd86::{last}", *options)
        self.console(name, DENY[name])
        self.console(name, LISTENER)
        code = io.BytesIO()
        with tarfile.open(fileobj=code, mode="w") as archive:
            base = "ansible_collections/dagops/airflow/plugins/module_utils"
            for path in [ROOT / "plugins/module_utils/_errors.py", *(ROOT / "plugins/module_utils/_firewall").glob("*.py")]:
                archive.add(path, f"{base}/{path.relative_to(ROOT / 'plugins/module_utils')}")
            archive.add(HERE / "drive.py", "drive.py")
        self.host("exec", name, "mkdir", "-p", "/opt/drive")
        self.host("exec", name, "tar", "-C", "/opt/drive", "-xf", "-", stdin=code.getvalue())
        self.wait_for(name)
        self.at_first[name] = self.rules(name)

    def with_airflow(self, name, version):
        """A fresh one that has an environment with Airflow, and nothing of it running.

        The environment is the tests' servers' own, mounted read-only at its own path, for the hosts have no way out.
        """
        folder = (ROOT / f".servers/venv-{version}").resolve()
        assert (folder / "bin/airflow").exists(), f"there is no {folder}: make servers"
        base = self.sh(folder / "bin/python", "-c", "import sys; print(sys.base_prefix)").strip()
        mounts = [str(path) for path in (folder, base) if str(path) != "/usr"]
        self.fresh(name, *(f"--bind-ro={path}" for path in mounts))
        self.console(name, "systemctl -q disable --now web")
        for path in mounts:  # the way to them may lead through a home
            self.console(name, f'p={path}; while p=$(dirname "$p"); [ "$p" != / ]; do chmod a+x "$p"; done')
        return str(folder)

    def clean(self, names=NAMES):
        """As at first; whoever is not is made anew."""
        for_all(lambda name: self.rules(name) == self.at_first[name] and self.enabled(name) or self.fresh(name), names)

    def spoil(self, names):
        """What the rules do not show was changed: whoever comes next gets new ones."""
        self.at_first.update(dict.fromkeys(names))

    def enabled(self, name):
        unit = {"iptables": "netfilter-persistent"}.get(name, name)
        return "enabled" in self.console(name, f"systemctl is-enabled {unit}", check=False)

    def reboot(self, names=NAMES):
        for_all(lambda name: self.host("reboot", name), names)
        for_all(self.wait_for, names)

    def wait_for(self, name, ports=(8080, 9090)):
        """Until systemd has started everything, firewalld has loaded its rules, which it does after it has said that it runs, and the programs listen."""
        there = f"python3 -c 'import socket; [socket.create_connection((\"127.0.0.1\", port), 1) for port in {list(ports)}]' 2>/dev/null"
        filters = "! systemctl -q is-active firewalld || firewall-cmd --state >/dev/null"
        self.console(name, f"systemctl is-system-running --wait >/dev/null || :; {filters}; for i in $(seq 100); do {there} && exit 0; sleep 0.1; done; exit 1")

    # --- their words
    def sh(self, *argv, stdin=None, check=True, timeout=300):
        done = subprocess.run([str(word) for word in argv], input=stdin, env=self.environment, capture_output=True, timeout=timeout, check=False)
        text = done.stdout.decode(errors="replace")
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{text}\n{done.stderr.decode(errors='replace')}"
        return text

    def host(self, *words, **more):
        return self.sh(HERE / MAKERS[1], *words, **more)

    def console(self, name, script, check=True):
        """As root inside, past the host's network."""
        return self.host("exec", name, "sh", "-c", ("set -e\n" if check else "") + script, check=check)

    def rules(self, name):
        """All of them as text, at run time and in the files."""
        text = self.console(name, RULES[name], check=False)
        return re.sub(r" ?\[\d+:\d+\]|(?m:^# (Generated|Completed).*$)", "", text)

    def others(self, name, text=None):
        """Those of somebody else."""
        return re.sub(OURS[name], "", self.rules(name) if text is None else text, flags=re.DOTALL)

    def knock(self, names=NAMES, port=8080):
        """Who reaches the port: {master: {(caller, family): verdict}}, by real connections."""
        addresses = {f"{prefix}{MASTERS[name][1]}": (name, family) for name in names for family, prefix in ((4, "10.86.0."), (6, "fd86::"))}
        script = (HERE / "knock.py").read_text()
        words = ["python3", "-c", script, str(port), *addresses]
        told = for_all(lambda caller: json.loads(self.sh(*words) if caller == "controller" else self.host("exec", caller, *words)), [*CALLERS, "controller"])
        seen = {name: {} for name in names}
        for caller, verdicts in told.items():
            for address, verdict in verdicts.items():
                name, family = addresses[address]
                seen[name][caller, family] = verdict
        return seen

    def drive(self, name, *words, **options):
        return self.host("exec", name, "env", "PYTHONPATH=/opt/drive", "python3", "/opt/drive/drive.py", *words, stdin=json.dumps(options).encode())

    # --- Ansible
    def inventory(self):
        file = FOLDER / "inventory.json"
        ssh = f"-o UserKnownHostsFile={FOLDER}/keys/known_hosts -o StrictHostKeyChecking=yes"
        hosts = {name: dict(ansible_host=f"10.86.0.{last}") for name, (_image, last) in MASTERS.items()}
        callers = {name: dict(ansible_host=four, ip6=six) for name, (four, six) in CALLERS.items()}
        words = dict(ansible_user="ops", ansible_ssh_private_key_file=f"{FOLDER}/keys/id", ansible_ssh_common_args=ssh)
        words["ansible_python_interpreter"] = "/usr/bin/python3"
        children = dict(masters=dict(hosts=hosts), callers=dict(hosts=callers))
        file.write_text(json.dumps(dict(all=dict(children={kind: dict(group, vars=words) for kind, group in children.items()}))))
        return file

    def play(self, *flags, target="masters", become=True, check=True, **variables):
        """The role on these hosts: ({host: changed}, what it said)."""
        play = FOLDER / "play.json"
        play.write_text(json.dumps([dict(hosts=target, gather_facts=False, become=become, roles=["dagops.airflow.airflow_firewall"])]))
        words = {f"airflow_firewall_{name}": value for name, value in dict(dict(verify=""), **variables).items()}
        return self.playbook(play, *flags, "-e", json.dumps(words), check=check)

    def playbook(self, play, *flags, check=True, timeout=900, inventory=True):
        where = ["-i", self.inventory()] if inventory else []
        done = subprocess.run(
            [self.ansible / "ansible-playbook", *where, play, *flags],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, said[-6000:]
        assert check or done.returncode != 0, f"it should have failed:\n{said[-6000:]}"
        recap = re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", said.partition("PLAY RECAP")[2], re.MULTILINE)
        return {name: int(changed) for name, changed in recap}, said


def for_all(work, names):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(zip(names, pool.map(work, names)))


if __name__ == "__main__":
    lab = Lab()
    {"up": lab.up, "down": lab.down}[sys.argv[1]]()
