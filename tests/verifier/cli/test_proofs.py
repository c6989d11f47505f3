"""Tests of `provenance check` and `provenance show` with the proof of a release that is only in a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.record.proof_file import proof_json
from tests.support.batches import SEALED_AT, URI, batch_quorum
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, deploy_registry, make_failure, make_record
from tests.support.live_releases import lay_out

pytestmark = pytest.mark.chain

OTHER = make_record(name="other/model", manifest_digest=b"\x41" * 32)
REAL = make_record(name="real/model", manifest_digest=b"\x42" * 32)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    """Return a release that was just made and judged, and its record."""
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {"config.json": b"{}\n", "weights.bin": bytes(9000)}, table=False, at=JUDGED_AT)
    return folder, judge(read_release(folder), load_policy("demo"), at=JUDGED_AT).record


class Batched:
    """A batch in a registry, and the files with the proofs of its records."""

    def __init__(
        self,
        registry: DeployedRegistry,
        folder: Path,
        records: Sequence[Record],
        *,
        named: frozenset[int] = frozenset(),
        signers: Sequence[int] = (0,),
    ) -> None:
        self.registry = registry
        encoded = tuple(registry.encode(record) for record in records)
        self.leaves, self.structs = leaves_of(encoded, named), seal_batch(encoded, named=named).proofs
        quorum = batch_quorum(registry, self.leaves.root, len(encoded), signers)
        call = registry.contract.functions.recordBatch(self.leaves.root, len(encoded), SEALED_AT, URI, quorum)
        registry.send(call, registry.stranger)
        self.files = [folder / f"proof-{number}.json" for number in range(len(records))]
        for leaf, file in zip(self.leaves.leaves, self.files, strict=True):
            file.write_text(json.dumps(proof_json(self.leaves, leaf)))

    def run(self, command: str, *arguments: object, proof: int | None = 0) -> Result:
        options = ("--proof", self.files[proof]) if proof is not None else ()
        place = ("--rpc", self.registry.chain.rpc_url, "--registry", self.registry.address)
        result = CliRunner().invoke(main, [str(one) for one in (command, *arguments, *options, *place)])
        assert "Traceback" not in result.output
        return result

    def check(self, folder: Path, *options: str, proof: int | None = 0) -> Result:
        return self.run("check", folder, "--policy", "demo", *options, proof=proof)


Seal = Callable[..., Batched]


@pytest.fixture
def seal(registry: DeployedRegistry, tmp_path: Path) -> Seal:
    def sealed(*records: Record, **options: Any) -> Batched:
        return Batched(options.pop("registry", registry), tmp_path, records, **options)

    return sealed


def test_a_release_in_a_batch_is_accepted_with_its_proof(seal: Seal, release: tuple[Path, Record]) -> None:
    folder, record = release
    batched = seal(record, OTHER)
    without = batched.check(folder, proof=None)
    assert without.exit_code == 6
    assert "or `--proof FILE`, if the release is in a batch (the registry has 1)" in without.stderr
    assert f"the records of the newest batch: {URI}" in without.stderr
    found = batched.check(folder)
    assert found.exit_code == 0, found.output
    assert "in a batch, signed by 1 oracle of set 1, weight 1, threshold 1" in found.output
    assert "reproduced here bit for bit" in found.output
    body = json.loads(batched.check(folder, "--json").stdout)["record"]
    assert (body["active"], body["batch"]) == (True, {"root": batched.leaves.root.hex(), "leaf": 0})


def test_a_record_in_a_batch_is_exported_with_its_proof(seal: Seal, release: tuple[Path, Record]) -> None:
    _, record = release
    batched = seal(record, OTHER)
    digest = record.manifest_digest.hex()
    assert batched.run("export", digest, "--format", "cyclonedx", proof=None).exit_code == 6
    found = batched.run("export", digest, "--format", "cyclonedx")
    assert found.exit_code == 0, found.output
    properties = json.loads(found.stdout)["metadata"]["component"]["properties"]
    assert {"name": "provenance-oracle:batch", "value": f"{batched.leaves.root.hex()}, leaf 0"} in properties


def test_another_release_s_proof_is_refused(seal: Seal, release: tuple[Path, Record]) -> None:
    folder, record = release
    found = seal(record, OTHER).check(folder, proof=1)
    assert (found.exit_code, "the proof is of another release" in found.stderr) == (6, True)


def test_a_record_of_other_facts_is_forged(seal: Seal, release: tuple[Path, Record]) -> None:
    folder, record = release
    assert seal(replace(record, version="9")).check(folder).exit_code == 4


def test_a_batch_that_the_registry_lacks_proves_nothing(
    seal: Seal, release: tuple[Path, Record], registry: DeployedRegistry
) -> None:
    folder, record = release
    batched = seal(record)
    batched.registry = deploy_registry(registry.chain)
    found = batched.check(folder)
    assert (found.exit_code, "no batch with this root" in found.stderr) == (6, True)


def test_a_leaf_beyond_the_count_that_was_signed_proves_nothing(seal: Seal, registry: DeployedRegistry) -> None:
    batched = seal(OTHER)
    encoded = tuple(registry.encode(one) for one in (OTHER, REAL))
    longer = leaves_of(encoded)
    call = registry.contract.functions.recordBatch(
        longer.root, 1, SEALED_AT, URI, batch_quorum(registry, longer.root, 1, (0,))
    )
    registry.send(call, registry.stranger)
    batched.files[0].write_text(json.dumps(proof_json(longer, longer.leaves[1])))
    found = batched.run("show", REAL.name)
    assert (found.exit_code, "the proof leads to no record" in found.stderr) == (6, True)


def test_revoked_in_its_batch_or_with_its_model_it_is_refused(
    seal: Seal, release: tuple[Path, Record], registry: DeployedRegistry
) -> None:
    folder, record = release
    batched, functions = seal(record, OTHER), registry.contract.functions
    registry.send(functions.revokeAllOf(OTHER.model_digest, "a backdoor"), registry.guardian)
    found = batched.run("show", OTHER.name, proof=1)
    assert found.exit_code == 6
    assert "with every release of these files" in found.output
    now = registry.contract.w3.eth.get_block("latest")["timestamp"]
    digests, proof = (record.model_digest, record.manifest_digest), batched.structs[0].solidity()
    registry.send(functions.revokeInBatch(*digests, proof, now, "withdrawn"), registry.guardian)
    for found in (batched.check(folder), batched.run("show", record.name)):
        assert found.exit_code == 6
        assert "the record was revoked" in found.output + found.stderr


def test_a_leaf_with_a_name_in_a_claimed_namespace_is_held(seal: Seal) -> None:
    found = seal(REAL, named=frozenset({0})).run("show", REAL.name)
    assert (found.exit_code, "gate shut" in found.output) == (6, True)
    assert "anybody can have them checked, with `materialise`" in found.stderr


def test_revoked_keys_make_a_leaf_doubtful(seal: Seal, registry: DeployedRegistry) -> None:
    other = deploy_registry(registry.chain, oracles=2, threshold=2)
    batched = seal(REAL, registry=other, signers=(0, 1))
    other.revoke_oracle(1)
    found = batched.run("show", REAL.name)
    assert (found.exit_code, "DOUBTFUL" in found.output) == (6, True)


def test_the_registry_s_own_record_decides(seal: Seal, registry: DeployedRegistry) -> None:
    batched = seal(REAL)
    registry.publish(replace(REAL, verdict_digest=b"\x77" * 32))
    registry.revoke(REAL)
    found = batched.run("show", REAL.name)
    assert found.exit_code == 6
    assert ("77" * 32 in found.output, "in a batch" in found.output) == (True, False)


@pytest.mark.parametrize("record", [replace(REAL, revision=1), make_failure()], ids=["revision", "failure"])
def test_only_a_first_judgement_can_be_proven(seal: Seal, record: Record) -> None:
    found = seal(record).run("show", record.name)
    assert (found.exit_code, "a proof shows the first judgement of a release only" in found.stderr) == (6, True)


def test_show_tells_the_gate_that_takes_the_proof(seal: Seal) -> None:
    batched = seal(REAL, make_record(manifest_digest=b"\x43" * 32, product_line=255, grade=0, name="sim/model"))
    for what in (REAL.manifest_digest.hex(), f"0x{record_id(REAL).hex()}", "real/model@1.0"):
        found = batched.run("show", what)
        assert found.exit_code == 0, found.output
        assert "open to requireModelFromProof with a minimum grade of 1 or less" in found.output
    assert f"in a batch       {batched.leaves.root.hex()}, leaf 0" in found.output
    assert "gate shut" in batched.run("show", "sim/model", proof=1).output
    assert batched.run("show", "real/model", "--history").exit_code == 2
    wrong = batched.run("show", OTHER.name)
    assert (wrong.exit_code, "the proof is of another record" in wrong.stderr) == (6, True)


def test_a_proof_is_no_use_offline(seal: Seal, release: tuple[Path, Record]) -> None:
    found = seal(REAL).check(release[0], "--offline")
    assert (found.exit_code, "a proof counts only with its registry" in found.stderr) == (2, True)
