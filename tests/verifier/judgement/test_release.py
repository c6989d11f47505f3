"""The provenance folder: only the files that it may hold, each up to its limit, and no link is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ChangedError, FormatError, IncompleteError, UsageError
from provenance_oracle.verifier.judgement import release as release_module
from provenance_oracle.verifier.judgement.release import (
    BUNDLE_PATH,
    PUBLISHER_KEY_PATH,
    RELEASE_PATHS,
    NoReleaseError,
    read_release,
)
from provenance_oracle.verifier.strict import release_folder
from provenance_oracle.verifier.strict.files import OpenFile, open_file

CONTENT = {path: path.encode() for path in RELEASE_PATHS if path != "provenance/snp/vek.der"}
MANIFEST = "provenance/manifest.dsse.json"


def lay_out(root: Path, content: dict[str, bytes]) -> Path:
    for path, data in content.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "release", CONTENT | {"model.safetensors": b"not read here"})


def test_reads_everything(folder: Path) -> None:
    release = read_release(folder)
    assert release.path == folder
    assert release.envelope == CONTENT[MANIFEST]
    assert release.key == CONTENT["provenance/cvm-key.pem"]
    assert release.own_crl == CONTENT["provenance/snp/ark.crl"]
    evidence = release.evidence
    for data, name in (
        (evidence.report, evidence.report_name),
        (evidence.vek, evidence.vek_name),
        (evidence.chain, evidence.chain_name),
        (evidence.crl, evidence.crl_name),
    ):
        assert data == name.encode()
    assert release.provenance == CONTENT, "every file of the folder"


def test_a_list_from_elsewhere_stands_beside_that_of_the_folder(folder: Path) -> None:
    release = read_release(folder)
    fetched = replace(release, evidence=replace(release.evidence, crl=b"newer", crl_name="fetched CRL"))
    assert fetched.provenance == CONTENT | {"fetched CRL": b"newer"}


def test_optional_files(folder: Path) -> None:
    (folder / "provenance/snp/ark.crl").unlink()
    release = read_release(folder)
    assert (release.evidence.crl, release.own_crl) == (None, None)


def test_the_publishers_signature_is_read_whole(folder: Path) -> None:
    (folder / BUNDLE_PATH).write_bytes(b"bundle")
    (folder / PUBLISHER_KEY_PATH).write_bytes(b"key")
    release = read_release(folder)
    assert (release.signature, release.publisher_key) == (b"bundle", b"key")
    assert [*release.provenance][-2:] == [BUNDLE_PATH, PUBLISHER_KEY_PATH]


def test_vek_in_der(folder: Path) -> None:
    (folder / "provenance/snp/vek.pem").rename(folder / "provenance/snp/vek.der")
    release = read_release(folder)
    assert release.evidence.vek_name == "provenance/snp/vek.der"
    assert release.evidence.vek == b"provenance/snp/vek.pem"


def refused(folder: Path, check: Check) -> FormatError:
    with pytest.raises(FormatError) as raised:
        read_release(folder)
    assert raised.value.check is check
    assert raised.value.where
    return raised.value


def test_incomplete_without_a_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    with pytest.raises(IncompleteError) as raised:
        read_release(folder)
    assert raised.value.where == MANIFEST
    # With or without other files, a release without a manifest is incomplete, not wrong.
    (folder / "provenance/.manifest.dsse.json.partial").write_bytes(b"half")
    (folder / "provenance/snp/report.bin").unlink()
    with pytest.raises(IncompleteError):
        read_release(folder)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"")])
def test_incomplete_without_a_provenance_folder(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "provenance")
    with pytest.raises(IncompleteError):
        read_release(tmp_path)


def no_release(path: Path) -> NoReleaseError:
    with pytest.raises(NoReleaseError) as raised:
        read_release(path)
    assert (raised.value.exit_code, raised.value.retry) == (3, False)
    assert "not a release: no provenance/ in it" in str(raised.value)
    return raised.value


def test_a_folder_without_a_provenance_folder_is_no_release(tmp_path: Path) -> None:
    error = no_release(tmp_path)
    assert error.where == str(tmp_path)
    assert "such as" not in error.wanted


@pytest.mark.parametrize("below", ["provenance", "provenance/snp", "sub/deeper"])
def test_the_release_above_is_named(folder: Path, below: str) -> None:
    (folder / below).mkdir(parents=True, exist_ok=True)
    assert no_release(folder / below).wanted == f"the folder of a release, such as {folder}"


def test_the_release_below_is_named(folder: Path) -> None:
    (folder.parent / "another").mkdir()
    assert no_release(folder.parent).wanted == f"the folder of a release, such as {folder}"


def test_only_so_many_folders_are_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with more entries than the limit is not searched, and the search goes a few folders up at most."""
    monkeypatch.setattr(release_module, "_LOOK_BELOW", 3)
    for number in range(3):
        (folder.parent / f"x{number}").mkdir()
    assert "such as" not in no_release(folder.parent).wanted
    deep = folder / "/".join(["d"] * (release_module._LOOK_ABOVE + 1))
    deep.mkdir(parents=True)
    assert "such as" not in no_release(deep).wanted


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_release(tmp_path / "x")


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("provenance/cvm-key.pem", Check.KEY_BINDING),
        ("provenance/snp/report.bin", Check.REPORT_FORMAT),
        ("provenance/snp/vek.pem", Check.ENDORSEMENTS_FORMAT),
        ("provenance/snp/chain.pem", Check.ENDORSEMENTS_FORMAT),
    ],
)
def test_missing_evidence(folder: Path, path: str, check: Check) -> None:
    (folder / path).unlink()
    error = refused(folder, check)
    assert (error.where, error.problem) == (path, "the file is missing")


