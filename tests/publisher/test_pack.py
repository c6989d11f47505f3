"""Packing a release, and the state of the folder after an interruption."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.pack import Packed, pack_release
from provenance_oracle.publisher.signing.signature import Publisher
from provenance_oracle.publisher.signing.signers import KeySigner
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.errors import (
    FormatError,
    IncompleteError,
    ProvenanceError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement import appraise as appraise_module
from provenance_oracle.verifier.judgement.binding import bound_report_data, verify_key_binding
from provenance_oracle.verifier.judgement.release import NoReleaseError, read_release
from provenance_oracle.verifier.manifest.dsse import parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.statement import Dependency, Role, parse_statement
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.strict import write_file, write_folder
from tests.support.hub_caches import to_cache
from tests.support.model_signatures import SIGNING_KEY
from tests.support.races import race

KEY = ec.derive_private_key(7, ec.SECP384R1())
PUBLIC = public_key_of(KEY)[1]
AT = datetime(2026, 11, 20, tzinfo=UTC)
MANIFEST = "provenance/manifest.dsse.json"


@pytest.fixture(scope="module")
def guest() -> FakeGuest:
    return FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=AT)


@pytest.fixture(scope="module")
def evidence(guest: FakeGuest) -> Evidence:
    return guest.evidence(bound_report_data(PUBLIC))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(os.urandom(9000))
    (folder / "sub" / "config.json").write_bytes(b"{}")
    return folder


def pack(folder: Path, evidence: Evidence, **options: Any) -> Packed:
    return pack_release(folder, evidence, KEY, **{"name": "org/model", "version": "1.0", "at": AT, **options})


def test_evidence_is_verified_once(model: Path, evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[object] = []

    def counting(matched: object) -> object:
        verified.append(matched)
        return verify(matched)

    verify = appraise_module.verify_report_signature
    monkeypatch.setattr(appraise_module, "verify_report_signature", counting)
    pack(model, evidence)
    assert len(verified) == 1


def provenance_files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in (folder / "provenance").rglob("*") if p.is_file())


def test_a_packed_release_passes_the_verifiers_own_steps(model: Path, evidence: Evidence) -> None:
    source = Dependency(Role.CODE, "job.tar", "", (("sha256", bytes(32)),), "")
    seen: list[int] = []
    packed = pack(
        model, evidence, sources=(source,), with_sha256=True, progress=lambda done, total: seen.append(total - done)
    )
    release = read_release(model)
    report = parse_report(release.evidence.report)
    assert verify_key_binding(report.report_data, PUBLIC, ("sha256-spki",)) == "sha256-spki"
    manifest = parse_statement(verify_envelope(parse_envelope(release.envelope), PUBLIC))
    assert manifest == packed.manifest
    assert manifest.dependencies == (source,)
    assert manifest.digest == packed.manifest_digest
    listing = list_files(model)
    match_file_set(manifest, listing)
    files = digest_files(model, listing, sha256_of=manifest.sha256_paths)
    match_file_digests(manifest, files)
    assert files == packed.files
    assert all(file.sha256 for file in files.files)
    assert seen[-1] == 0


def test_what_lies_in_the_folder(model: Path, evidence: Evidence) -> None:
    pack(model, evidence)
    snp = ["provenance/snp/ark.crl", "provenance/snp/chain.pem", "provenance/snp/report.bin"]
    vek = "provenance/snp/vek.pem" if evidence.vek.startswith(b"-----") else "provenance/snp/vek.der"
    expected = ["provenance/cvm-key.pem", MANIFEST, *snp, vek]
    assert provenance_files(model) == sorted(expected)
    release = read_release(model)
    assert release.own_crl == evidence.crl
    stored = release.evidence
    assert (stored.report, stored.vek, stored.chain, stored.crl) == (
        evidence.report,
        evidence.vek,
        evidence.chain,
        evidence.crl,
    )


def test_sha256_is_left_out_unless_asked_for(model: Path, evidence: Evidence) -> None:
    assert pack(model, evidence).manifest.sha256_paths == frozenset()


def test_refuses_a_second_manifest_unless_told(model: Path, evidence: Evidence) -> None:
    first = pack(model, evidence)
    before = (model / MANIFEST).read_bytes()
    with pytest.raises(UsageError, match="already a release"):
        pack(model, evidence, version="2.0")
    assert (model / MANIFEST).read_bytes() == before
    second = pack(model, replace(evidence, crl=None), version="2.0", replace=True)
    assert second.manifest.version == "2.0"
    assert first.files == second.files
    # No file of the former release is left.
    assert "provenance/snp/ark.crl" not in provenance_files(model)


def test_refuses_strange_files_in_provenance(model: Path, evidence: Evidence) -> None:
    (model / "provenance").mkdir()
    (model / "provenance" / "notes.txt").write_bytes(b"")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        pack(model, evidence)


def test_refuses_evidence_that_names_another_key(model: Path, guest: FakeGuest) -> None:
    with pytest.raises(VerificationError) as raised:
        pack(model, guest.evidence(bytes(63) + b"\1"))
    assert raised.value.check is Check.KEY_BINDING
    assert not (model / "provenance").exists()


@pytest.mark.parametrize("binding", ["sha256-spki", "sha384-spki", "sha512-spki"])
def test_takes_every_convention(model: Path, guest: FakeGuest, binding: str) -> None:
    pack(model, guest.evidence(bound_report_data(PUBLIC, binding)))


def test_refuses_links_and_leaves_nothing_behind(model: Path, evidence: Evidence) -> None:
    (model / "link").symlink_to("model.safetensors")
    with pytest.raises(FormatError):
        pack(model, evidence)
    assert not (model / "provenance").exists()


@pytest.mark.parametrize("folder", ["nowhere", "model/model.safetensors"])
def test_refuses_what_is_no_folder(tmp_path: Path, model: Path, evidence: Evidence, folder: str) -> None:
    with pytest.raises(UsageError):
        pack(tmp_path / folder, evidence)


@pytest.mark.parametrize("wrong", [{"name": "model"}, {"name": "a/\x1b[2J"}, {"version": ""}, {"version": "1 0"}])
def test_refuses_a_bad_name_before_it_reads_a_file(model: Path, evidence: Evidence, wrong: dict[str, str]) -> None:
    read: list[int] = []
    with pytest.raises(UsageError, match=next(iter(wrong))):
        pack(model, evidence, **wrong, progress=lambda done, _total: read.append(done))
    assert not read
    assert not (model / "provenance").exists()


@pytest.mark.parametrize("name", ["provenance", "provenance/snp"])
def test_writes_and_removes_nothing_through_a_link(model: Path, evidence: Evidence, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cvm-key.pem").write_bytes(b"mine")
    (elsewhere / "report.bin").write_bytes(b"mine")
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="the path of a folder is taken"):
        pack(model, evidence)
    assert {path.read_bytes() for path in elsewhere.iterdir()} == {b"mine"}
    assert len(list(elsewhere.iterdir())) == 2


def test_refuses_a_file_in_the_place_of_its_folder(model: Path, evidence: Evidence) -> None:
    (model / "provenance").write_bytes(b"")
    with pytest.raises(UsageError, match="the path of a folder is taken"):
        pack(model, evidence)


def test_evidence_too_large_to_be_read_back_is_not_left_complete(model: Path, evidence: Evidence) -> None:
    with pytest.raises(FormatError):
        pack(model, replace(evidence, chain=b"x" * 100_000))
    with pytest.raises(NoReleaseError):  # refused before anything is written
        read_release(model)


PUBLISHER = Publisher(None, KeySigner(SIGNING_KEY), lambda: AT)


@pytest.mark.parametrize("crash_at", range(8))
def test_interrupted_anywhere_it_is_incomplete_and_can_be_packed_again(
    model: Path, evidence: Evidence, crash_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails at the n-th file, after its bytes are written and before it has its name."""
    written = 0

    def failing(descriptor: int) -> None:
        nonlocal written
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            return
        if written == crash_at:
            raise OSError(28, "No space left on device")
        written += 1

    monkeypatch.setattr(write_file.os, "fsync", failing)
    with pytest.raises(TemporaryError, match="No space left"):
        pack(model, evidence, publisher=PUBLISHER)
    monkeypatch.undo()
    with pytest.raises(IncompleteError):
        read_release(model)
    pack(model, evidence, publisher=PUBLISHER)
    assert not [path for path in provenance_files(model) if path.endswith(".partial")]


