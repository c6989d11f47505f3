"""Tests of docs/api.md: it has every route, its examples work, and the answers on it have the members of real ones."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

import pytest

from tests.oracle.web.api.conftest import API, Site

pytestmark = pytest.mark.chain
_PAGE = Path(__file__).parents[4] / "docs" / "api.md"
_SECTION = re.compile(r"^### `(/\S+)`\n(.*?)(?=^### |^## |\Z)", re.MULTILINE | re.DOTALL)
_CURL = re.compile(r"^curl (.+)$", re.MULTILINE)
_ANSWER = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTIONS = dict(_SECTION.findall(_PAGE.read_text()))


def values_of(site: Site) -> dict[str, str]:
    """Return the values of the variables in the examples."""
    entry, leaf = site.stand.entries["second"], site.stand.entries["one"]["batch"]
    return {
        "API": API,
        "RECORD": entry["record_id"],
        "MANIFEST": entry["manifest_digest"],
        "VERDICT": entry["verdict_digest"],
        "IDENTITY": entry["publisher_identity"],
        "POLICY": entry["policy_digest"],
        "ROOT": leaf["root"],
    }


def test_the_page_has_every_route_and_no_other(site: Site) -> None:
    assert sorted(SECTIONS) == sorted(site.openapi["paths"])


@pytest.mark.parametrize("route", SECTIONS)
def test_the_example_answers_as_the_page_says(site: Site, route: str) -> None:
    [example] = _CURL.findall(SECTIONS[route])
    address = Template(shlex.split(example)[-1]).substitute(values_of(site))
    answer = site.api(address.removeprefix(API))
    assert answer.status == 200
    summary = site.openapi["paths"][route]["get"]["summary"]
    assert summary in SECTIONS[route]
    for shown in _ANSWER.findall(SECTIONS[route]):
        assert _members(json.loads(shown)) <= _members(answer.json)


def _members(value: Any, path: str = "") -> set[str]:
    """Return the way to each member of a document. The items of a list share theirs."""
    if isinstance(value, dict):
        found = {f"{path}.{name}" for name in value}
        return found.union(*(_members(item, f"{path}.{name}") for name, item in value.items()))
    if isinstance(value, list):
        return set().union(*(_members(item, f"{path}[]") for item in value))
    return set()
