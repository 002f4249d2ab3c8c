# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role airflow_firewall on real hosts, judged by real packets: what a caller can reach, not what a module says."""

from __future__ import annotations

import json
import re

import yaml

from .lab import CALLERS, CLIENT, FOLDER, MASTERS, NAMES, OUTSIDER, ROOT, for_all

EVERYBODY = ["0.0.0.0/0", "::/0"]
RELOAD = {
    "firewalld": "firewall-cmd -q --reload",
    "ufw": "ufw reload",
    "nftables": "systemctl reload nftables",
    "iptables": "netfilter-persistent reload 2>/dev/null",
}
RESTART = {name: f"systemctl restart {'netfilter-persistent' if name == 'iptables' else name}" for name in MASTERS}
RESTART["firewalld"] += "; firewall-cmd --state"  # it says that it runs before it filters
SHADOW = {  # a rule of somebody else's that comes before ours
    "firewalld": "firewall-cmd -q --add-rich-rule='rule family=ipv4 source address=10.86.0.0/16 port port=8080 protocol=tcp reject'",
    "ufw": "ufw insert 1 deny from 10.86.0.0/16 to any port 8080 proto tcp",
    "nftables": "nft insert rule inet filter input ip saddr 10.86.0.0/16 tcp dport 8080 drop",
    "iptables": "iptables -I INPUT -s 10.86.0.0/16 -p tcp --dport 8080 -j DROP",
}
UNSHADOW = {
    "firewalld": "firewall-cmd -q --remove-rich-rule='rule family=ipv4 source address=10.86.0.0/16 port port=8080 protocol=tcp reject'",
    "ufw": "ufw delete deny from 10.86.0.0/16 to any port 8080 proto tcp",
    "nftables": "nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n 's/.*8080 drop # handle //p')",
    "iptables": "iptables -D INPUT -s 10.86.0.0/16 -p tcp --dport 8080 -j DROP",
}
RICH = 'rule priority="71" family="ipv4" source address="10.86.10.0/24" port port="8080" protocol="tcp" accept'
DRIFT_NOW = {  # our rule for the client's IPv4 deleted by hand, at run time
    "firewalld": f"firewall-cmd -q --remove-rich-rule='{RICH}'",
    "ufw": "iptables -D ufw-user-input -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT",
    "nftables": "c='inet filter airflow_8080'; nft delete rule $c handle $(nft -a list chain $c | sed -n 's/.*10.86.10.*handle //p')",
    "iptables": "iptables -D AIRFLOW_8080 -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT",
}
DRIFT_SAVED = {  # the same in the file
    "firewalld": f"firewall-cmd -q --permanent --remove-rich-rule='{RICH}'",
    "ufw": "sed -i '/8080.*10.86.10.0/d' /etc/ufw/user.rules",
    "nftables": "sed -i /10.86.10.0/d /etc/nftables.airflow.d/8080.nft",
    "iptables": "sed -i /10.86.10.0/d /etc/iptables/rules.v4",
}
DRIFT_JUMP = {
    "nftables": "nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n 's/.*jump airflow_8080 # handle //p')",
    "iptables": "iptables -D INPUT -j AIRFLOW_8080; ip6tables -D INPUT -j AIRFLOW_8080",
}
DROPS_TOO = (
    "nft add table inet second; nft add chain inet second input '{ type filter hook input priority 0; policy drop; }'; "
    "for r in 'tcp dport 22' 'ct state established' 'meta l4proto ipv6-icmp'; do nft add rule inet second input $r accept; done"
)


def on_each(lab, commands):
    for_all(lambda name: lab.console(name, commands[name]), commands)


def reaches(lab, *callers, families=(4, 6), names=NAMES, port=8080):
    """Exactly these callers reach the port. A dead path is no verdict."""
    may = {(caller, family) for caller in callers for family in families}
    wished = {one: "open" if one in may else "shut" for one in lab.KNOCKS}
    assert lab.knock(names, port) == dict.fromkeys(names, wished)


def changes(told, names=NAMES):
    assert {name for name, changed in told[0].items() if changed} == set(names), told
    assert set(told[0]) >= set(names)
    return told[1]


def same(told, names=NAMES):
    assert told[0] == dict.fromkeys(names, 0), told
    return told[1]


