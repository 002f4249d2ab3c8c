# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from ansible_collections.dagops.airflow.plugins.module_utils._auth import method, token
from ansible_collections.dagops.airflow.plugins.module_utils._connect import CONNECTION, base, connect
from ansible_collections.dagops.airflow.plugins.module_utils._errors import AirflowError

OPTIONS = {name: words.get("default") for name, words in CONNECTION.items()}


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://x:8080", "http://x:8080"),
        ("http://x:8080/", "http://x:8080"),
        ("http://x/airflow/", "http://x/airflow"),
        ("http://x/airflow/api/v2", "http://x/airflow"),
        ("http://x/api/v1/", "http://x"),
        ("http://x/api/experimental", "http://x"),
        (" http://[::1]:8080 ", "http://[::1]:8080"),
    ],
)
def test_what_people_copy_along_with_an_address_is_cut(url, wanted):
    assert base(url) == wanted


@pytest.mark.parametrize("url", ["x:8080", "localhost", "ftp://x", "http://", "http://[::1", "http://x:99999", "http://x:port", "/api/v2", "http://x/#/dags"])
def test_an_address_that_is_none(url):
    with pytest.raises(AirflowError, match="is no address of a web server: it looks like http://"):
        base(url)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(AirflowError) as failure:
        base("http://me:s3cret@x")
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (dict(), "api_url is missing: give the address of Airflow's web server, or set AIRFLOW_API_URL"),
        (dict(api_url="http://x", api_timeout=0.0), "api_timeout must be more than 0 s"),
        (dict(api_url="http://x", api_retries=-1), "api_retries not negative"),
    ],
)
def test_what_is_missing_is_asked_for(given, sentence):
    with pytest.raises(AirflowError, match=re.escape(sentence)):
        connect({**OPTIONS, **given})


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (dict(), "none"),
        (dict(api_username="u"), "login"),
        (dict(api_token="t"), "token"),
        (dict(api_token="t", api_username="u"), "token"),
        (dict(api_auth="basic", api_token="t"), "basic"),
    ],
)
def test_method_of_authentication(given, chosen):
    assert method({**OPTIONS, **given}, "login") == chosen


@pytest.mark.parametrize("given", ["a\nb", "a b", "a\u20acb", " "])
def test_a_token_that_is_none_is_not_repeated(given):
    with pytest.raises(AirflowError, match="^api_token holds a character that no token has, such as a space or a line break: give the token alone$"):
        token(None, dict(api_token=given))


def test_a_token_from_a_file_ends_with_its_line():
    request = SimpleNamespace(headers={})
    token(None, dict(api_token="abc.def\n"))(request)
    assert request.headers == dict(Authorization="Bearer abc.def")
