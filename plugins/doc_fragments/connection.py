# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of module_utils/_connect.py, under the same name."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of Airflow's web server, for example V(http://airflow.example.org:8080). It may have a path, where Airflow stands behind a proxy
        or lives below a path itself. A slash at its end and the path of an API, such as V(/api/v2), may be left there.
      - Needed unless O(client=python).
      - If it is not given, the value of environment variable E(AIRFLOW_API_URL) is used, where the module runs. The same holds for all options of this list.
        An empty variable is as none.
    type: str
  api_username:
    description:
      - Who calls the REST API. If it is not given, E(AIRFLOW_API_USERNAME) is used.
      - On Airflow 1.10 the users of the REST API are not those of the web interface, see M(dagops.airflow.airflow_api_user).
    type: str
  api_password:
    description: His password. If it is not given, E(AIRFLOW_API_PASSWORD) is used.
    type: str
  api_token:
    description: A token (JWT) instead of a password. If it is not given, E(AIRFLOW_API_TOKEN) is used.
    type: str
  api_version:
    description:
      - Which REST API to speak, V(experimental) of Airflow 1.10, V(v1) of Airflow 2, V(v2) of Airflow 3.
      - V(auto) asks the server, newest first. Naming it saves one request on Airflow 3, two on 2 and three on 1.10.
      - If it is not given, E(AIRFLOW_API_VERSION) is used.
    type: str
    choices: [auto, experimental, v1, v2]
    default: auto
  api_auth:
    description:
      - How to prove who calls.
      - V(auto) takes O(api_token) where it is given, else the password in the way that this Airflow likes best (V(basic) on 1.10 and 2, V(login) on 3),
        else V(none).
      - V(login) buys a token with the password, once per task (C(POST /auth/token), Airflow 3 only).
      - If it is not given, E(AIRFLOW_API_AUTH) is used.
    type: str
    choices: [auto, none, basic, token, login]
    default: auto
  api_timeout:
    description: Seconds to wait for a connection, and for each answer. If it is not given, E(AIRFLOW_API_TIMEOUT) is used.
    type: float
    default: 30
  api_retries:
    description:
      - How often to try again after a lost connection, and after the answers 429 and 5xx, with growing pauses. That holds for reads,
        for changes and removals, which are the same when they are done twice, and for what certainly did not reach the server.
      - If it is not given, E(AIRFLOW_API_RETRIES) is used.
    type: int
    default: 3
  validate_certs:
    description: Whether the server's certificate must be right. If it is not given, E(AIRFLOW_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the certificates of the authorities to trust, or a folder of them as C(openssl rehash) leaves it. By default those of
        E(REQUESTS_CA_BUNDLE), else those of the library C(requests).
      - If it is not given, E(AIRFLOW_CA_PATH) is used.
    type: path
  client_cert:
    description: A file with the certificate (and the key, without O(client_key)) to show to the server. If it is not given, E(AIRFLOW_CLIENT_CERT) is used.
    type: path
  client_key:
    description: A file with the key of O(client_cert), which must not have a passphrase. If it is not given, E(AIRFLOW_CLIENT_KEY) is used.
    type: path
  client:
    description:
      - V(rest) speaks to the REST API.
      - V(python) speaks to Airflow through its own Python, and must run on a host where Airflow is installed and configured, the master. There it does
        what no REST API does,
        for example make the first API user.
      - If it is not given, E(AIRFLOW_CLIENT) is used.
    type: str
    choices: [rest, python]
    default: rest
  airflow_python:
    description:
      - The Python that Airflow is installed in, or a command that leads to one, such as V(docker exec -i webserver python). For O(client=python).
      - By default that of the C(airflow) on C(PATH).
      - If it is not given, E(AIRFLOW_PYTHON) is used.
    type: str
  airflow_home:
    description:
      - The service's E(AIRFLOW_HOME). For O(client=python). Airflow's own default is C(~/airflow).
      - If it is not given, E(AIRFLOW_HOME) is used.
    type: path
  airflow_env_file:
    description:
      - The file from which the service gets its settings, in the form of a systemd C(EnvironmentFile). For O(client=python).
      - It is read by the module and handed over by a pipe, so that no secret in it can be seen in a list of processes.
      - If it is not given, E(AIRFLOW_ENV_FILE) is used.
    type: path
  airflow_user:
    description:
      - As whom to run Airflow's Python, where the module itself runs as root. For O(client=python).
      - By default the owner of O(airflow_home), for files that root makes there could not be written by the scheduler.
      - If it is not given, E(AIRFLOW_USER) is used.
    type: str
requirements:
  - requests >= 2.25 where the module runs, unless O(client=python)
notes:
  - The proxy that E(HTTP_PROXY), E(HTTPS_PROXY) or E(ALL_PROXY) names is used, but for the hosts in E(NO_PROXY). What counts is the environment
    where the module runs. A C(~/.netrc) is not read.
  - Passwords and tokens are in no output, log or list of processes. While a module runs, Ansible keeps its options in a private temporary folder on the host,
    unless C(pipelining) is on.
"""
