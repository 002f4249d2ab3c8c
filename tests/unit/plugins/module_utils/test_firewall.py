# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The firewall's plans, on what real hosts answered (python -m tests.hosts.record)."""

from __future__ import annotations

import ipaddress
import json
import pathlib

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._firewall import find, firewalld, iptables, nftables, settle, ufw
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.host import Host, apply, rehearse
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.plan import Opening, Run, Wish, Write, target
from ansible_collections.dagops.airflow.plugins.module_utils._firewall.sources import network, networks

TAPES = pathlib.Path(__file__).parent / "firewall"
V4, V6 = network("10.86.10.0/24"), network("fd86:0:0:a::/64")
CLIENT = Wish(8080, (V4, V6))
ABSENT = Wish(8080, (), absent=True)
FRESH = [("firewalld", "firewalld_fresh"), ("ufw", "ufw_fresh"), ("nftables", "nftables_fresh"), ("iptables", "iptables_fresh")]
OPENED = [(name, tape.replace("fresh", "opened")) for name, tape in FRESH]


class Taped(Host):
    """A host that answers as the real one did."""

    def __init__(self, tape):
        self.tape = json.loads((TAPES / f"{tape}.json").read_text())
        super().__init__(self.heard)

    def heard(self, argv, stdin):
        return next((status, out, err) for asked, status, out, err in self.tape["runs"] if asked == list(argv))

    def has(self, program):
        return self.tape["programs"][program]

    def text(self, path):
        return self.tape["texts"][path]

    def names(self, folder):
        return self.tape["folders"][folder]


def planned(tape, wish=CLIENT):
    host = Taped(tape)
    found = find.find(host)
    backend = settle.BACKENDS[find.choose(found, "auto")]
    return backend.plan(backend.look(host, found), wish)


def words(plan):
    return [" ".join(step.argv) + step.stdin if isinstance(step, Run) else f"{step.path}\n{step.text}" for step in plan.steps]


@pytest.mark.parametrize(
    "tape, active",
    [
        *[(tape, [name]) for name, tape in (*FRESH, *OPENED)],
        ("firewalld_stopped", []),
        ("ufw_disabled", []),
        ("nftables_stock", []),
        ("nftables_two", ["nftables"]),
        ("iptables_legacy", ["iptables"]),
        ("iptables_both", ["iptables (nf_tables)", "iptables (legacy)"]),
    ],
)
def test_what_filters(tape, active):
    assert find.find(Taped(tape)).active == active


def test_a_named_one_that_does_not_filter_and_two_that_do_are_errors():
    with pytest.raises(AirflowError, match="The firewall ufw is not active on this host; active is: nftables"):
        find.choose(find.find(Taped("nftables_fresh")), "ufw")
    with pytest.raises(AirflowError, match=r"More than one firewall can drop packets on this host \(iptables \(nf_tables\), iptables \(legacy\)\)"):
        find.choose(find.find(Taped("iptables_both")), "auto")


@pytest.mark.parametrize("tape", [tape for _name, tape in FRESH])
def test_nothing_wished_on_a_fresh_host_is_nothing_to_do(tape):
    for wish in (ABSENT, Wish(8080, ())):
        todo = planned(tape, wish)
        assert (todo.steps, todo.open, todo.notes, todo.blocked) == ([], [], [], [])


@pytest.mark.parametrize("tape", [tape for _name, tape in OPENED])
def test_what_is_there_is_kept(tape):
    todo = planned(tape)
    assert todo.steps == []
    assert todo.before == todo.after != []
    assert todo.open == [Opening(V4, 8080), Opening(V6, 8080)]


@pytest.mark.parametrize("tape", [tape for _name, tape in OPENED])
def test_what_is_no_longer_asked_for_is_closed_unless_others_may_ask(tape):
    other = Wish(9090, (V4,))
    closed = "\n".join(words(planned(tape, other)))
    assert "8080" in closed
    kept = planned(tape, other._replace(exclusive=False))
    assert kept.open == [Opening(V4, 8080), Opening(V6, 8080), Opening(V4, 9090)]
    assert all("9090" in word for word in words(kept))
    assert planned(tape, ABSENT).open == []
    assert planned(tape, Wish(8080, (V4,), absent=True, exclusive=False)).open == [Opening(V6, 8080)]
    assert planned(tape, Wish(9090, (), absent=True, exclusive=False)).steps == []


