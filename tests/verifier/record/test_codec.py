"""A record as bytes: one encoding, every other encoding refused, and the contract agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import HARDWARE_CHECKS, Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.codec import (
    PARENTS_MAX,
    decode_record,
    encode_record,
    facts_of,
    failure_id,
    namespace_id,
    record_id,
    release_id,
    revision_id,
)
from provenance_oracle.verifier.record.fields import Record, RecordFields
from provenance_oracle.verifier.record.standing import SIGNED_CODE, SIMULATED_CODE, UNBACKED_CODES
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record, make_signed

DIGEST = st.binary(min_size=32, max_size=32)
NAME = st.from_regex("[A-Za-z0-9._-]{1,40}", fullmatch=True)
PARENTS = (b"\x77" * 32, b"\x78" * 32)
RECORD = make_record(judged_at=datetime(2026, 6, 1, 12, tzinfo=UTC))
GOOD = encode_record(RECORD, policy_id=5, parents=PARENTS)
FACTS, TEXTS = 192, 224
HARDWARE_BITS = sum(1 << check.bit for check in HARDWARE_CHECKS)


@st.composite
def signed_records(draw: st.DrawFn) -> Record:
    return make_signed(
        publisher_identity=draw(DIGEST.filter(any)),
        checks=draw(st.integers(0, 2**32 - 1)) & ~HARDWARE_BITS,
        judged_at=datetime.fromtimestamp(draw(st.integers(0, 253402300799)), UTC),
        version=draw(NAME),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    passed = draw(st.booleans())
    line = draw(st.integers(1, 255))
    if passed and line == SIGNED_CODE:
        return draw(signed_records())
    return Record(
        **{name: draw(DIGEST) for name in [field.name for field in fields(RecordFields)][:6]},
        judged_at=datetime.fromtimestamp(draw(st.integers(0, 253402300799)), UTC),
        reported_tcb=draw(st.binary(min_size=8, max_size=8)),
        checks=draw(st.integers(0, 2**32 - 1)),
        grade=draw(st.integers(0, 2)) if passed and line not in UNBACKED_CODES else 0,
        product_line=line,
        passed=passed,
        revision=draw(st.integers(0, 2**16 - 1)) if passed else 0,
        name=f"{draw(NAME)}/{draw(NAME)}",
        version=draw(NAME),
        named_parents=(),
    )


@given(record=records(), policy_id=st.integers(1, 2**32 - 1), parents=st.lists(DIGEST, max_size=PARENTS_MAX))
def test_every_field_comes_back_and_so_do_the_bytes(record: Record, policy_id: int, parents: list[bytes]) -> None:
    parents = parents if record.passed else []
    data = encode_record(record, policy_id=policy_id, parents=tuple(parents))
    found = decode_record(data, "record")
    assert all(getattr(found, field.name) == getattr(record, field.name) for field in fields(RecordFields))
    assert (found.policy_id, found.parents) == (policy_id, tuple(parents))
    assert encode_record(found, policy_id=found.policy_id, parents=found.parents) == data


@given(data=st.one_of(st.binary(max_size=400), st.binary(min_size=220, max_size=230)))
def test_whatever_is_taken_is_written_the_same_way_again(data: bytes) -> None:
    try:
        found = decode_record(data, "record")
    except FormatError as error:
        assert error.check is Check.REGISTRY_RECORD
    else:
        assert encode_record(found, policy_id=found.policy_id, parents=found.parents) == data


@given(at=st.integers(0, len(GOOD) - 1), to=st.integers(0, 255))
def test_a_record_with_one_other_byte_is_another_record_or_none(at: int, to: int) -> None:
    data = GOOD[:at] + bytes((to,)) + GOOD[at + 1 :]
    try:
        found = decode_record(data, "record")
    except FormatError:
        assert data != GOOD
    else:
        assert (found == decode_record(GOOD, "record")) == (data == GOOD)


def test_the_tcb_on_chain_is_amds_integer() -> None:
    # Milan: boot loader 4 in the lowest byte, SNP 0x18 and microcode 0xdb in the two highest.
    assert make_record().reported_tcb == bytes.fromhex("04000000000018db")
    assert facts_of(GOOD) & (1 << 64) - 1 == 0xDB18000000000004


# Refused bytes


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_no_part_of_a_record_is_one(length: int) -> None:
    whole = {len(GOOD) - 32, len(GOOD) - 64}  # with a parent less
    if length in whole:
        assert len(decode_record(GOOD[:length], "cut").parents) < len(PARENTS)
        return
    with pytest.raises(FormatError) as caught:
        decode_record(GOOD[:length], "cut")
    assert (caught.value.check, caught.value.where) == (Check.REGISTRY_RECORD, "cut")


@pytest.mark.parametrize("more", [1, 31, 33])
def test_nothing_may_follow_a_record(more: int) -> None:
    with pytest.raises(FormatError):
        decode_record(GOOD + bytes(more), "record")


def _with_facts(facts: int) -> bytes:
    return GOOD[:FACTS] + facts.to_bytes(32, "big") + GOOD[TEXTS:]


@pytest.mark.parametrize("bit", range(97, 152))
def test_every_bit_that_says_nothing_must_be_zero(bit: int) -> None:
    with pytest.raises(FormatError, match="zeros where nothing is said"):
        decode_record(_with_facts(facts_of(GOOD) ^ 1 << bit), "record")


PASSED, POLICY_ID, REVISION, GRADE, LINE = 1 << 96, 192, 224, 240, 248
FACTS_GOOD = facts_of(GOOD)
WITHOUT_GRADE = FACTS_GOOD & ~(0xFF << GRADE)


@pytest.mark.parametrize(
    "facts",
    [
        FACTS_GOOD ^ 5 << POLICY_ID,  # policy 0
        WITHOUT_GRADE | 3 << GRADE,
        WITHOUT_GRADE | 0x81 << GRADE,
        FACTS_GOOD ^ PASSED,  # a FAILED verdict with a grade
        WITHOUT_GRADE ^ PASSED | 1 << REVISION,
        WITHOUT_GRADE ^ PASSED,  # one with parents
        FACTS_GOOD | SIMULATED_CODE << LINE,  # simulated, with a grade
        FACTS_GOOD | 0xFF_FFFF_FFFF << 152,  # judged after the year 9999
    ],
)
def test_facts_that_no_registry_takes_are_refused(facts: int) -> None:
    with pytest.raises(FormatError):
        decode_record(_with_facts(facts), "record")
    without_parents = 32 * len(PARENTS)
    decode_record(_with_facts(WITHOUT_GRADE ^ PASSED)[:-without_parents], "record")
    decode_record(_with_facts(WITHOUT_GRADE | SIMULATED_CODE << LINE), "record")


# Signed releases

SIGNED = encode_record(make_signed(), policy_id=5, parents=())


def test_a_signed_release_has_no_hardware_in_its_bytes() -> None:
    found = decode_record(SIGNED, "record")
    assert (found.product_line, found.grade, found.is_signed_only) == (254, 0, True)
    assert (found.snp_report_digest, found.reported_tcb) == (bytes(32), bytes(8))
    assert not HARDWARE_CHECKS & set(found.passed_checks)


@pytest.mark.parametrize(
    "change",
    [
        {"snp_report_digest": b"\x04" * 32},
        {"reported_tcb": b"\x01" + bytes(7)},
        {"grade": 1},
        {"publisher_identity": bytes(32)},
        *[{"checks": 1 << check.bit | 1 << Check.FILE_DIGESTS.bit} for check in sorted(HARDWARE_CHECKS)],
    ],
)
def test_a_signed_release_that_claims_hardware_is_neither_written_nor_read(change: dict[str, Any]) -> None:
    record = make_signed(**change)
    with pytest.raises(FormatError) as caught:
        encode_record(record, policy_id=5, parents=())
    assert caught.value.check is Check.REGISTRY_RECORD
    other = encode_record(replace(record, product_line=1), policy_id=5, parents=())
    data = other[:FACTS] + bytes((SIGNED_CODE,)) + other[FACTS + 1 :]
    with pytest.raises(FormatError):
        decode_record(data, "record")


def _with_texts(namespace: bytes, release: bytes) -> bytes:
    return GOOD[:TEXTS] + bytes((len(namespace),)) + namespace + bytes((len(release),)) + release


@pytest.mark.parametrize(
    ("namespace", "release"),
    [
        (b"", b"model@1"),
        (b"example", b""),
        (b"example", b"model"),
        (b"exam/ple", b"model@1"),
        (b"\xff", b"model@1"),
        (b"example", b"\xed\xa0\x80@1"),  # a lone surrogate
        (b"example", b"\xc0\x80@1"),  # an overlong zero
    ],
)
def test_names_that_lead_nowhere_are_refused(namespace: bytes, release: bytes) -> None:
    with pytest.raises(FormatError):
        decode_record(_with_texts(namespace, release), "record")
    assert decode_record(_with_texts(b"example", b"model@1"), "record").name == "example/model"


def test_a_text_that_says_it_is_longer_than_all_that_follows_is_refused() -> None:
    for position in (TEXTS, TEXTS + 8):
        with pytest.raises(FormatError):
            decode_record(GOOD[:position] + b"\xff" + GOOD[position + 1 :], "record")


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": bytes(31)},
        {"publisher_identity": b""},
        {"reported_tcb": bytes(9)},
        {"checks": 2**32},
        {"grade": 256},
        {"grade": -1},
        {"product_line": 256},
        {"revision": 2**16},
        {"judged_at": datetime(1969, 12, 31, tzinfo=UTC)},
        {"name": "example"},
        {"name": "/model"},
        {"name": "e" * 256 + "/model"},
        {"version": "1@2"},
        {"version": "1" * 250},
        {"version": "\udcff"},
    ],
)
def test_what_the_format_has_no_room_for_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        encode_record(make_record(**change), policy_id=1, parents=())
    assert caught.value.check is Check.REGISTRY_RECORD


@pytest.mark.parametrize(
    ("policy_id", "parents"), [(2**32, ()), (-1, ()), (1, (bytes(31),)), (1, tuple([bytes(32)] * (PARENTS_MAX + 1)))]
)
def test_neither_are_policies_and_parents(policy_id: int, parents: tuple[bytes, ...]) -> None:
    with pytest.raises(FormatError):
        encode_record(make_record(), policy_id=policy_id, parents=parents)


# With the contract

ISSUES: dict[str, Callable[[bytes], bytes]] = {
    "short": lambda data: data[:225],
    "cut": lambda data: data[:-1],
    "longer": lambda data: data + b"\x00",
    "reserved bit": lambda data: data[:205] + bytes((data[205] ^ 1,)) + data[206:],
    "namespace too long": lambda data: data[:TEXTS] + b"\xff" + data[TEXTS + 1 :],
    "release too long": lambda data: data[: TEXTS + 8] + b"\xff" + data[TEXTS + 9 :],
}


@pytest.mark.chain
@pytest.mark.parametrize("issue", ISSUES)
def test_the_contract_takes_no_other_bytes_either(registry: DeployedRegistry, issue: str) -> None:
    data = ISSUES[issue](registry.encode(make_record()))
    assert registry.refusal(registry.publishing(data)) == ("RecordMalformed", (len(data),))
    with pytest.raises(FormatError):
        decode_record(data, "record")


@pytest.mark.chain
def test_the_ids_are_the_contracts(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    for record in (make_record(), make_record(revision=1), make_record(revision=513), make_failure()):
        assert functions.idOf(registry.encode(record)).call() == record_id(record)
    record = make_record()
    release = release_id(record.model_digest, record.manifest_digest)
    assert functions.recordIdOf(record.model_digest, record.manifest_digest).call() == release
    assert revision_id(release, 0) == release != revision_id(release, 1) != revision_id(release, 2)
    assert record_id(make_failure()) == failure_id(record.model_digest, record.manifest_digest, record.verdict_digest)


@pytest.mark.chain
def test_the_contract_keeps_the_digest_of_these_bytes(registry: DeployedRegistry) -> None:
    from eth_hash.auto import keccak

    record = make_record(name="exämple/model", version="1.0+β")
    registry.publish(record)
    assert registry.contract.functions.contentOf(record_id(record)).call() == keccak(registry.encode(record))
    assert namespace_id("exämple") == keccak("exämple".encode())


def test_changing_anything_changes_the_bytes() -> None:
    for field in fields(RecordFields):
        value = getattr(RECORD, field.name)
        if isinstance(value, bytes):
            other: Any = bytes(len(value))
        else:
            other = {"judged_at": datetime(2025, 1, 1, tzinfo=UTC), "passed": False, "name": "a/b", "version": "2"}.get(
                field.name, 0 if value else 1
            )
        changed = encode_record(replace(RECORD, **{field.name: other}), policy_id=5, parents=PARENTS)
        assert changed != GOOD, field.name
