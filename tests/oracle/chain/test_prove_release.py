"""Tests of `provenance prove`: from a folder to a proof on a real node, and what `show` and `check` say of it then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain import prove_release
from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.chain.disprove_record import plan_disproof
from provenance_oracle.oracle.chain.prove_release import plan_proof
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.publisher.manifest import PrivateKey
from provenance_oracle.publisher.simulator import FakeAmd
from provenance_oracle.verifier.errors import AppraisalError, RecordError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.cited import cite
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
from provenance_oracle.verifier.proofs.intermediates import added_intermediate
from provenance_oracle.verifier.proofs.reader import ProofReader
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.deployment import parse_deployment
from provenance_oracle.verifier.registry.node import open_node
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.batches import sealing
from tests.support.chain_fixtures import DeployedRegistry, checksummed, load_artifact
from tests.support.fake_nodes import lying
from tests.support.proofs import NOW, P256_KEY, P384_KEY, later_amd, make_provable

pytestmark = pytest.mark.chain

_DELAY = ("--delay-hours", "1", "--grace-hours", "1")


@pytest.fixture(scope="module")
def chain(anvil_program: Path) -> Iterator[EmbeddedChain]:
    with run_anvil(options=("--hardfork", "osaka", "--enable-tx-gas-limit", "--accounts", "40")) as found:
        yield found


@pytest.fixture(scope="module")
def deployed(chain: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return the deployment file and the document of `deploy --with-proofs simulator`."""
    folder = tmp_path_factory.mktemp("deployments")
    oracle = ("--oracle", chain.accounts[4].address)
    options = ("--with-proofs", "simulator", "--deployments", str(folder), *oracle, *_DELAY)
    exit_code, document = _run(chain, "deploy", "--rpc", chain.rpc_url, *options)
    assert exit_code == 0, document.get("error")
    return folder / f"{chain.chain_id}.json", document


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    make_provable(folder)
    return folder


def _run(chain: EmbeddedChain, command: str, *arguments: str, paid: bool = True, text: bool = False) -> tuple[int, Any]:
    """Run a command that account 0 pays for; return exit code and document, or its text."""
    key = ("--key-variable", "PAYER") if paid else ()
    form = () if text else ("--json",)
    environment = {"PAYER": chain.accounts[0].key.hex(), "XDG_CONFIG_HOME": "/nonexistent"}
    result = CliRunner().invoke(main, [command, *arguments, *key, *form], env=environment)
    assert "Traceback" not in result.output
    return result.exit_code, result.output if text else json.loads(result.stdout)


def _place(chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]]) -> tuple[str, ...]:
    return "--rpc", chain.rpc_url, "--registry", str(deployed[0]), "--policy", "demo"


def _registry(chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]]) -> DeployedRegistry:
    from provenance_oracle.verifier.registry.node import connect

    contract: Any = connect(chain.rpc_url).eth.contract(deployed[1]["registry"], abi=load_artifact().abi)
    people = chain.accounts[:4]
    return DeployedRegistry(chain, contract, 0, b"", people[0], people[0], people[3], chain.accounts[4:5])


def test_the_deployment_file_names_the_contracts_and_their_code(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]]
) -> None:
    file, document = deployed
    found = parse_deployment(file.read_bytes(), "file").proofs
    assert found is not None
    assert {name: address.lower() for name, address in document["proofs"].items()} == {
        "amd_verifier": f"0x{found.amd_verifier.hex()}",
        "hardware_proofs": f"0x{found.hardware_proofs.hex()}",
        "disputes": f"0x{found.disputes.hex()}",
    }
    web3 = _registry(chain, deployed).contract.w3
    for name in document["proofs"]:
        code = web3.eth.get_code(document["proofs"][name])
        assert bytes(web3.keccak(code)) == getattr(found, f"{name}_code_hash"), name
    older = json.loads(file.read_text())
    for name in list(older):
        if name.startswith(("amd_", "hardware_", "disputes")):
            del older[name]
    assert parse_deployment(json.dumps(older).encode(), "older file").proofs is None


