"""Tests of kept verdicts: they are on disk before the journal names them, and outlive it."""

from __future__ import annotations

import hashlib
import io
import shutil
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal import evidence as evidence_module
from provenance_oracle.oracle.journal import journal as journal_module
from provenance_oracle.oracle.journal.evidence import FolderEvidence, archive, verdict_in
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict, find_verdict
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.oracle.sources.look import look_at
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.strict.release_files import FolderFiles
from tests.support.drops import drop

AT = datetime(2026, 1, 1, tzinfo=UTC)
STATEMENT = b'{"a": "verdict"}'
DIGEST = hashlib.sha256(STATEMENT).digest()
NAME = f"{DIGEST.hex()[:2]}/{DIGEST.hex()}"


def accepted(journal: Journal, statement: bytes = STATEMENT, evidence: bytes | None = b"tar") -> int:
    row = journal.open(ReleaseKey("folder", "a", bytes(32)), "f", at=AT)
    return journal.accept(row.id, statement, b"record", b"report", evidence=evidence, at=AT).id


def test_a_verdict_is_kept_with_its_evidence(place: str) -> None:
    with open_journal(place) as journal:
        accepted(journal)
        assert (journal.verdict(DIGEST), journal.evidence(DIGEST)) == (STATEMENT, b"tar")
        assert (journal.verdict(bytes(32)), journal.evidence(bytes(32))) == (None, None)
        assert find_verdict(DIGEST, place, None) == KeptVerdict(STATEMENT, b"tar"), "while the oracle runs"
    assert find_verdict(DIGEST, place, None) == KeptVerdict(STATEMENT, b"tar")
    assert find_verdict(bytes(32), place, None) is None


def test_the_evidence_of_a_refused_release_is_not_kept(place: str) -> None:
    with open_journal(place) as journal:
        row = journal.open(ReleaseKey("folder", "a", bytes(32)), "f", at=AT)
        journal.reject(row.id, VerificationError("forged"), STATEMENT, retry_at=AT, at=AT)
        assert (journal.verdict(DIGEST), journal.evidence(DIGEST)) == (STATEMENT, None)


def test_a_verdict_outlives_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        accepted(journal)
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    assert find_verdict(DIGEST, str(path), None) == KeptVerdict(STATEMENT, b"tar")
    with Journal(path) as journal:
        assert journal.rows() == ()
        assert journal.verdict(DIGEST) == STATEMENT


def test_the_name_of_a_file_is_the_digest_of_its_bytes(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
    folder = tmp_path / "verdicts"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files == {f"{NAME}.json": STATEMENT, f"{NAME}.evidence.tar": b"tar"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert modes == {0o700, 0o600}


def test_a_verdict_that_somebody_altered_is_not_shown(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
    (tmp_path / "verdicts" / f"{NAME}.json").write_bytes(b"altered")
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    assert find_verdict(DIGEST, str(tmp_path / "journal.db"), None) is None


def test_the_folder_can_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "kept"
    with Journal(tmp_path / "journal.db", folder) as journal:
        accepted(journal)
    assert (folder / f"{NAME}.json").read_bytes() == STATEMENT
    assert not (tmp_path / "verdicts").exists()


def test_a_file_is_there_before_the_journal_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill right before the commit leaves a file too many; a kill after it never one too few."""
    at_commit: list[bytes | None] = []
    real = Database._commit

    def commit(database: Database) -> None:
        at_commit.append(verdict_in(tmp_path / "verdicts", DIGEST))
        real(database)

    monkeypatch.setattr(Database, "_commit", commit)
    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
        assert at_commit == [None, STATEMENT], "the row is opened, then accepted"


def test_files_that_a_power_loss_emptied_are_written_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        accepted(journal)
        kept = {file: file.read_bytes() for file in tmp_path.glob("journal.db*") if file.suffix != ".lock"}
    for file, data in kept.items():  # the state of the disk before the files were settled
        file.touch(0o600)
        file.write_bytes(data)
    for suffix in (".json", ".evidence.tar"):
        (tmp_path / "verdicts" / f"{NAME}{suffix}").write_bytes(b"")
    Journal(path).close()
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    assert find_verdict(DIGEST, str(path), None) == KeptVerdict(STATEMENT, b"tar")


def test_evidence_leaves_the_journal_once_its_files_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(evidence_module, "sync", lambda path: synced.append(path.name))
    monkeypatch.setattr(journal_module, "_UNSETTLED_MAX", 2)
    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
        assert synced == []
        accepted(journal, b"another verdict")
        assert {f"{DIGEST.hex()}.json", f"{DIGEST.hex()}.evidence.tar", DIGEST.hex()[:2], "verdicts"} <= set(synced)
        assert journal._database.rows("SELECT * FROM evidence") == []
        assert journal.evidence(DIGEST) == b"tar"


def test_a_disk_that_fails_keeps_the_row_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "journal.db") as journal:
        with monkeypatch.context() as patch:
            patch.setattr(FolderEvidence, "_write", fail)
            with pytest.raises(TemporaryError, match="No space left"):
                accepted(journal)
        assert [row.state for row in journal.rows()] == [State.SEEN]
        assert journal.row(accepted(journal)).state is State.JUDGED


def test_a_disk_that_fails_later_leaves_the_evidence_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch, Journal(tmp_path / "journal.db") as journal:
        patch.setattr(evidence_module, "sync", fail)
        accepted(journal)
    shutil.rmtree(tmp_path / "verdicts")
    assert find_verdict(DIGEST, str(tmp_path / "journal.db"), None) == KeptVerdict(STATEMENT, b"tar")
    Journal(tmp_path / "journal.db").close()
    assert verdict_in(tmp_path / "verdicts", DIGEST) == STATEMENT


def test_the_archive_holds_the_files_that_were_judged(tmp_path: Path) -> None:
    folder = drop(tmp_path / "a", {"n": 1})
    look, policy = look_at(FolderFiles(folder), "a"), load_policy("demo")
    assert look is not None and look.release is not None
    kept = archive(look.release, policy)
    with tarfile.open(fileobj=io.BytesIO(kept)) as tar:
        found = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    provenance = folder / "provenance"
    files = [path for path in provenance.rglob("*") if path.is_file()]
    judged = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    assert found == {**judged, "policy.yaml": policy.page}
    assert kept == archive(look.release, policy)
