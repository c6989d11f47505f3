"""Tests of the parser of signed payloads: orders and shards of real signers, and payloads that are refused."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.statement import SignedFiles, parse_signed_files
from tests.support.model_signatures import FILES, resource, statement_of, statement_over
from tests.verifier.identity.test_bundle import at

OLD = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {"name": "a", "digest": {"sha256": "00" * 32}, "annotations": {"actual_hash_algorithm": "file-sha256"}}
    ],
    "predicateType": "https://model_signing/Digests/v0.1",
    "predicate": {"unused": "unused"},
}


def parsed(statement: object, **options: bool) -> SignedFiles:
    return parse_signed_files(json.dumps(statement).encode(), "model.sig", **options)


def named(*names: str, **serialization: object) -> dict[str, Any]:
    return statement_of([resource(name, name.encode()) for name in names], **serialization)


def sharded(*names: str, size: object = 1000) -> dict[str, Any]:
    return named(*names, method="shards", shard_size=size)


def test_files_are_named_once_in_the_signers_order() -> None:
    found = parsed(statement_over(FILES))
    assert found.paths == tuple(FILES)
    assert [part.digest for part in found.parts] == [hashlib.sha256(data).digest() for data in FILES.values()]
    assert found.payload_digest == hashlib.sha256(json.dumps(statement_over(FILES)).encode()).digest()
    assert (found.shard_size, found.is_old) == (None, False)


@pytest.mark.parametrize(
    "names", [("a", "a-b", "a.b/c"), ("a-b", "a/b"), ("a/b", "a-b"), ("provenance/x", "z"), (".",)]
)
def test_both_orders_and_every_acceptable_name(names: tuple[str, ...]) -> None:
    assert parsed(named(*names)).paths == names


@given(st.lists(st.text("ab-./", min_size=1, max_size=5), min_size=1, max_size=6, unique=True))
def test_the_order_of_the_reference_signer_is_accepted(names: list[str]) -> None:
    names = [str(path) for path in sorted({PurePosixPath(name) for name in names})]
    try:
        assert parsed(named(*names)).paths == tuple(names)
    except FormatError as error:
        assert "out of order" not in str(error)


@pytest.mark.parametrize("size", [1000, 1000.0])
def test_shards_follow_each_other_in_either_order(size: object) -> None:
    by_offset = ("ab:c:0:1000", "ab:c:1000:2000", "ab:c:2000:2001", "d:0:7")
    assert parsed(sharded(*by_offset, size=size)).paths == ("ab:c", "d")
    by_text = ("w:0:10", "w:10:20", "w:100:101", *(f"w:{n}0:{n + 1}0" for n in range(2, 10)))
    found = parsed(sharded(*sorted(by_text), size=10))
    assert (found.shard_size, len(found.parts)) == (10, 11)


def test_the_old_predicate_is_accepted_only_where_it_is_asked_for() -> None:
    assert parsed(OLD, allow_old=True).is_old
    with pytest.raises(FormatError, match="predicateType"):
        parsed(OLD)


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (at(named("a"), "predicate.resources", []), "1 to"),
        (at(named("a"), "subject.0.digest.sha256", "00" * 32), "not the digest"),
        (at(named("a"), "predicate.extra", 1), "only keys"),
        (at(named("a"), "extra", 1), "only keys"),
        (at(named("a"), "_type", "https://in-toto.io/Statement/v0.1"), "Statement/v1"),
        (at(named("a"), "predicateType", "https://model_signing/signature/v1.1"), "v1.0"),
        (at(named("a"), "subject", [{}, {}]), "exactly 1"),
        (at(named("a"), "predicate.resources.0.digest", "AB" * 32), "lower-case"),
        (at(named("a"), "predicate.resources.0.digest", "ab" * 31), "lower-case"),
        (at(named("a"), "predicate.resources.0.algorithm", "blake3"), "sha256"),
        (named("a", hash_type="md5"), "blake2b"),
        (named("a", method="tree"), "files or shards"),
        (named("a", allow_symlinks=True), "links are not allowed"),
        (named("a", allow_symlinks=0), "links are not allowed"),
        (named("a", shard_size=5), "only keys"),
        (named("a", ignore_paths=["."]), "dot segments"),
        (named("a", ignore_paths=["*.py"]), "wildcards"),
        (named("a", ignore_paths=["/etc"]), "dot segments"),
        (named("a", ignore_paths="a"), "not a list"),
        (named("a", "a"), "occurs twice"),
        (named("A", "a"), "collide"),
        (named("a", "a/b"), "collide"),
        (named("b", "a"), "out of order"),
        (named("../a"), "dot segments"),
        (named("./a"), "dot segments"),
        (named("/a"), "absolute"),
        (named("a:", "b"), "drive"),
        (named(".", "a"), "names of files"),
        (named("Provenance/x"), "provenance/"),
        (sharded("a"), "PATH:START:END"),
        (sharded("a:0:0"), "PATH:START:END"),
        (sharded("a:00:5"), "PATH:START:END"),
        (sharded("a:5:7"), "gaps"),
        (sharded("a:0:1001"), "gaps"),
        (sharded("a:0:999", "a:999:1000"), "gaps"),
        (sharded("a:0:1000", "a:2000:3000"), "gaps"),
        (sharded("a:0:1000", "a:500:1000"), "gaps"),
        (sharded("a:0:5", size=0), "out of range"),
        (sharded("a:0:5", size=10.5), "not an integer"),
        (named("a", method="shards"), "shard_size"),
    ],
)
def test_refuses(statement: object, wanted: str) -> None:
    with pytest.raises(FormatError, match=wanted) as refused:
        parsed(statement)
    assert refused.value.check is Check.PUBLISHER_SIGNATURE


@given(st.integers(0, 900), st.binary(max_size=3))
def test_changed_bytes_are_parsed_or_refused(position: int, other: bytes) -> None:
    text = json.dumps(sharded("a:0:1000", "a:1000:2000")).encode()
    with suppress(FormatError):
        parse_signed_files(text[:position] + other + text[position + len(other) :], "model.sig")
