# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""knock.py PORT ADDRESS...: who opens? As JSON {address: verdict}.

open     a program answers
shut     it does not, and at the same moment sshd of the same address does: a time-out, a refusal and an ICMP reject are all the same here, since
         rejects are limited in their rate
dead     sshd does not answer either, which proves nothing about a firewall, and is a failure of the test bed
"""

import concurrent.futures
import json
import socket
import sys
import time

SECONDS = 1.5


def answers(address, port):
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as caller:
            if port == 22:
                return True
            caller.settimeout(20)
            caller.sendall(b"GET / HTTP/1.0\r\nHost: knock\r\n\r\n")
            return caller.recv(16).startswith(b"HTTP/")
    except OSError:
        return False


def alive(address):
    return any(answers(address, 22) or time.sleep(0.5) for _try in range(6))


def verdict(address, port):
    if answers(address, port):
        return "open"
    return "shut" if alive(address) else "dead"


port, *addresses = sys.argv[1:]
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(zip(addresses, pool.map(lambda address: verdict(address, int(port)), addresses)))))