def test_the_manifest_is_written_last(model: Path, evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    write = write_folder.write_file

    def recorded(folder: int, name: str, data: bytes) -> None:
        order.append(str((Path(f"/proc/self/fd/{folder}").resolve() / name).relative_to(model)))
        write(folder, name, data)

    monkeypatch.setattr(write_folder, "write_file", recorded)
    pack(model, evidence)
    assert order[-1] == MANIFEST
    assert len(order) == 6
    order.clear()
    pack(model, evidence, publisher=PUBLISHER, replace=True)
    assert (order[:2], order[-1]) == (["provenance/publisher-key.pem", "provenance/model.sig"], MANIFEST)
    assert len(order) == 8


def test_the_manifest_names_the_publisher_and_no_more_digests(model: Path, evidence: Evidence) -> None:
    packed = pack(model, evidence, publisher=PUBLISHER)
    assert packed.manifest.publisher == PUBLISHER.identity().line
    assert packed.manifest.sha256_paths == frozenset()
    assert packed.signature is not None
    assert {*packed.signature.verified.signed.paths} == {*packed.manifest.paths, MANIFEST}
    again = pack(model, evidence, replace=True)  # nothing of the publisher stays
    assert (again.manifest.publisher, again.signature) == ("", None)
    assert not [path for path in provenance_files(model) if "publisher" in path or path.endswith(".sig")]


def test_git_lfs_pointers_are_not_packed(model: Path, evidence: Evidence) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0b" * 32 + "\nsize 9000\n"
    (model / "model.safetensors").write_text(pointer)
    with pytest.raises(UsageError, match="git lfs pull") as refused:
        pack(model, evidence)
    assert refused.value.where == "model.safetensors"
    assert provenance_files(model) == []


def test_a_snapshot_of_the_hub_s_cache_can_be_packed(model: Path, evidence: Evidence, tmp_path: Path) -> None:
    snapshot = to_cache(model, tmp_path / "hub")
    packed = pack(snapshot, evidence)
    assert packed.files == digest_files(model, list_files(model))
    assert {path.name for path in (snapshot.parent.parent / "blobs").iterdir()} == {
        Path(os.readlink(snapshot / file.path)).name for file in packed.files.files
    }


def test_a_folder_named_by_a_link_is_packed(model: Path, evidence: Evidence, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(model)
    assert pack(tmp_path / "link", evidence).files == digest_files(model, list_files(model))


def test_no_swap_lets_pack_write_outside_or_publish_a_private_file(evidence: Evidence, tmp_path: Path) -> None:
    outside, numbers = tmp_path / "outside", count()
    (outside / "snp").mkdir(parents=True)
    for name in ("tokenizer.json", "cvm-key.pem", "snp/report.bin"):
        (outside / name).write_bytes(b"mine")

    def make() -> Path:
        folder = tmp_path / f"model{next(numbers)}"
        for name, data in {"model.safetensors": b"weights", "tok/tokenizer.json": b"{}"}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    def swap(folder: Path) -> None:
        for name in ("tok", "provenance"):
            if (folder / name).exists():
                (folder / name).rename(folder.with_suffix(f".{name}"))
            (folder / name).symlink_to(outside)

    for _, result in race(make, swap, lambda folder: pack(folder, evidence)):
        assert {path.read_bytes() for path in outside.rglob("*") if path.is_file()} == {b"mine"}
        assert len(list(outside.rglob("*"))) == 4
        if not isinstance(result, ProvenanceError):
            assert fsverity_digest(b"mine") not in {file.fsverity for file in result.files.files}
