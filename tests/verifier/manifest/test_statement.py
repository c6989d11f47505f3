"""Tests of the manifest's statement: the parts that are accepted, and one test for each part that is refused."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.statement import ManifestFile, Role, parse_statement

A, B = "ab" * 32, "cd" * 32
LINE = f"key {A}"

STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {
            "name": "model.safetensors",
            "digest": {"fsverity_sha256_4096": A, "sha256": B},
            "annotations": {"size": 123, "tensors": {"table": "tensors.json"}},
        },
        {"name": "sub/config.json", "digest": {"sha256": B}, "annotations": {"size": 0}},
    ],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {
        "buildDefinition": {
            "buildType": "tag:provenance-oracle,2026:cvm-fine-tune/v1",
            "externalParameters": {"name": "org/model", "version": "1.0", "method": "lora", "steps": 7},
            "internalParameters": {"image": "x", "snpReport": {"sha256": B}, "publisher": {"identity": LINE}},
            "resolvedDependencies": [
                {
                    "name": "base",
                    "uri": "hf://org/base@0123",
                    "digest": {"provenance_model_v1": A},
                    "annotations": {"role": "base-model", "relation": "adapter", "note": [1]},
                },
                {"name": "data.jsonl", "digest": {"sha256": B}, "annotations": {"role": "dataset"}},
                {"uri": "git+https://x", "digest": {"gitCommit": "0a" * 20}, "annotations": {"role": "code"}},
                {
                    "name": "guest.img",
                    "digest": {"sha512": "0a" * 64},
                    "annotations": {"role": "image"},
                    "mediaType": "application/octet-stream",
                    "downloadLocation": "https://x",
                },
            ],
        },
        "runDetails": {
            "builder": {"id": "tag:provenance-oracle,2026:sev-snp-cvm/v1", "version": {"a": "1"}},
            "metadata": {
                "invocationId": "urn:uuid:1",
                "startedOn": "2026-11-20T10:00:00Z",
                "finishedOn": "2026-11-20T10:00:30.5Z",
            },
            "byproducts": [{"name": "attestation_report", "digest": {"sha256": A}}],
        },
    },
}


def encoded(statement: object) -> bytes:
    return json.dumps(statement).encode()


def test_reads_everything() -> None:
    manifest = parse_statement(encoded(STATEMENT))
    a, b = bytes.fromhex(A), bytes.fromhex(B)
    assert (manifest.name, manifest.version) == ("org/model", "1.0")
    assert manifest.files == (
        ManifestFile("model.safetensors", 123, a, b),
        ManifestFile("sub/config.json", 0, None, b),
    )
    assert manifest.sha256_paths == {"model.safetensors", "sub/config.json"}
    assert [d.role for d in manifest.dependencies] == [Role.BASE_MODEL, Role.DATASET, Role.CODE, Role.IMAGE]
    base, data, code, _ = manifest.dependencies
    assert (base.name, base.uri, base.relation) == ("base", "hf://org/base@0123", "adapter")
    assert base.digests == (("provenance_model_v1", a),)
    assert (data.digests, data.relation, data.uri) == ((("sha256", b),), "", "")
    assert code.digests == (("gitCommit", bytes.fromhex("0a" * 20)),)
    assert manifest.report_digest == b
    assert manifest.publisher == LINE
    assert manifest.builder == "tag:provenance-oracle,2026:sev-snp-cvm/v1"
    assert manifest.invocation_id == "urn:uuid:1"
    assert manifest.started_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert manifest.finished_at == datetime(2026, 11, 20, 10, 0, 30, 500_000, tzinfo=UTC)
    assert manifest.digest == hashlib.sha256(encoded(STATEMENT)).digest()
    assert not manifest.has_code


def test_reads_the_least() -> None:
    least = copy.deepcopy(STATEMENT)
    least["subject"] = [{"name": "a.py", "digest": {"fsverity_sha256_4096": A}, "annotations": {"size": 2**63 - 1}}]
    definition = least["predicate"]["buildDefinition"]
    definition["externalParameters"] = {"name": "o/m", "version": "1"}
    del definition["internalParameters"], definition["resolvedDependencies"]
    least["predicate"]["runDetails"] = {"builder": {"id": "tag:provenance-oracle,2026:sev-snp-cvm/v1"}}
    manifest = parse_statement(encoded(least))
    assert manifest.dependencies == ()
    assert manifest.report_digest is None
    assert manifest.publisher == ""
    assert (manifest.invocation_id, manifest.started_at, manifest.finished_at) == ("", None, None)
    assert manifest.sha256_paths == frozenset()
    assert manifest.has_code


def test_the_digest_is_of_the_bytes_as_received() -> None:
    spaced = json.dumps(STATEMENT, indent=1).encode()
    assert parse_statement(spaced).digest == hashlib.sha256(spaced).digest()
    assert parse_statement(spaced).files == parse_statement(encoded(STATEMENT)).files


SUBJECT = ("subject", 0)
DEFINITION = ("predicate", "buildDefinition")
PARAMETERS = (*DEFINITION, "externalParameters")
DEPENDENCY = (*DEFINITION, "resolvedDependencies", 0)
DETAILS = ("predicate", "runDetails")


def put(*steps: Any) -> Callable[[Any], None]:
    """Return a change that puts the last of `steps` at the place that the other steps lead to."""
    *way, key, value = steps

    def change(statement: Any) -> None:
        for step in way:
            statement = statement[step]
        statement[key] = value

    return change


def drop(*steps: Any) -> Callable[[Any], None]:
    def change(statement: Any) -> None:
        for step in steps[:-1]:
            statement = statement[step]
        del statement[steps[-1]]

    return change


BAD = {
    "type": put("_type", "https://in-toto.io/Statement/v0.1"),
    "no type": drop("_type"),
    "predicate type": put("predicateType", "https://slsa.dev/provenance/v0.2"),
    "key at the top": put("extra", 1),
    "key in the predicate": put("predicate", "extra", 1),
    "key in the definition": put(*DEFINITION, "extra", 1),
    "key in the details": put(*DETAILS, "extra", 1),
    "key in the builder": put(*DETAILS, "builder", "extra", 1),
    "key in the metadata": put(*DETAILS, "metadata", "extra", 1),
    "key in a subject": put(*SUBJECT, "uri", "x"),
    "key in a dependency": put(*DEPENDENCY, "content", "x"),
    "no subject": drop("subject"),
    "no files": put("subject", []),
    "subject is an object": put("subject", {}),
    "subject of text": put("subject", ["a"]),
    "no name": drop(*SUBJECT, "name"),
    "name is null": put(*SUBJECT, "name", None),
    "name leads out": put(*SUBJECT, "name", "../x"),
    "name is absolute": put(*SUBJECT, "name", "/x"),
    "name in provenance": put(*SUBJECT, "name", "provenance/x"),
    "name not NFC": put(*SUBJECT, "name", "e\u0301"),
    "name with bidi": put(*SUBJECT, "name", "a\u202eb"),
    "name too long": put(*SUBJECT, "name", "/".join(["x" * 200] * 30)),
    "duplicate name": put("subject", 1, "name", "model.safetensors"),
    "case collision": put("subject", 1, "name", "Model.safetensors"),
    "file and folder": put("subject", 1, "name", "model.safetensors/x"),
    "no digest": put(*SUBJECT, "digest", {}),
    "unknown digest": put(*SUBJECT, "digest", "sha512", "0" * 128),
    "upper-case digest": put(*SUBJECT, "digest", "sha256", B.upper()),
    "short digest": put(*SUBJECT, "digest", "sha256", B[:-2]),
    "long digest": put(*SUBJECT, "digest", "fsverity_sha256_4096", A + "00"),
    "digest is null": put(*SUBJECT, "digest", "sha256", None),
    "digest is a list": put(*SUBJECT, "digest", []),
    "no annotations": drop(*SUBJECT, "annotations"),
    "no size": drop(*SUBJECT, "annotations", "size"),
    "size is text": put(*SUBJECT, "annotations", "size", "123"),
    "size is true": put(*SUBJECT, "annotations", "size", True),
    "size is negative": put(*SUBJECT, "annotations", "size", -1),
    "annotations too large": put(*SUBJECT, "annotations", "note", "x" * 70_000),
    "build type": put(*DEFINITION, "buildType", "tag:x"),
    "no parameters": drop(*DEFINITION, "externalParameters"),
    "no model name": drop(*PARAMETERS, "name"),
    "model name": put(*PARAMETERS, "name", "model"),
    "no version": drop(*PARAMETERS, "version"),
    "version is a number": put(*PARAMETERS, "version", 1),
    "version": put(*PARAMETERS, "version", "1 0"),
    "parameters too large": put(*PARAMETERS, "text", ["x" * 40_000, "x" * 40_000]),
    "internal parameters too large": put(*DEFINITION, "internalParameters", "x", "x" * 70_000),
    "internal parameters are a list": put(*DEFINITION, "internalParameters", []),
    "report is no object": put(*DEFINITION, "internalParameters", "snpReport", A),
    "report without digest": put(*DEFINITION, "internalParameters", "snpReport", {}),
    "report with half a digest": put(*DEFINITION, "internalParameters", "snpReport", {"sha256": A[:32]}),
    "report with more than a digest": put(*DEFINITION, "internalParameters", "snpReport", {"sha256": A, "x": 1}),
    "publisher is a line": put(*DEFINITION, "internalParameters", "publisher", LINE),
    "publisher without identity": put(*DEFINITION, "internalParameters", "publisher", {}),
    "publisher is nobody": put(*DEFINITION, "internalParameters", "publisher", {"identity": ""}),
    "publisher with two lines": put(*DEFINITION, "internalParameters", "publisher", {"identity": f"{LINE}\nx"}),
    "publisher with more than an identity": put(
        *DEFINITION, "internalParameters", "publisher", {"identity": LINE, "name": "Acme"}
    ),
    "dependencies are an object": put(*DEFINITION, "resolvedDependencies", {}),
    "no role": drop(*DEPENDENCY, "annotations", "role"),
    "unknown role": put(*DEPENDENCY, "annotations", "role", "friend"),
    "role by another case": put(*DEPENDENCY, "annotations", "role", "Dataset"),
    "relation with control": put(*DEPENDENCY, "annotations", "relation", "a\nb"),
    "dependency without annotations": drop(*DEPENDENCY, "annotations"),
    "dependency without digest": drop(*DEPENDENCY, "digest"),
    "dependency with empty digest": put(*DEPENDENCY, "digest", {}),
    "dependency digest too short": put(*DEPENDENCY, "digest", {"provenance_model_v1": "00"}),
    "dependency digest not hex": put(*DEPENDENCY, "digest", {"gitBlob": "xyz"}),
    "dependency digest of odd length": put(*DEPENDENCY, "digest", {"gitBlob": "abc"}),
    "dependency digest empty": put(*DEPENDENCY, "digest", {"gitBlob": ""}),
    "dependency digest too long": put(*DEPENDENCY, "digest", {"other": "00" * 65}),
    "dependency digest algorithm": put(*DEPENDENCY, "digest", {"sha 256": "00"}),
    "dependency name with control": put(*DEPENDENCY, "name", "a\x1b[1mb"),
    "dependency uri with bidi": put(*DEPENDENCY, "uri", "a\u202eb"),
    "dependency uri too long": put(*DEPENDENCY, "uri", "a" * 3000),
    "builder": put(*DETAILS, "builder", "id", "tag:other"),
    "no builder": drop(*DETAILS, "builder"),
    "invocation id is a number": put(*DETAILS, "metadata", "invocationId", 1),
    "start without offset": put(*DETAILS, "metadata", "startedOn", "2026-11-20T10:00:00"),
    "start with another offset": put(*DETAILS, "metadata", "startedOn", "2026-11-20T10:00:00+01:00"),
    "start without time": put(*DETAILS, "metadata", "startedOn", "2026-11-20"),
    "start on no day": put(*DETAILS, "metadata", "startedOn", "2026-02-30T10:00:00Z"),
    "start in year 0": put(*DETAILS, "metadata", "startedOn", "0000-01-01T10:00:00Z"),
    "start in Arabic digits": put(*DETAILS, "metadata", "startedOn", "٢٠26-11-20T10:00:00Z"),
    "finish before start": put(*DETAILS, "metadata", "finishedOn", "2026-11-20T09:59:59Z"),
    "byproducts too large": put(*DETAILS, "byproducts", ["x" * 70_000]),
    "metadata is null": put(*DETAILS, "metadata", None),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses(name: str) -> None:
    statement = copy.deepcopy(STATEMENT)
    BAD[name](statement)
    with pytest.raises(FormatError) as raised:
        parse_statement(encoded(statement))
    assert raised.value.check is Check.MANIFEST_FORMAT
    assert raised.value.where.startswith("provenance/manifest.dsse.json")
    assert raised.value.wanted


def test_a_dependency_needs_a_name_or_a_uri() -> None:
    statement = copy.deepcopy(STATEMENT)
    entry = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    del entry["name"]
    parse_statement(encoded(statement))
    del entry["uri"]
    with pytest.raises(FormatError, match="name or uri"):
        parse_statement(encoded(statement))


def test_messages_name_the_path_in_the_document() -> None:
    statement = copy.deepcopy(STATEMENT)
    statement["subject"][1]["digest"]["sha256"] = "AB"
    with pytest.raises(FormatError) as raised:
        parse_statement(encoded(statement))
    assert raised.value.where == "provenance/manifest.dsse.json, subject[1].digest.sha256"


def test_refuses_too_many_files() -> None:
    statement = copy.deepcopy(STATEMENT)
    statement["subject"] = [{}] * 100_001
    with pytest.raises(FormatError, match="100000"):
        parse_statement(encoded(statement))


def test_reads_many_files() -> None:
    statement = copy.deepcopy(STATEMENT)
    statement["subject"] = [
        {"name": f"shards/{i % 100}/{i}", "digest": {"sha256": B}, "annotations": {"size": i}} for i in range(30_000)
    ]
    assert len(parse_statement(encoded(statement)).files) == 30_000


@pytest.mark.parametrize("bad", [b"1.5", b"NaN", b'"\\ud800"'])
def test_strict_json_holds_in_parts_nobody_reads(bad: bytes) -> None:
    data = encoded(STATEMENT).replace(b'"lora"', bad)
    with pytest.raises(FormatError, match="strict JSON"):
        parse_statement(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) pair in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(value, key), *_places(inner)]]


@settings(max_examples=500)
@given(_JSON, st.integers(0, 10_000), st.booleans())
def test_structured_mutations_raise_only_format_errors(value: object, number: int, delete: bool) -> None:
    statement = copy.deepcopy(STATEMENT)
    places = _places(statement)
    container, key = places[number % len(places)]
    if delete:
        del container[key]
    else:
        container[key] = value
    try:
        manifest = parse_statement(encoded(statement))
    except FormatError as error:
        assert error.check is Check.MANIFEST_FORMAT
        return
    assert manifest.files
    assert all(file.sha256 or file.fsverity for file in manifest.files)


@settings(max_examples=300)
@given(st.data())
def test_byte_mutations_raise_only_format_errors(data: st.DataObject) -> None:
    valid = encoded(STATEMENT)
    position = data.draw(st.integers(0, len(valid)))
    mutant = valid[:position] + data.draw(st.binary(max_size=4)) + valid[position + data.draw(st.integers(0, 50)) :]
    with contextlib.suppress(FormatError):
        parse_statement(mutant)
