"""The fields of a record, on their way to the chain and back."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chain_fixtures import make_record
from verifier.checks import Check
from verifier.errors import FormatError, UsageError, VerificationError
from verifier.record import (
    SIMULATED_CODE,
    Entry,
    Record,
    match_entry,
    name_of_product_line,
    parse_entry,
    product_line_code,
    product_line_name,
)
from verifier.snp.products import ProductLine, RootKind

MANIFEST = make_record().manifest_digest
ORACLE = "0x" + "ab" * 20
DIGEST = st.binary(min_size=32, max_size=32)


def _values(record: Record, **changes: Any) -> Any:
    stamps = {"release_digest": b"\x07" * 32, "oracle": ORACLE, "recorded_at": 1_760_000_000, "revoked_at": 0} | changes
    return (record.publish_arguments()[1], *stamps.values())


@given(
    model_digest=DIGEST,
    verdict_digest=DIGEST,
    report_digest=DIGEST,
    policy_digest=DIGEST,
    judged_at=st.integers(0, 253402300799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    reported_tcb=st.binary(min_size=8, max_size=8),
    checks=st.integers(0, 2**32 - 1),
    grade=st.integers(0, 2),
    product_line=st.integers(1, 255),
)
def test_every_field_comes_back_from_the_chain(**given_fields: Any) -> None:
    record = make_record(**given_fields)
    entry = parse_entry(MANIFEST, _values(record), "registry")
    shared = {field.name for field in fields(Record)} & {field.name for field in fields(Entry)}
    assert shared == {field.name for field in fields(Record)} - {"name", "version"}
    assert all(getattr(entry, name) == getattr(record, name) for name in shared)
    assert entry.oracle == bytes.fromhex(ORACLE[2:])
    assert entry.recorded_at == datetime.fromtimestamp(1_760_000_000, UTC)
    assert entry.revoked_at is None


def test_the_tcb_on_chain_is_amds_integer() -> None:
    # Milan: boot loader 4 in the lowest byte, SNP 0x18 and microcode 0xdb in the two highest.
    record = make_record(reported_tcb=bytes.fromhex("04000000000018db"))
    assert record.publish_arguments()[1][5] == 0xDB18000000000004


def test_a_revocation_has_its_time() -> None:
    entry = parse_entry(MANIFEST, _values(make_record(), revoked_at=1_760_000_001), "registry")
    assert entry.revoked_at == datetime.fromtimestamp(1_760_000_001, UTC)


def test_checks_are_named_by_their_bits() -> None:
    wanted = (Check.REPORT_FORMAT, Check.VEK_CHAIN)
    record = make_record(checks=sum(1 << check.bit for check in wanted) | 1 << 31)
    assert parse_entry(MANIFEST, _values(record), "registry").passed_checks == wanted


@pytest.mark.parametrize(
    "values",
    [
        _values(make_record(), recorded_at=0),
        _values(make_record(grade=3)),
        _values(make_record(), recorded_at=2**48 - 1),
        _values(make_record(), revoked_at=2**48 - 1),
        ((*make_record().publish_arguments()[1][:4], 2**64 - 1, 0, 1, 0, 1), b"\x07" * 32, ORACLE, 1, 0),
    ],
)
def test_refuses_values_that_the_contract_cannot_hold(values: Any) -> None:
    with pytest.raises(FormatError) as caught:
        parse_entry(MANIFEST, values, "registry")
    assert caught.value.check is Check.REGISTRY_RECORD
    assert caught.value.where == "registry"


def test_a_simulated_line_says_so_whatever_it_simulates() -> None:
    for line in ProductLine:
        assert product_line_code(line, RootKind.SIMULATOR) == SIMULATED_CODE
        assert product_line_name(line, RootKind.SIMULATOR) == "simulated" == name_of_product_line(SIMULATED_CODE)


def test_every_line_has_its_own_code_and_name() -> None:
    codes = {product_line_code(line, RootKind.AMD): line for line in ProductLine}
    assert codes == {1: ProductLine.MILAN, 2: ProductLine.GENOA, 3: ProductLine.TURIN}
    for code, line in codes.items():
        assert product_line_name(line, RootKind.AMD) == name_of_product_line(code) == str(line)
    assert name_of_product_line(4) == "line 4"


def test_evidence_under_an_unsafe_root_is_never_recorded() -> None:
    with pytest.raises(UsageError):
        product_line_code(ProductLine.MILAN, RootKind.UNSAFE)
    assert product_line_name(ProductLine.MILAN, RootKind.UNSAFE) == "unsafe-root"


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("manifest_digest", b"\xee" * 32),
        ("model_digest", b"\xee" * 32),
        ("report_digest", b"\xee" * 32),
        ("reported_tcb", b"\xee" * 8),
        ("product_line", SIMULATED_CODE),
    ],
)
def test_a_record_of_another_release_does_not_match(field: str, other: Any) -> None:
    record = make_record()
    entry = replace(parse_entry(MANIFEST, _values(record), "registry"), **{field: other})
    with pytest.raises(VerificationError, match=field) as caught:
        match_entry(record, entry)
    assert caught.value.check is Check.REGISTRY_RECORD


def test_another_judge_at_another_time_by_another_policy_matches() -> None:
    entry = parse_entry(MANIFEST, _values(make_record()), "registry")
    later = datetime(2026, 1, 1, tzinfo=UTC)
    match_entry(make_record(verdict_digest=b"\xee" * 32, policy_digest=b"\xee" * 32, judged_at=later, grade=0), entry)


def test_the_order_of_the_fields_is_the_contracts() -> None:
    source = Path(__file__).parents[2] / "contracts" / "IProvenanceRegistry.sol"
    struct = re.search(r"struct Record \{(.*?)\}", source.read_text(), re.DOTALL)
    assert struct
    in_solidity = re.findall(r"\s(\w+);", struct[1])
    in_python = [field.name for field in fields(Record)][1:-2]  # less manifest digest, name and version
    assert in_solidity == [re.sub("_(.)", lambda found: found[1].upper(), name) for name in in_python]
