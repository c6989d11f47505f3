"""Releases that have only a signature, as sources find them: on the hub by repository, in folders by a setting."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.sources.base import Source
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.hub import HubSource, parse_hub_source
from provenance_oracle.oracle.sources.hub_api import HubApi
from provenance_oracle.oracle.sources.look import Look, look_at
from provenance_oracle.oracle.sources.web_client import WebClient
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.signed_release import FoundName, SignedRelease
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from tests.support.model_signatures import FILES, key_bundle, statement_over, write_files
from tests.support.stand_in_hub import StandInHub, stand_in_hub
from tests.support.whole_releases import lay_out

BUNDLE = json.dumps(key_bundle()).encode()
SIGNED = FILES | {"model.sig": BUNDLE}
PAYLOAD_DIGEST = hashlib.sha256(json.dumps(statement_over(FILES)).encode()).digest()


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


def hub_source(hub: StandInHub, *, takes_signed: bool = True) -> HubSource:
    parts = parse_hub_source("hf://acme")
    return HubSource("hf://acme", parts, HubApi(WebClient(hub.url)), releases_max=10, takes_signed=takes_signed)


def folder_source(root: Path, namespace: str = "acme") -> FolderSource:
    return FolderSource(root, releases_max=10, signed_namespace=namespace)


def looks(source: Source) -> dict[str, Look]:
    found = {}
    for handle in source.releases():
        with source.open(handle) as files:
            look = look_at(files, handle.id)
            assert look is not None
            found[handle.id] = look
    return found


def test_a_commit_with_only_a_signature_has_the_name_of_its_repository(hub: StandInHub) -> None:
    commit = hub.push("acme/signed", SIGNED)
    look = looks(hub_source(hub))["acme/signed"]
    assert isinstance(look.release, SignedRelease)
    assert look.release.found == FoundName("acme/signed", commit)
    assert (look.path, look.envelope, look.content) == ("model.sig", BUNDLE, PAYLOAD_DIGEST)


def test_a_policy_that_takes_none_finds_none(hub: StandInHub) -> None:
    hub.push("acme/signed", SIGNED)
    assert looks(hub_source(hub, takes_signed=False)) == {}


def test_a_commit_with_evidence_is_of_the_other_kind(hub: StandInHub, tmp_path: Path) -> None:
    """Not even if its manifest is missing: then it is incomplete."""
    release = lay_out(tmp_path)
    (release / "model.sig").write_bytes(BUNDLE)
    hub.push_folder("acme/both", release)
    (release / MANIFEST_PATH).unlink()
    hub.push_folder("acme/incomplete", release)
    found = looks(hub_source(hub))
    assert list(found) == ["acme/both"]
    assert isinstance(found["acme/both"].release, Release)


def test_a_commit_without_a_signature_is_no_release(hub: StandInHub) -> None:
    hub.push("acme/plain", FILES)
    hub.push("acme/deeper", FILES | {"sub/model.sig": BUNDLE})
    hub.push("acme/longer", FILES | {"model.sig.txt": BUNDLE})
    assert looks(hub_source(hub)) == {}


def test_a_folder_is_named_by_the_operator(tmp_path: Path) -> None:
    write_files(tmp_path / "team" / "tiny", SIGNED)
    write_files(tmp_path / "plain", FILES)
    found = looks(folder_source(tmp_path))
    assert list(found) == ["team/tiny"]
    release = found["team/tiny"].release
    assert isinstance(release, SignedRelease)
    assert release.found == FoundName("acme/tiny", hashlib.sha256(BUNDLE).hexdigest())
    assert looks(folder_source(tmp_path, namespace="")) == {}


def test_a_folder_with_evidence_is_of_the_other_kind(tmp_path: Path) -> None:
    release = lay_out(tmp_path / "both")
    (release / "model.sig").write_bytes(BUNDLE)
    lay_out(tmp_path / "incomplete")
    (tmp_path / "incomplete" / MANIFEST_PATH).unlink()
    (tmp_path / "incomplete" / "model.sig").write_bytes(BUNDLE)
    found = looks(folder_source(tmp_path))
    assert list(found) == ["both"]
    assert isinstance(found["both"].release, Release)


def test_a_folder_whose_name_is_none_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path / "a model", SIGNED)
    look = looks(folder_source(tmp_path))["a model"]
    assert isinstance(look.problem, FormatError)
    assert (look.path, look.content) == ("model.sig", PAYLOAD_DIGEST)


def test_a_bundle_that_is_none_is_told_by_its_bytes(tmp_path: Path) -> None:
    """It is read, and its judgement refuses it."""
    write_files(tmp_path / "tiny", FILES | {"model.sig": b"{}"})
    look = looks(folder_source(tmp_path))["tiny"]
    assert look.content == hashlib.sha256(b"{}").digest()


def test_a_link_in_place_of_a_bundle_is_not_followed(tmp_path: Path) -> None:
    write_files(tmp_path / "tiny", FILES)
    (tmp_path / "outside").write_bytes(BUNDLE)
    (tmp_path / "tiny" / "model.sig").symlink_to(tmp_path / "outside")
    assert looks(folder_source(tmp_path)) == {}
