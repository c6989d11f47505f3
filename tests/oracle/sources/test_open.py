"""Tests of the choice of a source by its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.open import open_sources
from provenance_oracle.verifier.errors import UsageError


def settings(*sources: str) -> Settings:
    return Settings(sources=sources, journal="j", rpc_urls=("http://h",), registry="0x1")


def test_the_first_folder_is_named_folder_and_others_by_their_text(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in "ab"]
    for path in paths:
        Path(path).mkdir()
    found = open_sources(settings(*paths))
    assert [type(source) for source in found] == [FolderSource, FolderSource]
    assert [source.name for source in found] == ["folder", paths[1]]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / ("x" * 300)):
        with pytest.raises(UsageError, match="there is no such folder"):
            open_sources(settings(str(path)))


def test_one_folder_by_two_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="a folder is named twice"):
        open_sources(settings(str(tmp_path), str(tmp_path / "link")))


def test_an_unknown_scheme_is_refused_without_the_rest_of_the_text() -> None:
    with pytest.raises(UsageError, match="there is no such kind of source") as refusal:
        open_sources(settings("gopher://user:s3cret@host/x"))
    assert "s3cret" not in str(refusal.value)


def test_a_bucket_is_opened_by_its_scheme() -> None:
    pytest.importorskip("s3fs", reason="no s3fs: pip install 'provenance-oracle[s3]'")
    (source,) = open_sources(settings("s3://bucket/models"))
    assert source.name == "s3://bucket/models"


@pytest.mark.parametrize("text", ["s3://", "s3://key:s3cret@bucket/x", "s3://b/a/../c", "s3://b/x?y", "s3://b//x"])
def test_another_form_of_a_bucket_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(UsageError, match="another form") as refusal:
        open_sources(settings(text))
    assert "s3cret" not in str(refusal.value)
