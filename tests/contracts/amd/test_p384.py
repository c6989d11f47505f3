"""ECDSA on P-384 accepts what others accept: Wycheproof's signatures, and such that no signer would ever make.

In the latter, sums on the way to the result meet each other, their opposites, or infinity. The shipped bytes are
tested, and other ways to compile the source.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.evm import Evm, creation_code
from tests.support.p384_inputs import P384_ORDER, P384Case, exceptional_inputs
from tests.support.snp_contracts import encode_call
from tests.support.solidity import Compile, Way, code_of

pytestmark = pytest.mark.chain

_ROOT = Path(__file__).parents[3]
_SOURCE = "contracts/amd/P384.sol"
_POINTS = "contracts/amd/P384Points.sol"
_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
_EXCEPTIONAL = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "150"))
_WAYS = {
    "legacy": Way(via_ir=False),
    "current": Way("solc-current", "osaka"),
    "current, legacy": Way("solc-current", "osaka", via_ir=False),
}
_COMMENTS = re.compile(r"/\*.*?\*/|///?[^\n]*", re.DOTALL)


@pytest.fixture(scope="module")
def shipped(evm: Evm) -> str:
    return evm.deploy(creation_code("P384"))


@pytest.fixture(scope="module")
def wycheproof(vectors: Path) -> list[P384Case]:
    path = vectors / "wycheproof" / "ecdsa_secp384r1_sha384_p1363_test.json"
    cases = []
    for group in json.loads(path.read_text())["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
        for case in group["tests"]:
            digest = hashlib.sha384(bytes.fromhex(case["msg"])).digest()
            cases.append((digest + bytes.fromhex(case["sig"]) + key, case["result"] == "valid"))
    assert len(cases) == 280
    return cases


@pytest.fixture(scope="module")
def exceptional() -> list[P384Case]:
    return list(exceptional_inputs(_EXCEPTIONAL))


def test_shipped_bytes_agree_with_wycheproof(evm: Evm, shipped: str, wycheproof: list[P384Case]) -> None:
    assert _wrong(evm, shipped, wycheproof) == []


def test_shipped_bytes_handle_exceptional_additions(evm: Evm, shipped: str, exceptional: list[P384Case]) -> None:
    assert _wrong(evm, shipped, exceptional) == []
    assert 0 < sum(valid for _, valid in exceptional) < len(exceptional)


@pytest.mark.parametrize("name", _WAYS)
def test_other_ways_to_compile_give_the_same(
    evm: Evm, compile_one: Compile, wycheproof: list[P384Case], exceptional: list[P384Case], name: str
) -> None:
    address = evm.deploy(code_of(compile_one(_SOURCE, "P384", _WAYS[name])))
    assert _wrong(evm, address, wycheproof[::4] + exceptional[::2]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if (P384Field.isZero(rh, rl)) double();", "if (P384Field.isZero(rh, rl)) store(Z, 0, 0);"),
        ("else store(Z, 0, 0);", "else double();"),
        ("if (P384Field.isZero(hh, hl)) {", "if (hh | hl == 0) {"),
    ],
)
def test_a_wrong_exceptional_addition_is_found_out(
    evm: Evm, compile_one: Compile, exceptional: list[P384Case], old: str, new: str
) -> None:
    text = (_ROOT / _POINTS).read_text()
    assert old in text
    mutant = compile_one(_SOURCE, "P384", Way(via_ir=False), {_POINTS: text.replace(old, new)})
    assert _wrong(evm, evm.deploy(code_of(mutant)), exceptional) != []


@pytest.mark.parametrize("way", [Way(), _WAYS["current"]], ids=["pinned", "current"])
def test_the_code_generator_computes_no_term_twice(compile_one: Compile, way: Way) -> None:
    """For want of stack, solc's `viaIR` computes terms again instead of refusing: right, but for twice the gas."""
    text = compile_one(_SOURCE, "P384", way)["irOptimized"]
    code = _COMMENTS.sub("", text[text.index('object "P384_') :])
    sources = (path.read_text() for path in (_ROOT / "contracts" / "amd").glob("P384*.sol"))
    assert code.count("mulmod(") == sum(_COMMENTS.sub("", source).count("mulmod(") for source in sources) == 20
    # the contract's own places in memory begin at 0x400
    assert set(re.findall(r"memoryguard\((\w+)\)", code)) == {"0x80"}


def test_numbers_out_of_range_and_other_lengths_are_no_signature(
    evm: Evm, shipped: str, wycheproof: list[P384Case]
) -> None:
    good = next(data for data, valid in wycheproof if valid)
    n, p = P384_ORDER.to_bytes(48, "big"), _P.to_bytes(48, "big")
    parts = [good[at : at + 48] for at in range(0, 240, 48)]
    bad = [
        b"".join((*parts[:at], value, *parts[at + 1 :]))
        for at, values in {1: (bytes(48), n), 2: (bytes(48), n), 3: (p, bytes(48)), 4: (p, bytes(48))}.items()
        for value in values
    ]
    bad += [good[:-1], good + b"\0", b""]
    assert _wrong(evm, shipped, [(good, True), *((data, False) for data in bad)]) == []


def test_too_little_gas_is_no_verdict(evm: Evm, shipped: str, wycheproof: list[P384Case]) -> None:
    good = next(data for data, valid in wycheproof if valid)
    for gas in (40_000, 60_000, 90_000, 130_000, 400_000, 2_000_000):
        answer = evm.call(shipped, encode_call("verify(bytes)", good), gas)
        assert answer.reverted, gas


def _wrong(evm: Evm, address: str, cases: Sequence[P384Case]) -> list[str]:
    """Return the inputs that a contract judges wrongly."""
    answers = evm.calls(address, [encode_call("verify(bytes)", data) for data, _ in cases])
    return [data.hex() for (data, valid), answer in zip(cases, answers, strict=True) if answer.number != valid]
