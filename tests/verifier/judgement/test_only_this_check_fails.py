"""For each check, a release in which only that check fails, judged as a user's `check` judges it.

`failing_checks` runs every step, even after a failure: it then continues with the result that this step had for the
good release. `snp/test_only_this_check_fails.py` has more cases for the cryptography of reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of, sign_statement
from provenance_oracle.publisher.simulator.report import encode_tcb
from provenance_oracle.verifier.checks import OPTIONAL_CHECKS, Check, Outcome
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set
from provenance_oracle.verifier.errors import AppraisalError, ProvenanceError
from provenance_oracle.verifier.judgement.binding import bound_report_data, verify_key_binding
from provenance_oracle.verifier.judgement.confirm import confirm
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import KEY_PATH, Release, read_release
from provenance_oracle.verifier.judgement.snp_claims import check_claims
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.manifest.statement import match_report, parse_statement
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Entry, Record, match_entry
from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.snp.signature import match_vek_to_report, verify_report_signature
from provenance_oracle.verifier.snp.tcb import Tcb
from provenance_oracle.verifier.strict.release_files import FolderFiles
from tests.support.chain_fixtures import make_entry
from tests.support.remote_releases import store_of
from tests.support.whole_releases import (
    AT,
    FILES,
    KEY,
    REPORT_DATA,
    Deviation,
    good_evidence,
    guest,
    lay_out,
    pinning_policy,
    put_evidence,
    sign_again,
    statement_of,
)

_SECOND = timedelta(seconds=1)
_OTHER_KEY = ec.derive_private_key(12, ec.SECP384R1())
_CHECKED_ELSEWHERE = {Check.PUBLISHER_SIGNATURE, Check.PUBLISHER_IDENTITY}  # by test_signature.py
_CHECKED_ELSEWHERE |= {Check.LINEAGE}  # no code yet
_IMPLEMENTED = set(Check) - OPTIONAL_CHECKS - _CHECKED_ELSEWHERE - {Check.REGISTRY_RECORD}


def _report(**changes: Any) -> Deviation:
    """A correctly signed report of this guest with other fields."""
    return Deviation(lambda: {"report": guest().report(REPORT_DATA, **changes)})


def _guest(**changes: Any) -> Deviation:
    """Another guest on the same chip."""
    return Deviation(lambda: _parts(replace(guest(), **changes)))


def _parts(other: Any) -> dict[str, bytes]:
    evidence = other.evidence(REPORT_DATA)
    return {"report": evidence.report, "vek": evidence.vek, "chain": evidence.chain, "crl": evidence.crl}


def _lower(name: str) -> bytes:
    tcb = guest().tcb
    return encode_tcb(replace(tcb, **{name: getattr(tcb, name) - 1}), ProductLine.GENOA)


def _forged() -> dict[str, bytes]:
    good, other = good_evidence().report, guest().report(bytes(64))
    return {"report": good[:0x2A0] + other[0x2A0:]}


def _revoked() -> dict[str, bytes]:
    intermediate = parse_endorsements(good_evidence().vek, good_evidence().chain, None).intermediate
    return {"crl": guest().crl(revoked=(intermediate.serial,))}


def _flip(folder: Path) -> None:
    data = bytearray(FILES["model.safetensors"])
    data[5000] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def _state_another_digest(folder: Path) -> None:
    statement = statement_of(folder)
    statement["subject"][1]["digest"]["sha256"] = "00" * 32  # the fs-verity digest beside it stays right
    sign_again(folder, statement)


def _add_a_key_to_the_manifest(folder: Path) -> None:
    sign_again(folder, {**statement_of(folder), "extra": 1})


def _sign_with_another_key(folder: Path) -> None:
    payload = parse_envelope((folder / MANIFEST_PATH).read_bytes()).payload
    (folder / MANIFEST_PATH).write_bytes(sign_statement(payload, _OTHER_KEY))


def _name_a_file_more(folder: Path) -> None:
    statement = statement_of(folder)
    statement["subject"].append({**statement["subject"][0], "name": "config2.json"})
    sign_again(folder, statement)


def _use_another_key(folder: Path) -> None:
    """Put another key and a manifest signed by it into the release."""
    (folder / KEY_PATH).write_bytes(public_key_of(_OTHER_KEY)[0])
    _sign_with_another_key(folder)


def _write_the_key_twice(folder: Path) -> None:
    (folder / KEY_PATH).write_bytes(public_key_of(KEY)[0] * 2)


_OLD_TCB = Tcb(bootloader=10, tee=0, snp=22, microcode=84)
CASES = [
    (Check.REPORT_FORMAT, 3, Deviation(lambda: {"report": good_evidence().report[:-1]})),
    (Check.ENDORSEMENTS_FORMAT, 3, Deviation(lambda: {"vek": good_evidence().vek + b"\0"})),
    (Check.ENDORSEMENTS_FORMAT, 3, Deviation(lambda: {"crl": b"no list"})),
    (Check.PRODUCT_LINE, 4, _report(cpuid_model=0x01)),
    (Check.VEK_CHAIN, 4, Deviation(roots=AMD_ROOTS)),
    (Check.VEK_VALIDITY, 4, Deviation(lambda: {"vek": guest().vek(not_before=AT + _SECOND).certificate})),
    (Check.VEK_REVOCATION, 4, Deviation(_revoked)),
    (Check.VEK_MATCH, 4, _report(reported_tcb=_lower("microcode"))),
    (Check.REPORT_SIGNATURE, 4, Deviation(_forged)),
    (Check.GUEST_POLICY, 5, _guest(policy=0xB0000)),
    (Check.PLATFORM_INFO, 5, _guest(platform_info=0x04)),
    (Check.VMPL, 5, _guest(vmpl=1)),
    (Check.TCB_FLOOR, 5, _guest(tcb=_OLD_TCB)),
    (Check.TCB_CONSISTENCY, 5, _report(committed_tcb=encode_tcb(Tcb(10, 0, 29, 88), ProductLine.GENOA))),
    (Check.MITIGATIONS, 5, _guest(mit_vector=0)),
    (Check.MEASUREMENT, 5, _guest(measurement=b"\x01" * 48)),
    (Check.HOST_DATA, 5, _guest(host_data=b"\x01" * 32)),
    (Check.ID_KEY, 5, _report(id_key_digest=b"\x01" * 48)),
    (Check.CHIP_ALLOW_LIST, 5, _guest(chip_id=b"\x01" * 64)),
    (Check.KEY_BINDING, 4, Deviation(damage=_use_another_key)),
    (Check.KEY_BINDING, 3, Deviation(damage=_write_the_key_twice)),
    (Check.MANIFEST_FORMAT, 3, Deviation(damage=_add_a_key_to_the_manifest)),
    (Check.MANIFEST_SIGNATURE, 4, Deviation(damage=_sign_with_another_key)),
    (Check.FILE_SET, 4, Deviation(damage=lambda folder: (folder / "a.py").write_bytes(b""))),
    (Check.FILE_SET, 4, Deviation(damage=_name_a_file_more)),
    (Check.FILE_SET, 3, Deviation(damage=lambda folder: (folder / "link").symlink_to("config.json"))),
    (Check.FILE_DIGESTS, 4, Deviation(damage=_flip)),
    (Check.FILE_DIGESTS, 4, Deviation(damage=_state_another_digest)),
]


@dataclass
class _Steps:
    """Every step of a judgement, run once for the good release and once for the deviation."""

    good: dict[str, Any]
    failed: list[Check | None]

    def take(self, name: str, step: Callable[[], Any]) -> Any:
        try:
            found = step()
        except ProvenanceError as error:
            self.failed.append(error.check)
            return self.good[name]
        self.good.setdefault(name, found)
        return found


def failing_checks(release: Release, deviation: Deviation, good: dict[str, Any]) -> list[Check | None]:
    """Run every step in order, and return the checks that failed, each once."""
    steps, policy, evidence = _Steps(good, []), pinning_policy(), release.evidence
    endorsements = steps.take("1", lambda: parse_endorsements(evidence.vek, evidence.chain, evidence.crl))
    report = steps.take("2", lambda: parse_report(evidence.report))
    chain = steps.take("3", lambda: verify_chain(endorsements, roots=deviation.roots, at=deviation.at))
    matched = steps.take("4", lambda: match_vek_to_report(chain, report))
    claims = steps.take("5", lambda: verify_report_signature(matched))
    steps.failed += [f.check for f in check_claims(claims, policy) if f.outcome is Outcome.FAILED]
    key = steps.take("6", lambda: parse_public_key(release.key, "key"))
    steps.take("7", lambda: verify_key_binding(claims.report.report_data, key, policy.key_bindings))
    envelope = steps.take("8", lambda: parse_envelope(release.envelope))
    payload = steps.take("9", lambda: verify_envelope(envelope, key))
    manifest = steps.take("10", lambda: parse_statement(payload))
    steps.take("10a", lambda: match_report(manifest, report.digest))
    listing = steps.take("11", lambda: list_files(release.path))
    steps.take("12", lambda: match_file_set(manifest, listing))
    if Check.FILE_SET not in steps.failed:  # otherwise the files to compare are not the same
        files = steps.take("13", lambda: digest_files(release.path, listing, sha256_of=manifest.sha256_paths))
        steps.take("14", lambda: match_file_digests(manifest, files))
    return list(dict.fromkeys(steps.failed))


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    """The result of every step for the good release, which fails no check."""
    given: dict[str, Any] = {}
    assert failing_checks(read_release(lay_out(tmp_path / "good")), Deviation(), given) == []
    return given


@pytest.mark.parametrize(("check", "exit_code", "deviation"), CASES, ids=[str(check) for check, _, _ in CASES])
def test_only_this_check_fails(
    check: Check, exit_code: int, deviation: Deviation, good: dict[str, Any], tmp_path: Path
) -> None:
    release = read_release(lay_out(tmp_path / "other", deviation))
    with pytest.raises(ProvenanceError) as refused:
        judge(release, pinning_policy(), at=deviation.at, roots=deviation.roots)
    assert (refused.value.check, refused.value.exit_code) == (check, exit_code)
    assert [f.check for f in refused.value.findings if f.outcome is Outcome.FAILED] == [check]
    assert refused.value.where
    assert refused.value.got
    assert refused.value.wanted
    assert failing_checks(release, deviation, good) == [check]


@pytest.mark.parametrize(("check", "exit_code", "deviation"), CASES, ids=[str(check) for check, _, _ in CASES])
def test_a_release_in_a_store_is_refused_as_one_in_a_folder(
    check: Check, exit_code: int, deviation: Deviation, tmp_path: Path
) -> None:
    """The error has the same text, except for a link, which a store lists as a file."""
    folder = lay_out(tmp_path / "other", deviation)
    errors = []
    for files in (FolderFiles(folder), store_of(folder).release()):
        with pytest.raises(ProvenanceError) as refused:
            judge(read_release(files), pinning_policy(), at=deviation.at, roots=deviation.roots)
        errors.append(refused.value)
    assert [error.check for error in errors] == [check, check]
    if not (folder / "link").is_symlink():
        assert str(errors[1]) == str(errors[0])
        assert errors[1].findings == errors[0].findings


def test_a_release_in_a_store_has_the_verdict_of_the_same_one_in_a_folder(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "good")
    here = judge(read_release(folder), pinning_policy(), at=AT)
    there = judge(read_release(store_of(folder).release()), pinning_policy(), at=AT)
    assert there.verdict.statement == here.verdict.statement
    assert there.record == here.record


def test_a_store_is_asked_for_every_byte_once(tmp_path: Path) -> None:
    """The evidence first, then one stream for each file; listings only besides."""
    store = store_of(lay_out(tmp_path / "good"))
    judge(read_release(store.release()), pinning_policy(), at=AT)
    streams = [entry[1] for entry in store.log if entry[0] == "stream"]
    assert sorted(streams) == sorted(path for path, _ in store.listed)
    assert [entry for entry in store.log if entry[0] == "files"] == [
        *[("files", "provenance/")] * 2,  # is there a manifest; then the evidence
        *[("files", "")] * 2,  # before the first byte and after the last one
    ]


def test_the_good_release_passes_every_check_that_there_is(tmp_path: Path) -> None:
    judgement = judge(read_release(lay_out(tmp_path / "good")), pinning_policy(), at=AT)
    passed = {f.check for f in judgement.findings if f.outcome is Outcome.PASSED}
    assert passed == _IMPLEMENTED


def _sign_it_again(folder: Path) -> None:
    """The attacker's VM names the attacker's key, which signs the publisher's payload."""
    put_evidence(folder, {"report": guest().report(bound_report_data(public_key_of(_OTHER_KEY)[1]))})
    _use_another_key(folder)


