"""Manifests of any kind and their mutants: what the EVM takes, the Python verifier takes, with the same digests.

Two exceptions are documented (docs/proofs.md): the EVM knows nothing of the rules for file names beyond characters and
order, and looks at nothing outside of two places of the manifest. So these mutants are of the list of files, and are
signed anew by the VM's key, so that nothing but the form of the manifest decides.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from provenance_oracle.publisher.manifest import Build, make_statement
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.errors import AppraisalError, FormatError
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.proofs.evidence_calls import (
    EvidenceCall,
    evidence_of,
    places_in,
    with_endorsed_key,
)
from provenance_oracle.verifier.snp.report import parse_report
from tests.contracts.proofs.conftest import Stage
from tests.support.proofs import id_of, refused, signed_again

pytestmark = [pytest.mark.chain, pytest.mark.timeout(6 * 3600)]

MUTANTS = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "400"))
_PART = 1000  # manifests that are in memory at once
_SUBJECTS = b'"subject":['
_CHARACTERS = "abcXYZ019._-+ ~!#/"
# Pieces that a mutant gets in place of others of the list.
_PIECES = (b'"', b"\\", b",", b"}", b"]", b"{", b"0", b"01", b"-1", b"1e3", b"12345678901234567", b" ", b"\n", b"\x00")
_PIECES += (b"\xc3\xa9", b"\x7f", b"A", b"f", b'","sha256":"', b"\\u0041", b"]}", b'"}]}', b'"},', b"\xff")


@pytest.fixture(scope="module")
def known(stage: Stage, p256: Release) -> EvidenceCall:
    evidence = evidence_of(p256)
    stage.proofs.prove(evidence)
    return with_endorsed_key(evidence)


def _files(dice: random.Random) -> FileSet:
    lengths = [dice.choice((1, 5, 31, 32, 33, 64, 90)) for _ in range(dice.randint(1, 6))]
    paths = ["".join(dice.choices(_CHARACTERS, k=length)) for length in lengths]
    paths.append(paths[0] + "x")  # begins like another
    files = [
        FileDigest(
            path.replace("/", "_"),
            dice.choice((0, 9, 10, 4096, 10**15, 2**53 - 1)),
            dice.randbytes(32),
            dice.randbytes(32) if dice.random() < 0.5 else None,
        )
        for path in paths
    ]
    unique = {file.path.casefold(): file for file in files}
    ordered = tuple(sorted(unique.values(), key=lambda file: file.path.encode()))
    return FileSet(ordered, model_digest(ordered))


def _payload(dice: random.Random, report_digest: bytes) -> bytes:
    build = Build("acme/tiny", "1.0", publisher="key " + dice.randbytes(32).hex() if dice.random() < 0.3 else "")
    while True:
        try:
            return make_statement(_files(dice), build, report_digest)
        except FormatError:  # names such as `..`
            continue


def _mutant(dice: random.Random, payload: bytes) -> bytes:
    start = payload.rindex(_SUBJECTS)
    at = dice.randint(start, len(payload) - 1)
    kind = dice.randint(0, 5)
    if kind == 0:  # a bit
        return payload[:at] + bytes((payload[at] ^ 1 << dice.randint(0, 7),)) + payload[at + 1 :]
    if kind == 1:  # a piece instead of some bytes
        return payload[:at] + dice.choice(_PIECES) + payload[at + dice.randint(0, 3) :]
    if kind == 2:  # a part left out
        return payload[:at] + payload[at + dice.choice((1, 2, 32, 64, 76)) :]
    if kind == 3:  # a part twice
        return payload[: at + dice.choice((1, 64, 140))] + payload[at:]
    if kind == 4:  # the end cut off
        return payload[:at]
    entries = payload[start + len(_SUBJECTS) : -2].split(b"},{")  # files in another order
    dice.shuffle(entries)
    return payload[: start + len(_SUBJECTS)] + b"},{".join(entries) + b"]}"


def _judged(stage: Stage, calls: list[EvidenceCall]) -> Iterator[bytes | None]:
    """Yield the id of the release that the EVM finds in each; None where it refuses, by the right name."""
    answers = stage.evm.calls(stage.proofs.address, [stage.proofs.prove_call(one) for one in calls])
    for answer in answers:
        refusal = refused(answer)
        assert refusal is None or refusal.error == "ManifestMalformed", refusal
        yield None if refusal else answer.data[:32]


def _read(payload: bytes) -> bytes | FormatError:
    try:
        return id_of(payload)
    except FormatError as error:
        return error


def test_random_manifests_have_the_digests_of_the_python_verifier(stage: Stage, known: EvidenceCall) -> None:
    dice, digest = random.Random(1), parse_report(known.report).digest
    for count in _parts(max(20, MUTANTS // 10)):
        payloads = [_payload(dice, digest) for _ in range(count)]
        calls = [_signed(known, payload, payload, digest) for payload in payloads]
        assert list(_judged(stage, calls)) == [id_of(payload) for payload in payloads]


def test_no_mutant_is_taken_that_the_python_verifier_refuses(stage: Stage, known: EvidenceCall) -> None:
    dice, digest = random.Random(2), parse_report(known.report).digest
    taken = 0
    for count in _parts(MUTANTS):
        payloads = [_payload(dice, digest) for _ in range(count)]
        mutants = [_mutant(dice, payload) for payload in payloads]
        pairs = zip(payloads, mutants, strict=True)
        calls = [_signed(known, payload, mutant, digest) for payload, mutant in pairs]
        for mutant, found in zip(mutants, _judged(stage, calls), strict=True):
            read = _read(mutant)
            if found is not None:
                taken += 1
                is_name = isinstance(read, FormatError) and read.problem.startswith(("file name", "two file names"))
                assert is_name or found == read, mutant
            # what `provenance prove` says of a manifest before it pays is what the EVM says
            assert _is_provable(mutant, digest) == (found is not None), mutant
    assert 0 < taken < MUTANTS


def _parts(count: int) -> Iterator[int]:
    """Yield the sizes of the parts of so many manifests."""
    for start in range(0, count, _PART):
        yield min(_PART, count - start)


def _signed(known: EvidenceCall, payload: bytes, mutant: bytes, report_digest: bytes) -> EvidenceCall:
    """Return evidence with a mutant of a payload, which the VM's key signed; the places are those of the payload."""
    internal_at, subjects_at = places_in(payload, report_digest)
    return signed_again(known._replace(internal_at=internal_at, subjects_at=subjects_at), mutant)


def _is_provable(payload: bytes, report_digest: bytes) -> bool:
    try:
        places_in(payload, report_digest)
    except AppraisalError:
        return False
    return True