def test_firewalld_each_place_for_itself():
    rule = '--add-rich-rule=rule priority="71" family="ipv4" source address="10.86.10.0/24" port port="8080" protocol="tcp" accept'
    assert words(planned("firewalld_fresh", Wish(8080, (V4,)))) == [
        f"firewall-cmd --zone=public {rule}",
        f"firewall-cmd --permanent --zone=public {rule}",
    ]


def test_firewalld_goes_where_the_packets_come_through():
    moved = "\n".join(words(planned("firewalld_zones")))
    assert "--zone=internal --add-rich-rule" in moved
    assert "--zone=public --remove-rich-rule" in moved
    with pytest.raises(AirflowError, match="No packet comes through the zone public"):
        planned("firewalld_zones", CLIENT._replace(zone="public"))
    with pytest.raises(AirflowError, match="firewalld has no zone 'nowhere'"):
        planned("firewalld_zones", CLIENT._replace(zone="nowhere"))


def test_ufw_mends_kernel_and_file_each_for_itself():
    assert words(planned("ufw_drifted")) == [
        "iptables -w 5 -I ufw-user-input 3 -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT",
        "ip6tables -w 5 -D ufw6-user-input -s fd86:0:0:a::/64 -p tcp -m tcp --dport 8080 -j ACCEPT",
        "ufw allow proto tcp from fd86:0:0:a::/64 to any port 8080 comment dagops.airflow",
    ]
    assert words(planned("ufw_drifted", ABSENT)) == [
        "iptables -w 5 -A ufw-user-input -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT",
        "ufw delete allow proto tcp from 10.86.10.0/24 to any port 8080",
        "ip6tables -w 5 -D ufw6-user-input -s fd86:0:0:a::/64 -p tcp -m tcp --dport 8080 -j ACCEPT",
    ]


def test_ufw_everybody_of_each_family():
    todo = planned("ufw_fresh", Wish(8080, tuple(networks(["0.0.0.0/0", "::/0"]))))
    assert [" ".join(step.argv) for step in todo.steps] == [
        "ufw allow proto tcp from 0.0.0.0/0 to any port 8080 comment dagops.airflow",
        "ufw allow proto tcp from ::/0 to any port 8080 comment dagops.airflow",
    ]
    told = "### tuple ### allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in comment=6461676f70732e616972666c6f77\n-A ufw-user-input -p tcp --dport 8080 -j ACCEPT\n"
    [one] = ufw.parse(told)
    assert (one.opening, one.comment, one.lines) == (Opening(network("0.0.0.0/0"), 8080), "dagops.airflow", 1)
    assert ufw.kernel("-N ufw6-user-input\n-A ufw6-user-input -p tcp -m tcp --dport 8080 -j ACCEPT", 6) == [Opening(network("::/0"), 8080)]


def test_ufw_without_ipv6():
    with pytest.raises(AirflowError, match=r"ufw has IPv6 switched off .* so that fd86:0:0:a::/64 cannot be let in"):
        planned("ufw_without_ipv6")


def test_nftables_in_one_transaction_and_in_a_file_of_our_own():
    live, file, include = words(planned("nftables_fresh"))
    assert live == (
        "nft -f -add chain inet filter airflow_8080\n"
        "add rule inet filter airflow_8080 ip saddr 10.86.10.0/24 tcp dport 8080 accept\n"
        "add rule inet filter airflow_8080 ip6 saddr fd86:0:0:a::/64 tcp dport 8080 accept\n"
        "insert rule inet filter input jump airflow_8080\n"
    )
    assert file.startswith("/etc/nftables.d/airflow-8080.nft\n# What the role")
    assert file.endswith("\tchain input {\n\t}\n}\ninsert rule inet filter input jump airflow_8080\n")
    assert include.startswith("/etc/nftables.conf\n#!/usr/sbin/nft -f\n")
    assert include.endswith('}\ninclude "/etc/nftables.d/airflow-*.nft"\n')


