"""Tests of the download from a hub: recorded models arrive whole, and of anything else nothing arrives."""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.hub import ExpectedFile, expected_hashes, snapshot_download
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    ProvenanceError,
    RecordError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.live_releases import lay_out
from tests.support.stand_in_hub import Asked, Reply, StandInHub, stand_in_hub

pytestmark = pytest.mark.chain

PAGE = Path(__file__).parents[3] / "docs" / "integrations.md"
FILES = {"config.json": b"{}\n", "model.safetensors": bytes(range(256)) * 40, "sub/vocab.txt": b"a\nb\n"}
Download = Callable[..., Any]


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, FILES, table=False, at=JUDGED_AT, with_sha256=True)
    return folder


@pytest.fixture
def download(registry: DeployedRegistry, hub: StandInHub, release: Path) -> Download:
    """Publish the release and push it to the hub; return the function to test, with its options for both."""
    registry.publish(judge(read_release(release), load_policy("demo"), at=JUDGED_AT).record)
    hub.push_folder("org/model", release)
    return partial(
        snapshot_download, "org/model", registry=registry.reader(), policy="demo", endpoint=hub.url, token=False
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def is_weight(asked: Asked) -> bool:
    return "model.safetensors" in asked.path


def test_a_recorded_model_arrives_whole_and_without_notes(
    download: Download, hub: StandInHub, release: Path, tmp_path: Path
) -> None:
    found = download(local_dir=tmp_path / "here")
    assert contents(tmp_path / "here") == contents(release)
    assert os.listdir(tmp_path) == ["here"]
    assert (found.path, found.commit) == (tmp_path / "here", hub.heads["org/model"])
    assert os.fspath(found) == str(found.path)
    assert found.confirmation.entry is not None
    resolved = hub.paths("/org/model/resolve/")
    assert resolved and all(found.commit in path for path in resolved)


def test_by_default_the_folder_is_in_the_cache_and_named_by_the_commit(
    download: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = download(revision="main")
    assert found.path == tmp_path / "provenance" / "models" / "org" / "model" / found.commit


def test_a_folder_that_is_there_is_judged_again_and_not_downloaded(
    download: Download, hub: StandInHub, tmp_path: Path
) -> None:
    place = tmp_path / "here"
    download(local_dir=place)
    hub.asked.clear()
    assert download(local_dir=place).path == place
    assert not any(map(is_weight, hub.asked))
    (place / "config.json").write_bytes(b"[]\n")
    with pytest.raises(VerificationError):
        download(local_dir=place)
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="holds something else"):
        download(local_dir=tmp_path / "other")
    assert sorted(os.listdir(tmp_path)) == ["here", "other"]


def refuse(download: Download, hub: StandInHub, place: Path, error: type[ProvenanceError], **options: Any) -> Any:
    """The download must end with this error, and leave nothing beside its place; return the error."""
    hub.asked.clear()
    with pytest.raises(error) as raised:
        download(local_dir=place, **options)
    assert os.listdir(place.parent) == []
    return raised.value


def test_without_a_record_no_weight_is_asked_for(
    download: Download, hub: StandInHub, release: Path, tmp_path: Path, registry: DeployedRegistry
) -> None:
    record = judge(read_release(release), load_policy("demo"), at=JUDGED_AT).record
    registry.revoke(record)
    assert "revoked" in str(refuse(download, hub, tmp_path / "here", RecordError))
    other = lay_out(tmp_path / "unrecorded" / "other", FILES, table=False, at=JUDGED_AT)
    assert other.digest != record.manifest_digest
    hub.push_folder("org/model", tmp_path / "unrecorded" / "other")
    (tmp_path / "place").mkdir()
    refuse(download, hub, tmp_path / "place" / "here", RecordError)
    assert not any(map(is_weight, hub.asked))


def test_another_recorded_model_is_not_the_one_asked_for(download: Download, hub: StandInHub, tmp_path: Path) -> None:
    hub.commits["evil/model"] = hub.commits["org/model"]
    hub.heads["evil/model"] = hub.heads["org/model"]
    evil = partial(snapshot_download, "evil/model", **download.keywords)  # type: ignore[attr-defined]
    assert "another name" in str(refuse(evil, hub, tmp_path / "here", AppraisalError))
    assert not any(map(is_weight, hub.asked))
    found = evil(local_dir=tmp_path / "here", name="org/model@1.0")
    assert found.commit == hub.heads["evil/model"]
    refused = refuse(download, hub, tmp_path / "empty" / "here", AppraisalError, publisher=b"\x01" * 32)
    assert refused.check is Check.PUBLISHER_IDENTITY
    with pytest.raises(FormatError, match="identities"):
        download(local_dir=tmp_path / "x", identities=["acme"])
    by_key = {"identities": [f"key {'0' * 64}"]}
    assert (
        refuse(download, hub, tmp_path / "empty" / "here", AppraisalError, **by_key).check is Check.PUBLISHER_IDENTITY
    )
    measured = f"simulated-snp-measurement {found.confirmation.judgement.result.claims.report.measurement.hex()}"
    download(local_dir=tmp_path / "mine", identities=[f"key {'0' * 64}", measured])


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"extra.py": b"import os\n"}, Check.FILE_SET),
        ({"config.json": None}, Check.FILE_SET),
        ({"config.json": b"{} \n"}, Check.FILE_SET),
        ({"model.safetensors": bytes(256 * 40)}, Check.FILE_DIGESTS),
    ],
)
def test_other_files_are_refused_before_any_weight(
    download: Download, hub: StandInHub, tmp_path: Path, change: dict[str, bytes | None], check: Check
) -> None:
    files = hub.commits["org/model"][hub.heads["org/model"]] | change
    hub.push("org/model", {path: data for path, data in files.items() if data is not None})
    assert refuse(download, hub, tmp_path / "here", VerificationError).check is check
    assert not any(map(is_weight, hub.asked))