def each_says(told, text, names=NAMES):
    """Each of these hosts fails with these words."""
    said = {
        name: " ".join(words.replace("\\n", " ").split()) for name, words in re.findall(r"^fatal: \[(\w+)\](.*?)(?=^\S|\Z)", told, re.DOTALL | re.MULTILINE)
    }
    assert set(said) == set(names)
    for name, words in said.items():
        assert text.format(name=name) in words, told


def others_untouched(lab, names=NAMES):
    for name in names:
        assert lab.others(name) == lab.others(name, lab.at_first[name]), name


def as_at_first(lab, names=NAMES):
    for name in names:
        assert lab.rules(name) == lab.at_first[name], name


def test_the_client_alone_at_once_and_after_each_reboot(lab):
    reaches(lab)
    changes(lab.play("--check", "--diff", sources=CLIENT))
    as_at_first(lab)
    told = changes(lab.play("--diff", sources=CLIENT))
    assert "+" in told and "10.86.10.0/24" in told
    reaches(lab, "client")
    reaches(lab, port=9090)
    others_untouched(lab)
    same(lab.play(sources=["10.86.10.77/24", "FD86:0:0:A:0:0:0:1/64", *CLIENT]))
    same(lab.play(sources=", ".join(CLIENT)))  # as -e gives them
    same(lab.play("--check", sources=CLIENT))
    on_each(lab, RELOAD)
    reaches(lab, "client")
    on_each(lab, RESTART)
    reaches(lab, "client")
    same(lab.play(sources=CLIENT))
    lab.reboot()
    reaches(lab, "client")
    same(lab.play(sources=CLIENT))
    others_untouched(lab)
    changes(lab.play("--check", state="absent"))
    reaches(lab, "client")
    changes(lab.play(state="absent"))
    reaches(lab)
    as_at_first(lab)
    same(lab.play(state="absent", sources=["nobody.invalid"], source_groups=["nowhere"]))
    lab.reboot()
    reaches(lab)
    as_at_first(lab)


def test_sources_and_ports_come_and_go(lab):
    changes(lab.play(sources=CLIENT))
    changes(lab.play(sources=OUTSIDER))
    reaches(lab, "outsider")
    changes(lab.play(sources=CLIENT, exclusive=False))
    reaches(lab, "client", "outsider")
    same(lab.play(sources=CLIENT, exclusive=False))
    changes(lab.play(sources=CLIENT, port=9090))
    reaches(lab)
    reaches(lab, "client", port=9090)
    changes(lab.play(sources=[CLIENT[1]], port=9090))
    reaches(lab, "client", families=(6,), port=9090)
    ten = [f"192.0.2.{number}" for number in range(1, 9)] + ["10.86.10.2", "fd86:0:0:a::2"]
    changes(lab.play(sources=ten + ten[:3]))
    reaches(lab, "client")
    same(lab.play(sources=list(reversed(ten))))
    lab.reboot()
    reaches(lab, "client")
    changes(lab.play(sources=[]))
    reaches(lab)
    as_at_first(lab)


def test_everybody_in_so_many_words(lab):
    everyone = (*CALLERS, "controller")
    changes(lab.play(sources=EVERYBODY))
    reaches(lab, *everyone)
    same(lab.play(sources=EVERYBODY))
    changes(lab.play(sources=[EVERYBODY[1]]))
    reaches(lab, *everyone, families=(6,))
    changes(lab.play(sources=[EVERYBODY[0]]))
    reaches(lab, *everyone, families=(4,))
    same(lab.play(sources=[EVERYBODY[0]]))
    lab.reboot()
    reaches(lab, *everyone, families=(4,))
    changes(lab.play(state="absent"))
    reaches(lab)
    as_at_first(lab)


def test_drift_is_found_and_mended(lab):
    changes(lab.play(sources=CLIENT))
    whole = {name: sorted(lab.rules(name).splitlines()) for name in MASTERS}
    for drift, names in ((DRIFT_NOW, MASTERS), (DRIFT_SAVED, MASTERS), (DRIFT_JUMP, DRIFT_JUMP)):
        on_each(lab, drift)
        assert "10.86.10.0" in changes(lab.play("--check", "--diff", sources=CLIENT), names) or drift is DRIFT_JUMP
        changes(lab.play(sources=CLIENT), names)
        reaches(lab, "client")
        assert {name: sorted(lab.rules(name).splitlines()) for name in MASTERS} == whole  # in firewalld the order is that of their coming
        same(lab.play(sources=CLIENT))
    on_each(lab, DRIFT_SAVED)
    changes(lab.play(state="absent"))
    reaches(lab)
    on_each(lab, RELOAD)
    reaches(lab)
    as_at_first(lab)


