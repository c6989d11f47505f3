"""The verifier reads the manifest that the publisher writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.manifest import Build, PrivateKey, make_statement, public_key_of, sign_statement
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest, model_digest
from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.manifest.dsse import parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.statement import Dependency, Role, parse_statement

DIGESTS = (FileDigest("a.txt", 1, fsverity_digest(b"a"), bytes(32)), FileDigest("é/b", 0, fsverity_digest(b"")))
FILES = FileSet(DIGESTS, model_digest(DIGESTS))
SOURCES = (
    Dependency(Role.BASE_MODEL, "base", "hf://o/base@1", (("provenance_model_v1", bytes(32)),), "adapter"),
    Dependency(Role.DATASET, "data", "", (("sha256", bytes(32)),), ""),
)
START = datetime(2026, 11, 20, 10, tzinfo=UTC)
BUILD = Build("org/model", "1.0", SOURCES, {"method": "lora"}, START, START)
KEYS = [
    ec.derive_private_key(7, ec.SECP256R1()),
    ec.derive_private_key(7, ec.SECP384R1()),
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)),
]
REPORT = bytes(range(32))


@pytest.mark.parametrize("key", KEYS, ids=["P-256", "P-384", "Ed25519"])
def test_round_trip(key: PrivateKey) -> None:
    public = public_key_of(key)[1]
    payload = make_statement(FILES, BUILD, REPORT)
    envelope = sign_statement(payload, key)
    manifest = parse_statement(verify_envelope(parse_envelope(envelope), public))
    assert manifest.report_digest == REPORT
    assert [(f.path, f.size, f.fsverity, f.sha256) for f in manifest.files] == [
        (f.path, f.size, f.fsverity, f.sha256) for f in DIGESTS
    ]
    assert (manifest.name, manifest.version, manifest.dependencies) == ("org/model", "1.0", SOURCES)
    assert (manifest.started_at, manifest.finished_at) == (START, START)


def test_the_statement_is_canonical_and_says_what_the_page_says() -> None:
    payload = make_statement(FILES, BUILD, REPORT)
    statement = json.loads(payload)
    assert payload == json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {"name": "org/model", "version": "1.0", "method": "lora"}
    assert definition["internalParameters"] == {"snpReport": {"sha256": REPORT.hex()}}
    assert definition["resolvedDependencies"][0] == {
        "name": "base",
        "uri": "hf://o/base@1",
        "digest": {"provenance_model_v1": "00" * 32},
        "annotations": {"role": "base-model", "relation": "adapter"},
    }
    assert statement["subject"][1] == {
        "name": "é/b",
        "digest": {"fsverity_sha256_4096": fsverity_digest(b"").hex()},
        "annotations": {"size": 0},
    }
    assert make_statement(FILES, BUILD, REPORT) == payload


def test_parameters_cannot_change_name_or_version() -> None:
    build = Build("org/model", "1.0", parameters={"name": "x/y", "version": "9"})
    manifest = parse_statement(make_statement(FILES, build, REPORT))
    assert (manifest.name, manifest.version) == ("org/model", "1.0")


@pytest.mark.parametrize("build", [Build("model", "1"), Build("o/m", ""), Build("o/m", "1", parameters={"lr": 0.1})])
def test_refuses_to_write_what_a_verifier_would_refuse(build: Build) -> None:
    with pytest.raises(FormatError) as raised:
        make_statement(FILES, build, REPORT)
    assert raised.value.where.startswith("new manifest")


def test_refuses_an_empty_model() -> None:
    with pytest.raises(FormatError):
        make_statement(FileSet((), model_digest(())), BUILD, REPORT)


@pytest.mark.parametrize("value", [2**60, float("nan"), b"bytes", {1: 2}, object(), "\ud800"])
def test_refuses_parameters_that_json_cannot_hold(value: object) -> None:
    with pytest.raises(UsageError):
        make_statement(FILES, Build("o/m", "1", parameters={"x": value}), REPORT)


def test_refuses_to_sign_with_another_kind_of_key() -> None:
    with pytest.raises(FormatError, match="Ed25519"):
        sign_statement(b"{}", ec.derive_private_key(7, ec.SECP256K1()))


_NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(st.dictionaries(_NAMES, st.tuples(st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32)), max_size=4))
def test_any_file_set_is_read_back_or_refused(entries: dict[str, tuple[int, bytes]]) -> None:
    digests = tuple(FileDigest(name, size, digest) for name, (size, digest) in entries.items())
    try:
        manifest = parse_statement(make_statement(FileSet(digests, bytes(32)), Build("o/m", "1"), REPORT))
    except FormatError:
        return
    assert [(f.path, f.size, f.fsverity) for f in manifest.files] == [(f.path, f.size, f.fsverity) for f in digests]
