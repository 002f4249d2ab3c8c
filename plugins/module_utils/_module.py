# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ``perform`` as an Ansible module: the only file that knows AnsibleModule. **PRIVATE** to the collection."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._perform import argument_spec, perform
from ansible_collections.dagops.airflow.plugins.module_utils._resource import Action, Resource


def frame(what: Resource | Action, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What AnsibleModule, or a validator in its place, must know: the options with the environment that some fall back to, and which are secret here."""
    spec = argument_spec(what)
    # Ansible hides the value of an option as a whole, with every 1 and true in it; of these only a part is secret
    secrets = {form for secret in (what.hides(given) if isinstance(what, Resource) else ()) for form in written(secret)}
    for number, secret in enumerate(sorted(secrets)):
        spec[f"__secret_{number}"] = dict(type="str", no_log=True, default=secret)
    for name in CONNECTION:
        spec[name] = dict(spec[name], fallback=(from_environment, [variable(name)]))
    return dict(argument_spec=spec, **what.required)


def written(secret: str) -> set[str]:
    """As it is, and as it stands in a list, a mapping or JSON that is shown as a text."""
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def run(what: Resource | Action) -> None:
    # pylint: disable-next=protected-access
    module = AnsibleModule(supports_check_mode=True, **frame(what, basic._load_params() or {}))
    try:
        result = perform(what, module.params, module.check_mode, warn=module.warn)
    except ImportError as exc:
        module.fail_json(msg=missing_required_lib(exc.name or "requests"))
    except AirflowError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(**result)


def from_environment(name: str) -> str:
    """An empty variable is none: pipelines set those that nobody filled to nothing."""
    if not os.environ.get(name):
        raise AnsibleFallbackNotFound
    return os.environ[name]


def variable(option: str) -> str:
    """The environment variable that an option of the connection falls back to."""
    return option.upper() if option.startswith("airflow_") else f"AIRFLOW_{option.upper()}"
