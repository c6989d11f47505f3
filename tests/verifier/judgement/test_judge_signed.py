"""Releases that have only a signature: who signed them is known, and nothing of where they were made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.verifier.checks import HARDWARE_CHECKS, OPTIONAL_CHECKS, Check, Outcome
from provenance_oracle.verifier.digest.files import ReferenceHasher, digest_files, list_files
from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    ProvenanceError,
    RecordError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.confirm_signed import confirm_signed
from provenance_oracle.verifier.judgement.expected import ANYTHING, Expected
from provenance_oracle.verifier.judgement.judge_signed import SignedJudgement, SignerTrust, judge_signed
from provenance_oracle.verifier.judgement.release import NoReleaseError, read_release
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH, FoundName, read_signed_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import NO_REPORT, NO_TCB, Entry, Record
from provenance_oracle.verifier.record.standing import SIGNED_CODE
from tests.support.chain_fixtures import make_entry
from tests.support.model_signatures import pem_of, statement_over
from tests.support.signed_releases import (
    BY_CERTIFICATE,
    BY_KEY,
    PUBLISHERS,
    Publisher,
    lay_out_signed,
    lay_out_signed_only,
)
from tests.support.whole_releases import AT, FILES

POLICY = load_policy("signed")
FOUND = FoundName("acme/model", "0f" * 20)
OTHER_KEY = ec.derive_private_key(99, ec.SECP256R1())


def trust_of(publisher: Publisher) -> SignerTrust:
    keys = (parse_publisher_key(publisher.key, "key"),) if publisher.key else ()
    return SignerTrust(keys=keys, root=publisher.root)


def judged(folder: Path, publisher: Publisher = BY_CERTIFICATE, **options: Any) -> SignedJudgement:
    trust = options.pop("trust", trust_of(publisher))
    release = read_signed_release(folder, options.pop("found", FOUND))
    return judge_signed(release, options.pop("policy", POLICY), at=options.pop("at", AT), trust=trust, **options)


@pytest.mark.parametrize("name", PUBLISHERS)
def test_it_says_who_signed_and_no_more(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    judgement = judged(lay_out_signed_only(tmp_path, publisher), publisher)
    record = judgement.record
    assert record.publisher_identity == publisher.identity.digest
    assert (record.product_line, record.grade, record.passed) == (SIGNED_CODE, 0, True)
    assert (record.snp_report_digest, record.reported_tcb) == (NO_REPORT, NO_TCB)
    assert (record.name, record.version) == (FOUND.name, FOUND.version)
    passed = {finding.check for finding in judgement.findings if finding.outcome is Outcome.PASSED}
    assert passed == {Check.FILE_SET, Check.FILE_DIGESTS, Check.PUBLISHER_SIGNATURE, Check.PUBLISHER_IDENTITY}
    for finding in judgement.findings:
        if finding.check in HARDWARE_CHECKS - OPTIONAL_CHECKS:
            assert (finding.outcome, finding.got) == (
                Outcome.NOT_CHECKED,
                "no confidential hardware: the release has only a signature",
            )


def test_the_digests_are_those_of_model_and_payload(tmp_path: Path) -> None:
    """The bundle is no file of the model, so the model has the digest that it has in every release."""
    judgement = judged(lay_out_signed_only(tmp_path))
    (tmp_path / SIGNED_BUNDLE_PATH).unlink()
    assert judgement.files.model_digest == digest_files(tmp_path, list_files(tmp_path)).model_digest
    payload = json.dumps(statement_over(FILES)).encode()
    assert judgement.manifest_digest == hashlib.sha256(payload).digest()


def test_the_verdict_binds_the_bundle(tmp_path: Path) -> None:
    judgement = judged(lay_out_signed_only(tmp_path))
    predicate = json.loads(judgement.verdict.statement)["predicate"]
    data = (tmp_path / SIGNED_BUNDLE_PATH).read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    assert predicate["inputAttestations"] == [{"uri": "model.sig", "digest": {"sha256": sha256}}]
    assert predicate[EXTENSION]["productLine"] == "no confidential hardware"
    assert predicate[EXTENSION]["publisher"]["identity"] == BY_CERTIFICATE.line
    assert "PROVENANCE_ORACLE_GRADE_0" in predicate["verifiedLevels"]


def test_every_file_is_read_once(tmp_path: Path) -> None:
    reads: list[str] = []

    class Counting(ReferenceHasher):
        def __call__(self, file: Any, **options: Any) -> Any:
            reads.append(file.path)
            return super().__call__(file, **options)

    judged(lay_out_signed_only(tmp_path), hasher=Counting())
    assert sorted(reads) == sorted(FILES)


def test_files_that_git_and_the_hub_add_are_set_aside_and_named(tmp_path: Path) -> None:
    before = judged(lay_out_signed_only(tmp_path))
    (tmp_path / ".gitattributes").write_bytes(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    after = judged(tmp_path)
    assert after.files.model_digest == before.files.model_digest
    assert json.loads(after.verdict.statement)["predicate"][EXTENSION]["uncovered"][0]["name"] == ".gitattributes"


def _flip(folder: Path) -> None:
    data = bytearray(FILES["model.safetensors"])
    data[5000] ^= 1
    (folder / "model.safetensors").write_bytes(data)


FAULTS: dict[str, tuple[type[ProvenanceError], Check, Callable[[Path], object]]] = {
    "changed": (VerificationError, Check.PUBLISHER_SIGNATURE, _flip),
    "missing": (VerificationError, Check.PUBLISHER_SIGNATURE, lambda folder: (folder / "config.json").unlink()),
    "added": (AppraisalError, Check.PUBLISHER_SIGNATURE, lambda folder: (folder / "evil.py").write_bytes(b"")),
    "link": (FormatError, Check.FILE_SET, lambda folder: (folder / "link").symlink_to("config.json")),
    "no bundle": (
        FormatError,
        Check.PUBLISHER_SIGNATURE,
        lambda folder: (folder / SIGNED_BUNDLE_PATH).write_bytes(b"{}"),
    ),
    "huge bundle": (
        FormatError,
        Check.PUBLISHER_SIGNATURE,
        lambda folder: os.truncate(folder / SIGNED_BUNDLE_PATH, 1 << 30),
    ),
    "weights left out": (
        AppraisalError,
        Check.PUBLISHER_SIGNATURE,
        lambda folder: lay_out_signed_only(folder, statement=statement_over({"config.json": FILES["config.json"]})),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_only_this_fails(tmp_path: Path, name: str) -> None:
    kind, check, damage = FAULTS[name]
    lay_out_signed_only(tmp_path)
    damage(tmp_path)
    with pytest.raises(ProvenanceError) as refused:
        judged(tmp_path)
    assert (type(refused.value), refused.value.check) == (kind, check)
    assert refused.value.where
    assert refused.value.got
    assert refused.value.wanted


def test_a_bundle_by_a_key_needs_the_key(tmp_path: Path) -> None:
    lay_out_signed_only(tmp_path, BY_KEY)
    with pytest.raises(UsageError, match="--publisher-key"):
        judged(tmp_path)
    other = SignerTrust(keys=(parse_publisher_key(pem_of(OTHER_KEY), "key"),))
    with pytest.raises(UsageError, match="--publisher-key"):
        judged(tmp_path, trust=other)
    both = SignerTrust(keys=(*other.keys, *trust_of(BY_KEY).keys))
    assert judged(tmp_path, trust=both).record.publisher_identity == BY_KEY.identity.digest


def test_a_certificate_must_be_valid_at_the_moment(tmp_path: Path) -> None:
    with pytest.raises(VerificationError):
        judged(lay_out_signed_only(tmp_path), at=datetime(2036, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", ["demo", "baseline", "strict", "unsafe-any"])
def test_other_policies_ask_for_hardware(tmp_path: Path, name: str) -> None:
    lay_out_signed_only(tmp_path)
    with pytest.raises(AppraisalError) as refused:
        judged(tmp_path, policy=load_policy(name))
    assert refused.value.check is Check.PRODUCT_LINE
    assert BY_CERTIFICATE.line in refused.value.got
    assert "policy `signed`" in refused.value.wanted


def test_forged_counts_before_refused(tmp_path: Path) -> None:
    lay_out_signed_only(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(VerificationError):
        judged(tmp_path, policy=load_policy("strict"))


def test_a_policy_may_list_the_publishers(tmp_path: Path) -> None:
    lay_out_signed_only(tmp_path)
    authority = f"authority {BY_CERTIFICATE.line.split()[1]}"
    judged(tmp_path, policy=replace(POLICY, publisher=(authority,)))
    with pytest.raises(AppraisalError) as refused:
        judged(tmp_path, policy=replace(POLICY, publisher=(BY_KEY.line,)))
    assert refused.value.check is Check.PUBLISHER_IDENTITY


def test_a_release_with_evidence_is_of_the_other_kind(tmp_path: Path) -> None:
    """Removing `provenance/` must not turn a release into a signed one: the signature covers the manifest."""
    folder = lay_out_signed(tmp_path / "release")
    (folder / SIGNED_BUNDLE_PATH).write_bytes((folder / "provenance/model.sig").read_bytes())
    with pytest.raises(NoReleaseError):
        read_signed_release(folder, FOUND)
    for path in sorted((folder / "provenance").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / "provenance").rmdir()
    with pytest.raises(VerificationError, match=r"missing: provenance/manifest\.dsse\.json"):
        judge_signed(read_signed_release(folder, FOUND), POLICY, at=AT, trust=trust_of(BY_KEY))


def test_neither_kind_reads_the_other(tmp_path: Path) -> None:
    with pytest.raises(NoReleaseError):
        read_release(lay_out_signed_only(tmp_path / "signed"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoReleaseError, match=r"model\.sig"):
        read_signed_release(tmp_path / "empty", FOUND)


@pytest.mark.parametrize("found", [FoundName("acme", "1"), FoundName("a b/c", "1"), FoundName("acme/model", "a/b")])
def test_the_name_of_the_place_must_be_one(tmp_path: Path, found: FoundName) -> None:
    with pytest.raises(FormatError):
        read_signed_release(lay_out_signed_only(tmp_path), found)


def test_without_a_name_there_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no name"):
        assert judged(lay_out_signed_only(tmp_path), found=None).record


# A user's check


class Registry:
    """Has the entries of some records."""

    def __init__(self, *records: Record) -> None:
        self._entries = {record.manifest_digest: make_entry(record) for record in records}

    def entry(self, manifest_digest: bytes) -> Entry:
        if manifest_digest not in self._entries:
            raise RecordError("no record", check=Check.REGISTRY_RECORD)
        return self._entries[manifest_digest]

    def match_record(self, record: Record) -> Entry:
        entry = self.entry(record.manifest_digest)
        assert (record.model_digest, record.name, record.version) == (entry.model_digest, entry.name, entry.version)
        return entry

    def namespace_owner(self, name: str) -> bytes | None:
        assert name == "acme"
        return b"\x0a" * 20


def confirmed(folder: Path, registry: Registry | None, expected: Expected = ANYTHING) -> Any:
    release = read_signed_release(folder, None)
    return confirm_signed(release, POLICY, registry=registry, at=None, now=AT, expected=expected)


def test_a_recorded_release_has_the_name_of_its_record(tmp_path: Path) -> None:
    record = judged(lay_out_signed_only(tmp_path)).record
    found = confirmed(tmp_path, Registry(record))
    assert found.judgement.release.found == FOUND
    assert found.verdict_reproduced
    assert found.namespace_owner == b"\x0a" * 20


def test_offline_it_has_none(tmp_path: Path) -> None:
    found = confirmed(lay_out_signed_only(tmp_path), None)
    assert found.judgement.release.found is None
    assert not found.verdict_reproduced


def test_a_release_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        confirmed(lay_out_signed_only(tmp_path), Registry())


@pytest.mark.parametrize(
    ("expected", "is_met"),
    [
        (Expected(name="acme/model"), True),
        (Expected(name=f"acme/model@{FOUND.version}"), True),
        (Expected(name="acme/other"), False),
        (Expected(publisher=BY_CERTIFICATE.identity.digest), True),
        (Expected(publisher=bytes(32)), False),
        (Expected(identities=(BY_CERTIFICATE.identity,)), True),
        (Expected(identities=(PublisherIdentity(f"authority {BY_CERTIFICATE.line.split()[1]}"),)), True),
        (Expected(identities=(BY_KEY.identity,)), False),
        (Expected(measurement=bytes(48)), False),
    ],
)
def test_a_user_insists_on_facts(tmp_path: Path, expected: Expected, is_met: bool) -> None:
    registry = Registry(judged(lay_out_signed_only(tmp_path)).record)
    if is_met:
        confirmed(tmp_path, registry, expected)
    else:
        with pytest.raises(AppraisalError):
            confirmed(tmp_path, registry, expected)
