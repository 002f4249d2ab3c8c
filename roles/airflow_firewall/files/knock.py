# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries a TCP port, and says what that means. Run twice: on the host itself, and then on the host that calls it.

knock.py own PORT ADDRESS...           what listens here: of each of these addresses, and of those of the other family beside it
knock.py call PORT OWN NET...          OWN is what the first one printed; NETs are who may pass. Prints {"lines": [...], "failed": [...]}.
"""

import errno
import fcntl
import ipaddress
import json
import os
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

SECONDS = 3
FILTERED = (errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ENETUNREACH, errno.ETIMEDOUT)


def knock(address, port):
    """(open, refused, filtered or no way; the address that was called from)"""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as way:  # sends nothing: only asks for the way there
            way.connect((address, port))
            source = way.getsockname()[0]
    except OSError:
        return "no way", ""
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(SECONDS)
        try:
            caller.connect((address, port))
            return "open", source
        except ConnectionRefusedError:
            return "refused", source
        except OSError as exc:
            if isinstance(exc, socket.timeout) or exc.errno in FILTERED:
                return "filtered", source
            raise


def beside(address):
    """The global addresses of the other family on the interface that has this one."""
    found = {}
    for name in os.listdir("/sys/class/net"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
            try:
                answer = fcntl.ioctl(ask.fileno(), 0x8915, struct.pack("256s", name.encode()))  # SIOCGIFADDR
            except OSError:
                continue
            found.setdefault(name, []).append(socket.inet_ntoa(answer[20:24]))
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as file:
            for line in file:
                digits, _index, _length, scope, _flags, name = line.split()
                if scope == "00":
                    found.setdefault(name, []).append(str(ipaddress.ip_address(int(digits, 16))))
    except FileNotFoundError:
        pass
    wanted = ipaddress.ip_address(address)
    for some in found.values():
        if address in some:
            return [one for one in some if ipaddress.ip_address(one).version != wanted.version]
    return []


def own(port, given):
    addresses = [str(ipaddress.ip_address(address)) for address in given]
    if len({":" in address for address in addresses}) == 1:
        addresses += [one for address in addresses for one in beside(address)]
    return {address: knock(address, port)[0] != "refused" for address in dict.fromkeys(addresses)}  # one that is filtered even here is no proof


def judge(address, port, listens, nets):
    """(what is to be said, whether that is a failure)"""
    verdict, source = knock(address, port)
    place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    allowed = bool(source) and any(ipaddress.ip_address(source) in net for net in nets)
    may = f"{source} is {'among' if allowed else 'not among'} the sources"
    if verdict == "no way":
        return f"{place}: no way there, it has no address of that family", False
    if verdict == "open":
        return f"{place}: can be reached ({may}{'' if allowed else ', so that something else lets it in'})", False
    if not listens:
        return f"{place}: nothing listens there on the host itself, so the firewall was not put to the test ({may})", False
    return f"{place}: filtered, though something listens there ({may})", allowed


def call(port, listening, nets):
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda one: judge(one[0], port, one[1], nets), listening.items()))
    return dict(lines=[line for line, _failed in told], failed=[line for line, failed in told if failed])


def main():
    verb, port, *words = sys.argv[1:]
    if verb == "own":
        print(json.dumps(own(int(port), words)))
    else:
        print(json.dumps(call(int(port), json.loads(words[0]), [ipaddress.ip_network(net) for net in words[1:]])))


if __name__ == "__main__":
    main()
