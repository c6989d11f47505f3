"""Every byte of `provenance/` counts: changing one changes the outcome or the digest of the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import CRL_PATH, RELEASE_PATHS, Release, read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.signed_releases import lay_out_signed
from tests.support.whole_releases import AT

POLICY = load_policy("demo")
SAMPLES = 40  # bytes flipped in each file, besides all its white space


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out_signed(tmp_path_factory.mktemp("bytes") / "release")


def outcome(folder: Path, crl: bytes | None = None) -> object:
    """The digest of the verdict, or the class of the refusal. A list given as `crl` is judged in place of the own."""
    try:
        release = read_release(folder)
        return judge(_with_list(release, crl) if crl else release, POLICY, at=AT).verdict.digest
    except ProvenanceError as error:
        return type(error)


def _with_list(release: Release, crl: bytes) -> Release:
    return replace(release, evidence=replace(release.evidence, crl=crl, crl_name="--crl"))


def flips(data: bytes) -> Iterator[tuple[int, int]]:
    """Places and new values: samples from the whole file, and each white space of a PEM file as two other kinds."""
    for place in range(0, len(data), max(1, len(data) // SAMPLES)):
        yield place, data[place] ^ 1
    if data.startswith(b"-----BEGIN"):
        for place, value in enumerate(data):
            if value in b"\r\n\t ":
                yield from ((place, other) for other in b"\r\t " if other != value)


PATHS = [path for path in RELEASE_PATHS if path != "provenance/snp/vek.pem"]


def test_these_are_all_the_files_of_the_release(folder: Path) -> None:
    found = {str(path.relative_to(folder)) for path in (folder / "provenance").rglob("*") if path.is_file()}
    assert found == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_flipped_byte_changes_the_outcome_or_the_verdict(folder: Path, path: str) -> None:
    good, file = outcome(folder), folder / path
    data = file.read_bytes()
    unchanged = []
    try:
        for place, value in flips(data):
            file.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            unchanged += [(place, value)] if outcome(folder) == good else []
        for longer in (b"\n" + data, data + b"\n", data + b" "):
            file.write_bytes(longer)
            unchanged += [(len(data), longer[-1])] if outcome(folder) == good else []
    finally:
        file.write_bytes(data)
    assert unchanged == []


def test_the_list_in_the_folder_counts_where_another_list_is_judged(folder: Path) -> None:
    """The list that the release brings is read and set aside, so nothing but the verdict can bind its bytes."""
    file = folder / CRL_PATH
    data = file.read_bytes()
    good = outcome(folder, crl=data)
    assert isinstance(good, bytes)
    try:
        file.write_bytes(b"anything else")
        other = outcome(folder, crl=data)
        file.unlink()
        none = outcome(folder, crl=data)
    finally:
        file.write_bytes(data)
    assert len({good, other, none}) == 3
