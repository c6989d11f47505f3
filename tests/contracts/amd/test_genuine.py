"""The EVM finds in genuine evidence of AMD hardware what the Python verifier finds, and refuses mixed sets.

So do lists: the EVM reads in AMD's own what the Python verifier reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.verifier.snp.crl import parse_crl
from tests.support.evm import run_evm
from tests.support.real_sets import CRLS, RealSet, crl, found_sets, judge, read_set
from tests.support.snp_contracts import Judged, Refused, SnpVerifier, encode_call, expected, key_of, refusal
from tests.support.solidity import Compile, Way, code_of

pytestmark = pytest.mark.chain

_SAPPHIRE_GAS = 15_000_000


@pytest.fixture(scope="module")
def verifier(anvil_program: Path) -> Iterator[SnpVerifier]:
    with run_evm() as evm:
        yield SnpVerifier.deploy(evm)


@pytest.fixture(scope="module")
def genuine(vectors: Path) -> dict[str, RealSet]:
    return {folder.name: read_set(folder) for folder in found_sets(vectors)}


def test_every_genuine_set_says_what_the_python_verifier_reads(
    verifier: SnpVerifier, genuine: dict[str, RealSet]
) -> None:
    evidence = [(of.evidence.report, of.evidence.vek) for of in genuine.values()]
    assert len(evidence) >= 26
    for (name, of), got in zip(genuine.items(), verifier.verify_all(evidence), strict=True):
        assert isinstance(got, Judged), name
        assert got == expected(of.evidence.vek, judge(of.evidence, of.at)), name
        assert got == verifier.endorse(of.evidence.vek), name
        key = key_of(of.evidence.vek)
        known = verifier.ask("verifyWith(bytes,bytes,uint256,bytes32)", of.evidence.report, key, got.facts, got.chip)
        assert not known.reverted, name


def test_no_report_goes_with_the_certificate_of_another(verifier: SnpVerifier, genuine: dict[str, RealSet]) -> None:
    sets = list(genuine.values())
    # Azure's machines may share a chip, and so a certificate's key
    mixed = [
        (one.evidence.report, other.evidence.vek)
        for one in sets
        for other in sets
        if key_of(one.evidence.vek) != key_of(other.evidence.vek)
    ]
    refused = list(verifier.verify_all(mixed))
    assert {type(answer) for answer in refused} == {Refused}
    assert {answer.error for answer in refused if isinstance(answer, Refused)} == {"VekMismatch"}
    key, one = key_of(sets[1].evidence.vek), expected(sets[0].evidence.vek, judge(sets[0].evidence, sets[0].at))
    arguments = (sets[0].evidence.report, key, one.facts, one.chip)
    assert refusal(verifier.ask("verifyWith(bytes,bytes,uint256,bytes32)", *arguments)) == Refused("ReportNotSigned")


@pytest.mark.parametrize("name", CRLS)
def test_a_list_says_what_the_python_verifier_reads(verifier: SnpVerifier, vectors: Path, name: str) -> None:
    from eth_abi.abi import decode

    data = crl(vectors, name)
    answer = verifier.ask("verifyCrl(bytes)", data)
    assert not answer.reverted, refusal(answer)
    line, this_update, next_update, serials = decode(("uint256", "uint256", "uint256", "uint256[]"), answer.data)
    parsed = parse_crl(data, name)
    assert line == {"Milan": 1, "Genoa": 2, "Turin": 3}[name.split("-")[1]]
    assert (this_update, next_update) == (parsed.this_update.timestamp(), parsed.next_update.timestamp())
    assert sorted(serials) == sorted(parsed.revoked_serials)


def test_a_changed_list_is_refused(verifier: SnpVerifier, vectors: Path) -> None:
    data = crl(vectors, CRLS[0])
    for at in range(0, len(data), 7):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        assert verifier.ask("verifyCrl(bytes)", changed).reverted, at


@pytest.mark.parametrize("via_ir", [True, False], ids=["IR", "legacy"])
def test_a_current_compiler_makes_the_same_judge(
    anvil_program: Path, compile_one: Compile, genuine: dict[str, RealSet], via_ir: bool
) -> None:
    """The shipped bytes come from the pinned compiler, whose other code generator forge tests (hardhat/test/amd)."""
    compiled = compile_one("contracts/amd/AmdVerifier.sol", "AmdVerifier", Way("solc-current", "osaka", via_ir))
    evidence = [(of.evidence.report, of.evidence.vek) for of in genuine.values()]
    wanted = [expected(of.evidence.vek, judge(of.evidence, of.at)) for of in genuine.values()]
    (report, vek), *_ = evidence
    forged = report[:0x2A0] + bytes((report[0x2A0] ^ 1,)) + report[0x2A1:]
    with run_evm("--hardfork", "osaka", "--disable-code-size-limit") as evm:
        verifier = SnpVerifier(evm, evm.deploy(code_of(compiled)))
        assert list(verifier.verify_all(evidence)) == wanted
        assert verifier.verify(forged, vek) == Refused("ReportNotSigned")
        assert verifier.verify(report, vek[:-1] + bytes((vek[-1] ^ 1,))) == Refused("CertificateNotSigned")


def test_it_fits_into_a_block_of_sapphire(anvil_program: Path, genuine: dict[str, RealSet]) -> None:
    """The rules of Shanghai, and 15 million gas a block. Deployment and judgement are one transaction each."""
    with run_evm("--hardfork", "shanghai", "--gas-limit", str(_SAPPHIRE_GAS)) as evm:
        verifier = SnpVerifier.deploy(evm, gas=_SAPPHIRE_GAS)
        for of in list(genuine.values())[::6]:
            call = encode_call("verify(bytes,bytes)", of.evidence.report, of.evidence.vek)
            assert evm.send(call, verifier.address, _SAPPHIRE_GAS)["status"] == "0x1"