def test_no_snp_folder(folder: Path) -> None:
    for path in (folder / "provenance/snp").iterdir():
        path.unlink()
    (folder / "provenance/snp").rmdir()
    refused(folder, Check.ENDORSEMENTS_FORMAT)


def test_two_veks(folder: Path) -> None:
    (folder / "provenance/snp/vek.der").write_bytes(b"x")
    assert "vek.pem and vek.der" in refused(folder, Check.ENDORSEMENTS_FORMAT).got


@pytest.mark.parametrize(
    "path",
    [
        "provenance/extra",
        "provenance/snp/extra",
        "provenance/report.bin",
        "provenance/snp/cvm-key.pem",
        "provenance/CVM-KEY.PEM",
        "provenance/.manifest.dsse.json.partial",
        "provenance/evil.py",
        "provenance/\x1b[31m",
        "provenance/other/x",
        "provenance/snp/snp/x",
    ],
)
def test_anything_else_is_refused(folder: Path, path: str) -> None:
    lay_out(folder, {path: b""})
    assert str(refused(folder, Check.FILE_SET)).isprintable()


@pytest.mark.parametrize("name", ["model.sig", "publisher-key.pem"])
def test_half_of_a_signature_is_incomplete_because_it_comes_after_the_manifest(folder: Path, name: str) -> None:
    lay_out(folder, {f"provenance/.{name}.partial": b"half"})
    with pytest.raises(IncompleteError) as raised:
        read_release(folder)
    assert raised.value.check is Check.PUBLISHER_SIGNATURE
    (folder / "provenance" / f".{name}.partial").rename(folder / "provenance" / "snp" / f".{name}.partial")
    refused(folder, Check.FILE_SET)


def test_many_names_are_refused_unread(folder: Path) -> None:
    lay_out(folder, {f"provenance/snp/{number}": b"" for number in range(50)})
    refused(folder, Check.FILE_SET)


@pytest.mark.parametrize("path", CONTENT)
@pytest.mark.parametrize("kind", ["symlink", "dangling", "fifo", "folder", "hard link"])
def test_only_regular_files(folder: Path, path: str, kind: str) -> None:
    target = folder / path
    target.rename(folder / "moved")
    if kind == "symlink":
        target.symlink_to(folder / "moved")
    elif kind == "dangling":
        target.symlink_to("nowhere")
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        os.link(folder / "moved", target)
    assert refused(folder, Check.FILE_SET).where == path


@pytest.mark.parametrize("path", ["provenance", "provenance/snp"])
def test_folders_are_not_followed(folder: Path, path: str) -> None:
    (folder / path).rename(folder / "moved")
    (folder / path).symlink_to(folder / "moved")
    refused(folder, Check.FILE_SET)


def test_a_link_to_itself(folder: Path) -> None:
    (folder / "provenance").rename(folder / "moved")
    (folder / "provenance").symlink_to("provenance")
    refused(folder, Check.FILE_SET)


@pytest.mark.parametrize("path", CONTENT)
def test_sizes_are_bounded(folder: Path, path: str) -> None:
    most, check = release_module._FILES[path]
    os.truncate(folder / path, most)
    assert read_release(folder)
    os.truncate(folder / path, most + 1)
    error = refused(folder, check)
    assert (error.where, error.got) == (path, f"{most + 1} bytes")
    os.truncate(folder / path, 2**42)
    assert refused(folder, check).got == f"{2**42} bytes"


def test_a_file_that_changes_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    @contextmanager
    def meddling(*args):  # type: ignore[no-untyped-def]
        with open_file(*args) as file:
            assert isinstance(file, OpenFile)
            with open(folder / file.path, "ab") as stream:
                stream.write(b"more")
            yield file

    monkeypatch.setattr(release_folder, "open_file", meddling)
    with pytest.raises(ChangedError):
        read_release(folder)


def test_a_manifest_taken_away_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_look(root: int) -> bool:
        (folder / MANIFEST).unlink()
        return True

    monkeypatch.setattr(release_module, "_has_manifest", first_look)
    with pytest.raises(IncompleteError):
        read_release(folder)