def test_a_rule_that_shadows_ours_is_named(lab):
    changes(lab.play(sources=CLIENT))
    on_each(lab, SHADOW)
    reaches(lab, "client", families=(6,))
    before = {name: lab.rules(name) for name in MASTERS}
    for flags in ((), ("--check",)):
        told = lab.play(*flags, sources=CLIENT, check=False)[1]
        each_says(told, "{name} would keep the port 8080 shut")
        each_says(told, "10.86.0.0/16")
    assert {name: lab.rules(name) for name in MASTERS} == before
    changes(lab.play(state="absent"))
    on_each(lab, UNSHADOW)
    as_at_first(lab)


def test_without_an_active_firewall_nothing_is_done(lab):
    off = {
        "firewalld": "systemctl stop firewalld",
        "ufw": "ufw disable; systemctl restart ufw",
        "nftables": "nft flush ruleset; nft add table inet filter;"
        'for h in input forward output; do nft add chain inet filter $h "{ type filter hook $h priority 0; }"; done',
        "iptables": "netfilter-persistent flush 2>/dev/null; iptables -P INPUT ACCEPT; ip6tables -P INPUT ACCEPT; iptables -N f2b-sshd;"
        "iptables -A f2b-sshd -s 192.0.2.9 -j REJECT; iptables -I INPUT -p tcp --dport 22 -j f2b-sshd",
    }
    changes(lab.play(sources=CLIENT))
    on_each(lab, off)
    reaches(lab, *CALLERS, "controller")
    told = same(lab.play(state="absent"))
    for path in (
        "firewalld/zones/public.xml",
        "ufw/user.rules, /etc/ufw/user6.rules",
        "nftables.airflow.d/8080.nft",
        "iptables/rules.v4, /etc/iptables/rules.v6",
    ):
        assert f"but what this module opened stands in /etc/{path} and comes back with the firewall: start it, and play this again" in told
    told = same(lab.play(sources=CLIENT))
    assert told.count("No firewall filters what comes in on this host: there is nothing to open, and nothing was changed") >= 1
    each_says(lab.play(sources=CLIENT, when_inactive="fail", check=False)[1], "switch one on before a port is opened in it")
    each_says(lab.play(sources=CLIENT, backend="{{ inventory_hostname }}", check=False)[1], "The firewall {name} is not active on this host; active is: none")


def test_two_firewalls_that_drop_are_an_error(lab):
    names = ("firewalld", "ufw", "iptables")
    on_each(lab, dict.fromkeys(names, DROPS_TOO))
    told = lab.play(target=":".join(names), sources=CLIENT, check=False)[1]
    each_says(told, "More than one firewall can drop packets on this host (", names)
    each_says(told, "nftables", names)
    told = lab.play(target="ufw", sources=CLIENT, backend="firewalld", check=False)[1]
    each_says(told, "The firewall firewalld is not active on this host; active is: ufw, nftables", ["ufw"])


def test_a_file_of_nftables_that_includes_a_folder_of_somebody_else_s(lab):
    """And names our include in a comment."""
    lab.console(
        "nftables",
        """
        mkdir -p /etc/nftables.d; echo 'add rule inet filter input tcp dport 9090 accept' > /etc/nftables.d/web.nft
        printf 'include "/etc/nftables.d/*.nft"\n# include "/etc/nftables.airflow.d/*.nft"\n' >> /etc/nftables.conf; systemctl reload nftables
        """,
    )
    before = lab.rules("nftables")
    changes(lab.play(target="nftables", sources=CLIENT), ["nftables"])
    lab.console("nftables", "nft -c -f /etc/nftables.conf")
    lab.reboot(["nftables"])
    reaches(lab, "client", names=["nftables"])
    reaches(lab, *CALLERS, "controller", names=["nftables"], port=9090)
    same(lab.play(target="nftables", sources=CLIENT), ["nftables"])
    changes(lab.play(target="nftables", state="absent"), ["nftables"])
    assert lab.rules("nftables") == before
    same(lab.play(target="nftables", state="absent"), ["nftables"])
    lab.console("nftables", "rm -r /etc/nftables.d")


