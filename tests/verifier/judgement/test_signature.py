"""The publisher's signature in a judgement: bound both ways, in verdict, record and policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.digest.files import ReferenceHasher
from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    IncompleteError,
    ProvenanceError,
    VerificationError,
)
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.expected import Expected, match_expected
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.kept_evidence import judge_evidence, release_of_evidence
from provenance_oracle.verifier.judgement.part import judge_part
from provenance_oracle.verifier.judgement.release import BUNDLE_PATH, PUBLISHER_KEY_PATH, read_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.policy import Word, load_policy
from provenance_oracle.verifier.record.fields import workload_identity
from tests.support.model_signatures import pem_of, resource, statement_of, statement_over
from tests.support.signed_releases import (
    BY_CERTIFICATE,
    BY_KEY,
    PUBLISHERS,
    SIGNED_AT,
    Publisher,
    files_in,
    lay_out_signed,
    name_publisher,
    put_signature,
)
from tests.support.whole_releases import AT, FILES, guest, lay_out, put_evidence

POLICY = load_policy("demo")
OTHER_KEY = ec.derive_private_key(99, ec.SECP256R1())


def judged(folder: Path, publisher: Publisher = BY_KEY, **options: Any) -> Judgement:
    return judge(read_release(folder), POLICY, at=AT, sigstore_root=publisher.root, **options)


def outcome(judgement: Judgement, check: Check) -> tuple[Outcome, str]:
    (found,) = [finding for finding in judgement.findings if finding.check is check]
    return found.outcome, found.got


def extension(judgement: Judgement) -> dict[str, Any]:
    return json.loads(judgement.verdict.statement)["predicate"][EXTENSION]


@pytest.mark.parametrize("name", PUBLISHERS)
def test_the_named_publisher_is_the_publisher_of_the_record(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    judgement = judged(lay_out_signed(tmp_path, publisher), publisher)
    assert outcome(judgement, Check.PUBLISHER_SIGNATURE) == (Outcome.PASSED, "4 of 4 files")
    assert outcome(judgement, Check.PUBLISHER_IDENTITY) == (Outcome.PASSED, publisher.line)
    assert judgement.record.publisher_identity == publisher.identity.digest
    bits = judgement.record.checks
    assert bits >> Check.PUBLISHER_SIGNATURE.bit & 1
    assert bits >> Check.PUBLISHER_IDENTITY.bit & 1


@pytest.mark.parametrize("name", PUBLISHERS)
def test_the_verdict_says_who_signed_and_names_the_files(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    judgement = judged(lay_out_signed(tmp_path, publisher), publisher)
    found = extension(judgement)["publisher"]
    assert (found["identity"], found["digest"]) == (publisher.line, publisher.identity.digest.hex())
    assert (found["named"], found["method"]) == (True, name.partition(",")[0])
    assert (found["covered"], found["files"], found["uncovered"]) == (4, 4, [])
    assert ("signedAt" in found) == ("logIndex" in found) == ("sigstoreRoot" in extension(judgement))
    if publisher.root:
        assert found["signedAt"] == SIGNED_AT.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert extension(judgement)["sigstoreRoot"] == publisher.root.digest.hex()
    inputs = json.loads(judgement.verdict.statement)["predicate"]["inputAttestations"]
    digests = {one["uri"]: one["digest"]["sha256"] for one in inputs}
    for path in (BUNDLE_PATH, *((PUBLISHER_KEY_PATH,) if publisher.key else ())):
        assert digests[path] == hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", PUBLISHERS)
def test_a_signature_without_a_named_publisher_is_shown_and_no_more(tmp_path: Path, name: str) -> None:
    publisher = PUBLISHERS[name]
    judgement = judged(lay_out_signed(tmp_path, publisher, named=False), publisher)
    assert outcome(judgement, Check.PUBLISHER_SIGNATURE)[0] is Outcome.NOT_CHECKED
    got = f"signed by {publisher.line}, but the manifest names no publisher"
    assert outcome(judgement, Check.PUBLISHER_IDENTITY) == (Outcome.NOT_CHECKED, got)
    claims = judgement.result.claims
    assert judgement.record.publisher_identity == workload_identity(claims.report.measurement, simulated=True)
    assert extension(judgement)["publisher"]["named"] is False


def test_without_a_signature_nothing_changes(tmp_path: Path) -> None:
    judgement = judged(lay_out(tmp_path))
    for check in (Check.PUBLISHER_SIGNATURE, Check.PUBLISHER_IDENTITY):
        assert outcome(judgement, check) == (Outcome.NOT_CHECKED, "no OpenSSF signing bundle")
    assert "publisher" not in extension(judgement)


def test_an_unnamed_signature_may_leave_files_out_and_the_verdict_lists_them(tmp_path: Path) -> None:
    """A model that was signed before it was packed."""
    lay_out(tmp_path)
    put_signature(tmp_path, BY_KEY, statement_over({"config.json": FILES["config.json"]}))
    found = extension(judged(tmp_path))["publisher"]
    assert (found["covered"], found["files"]) == (1, 4)
    assert found["uncovered"] == ["model.safetensors", MANIFEST_PATH, "tokenizer/vocab.txt"]


# Faults


def _without(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        put_signature(folder, BY_KEY, statement_over({k: v for k, v in files_in(folder).items() if k not in names}))

    return damage


def _put(path: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(data)


def _cover(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: put_signature(folder, BY_KEY, statement_over(files_in(folder) | {name: data}))


def _sign_by_another(folder: Path) -> None:
    name_publisher(folder, f"key {'ab' * 32}")
    put_signature(folder, BY_KEY)


def _rotate(folder: Path) -> None:
    (folder / PUBLISHER_KEY_PATH).write_bytes(pem_of(OTHER_KEY))


def _sign_by_another_method(folder: Path) -> None:
    put_signature(folder, BY_CERTIFICATE)
    (folder / PUBLISHER_KEY_PATH).unlink()


def _replace_manifest(folder: Path) -> None:
    """A new manifest with the publisher's name; the publisher did not sign it."""
    name_publisher(folder, BY_KEY.line)
    statement = json.loads((folder / MANIFEST_PATH).read_bytes())
    (folder / MANIFEST_PATH).write_bytes(json.dumps(statement, indent=1).encode())


