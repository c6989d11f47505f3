"""Whatever bytes a caller sends: nothing is proven that is not, and no honest oracle is convicted.

The mutants are of the encoding, where an encoder may let members overlap, point anywhere, or end early; the mixtures
are of two genuine releases of one chip.
"""

from __future__ import annotations

import os
import random
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import PrivateKey
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.cited import cite
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of, with_endorsed_key
from tests.contracts.proofs.conftest import Stage
from tests.support.evm import creation_code
from tests.support.proofs import CITED, NOW, P256_KEY, encode_function, id_of, make_provable

pytestmark = pytest.mark.chain

MUTANTS = int(os.environ.get("PROVENANCE_MUTANTS", "400"))
OTHER_KEY: PrivateKey = ec.derive_private_key(14, ec.SECP256R1())
_HEAD_WORDS = 24  # the places and numbers of every member are within
_FAR = (0, 1, 31, 32, 2**16, 2**64, 2**255, 2**256 - 1, 2**256 - 32, 2**256 - 4096)


def _mutant(dice: random.Random, data: bytes) -> bytes:
    """Return calldata with one to three changes, most of them among places and lengths."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        words = (len(changed) - 4) // 32
        at = 4 + 32 * dice.randrange(min(_HEAD_WORDS, words) if dice.random() < 0.8 else words)
        word = int.from_bytes(changed[at : at + 32], "big")
        kind = dice.randint(0, 5)
        if kind == 0:  # a place or number nearby
            word += dice.choice((-64, -32, -1, 1, 32, 64))
        elif kind == 1:  # far away
            word = dice.choice((*_FAR, len(changed), len(changed) - 4))
        elif kind == 2:  # that of another member
            other = 4 + 32 * dice.randrange(min(_HEAD_WORDS, words))
            word = int.from_bytes(changed[other : other + 32], "big")
        elif kind == 3:  # a bit
            word ^= 1 << dice.randrange(256)
        elif kind == 4:  # an early end
            del changed[dice.randrange(4, len(changed)) :]
            changed.extend(bytes(max(0, 36 - len(changed))))
            continue
        changed[at : at + 32] = (word % 2**256).to_bytes(32, "big")
    return bytes(changed)


@pytest.fixture(scope="module")
def pair(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> tuple[EvidenceCall, EvidenceCall]:
    """Return two releases of one chip, whose certificate the contract knows."""
    found = []
    for name, key in (("one", P256_KEY), ("other", OTHER_KEY)):
        evidence = evidence_of(make_provable(tmp_path_factory.mktemp(name), key, name=f"acme/{name}"))
        stage.proofs.prove(evidence)
        found.append(with_endorsed_key(evidence))
    return found[0], found[1]


def test_a_mixture_of_two_releases_proves_nothing(stage: Stage, pair: tuple[EvidenceCall, EvidenceCall]) -> None:
    parts = ("report", "key", "signature", "payload", "internal_at", "subjects_at")
    mixtures = [
        pair[0]._replace(**{part: getattr(pair[which], part) for part, which in zip(parts, choice, strict=True)})
        for choice in product((0, 1), repeat=len(parts))
    ]
    calls = [stage.proofs.prove_call(one) for one in mixtures]
    taken = [
        (mixture, answer.data[:32])
        for mixture, answer in zip(mixtures, stage.evm.calls(stage.proofs.address, calls), strict=True)
        if not answer.reverted
    ]
    assert {found for _, found in taken} == {id_of(one.payload) for one in pair}
    assert {mixture for mixture, _ in taken} == set(pair)


def test_no_calldata_proves_anything_else(stage: Stage, pair: tuple[EvidenceCall, EvidenceCall]) -> None:
    dice, good = random.Random(3), pair[0]
    data, release = stage.proofs.prove_call(good), id_of(good.payload)
    word = stage.proofs.word(release) >> 40
    answers = list(stage.evm.calls(stage.proofs.address, [_mutant(dice, data) for _ in range(MUTANTS)]))
    taken = [answer for answer in answers if not answer.reverted]
    assert 0 < len(taken) < MUTANTS
    for answer in taken:
        assert (answer.data[:32], int.from_bytes(answer.data[32:64], "big") >> 40) == (release, word)


def test_no_calldata_convicts_an_honest_oracle(stage: Stage, tmp_path: Path) -> None:
    dice, release = random.Random(4), make_provable(tmp_path, name="acme/honest")
    judged = judge(release, load_policy("demo"), at=NOW)
    stage.registry.publish(judged.record)
    words = b"".join(bytes.fromhex(one[2:]).rjust(32, b"\0") for one in (stage.proofs.address, stage.proofs.address))
    court = stage.evm.deploy(creation_code("Disputes") + words + bytes(32))
    cited = cite(judged.verdict.statement, release.evidence.report, release.evidence.vek, judged.verdict.digest)
    data = encode_function(f"disprove(bytes,{CITED})", stage.registry.encode(judged.record), tuple(cited))
    mutants = [data, *(_mutant(dice, data) for _ in range(MUTANTS))]
    assert all(answer.reverted for answer in stage.evm.calls(court, mutants))
