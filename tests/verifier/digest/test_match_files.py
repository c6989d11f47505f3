"""Differences between a folder and its manifest: all of them are told, with the step that mends them."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import list_files
from provenance_oracle.verifier.digest.match_files import set_aside
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading
from tests.support.hub_caches import note_download
from tests.support.whole_releases import AT, FILES, lay_out

POLICY = load_policy("demo")
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0b" * 32 + "\nsize 9000\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "release")


def judged(release: Path, reading: Reading = STRICT) -> Judgement:
    return judge(read_release(release, reading), POLICY, at=AT)


def refusal(release: Path) -> ProvenanceError:
    with pytest.raises(ProvenanceError) as raised:
        judged(release)
    return raised.value


def uncovered(found: Judgement) -> Any:
    import json

    return json.loads(found.verdict.statement)["predicate"][EXTENSION].get("uncovered")


def test_all_files_with_wrong_bytes_are_told(release: Path) -> None:
    for path, data in FILES.items():
        (release / path).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    error = refusal(release)
    assert isinstance(error, VerificationError)
    assert (error.check, error.problem) == (Check.FILE_DIGESTS, "3 files differ from the manifest")
    assert error.got == "different: config.json, model.safetensors, tokenizer/vocab.txt"


def test_one_file_with_wrong_bytes_is_told_with_its_digests(release: Path) -> None:
    (release / "config.json").write_bytes(b"[]\n")
    error = refusal(release)
    assert (error.where, len(error.got), len(error.wanted)) == ("config.json", 64, 64)


def test_every_refused_entry_is_told_at_once(release: Path) -> None:
    (release / "a\u202fb").write_bytes(b"")
    (release / "c\u200dd").mkdir()
    (release / "c\u200dd" / "e\u200df").write_bytes(b"")
    (release / "link").symlink_to("a")
    os.mkfifo(release / "fifo")
    error = refusal(release)
    assert (error.exit_code, error.check, error.where) == (3, Check.FILE_SET, "release")
    for told in (
        "a\\u202fb: has control, invisible or unknown characters: U+202F (narrow no-break space)",
        "c\\u200dd: has control, invisible or unknown characters: U+200D (zero width joiner)",
        "link: a symbolic link",
        "fifo: a FIFO",
    ):
        assert told in error.got
    assert error.got.count("U+200D") == 1  # what is in the folder is not told again


def test_many_refused_entries_are_counted(release: Path) -> None:
    for number in range(50):
        (release / f"{number}\u202f").write_bytes(b"")
    assert refusal(release).got.endswith("; and 40 more")


def test_lfs_pointers_name_the_command_that_fetches(release: Path) -> None:
    (release / "model.safetensors").write_text(POINTER)
    error = refusal(release)
    assert "git lfs pull" in error.problem
    assert error.got == "Git LFS pointers, not the files: model.safetensors"
    (release / "config.json").write_text("longer")
    error = refusal(release)
    assert "git lfs pull" in error.problem
    assert "of another size: config.json (6 bytes, not 3)" in error.got


def test_small_files_that_are_no_pointers_are_of_another_size(release: Path) -> None:
    (release / "model.safetensors").write_text(POINTER + "x")
    assert "of another size: model.safetensors" in refusal(release).got


def test_a_pointer_swapped_for_a_link_is_not_read(release: Path, tmp_path: Path) -> None:
    from provenance_oracle.verifier.digest.match_files import match_file_set
    from provenance_oracle.verifier.manifest.dsse import parse_envelope
    from provenance_oracle.verifier.manifest.statement import parse_statement

    manifest = parse_statement(parse_envelope(read_release(release).envelope).payload)
    (release / "model.safetensors").write_text(POINTER)
    listing = list_files(release)
    (release / "model.safetensors").rename(tmp_path / "moved")
    (release / "model.safetensors").symlink_to(tmp_path / "moved")
    with pytest.raises(VerificationError, match="of another size"):
        match_file_set(manifest, listing, release)


def test_the_notes_of_a_download_are_set_aside_and_named_in_the_verdict(release: Path) -> None:
    plain = judged(release)
    notes = note_download(release)
    (release / ".gitattributes").write_text("*.gguf filter=lfs diff=lfs merge=lfs -text\n")
    found = judged(release)
    assert found.files.files == plain.files.files
    assert found.files.model_digest == plain.files.model_digest
    assert uncovered(plain) is None
    names = [entry["name"] for entry in uncovered(found)]
    assert names == [".gitattributes", ".cache/huggingface"]
    assert uncovered(found)[1]["annotations"] == {"files": str(sum(p.is_file() for p in notes.rglob("*")))}
    digests = {found.verdict.digest, plain.verdict.digest}
    (release / ".gitattributes").write_text("*.gguf filter=lfs diff=lfs merge=lfs text \n")
    digests.add(judged(release).verdict.digest)
    note = notes / "download" / "config.json.metadata"
    note.write_text(note.read_text().replace("1712656091", "1712656092"))
    digests.add(judged(release).verdict.digest)
    assert len(digests) == 4  # no byte is outside the verdict


def test_a_file_that_the_manifest_names_is_never_set_aside(tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / ".gitattributes").write_text("*.a text\n")
    lay_out(release)
    assert ".gitattributes" in {file.path for file in judged(release).files.files}
    (release / ".gitattributes").write_text("*.b text\n")
    assert refusal(release).check is Check.FILE_DIGESTS


def test_a_note_that_changes_while_files_are_hashed_is_noticed(release: Path) -> None:
    from provenance_oracle.verifier.digest.files import digest_files
    from provenance_oracle.verifier.errors import ChangedError

    note = note_download(release) / ".gitignore"
    listing = set_aside(release, list_files(release), set(FILES) | set(_evidence(release)))
    assert {file.path for file in listing.files} == set(FILES)
    with pytest.raises(ChangedError):
        digest_files(release, listing, progress=lambda _done, _total: note.write_text("x") and None)


def _evidence(release: Path) -> list[str]:
    return [str(p.relative_to(release)) for p in (release / "provenance").rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    ("path", "option"),
    [
        (".git/config", "--ignore .git"),
        (".DS_Store", "--ignore .DS_Store"),
        ("tokenizer/.DS_Store", "--ignore tokenizer/.DS_Store"),
        (".cache/huggingface/download/evil.py", "--ignore .cache"),
        (".gitattributes", "--ignore .gitattributes"),
    ],
)
def test_files_under_names_of_tools_are_malformed_not_forged(release: Path, path: str, option: str) -> None:
    (release / path).parent.mkdir(parents=True, exist_ok=True)
    (release / path).write_bytes(b"import os\n")
    error = refusal(release)
    assert isinstance(error, FormatError)
    assert error.check is Check.FILE_SET
    assert option in error.wanted


def test_beside_any_other_difference_they_are_forged(release: Path) -> None:
    (release / ".DS_Store").write_bytes(b"")
    (release / "evil.py").write_bytes(b"")
    error = refusal(release)
    assert error.exit_code == 4
    assert "not in the manifest: .DS_Store, evil.py" in error.got
    (release / "evil.py").unlink()
    (release / "config.json").unlink()
    assert refusal(release).exit_code == 4


def test_hard_links_in_a_clone_name_the_option(release: Path) -> None:
    (release / ".git").mkdir()
    (release / ".git" / "object").write_bytes(b"")
    os.link(release / ".git" / "object", release / ".git" / "other")
    assert "--ignore .git" in refusal(release).wanted


def test_ignored_files_are_not_covered_and_leave_the_verdict_as_it_is(release: Path) -> None:
    import re

    plain = judged(release)
    shutil.copytree(release / "tokenizer", release / ".git")
    reading = Reading(ignored=(re.compile(r"\.git(?:/.*)?"),))
    found = judged(release, reading)
    assert found.files.ignored == (".git",)
    assert replace(found.files, ignored=()) == plain.files
    assert found.verdict == plain.verdict


def test_a_file_of_the_manifest_cannot_be_ignored(release: Path) -> None:
    import re

    for pattern in ("config.json", "tokenizer"):
        with pytest.raises(UsageError, match="cannot be left out"):
            judged(release, Reading(ignored=(re.compile(pattern),)))
