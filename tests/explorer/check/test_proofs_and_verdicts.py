"""Proofs of records in batches, and verdicts of oracles, are judged in a browser as in Python."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.judgement.recorded_verdict import parse_verdict
from provenance_oracle.verifier.record.codec import encode_record, record_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.record.proof_file import parse_proof, proof_json
from provenance_oracle.verifier.record.standing import SIGNED_CODE
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.registry.signed_verdict import digest_to_sign, envelope_of, verify_signed_verdict
from tests.explorer.check.engines import ChromiumEngine, FirefoxEngine
from tests.explorer.check.judged import Judged, compare
from tests.support.chain_fixtures import JUDGED_AT, make_failure, make_record
from tests.support.kept_verdicts import ORACLE, STRANGER, Kept, keep
from tests.support.mutants import changed

_MUTANTS = int(os.environ.get("PROVENANCE_EXPLORER_MUTANTS", "400"))
_CHECK = Check.REGISTRY_RECORD
pytestmark = pytest.mark.timeout(3600)
_SIGNED = {"product_line": SIGNED_CODE, "grade": 0, "snp_report_digest": bytes(32), "reported_tcb": bytes(8)}
RECORDS = (
    *(make_record(manifest_digest=bytes([number]) * 32, version=f"{number}.0") for number in range(1, 4)),
    make_record(revision=3),
    make_failure(manifest_digest=b"\x09" * 32),
    make_record(manifest_digest=b"\x0a" * 32, checks=1 << 23, **_SIGNED),
)
DATA = [encode_record(record, policy_id=7, parents=()) for record in RECORDS]
LEAVES = leaves_of(DATA, frozenset({1}))


# --- proofs --------------------------------------------------------------------------------------------------


def _proof(document: bytes) -> Judged:
    def in_python() -> str:
        found = parse_proof(document, "proof")
        return f"{found.root.hex()} {found.leaf.proof.index} {record_id(found.written).hex()}"

    return Judged("proof", JUDGED_AT, {"proof": document}, in_python)


def _resealed(record: bytes, rng: Random) -> dict[str, Any]:
    """Return the proof of these bytes in a batch of their own, as somebody makes it who does not look at them."""
    index, is_failed = rng.randrange(128), not record[192 + 19] & 1
    revision = record[192 + 2 : 192 + 4]
    key = keccak256(record[: 96 if is_failed else 64])
    if not is_failed and any(revision):
        key = keccak256(key + revision)
    summary = record[192 : 192 + 13] + bytes(17) + bytes([rng.randrange(2), index])
    siblings = [rng.randbytes(32) for _ in range(7)]
    node = keccak256(key + keccak256(record) + summary)
    for depth, sibling in enumerate(siblings):
        node = keccak256(sibling + node if index >> depth & 1 else node + sibling)
    words = {"contentDigest": f"0x{keccak256(record).hex()}", "summary": f"0x{summary.hex()}"}
    proof = {**words, "siblings": [f"0x{sibling.hex()}" for sibling in siblings]}
    digests = {"model_digest": record[:32].hex(), "manifest_digest": record[32:64].hex()}
    return {"root": node.hex(), "leaf": index, "count": 128, **digests, "record": record.hex(), "proof": proof}


def _changed_facts(record: bytes, rng: Random) -> bytes:
    """A record with other numbers, other texts or other bytes."""
    mutant = bytearray(record)
    match rng.randrange(4):
        case 0:
            mutant[192 + rng.randrange(32)] ^= 1 << rng.randrange(8)
        case 1:
            mutant[192 + rng.choice((0, 1, 2, 7, 8, 12, 19, 20, 24))] = rng.choice((0, 1, 2, 3, 254, 255))
        case 2:
            mutant[224:] = rng.choice(
                (b"\1a\3b@1", b"\0\3b@1", b"\1/\3b@1", b"\1a\2b1", b"\2\xc3\x28\3b@1", b"\1a\3b@1x")
            )
            mutant += rng.randbytes(32) * rng.randrange(3)
        case _:
            return changed(record, rng)
    return bytes(mutant)


def _proofs() -> Iterator[Judged]:
    good = [proof_json(LEAVES, leaf) for leaf in LEAVES.leaves]
    for number in range(_MUTANTS):
        rng = Random(f"proof {number}")
        if rng.randrange(2):
            yield _proof(changed(json.dumps(rng.choice(good)).encode(), rng))
        else:
            yield _proof(json.dumps(_resealed(_changed_facts(rng.choice(DATA), rng), rng)).encode())


def _known_proofs() -> list[Judged]:
    good = [json.dumps(proof_json(LEAVES, leaf)).encode() for leaf in LEAVES.leaves]
    resealed = [json.dumps(_resealed(record, Random(1))).encode() for record in DATA]
    return [_proof(document) for document in (*good, *resealed)]


def test_proofs_in_chromium(chromium: ChromiumEngine) -> None:
    assert compare(chromium, _known_proofs()) == {"passed": 2 * len(RECORDS)}
    counted = compare(chromium, _proofs())
    assert counted.keys() == {"passed", "malformed", "forged"}


# --- verdicts ------------------------------------------------------------------------------------------------


@cache
def _kept() -> Kept:
    with TemporaryDirectory() as folder:
        kept = keep(Path(folder) / "release")
        assert kept.envelope
        return kept


def _verdict(statement: bytes, envelope: bytes | None, digest: bytes | None = None) -> Judged:
    recorded = digest or hashlib.sha256(statement).digest()

    def in_python() -> str:
        """As `rejudge.judge_recorded` begins."""
        if hashlib.sha256(statement).digest() != recorded:
            raise VerificationError("the verdict is not that of the record", check=_CHECK)
        found = parse_verdict(statement, "verdict")
        signers: list[str] = []
        if envelope is not None:
            signed = verify_signed_verdict(envelope, "envelope")
            if signed.statement != statement:
                raise VerificationError("the envelope is around another verdict", check=_CHECK)
            signers = [checksum_address(key.address) for key in signed.keys]
        return " ".join([found.policy_digest.hex(), str(len(found.findings)), str(len(found.inputs)), *signers])

    files = {"verdict": statement} | ({"envelope": envelope} if envelope else {})
    return Judged("verdict", JUDGED_AT, files, in_python, recorded.hex())


def _signed(statement: bytes, *signers: Any) -> bytes:
    digest = digest_to_sign(statement)
    return envelope_of(statement, [(one.address, one.sign_der(digest)) for one in signers])


def _known_verdicts() -> list[Judged]:
    good = _kept().statement
    envelope, other = _signed(good, ORACLE), json.loads(_signed(good, STRANGER))
    swapped = json.loads(envelope)
    swapped["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    return [
        _verdict(good, None),
        _verdict(good, envelope),
        _verdict(good, _signed(good, ORACLE, STRANGER)),
        _verdict(good, None, bytes(32)),
        _verdict(good, _signed(b"another", ORACLE)),
        _verdict(good, json.dumps(swapped).encode()),
    ]


def _envelopes() -> Iterator[Judged]:
    """Yield changed envelopes around a good verdict, and envelopes with another encoding of a signature."""
    good = _kept().statement
    envelope = _signed(good, ORACLE)
    for number in range(_MUTANTS // 4):
        rng = Random(f"envelope {number}")
        parsed = json.loads(envelope)
        signature = base64.b64decode(parsed["signatures"][0]["sig"])
        parsed["signatures"][0]["sig"] = base64.b64encode(changed(signature, rng)).decode()
        yield _verdict(good, json.dumps(parsed).encode() if rng.randrange(2) else changed(envelope, rng))


def _statements() -> Iterator[Judged]:
    """Yield changed verdicts whose digest is in the record."""
    good = _kept().statement
    for number in range(_MUTANTS // 4):
        yield _verdict(changed(good, Random(f"verdict {number}")), None)


def test_verdicts_in_chromium(chromium: ChromiumEngine) -> None:
    assert compare(chromium, _known_verdicts()) == {"passed": 3, "forged": 3}
    assert compare(chromium, _envelopes()).keys() >= {"malformed", "forged"}


def test_proofs_and_verdicts_in_firefox(firefox: FirefoxEngine) -> None:
    assert compare(firefox, _known_verdicts()) == {"passed": 3, "forged": 3}
    assert compare(firefox, _known_proofs()) == {"passed": 2 * len(RECORDS)}


def test_changed_verdicts_in_chromium(chromium: ChromiumEngine) -> None:
    """The page wants every member that the record has, too. Python compares these with its own judgement later."""
    cases = list(_statements())
    answers = chromium.call("judge", [case.json() for case in cases])
    more = 0
    for case, (outcome, what) in zip(cases, answers, strict=True):
        theirs = case.outcome()
        if outcome == "malformed" and theirs[0] == "passed":
            more += 1
        else:
            assert (outcome, what) == theirs, case.json()
    assert more < len(cases) // 4


def test_what_an_oracle_keeps_is_compared_with_the_record(chromium: ChromiumEngine) -> None:
    kept = _kept()
    batch = leaves_of([encode_record(kept.judgement.record, policy_id=7, parents=()), DATA[0]])
    leaf = batch.leaves[0]
    record = entry_json(kept.entry) | {"record_id": record_id(leaf.written).hex()}
    record |= {"verdict_digest": kept.digest.hex(), "batch": {"root": batch.root.hex(), "leaf": 0}}
    proof = json.dumps(proof_json(batch, leaf)).encode()
    documents = {"verdict": kept.statement, "envelope": _signed(kept.statement, ORACLE), "proof": proof}
    good = {"record": record, "kept": {name: base64.b64encode(data).decode() for name, data in documents.items()}}
    texts = ("name", "version", "policy_digest", "judged_at", "product_line", "record_id")
    changes = [
        *({name: "x"} for name in texts),
        *({name: "00" * 32} for name in ("model_digest", "manifest_digest", "report_digest", "verdict_digest")),
        {"grade": 2},
        {"passed_checks": []},
        {"reported_tcb": "00" * 8},
        {"batch": {"root": batch.root.hex(), "leaf": 1}},
        {"batch": {"root": "00" * 32, "leaf": 0}},
        {"signers": [{"address": STRANGER.address}]},
    ]
    bad = [good | {"record": record | change} for change in changes]
    stranger = base64.b64encode(_signed(kept.statement, STRANGER)).decode()
    bad.append(good | {"kept": good["kept"] | {"envelope": stranger}})
    other = base64.b64encode(json.dumps(proof_json(batch, batch.leaves[1])).encode()).decode()
    bad.append(good | {"kept": good["kept"] | {"proof": other}})
    unknown = good | {"record": record | {"signers": [{"address": None}]}}
    answers = chromium.call("kept", [good, unknown, good | {"kept": {}}, *bad])
    assert answers[:3] == [["passed", "3"], ["passed", "3"], ["passed", "0"]]
    assert answers[3:] == [["forged", "registry-record"]] * len(bad)
