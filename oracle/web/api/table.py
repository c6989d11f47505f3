"""A row of the API's table of routes, and the body with which a row's function answers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from provenance_oracle.oracle.web.api.parameters import Parameter

API_PREFIX = "/api/v1"
JSON_TYPE = "application/json"
_IN_PATH = re.compile(r"\{([a-z_0-9]+)\}")


@dataclass(frozen=True)
class Body:
    """The body of an answer.

    Attributes:
        is_immutable: whether the same address gives the same bytes for ever, because it holds their digest.
        headers: further headers.
    """

    data: bytes
    is_immutable: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def etag(self) -> str:
        """The entity tag (RFC 9110, section 8.8.3): the SHA-256 of the bytes, in quotes."""
        return f'"{hashlib.sha256(self.data).hexdigest()}"'


Handler = Callable[..., Body]


@dataclass(frozen=True)
class ApiRoute:
    """One route: `endpoint` serves it, and `openapi` describes it.

    Attributes:
        path: below API_PREFIX, with the names of its parameters in braces.
        summary: its meaning, in one sentence.
        handler: returns the body. It takes the values of all parameters by name. Raises ProvenanceError.
        parameters: those of the path in its order, then those of the query.
        schema: the name of the body's schema in `schemas.SCHEMAS`; "" if the body is not JSON of ours.
        media_type: the type of the body.
        is_slow: whether the function works so long that it needs a thread and a turn.
    """

    path: str
    summary: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    schema: str = ""
    media_type: str = JSON_TYPE
    is_slow: bool = False

    @property
    def in_path(self) -> tuple[Parameter, ...]:
        """The parameters of the path."""
        names = _IN_PATH.findall(self.path)
        return tuple(one for one in self.parameters if one.name in names)

    @property
    def in_query(self) -> tuple[Parameter, ...]:
        """The parameters of the query."""
        return tuple(one for one in self.parameters if one not in self.in_path)


def json_body(document: Mapping[str, Any], *, is_immutable: bool = False) -> Body:
    """Return a document as a body. Characters beyond ASCII are escaped, so that no reader takes them for another."""
    return Body(json.dumps(document, separators=(",", ":")).encode(), is_immutable)
