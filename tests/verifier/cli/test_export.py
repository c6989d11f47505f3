"""Tests of `provenance export` against a registry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Record
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, make_failure, make_record, make_signed
from tests.support.live_releases import lay_out
from tests.verifier.documents.test_bills import read_spdx

pytestmark = pytest.mark.chain

BASE = make_record(name="base/model", model_digest=b"\x21" * 32, manifest_digest=b"\x22" * 32)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    """Return a release that was just made and judged, and its record."""
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {"config.json": b"{}\n", "weights.bin": bytes(9000)}, table=False, at=JUDGED_AT)
    return folder, judge(read_release(folder), load_policy("demo"), at=JUDGED_AT).record


def export(registry: DeployedRegistry, what: str, form: str, *options: object) -> Result:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address)
    result = CliRunner().invoke(main, ["export", what, "--format", form, *map(str, options), *place])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


def test_a_record_becomes_a_valid_document_of_each_format(
    registry: DeployedRegistry, release: tuple[Path, Record]
) -> None:
    folder, record = release
    registry.publish(BASE)
    parent = release_id(BASE.model_digest, BASE.manifest_digest)
    registry.publish(record, parents=(parent,))
    for what in (record.model_digest.hex(), record.manifest_digest.hex(), "org/model@1.0"):
        found = export(registry, what, "cyclonedx", "--release", folder)
        assert found.exit_code == 0, found.output
        assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(found.stdout) is None
        model: Any = json.loads(found.stdout)["metadata"]["component"]
        assert [one["name"] for one in model["components"]] == ["config.json", "weights.bin"]
        assert [one["group"] for one in model["pedigree"]["ancestors"]] == ["base"]
    spdx = export(registry, "org/model@1.0", "spdx", "--release", folder)
    read_spdx(json.loads(spdx.stdout))
    assert export(registry, "org/model", "spdx", "--release", folder).stdout == spdx.stdout
    enveloped = json.loads(export(registry, "org/model", "spdx", "--release", folder, "--json").stdout)
    assert (enveloped["schema"], enveloped["accepted"]) == ("provenance-oracle/export/v1", True)
    assert (enveloped["format"], enveloped["document"]) == ("spdx", json.loads(spdx.stdout))


def test_the_folder_of_another_release_is_forged(registry: DeployedRegistry, release: tuple[Path, Record]) -> None:
    registry.publish(BASE)
    found = export(registry, "base/model", "spdx", "--release", release[0])
    assert (found.exit_code, found.stdout) == (4, "")
    assert "the record belongs to another release" in found.stderr


def test_a_signed_release_is_exported_without_a_manifest(
    registry: DeployedRegistry, release: tuple[Path, Record]
) -> None:
    signed = make_signed()
    registry.publish(signed)
    digest = signed.manifest_digest.hex()
    found = export(registry, digest, "cyclonedx")
    assert found.exit_code == 0, found.output
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(found.stdout) is None
    read_spdx(json.loads(export(registry, digest, "spdx").stdout))
    refused = export(registry, digest, "spdx", "--release", release[0])
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_only_an_active_record_is_exported(registry: DeployedRegistry) -> None:
    assert export(registry, BASE.model_digest.hex(), "cyclonedx").exit_code == 6
    registry.publish(BASE)
    registry.publish(make_failure(name=BASE.name, model_digest=BASE.model_digest, manifest_digest=b"\x23" * 32))
    assert export(registry, BASE.model_digest.hex(), "cyclonedx").exit_code == 0
    registry.revoke(BASE)
    refused = export(registry, BASE.model_digest.hex(), "cyclonedx")
    assert (refused.exit_code, refused.stdout) == (6, "")


def test_several_records_are_not_mixed(registry: DeployedRegistry) -> None:
    other = replace(BASE, manifest_digest=b"\x24" * 32, snp_report_digest=b"\x25" * 32, version="2.0")
    for record in (BASE, other):
        registry.publish(record)
    found = export(registry, "base/model", "cyclonedx")
    assert found.exit_code == 2
    assert BASE.manifest_digest.hex() in found.stderr
    assert other.manifest_digest.hex() in found.stderr
    assert export(registry, "base/model@2.0", "cyclonedx").exit_code == 0