def test_a_byte_that_the_list_does_not_show_is_found_after_the_download(
    download: Download, hub: StandInHub, tmp_path: Path
) -> None:
    files = hub.commits["org/model"][hub.heads["org/model"]]
    hub.push("org/model", {**files, "config.json": b"[]\n"})
    assert refuse(download, hub, tmp_path / "here", VerificationError).check is Check.FILE_DIGESTS
    assert any("config.json" in one.path for one in hub.asked)


def test_bytes_that_the_hub_sends_in_place_of_the_listed_ones_are_found(
    download: Download, hub: StandInHub, tmp_path: Path
) -> None:
    other = Reply(200, bytes(len(FILES["model.safetensors"])), is_whole=False)
    hub.before = lambda asked: other if is_weight(asked) and asked.server == "store" else None
    assert refuse(download, hub, tmp_path / "here", VerificationError).check is Check.FILE_DIGESTS
    assert any(map(is_weight, hub.asked))


def test_a_record_that_is_revoked_during_the_download_is_seen(
    download: Download, hub: StandInHub, release: Path, tmp_path: Path, registry: DeployedRegistry
) -> None:
    record = judge(read_release(release), load_policy("demo"), at=JUDGED_AT).record
    revoked: list[Asked] = []

    def revoke_once(asked: Asked) -> None:
        if is_weight(asked) and asked.server == "store" and not revoked:
            revoked.append(asked)
            registry.revoke(record)

    hub.before = revoke_once
    assert "revoked" in str(refuse(download, hub, tmp_path / "here", RecordError))
    assert len(revoked) == 1


def test_the_attributes_that_the_hub_gives_git_are_let_through(
    download: Download, hub: StandInHub, tmp_path: Path
) -> None:
    files = hub.commits["org/model"][hub.heads["org/model"]]
    hub.push("org/model", {**files, ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
    assert download(local_dir=tmp_path / "here").confirmation.entry is not None


def test_evidence_of_any_size_is_not_downloaded(
    download: Download, hub: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance_oracle.verifier.hub.repository._PROVENANCE_MAX_BYTES", 1000)
    refuse(download, hub, tmp_path / "here", FormatError)
    assert not hub.paths("/org/model/resolve/")


def test_an_interrupted_download_goes_on(download: Download, hub: StandInHub, tmp_path: Path) -> None:
    hub.before = lambda asked: Reply(403, b"no") if is_weight(asked) and asked.server == "store" else None
    with pytest.raises(TemporaryError):
        download(local_dir=tmp_path / "here")
    assert not (tmp_path / "here").exists()
    hub.before = lambda _asked: None
    hub.asked.clear()
    download(local_dir=tmp_path / "here")
    assert os.listdir(tmp_path) == ["here"]
    assert not any("config.json" in one.path for one in hub.asked)


def test_one_process_at_a_time_downloads_a_place(download: Download, hub: StandInHub, tmp_path: Path) -> None:
    folder = tmp_path / f".here.{hub.heads['org/model'][:12]}.part"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(TemporaryError, match="another process"):
            download(local_dir=tmp_path / "here")
    finally:
        os.close(descriptor)
    assert download(local_dir=tmp_path / "here").path.is_dir()


def test_a_model_that_the_hub_lacks_is_a_wrong_name(download: Download, hub: StandInHub, tmp_path: Path) -> None:
    options = download.keywords | {"local_dir": tmp_path / "here"}  # type: ignore[attr-defined]
    for name in ("org/nothing", "../etc", "org", "org/mo del"):
        with pytest.raises(UsageError):
            snapshot_download(name, **options)
    assert os.listdir(tmp_path) == []


def test_the_examples_on_the_page_run(
    download: Download,
    hub: StandInHub,
    registry: DeployedRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert download.keywords["policy"] == "demo"  # type: ignore[attr-defined]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    changes = {
        '"https://rpc.example", "0x..."': f'"{registry.chain.rpc_url}", "{registry.address}"',
        "registry=registry": f'registry=registry, endpoint="{hub.url}", token=False',
        '"acme/tiny-model"': '"org/model"',
        '"baseline"': '"demo"',
    }
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    examples = [block for block in blocks if "provenance_oracle.hub" in block]
    assert len(examples) == 2
    for example in examples:
        for old, new in changes.items():
            assert old in example
            example = example.replace(old, new)
        exec(example, {})
    first, *files = capsys.readouterr().out.splitlines()
    commit = hub.heads["org/model"]
    assert first == f"{tmp_path}/provenance/models/org/model/{commit} {commit}"
    assert sorted(line.split()[0] for line in files) == sorted(FILES)


def test_expected_hashes_need_no_weights(download: Download, hub: StandInHub, release: Path) -> None:
    found = expected_hashes("org/model", **download.keywords)  # type: ignore[attr-defined]
    named = {file.path: file for file in judge(read_release(release), load_policy("demo"), at=JUDGED_AT).files.files}
    assert {path: (one.size, one.fsverity) for path, one in found.items()} == {
        path: (one.size, one.fsverity.hex()) for path, one in named.items()
    }
    assert isinstance(found["config.json"], ExpectedFile)
    assert len(found["config.json"].sha256 or "") == 64
    assert not any(map(is_weight, hub.asked))
    assert replace(found["config.json"], size=0) != found["config.json"]


def test_the_missing_package_is_named_by_its_extra(
    download: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=re.escape("provenance-oracle[hf]")):
        download(local_dir=tmp_path / "here")
    assert os.listdir(tmp_path) == []
