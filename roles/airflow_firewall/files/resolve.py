# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""resolve.py NAME=WHERE...: the addresses of each WHERE, of both families, as JSON {NAME: [ADDRESS, ...]}; none where a name does not resolve."""

import json
import socket
import sys


def addresses(where):
    try:
        return sorted({found[4][0].partition("%")[0] for found in socket.getaddrinfo(where, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return []


print(json.dumps({name: addresses(where) for name, _mark, where in (word.partition("=") for word in sys.argv[1:])}))
