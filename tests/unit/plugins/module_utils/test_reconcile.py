# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._dialect import Rules
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError, Unsupported
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import HIDDEN, apply, fit, plan
from ansible_collections.dagops.airflow.plugins.module_utils._resources.pool import POOL
from ansible_collections.dagops.airflow.plugins.module_utils._resources.user import USER

THERE = dict(name="p", slots=3, description="d", include_deferred=False)


@pytest.mark.parametrize(
    ("current", "desired", "absent", "verb", "patch"),
    [
        (None, dict(name="p", slots=3), False, "create", dict(name="p", slots=3)),
        (THERE, dict(name="p", slots=3), False, "keep", {}),
        (THERE, dict(name="p"), False, "keep", {}),  # what is not asked for is left alone
        (THERE, dict(name="p", slots=4), False, "update", dict(slots=4)),
        (THERE, dict(name="p", description=""), False, "update", dict(description="")),  # an empty text clears
        (dict(THERE, description=None), dict(name="p", description=""), False, "keep", {}),  # none is as good as an empty one
        (THERE, dict(name="p", slots=3, include_deferred=True), False, "update", dict(include_deferred=True)),
        (THERE, dict(name="p"), True, "delete", {}),
        (None, dict(name="p"), True, "keep", {}),
    ],
)
def test_plan_of_a_pool(current, desired, absent, verb, patch):
    todo = plan(POOL, current, desired, absent)
    assert (todo.verb, todo.patch, todo.changed) == (verb, patch, verb != "keep")


def test_plan_compares_roles_as_a_set():
    current = dict(username="u", roles=["Op", "Admin"])
    assert plan(USER, current, dict(username="u", roles=["Admin", "Op", "Op"])).verb == "keep"
    assert plan(USER, current, dict(username="u", roles=["Admin"])).patch == dict(roles=["Admin"])


@pytest.mark.parametrize(("same", "verb"), [(True, "keep"), (False, "update"), (None, "update")])
def test_plan_of_a_password(same, verb):
    todo = plan(USER, dict(username="u"), dict(username="u", password="new"), matches=dict(password=same))
    assert todo.verb == verb
    assert todo.patch == ({} if same else dict(password="new"))
    assert "new" not in map(str, [*todo.before.values(), *todo.after.values()])


def test_plan_leaves_a_password_alone_that_is_not_to_be_compared():
    assert plan(USER, dict(username="u"), dict(username="u", password="new"), matches={}).verb == "keep"


def test_plan_of_a_new_user_hides_the_password():
    todo = plan(USER, None, dict(username="u", password="new"))
    assert todo.after["password"] == HIDDEN
    assert todo.patch["password"] == "new"


def store(**rules):
    return SimpleNamespace(title="Airflow X", rules=Rules(**rules))


def test_fit_refuses_what_is_lacking():
    with pytest.raises(Unsupported, match="Airflow X has no include_deferred for a pool: too old"):
        fit(POOL, store(lacks=dict(include_deferred="too old")), dict(name="p", include_deferred=False), None, print)


def test_fit_warns_of_what_only_describes():
    said = []
    fitting = fit(USER, store(lacks=dict(first_name="")), dict(username="u", first_name="F"), None, said.append)
    assert fitting == dict(username="u")
    assert said == ["Airflow X has no first_name for a user: left out"]


def test_fit_takes_what_is_so_anyway():
    only = store(fixed=dict(roles=(["Admin"], "everybody may do everything")))
    assert fit(USER, only, dict(username="u", roles=["Admin"]), None, print) == dict(username="u")
    with pytest.raises(Unsupported, match=r"roles of a user can only be \['Admin'\] on Airflow X: everybody may do everything"):
        fit(USER, only, dict(username="u", roles=["Op"]), None, print)


def test_fit_asks_for_what_creation_needs():
    needs = store(needs=("email", "roles"), defaults=dict(first_name="username"))
    with pytest.raises(AirflowError, match="To create the user 'u', Airflow X needs email, roles"):
        fit(USER, needs, dict(username="u"), None, print)
    assert fit(USER, needs, dict(username="u", email="e", roles=["r"]), None, print)["first_name"] == "u"
    assert fit(USER, needs, dict(username="u"), dict(username="u"), print) == dict(username="u")


def test_fit_counts_bytes():
    with pytest.raises(AirflowError, match="password is longer than 72 bytes: bcrypt"):
        fit(USER, store(longest=dict(password=(72, "bcrypt"))), dict(username="u", password="é" * 37), None, print)


def test_rules_of_an_old_version():
    rules = Rules(since=dict(include_deferred="2.7"))
    assert "include_deferred" in rules.of("2.6.3").lacks
    assert not rules.of("2.7.0").lacks
    assert not rules.of("2.10.5").lacks
    assert not rules.of(None).lacks


def test_apply_writes_nothing_where_nothing_is_to_do():
    assert apply(plan(POOL, THERE, dict(name="p")), None, "p") == THERE
