"""A server of the read side over the index of a registry with releases of every kind."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.index_writer import IndexWriter
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.explorer.read_side import ReadSide, opening_read_side
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.registry.node import open_node
from tests.explorer.stand import Stand, make_stand
from tests.support.chain_fixtures import deploy_registry

API = "/api/v1"


@dataclass(frozen=True)
class Answer:
    """An answer of the server: status, headers with names in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """A running server of the read side."""

    stand: Stand
    shown: ReadSide
    address: tuple[str, int]

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Return the answer to a request. An underscore in a header's name stands for a hyphen."""
        with closing(http.client.HTTPConnection(*self.address, timeout=20)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            found = connection.getresponse()
            return Answer(found.status, {name.lower(): text for name, text in found.getheaders()}, found.read())

    def api(self, path: str, **headers: str) -> Answer:
        """Return the answer of a route of the API, after comparing it with the OpenAPI document."""
        answer = self.get(API + path, **headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        check_answer(self, path, answer)
        return answer

    def document(self, path: str) -> Any:
        """Return the JSON of a route that answers."""
        answer = self.api(path)
        assert answer.status == 200, answer
        return answer.json

    @cached_property
    def openapi(self) -> Any:
        """The OpenAPI document."""
        return self.get(f"{API}/openapi.json").json


def check_answer(site: Site, path: str, answer: Answer) -> None:
    """Compare an answer with the schema that the OpenAPI document has for its route and status."""
    document = site.openapi
    route = next((one for one in document["paths"] if _fits(one, path.partition("?")[0])), None)
    if route is None:
        assert answer.status == 404
        schema: Any = {"$ref": "urn:openapi#/components/schemas/Problem"}
    else:
        described = document["paths"][route]["get"]["responses"][str(answer.status)]
        described = _followed(document, described)
        if answer.status == 304:
            assert answer.body == b""
            return
        [(media_type, content)] = described["content"].items()
        assert answer.headers["content-type"] == media_type
        schema = _renamed(content["schema"])
    if answer.headers["content-type"] in ("application/json", "application/problem+json") and schema:
        resource = DRAFT202012.create_resource(_renamed(document))
        registry: Any = Registry().with_resource("urn:openapi", resource)
        Draft202012Validator(schema, registry=registry).validate(answer.json)


def _fits(route: str, path: str) -> bool:
    parts, given = route.split("/"), path.split("/")
    if parts[-1] == "{path}":
        given = [*given[: len(parts) - 1], "".join(given[len(parts) - 1 :])] if len(given) >= len(parts) else given
    if len(parts) != len(given):
        return False
    return all(
        (bool(got) and got.endswith(part.rpartition("}")[2])) if part.startswith("{") else part == got
        for part, got in zip(parts, given, strict=True)
    )


def _followed(document: Any, described: Any) -> Any:
    if "$ref" not in described:
        return described
    return document["components"]["responses"][described["$ref"].rpartition("/")[2]]


def _renamed(schema: Any) -> Any:
    """Return a schema whose references lead into the whole document."""
    if isinstance(schema, dict):
        return {name: f"urn:openapi{value}" if name == "$ref" else _renamed(value) for name, value in schema.items()}
    return [_renamed(item) for item in schema] if isinstance(schema, list) else schema


@contextmanager
def open_site(stand: Stand, shown: ReadSide) -> Iterator[Site]:
    """Serve the read side."""
    with opening_read_side(shown, lambda: datetime.now(UTC)) as routes:
        app = make_app(Views(tuple, bytes, dict), routes=routes)
        with serving(app, "127.0.0.1:0") as address:
            yield Site(stand, shown, address)


def _keep_leaves(database: IndexDatabase, journal: str) -> None:
    """Give the index the records of batches. Their address is one of an oracle that is not there."""
    with database.writing() as session:
        writer = IndexWriter(session, database.where)
        for place, root, _uri in writer.unread_documents(int(time.time()) + 1, 10):
            writer.keep_leaves(place, leaves_of(*find_leaves(journal, root=root)))


@pytest.fixture(scope="package")
def shown(anvil_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, ReadSide]]:
    """Make a registry with releases of every kind, and an index of it."""
    root = tmp_path_factory.mktemp("api")
    with run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain:
        registry = deploy_registry(chain, oracles=2, weights=(2, 1), threshold=2)
        stand = make_stand(registry, root)
        index = str(root / "index.sqlite")
        source = ChainSource(open_node(chain.rpc_url), registry.address, chain_id=None, first=registry.block_number)
        with closing(open_index_database(index)) as database:
            Follower(database, source).follow()
            _keep_leaves(database, str(stand.journal))
        policies = (load_policy(stand.policy),)
        yield stand, ReadSide(index, str(stand.journal), policies=policies, page_rpc=(chain.rpc_url,))


@pytest.fixture(scope="package")
def site(shown: tuple[Stand, ReadSide]) -> Iterator[Site]:
    """Serve it without a limit of requests."""
    with open_site(*shown) as site:
        yield site


@pytest.fixture
def limited_site(shown: tuple[Stand, ReadSide]) -> Iterator[Site]:
    """Serve it with a limit of one request a second for each address."""
    with open_site(shown[0], replace(shown[1], requests_per_second=1)) as site:
        yield site
