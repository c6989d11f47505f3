"""What an attacker chooses beside the evidence, calldata's layout and gas, makes no verdict: neither true nor false.

`Disputes` ends an oracle's key when the verifier says that a report is not signed. So a lack of gas must never say it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.report import REPORT_BYTES
from tests.support.evm import Answer, Evm
from tests.support.snp_contracts import Refused, SnpVerifier, encode_call, key_of, refusal
from tests.support.solidity import Compile, Way, code_of

pytestmark = pytest.mark.chain

_KEPT = json.loads((Path(__file__).parents[3] / "hardhat" / "test" / "amd" / "evidence.json").read_text())
_REPORT, _VEK, _CRL = (bytes.fromhex(_KEPT[f"Turin-{part}"][2:]) for part in ("VCEK-report", "VCEK-vek", "crl"))
_SETS = [(line, kind) for line in ("Milan", "Genoa", "Turin") for kind in ("VCEK", "VLEK")]
_VERIFY, _ENDORSE, _VERIFY_CRL = "verify(bytes,bytes)", "endorse(bytes)", "verifyCrl(bytes)"
_VERIFY_WITH = "verifyWith(bytes,bytes,uint256,bytes32)"
_SOURCE = "contracts/testing/SimulatorVerifier.sol"
_WAYS = {
    "legacy": Way(via_ir=False),
    "current": Way("solc-current", "osaka"),
    "current, legacy": Way("solc-current", "osaka", via_ir=False),
}
# Errors that say nothing about the evidence: none, as when gas ends, or that the precompile did not answer.
_NO_VERDICT = {"", "ModexpFailed"}
Part = tuple[int, bytes]
"""The length that the calldata states for an argument, and the bytes that lie there."""


@pytest.fixture(scope="module")
def verifier(evm: Evm) -> SnpVerifier:
    return SnpVerifier.deploy(evm, "SimulatorVerifier")


def _call(signature: str, parts: Sequence[Part], order: Sequence[int] | None = None, gap: bytes = b"") -> bytes:
    """Return the calldata of a call with `bytes` arguments that lie in any order, unaligned, with a gap before each."""
    heads, tails = [b""] * len(parts), b""
    for index in order or range(len(parts)):
        length, data = parts[index]
        tails += gap
        heads[index] = _word(32 * len(parts) + len(tails))
        tails += _word(length) + data
    return keccak256(signature.encode())[:4] + b"".join(heads) + tails


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _all(data: bytes) -> Part:
    return len(data), data


def _answers(verifier: SnpVerifier, calls: Sequence[bytes]) -> list[Answer]:
    return list(verifier.evm.calls(verifier.address, calls))


def test_arguments_may_lie_anywhere(verifier: SnpVerifier) -> None:
    """Of any layout that the ABI allows, what counts is what lies there."""
    wanted = verifier.ask(_VERIFY, _REPORT, _VEK).data
    parts = [_all(_REPORT), _all(_VEK)]
    calls = [_call(_VERIFY, parts, order, gap) for order in ((0, 1), (1, 0)) for gap in (b"", b"\xff", _VEK, bytes(77))]
    # the report lies inside of what the certificate's argument could reach, and the other way round
    calls.append(_call(_VERIFY, [_all(_REPORT), (len(_VEK), _VEK + _REPORT)]))
    for answer in _answers(verifier, calls):
        assert not answer.reverted and answer.data == wanted


def test_bytes_beyond_an_argument_are_no_part_of_it(verifier: SnpVerifier) -> None:
    """The rest of the evidence lies right behind an argument whose stated length is too small, or nothing does."""
    facts = [_word(verifier.endorse(_VEK).facts), verifier.endorse(_VEK).chip]  # type: ignore[union-attr]
    key = key_of(_VEK)
    calls = [_call(_ENDORSE, [(length, _VEK)]) for length in range(len(_VEK))]
    calls += [_call(_VERIFY_CRL, [(length, _CRL)]) for length in range(len(_CRL))]
    calls += [_call(_ENDORSE, [(len(data) + 1, data + b"\0")]) for data in (_VEK, _VEK[:-1])]
    lengths = (0, 1, 2**16, 2**63, 2**64, 2**255, 2**256 - 1)
    for length in (*lengths, REPORT_BYTES - 1, REPORT_BYTES + 1):
        calls.append(_call(_VERIFY, [(length, _REPORT + b"\0"), _all(_VEK)], order=(1, 0)))
    for length in (*lengths, len(_VEK) - 1, len(_VEK) + 1):
        calls.append(_call(_VERIFY, [_all(_REPORT), (length, _VEK + b"\0")]))
    for length in (*lengths, len(key) - 1, len(key) + 1):
        tails = _word(REPORT_BYTES) + _REPORT + _word(length) + key + b"\0"
        heads = _word(128) + _word(128 + 32 + REPORT_BYTES) + b"".join(facts)
        calls.append(keccak256(_VERIFY_WITH.encode())[:4] + heads + tails)
    # the last is the key's own length
    good = calls[-1].replace(_word(len(key) + 1), _word(len(key)))
    assert not verifier.evm.call(verifier.address, good).reverted
    assert all(answer.reverted for answer in _answers(verifier, calls))


def test_offsets_that_wrap_or_lead_out_are_refused(verifier: SnpVerifier) -> None:
    good = _call(_VERIFY, [_all(_REPORT), _all(_VEK)])
    calls = []
    for offset in (2**256 - 1, 2**256 - 4, 2**256 - 32, 2**255, 2**64, 2**64 - 1, len(good), len(good) - 4, 0, 32):
        calls += [good[:4] + _word(offset) + good[36:], good[:36] + _word(offset) + good[68:]]
    # one argument for both
    calls += [good[:36] + good[4:36] + good[68:], good[:4] + good[36:68] + good[36:]]
    calls += [good[:end] for end in (*range(100), *range(len(good) - 100, len(good)))]
    assert all(answer.reverted for answer in _answers(verifier, calls))
    assert not verifier.evm.call(verifier.address, good + b"\xff" * 100).reverted


@pytest.mark.parametrize("signature", [_VERIFY, _ENDORSE, _VERIFY_CRL, _VERIFY_WITH])
def test_too_little_gas_is_no_verdict(verifier: SnpVerifier, signature: str) -> None:
    found = verifier.endorse(_VEK)
    assert not isinstance(found, Refused)
    arguments = {
        _VERIFY: (_REPORT, _VEK),
        _ENDORSE: (_VEK,),
        _VERIFY_CRL: (_CRL,),
        _VERIFY_WITH: (_REPORT, key_of(_VEK), found.facts, found.chip),
    }[signature]
    call = encode_call(signature, *arguments)
    rng = random.Random(signature)
    least, most = 100_000, 4_000_000
    succeeded = failed = 0
    for start in range(least, most, (most - least) // 120):
        answer = verifier.evm.call(verifier.address, call, start + rng.randrange(20_000))
        if answer.reverted:
            assert refusal(answer).error in _NO_VERDICT
            failed += 1
        else:
            succeeded += 1
    assert succeeded and failed


@pytest.mark.parametrize("name", _WAYS)
def test_other_ways_to_compile_give_the_same_verdicts(
    evm: Evm, verifier: SnpVerifier, compile_one: Compile, name: str
) -> None:
    """The shipped bytes and others agree on evidence, on what is changed in it, and on lists of a wrong form."""
    other = SnpVerifier(evm, evm.deploy(code_of(compile_one(_SOURCE, "SimulatorVerifier", _WAYS[name]))))
    kept = {part: bytes.fromhex(text[2:]) for part, text in _KEPT.items()}
    calls = [encode_call(_VERIFY_CRL, data) for part, data in kept.items() if "crl" in part]
    rng = random.Random("ways")
    for line, kind in _SETS:
        report, vek = kept[f"{line}-{kind}-report"], kept[f"{line}-{kind}-vek"]
        calls += [encode_call(_VERIFY, report, vek), encode_call(_ENDORSE, vek)]
        calls += [encode_call(_VERIFY, _flipped(report, rng), vek) for _ in range(8)]
        calls += [encode_call(_ENDORSE, _flipped(vek, rng)) for _ in range(12)]
    wanted = _answers(verifier, calls)
    assert _answers(other, calls) == wanted
    assert sum(not answer.reverted for answer in wanted) >= 2 * len(_SETS) + 3


def _flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
