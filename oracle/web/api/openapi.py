"""The OpenAPI 3.1 document of the API (https://spec.openapis.org/oas/v3.1.0), made from the table of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provenance_oracle.oracle.web.api.parameters import Parameter
from provenance_oracle.oracle.web.api.schemas import SCHEMAS
from provenance_oracle.oracle.web.api.table import API_PREFIX, ApiRoute
from provenance_oracle.oracle.web.problems import MEDIA_TYPE

_ABOUT = (
    "Read-only. Every path answers GET and HEAD. Everything in an answer can be checked against the chain: the API "
    "only finds it. Digests and ids are 64 lower-case hex digits, times are RFC 3339 in UTC."
)
_PROBLEMS = {
    "400": "A parameter is wrong.",
    "404": "There is no such thing here.",
    "413": "The request has a body.",
    "414": "The address has more than 512 bytes.",
    "429": "The client asks too often; Retry-After names the wait in seconds.",
    "503": "The server cannot answer now; try again.",
}


def openapi_document(table: Sequence[ApiRoute], version: str) -> dict[str, object]:
    """Return the document of a table of routes. `version` is that of the program."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "provenance-oracle", "version": version, "description": _ABOUT},
        "servers": [{"url": API_PREFIX}],
        "paths": {one.path: {"get": _operation(one)} for one in table},
        "components": {
            "schemas": dict(SCHEMAS),
            "responses": {f"Problem{status}": _problem(text) for status, text in _PROBLEMS.items()},
        },
    }


def _operation(route: ApiRoute) -> dict[str, object]:
    schema: Mapping[str, object] = {"$ref": f"#/components/schemas/{route.schema}"} if route.schema else {}
    answers: dict[str, object] = {
        "200": {
            "description": route.summary,
            "headers": {"ETag": {"schema": {"type": "string"}}, "Cache-Control": {"schema": {"type": "string"}}},
            "content": {route.media_type: {"schema": schema}},
        },
        "304": {"description": "The client has the answer already: If-None-Match names its ETag."},
    }
    return {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [
            *(_parameter(one, "path", is_required=True) for one in route.in_path),
            *(_parameter(one, "query", is_required=one.is_required) for one in route.in_query),
        ],
        "responses": answers | {status: {"$ref": f"#/components/responses/Problem{status}"} for status in _PROBLEMS},
    }


def _operation_id(route: ApiRoute) -> str:
    words = route.path.replace("{", "by/").replace("}", "").replace(".", "/").replace("_", "/").split("/")
    return "_".join(word for word in words if word)


def _parameter(one: Parameter, place: str, *, is_required: bool) -> dict[str, object]:
    return {
        "name": one.name,
        "in": place,
        "required": is_required,
        "description": one.help,
        "schema": dict(one.kind.schema),
    }


def _problem(text: str) -> dict[str, object]:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