def test_an_administrator_s_rule_of_ufw_for_tcp_and_udp_stays(lab):
    lab.console("ufw", "ufw allow 8080; ufw allow from 10.86.10.0/24 to any port 8080")
    before = lab.rules("ufw")
    everyone = (*CALLERS, "controller")
    changes(lab.play(target="ufw", sources=CLIENT), ["ufw"])
    same(lab.play(target="ufw", sources=CLIENT), ["ufw"])
    lab.console("ufw", DRIFT_NOW["ufw"])
    changes(lab.play(target="ufw", state="absent"), ["ufw"])
    reaches(lab, *everyone, names=["ufw"])
    assert sorted(lab.rules("ufw").splitlines()) == sorted(before.splitlines())
    for wish in (dict(state="absent"), dict(sources=[])):
        same(lab.play(target="ufw", **wish), ["ufw"])
    lab.console("ufw", "ufw reload")
    reaches(lab, *everyone, names=["ufw"])


def test_two_chains_of_nftables_that_drop_are_both_opened(lab):
    lab.console("nftables", DROPS_TOO)
    told = changes(lab.play(target="nftables", sources=CLIENT), ["nftables"])
    assert "The table inet second is not in /etc/nftables.conf" in told
    reaches(lab, "client", names=["nftables"])
    same(lab.play(target="nftables", sources=CLIENT), ["nftables"])
    changes(lab.play(target="nftables", state="absent"), ["nftables"])
    reaches(lab, names=["nftables"])


def test_a_disabled_unit_is_enabled(lab):
    on_each(lab, {name: f"systemctl -q disable {'netfilter-persistent' if name == 'iptables' else name}" for name in MASTERS})
    changes(lab.play(sources=CLIENT))
    assert all(lab.enabled(name) for name in MASTERS)
    lab.reboot()
    reaches(lab, "client")
    same(lab.play(sources=CLIENT))


def test_separate_tables_for_each_family_and_a_refusal_as_the_last_rule(lab):
    split = """
        cat > /etc/nftables.conf <<'EOF'
flush ruleset
table ip filter {
  chain input { type filter hook input priority 0; policy drop; iif lo accept; ct state established accept; ip protocol icmp accept; tcp dport 22 accept; }
}
table ip6 filter {
  chain input { type filter hook input priority 0; iif lo accept; ct state established accept; meta l4proto ipv6-icmp accept; tcp dport 22 accept; log reject; }
}
EOF
        systemctl restart nftables
    """
    final = """
        for c in iptables ip6tables; do $c -P INPUT ACCEPT; $c -A INPUT -j REJECT; done; netfilter-persistent save 2>/dev/null
    """
    names = ["nftables", "iptables"]
    on_each(lab, dict(nftables=split, iptables=final))
    reaches(lab, names=names)
    changes(lab.play(target="nftables:iptables", sources=CLIENT), names)
    reaches(lab, "client", names=names)
    same(lab.play(target="nftables:iptables", sources=CLIENT), names)
    lab.reboot(names)
    reaches(lab, "client", names=names)
    changes(lab.play(target="nftables:iptables", state="absent"), names)
    reaches(lab, names=names)


def test_only_one_family_is_filtered(lab):
    table = "table ip filter { chain input { type filter hook input priority 0; policy drop; tcp dport 22 accept; }; }"
    lab.console("nftables", f"nft flush ruleset; echo '{table}' | nft -f -")
    told = lab.play(target="nftables", sources=CLIENT)[1]
    assert "nftables does not filter IPv6 on this host: the port 8080 is open to every IPv6 address" in told


def test_legacy_tables(lab):
    lab.spoil(["iptables"])
    lab.console(
        "iptables",
        "netfilter-persistent flush 2>/dev/null; iptables -P INPUT ACCEPT; ip6tables -P INPUT ACCEPT; for c in iptables-legacy ip6tables-legacy; do "
        "$c -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; $c -A INPUT -p tcp --dport 22 -j ACCEPT; $c -P INPUT DROP; done;"
        "ip6tables-legacy -A INPUT -p ipv6-icmp -j ACCEPT",
    )
    reaches(lab, names=["iptables"])
    told = changes(lab.play(target="iptables", sources=CLIENT), ["iptables"])
    assert "the saved rules are not those of iptables-legacy" in told
    reaches(lab, "client", names=["iptables"])
    same(lab.play(target="iptables", sources=CLIENT), ["iptables"])
    lab.console("iptables", "iptables -P INPUT DROP; iptables -A INPUT -p tcp --dport 22 -j ACCEPT")
    told = lab.play(target="iptables", sources=CLIENT, check=False)[1]
    assert "More than one firewall can drop packets on this host (iptables (nf_tables), iptables (legacy))" in told
    lab.console("iptables", "iptables -P INPUT ACCEPT")
    changes(lab.play(target="iptables", state="absent"), ["iptables"])
    reaches(lab, names=["iptables"])


