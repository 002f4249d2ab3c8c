# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mask hides, and what a URI says."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError
from ansible_collections.dagops.airflow.plugins.module_utils._module import frame
from ansible_collections.dagops.airflow.plugins.module_utils._reconcile import plan, same_json, shown
from ansible_collections.dagops.airflow.plugins.module_utils._resource import has_mask, same_leaves, veiled
from ansible_collections.dagops.airflow.plugins.module_utils._resources.connection import CONNECTION
from ansible_collections.dagops.airflow.plugins.module_utils._resources.variable import VARIABLE


@pytest.mark.parametrize(
    ("told", "wished", "same"),
    [
        ("***", "x", None),
        (dict(a=1, password="***"), dict(a=1, password="x"), None),
        (dict(a=2, password="***"), dict(a=1, password="x"), False),
        (dict(a=1), dict(a=1, password="x"), False),
        ([1, dict(token="***")], [1, dict(token="x")], None),
        ("has *** inside", "has s3cret inside", None),
        ("has *** inside", "has s3cret outside", False),
        (1, True, False),
        (1.0, 1, True),
        ([], [], True),
    ],
)
def test_leaves_are_compared_as_far_as_they_are_told(told, wished, same):
    assert same_leaves(told, wished) is same


def test_what_a_secret_is_called():
    found = dict(user="u", API_TOKEN="t", secret=dict(a=["b"]), inner=[dict(passwd=1)])
    assert veiled(found) == dict(user="u", API_TOKEN="***", secret=dict(a=["***"]), inner=[dict(passwd="***")])


@pytest.mark.parametrize(("value", "has"), [("***", True), ('{"a": ["***"]}', True), (dict(a="***"), True), ("a *** b", False), (3, False)])
def test_a_mask_that_would_be_stored(value, has):
    assert has_mask(value) is has


@pytest.mark.parametrize(("one", "other", "same"), [("1.1", "1.10", True), ("1", "true", False), ("x", "1", False), (None, "1", False)])
def test_what_is_told_anew(one, other, same):
    assert same_json(one, other) is same


def held(value, secrets="if_known", told='{"a": 1, "token": "***"}', **more):
    return plan(VARIABLE, dict(key="k", value=told, description=None), VARIABLE.desired(dict(key="k", value=value)), secrets=secrets, **more)


def test_what_is_hidden_is_never_a_difference():
    same = held(dict(a=1, token="s3cret"))
    assert (same.verb, same.unknown) == ("keep", ["value"])
    assert held(dict(a=1, token="s3cret"), "always").patch == dict(value='{"a": 1, "token": "s3cret"}')
    other = held(dict(a=2, token="s3cret"))
    assert other.patch == dict(value='{"a": 2, "token": "s3cret"}')
    assert "s3cret" not in str(shown(VARIABLE, other))
    with pytest.raises(Exception, match="^value of the variable 'k' differs, and to change it is to write the secrets in it, too"):
        held(dict(a=2, token="s3cret"), "on_create")
    assert held("1.10", told="1.1", retold=["value"]).unknown == ["value"]
    assert held("1.10", told="1.1").patch == dict(value="1.10")


def test_a_change_that_cannot_be_shown_is_said():
    told = shown(VARIABLE, plan(VARIABLE, dict(key="password", value="a", description=None), dict(key="password", value="b")))
    assert (told["before"]["value"], told["after"]["value"]) == ("***", "******** (new)")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://h", dict(conn_type="http", host="h", login="", password=None, schema="", port=None, extra={})),
        (
            "my-kind://u%2F:p%40@h%3A:1/s%2F?a=b&c=",
            dict(conn_type="my_kind", host="h:", login="u/", password="p@", schema="s/", port=1, extra=dict(a="b", c="")),
        ),
        ("postgresql://h/?__extra__=%7B%22a%22%3A+1%7D", dict(conn_type="postgres", host="h", extra=dict(a=1))),
    ],
)
def test_uri(uri, said):
    unfolded = CONNECTION.unfold(dict(uri=uri, connection_id="c"))
    assert {name: unfolded[name] for name in said} == said
    assert CONNECTION.unfold(dict(host="h")) == dict(host="h")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("h", "uri begins with a connection type"),
        ("http://h:x", "The port in uri"),
        ("http://https://h", "a protocol of its own"),
        ("http://h?__extra__=1", "extra is"),
        ("jdbc:mysql://u:pw@h/db", "uri begins with a connection type"),
        ("http://u:p[pw@h", "^uri is no address: is each part percent-encoded, a slash in a password as %2F, # as %23, [?] as %3F[?]$"),
        ("http://u:p\uff1fpw@h", "^uri is no address: is each part percent-encoded"),
        ("http://u:1#pw@h", "^uri is no address: is each part percent-encoded"),
        ("http://u:1/pw@h", "^uri is no address: is each part percent-encoded"),
        ("http://u:1?pw@h", "^uri is no address: is each part percent-encoded"),
    ],
)
def test_uri_that_says_nothing(uri, words):
    with pytest.raises(ValueError, match=words):
        CONNECTION.unfold(dict(uri=uri))


