"""Releases in buckets: which are found, that every read is of the version that was listed, and what faults cost."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.object_store import ObjectStoreSource
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.drops import drop
from tests.support.moto_s3 import SECRET, MotoS3, running_s3
from tests.support.whole_releases import AT, lay_out

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[MotoS3]:
    with pytest.MonkeyPatch.context() as patch, running_s3(patch) as running:
        yield running


@pytest.fixture
def s3(server: MotoS3) -> Iterator[MotoS3]:
    server.asked.clear()
    yield server
    server.on_get = lambda _path: None
    server.fault = lambda _method, _path: None


@pytest.fixture(params=[False, True], ids=["no versions", "versions"])
def bucket(s3: MotoS3, request: pytest.FixtureRequest) -> str:
    return s3.bucket(f"bucket-{abs(hash(request.node.name))}", versions=request.param)


def source_of(bucket: str, prefix: str = "", releases_max: int = 100) -> ObjectStoreSource:
    from provenance_oracle.oracle.sources.s3 import S3Store

    place = f"s3://{bucket}/{prefix}"
    return ObjectStoreSource(place, S3Store(bucket, prefix), releases_max=releases_max)


def put(s3: MotoS3, bucket: str, key: str, data: bytes = b"x") -> None:
    s3.client().put_object(Bucket=bucket, Key=key, Body=data)


def test_a_release_is_judged_from_a_bucket_as_from_a_folder(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "r")
    s3.upload(folder, bucket, "models/org/r")
    source = source_of(bucket, "models")
    (handle,) = source.releases()
    assert handle.id == "org/r"
    assert handle.total_bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with source.open(handle) as files:
        assert files.where == f"s3://{bucket}/models/org/r"
        found = judge(read_release(files), load_policy("demo"), at=AT)
    assert found.verdict.digest == judge(read_release(folder), load_policy("demo"), at=AT).verdict.digest


def test_a_release_without_its_manifest_is_incomplete(
    s3: MotoS3, bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    s3.upload(lay_out(tmp_path / "r"), bucket, "org/r")
    source = source_of(bucket)
    assert [handle.id for handle in source.releases()] == ["org/r"]
    s3.client().delete_object(Bucket=bucket, Key="org/r/provenance/manifest.dsse.json")
    assert list(source.releases()) == []
    assert f"s3://{bucket}/:org/r: incomplete, no signed manifest yet" in caplog.messages


def test_every_change_of_an_object_changes_the_fingerprint(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    source = source_of(bucket)
    seen = [next(source.releases()).fingerprint for _ in range(2)]
    put(s3, bucket, "org/r/model.bin", b"other!!")
    seen.append(next(source.releases()).fingerprint)
    put(s3, bucket, "org/r/more.bin")
    seen.append(next(source.releases()).fingerprint)
    assert (len(set(seen)), seen[0]) == (3, seen[1])


def opened(source: ObjectStoreSource) -> Handle:
    (handle,) = source.releases()
    return handle


def test_an_object_overwritten_while_it_is_hashed_is_a_change(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    put(s3, bucket, "org/r/big.bin", bytes(3 * MIB))
    source = source_of(bucket)
    with source.open(opened(source)) as files:
        listing = list_files(files)
        done: list[int] = []

        def overwrite(read_bytes: int, _all: int) -> None:
            if not done:
                put(s3, bucket, "org/r/big.bin", b"\1" * (3 * MIB))
            done.append(read_bytes)

        with pytest.raises(ChangedError):
            digest_files(files, listing, hasher=CpuHasher(2), progress=overwrite)
        assert done


def test_an_object_overwritten_before_it_is_read(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    """With versions the old one is read, and the listing at the end tells; else the store compares the ETag."""
    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    source = source_of(bucket)
    with source.open(opened(source)) as files:
        listing = list_files(files)
        put(s3, bucket, "org/r/model.bin", b"WEIGHTS")
        with pytest.raises(ChangedError):
            digest_files(files, listing)


def test_every_object_is_read_by_one_request_that_names_its_version(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    put(s3, bucket, "org/r/big.bin", bytes(3 * MIB))
    source = source_of(bucket)
    with source.open(opened(source)) as files:
        listing = list_files(files)
        s3.asked.clear()
        digest_files(files, listing)
    reads = [(path, query) for method, path, query in s3.asked if method == "GET" and path.endswith(".bin")]
    assert sorted(path for path, _ in reads) == [f"/{bucket}/org/r/big.bin", f"/{bucket}/org/r/model.bin"]
    versions = s3.client().get_bucket_versioning(Bucket=bucket).get("Status")
    assert all(("versionId=" in query) == (versions == "Enabled") for _, query in reads)


def test_an_object_that_was_uploaded_in_parts(s3: MotoS3, bucket: str) -> None:
    client, key = s3.client(), "org/r/parts.bin"
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    parts = []
    for number, data in enumerate((b"\1" * (5 * MIB), b"\2" * 1000), 1):
        tag = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data)["ETag"]
        parts.append({"ETag": tag, "PartNumber": number})
    client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    with source_of(bucket).open(Handle("org/r", "")) as files:
        (file,) = digest_files(files, list_files(files), sha256_of={"parts.bin"}).files
    assert file.sha256 == hashlib.sha256(b"\1" * (5 * MIB) + b"\2" * 1000).digest()


@pytest.mark.parametrize("bucket", [False], indirect=True, ids=["no versions"])
def test_a_listing_goes_page_by_page(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    from moto.backends import get_backend

    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    backend = get_backend("s3")["123456789012"]["aws"]
    for number in range(5000):
        backend.put_object(bucket, f"org/r/shards/{number:05}.bin", b"x")
    source = source_of(bucket)
    s3.asked.clear()
    handle = opened(source)
    assert len([query for _, _, query in s3.asked if "list-type=2" in query and "delimiter" not in query]) == 6
    with source.open(handle) as files:
        assert len(list_files(files).files) == 5001


@pytest.mark.parametrize("bucket", [False], indirect=True, ids=["no versions"])
@pytest.mark.parametrize("name", ["a//b", "../up", "a\tb", "\u202etxt", "A.txt", "provenance2/../x"])
def test_a_hostile_name_is_refused_by_the_reader_of_the_release(s3: MotoS3, bucket: str, name: str) -> None:
    for key in ("a.txt", name):
        put(s3, bucket, f"org/r/{key}")
    with source_of(bucket).open(Handle("org/r", "")) as files, pytest.raises(FormatError):
        list_files(files)


def test_what_is_passed_over(s3: MotoS3, bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    marker = "provenance/manifest.dsse.json"
    for path in ("", ".hidden/", "a/.hidden/", "a/b/c/d/e/", "a\u202eb/", "good/", "good/inner/", "one/two/three/r/"):
        put(s3, bucket, f"root/{path}{marker}", b"{}")
    source = source_of(bucket, "root")
    assert sorted(handle.id for handle in source.releases()) == ["good", "one/two/three/r"]
    told = " ".join(caplog.messages)
    for reason in ("itself a release", "hidden", "more than 4 levels", "cannot be shown"):
        assert reason in told


def test_owners_take_turns_and_none_is_left_out(s3: MotoS3, bucket: str) -> None:
    for name in ("flood/1", "flood/2", "flood/3", "honest/1"):
        put(s3, bucket, f"{name}/provenance/manifest.dsse.json", b"{}")
    source = source_of(bucket, releases_max=2)
    first, second = ([handle.id for handle in source.releases()] for _ in range(2))
    assert first == ["flood/1", "honest/1"]
    assert second == ["flood/2", "flood/3"]
    assert source.shares(Handle("honest/1", ""))[0] == f"s3://{bucket}/ honest"


# Faults of the store.
def test_a_store_that_asks_to_slow_down_is_asked_again(s3: MotoS3, bucket: str, tmp_path: Path) -> None:
    s3.upload(drop(tmp_path / "r", {}), bucket, "org/r")
    refusals = [(503, "SlowDown", "Please reduce your request rate.")] * 2
    s3.fault = lambda _method, _path: refusals.pop() if refusals else None
    assert opened(source_of(bucket)).id == "org/r"
    assert refusals == []


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (503, "SlowDown", "does not answer"),
        (500, "InternalError", "does not answer"),
        (403, "SignatureDoesNotMatch", "refuses access"),
        (403, "InvalidAccessKeyId", "refuses access"),
        (403, "AccessDenied", "refuses access"),
        (404, "NoSuchBucket", "does not answer"),
    ],
)
@pytest.mark.parametrize("bucket", [False], indirect=True, ids=["no versions"])
def test_a_refusal_is_temporary_and_shows_only_its_code(
    s3: MotoS3, bucket: str, status: int, code: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    s3.fault = lambda _method, _path: (status, code, f"you signed with {SECRET}")
    with pytest.raises(TemporaryError, match=told) as refused:
        list(source_of(bucket).releases())
    assert code in str(refused.value)
    assert refused.value.where == f"s3://{bucket}"
    assert SECRET not in f"{refused.value} {caplog.text}"


def test_a_store_that_is_not_there_is_temporary(s3: MotoS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(TemporaryError, match="does not answer"):
        list(source_of("bucket").releases())


def test_no_credentials_at_all_is_temporary(s3: MotoS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(TemporaryError, match="NoCredentialsError"):
        list(source_of("bucket").releases())