def test_iptables_without_saved_rules_says_so(lab):
    lab.console("iptables", "rm /etc/iptables/rules.v4 /etc/iptables/rules.v6")
    told = changes(lab.play(target="iptables", sources=CLIENT), ["iptables"])
    assert "there are no saved rules on this host, so that the port is open until the next boot only" in told
    assert lab.console("iptables", "ls /etc/iptables") == ""
    reaches(lab, "client", names=["iptables"])


def test_zones_of_firewalld(lab):
    """The rule goes where the packets come through; and a zone that takes none is no zone to open a port in."""
    lab.console("firewalld", "for w in '' --permanent; do firewall-cmd -q $w --zone=internal --change-interface=host0; done")
    lab.console("firewalld", "for w in '' --permanent; do firewall-cmd -q $w --zone=drop --add-source=192.0.2.0/24; done")  # whom to keep out
    changes(lab.play(target="firewalld", sources=CLIENT), ["firewalld"])
    reaches(lab, "client", names=["firewalld"])
    assert lab.console("firewalld", "for w in '' --permanent; do firewall-cmd $w --zone=drop --list-rich-rules; done").split() == []
    told = lab.play(target="firewalld", sources=["192.0.2.7"], check=False)[1]
    assert "the zone drop refuses everything and takes what comes from 192.0.2.7/32, for it has the source 192.0.2.0/24" in told
    told = lab.play(target="firewalld", sources=CLIENT, zone="public", check=False)[1]
    assert "No packet comes through the zone public" in told
    told = lab.play(target="firewalld", sources=CLIENT, zone="nowhere", check=False)[1]
    assert "firewalld has no zone 'nowhere'" in told
    same(lab.play(target="firewalld", sources=CLIENT, zone="internal"), ["firewalld"])
    changes(lab.play(target="firewalld", state="absent"), ["firewalld"])
    reaches(lab, names=["firewalld"])


BAD = {
    "10.0.0.0/33": "The source '10.0.0.0/33' is neither an address nor a network",
    "nobody.invalid": "The source nobody.invalid has no address",
    "10.0.0.0/0": "The source '10.0.0.0/0' means every address: if that is wished, write 0.0.0.0/0",
    "127.0.0.1": "The source '127.0.0.1' is a loopback address, from which no other host calls",
    "localhost": "The source localhost (127.0.0.1) has on the controller an address from which no other host calls: give the host an ansible_host",
}


def test_bad_words_are_refused_before_the_first_change(lab):
    for source, said in BAD.items():
        each_says(lab.play(sources=[*CLIENT, source], check=False)[1], said)
    each_says(lab.play(source_groups=["nowhere"], check=False)[1], "The inventory has no group nowhere")
    each_says(lab.play(sources=CLIENT, become=False, check=False)[1], "Only root may see and change a firewall's rules: use become")
    each_says(lab.play(sources=CLIENT, backend="pf", check=False)[1], "value of airflow_firewall_backend must be one of")
    as_at_first(lab)
    lab.console("ufw", "sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw")
    told = lab.play(target="ufw", sources=CLIENT, check=False)[1]
    assert "ufw has IPv6 switched off (IPV6=no in /etc/default/ufw), so that fd86:0:0:a::/64 cannot be let in" in told
    same(lab.play(target="ufw", sources=CLIENT, state="absent", exclusive=False), ["ufw"])
    lab.console("ufw", "sed -i s/IPV6=no/IPV6=yes/ /etc/default/ufw")
    as_at_first(lab)