def test_a_release_is_proven_and_everybody_says_so(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], release: Path
) -> None:
    place = _place(chain, deployed)
    # (1) the cost, without a key
    exit_code, planned = _run(chain, "prove", str(release), *place, "--cost", paid=False)
    assert exit_code == 0
    assert (planned["proven"], planned["transaction"], planned["confirms_record"]) == (None, None, False)
    cost = planned["cost"]
    assert cost["gas"] == cost["sending"] + cost["hardware"] + cost["manifest"]
    assert 2_900_000 < cost["hardware"] < 3_200_000
    assert cost["wei"] == cost["gas"] * cost["price_wei"] > 0
    exit_code, words = _run(chain, "prove", str(release), *place, "--dry-run", paid=False, text=True)
    assert exit_code == 0
    assert "it fits (at most 16,777,216)" in words
    assert "proven           no" in words
    # (2) the proof, without a record
    exit_code, proven = _run(chain, "prove", str(release), *place)
    assert exit_code == 0
    proof = proven["proven"]
    assert (proof["transaction"], proof["simulated"], proof["opens_gate"]) == (proven["transaction"], True, False)
    assert (proof["product_line"], proof["signing_key"], proof["vmpl"]) == ("Genoa", "VCEK", 0)
    # (3) once more: nothing is sent
    exit_code, again = _run(chain, "prove", str(release), *place)
    assert (exit_code, again["transaction"], again["proven"]) == (0, None, proof)
    # (4) with a record, which is confirmed; then the readers
    registry = _registry(chain, deployed)
    record = _judged(release)
    registry.publish(record)
    exit_code, again = _run(chain, "prove", str(release), *place)
    assert (exit_code, again["transaction"], again["confirms_record"]) == (0, None, False), "no proof of it confirms it"
    exit_code, confirmed = _run(chain, "prove", str(release), *place, "--again", "--record")
    assert (exit_code, confirmed["confirms_record"]) == (0, True)
    assert confirmed["cost"]["hardware"] < cost["hardware"], "the certificate was seen before"
    for command in (("check", str(release)), ("show", record.model_digest.hex())):
        where = place if command[0] == "check" else place[:4]
        exit_code, words = _run(chain, *command, *where, paid=False, text=True)
        assert "proven           the SIMULATOR's signature checked by the EVM, block " in words
        exit_code, document = _run(chain, *command, *where, paid=False)
        found = document["proven"] if command[0] == "check" else document["entries"][0]["proven"]
        assert found == confirmed["proven"]


