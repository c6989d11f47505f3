"""Tests of the bills of materials: valid by the formats' own packages, the same each time, and nothing made up."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx3

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.documents.cyclonedx import cyclonedx_json
from provenance_oracle.verifier.documents.exported import Exported
from provenance_oracle.verifier.documents.spdx import spdx_json
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.manifest.statement import Dependency, Manifest, ManifestFile, Role
from provenance_oracle.verifier.record.codec import release_id
from tests.support.chain_fixtures import make_entry, make_record, make_signed

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
REGISTRY = b"\xaa" * 20
PARENT = make_entry(make_record(name="base/model", model_digest=b"\x21" * 32, manifest_digest=b"\x22" * 32))
PARENT_ID = release_id(PARENT.model_digest, PARENT.manifest_digest)
ENTRY = make_entry(make_record(judged_at=AT), parents=(PARENT_ID,), record_id=b"\x07" * 32)
DEPENDENCIES = (
    Dependency(Role.BASE_MODEL, "base/model", "", (("provenance_model_v1", PARENT.model_digest),), ""),
    Dependency(Role.ADAPTER, "ada/pter", "", (("sha256", b"\x31" * 32),), "merged"),
    Dependency(Role.DATASET, "", "https://data.example/a b", (("provenance_dataset_v1", b"\x32" * 32),), ""),
    Dependency(Role.CODE, "train.git", "git+https://x.example", (("sha1", b"\x33" * 20), ("sha512", b"\x34" * 64)), ""),
    Dependency(Role.IMAGE, "trainer", "", (("sha256", b"\x35" * 32),), ""),
)
FILES = (
    ManifestFile("a b/ü.safetensors", 5, b"\x41" * 32, b"\x42" * 32),
    ManifestFile("config.json", 3, b"\x43" * 32, None),
)
MANIFEST = Manifest(
    name="example/model",
    version="1.0",
    files=FILES,
    dependencies=DEPENDENCIES,
    report_digest=None,
    publisher="",
    builder="builder",
    invocation_id="",
    started_at=None,
    finished_at=None,
    digest=ENTRY.manifest_digest,
)
BARE = Exported(replace(ENTRY, parents=()), 31337, REGISTRY, ())
WHOLE = Exported(ENTRY, 31337, REGISTRY, (PARENT,), MANIFEST)
EITHER = pytest.mark.parametrize("exported", [BARE, WHOLE], ids=["record", "record and manifest"])


def read_spdx(document: dict[str, Any]) -> Any:
    """Read a document with the classes that SPDX generates from its model, and write it again, which checks counts."""
    found = spdx3.SHACLObjectSet()
    spdx3.JSONLDDeserializer().read(io.BytesIO(json.dumps(document).encode()), found)
    assert not found.missing_ids
    spdx3.JSONLDSerializer().write(found, io.BytesIO())
    return found


@EITHER
def test_the_cyclonedx_document_is_valid_by_its_schema(exported: Exported) -> None:
    text = json.dumps(cyclonedx_json(exported))
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None


def test_the_schema_of_cyclonedx_refuses_what_it_does_not_know() -> None:
    wrong: Any = cyclonedx_json(WHOLE)
    wrong["metadata"]["component"]["hashes"][0]["alg"] = "provenance-model-v1"
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(wrong)) is not None


@EITHER
def test_the_spdx_document_is_valid_by_the_model(exported: Exported) -> None:
    found = read_spdx(spdx_json(exported))
    [document] = found.foreach_type(spdx3.SpdxDocument)
    [model] = document.rootElement
    assert (model.name, model.software_packageVersion) == ("example/model", "1.0")
    assert isinstance(model, spdx3.ai_AIPackage)


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("Relationship", "relationshipType", None),
        ("ai_AIPackage", "creationInfo", None),
        ("CreationInfo", "created", "yesterday"),
        ("ai_AIPackage", "software_primaryPurpose", "weights"),
        ("ai_AIPackage", "provenance_grade", "1"),
    ],
)
def test_the_model_of_spdx_refuses_other_documents(kind: str, member: str, value: str | None) -> None:
    wrong: Any = spdx_json(WHOLE)
    element = next(one for one in wrong["@graph"] if one["type"] == kind)
    element.pop(member, None)
    element |= {member: value} if value else {}
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_spdx(wrong)


@EITHER
@pytest.mark.parametrize("form", [cyclonedx_json, spdx_json])
def test_the_same_record_gives_the_same_document(exported: Exported, form: Any) -> None:
    first, again = (json.dumps(form(replace(exported))) for _ in range(2))
    assert first == again
    assert json.dumps(form(replace(exported, chain_id=1))) != first


def test_the_serial_number_follows_the_contents() -> None:
    serials = {
        str(cyclonedx_json(one)["serialNumber"])
        for one in (BARE, WHOLE, replace(BARE, entry=replace(BARE.entry, grade=2)))
    }
    assert len(serials) == 3


def test_cyclonedx_names_model_parents_files_and_evidence() -> None:
    found: Any = cyclonedx_json(WHOLE)
    model = found["metadata"]["component"]
    assert (model["group"], model["name"], model["version"]) == ("example", "model", "1.0")
    assert model["hashes"] == [{"alg": "SHA-256", "content": ENTRY.model_digest.hex()}]
    parent, adapter = model["pedigree"]["ancestors"]
    assert parent["bom-ref"] == WHOLE.parent_uri(PARENT)
    assert (parent["group"], adapter["name"]) == ("base", "ada/pter")
    assert [one["name"] for one in model["components"]] == ["a b/ü.safetensors", "config.json"]
    assert ["hashes" in one for one in model["components"]] == [True, False]
    dataset, code, image = found["components"]
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": dataset["bom-ref"]}]
    assert "hashes" not in dataset
    assert [one["alg"] for one in code["hashes"]] == ["SHA-1", "SHA-512"]
    assert (dataset["type"], code["type"], image["type"]) == ("data", "application", "container")
    assert [one["type"] for one in model["externalReferences"]] == ["attestation", "attestation", "evidence"]
    assert model["externalReferences"][0]["url"] == "ni:///sha-256;AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
    facts = [(one["name"].removeprefix("provenance-oracle:"), one["value"]) for one in model["properties"]]
    assert ("record-id", "07" * 32) in facts
    assert ("registry", f"eip155:31337:0x{'aa' * 20}") in facts
    assert [value for name, value in facts if name == "passed-check"] == list(ENTRY.passed_checks)


def test_spdx_relates_the_model_to_what_it_came_from() -> None:
    found = read_spdx(spdx_json(WHOLE))
    relations = {
        (one.from_.name, one.relationshipType.rpartition("/")[2], tuple(other.name for other in one.to))
        for one in found.foreach_type(spdx3.Relationship)
    }
    model = "example/model"
    assert relations >= {
        ("base/model", "ancestorOf", (model,)),
        ("ada/pter", "ancestorOf", (model,)),
        (model, "trainedOn", ("https://data.example/a b",)),
        (model, "hasInput", ("train.git",)),
        (model, "contains", ("a b/ü.safetensors", "config.json")),
    }
    assert len(relations) == 7


def test_a_record_alone_names_no_file_and_no_publisher_that_it_does_not_know() -> None:
    nameless = replace(BARE, entry=replace(BARE.entry, publisher_identity=bytes(32)))
    found = read_spdx(spdx_json(nameless))
    assert len(list(found.foreach_type(spdx3.software_File))) == 3  # manifest, verdict and report
    [model] = found.foreach_type(spdx3.ai_AIPackage)
    assert (model.suppliedBy, model.releaseTime, model.software_downloadLocation) == (None, None, None)
    document: Any = cyclonedx_json(nameless)
    component = document["metadata"]["component"]
    assert {"components", "pedigree", "modelCard"} & component.keys() == set()
    assert "timestamp" not in document["metadata"]


def test_a_release_without_hardware_evidence_names_none() -> None:
    signed = replace(BARE, entry=make_entry(make_signed()))
    document: Any = cyclonedx_json(signed)
    component = document["metadata"]["component"]
    assert [one["type"] for one in component["externalReferences"]] == ["attestation", "attestation"]
    assert "OpenSSF" in component["externalReferences"][0]["comment"]
    assert not any("tcb" in one["name"] for one in component["properties"])
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(document)) is None
    read_spdx(spdx_json(signed))


def test_the_manifest_of_another_release_is_refused() -> None:
    with pytest.raises(VerificationError, match="another release") as raised:
        replace(WHOLE, manifest=replace(MANIFEST, digest=b"\x09" * 32))
    assert raised.value.check is Check.REGISTRY_RECORD
