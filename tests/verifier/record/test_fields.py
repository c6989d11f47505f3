"""The fields of a record, the additions of an entry, and the comparison of the two."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.fields import (
    Entry,
    NamedParent,
    Record,
    RecordFields,
    RecordSigner,
    WrittenRecord,
    match_entry,
    product_line_code,
    product_line_from_code,
    product_line_label,
    workload_identity,
)
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.snp.products import ProductLine, RootKind
from tests.support.chain_fixtures import JUDGED_AT, change_entry, make_entry, make_failure, make_record, make_signed
from tests.support.whole_releases import AT, lay_out, sign_again, statement_of

MEASUREMENT = bytes(range(48))


def test_every_form_of_a_record_says_the_same() -> None:
    shared = {field.name for field in fields(RecordFields)}
    own = [{field.name for field in fields(form)} - shared for form in (Record, WrittenRecord, Entry)]
    assert own[0] == {"named_parents"}
    assert own[1] == {"policy_id", "parents"}
    assert own[2] == own[1] | {"record_id", "standing", "threshold", "signers", "model_revoked_at", "batch"}


def test_checks_are_named_by_their_bits() -> None:
    wanted = (Check.REPORT_FORMAT, Check.VEK_CHAIN)
    assert make_record(checks=sum(1 << check.bit for check in wanted) | 1 << 31).passed_checks == wanted


# The publisher and the parents


def test_a_workload_is_known_by_its_measurement() -> None:
    text = f"provenance-identity-v1\nsnp-measurement {MEASUREMENT.hex()}\n"
    assert workload_identity(MEASUREMENT) == hashlib.sha256(text.encode()).digest()


def test_a_simulated_measurement_is_never_that_of_a_chip() -> None:
    assert workload_identity(MEASUREMENT, simulated=True) != workload_identity(MEASUREMENT)


def test_the_record_of_a_release_names_its_publisher_and_its_base_models(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "release")
    statement = statement_of(folder)
    models = [bytes([number]) * 32 for number in (7, 9, 7)]
    statement["predicate"]["buildDefinition"]["resolvedDependencies"] = [
        {"name": "data", "digest": {"sha256": "05" * 32}, "annotations": {"role": "dataset"}},
        *(
            {
                "name": f"base {number}",
                "digest": {"sha256": "06" * 32, "provenance_model_v1": model.hex()} | manifest,
                "annotations": {"role": "base-model"},
            }
            for manifest in ({}, {"provenance_manifest_v1": "0a" * 32})
            for number, model in enumerate(models)
        ),
    ]
    sign_again(folder, statement)
    found = judge(read_release(folder), load_policy("demo"), at=AT)
    assert found.record.named_parents == (
        *(NamedParent(model) for model in models[:2]),
        *(NamedParent(model, b"\x0a" * 32) for model in models[:2]),
    )
    measurement = found.result.claims.report.measurement
    assert found.record.publisher_identity == workload_identity(measurement, simulated=True)
    assert (found.record.passed, found.record.revision) == (True, 0)


# Product lines


def test_a_simulated_line_says_so_whatever_it_simulates() -> None:
    for line in ProductLine:
        assert product_line_code(line, RootKind.SIMULATOR) == SIMULATED_CODE
        assert product_line_label(line, RootKind.SIMULATOR) == "simulated" == product_line_from_code(SIMULATED_CODE)


def test_a_signed_release_has_a_line_of_its_own_and_nothing_of_hardware() -> None:
    record = make_signed()
    assert (record.product_line, record.grade, record.is_signed_only) == (254, 0, True)
    assert product_line_from_code(record.product_line) == "no confidential hardware"
    assert (record.snp_report_digest, record.reported_tcb, record.named_parents) == (bytes(32), bytes(8), ())
    assert not make_record().is_signed_only


def test_every_line_has_its_own_code_and_name() -> None:
    codes = {product_line_code(line, RootKind.AMD): line for line in ProductLine}
    assert codes == {1: ProductLine.MILAN, 2: ProductLine.GENOA, 3: ProductLine.TURIN}
    for code, line in codes.items():
        assert product_line_label(line, RootKind.AMD) == product_line_from_code(code) == str(line)
    assert product_line_from_code(4) == "line 4"


def test_evidence_under_an_unsafe_root_is_never_recorded() -> None:
    with pytest.raises(UsageError):
        product_line_code(ProductLine.MILAN, RootKind.UNSAFE)
    assert product_line_label(ProductLine.MILAN, RootKind.UNSAFE) == "unsafe-root"


# Entries


def test_an_entry_is_open_unless_something_shuts_it() -> None:
    assert make_entry().closure is None
    shut = {
        Closure.FAILED: make_entry(make_failure()),
        Closure.REVOKED: make_entry(revoked_at=JUDGED_AT),
        Closure.HELD: make_entry(held=True),
        Closure.DOUBTFUL: make_entry(doubtful=True),
        Closure.SUPERSEDED: make_entry(revisions=1),
    }
    assert {closure: entry.closure for closure, entry in shut.items()} == {closure: closure for closure in Closure}


def test_of_several_reasons_the_first_counts() -> None:
    revoked, held = {"revoked_at": JUDGED_AT, "held": True}, {"held": True, "doubtful": True, "revisions": 1}
    assert make_entry(make_failure(), **revoked).closure is Closure.FAILED
    assert make_entry(**revoked, doubtful=True).closure is Closure.REVOKED
    assert make_entry(**held).closure is Closure.HELD
    assert make_entry(doubtful=True, revisions=1).closure is Closure.DOUBTFUL


def test_every_reason_has_a_sentence() -> None:
    assert {closure: closure.explanation for closure in Closure} == {
        Closure.FAILED: "the verdict is FAILED",
        Closure.REVOKED: "the record was revoked",
        Closure.HELD: "the record is held: its namespace does not trust the publisher",
        Closure.DOUBTFUL: "the record is doubtful: oracle keys that signed it were revoked",
        Closure.SUPERSEDED: "the record was superseded",
    }


def test_a_revocation_that_was_announced_shuts_it_already() -> None:
    assert make_entry(revoked_at=datetime.max.replace(tzinfo=UTC)).closure is Closure.REVOKED


@pytest.mark.parametrize(("counting", "is_doubtful"), [((0, 1, 2), False), ((1, 2), False), ((0, 1), True), ((), True)])
def test_keys_revoked_since_make_it_doubtful_though_nobody_recounted(
    counting: tuple[int, ...], is_doubtful: bool
) -> None:
    signers = tuple(RecordSigner(index, bytes(20), index + 1, index in counting) for index in range(3))
    entry = make_entry(signers=signers, threshold=4, weight=6)
    assert entry.weight == sum(index + 1 for index in counting)
    assert entry.is_doubtful is is_doubtful
    assert (entry.closure is Closure.DOUBTFUL) is is_doubtful


@pytest.mark.parametrize(
    ("lag", "believed"),
    [
        (timedelta(days=7), True),
        (timedelta(days=7, seconds=1), False),
        (-timedelta(minutes=5), True),
        (-timedelta(minutes=5, seconds=1), False),
    ],
)
def test_the_moment_of_judgement_counts_as_far_as_the_block_bears_it_out(lag: timedelta, believed: bool) -> None:
    entry = make_entry(recorded_at=JUDGED_AT + lag)
    assert entry.judged_as_of == (JUDGED_AT if believed else JUDGED_AT + lag)


# Matching


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("manifest_digest", b"\xee" * 32),
        ("model_digest", b"\xee" * 32),
        ("snp_report_digest", b"\xee" * 32),
        ("reported_tcb", b"\xee" * 8),
        ("product_line", SIMULATED_CODE),
        ("name", "example/other"),
        ("version", "9"),
    ],
)
def test_a_record_of_another_release_does_not_match(field: str, other: Any) -> None:
    with pytest.raises(VerificationError, match=field) as caught:
        match_entry(make_record(), change_entry(make_entry(), **{field: other}))
    assert caught.value.check is Check.REGISTRY_RECORD


def test_another_judge_at_another_time_by_another_policy_matches() -> None:
    later = datetime(2026, 1, 1, tzinfo=UTC)
    own = replace(
        make_record(), verdict_digest=b"\xee" * 32, policy_digest=b"\xee" * 32, judged_at=later, grade=0, revision=3
    )
    match_entry(own, make_entry())
