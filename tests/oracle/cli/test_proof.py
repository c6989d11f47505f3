"""Tests of `provenance proof`, and of the leaves document from which anyone builds the same proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.errors import FormatError, RecordError, VerificationError
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.leaves import leaves_json, leaves_of, parse_leaves
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.published import Published
from tests.support.world import fresh_record

POLICY = 7


def _encoded(*numbers: int) -> list[bytes]:
    from provenance_oracle.verifier.record.codec import encode_record

    made = [make_record(manifest_digest=bytes([number]) * 32, version=f"{number}.0") for number in numbers]
    return [encode_record(record, policy_id=POLICY, parents=()) for record in made]


def run(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(main, ["proof", *arguments, "--json"], env={"PROVENANCE_JOURNAL": None})
    return result.exit_code, json.loads(result.stdout)


def test_the_document_has_all_that_a_proof_needs() -> None:
    records = _encoded(0xA1, 0xA2, 3)
    leaves = parse_leaves(leaves_json(records, frozenset({1})), "document")
    assert leaves == leaves_of(records, frozenset({1}))
    assert leaves.document() == leaves_json(records, frozenset({1}))
    assert leaves.find("a2" * 32).proof.index == 1
    assert leaves.find("example/model@3.0").proof.index == 2
    assert leaves.find(record_id(leaves.leaves[2].written).hex()).proof.index == 2


@pytest.mark.parametrize("wanted", ["09" * 32, "example/model", make_record().model_digest.hex()])
def test_no_record_or_more_than_one_is_an_error(wanted: str) -> None:
    with pytest.raises(RecordError, match="does not have exactly one such record"):
        leaves_of(_encoded(1, 2)).find(wanted)


def test_a_document_whose_records_lead_elsewhere_is_refused() -> None:
    document = json.loads(leaves_json(_encoded(1, 2)))
    for change in ({"root": "00" * 32}, {"records": document["records"][::-1]}):
        with pytest.raises(VerificationError, match="the records are not those of this batch"):
            parse_leaves(json.dumps(document | change).encode(), "document")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("record", "0xAB"),
        ("record", "AB"),
        ("record", "zz"),
        ("record", "ab cd"),
        ("record", ""),
        ("named", 1),
        ("more", 1),
    ],
)
def test_a_malformed_document_is_refused(name: str, value: object) -> None:
    document = json.loads(leaves_json(_encoded(1)))
    document["records"][0][name] = value
    with pytest.raises(FormatError):
        parse_leaves(json.dumps(document).encode(), "document")


def test_a_document_that_is_given_is_printed_with_its_names_in_claimed_namespaces(tmp_path: Path) -> None:
    document, file = leaves_json(_encoded(1, 2), frozenset({1})), tmp_path / "batch.json"
    file.write_bytes(document)
    printed = CliRunner().invoke(main, ["proof", "00" * 32, "--leaves", str(file), "--batch"]).stdout
    assert printed == f"{document.decode()}\n"


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[Published]:
    made = Published(registry, tmp_path)
    yield made
    made.journal.close()


@pytest.mark.chain
def test_the_printed_proof_opens_the_gate_and_public_data_give_the_same(world: Published, tmp_path: Path) -> None:
    records = [fresh_record() for _ in range(3)]
    publication = world.publish_batch(records)
    code, printed = run(records[1].manifest_digest.hex(), "--journal", str(world.path))
    assert (code, printed["leaf"], printed["count"]) == (0, 1, 3)
    proof = printed["proof"]
    struct = (proof["contentDigest"], int(proof["summary"], 16), proof["siblings"])
    digests = (records[1].model_digest, records[1].manifest_digest)
    world.registry.contract.functions.requireModelFromProof(*digests, struct, 1).call()
    assert printed["root"] == (publication.root or b"").hex()
    # anyone with the document at the batch's uri gets the same proof, without the journal
    document = CliRunner().invoke(main, ["proof", printed["root"], "--batch", "--journal", str(world.path)]).stdout
    file = tmp_path / "batch.json"
    file.write_text(document)
    assert run(records[1].manifest_digest.hex(), "--leaves", str(file)) == (0, printed)


def test_a_release_in_no_batch_has_no_proof(tmp_path: Path) -> None:
    from provenance_oracle.oracle.journal.journal import Journal

    with Journal(tmp_path / "journal.db"):
        code, document = run("ab" * 32, "--journal", str(tmp_path / "journal.db"))
    assert code == 6
    assert "no final batch of this journal has the release" in json.dumps(document)
