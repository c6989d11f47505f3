"""Tests that the OpenAPI document describes the routes that there are, and no others."""

from __future__ import annotations

import json
import re
from typing import Any

from openapi_spec_validator import validate
from starlette.routing import Route

from provenance_oracle.oracle.web.api.endpoint import starlette_routes
from provenance_oracle.oracle.web.api.rate import RateLimit
from provenance_oracle.oracle.web.api.routes import ApiSources, api_table
from provenance_oracle.oracle.web.api.schemas import SCHEMAS
from provenance_oracle.oracle.web.api.table import API_PREFIX

NO_INDEX: Any = None  # nothing is asked
TABLE = api_table(ApiSources(NO_INDEX, NO_INDEX), "1.2.3")
(DESCRIBED,) = (one for one in TABLE if one.path == "/openapi.json")
DOCUMENT = json.loads(DESCRIBED.handler().data)


def test_the_document_is_one() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_every_route_is_described_and_every_path_is_a_route() -> None:
    routes = [one for one in starlette_routes(TABLE, RateLimit(0)) if isinstance(one, Route)]
    paths = [re.sub(r":path\}", "}", one.path.removeprefix(API_PREFIX)) for one in routes]
    assert sorted(paths) == sorted(DOCUMENT["paths"])
    assert len(set(paths)) == len(paths) == len(TABLE)
    assert all(one.methods == {"GET", "HEAD"} for one in routes)


def test_every_parameter_of_a_path_is_described() -> None:
    for path, item in DOCUMENT["paths"].items():
        described = [one["name"] for one in item["get"]["parameters"] if one["in"] == "path"]
        assert described == re.findall(r"\{(\w+)\}", path)


def test_no_schema_is_described_that_no_answer_has() -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
    assert named == set(SCHEMAS)
