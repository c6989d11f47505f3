"""Releases in an OCI registry: what is one, that its bytes are those of its digest, and where credentials go."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.sources.base import Source
from provenance_oracle.oracle.sources.look import look_at
from provenance_oracle.oracle.sources.oci_login import basic_of
from provenance_oracle.oracle.sources.open import open_named_source
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.stand_in_registry import NAME, StandInRegistry, digest_of, running_registry
from tests.support.whole_releases import AT, lay_out

MARKER = "provenance/manifest.dsse.json"


@pytest.fixture
def registry() -> Iterator[StandInRegistry]:
    with running_registry() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "r")


def source_of(registry: StandInRegistry, releases_max: int = 100, **environ: str) -> Source:
    text = f"oci://{registry.host}/{NAME}"
    settings = Settings(sources=(text,), journal="j", rpc_urls=("http://h",), registry="0x1", releases_max=releases_max)
    return open_named_source(text, settings, environ)


def test_a_release_is_judged_from_a_registry_as_from_a_folder(registry: StandInRegistry, folder: Path) -> None:
    digest = registry.push_folder("v1", folder)
    source = source_of(registry)
    (handle,) = source.releases()
    assert (handle.id, handle.fingerprint, handle.revision) == ("v1", digest, digest)
    with source.open(handle) as files:
        assert files.where == f"oci://{registry.host}/{NAME}@{digest}"
        found = judge(read_release(files), load_policy("demo"), at=AT)
    assert found.verdict.digest == judge(read_release(folder), load_policy("demo"), at=AT).verdict.digest
    blobs = [path for server, path, _ in registry.asked if server == "store"]
    assert len(blobs) == len(set(blobs)) == len([path for path in folder.rglob("*") if path.is_file()])


def test_a_tag_that_moves_leaves_a_release_at_its_digest(registry: StandInRegistry, folder: Path) -> None:
    registry.push_folder("v1", folder)
    source = source_of(registry)
    (handle,) = source.releases()
    registry.push("v1", {MARKER: b"{}"})
    with source.open(handle) as files:
        assert read_release(files).envelope == (folder / MARKER).read_bytes()
    (moved,) = source.releases()
    assert (moved.id, moved.fingerprint != handle.fingerprint) == ("v1", True)


def test_what_is_no_release_is_passed_over(registry: StandInRegistry, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    image = "application/vnd.oci.image.config.v1+json"
    registry.push("image", {MARKER: b"{}"}, artifactType=image)
    registry.push("early", {"model.bin": b"w"})
    registry.tags["gone"] = "sha256:" + "0" * 64
    assert list(source_of(registry).releases()) == []
    told = [message.rpartition(f"{NAME}:")[2] for message in caplog.messages if "passed over" in message]
    assert told == [
        "early: passed over: incomplete, no signed manifest",
        "image: passed over: no CNCF ModelPack artifact",
    ]


def test_tags_come_page_by_page_and_one_artifact_is_one_release(registry: StandInRegistry) -> None:
    registry.page_tags = 3
    for number in range(8):
        registry.push(f"v{number}", {MARKER: b"%d" % (number // 2)})
    assert [handle.id for handle in source_of(registry).releases()] == ["v0", "v2", "v4", "v6"]
    assert len([path for _, path, _ in registry.asked if "/tags/list" in path]) == 3


def test_tags_that_a_scan_leaves_out_come_first_in_the_next(registry: StandInRegistry) -> None:
    for number in range(5):
        registry.push(f"v{number}", {MARKER: b"%d" % number})
    source = source_of(registry, releases_max=2)
    scans = [[handle.id for handle in source.releases()] for _ in range(3)]
    assert scans == [["v0", "v1"], ["v2", "v3"], ["v4", "v0"]]


@pytest.mark.parametrize(
    "page",
    [
        "<http://127.0.0.1:1/v2/acme/model/tags/list?n=1>",  # another host
        "</v2/acme/other/tags/list>",  # another list
        f"</v2/{NAME}/tags/list?n=1000>",  # the page itself
    ],
)
def test_a_page_that_leads_elsewhere_is_not_followed(registry: StandInRegistry, page: str) -> None:
    registry.page_tags, registry.next_page = 1, page
    for tag in ("a", "b"):
        registry.push(tag, {MARKER: b"{}"})
    with pytest.raises(TemporaryError, match="leads elsewhere"):
        list(source_of(registry).releases())


def test_pages_without_end_end(registry: StandInRegistry) -> None:
    """Two addresses lead to each other, and both to the same tag."""
    registry.page_tags, registry.next_page = 1, f"</v2/{NAME}/tags/list?again={{}}>"
    for tag in ("a", "b"):
        registry.push(tag, {MARKER: b"{}"})
    pages = 0

    def count(path: str) -> None:
        nonlocal pages
        pages += path.endswith("/tags/list")
        registry.next_page = f"</v2/{NAME}/tags/list?n=1000&page={pages}>"

    registry.status = count
    assert [handle.id for handle in source_of(registry).releases()] == ["a"]
    assert pages == 20


LAYERS = {
    "an archive": {"mediaType": "application/vnd.cncf.model.weight.v1.tar"},
    "a compressed archive": {"mediaType": "application/vnd.cncf.model.weight.v1.tar+gzip"},
    "another type": {"mediaType": "application/octet-stream"},
    "no path": {"annotations": {}},
    "no text as path": {"annotations": {"org.cncf.model.filepath": 1}},
    "no size": {"size": "10"},
    "true as size": {"size": True},
    "a negative size": {"size": -1},
    "another digest": {"digest": "sha512:" + "0" * 128},
    "a digest that is a path": {"digest": "sha256:../../" + "0" * 58},
    "no digest": {"digest": None},
    "a bad path": {"annotations": {"org.cncf.model.filepath": "../up"}},
}


@pytest.mark.parametrize("change", LAYERS.values(), ids=LAYERS)
def test_a_layer_that_is_no_file_is_refused(registry: StandInRegistry, change: dict[str, object]) -> None:
    layers = [registry.layer(MARKER, b"{}"), {**registry.layer("model.bin", b"w"), **change}]
    registry.push("v1", {}, layers=layers)
    source = source_of(registry)
    (handle,) = source.releases()
    with source.open(handle) as files, pytest.raises(FormatError):
        list_files(files)


def test_an_artifact_with_an_archive_is_named_in_a_row_and_not_unpacked(registry: StandInRegistry) -> None:
    layer = registry.layer("model.tar", b"w", "application/vnd.cncf.model.weight.v1.tar")
    registry.push("v1", {}, layers=[registry.layer(MARKER, b"{}"), layer])
    source = source_of(registry)
    (handle,) = source.releases()
    with source.open(handle) as files:
        look = look_at(files, handle.id)
    assert look is not None
    assert "a layer of the artifact is no single file" in str(look.problem)
    assert not [path for _, path, _ in registry.asked if layer["digest"] in path]


# Bytes.
@pytest.mark.parametrize("other", [b"W" * 3000, b"w" * 2999, b"w" * 3001], ids=["changed", "shorter", "longer"])
def test_a_blob_with_other_bytes_than_its_digest_is_a_change(registry: StandInRegistry, other: bytes) -> None:
    registry.push("v1", {MARKER: b"{}", "model.bin": b"w" * 3000})
    registry.blobs[digest_of(b"w" * 3000)] = other
    source = source_of(registry)
    (handle,) = source.releases()
    with source.open(handle) as files, pytest.raises(ChangedError):
        digest_files(files, list_files(files))


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_connection_that_breaks_goes_on_and_the_digest_still_counts(registry: StandInRegistry, ranges: bool) -> None:
    data = bytes(range(256)) * 1000
    registry.push("v1", {MARKER: b"{}", "model.bin": data})
    source = source_of(registry)
    (handle,) = source.releases()
    with source.open(handle) as files:
        whole = digest_files(files, list_files(files))
        registry.breaks_after, registry.ranges = 100_000, ranges
        if ranges:
            assert digest_files(files, list_files(files)) == whole
            registry.blobs[digest_of(data)] = data[:150_000] + b"\0" + data[150_001:]
        with pytest.raises(TemporaryError):
            digest_files(files, list_files(files))


def test_a_manifest_with_other_bytes_than_its_digest_is_a_change(registry: StandInRegistry) -> None:
    digest = registry.push("v1", {MARKER: b"{}"})
    source = source_of(registry)
    (handle,) = source.releases()
    registry.manifests[digest] = registry.manifests[digest] + b" "
    with source.open(handle) as files, pytest.raises(ChangedError, match="other bytes than the digest names"):
        list_files(files)


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_what_was_deleted_meanwhile(registry: StandInRegistry, kind: str) -> None:
    registry.push("v1", {MARKER: b"{}"})
    source = source_of(registry)
    (handle,) = source.releases()
    getattr(registry, kind).clear()
    with source.open(handle) as files:
        assert look_at(files, handle.id) is None


# The registry's faults, and its login.
@pytest.mark.parametrize("status", [429, 500, 503, 403, 404])
def test_a_registry_that_fails_is_temporary(registry: StandInRegistry, status: int) -> None:
    registry.status = lambda _path: status
    with pytest.raises(TemporaryError, match=f"status {status}"):
        list(source_of(registry).releases())


def test_a_token_is_fetched_with_the_credentials_and_goes_to_the_registry_only(
    registry: StandInRegistry, folder: Path, tmp_path: Path
) -> None:
    registry.password = "s3cret"
    registry.push_folder("v1", folder)
    auth = base64.b64encode(b"user:s3cret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))
    source = source_of(registry, DOCKER_CONFIG=str(tmp_path))
    (handle,) = source.releases()
    with source.open(handle) as files:
        read_release(files)
    headers = {(server, path.startswith("/token"), header) for server, path, header in registry.asked}
    assert headers == {
        ("registry", False, ""),
        ("registry", True, f"Basic {auth}"),
        ("registry", False, "Bearer opaque"),
        ("store", False, ""),
    }
    assert len([path for _, path, _ in registry.asked if path.startswith("/token")]) == 1


def test_wrong_credentials_are_temporary_and_never_told(
    registry: StandInRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry.password = "right"
    with pytest.raises(TemporaryError, match="status 401") as refused:
        list(source_of(registry, OCI_USERNAME="user", OCI_PASSWORD="wr0ng").releases())
    encoded = base64.b64encode(b"user:wr0ng").decode()
    for secret in ("wr0ng", encoded):
        assert secret not in f"{refused.value} {caplog.text}"


def test_no_credentials_are_needed_where_none_are_asked_for() -> None:
    assert basic_of("host", {}) == ""
    assert basic_of("host", {"HOME": "/nonexistent"}) == ""


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"auths": []}', '{"auths": {"host": {"auth": "%%"}}}', "[" * 99])
def test_a_malformed_file_of_credentials_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UsageError, match="malformed"):
        basic_of("host", {"DOCKER_CONFIG": str(tmp_path)})


def test_a_file_of_credentials_for_other_registries_gives_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"other": {"auth": "YTpi"}}, "credsStore": "desktop"}')
    assert basic_of("host", {"DOCKER_CONFIG": str(tmp_path)}) == ""
    assert basic_of("other", {"DOCKER_CONFIG": str(tmp_path)}) == "Basic YTpi"


@pytest.mark.parametrize(
    "text",
    ["oci://", "oci://host", "oci://u:s3cret@host/x", "oci://host/UPPER", "oci://host/a/../b", "oci://host/a?s3cret"],
)
def test_another_form_of_a_repository_is_refused_without_its_text(text: str) -> None:
    settings = Settings(sources=(text,), journal="j", rpc_urls=("http://h",), registry="0x1")
    with pytest.raises(UsageError, match="another form") as refused:
        open_named_source(text, settings, {})
    assert "s3cret" not in str(refused.value)