def test_a_broken_firewall_is_said(lab):
    lab.spoil(["firewalld"])
    lab.console("firewalld", "systemctl stop firewalld; mv /etc/protocols /etc/protocols.away; systemctl start firewalld || :")
    lab.console("firewalld", "for i in $(seq 600); do systemctl -q is-active firewalld || exit 0; sleep 0.1; done; exit 1")
    told = same(lab.play(target="firewalld", sources=CLIENT), ["firewalld"])
    assert "No firewall filters what comes in on this host (firewalld is enabled at boot, but does not run: see journalctl -u firewalld)" in told
    lab.console("firewalld", "mv /etc/protocols.away /etc/protocols; sed -i '1s/^/no program/' /usr/sbin/firewalld; ! systemctl start firewalld")
    lab.console("nftables", "mv /usr/sbin/nft /usr/sbin/nft.away")
    told = lab.play(target="firewalld:nftables", sources=CLIENT, check=False)[1]
    assert "firewalld failed to start and does not filter (not running): see journalctl -u firewalld, and mend it; nothing was changed" in told
    assert "nftables is to filter here, but there is no program nft: install the package nftables" in told
    lab.console("nftables", "mv /usr/sbin/nft.away /usr/sbin/nft")
    as_at_first(lab, ["nftables"])


def test_hosts_and_groups_of_the_inventory_are_sources_and_try_the_port(lab):
    told = changes(lab.play(source_groups=["callers"], verify="client"))
    assert told.count(":8080: can be reached (10.86.10.2 is among the sources)") == len(MASTERS)
    assert told.count("]:8080: can be reached (fd86:0:0:a::2 is not among the sources") == 0  # only the IPv4 address stands in the inventory
    assert told.count("]:8080: filtered, though something listens there (fd86:0:0:a::2 is not among the sources)") == len(MASTERS)
    reaches(lab, "client", "outsider", families=(4,))
    told = changes(lab.play(sources=["client", CLIENT[1]], verify="localhost"))
    assert told.count(":8080: filtered, though something listens there (10.86.0.1 is not among the sources)") == len(MASTERS)
    on_each(lab, dict.fromkeys(MASTERS, "systemctl stop web"))
    told = same(lab.play(sources=["client", CLIENT[1]], verify="client"))
    assert told.count(":8080: nothing listens there on the host itself") == 2 * len(MASTERS)
    on_each(lab, dict.fromkeys(MASTERS, "systemctl start web"))
    for name in MASTERS:
        lab.wait_for(name)
    far = "nft add table inet far; nft add chain inet far in '{ type filter hook prerouting priority 0; }'; nft add rule inet far in"
    lab.console("nftables", f"{far} tcp dport 8080 ct state new drop")  # a rule with a condition that the plan does not judge
    told = lab.play(target="nftables", sources=CLIENT, verify="client", check=False)[1]
    assert "client may call the port, and cannot" in told


def test_the_examples_of_the_documentation(lab):
    text = (ROOT / "plugins/modules/airflow_firewall.py").read_text()
    tasks = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
    play = FOLDER / "examples.json"
    play.write_text(json.dumps([dict(hosts="masters", gather_facts=False, tasks=tasks)]))
    assert lab.playbook(play)[0] == dict.fromkeys(NAMES, 2)
    as_at_first(lab)


def test_each_line_that_is_left_out_is_missed(lab):
    """Else it would be a line too much, or nothing here would see that it is missing."""
    wish = dict(sources=CLIENT)
    wished = {one: "open" if one[0] == "client" else "shut" for one in lab.KNOCKS}

    def works(name):
        return lab.knock([name])[name] == wished

    def disable(name):  # the unit: enabling it is a line, too
        lab.console(name, f"systemctl -q disable {'netfilter-persistent' if name == 'iptables' else name}")

    def leave_out_each(name):
        disable(name)
        missed, unmissed = [], []
        lines = json.loads(lab.drive(name, "lines", **wish))
        for number, line in enumerate(lines):
            lab.drive(name, "apply", str(number), **wish)
            at_once = works(name)
            if at_once:
                lab.reboot([name])
            (unmissed if at_once and works(name) else missed).append(line)
            lab.fresh(name)
            disable(name)
        assert lab.drive(name, "apply", **wish).strip() == "done"
        assert works(name)
        lab.reboot([name])
        assert works(name)
        return missed, unmissed

    told = for_all(leave_out_each, MASTERS)
    assert {name: unmissed for name, (_missed, unmissed) in told.items()} == {name: [] for name in MASTERS}
    assert {name: len(missed) for name, (missed, _unmissed) in told.items()} == dict(firewalld=5, ufw=3, nftables=15, iptables=17)
