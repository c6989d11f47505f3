"""Tests of judgements that are repeated from a record: what was altered is refused, and each change has its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.errors import (
    AppraisalError,
    CrlStaleError,
    FormatError,
    ProvenanceError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.judge_signed import judge_signed
from provenance_oracle.verifier.judgement.kept_evidence import POLICY_NAME
from provenance_oracle.verifier.judgement.part import PartJudgement
from provenance_oracle.verifier.judgement.rejudge import KeptFiles, Recorded, judge_recorded
from provenance_oracle.verifier.judgement.rejudge_today import Today, judge_today
from provenance_oracle.verifier.judgement.release import BUNDLE_PATH, CRL_PATH, KEY_PATH, REPORT_PATH, read_release
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH, FoundName, read_signed_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.policy import Policy, load_policy, parse_policy
from provenance_oracle.verifier.record.fields import RecordSigner
from provenance_oracle.verifier.strict.release_files import FolderFiles
from provenance_oracle.verifier.strict.tar import tar_of
from tests.support.chain_fixtures import make_entry
from tests.support.kept_verdicts import DEMO, STRANGER, Kept, keep, keep_judgement, raised_floor
from tests.support.model_signatures import statement_over
from tests.support.signed_releases import BY_CERTIFICATE, PUBLISHERS, lay_out_signed
from tests.support.whole_releases import AT, FILES, guest, lay_out

MINE = parse_policy(DEMO.page.replace(b"name: demo", b"name: mine"), "mine.yaml")
LATER = AT + timedelta(days=700)  # the list in the release is valid for a year


@pytest.fixture
def oracle(tmp_path: Path) -> Kept:
    return keep(tmp_path / "release")


def recorded(oracle: Kept, **changes: Any) -> Recorded:
    return judge_recorded(replace(oracle.entry, **changes), oracle.kept(), DEMO)


def today(oracle: Kept, policy: Policy = DEMO, **options: Any) -> Today:
    options = {"at": AT, "now": AT} | options
    return judge_today(recorded(oracle), policy, **options)


def refused(oracle: Kept, kept: KeptFiles | None = None) -> ProvenanceError:
    with pytest.raises(ProvenanceError) as caught:
        judge_recorded(oracle.entry, kept or oracle.kept(), DEMO)
    return caught.value


def test_the_recorded_judgement_is_repeated_bit_for_bit_without_the_model(oracle: Kept) -> None:
    found = recorded(oracle)
    assert found.is_reproduced
    assert found.wording == ()
    assert [address.hex() for address in found.signers] == [oracle.entry.signers[0].address.hex()]  # type: ignore[union-attr]
    assert found.policy.digest == DEMO.digest


def test_the_same_moment_and_policy_change_nothing(oracle: Kept) -> None:
    found = today(oracle)
    assert found.refusal is None
    assert found.changes == ()
    assert isinstance(found.judgement, PartJudgement)
    assert found.judgement.unchecked == tuple(sorted(file.path for file in oracle.judgement.files.files))
    told = {one.check: one for one in found.findings}
    assert told[Check.FILE_DIGESTS].outcome is Outcome.NOT_CHECKED
    assert told[Check.FILE_DIGESTS].got == "not repeated: the files were not given"


def test_the_files_are_hashed_if_they_are_given(oracle: Kept) -> None:
    assert today(oracle, files=FolderFiles(oracle.folder)).changes == ()
    (oracle.folder / "config.json").write_bytes(b"[]\n")
    found = today(oracle, files=FolderFiles(oracle.folder))
    assert isinstance(found.refusal, VerificationError)
    assert [change.check for change in found.changes if change.is_decisive] == [Check.FILE_DIGESTS]


def test_a_floor_that_was_raised_is_the_check_that_changed(oracle: Kept) -> None:
    found = today(oracle, raised_floor())
    assert isinstance(found.refusal, AppraisalError)
    (change,) = (change for change in found.changes if change.is_decisive)
    assert change.check is Check.TCB_FLOOR
    assert change.then is not None and change.now is not None
    assert (change.then.outcome, change.now.outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert "255" in change.now.wanted
    assert "255" not in change.then.wanted


def test_a_list_that_expired_is_the_check_that_changed_and_a_current_one_mends_it(oracle: Kept) -> None:
    found = today(oracle, at=LATER, now=LATER)
    assert isinstance(found.refusal, CrlStaleError)
    assert [change.check for change in found.changes if change.is_decisive] == [Check.VEK_REVOCATION]
    mended = today(oracle, at=LATER, now=LATER, crl=guest().amd.current_crl(LATER))
    assert mended.refusal is None
    assert not any(change.is_decisive for change in mended.changes)
    assert Check.VEK_VALIDITY in [change.check for change in mended.changes], "another date, the same outcome"


class _Amd:
    def fetch(self, url: str) -> bytes:
        return guest().amd.current_crl(LATER)


def test_a_current_list_is_fetched_if_the_user_allows_it(oracle: Kept) -> None:
    assert today(oracle, at=LATER, now=LATER, fetcher=_Amd()).refusal is None


def test_evidence_without_the_policy_is_repeated_with_one_of_its_digest(oracle: Kept) -> None:
    page = oracle.files.pop(POLICY_NAME)
    assert recorded(oracle).is_reproduced, "it ships with the project"
    assert page == DEMO.page


def test_a_policy_that_is_nowhere_is_asked_for(tmp_path: Path) -> None:
    oracle = keep(tmp_path / "release", MINE)
    assert judge_recorded(oracle.entry, oracle.kept(), load_policy("baseline")).is_reproduced, "it is in the archive"
    del oracle.files[POLICY_NAME]
    assert judge_recorded(oracle.entry, oracle.kept(), MINE).is_reproduced
    assert isinstance(refused(oracle), UsageError)


def _flip(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


TAMPERING: dict[str, tuple[Callable[[KeptFiles, Kept], KeptFiles], type[ProvenanceError], str]] = {
    "verdict byte": (
        lambda kept, _: replace(kept, statement=_flip(kept.statement, 40)),
        VerificationError,
        "not that of the record",
    ),
    "another verdict": (lambda kept, _: replace(kept, statement=b"{}"), VerificationError, "not that of the record"),
    "envelope byte": (
        lambda kept, _: replace(kept, envelope=_flip(kept.envelope or b"", 40)),
        VerificationError,
        "signature of the verdict",
    ),
    "no envelope": (lambda kept, _: replace(kept, envelope=b"{}"), FormatError, "missing"),
    "archive byte": (lambda kept, _: replace(kept, archive=_flip(kept.archive)), FormatError, "cannot be read"),
    "no archive": (lambda kept, _: replace(kept, archive=b""), FormatError, "cannot be read"),
}


@pytest.mark.parametrize("case", TAMPERING)
def test_what_was_altered_on_the_way_is_refused(oracle: Kept, case: str) -> None:
    alter, error, words = TAMPERING[case]
    found = refused(oracle, alter(oracle.kept(), oracle))
    assert type(found) is error
    assert words in str(found)


@pytest.mark.parametrize("name", [KEY_PATH, REPORT_PATH, CRL_PATH])
@pytest.mark.parametrize("how", ["altered", "missing"])
def test_each_file_of_the_evidence_is_the_one_that_the_verdict_names(oracle: Kept, name: str, how: str) -> None:
    if how == "altered":
        oracle.files[name] = _flip(oracle.files[name])
    else:
        del oracle.files[name]
    found = refused(oracle)
    assert type(found) is VerificationError
    assert name in found.where


def test_a_file_that_the_verdict_does_not_name_is_refused(oracle: Kept) -> None:
    oracle.files["provenance/extra"] = b""
    found = refused(oracle)
    assert (type(found), found.wanted) == (VerificationError, "no such file")


def test_another_policy_than_the_verdict_s_is_refused(oracle: Kept) -> None:
    oracle.files[POLICY_NAME] = load_policy("unsafe-any").page
    assert "not that of the verdict" in str(refused(oracle))


def test_a_verdict_that_another_key_signed_is_refused(oracle: Kept) -> None:
    oracle.signer = STRANGER
    found = refused(oracle)
    assert type(found) is VerificationError
    assert STRANGER.address in found.got


def test_a_verdict_without_a_signature_still_has_the_digest_of_the_record(oracle: Kept) -> None:
    oracle.signer = None
    assert recorded(oracle).signers == ()


def test_an_envelope_around_another_verdict_is_refused(oracle: Kept, tmp_path: Path) -> None:
    other = keep(tmp_path / "other", MINE)
    assert "another verdict" in str(refused(oracle, replace(oracle.kept(), envelope=other.envelope)))


def test_a_key_that_a_rofl_app_replaced_cannot_be_compared(oracle: Kept) -> None:
    oracle.signer = STRANGER
    assert recorded(oracle, signers=(RecordSigner(0, None, 1, True),)).signers != ()


def _of(check: Check, statement: Any) -> Any:
    (found,) = (one for one in statement["predicate"][EXTENSION]["findings"] if one["check"] == check)
    return found


LIES: dict[str, Callable[[Any], object]] = {
    "a grade": lambda one: one["predicate"][EXTENSION].update(grade=2),
    "another TCB": lambda one: one["predicate"][EXTENSION].update(reportedTcb="ff" * 8),
    "a check that was not made": lambda one: _of(Check.PUBLISHER_IDENTITY, one).update(outcome="passed"),
    "a level": lambda one: one["predicate"]["verifiedLevels"].append("PROVENANCE_ORACLE_LINEAGE"),
    "another name": lambda one: one["subject"][0].update(name="other/model"),
    "another resource": lambda one: one["predicate"].update(resourceUri="other/model@1.0"),
    "another moment": lambda one: one["predicate"].update(timeVerified="2036-11-21T12:00:00Z"),
    "a member": lambda one: one["predicate"].update(more=1),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_verdict_is_not_believed_although_an_oracle_recorded_it(oracle: Kept, lie: str) -> None:
    oracle.restate(LIES[lie])
    found = refused(oracle)
    assert type(found) is VerificationError
    assert "not borne out by its evidence" in str(found)


def test_a_verdict_that_its_own_policy_refuses_is_not_believed(oracle: Kept) -> None:
    strict = load_policy("strict")

    def claim(statement: Any) -> None:
        uri = f"tag:provenance-oracle,2026:policy/{strict.name}/{strict.date.isoformat()}"
        statement["predicate"]["policy"] = {"uri": uri, "digest": {"sha256": strict.digest.hex()}}

    oracle.restate(claim)
    oracle.files[POLICY_NAME] = strict.page
    found = refused(oracle)
    assert type(found) is VerificationError
    assert "not borne out" in str(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"grade": 2},
        {"checks": 1},
        {"judged_at": AT + timedelta(seconds=1)},
        {"policy_digest": bytes(32)},
        {"publisher_identity": bytes(32)},
        {"snp_report_digest": bytes(32)},
        {"model_digest": bytes(32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_record_that_says_otherwise_than_its_verdict_is_refused(oracle: Kept, changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match=next(iter(changes))):
        recorded(oracle, **changes)


def test_another_version_may_have_other_words_and_grades(oracle: Kept) -> None:
    def older(statement: Any) -> None:
        statement["predicate"]["verifier"]["version"]["provenance-oracle"] = "0.0.1"
        statement["predicate"][EXTENSION]["findings"] = [
            one for one in statement["predicate"][EXTENSION]["findings"] if one["check"] != Check.LINEAGE
        ]
        _of(Check.VEK_CHAIN, statement)["wanted"] = "in other words"
        statement["predicate"][EXTENSION]["grade"] = 1

    oracle.restate(older)
    found = recorded(oracle, grade=1)
    assert not found.is_reproduced
    assert [change.check for change in found.wording] == [Check.VEK_CHAIN, Check.LINEAGE]

    def worse(statement: Any) -> None:
        _of(Check.VMPL, statement)["outcome"] = "not-checked"

    oracle.restate(worse)
    assert "not borne out" in str(refused(oracle))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["predicate"].pop("inputAttestations"),
        lambda one: one["predicate"]["inputAttestations"].append(one["predicate"]["inputAttestations"][0]),
        lambda one: one["predicate"].update(verificationResult="FAILED"),
        lambda one: one["predicate"].update(timeVerified="yesterday"),
        lambda one: one["predicate"].update(verifiedLevels="all"),
        lambda one: one["predicate"].update(policy=[]),
        lambda one: one["predicate"][EXTENSION]["findings"][0].update(check="unknown"),
        lambda one: one["predicate"][EXTENSION]["findings"][0].pop("got"),
        lambda one: one.pop("predicate"),
    ],
)
def test_a_malformed_verdict_is_a_format_error(oracle: Kept, change: Callable[[Any], object]) -> None:
    oracle.restate(change)
    assert type(refused(oracle)) is FormatError


def test_a_list_that_the_oracle_fetched_is_judged_again_for_its_moment(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "release")
    (folder / CRL_PATH).unlink()
    judgement = judge(read_release(folder), DEMO, at=AT, fetcher=_Amd(), now=LATER)
    files = {**judgement.release.provenance, POLICY_NAME: DEMO.page}
    oracle = Kept(folder, judgement, judgement.verdict.statement, files)
    assert recorded(oracle).is_reproduced
    assert today(oracle, at=LATER, now=LATER).refusal is None, "it is current then"
    long_after = LATER + timedelta(days=700)
    assert isinstance(today(oracle, at=long_after, now=long_after).refusal, CrlStaleError)


def test_every_flipped_byte_of_the_evidence_is_noticed(oracle: Kept) -> None:
    archive = tar_of(oracle.files)
    for place in range(0, len(archive), 997):
        found = refused(oracle, replace(oracle.kept(), archive=_flip(archive, place)))
        assert isinstance(found, FormatError | VerificationError), place


def test_the_statement_is_the_one_of_the_judgement(oracle: Kept) -> None:
    oracle.restate(lambda _: None)
    assert json.loads(oracle.statement) == json.loads(oracle.judgement.verdict.statement)
    assert oracle.statement == oracle.judgement.verdict.statement


@pytest.mark.parametrize("name", PUBLISHERS)
def test_a_publisher_s_signature_is_judged_again(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    folder = lay_out_signed(tmp_path / "release", publisher)
    oracle = keep_judgement(folder, DEMO, AT, publisher.root)
    found = judge_recorded(oracle.entry, oracle.kept(), DEMO, sigstore_root=publisher.root)
    assert found.is_reproduced
    options: dict[str, Any] = {"at": AT, "now": AT, "sigstore_root": publisher.root}
    alone = judge_today(found, DEMO, **options)
    assert (alone.refusal, alone.changes) == (None, ())
    told = {one.check: one for one in alone.findings}
    assert told[Check.PUBLISHER_SIGNATURE].got == "not repeated: the files were not given"
    assert told[Check.PUBLISHER_IDENTITY].outcome is Outcome.PASSED
    with_files = judge_today(found, DEMO, files=FolderFiles(folder), **options)
    assert (with_files.refusal, with_files.changes) == (None, ())


@pytest.mark.parametrize("name", [name for name, one in PUBLISHERS.items() if one.root is not None])
def test_another_root_of_sigstore_than_the_oracle_s_repeats_nothing(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    folder = lay_out_signed(tmp_path / "release", publisher)
    oracle = keep_judgement(folder, DEMO, AT, publisher.root)
    found = refused(oracle)
    assert (type(found), found.where) == (UsageError, "--sigstore-root")


def test_a_signature_that_was_taken_out_of_the_archive_is_missed(tmp_path: Path) -> None:
    oracle = keep_judgement(lay_out_signed(tmp_path / "release"), DEMO, AT)
    assert recorded(oracle).is_reproduced
    del oracle.files[BUNDLE_PATH]
    assert BUNDLE_PATH in refused(oracle).where


def test_a_release_with_only_a_signature_needs_its_files(tmp_path: Path) -> None:
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / SIGNED_BUNDLE_PATH).write_text(json.dumps(BY_CERTIFICATE.bundle(statement_over(FILES))))
    release, policy = read_signed_release(tmp_path, FoundName("acme/model", "0f" * 20)), load_policy("signed")
    judgement = judge_signed(release, policy, at=AT)
    kept = KeptFiles(judgement.verdict.statement, archive(release, policy), None, "kept")
    with pytest.raises(UsageError, match="provenance check RELEASE --policy signed --at 2026-11-21T12:00:00Z"):
        judge_recorded(make_entry(judgement.record), kept, policy)
    with pytest.raises(VerificationError):
        judge_recorded(make_entry(judgement.record), replace(kept, archive=tar_of({})), policy)


def test_evidence_that_lacks_what_no_release_lacks_is_not_believed(oracle: Kept) -> None:
    oracle.restate(
        lambda one: one["predicate"].update(
            inputAttestations=[item for item in one["predicate"]["inputAttestations"] if item["uri"] != MANIFEST_PATH]
        )
    )
    del oracle.files[MANIFEST_PATH]
    found = refused(oracle)
    assert type(found) is VerificationError
    assert "not borne out" in str(found)