def _attest_the_same_key(folder: Path) -> None:
    """The attacker's VM names the publisher's public key; the publisher's signature stays."""
    put_evidence(folder, _parts(replace(guest(), measurement=b"\x66" * 48)))


@pytest.mark.parametrize("take_over", [_sign_it_again, _attest_the_same_key])
def test_nobody_takes_the_manifest_of_others_over(take_over: Callable[[Path], None], tmp_path: Path) -> None:
    """All parts are genuine, and the release would be the same, but another guest would have made it."""
    release = read_release(lay_out(tmp_path / "other", Deviation(damage=take_over)))
    with pytest.raises(ProvenanceError) as refused:
        judge(release, load_policy("demo"), at=AT)
    assert (refused.value.check, refused.value.exit_code) == (Check.KEY_BINDING, 4)
    assert "the report is not the one that the manifest names" in str(refused.value)


def test_a_manifest_that_names_no_report_is_accepted_and_says_so(tmp_path: Path) -> None:
    release = read_release(lay_out(tmp_path / "other", Deviation(damage=_name_no_report)))
    findings = judge(release, pinning_policy(), at=AT).findings
    assert (
        next(f.got for f in findings if f.check is Check.MANIFEST_FORMAT) == "org/model 1.0, 3 files, no report named"
    )


