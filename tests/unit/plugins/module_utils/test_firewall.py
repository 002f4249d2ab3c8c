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


def test_firewalld_leaves_a_zone_alone_that_keeps_some_sources_out():
    host = Taped("firewalld_fresh")
    found = find.find(host)
    seen = firewalld.look(host, found)
    for place in seen.zones.values():
        place["drop"] = place["drop"]._replace(sources=["ipset:bad", "00:11:22:33:44:55", "192.0.2.0/24"])
    assert seen.zones["runtime"]["drop"].refuses and seen.zones["runtime"]["block"].refuses
    assert not seen.zones["runtime"]["public"].refuses

    def zones(wish):
        return {step.argv[-2] for step in firewalld.plan(seen, wish).steps if step.argv[1] != "--permanent"}

    one = CLIENT._replace(nets=(V4,))
    assert zones(one) == {"--zone=public"}
    assert zones(one._replace(zone="drop")) == {"--zone=drop"}
    assert not firewalld.plan(seen, one).blocked
    assert firewalld.plan(seen, Wish(8080, (network("192.0.2.7"),))).blocked == [
        "the zone drop refuses everything and takes what comes from 192.0.2.7/32, for it has the source 192.0.2.0/24"
    ]
    assert not firewalld.plan(seen, Wish(8080, (network("192.0.2.7"),), absent=True)).blocked
    for place in seen.zones.values():
        place["drop"] = place["drop"]._replace(interfaces=["host0"])
        place["public"] = place["public"]._replace(interfaces=[])
    assert zones(one) == {"--zone=drop"}  # the way in, where whatever is not accepted is dropped


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
    assert (one.opening, one.comment, one.rules) == (Opening(network("0.0.0.0/0"), 8080), "dagops.airflow", [Opening(network("0.0.0.0/0"), 8080)])
    assert ufw.kernel("-N ufw6-user-input\n-A ufw6-user-input -p tcp -m tcp --dport 8080 -j ACCEPT", 6) == [Opening(network("::/0"), 8080)]


ANY = """### tuple ### allow any 8080 0.0.0.0/0 any 10.86.10.0/24 in
-A ufw-user-input -p tcp --dport 8080 -s 10.86.10.0/24 -j ACCEPT
-A ufw-user-input -p udp --dport 8080 -s 10.86.10.0/24 -j ACCEPT

### END RULES"""
ANY_LIVE = "-A ufw-user-input -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT\n-A ufw-user-input -s 10.86.10.0/24 -p udp -m udp --dport 8080 -j ACCEPT\n"


def with_any(tape, wish, times=1):
    """With an administrator's rule for tcp and udp, and its line for tcp so many times in the kernel."""
    host = Taped(tape)
    host.tape["texts"]["/etc/ufw/user.rules"] = host.text("/etc/ufw/user.rules").replace("### END RULES", ANY)
    for asked, run in [(run[0], run) for run in host.tape["runs"]]:
        if asked == ["iptables", "-S", "ufw-user-input"]:
            run[2] += ANY_LIVE + ANY_LIVE.splitlines(True)[0] * (times - 1)
    return words(ufw.plan(ufw.look(host, find.find(host)), wish))


def test_ufw_what_an_administrator_s_rule_for_tcp_and_udp_made_stays():
    add = "ufw allow proto tcp from 10.86.10.0/24 to any port 8080 comment dagops.airflow"
    away = "iptables -w 5 -D ufw-user-input -s 10.86.10.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT"
    one = Wish(8080, (V4,))
    assert with_any("ufw_fresh", ABSENT) == []
    assert with_any("ufw_fresh", Wish(8080, ())) == []
    assert with_any("ufw_fresh", one) == [add]
    assert with_any("ufw_fresh", one, 2) == [away, add]
    assert with_any("ufw_fresh", ABSENT, 3) == [away, away]
    assert with_any("ufw_opened", CLIENT) == []
    delete = "ufw delete allow proto tcp from 10.86.10.0/24 to any port 8080"
    assert with_any("ufw_opened", ABSENT)[:-1] == [delete]
    assert with_any("ufw_opened", ABSENT, 2)[:-1] == [delete, away]
    assert with_any("ufw_drifted", ABSENT)[:2] == [away.replace("-D", "-A"), delete]  # ufw deletes one, and his is to stay


def test_ufw_rules_of_a_tuple():
    both, logged = ufw.parse(
        ANY + "\n### tuple ### allow_log tcp 22 ::/0 any ::/0 in\n-A ufw6-user-logging-input -p tcp --dport 22 -j RETURN\n"
        "-A ufw6-user-input -p tcp --dport 22 -j ufw6-user-logging-input\n-A ufw6-user-input -p tcp --dport 22 -j ACCEPT\n"
    )
    assert both.rules == [Opening(V4, 8080), None]
    assert logged.rules == [None, Opening(network("::/0"), 22)]