def test_nftables_in_every_chain_that_drops_and_no_word_for_the_boot_of_one_that_a_program_made():
    todo = planned("nftables_two")
    assert "insert rule ip second in jump airflow_8080" in words(todo)[0]
    assert "ip6 saddr" not in [line for line in words(todo)[0].splitlines() if " ip second " in line]
    assert todo.notes == ["The table ip second is not in /etc/nftables.conf, so that the port is open in it until the next boot only"]
    assert all("second" not in word for word in words(todo)[1:])


def test_iptables_in_one_transaction_and_only_its_own_lines_of_the_file():
    todo = planned("iptables_fresh", Wish(8080, (V4,)))
    live, file = words(todo)
    assert live == (
        "iptables-restore --noflush -w 5*filter\n:AIRFLOW_8080 - [0:0]\n-A AIRFLOW_8080 -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT\n"
        "-I INPUT -j AIRFLOW_8080\nCOMMIT\n"
    )
    before = Taped("iptables_fresh").text("/etc/iptables/rules.v4").splitlines()
    added = [line for line in file.splitlines()[1:] if line not in before]
    assert added == [
        ":AIRFLOW_8080 - [0:0]",
        "-A INPUT -j AIRFLOW_8080",
        "-A AIRFLOW_8080 -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT",
    ]
    assert [line for line in file.splitlines()[1:] if line not in added] == before


def test_iptables_file_is_as_it_was_after_all():
    text = Taped("iptables_fresh").text("/etc/iptables/rules.v4")
    some = {Opening(V4, 8080), Opening(network("0.0.0.0/0"), 9090)}
    edited = iptables.edit(text, some)
    assert iptables.edit(edited, some) == edited
    assert iptables.edit(edited, set()) == text
    assert iptables.edit("", {Opening(V4, 8080)}).startswith("*filter\n:AIRFLOW_8080 - [0:0]\n-A INPUT -j AIRFLOW_8080\n-A AIRFLOW_8080 -s 10.86.10.0/24")


def test_iptables_that_is_not_the_one_that_saved_rules_are_for():
    todo = planned("iptables_legacy", Wish(8080, (V4,)))
    assert words(todo)[0].startswith("iptables-legacy-restore --noflush")
    assert todo.notes == ["iptables-legacy: the saved rules are not those of iptables-legacy on this host, so that the port is open until the next boot only"]
    assert len(todo.steps) == 1


def test_iptables_without_a_file():
    assert "iptables: there are no saved rules on this host, so that the port is open until the next boot only" in planned("iptables_unsaved").notes


@pytest.mark.parametrize(
    "tape, rule",
    [
        ("firewalld_shadowed", 'rule family="ipv4" source address="10.86.0.0/16" port port="8000-8100" protocol="tcp" reject'),
        ("ufw_shadowed", "deny tcp 8080 0.0.0.0/0 any 10.86.0.0/16 in"),
        ("nftables_shadowed", "10.86.0.0/16 tcp dport { 80, 8000-8100 } drop"),
        ("iptables_shadowed", "-A block -s 10.86.0.0/16 -j DROP"),
    ],
)
def test_who_comes_first_and_refuses_is_named(tape, rule):
    todo = planned(tape)
    assert todo.blocked
    assert all(rule in said and "refuses 10.86.10.0/24" in said for said in todo.blocked)
    assert not planned(tape, ABSENT).blocked
    assert not planned(tape, Wish(8080, (network("192.0.2.0/24"),))).blocked  # others are not concerned
    assert not planned(tape, Wish(7070, (V4,))).blocked


