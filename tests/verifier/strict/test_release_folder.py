"""A snapshot of the Hugging Face cache is read as it lies there, and no link in it leads anywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import digest_files, digest_some, list_files
from provenance_oracle.verifier.errors import ChangedError, FormatError, ProvenanceError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.strict import release_folder
from provenance_oracle.verifier.strict.release_folder import Reading, followed, open_release_folder
from tests.support.hub_caches import to_cache
from tests.support.whole_releases import AT, FILES, lay_out

POLICY = load_policy("demo")
HUB = Reading(hub_links=True)
WEIGHTS = "model.safetensors"


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return to_cache(lay_out(tmp_path / "release"), tmp_path / "hub")


def refused(snapshot: Path) -> FormatError:
    with pytest.raises(FormatError) as raised:
        judge(read_release(snapshot, HUB), POLICY, at=AT)
    assert raised.value.check is Check.FILE_SET
    return raised.value


def relink(snapshot: Path, text: str, path: str = WEIGHTS) -> None:
    (snapshot / path).unlink()
    (snapshot / path).symlink_to(text)


def test_a_snapshot_has_the_digests_of_the_release(tmp_path: Path, snapshot: Path) -> None:
    found = judge(read_release(snapshot, HUB), POLICY, at=AT)
    plain = judge(read_release(tmp_path / "release"), POLICY, at=AT)
    assert (found.files, found.verdict) == (plain.files, plain.verdict)
    paths = sorted(FILES)
    assert digest_some(snapshot, paths, reading=HUB) == digest_some(tmp_path / "release", paths)


def test_the_oracle_follows_no_link(snapshot: Path) -> None:
    with pytest.raises(FormatError):
        read_release(snapshot)
    with pytest.raises(FormatError):
        list_files(snapshot)


@pytest.mark.parametrize(
    "text",
    [
        "../../blobs/passwd",
        "../../blobs/" + "0" * 39,
        "../../blobs/" + "A" * 40,
        "../../blobs/" + "0" * 64 + "\n",
        "../../blobs/../blobs/" + "0" * 40,
        "../../../models--org--model/blobs/{blob}",
        "../../../../hub/models--org--model/blobs/{blob}",
        "../blobs/{blob}",
        "../../../blobs/{blob}",
        ".././../blobs/{blob}",
        "..//../blobs/{blob}",
        "../../blobs/{blob}/",
        "../../refs/main",
        "config.json",
        "/etc/passwd",
        "{absolute}",
    ],
)
def test_only_the_text_that_the_cache_writes_is_followed(snapshot: Path, text: str) -> None:
    blob = Path(os.readlink(snapshot / WEIGHTS)).name
    absolute = snapshot.parent.parent / "blobs" / blob
    relink(snapshot, text.format(blob=blob, absolute=absolute))
    assert "a symbolic link" in refused(snapshot).got


def test_links_in_folders_have_a_step_more(snapshot: Path) -> None:
    """In `tokenizer/` the cache writes three steps up; two lead out of the repository's own folder `blobs`."""
    path = "tokenizer/vocab.txt"
    text = os.readlink(snapshot / path)
    assert text.startswith("../../../blobs/")
    relink(snapshot, text.removeprefix("../"), path)
    refused(snapshot)


def _blob(snapshot: Path) -> Path:
    return (snapshot / WEIGHTS).resolve()


def _linked_blob(snapshot: Path) -> None:
    blob = _blob(snapshot)
    blob.rename(snapshot.parent.parent / "elsewhere")
    blob.symlink_to(snapshot.parent.parent / "elsewhere")


def _fifo_blob(snapshot: Path) -> None:
    blob = _blob(snapshot)
    blob.unlink()
    os.mkfifo(blob)


def _folder_blob(snapshot: Path) -> None:
    blob = _blob(snapshot)
    blob.unlink()
    blob.mkdir()


def _hard_linked_blob(snapshot: Path) -> None:
    os.link(_blob(snapshot), snapshot.parent.parent / "second name")


def _missing_blob(snapshot: Path) -> None:
    _blob(snapshot).unlink()


def _linked_folder(snapshot: Path) -> None:
    (snapshot / "tokenizer").rename(snapshot.parent / "tokenizer")
    (snapshot / "tokenizer").symlink_to("../tokenizer")


@pytest.mark.parametrize(
    ("damage", "got"),
    [
        (_linked_blob, "a symbolic link"),
        (_fifo_blob, "a FIFO"),
        (_folder_blob, "a folder"),
        (_hard_linked_blob, "2 hard links"),
        (_missing_blob, "download the file again"),
        (_linked_folder, "a symbolic link"),
    ],
)
def test_a_blob_must_be_a_plain_file(snapshot: Path, damage: Callable[[Path], None], got: str) -> None:
    damage(snapshot)
    assert got in refused(snapshot).got


def test_a_linked_folder_of_blobs_is_not_followed(snapshot: Path) -> None:
    repository = snapshot.parent.parent
    (repository / "blobs").rename(repository / "moved")
    (repository / "blobs").symlink_to("moved")
    refused(snapshot)


def test_outside_a_cache_no_link_is_followed(tmp_path: Path, snapshot: Path) -> None:
    """`blobs` beside a folder that is not called `snapshots` is no cache."""
    snapshot.parent.rename(snapshot.parent.parent / "releases")
    refused(snapshot.parent.parent / "releases" / snapshot.name)


def test_a_link_swapped_while_files_are_hashed_is_noticed(snapshot: Path) -> None:
    listing = list_files(snapshot, reading=HUB)
    other = os.readlink(snapshot / "config.json")

    def swap(done_bytes: int, total_bytes: int) -> None:
        if os.readlink(snapshot / WEIGHTS) != other:
            relink(snapshot, other)

    with pytest.raises(ChangedError):
        digest_files(snapshot, listing, progress=swap)


def test_a_blob_swapped_for_a_link_after_the_listing_is_not_followed(snapshot: Path) -> None:
    listing = list_files(snapshot, reading=HUB)
    _linked_blob(snapshot)
    with pytest.raises(FormatError):
        digest_files(snapshot, listing)


def test_what_cannot_be_opened_above_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_args: object, **_options: object) -> int:
        raise PermissionError(13, "no")

    (tmp_path / "folder").mkdir()
    opened = os.open
    monkeypatch.setattr(release_folder.os, "open", lambda p, *a, **k: failing() if p == ".." else opened(p, *a, **k))
    with open_release_folder(tmp_path / "folder", HUB) as folder:
        assert folder.blobs is None


def test_no_descriptor_is_left_open(snapshot: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    judge(read_release(snapshot, HUB), POLICY, at=AT)
    _missing_blob(snapshot)
    with pytest.raises(ProvenanceError):
        read_release(snapshot, HUB)
        list_files(snapshot, reading=HUB)
    assert len(os.listdir("/proc/self/fd")) == before


def test_ignored_folders_are_not_entered(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "fifo")
    (tmp_path / "a").write_bytes(b"")
    listing = list_files(tmp_path, reading=Reading(ignored=(re.compile(r"\.git"),)))
    assert ([file.path for file in listing.files], listing.ignored) == (["a"], (".git",))


def test_only_a_link_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert followed(tmp_path / "link") == tmp_path
    for path in (tmp_path / "circle", tmp_path / "missing", Path("x" * 300), Path("\0"), tmp_path):
        assert followed(path) == path