SIGNATURE, IDENTITY = Check.PUBLISHER_SIGNATURE, Check.PUBLISHER_IDENTITY
FAULTS: dict[str, tuple[type[ProvenanceError], Check, Callable[[Path], object]]] = {
    "stripped": (IncompleteError, SIGNATURE, lambda folder: (folder / BUNDLE_PATH).unlink()),
    "bundle is no bundle": (FormatError, SIGNATURE, _put(BUNDLE_PATH, b"{}")),
    "bundle is empty": (FormatError, SIGNATURE, _put(BUNDLE_PATH, b"")),
    "key missing": (FormatError, SIGNATURE, lambda folder: (folder / PUBLISHER_KEY_PATH).unlink()),
    "key is no key": (FormatError, SIGNATURE, _put(PUBLISHER_KEY_PATH, b"")),
    "key rotated": (VerificationError, SIGNATURE, _rotate),
    "manifest replaced": (VerificationError, SIGNATURE, _replace_manifest),
    "manifest not covered": (AppraisalError, SIGNATURE, _without(MANIFEST_PATH)),
    "weights not covered": (AppraisalError, SIGNATURE, _without("model.safetensors")),
    "a file that is not there": (VerificationError, SIGNATURE, _cover("more.bin", b"x")),
    "another file covered": (VerificationError, SIGNATURE, _cover("config.json", b"other")),
    "another report covered": (VerificationError, SIGNATURE, _cover("provenance/snp/report.bin", b"other")),
    "signed by another": (AppraisalError, IDENTITY, _sign_by_another),
    "signed by another method": (AppraisalError, IDENTITY, _sign_by_another_method),
    "no identity is named": (FormatError, IDENTITY, lambda folder: name_publisher(folder, "Acme")),
    "a workload is named": (
        FormatError,
        IDENTITY,
        lambda folder: name_publisher(folder, f"snp-measurement {'0' * 96}"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_only_this_fails(tmp_path: Path, name: str) -> None:
    kind, check, damage = FAULTS[name]
    lay_out_signed(tmp_path)
    damage(tmp_path)
    with pytest.raises(kind) as refused:
        judged(tmp_path)
    assert type(refused.value) is kind
    assert refused.value.check is check
    assert refused.value.where
    assert refused.value.got
    assert refused.value.wanted
    wrong = [found.check for found in refused.value.findings if found.outcome is Outcome.FAILED]
    assert wrong == ([] if kind is IncompleteError else [check])


def test_a_key_without_a_signature_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / PUBLISHER_KEY_PATH).write_bytes(pem_of(OTHER_KEY))
    with pytest.raises(FormatError, match="no signature"):
        judged(tmp_path)


def test_a_key_may_arrive_before_the_signature(tmp_path: Path) -> None:
    lay_out_signed(tmp_path)
    (tmp_path / BUNDLE_PATH).unlink()
    with pytest.raises(IncompleteError, match="provenance sign"):
        judged(tmp_path)


def test_a_key_beside_a_signature_by_certificate_is_refused(tmp_path: Path) -> None:
    lay_out_signed(tmp_path, BY_CERTIFICATE)
    (tmp_path / PUBLISHER_KEY_PATH).write_bytes(pem_of(OTHER_KEY))
    with pytest.raises(FormatError, match="only with these"):
        judged(tmp_path)


def test_a_missing_signature_counts_only_where_the_evidence_is_accepted(tmp_path: Path) -> None:
    lay_out_signed(tmp_path)
    (tmp_path / BUNDLE_PATH).unlink()
    with pytest.raises(ProvenanceError) as refused:
        judge(read_release(tmp_path), load_policy("strict"), at=AT)
    assert not isinstance(refused.value, IncompleteError)


def test_a_forged_signature_without_a_named_publisher_is_refused_too(tmp_path: Path) -> None:
    """Whoever looks at the bundle of an accepted release must not be misled."""
    lay_out_signed(tmp_path, named=False)
    _cover("config.json", b"other")(tmp_path)
    with pytest.raises(VerificationError):
        judged(tmp_path)


def test_a_certificate_that_has_expired_signs_nothing(tmp_path: Path) -> None:
    lay_out_signed(tmp_path, BY_CERTIFICATE)
    with pytest.raises(ProvenanceError) as refused:
        judge(read_release(tmp_path), POLICY, at=datetime(2036, 1, 1, tzinfo=UTC))
    assert refused.value.exit_code == 4


def test_evidence_can_be_renewed_under_the_signature(tmp_path: Path) -> None:
    """Certificates and revocation list have signatures of their own, and are no part of the signed files."""
    lay_out_signed(tmp_path)
    before = judged(tmp_path)
    put_evidence(tmp_path, {"crl": guest().crl(number=7)})
    assert judged(tmp_path).record.publisher_identity == before.record.publisher_identity


# Other digests and forms


def _by(algorithm: str, new: Callable[[bytes], Any], size: int = 0) -> Callable[[dict[str, bytes]], dict[str, Any]]:
    def statement(files: dict[str, bytes]) -> dict[str, Any]:
        entries = []
        for name in sorted(files):
            data = files[name]
            for start in range(0, len(data), size) if size else (0,):
                end = min(start + size, len(data)) if size else len(data)
                shown = f"{name}:{start}:{end}" if size else name
                digest = new(data[start:end]).hexdigest()
                entries.append({"name": shown, "algorithm": algorithm, "digest": digest})
        more: dict[str, Any] = {"method": "shards", "shard_size": size} if size else {}
        return statement_of(entries, hash_type=algorithm, **more)

    return statement


def _blake3(data: bytes) -> Any:
    from blake3 import blake3

    return blake3(data)


STATEMENTS = {
    "blake2b": _by("blake2b", hashlib.blake2b),
    "blake3": _by("blake3", _blake3),
    "sha256 in shards": _by("sha256", hashlib.sha256, 1000),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_digest_is_computed_in_the_one_read(tmp_path: Path, name: str) -> None:
    lay_out_signed(tmp_path)
    put_signature(tmp_path, BY_KEY, STATEMENTS[name](files_in(tmp_path)))
    reads: list[str] = []

    class Counting(ReferenceHasher):
        def __call__(self, file: Any, **options: Any) -> Any:
            reads.append(file.path)
            return super().__call__(file, **options)

    assert outcome(judged(tmp_path, hasher=Counting()), SIGNATURE)[0] is Outcome.PASSED
    assert sorted(reads) == sorted(FILES)


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_digest_is_compared(tmp_path: Path, name: str) -> None:
    lay_out_signed(tmp_path)
    files = files_in(tmp_path)
    changed = bytes([files["model.safetensors"][0] ^ 1]) + files["model.safetensors"][1:]
    put_signature(tmp_path, BY_KEY, STATEMENTS[name](files | {"model.safetensors": changed}))
    with pytest.raises(VerificationError, match=r"different: model\.safetensors"):
        judged(tmp_path)


# Parts of releases, kept evidence, policies and expectations


def test_a_part_is_compared_with_the_signature_too(tmp_path: Path) -> None:
    lay_out_signed(tmp_path)
    part = judge_part(read_release(tmp_path), POLICY, ["config.json"], at=AT)
    assert part.stated_record().publisher_identity == BY_KEY.identity.digest
    _cover("config.json", b"[]\n")(tmp_path)
    with pytest.raises(VerificationError, match="not those that were signed"):
        judge_part(read_release(tmp_path), POLICY, ["config.json"], at=AT)


@pytest.mark.parametrize("name", ["key", "certificate"])
def test_kept_evidence_gives_the_same_verdict(tmp_path: Path, name: str) -> None:
    folder = lay_out_signed(tmp_path, PUBLISHERS[name])
    kept = release_of_evidence(read_release(folder).provenance, AT)
    assert judge_evidence(kept, POLICY, AT).verdict == judged(folder).verdict


RULES = {
    "any": (Word.ANY, True, True, True),
    "required": (Word.REQUIRED, True, False, False),
    "this one": ((BY_KEY.line,), True, False, False),
    "another": ((f"key {'ab' * 32}",), False, False, False),
    "one of two": ((f"key {'ab' * 32}", BY_KEY.line), True, False, False),
}


@pytest.mark.parametrize("name", RULES)
def test_policies_ask_for_a_named_publisher(tmp_path: Path, name: str) -> None:
    rule, *wanted = RULES[name]
    folders = [
        lay_out_signed(tmp_path / "named"),
        lay_out_signed(tmp_path / "unnamed", named=False),
        lay_out(tmp_path / "unsigned"),
    ]
    found = []
    for folder in folders:
        try:
            judge(read_release(folder), replace(POLICY, publisher=rule), at=AT)
            found.append(True)
        except AppraisalError as error:
            assert error.check is IDENTITY
            found.append(False)
    assert found == wanted


def test_a_policy_may_name_a_wider_identity_of_the_signer(tmp_path: Path) -> None:
    lay_out_signed(tmp_path, BY_CERTIFICATE)
    authority = f"authority {BY_CERTIFICATE.line.split()[1]}"
    judge(read_release(tmp_path), replace(POLICY, publisher=(authority,)), at=AT)


@pytest.mark.parametrize(
    ("signed", "line", "is_met"),
    [
        (True, BY_KEY.line, True),
        (True, f"key {'ab' * 32}", False),
        (False, BY_KEY.line, False),
        (None, BY_KEY.line, False),
    ],
)
def test_a_user_asks_for_an_identity(tmp_path: Path, signed: bool | None, line: str, is_met: bool) -> None:
    folder = lay_out(tmp_path) if signed is None else lay_out_signed(tmp_path, named=signed)
    expected = Expected(identities=(PublisherIdentity(line),))
    result = judged(folder).result
    if is_met:
        match_expected(result, expected)
    else:
        with pytest.raises(AppraisalError) as refused:
            match_expected(result, expected)
        assert refused.value.check is IDENTITY


def test_a_file_of_git_that_is_signed_but_not_in_the_manifest_is_refused(tmp_path: Path) -> None:
    lay_out_signed(tmp_path)
    (tmp_path / ".gitattributes").write_bytes(b"* -text\n")
    judged(tmp_path)
    put_signature(tmp_path, BY_KEY, statement_of([resource(n, d) for n, d in sorted(files_in(tmp_path).items())]))
    with pytest.raises(VerificationError):
        judged(tmp_path)
