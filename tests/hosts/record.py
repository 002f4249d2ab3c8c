# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.hosts.record`` from a checkout: what real hosts answer, for the unit tests of the plans."""

from __future__ import annotations

import pathlib

from .lab import CLIENT, MASTERS, Lab

TAPES = pathlib.Path(__file__).parents[1] / "unit/plugins/module_utils/firewall"
OPENED = "opened"
STATES = {  # what is done on the host first, one after the other
    "firewalld": {
        "fresh": "",
        OPENED: "",
        "shadowed": "firewall-cmd -q --add-rich-rule='rule family=ipv4 source address=10.86.0.0/16 port port=8000-8100 protocol=tcp reject';"
        "firewall-cmd -q --add-rich-rule='rule priority=-5 family=ipv4 source address=10.86.10.0/28 drop'",
        "zones": "for w in '' --permanent; do firewall-cmd -q $w --zone=internal --change-interface=host0; done",
        "stopped": "systemctl stop firewalld",
    },
    "ufw": {
        "fresh": "",
        OPENED: "",
        "drifted": "iptables -D ufw-user-input -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT; sed -i /8080.*fd86/d /etc/ufw/user6.rules",
        "shadowed": "ufw insert 1 deny from 10.86.0.0/16 to any port 8080 proto tcp; ufw limit 22/tcp; ufw deny 9090; ufw allow OpenSSH;"
        "ufw reject from 10.9.0.0/16 to any port 8000:8100 proto tcp; ufw deny in on host0 from 10.10.0.0/16; ufw allow 8080",
        "without_ipv6": "sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw",
        "disabled": "ufw disable",
    },
    "nftables": {
        "fresh": "",
        OPENED: "",
        "shadowed": "nft insert rule inet filter input ip saddr 10.86.0.0/16 tcp dport '{ 80, 8000-8100 }' counter drop",
        "two": "nft add table ip second; nft add chain ip second in '{ type filter hook input priority 1; }'; nft add chain ip second end;"
        "nft add rule ip second in tcp dport 22 accept; nft add rule ip second in jump end; nft add rule ip second end counter log reject",
        "stock": "nft flush ruleset; nft add table inet filter; nft add chain inet filter input '{ type filter hook input priority 0; }'",
    },
    "iptables": {
        "fresh": "",
        OPENED: "",
        "shadowed": "iptables -N block; iptables -A block -s 10.86.0.0/16 -j DROP; iptables -I INPUT -p tcp -m comment --comment 'not these' -j block",
        "legacy": "iptables -P INPUT ACCEPT; ip6tables -P INPUT ACCEPT; iptables-legacy -A INPUT -j REJECT",
        "both": "iptables -P INPUT DROP",
        "unsaved": "iptables-legacy -F; rm /etc/iptables/rules.v4 /etc/iptables/rules.v6",
    },
}


def main():
    lab = Lab()
    lab.up()
    try:
        for name in MASTERS:
            for state, script in STATES[name].items():
                lab.console(name, script)
                if state == OPENED:
                    lab.drive(name, "apply", sources=CLIENT)
                (TAPES / f"{name}_{state}.json").write_text(lab.drive(name, "record"))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