def _name_no_report(folder: Path) -> None:
    statement = statement_of(folder)
    del statement["predicate"]["buildDefinition"]["internalParameters"]
    sign_again(folder, statement)


class _Registry:
    """Answers every question with the entry of one record."""

    def __init__(self, record: Record) -> None:
        self._entry = make_entry(record)

    def entry(self, manifest_digest: bytes) -> Entry:
        return self._entry

    def match_record(self, record: Record) -> Entry:
        match_entry(record, self._entry)
        return self._entry

    def namespace_owner(self, name: str) -> bytes | None:
        return None


def test_only_the_record_is_of_another_release(tmp_path: Path) -> None:
    release = read_release(lay_out(tmp_path / "good"))
    record = judge(release, pinning_policy(), at=AT).record
    assert confirm(release, pinning_policy(), registry=_Registry(record), at=None, now=AT).verdict_reproduced
    registry = _Registry(replace(record, model_digest=b"\x01" * 32))
    with pytest.raises(ProvenanceError) as refused:
        confirm(release, pinning_policy(), registry=registry, at=None, now=AT)
    assert refused.value.exit_code == 4
    assert [f.check for f in refused.value.findings if f.outcome is Outcome.FAILED] == [Check.REGISTRY_RECORD]


def test_every_check_that_is_implemented_has_a_case() -> None:
    assert {check for check, _, _ in CASES} == set(Check) - OPTIONAL_CHECKS - _CHECKED_ELSEWHERE - {
        Check.REGISTRY_RECORD
    }


def test_a_refusal_by_policy_lists_every_reason(tmp_path: Path) -> None:
    both = _guest(vmpl=1, mit_vector=0)
    with pytest.raises(AppraisalError) as refused:
        judge(read_release(lay_out(tmp_path / "other", both)), pinning_policy(), at=AT)
    failed = [f.check for f in refused.value.findings if f.outcome is Outcome.FAILED]
    assert failed == [Check.VMPL, Check.MITIGATIONS]