def test_no_more_is_paid_than_was_said(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A node could name one price for the plan, and a thousand times that for the transaction."""
    made = make_provable(tmp_path, name="acme/dearer")
    asked: list[str] = []

    def dearer(method: str, _params: list[Any], truth: Any) -> Any:
        if method != "eth_gasPrice":
            return None
        asked.append(method)
        return truth if len(asked) == 1 else hex(int(truth, 16) * 1000)

    with lying(_registry(chain, deployed), dearer) as (url, _):
        place = ("--rpc", url, *_place(chain, deployed)[2:])
        exit_code, proven = _run(chain, "prove", str(tmp_path), *place)
    assert exit_code == 0, proven.get("error")
    paid = _registry(chain, deployed).contract.w3.eth.get_transaction(proven["transaction"])
    assert paid["gasPrice"] == proven["cost"]["price_wei"]
    assert made.evidence.report in bytes(paid["input"])


def test_a_proof_that_the_node_does_not_show_is_not_called_proven(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A node behind the one that took the transaction, or one that lies."""
    make_provable(tmp_path, name="acme/unshown")
    proof_of = "0x" + keccak256(b"proofOf(bytes32)")[:4].hex()

    def without_proof(method: str, params: list[Any], _truth: Any) -> Any:
        is_asked = method == "eth_call" and str(params[0].get("data", params[0].get("input"))).startswith(proof_of)
        return "0x" + "00" * 32 if is_asked else None

    with lying(_registry(chain, deployed), without_proof) as (url, _):
        place = ("--rpc", url, *_place(chain, deployed)[2:])
        exit_code, answer = _run(chain, "prove", str(tmp_path), *place)
    assert exit_code == 7
    assert "does not show the proof" in answer["error"]["message"]
    # the chain has it, so another run says so and pays nothing
    exit_code, proven = _run(chain, "prove", str(tmp_path), *_place(chain, deployed))
    assert (exit_code, proven["transaction"], proven["confirms_record"]) == (0, None, False)


def test_a_proof_that_amd_revoked_is_not_called_proven(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    make_provable(tmp_path, line=ProductLine.MILAN, name="acme/revoked")
    place = _place(chain, deployed)
    exit_code, proven = _run(chain, "prove", str(tmp_path), *place)
    assert exit_code == 0
    web3 = _registry(chain, deployed).contract.w3
    proofs: Any = web3.eth.contract(deployed[1]["proofs"]["hardware_proofs"], abi=load_artifact("HardwareProofs").abi)
    release = bytes.fromhex(proven["proven"]["release_id"])
    revoking = FakeAmd.load(ProductLine.MILAN).current_crl(NOW, revoked=(0x10001,))
    for call in (proofs.functions.submitCrl(revoking), proofs.functions.recheck(release)):
        web3.eth.wait_for_transaction_receipt(call.transact({"from": checksummed(chain.accounts[0])}))
    exit_code, answer = _run(chain, "prove", str(tmp_path), *place)
    assert (exit_code, answer["error"]["got"]) == (5, "IntermediateIsRevoked")
    record = _judged(tmp_path)
    _registry(chain, deployed).publish(record)
    exit_code, words = _run(chain, "show", record.model_digest.hex(), *place[:4], paid=False, text=True)
    assert "proven           no longer, since AMD revoked the key above the certificate" in words


def test_a_release_under_a_later_intermediate_is_proven_then_revoked(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    amd, place = later_amd(), _place(chain, deployed)
    for name in ("first", "second"):
        make_provable(tmp_path / name, line=ProductLine.TURIN, amd=amd, name=f"acme/later-{name}")
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    note = "intermediate     SEV-Turin 196610: this chain does not know it yet, so the transaction adds it"
    # (1) what it costs is known before the chain has the intermediate, or a list
    exit_code, words = _run(chain, "prove", first, *place, "--dry-run", paid=False, text=True)
    assert exit_code == 0
    assert note in words
    exit_code, planned = _run(chain, "prove", first, *place, "--cost", paid=False)
    cost = planned["cost"]
    assert cost["gas"] == cost["sending"] + cost["hardware"] + cost["manifest"]
    assert 4_300_000 < cost["hardware"] < 5_300_000
    # (2) one transaction
    exit_code, proven = _run(chain, "prove", first, *place)
    assert exit_code == 0, proven.get("error")
    assert int(proven["proven"]["word"], 16) >> 191 == 1
    receipt = _registry(chain, deployed).contract.w3.eth.get_transaction_receipt(proven["transaction"])
    assert cost["gas"] * 19 // 20 < receipt["gasUsed"] <= cost["gas"]
    # (3) the next one finds it there
    exit_code, words = _run(chain, "prove", second, *place, "--cost", paid=False, text=True)
    assert (exit_code, note in words) == (0, False)
    exit_code, next_one = _run(chain, "prove", second, *place)
    assert next_one["cost"]["hardware"] < cost["hardware"] - 1_000_000
    # (4) AMD revokes it
    web3 = _registry(chain, deployed).contract.w3
    proofs: Any = web3.eth.contract(deployed[1]["proofs"]["hardware_proofs"], abi=load_artifact("HardwareProofs").abi)
    release = bytes.fromhex(proven["proven"]["release_id"])
    revoking = amd.current_crl(NOW, revoked=(0x30002,))
    for call in (proofs.functions.submitCrl(revoking), proofs.functions.recheck(release)):
        web3.eth.wait_for_transaction_receipt(call.transact({"from": checksummed(chain.accounts[0])}))
    exit_code, answer = _run(chain, "prove", first, *place)
    assert (exit_code, answer["error"]["got"]) == (5, "IntermediateIsRevoked")
    record = _judged(tmp_path / "first")
    _registry(chain, deployed).publish(record)
    exit_code, words = _run(chain, "show", record.model_digest.hex(), *place[:4], paid=False, text=True)
    assert "proven           no longer, since AMD revoked the key above the certificate" in words


@pytest.mark.parametrize("dates", [None, {"this_update": NOW - timedelta(60), "next_update": NOW - timedelta(1)}])
def test_a_later_intermediate_needs_a_current_list(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path, dates: dict[str, Any] | None
) -> None:
    """On a chain that has none: no list of Genoa was submitted here."""
    amd = later_amd(ProductLine.GENOA)
    made = make_provable(tmp_path, amd=amd, name="acme/without-a-list")
    added = added_intermediate(made.evidence)
    assert added is not None
    proofs = ProofReader(open_node(chain.rpc_url), parse_deployment(deployed[0].read_bytes(), "file"))
    crl = None if dates is None else parse_crl(amd.current_crl(NOW, **dates), "old list")
    with pytest.raises(AppraisalError, match=r"takes it in only with a current list.*provenance/snp/ark\.crl"):
        plan_proof(proofs, evidence_of(made), b"", None, replace(added, crl=crl))


def _judged(release: Path) -> Record:
    return judge(read_release(release), load_policy("demo"), at=NOW).record


def test_a_release_that_nobody_proved_is_shown_as_such(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    make_provable(tmp_path, name="acme/unproven")
    registry, record = _registry(chain, deployed), _judged(tmp_path)
    registry.publish(record)
    place = _place(chain, deployed)
    for arguments in (("check", str(tmp_path), *place), ("show", record.model_digest.hex(), *place[:4])):
        _, words = _run(chain, *arguments, paid=False, text=True)
        assert "proven           no" in words
    _, document = _run(chain, "check", str(tmp_path), *place, paid=False)
    assert document["proven"] is None


def test_nothing_is_paid_for_what_is_refused_here(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    make_provable(tmp_path / "good", name="acme/damaged")
    (tmp_path / "good" / "config.json").write_bytes(b"[]\n")
    place = _place(chain, deployed)
    count = _registry(chain, deployed).contract.w3.eth.get_transaction_count
    before = count(checksummed(chain.accounts[0]))
    exit_code, document = _run(chain, "prove", str(tmp_path / "good"), *place)
    assert (exit_code, document["error"]["check"]) == (4, "file-digests")
    # a name that the chain cannot read
    make_provable(tmp_path / "named", files={"caf\u00e9.json": b"{}"}, name="acme/named")
    exit_code, document = _run(chain, "prove", str(tmp_path / "named"), *place)
    assert exit_code == 5
    assert "printable ASCII" in document["error"]["wanted"]
    # a record is asked for, and there is none
    make_provable(tmp_path / "unrecorded", name="acme/unrecorded")
    exit_code, document = _run(chain, "prove", str(tmp_path / "unrecorded"), *place, "--record")
    assert exit_code == 6
    assert count(checksummed(chain.accounts[0])) == before


def test_what_the_chain_refuses_is_told_by_the_name_of_its_error(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_provable(tmp_path, name="acme/later")
    monkeypatch.setattr(prove_release, "with_endorsed_key", lambda call: call._replace(vek=call.vek[:-1] + b"\0"))
    monkeypatch.setattr("provenance_oracle.verifier.proofs.reader.ProofReader.is_endorsed", lambda *_: True)
    exit_code, document = _run(chain, "prove", str(tmp_path), *_place(chain, deployed))
    assert (exit_code, document["error"]["got"]) == (5, "CertificateNotSigned")
    assert "the simulator, whose keys are the only ones" in document["error"]["wanted"]


@pytest.mark.parametrize(
    ("key", "way_out", "amd", "gas_max"),
    [
        (P384_KEY, "--key-type p256", None, 2_000_000),
        (P256_KEY, "fewer files", None, 2_000_000),
        (P256_KEY, "fewer files", later_amd(ProductLine.MILAN), 3_000_000),  # with a list and the intermediate
    ],
)
def test_a_proof_that_does_not_fit_says_so_with_the_way_out(
    chain: EmbeddedChain,
    deployed: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: PrivateKey,
    way_out: str,
    amd: FakeAmd | None,
    gas_max: int,
) -> None:
    make_provable(tmp_path, key, amd=amd, name="acme/large")
    monkeypatch.setattr(prove_release, "TRANSACTION_GAS_MAX", gas_max)
    exit_code, document = _run(chain, "prove", str(tmp_path), *_place(chain, deployed), "--cost", paid=False)
    assert exit_code == 5
    assert "does not fit" in document["error"]["message"]
    assert way_out in document["error"]["wanted"]


def test_the_contract_has_to_be_named_and_to_be_the_one_shipped(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], release: Path, tmp_path: Path
) -> None:
    file, document = deployed
    address = ("--rpc", chain.rpc_url, "--registry", document["registry"], "--policy", "demo")
    exit_code, answer = _run(chain, "prove", str(release), *address)
    assert (exit_code, "deployment file" in answer["error"]["wanted"]) == (2, True)
    fields = json.loads(file.read_text())
    for change in (
        {"amd_verifier": fields["hardware_proofs"]},
        {"hardware_proofs": fields["amd_verifier"]},
        {"hardware_proofs": fields["disputes"]},
    ):
        other = tmp_path / "other.json"
        other.write_text(json.dumps(fields | change))
        exit_code, answer = _run(chain, "prove", str(release), *address[:3], str(other), *address[4:])
        assert exit_code == 2, change
    # the same code over a registry that nobody trusts
    web3, artifact = _registry(chain, deployed).contract.w3, load_artifact("HardwareProofs")
    maker: Any = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    made = maker.constructor(fields["amd_verifier"], fields["lineage"]).transact(
        {"from": checksummed(chain.accounts[0])}
    )
    elsewhere = web3.eth.wait_for_transaction_receipt(made)["contractAddress"]
    (tmp_path / "other.json").write_text(json.dumps(fields | {"hardware_proofs": elsewhere}))
    exit_code, answer = _run(chain, "prove", str(release), *address[:3], str(tmp_path / "other.json"), *address[4:])
    assert (exit_code, "another registry" in answer["error"]["message"]) == (2, True)
    shutil.copy(file, tmp_path / "copy.json")
    without = {name: value for name, value in fields.items() if not name.startswith(("amd", "hardware", "disputes"))}
    (tmp_path / "copy.json").write_text(json.dumps(without))
    exit_code, answer = _run(chain, "prove", str(release), *address[:3], str(tmp_path / "copy.json"), *address[4:])
    assert (exit_code, "--with-proofs" in answer["error"]["wanted"]) == (2, True)


def test_only_the_shipped_contract_beside_these_proofs_disproves(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A deployment file could name a contract that calls everything disproved, and is paid for it."""
    made = make_provable(tmp_path / "release", name="acme/judged-elsewhere")
    found = judge(made, load_policy("demo"), at=NOW)
    registry = _registry(chain, deployed)
    registry.publish(found.record)
    options = [*_place(chain, deployed)[:3], str(tmp_path / "other.json"), "--dry-run"]
    files = {"verdict": found.verdict.statement, "report": made.evidence.report, "vek": made.evidence.vek}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        options += [f"--{name}", str(tmp_path / name)]
    fields, web3 = json.loads(deployed[0].read_text()), registry.contract.w3
    artifact = load_artifact("Disputes")
    maker: Any = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = maker.constructor(fields["registry"], fields["registry"], 0).transact(
        {"from": checksummed(chain.accounts[0])}
    )
    of_other_proofs = web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    for address, problem in (
        (fields["hardware_proofs"], "no such contract"),
        (of_other_proofs, "the contract has other proofs"),
    ):
        (tmp_path / "other.json").write_text(json.dumps(fields | {"disputes": address}))
        exit_code, answer = _run(chain, "disprove", found.record.manifest_digest.hex(), *options, paid=False)
        assert exit_code == 2
        assert problem in answer["error"]["message"]


def test_a_record_in_a_batch_has_to_be_written_out_first(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """The contracts read records that the registry keeps by themselves, and `prove` and `disprove` take no proof."""
    made = make_provable(tmp_path / "release", name="acme/batched")
    found = judge(made, load_policy("demo"), at=NOW)
    registry = _registry(chain, deployed)
    lie = replace(found.record, reported_tcb=bytes(8))
    encoded, batch, call = sealing(registry, [lie], [0], sealed_at=int(NOW.timestamp()))
    registry.send(call, registry.stranger)
    place, options = _place(chain, deployed), ["--dry-run"]
    for name, data in (("verdict", found.verdict.statement), ("report", made.evidence.report)):
        (tmp_path / name).write_bytes(data)
        options += [f"--{name}", str(tmp_path / name)]
    what, step = lie.manifest_digest.hex(), "or a record that somebody wrote out with `materialise` (docs/operating.md"
    exit_code, answer = _run(chain, "disprove", what, *place[:4], *options, paid=False)
    assert exit_code == 6
    assert step in answer["error"]["wanted"]
    assert "--proof" not in answer["error"]["wanted"], "the command has no such option"
    exit_code, answer = _run(chain, "prove", str(tmp_path / "release"), *place, "--record", "--cost", paid=False)
    assert exit_code == 6
    assert step in answer["error"]["wanted"]
    assert "leave out --record" in answer["error"]["wanted"]
    # what the contracts say of such a record, if it gets to them
    proofs = ProofReader(open_node(chain.rpc_url), parse_deployment(deployed[0].read_bytes(), "file"))
    cited = cite(found.verdict.statement, made.evidence.report, None, lie.verdict_digest)
    with pytest.raises(RecordError, match=r"keeps no such record by itself: got RecordUnknown, wanted .*`materialise`"):
        plan_disproof(proofs, encoded[0], cited)
    honest = registry.encode(found.record)
    with pytest.raises(AppraisalError, match=r"got RecordUnknown, wanted .*`materialise`.*, or --no-record"):
        plan_proof(proofs, evidence_of(made), honest)
    # written out, it is a record like any other
    registry.send(registry.contract.functions.materialise(encoded[0], batch.proofs[0].solidity()), registry.stranger)
    exit_code, answer = _run(chain, "disprove", what, *place[:4], *options, paid=False)
    assert (exit_code, answer["reason"]) == (0, 3)


def test_a_record_is_disproved_by_a_command(
    chain: EmbeddedChain, deployed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    made = make_provable(tmp_path / "release", name="acme/lied-about")
    found = judge(made, load_policy("demo"), at=NOW)
    registry, lie = _registry(chain, deployed), replace(found.record, reported_tcb=bytes(8))
    registry.publish(lie)
    files = {"verdict": found.verdict.statement, "report": made.evidence.report, "vek": made.evidence.vek}
    options: list[str] = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        options += [f"--{name}", str(tmp_path / name)]
    place, what = _place(chain, deployed)[:4], lie.manifest_digest.hex()
    without_vek = options[: options.index("--vek")]
    for given in (options, without_vek):
        exit_code, document = _run(chain, "disprove", what, *place, *given, "--dry-run", paid=False)
        assert exit_code == 0, document.get("error")
        assert (document["reason"], document["transaction"]) == (3, None)
    exit_code, document = _run(chain, "disprove", what, *place, *options)
    assert (exit_code, document["reason"], document["record_id"]) == (0, 3, record_id(lie).hex())
    assert document["transaction"].startswith("0x")
    # an honest record: the contract finds nothing, and nothing is paid
    made = make_provable(tmp_path / "honest", name="acme/honest")
    found = judge(made, load_policy("demo"), at=NOW)
    registry.publish(found.record)
    for name, data in (("verdict", found.verdict.statement), ("report", made.evidence.report)):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "vek").write_bytes(made.evidence.vek)
    exit_code, document = _run(chain, "disprove", found.record.manifest_digest.hex(), *place, *options)
    assert (exit_code, document["error"]["got"]) == (5, "NotDisproved")
    # other evidence than the verdict cites
    for name, problem in (("verdict", "another verdict"), ("report", "does not cite")):
        (tmp_path / name).write_bytes(files[name] + b" ")
        exit_code, document = _run(chain, "disprove", found.record.manifest_digest.hex(), *place, *options)
        assert exit_code == 4
        assert problem in document["error"]["message"]
        (tmp_path / name).write_bytes(found.verdict.statement if name == "verdict" else made.evidence.report)