def test_which_parts_are_secret():
    assert VARIABLE.hides(dict(key="my_password", value="x")) == ["x"]
    assert VARIABLE.hides(dict(key="k", value='{"token": 12, "a": "b"}')) == ["12", '{"token": 12, "a": "b"}']
    assert VARIABLE.hides(dict(key="k", value=3)) == []
    assert VARIABLE.hides(dict(key="token", value="***")) == []
    assert CONNECTION.hides(dict(extra=dict(a=1))) == []
    assert CONNECTION.hides(dict(extra='{"secret": {"inner": ["s"]}}')) == ["s", '{"secret": {"inner": ["s"]}}']
    assert CONNECTION.hides(dict(extra='{"secret": "s",}')) == ['{"secret": "s",}'] * 2
    assert CONNECTION.hides(dict(extra=dict(token="s"), uri="http://u:p@h")) == ["s", "p"]
    assert CONNECTION.hides(dict(uri="http://u:p%40ss@h?token=t%2F")) == ["t/", "p@ss"]
    for nothing in ("nothing", "http://[", 5, dict(a=1), ["http://h"]):
        assert CONNECTION.hides(dict(uri=nothing)) == []


def test_a_secret_is_hidden_as_ansible_would_show_it():
    """In the text of a mapping, as in the log of a module, and in JSON."""
    secret = '-----BEGIN\nk\u00e9y\\ "quoted"'
    given = dict(connection_id="c", conn_type="http", extra=dict(private_key=secret))
    spec = frame(CONNECTION, given)["argument_spec"]
    hidden = ArgumentSpecValidator(spec, [tuple(pair) for pair in CONNECTION.required["mutually_exclusive"]]).validate(given)._no_log_values
    for shown_as in (str(given["extra"]), json.dumps(given["extra"]), json.dumps(given["extra"], ensure_ascii=False), secret):
        for form in sorted(hidden, key=len, reverse=True):
            shown_as = shown_as.replace(form, "***")
        assert "k" not in shown_as.replace("private_key", "")


def test_on_create_leaves_secrets_alone_that_are_told():
    """As Airflow 2 and client=python tell them."""
    told = '{"a": 1, "token": "rotated"}'
    assert held(dict(a=1, token="first"), "on_create", told=told, veils=()).verb == "keep"
    assert held(dict(a=1, token="first"), told=told, veils=()).patch
    with pytest.raises(AirflowError, match="to change it is to write the secrets in it, too"):
        held(dict(a=2, token="first"), "on_create", told=told, veils=())


def test_a_mask_that_is_none():
    """Where Airflow masks nothing, *** is what somebody stored."""
    assert held("secret", told="***", veils=()).patch == dict(value="secret")
    assert held("secret", told="***", veils=["value"]).unknown == ["value"]
    assert held("a *** b", "always", told="a *** b", veils=()).verb == "keep"


def test_a_mask_within_a_text_is_not_written_back():
    told = '{"url": "https://u:***@h", "n": 1}'
    with pytest.raises(AirflowError, match="^value holds '[*]{3}' where Airflow hides a part of a text: give the secret itself$"):
        held(dict(url="https://u:***@h", n=2), told=told, veils=["value"])
    assert held(dict(url="https://u:***@h", n=2), told=told, veils=()).patch


def test_only_the_secret_is_hidden_from_ansible():
    spec = frame(VARIABLE, dict(key="k", value=dict(a=1, token="s3cret")))["argument_spec"]
    assert ArgumentSpecValidator(spec).validate(dict(key="k", value=dict(a=1, token="s3cret")))._no_log_values == {"s3cret"}