@pytest.mark.parametrize(
    "source, spelt",
    [("10.1.2.3", "10.1.2.3/32"), (" 10.1.2.3/24 ", "10.1.2.0/24"), ("10.1.0.0/255.255.0.0", "10.1.0.0/16"), ("2001:DB8:0:0::1/64", "2001:db8::/64")],
)
def test_one_spelling(source, spelt):
    assert str(network(source)) == spelt


@pytest.mark.parametrize("source", ["", "web01", "10.0.0.0/33", "10.0.0", "010.0.0.1", "10.0.0.0/0", "::1/0", "fe80::1%eth0/64", "10.0.0.1-10.0.0.9"])
def test_what_cannot_be_meant_is_refused_by_its_name(source):
    with pytest.raises(AirflowError) as refused:
        networks(["10.0.0.0/8", source])
    assert repr(source) in str(refused.value)


def test_each_once_and_in_order():
    assert networks(["::/0", "10.0.0.9/24", "10.0.0.0/24", "9.0.0.0/8"]) == [ipaddress.ip_network(one) for one in ("9.0.0.0/8", "10.0.0.0/24", "::/0")]


def test_absent_of_everything_and_of_something():
    ours = [Opening(V4, 8080), Opening(V6, 8080), Opening(V4, 9090)]
    assert target(ours, ABSENT) == set()
    assert target(ours, ABSENT._replace(exclusive=False)) == {Opening(V4, 9090)}
    assert target(ours, Wish(8080, (V4,), absent=True, exclusive=False)) == {Opening(V6, 8080), Opening(V4, 9090)}


def test_the_writer_says_what_was_done_and_what_was_not(tmp_path):
    ran = []

    def run(argv, stdin):
        ran.append((argv, stdin))
        return (1, "", "no  such\nthing") if argv[0] == "bad" else (0, "", "")

    path = tmp_path / "new" / "file"
    host = Host(run)
    with pytest.raises(AirflowError, match=r"^bad one ended with status 1; it said: no such thing \(done before: write, run; to do was: fail\)$"):
        apply([Write("write", str(path), "text\n"), Run("run", ("good",), "words"), Run("fail", ("bad", "one"))], host)
    assert path.read_text() == "text\n"
    apply([Write("remove", str(path), None)], host)
    assert not path.parent.exists()
    with pytest.raises(AirflowError, match="bad --test"):
        rehearse([Run("fail", ("good",), "words", ("bad", "--test"))], host)
    assert ran[-1] == (("bad", "--test"), "words")


def test_a_firewall_that_died_and_a_program_that_is_missing():
    host = Taped("firewalld_stopped")
    host.tape["runs"] = [[asked, 0 if "is-failed" in asked else status, out, err] for asked, status, out, err in host.tape["runs"]]
    with pytest.raises(AirflowError, match=r"firewalld failed to start and does not filter \(not running\)"):
        find.find(host)
    host = Taped("nftables_fresh")
    host.tape["programs"]["nft"] = False
    host.tape["programs"]["iptables"] = host.tape["programs"]["ip6tables"] = False
    with pytest.raises(AirflowError, match="nftables is to filter here, but there is no program nft"):
        find.find(host)


def test_backends_look_alike():
    for backend in (firewalld, ufw, nftables, iptables):
        assert {"look", "plan", "Seen"} <= set(vars(backend))
    assert tuple(settle.BACKENDS) == find.NAMES


def test_a_chain_that_only_looks_like_one_of_iptables_is_of_nftables():
    host = Taped("nftables_fresh")
    text = json.dumps(host.tape["runs"]).replace('\\"inet\\"', '\\"ip\\"').replace('\\"chain\\": \\"input\\"', '\\"chain\\": \\"INPUT\\"')
    host.tape["runs"] = json.loads(text.replace('\\"name\\": \\"input\\"', '\\"name\\": \\"INPUT\\"'))
    host.tape["programs"]["iptables-nft"] = False
    found = find.find(host)
    assert found.active == ["nftables"]
    assert [(chain.key, chain.drops) for chain in found.chains] == [(("ip", "filter", "INPUT"), True)]
    assert find.unfiltered(found, "nftables") == [6]