def test_ufw_without_ipv6():
    assert words(planned("ufw_without_ipv6", CLIENT._replace(absent=True))) == ["ufw delete allow proto tcp from 10.86.10.0/24 to any port 8080"]
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
    assert file.startswith("/etc/nftables.airflow.d/8080.nft\n# What the role")
    assert file.endswith("\tchain input {\n\t}\n}\ninsert rule inet filter input jump airflow_8080\n")
    assert include.startswith("/etc/nftables.conf\n#!/usr/sbin/nft -f\n")
    assert include.endswith('}\ninclude "/etc/nftables.airflow.d/*.nft"\n')


@pytest.mark.parametrize("line", ['# include "/etc/nftables.airflow.d/*.nft"', '#include "/etc/nftables.airflow.d/*.nft"\n\n'])
def test_nftables_a_line_that_is_commented_out_includes_nothing(line):
    host = Taped("nftables_opened")
    text = host.text("/etc/nftables.conf")
    own = 'include "/etc/nftables.airflow.d/*.nft"\n'

    def file(before, wish):
        host.tape["texts"]["/etc/nftables.conf"] = before
        steps = nftables.plan(nftables.look(host, find.find(host)), wish).steps
        return [step.text for step in steps if isinstance(step, Write) and step.path == "/etc/nftables.conf"]

    without = text.replace(own, "") + line
    assert file(without, CLIENT) == [without.rstrip("\n") + "\n" * max(line.count("\n"), 1) + own]
    assert file(without, ABSENT) == []
    assert file(text + line, ABSENT) == [without.rstrip("\n") + "\n" * max(line.count("\n"), 1)]
    assert file(text + "\n  \n", CLIENT) == []
    assert file(own + text, CLIENT) == [text]  # once, and last


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


@pytest.mark.parametrize(
    "source, why",
    [
        ("127.0.0.1", "a loopback address"),
        ("127.0.0.0/8", "a loopback address"),
        ("::1", "a loopback address"),
        ("0.0.0.0", "the unspecified address"),
        ("0.0.0.0/32", "the unspecified address"),
        ("::/128", "the unspecified address"),
        ("239.1.2.0/24", "a multicast address"),
        ("FF02::1", "a multicast address"),
        ("::ffff:10.0.0.7", "an IPv4 address written as one of IPv6"),
        ("::ffff:0:0/96", "an IPv4 address written as one of IPv6"),
    ],
)
def test_who_is_never_a_caller_is_refused(source, why):
    with pytest.raises(AirflowError, match=f"The source '{source}' is {why}, from which no other host calls"):
        networks(["10.0.0.0/8", source])


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


class Off(Host):
    """No firewall filters on it, and these files are left."""

    def __init__(self, texts):
        super().__init__(lambda argv, stdin: (0, "", ""))
        self.texts = texts

    def has(self, program):
        return False

    def text(self, path):
        return self.texts.get(path)

    def names(self, folder):
        return [path.rpartition("/")[2] for path in self.texts if path.rpartition("/")[0] == folder]


XML = """<zone>
  <rule priority="71" family="ipv4">
    <source address="10.86.10.0/24"/>
    <port port="8080" protocol="tcp"/>
    <accept/>
  </rule>
</zone>"""
LEFT = {
    "/etc/firewalld/zones/public.xml": XML,
    "/etc/ufw/user.rules": Taped("ufw_opened").text("/etc/ufw/user.rules"),
    "/etc/nftables.airflow.d/8080.nft": "",
    "/etc/iptables/rules.v4": Taped("iptables_opened").text("/etc/iptables/rules.v4"),
}


def test_what_is_left_of_a_firewall_that_does_not_filter_is_said(monkeypatch):
    monkeypatch.setattr(settle.os, "geteuid", lambda: 0)
    options = dict(port=8080, sources=[], state="absent", exclusive=True, backend="auto", when_inactive="notice", zone="")

    def said(texts, **more):
        told = []
        assert not settle.settle(dict(options, **more), Off(texts), False, told.append)["changed"]
        return told[0]

    for path, text in LEFT.items():
        assert f"but what this module opened stands in {path} and comes back with the firewall: start it, and play this again" in said({path: text})
        assert "nothing to close" in said({path: text}, exclusive=False, port=808)
        assert path in said({path: text}, exclusive=False)
        assert "nothing to open" in said({path: text}, state="present")
    with pytest.raises(AirflowError, match="stands in /etc/firewalld/zones/public.xml, /etc/ufw/user.rules, /etc/nftables"):
        said(LEFT, when_inactive="fail")
    fresh = {f"/etc/{file}": Taped(f"{name}_fresh").text(f"/etc/{file}") for name, file in (("ufw", "ufw/user.rules"), ("iptables", "iptables/rules.v4"))}
    fresh["/etc/firewalld/zones/public.xml"] = XML.replace("71", "7")
    assert "nothing to close" in said(fresh, when_inactive="fail")


def test_backends_look_alike():
    for backend in (firewalld, ufw, nftables, iptables):
        assert {"look", "plan", "saved", "Seen"} <= set(vars(backend))
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
