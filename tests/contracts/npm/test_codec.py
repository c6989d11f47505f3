"""The package agrees with Python on records, standings, hashes, deployments and typed data, in both directions."""

from __future__ import annotations

import json
import random

import pytest

from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.codec import decode_record, encode_record, namespace_id, release_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.signing import batch_digest, claim_digest, publication_digest
from provenance_oracle.verifier.record.standing import unpack_standing
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from tests.contracts.npm.project import Project, hex_of, record_in_typescript, standing_in_typescript
from tests.support.chain_fixtures import make_failure, make_record


def _records() -> list[bytes]:
    """Return records of all kinds, with numbers at the limits of their ranges."""
    largest = {"checks": 2**32 - 1, "grade": 2, "product_line": 253, "reported_tcb": b"\xff" * 8}
    written = [
        (make_record(), 1, ()),
        (make_record(**largest), 2**32 - 1, (b"\x0a" * 32,)),
        (make_record(revision=2**16 - 1, publisher_identity=bytes(32), name="ä/€😀"), 7, (b"\x0a" * 32,) * 8),
        (make_failure(model_digest=bytes(32), snp_report_digest=bytes(32), product_line=0, checks=0), 1, ()),
        (make_record(name=f"{'n' * 255}/{'m' * 200}", version="v" * 54, product_line=255, grade=0), 1, ()),
    ]
    return [encode_record(record, policy_id=policy, parents=parents) for record, policy, parents in written]


def test_keccak(project: Project) -> None:
    data = [random.Random(length).randbytes(length) for length in (*range(4), 135, 136, 137, 271, 272, 273, 1000)]
    hashed = project.call(*(("keccak256", hex_of(one)) for one in data))
    assert hashed == [hex_of(keccak256(one)) for one in data]
    named, record_id = project.call(
        ("nameDigest", "ä€😀"), ("recordIdOf", hex_of(data[-1][:32]), hex_of(data[-1][32:64]))
    )
    assert named == hex_of(namespace_id("ä€😀"))
    assert record_id == hex_of(release_id(data[-1][:32], data[-1][32:64]))


def test_records_are_taken_apart_and_put_together(project: Project) -> None:
    records = _records()
    decoded = project.call(*(("decodeRecord", hex_of(data)) for data in records))
    assert decoded == [record_in_typescript(data) for data in records]
    assert project.call(*(("encodeRecord", one) for one in decoded)) == [hex_of(data) for data in records]
    assert project.call(("decodeRecord", "0x" + records[0].hex().upper())) == decoded[:1]


def test_what_is_no_record_is_refused(project: Project) -> None:
    good, texts = _records()[2], 224
    zeros = ((205, 0x80), (208, 0x10), (211, 0x02))  # of the bits that must be zero: the highest, one other, the lowest
    bad = [
        b"",
        good[:225],
        good[:-1],
        good + b"\x00",
        good[:texts] + b"\xff" + good[texts + 1 :],
        good[: texts + 1] + b"\xff" + good[texts + 2 :],  # not UTF-8
        *(good[:at] + bytes((good[at] ^ bit,)) + good[at + 1 :] for at, bit in zeros),
    ]
    for data in bad:
        with pytest.raises(FormatError):
            decode_record(data, "here")
    texts_of_bad = [*map(hex_of, bad), hex_of(good)[:-1], hex_of(good)[2:], hex_of(good) + "zz"]
    results = project.call(*(("decodeRecord", text) for text in texts_of_bad))
    assert [result.get("error") for result in results] == ["FormatError"] * len(texts_of_bad)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modelDigest", "0x" + "00" * 31),
        ("modelDigest", None),
        ("parents", ["0x" + "00" * 33]),
        ("checks", 2**32),
        ("judgedAt", -1),
        ("grade", 1.5),
        ("policyId", 2**60),
        ("reportedTcb", f"{2**64}n"),
        ("namespace", "n" * 256),
        ("release", "half \ud800"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(project: Project, field: str, value: object) -> None:
    record = record_in_typescript(_records()[0])
    (result,) = project.call(("encodeRecord", record | {field: value}))
    assert result["error"] == "FormatError"
    assert result["message"].startswith(f"{field}: ")


def test_standings_are_unpacked(project: Project) -> None:
    chance = random.Random(4)
    words = []
    for _ in range(20):
        times, signed = chance.getrandbits(37) << 152 | chance.getrandbits(37) << 112, chance.getrandbits(64) << 40
        rest = chance.randrange(4) << 248 | chance.randrange(3) << 240 | chance.getrandbits(48) << 192
        words.append(rest | times | chance.getrandbits(4) << 104 | signed | chance.getrandbits(37) | 1)
    unpacked = project.call(*(("unpackStanding", f"{word}n") for word in words))
    assert unpacked == [standing_in_typescript(unpack_standing(word, "here")) for word in words]


def test_a_deployment_file_is_read_and_nothing_else(project: Project) -> None:
    deployment = Deployment(10, b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20, 123, b"\x0d" * 32, b"\x0e" * 32)
    file = json.loads(encode_deployment(deployment))
    wrong = ({"chain_id": "10"}, {"block": -1}, {"registry": "0x0a"}, {"lineage": None}, {"code_hash": "0e" * 32})
    good, *bad = project.call(("parseDeployment", file), *(("parseDeployment", file | one) for one in wrong))
    assert good == {
        "chainId": 10,
        "registry": "0x" + "0a" * 20,
        "namespaces": "0x" + "0b" * 20,
        "lineage": "0x" + "0c" * 20,
        "block": 123,
        "transaction": "0x" + "0d" * 32,
        "codeHash": "0x" + "0e" * 32,
    }
    bad += project.call(("parseDeployment", None))
    assert [result["error"] for result in bad] == ["FormatError"] * 6
    named = ("chain_id", "block", "registry", "lineage", "code_hash", "chain_id")
    assert [result["message"].partition(": ")[0] for result in bad] == list(named)


def test_the_digests_of_a_release_are_named_where_they_are_wrong(project: Project) -> None:
    good, short = "0x" + "00" * 32, "0x0000"
    results = project.call(("recordIdOf", short, good), ("recordIdOf", good, short))
    assert [result["message"] for result in results] == [
        f"{name}: 2 bytes, not 32" for name in ("modelDigest", "manifestDigest")
    ]


def test_viem_signs_with_its_typed_data_what_python_signs(project: Project) -> None:
    place = {"chainId": 10, "registry": "0x" + "0a" * 20, "namespaces": "0x" + "0b" * 20}
    record, root, owner = _records()[0], b"\x01" * 32, b"\x02" * 20
    report = {"epoch": 1, "record": hex_of(record)}
    batch = {"epoch": 2, "root": hex_of(root), "count": 3, "sealedAt": 4, "uri": "https://example.org"}
    claim = {"namespace": "example", "owner": hex_of(owner), "identityLimit": 2, "identities": [hex_of(root)]}
    digests = project.call(
        ("digest", "reportTypes", "registryDomain", place, report),
        ("digest", "batchTypes", "registryDomain", place, batch),
        ("digest", "claimTypes", "namespacesDomain", place, claim | {"nonce": "5n", "deadline": 6}),
    )
    registry, namespaces = (10, b"\x0a" * 20), (10, b"\x0b" * 20)
    claimed = {"identity_limit": 2, "identities": (root,), "nonce": 5, "deadline": 6}
    signed = [
        publication_digest(*registry, 1, record),
        batch_digest(*registry, 2, root, count=3, sealed_at=4, uri="https://example.org"),
        claim_digest(*namespaces, "example", owner, **claimed),
    ]
    assert digests == [hex_of(digest) for digest in signed]
