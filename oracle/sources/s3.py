"""S3 and stores with its interface, through s3fs. Every read names the version that was listed.

In a bucket with versions a read names the VersionId. In any other it names the ETag, which the store compares itself
(If-Match), and a release is listed again after its last byte, with ETag, size and time of every object. One GET streams
an object; nothing is kept on disk.

Address, region and credentials come from the environment and the files of AWS (AWS_ENDPOINT_URL, AWS_REGION,
AWS_PROFILE, AWS_ACCESS_KEY_ID and so on), as botocore reads them. Messages name error codes, never the texts of errors,
so that no credential gets into a log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from provenance_oracle.oracle.sources.object_store import StoredObject
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.files import changed
from provenance_oracle.verifier.text import printable

_PAGE_KEYS = 1000
_PIECE_BYTES = 1024 * 1024
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_WAIT_SECONDS = 300.0  # for one call with all its repetitions
_TRIES = 3
_NS_PER_SECOND = 10**9
_GONE = ("NoSuchKey", "NoSuchVersion", "404", "PreconditionFailed", "412", "InvalidRange", "416")
_NO_VERSIONS = ("NotImplemented", "AccessDenied", "MethodNotAllowed", "403", "405", "501")
_REFUSED = (*_NO_VERSIONS, "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken")


class S3Store:
    """A `Store` below a prefix of a bucket.

    Args:
        bucket, prefix: the place; the prefix may be empty, and has no slash at its end.
        options: further arguments of `s3fs.S3FileSystem`, for tests.

    Raises:
        UsageError: the package `s3fs` is not installed.
    """

    def __init__(self, bucket: str, prefix: str, options: dict[str, Any] | None = None) -> None:
        try:
            from s3fs import S3FileSystem
        except ImportError:
            got, wanted = "no s3fs", "pip install 'provenance-oracle[s3]'"
            raise UsageError("sources in S3 need the extra 's3'", where="sources", got=got, wanted=wanted) from None
        timeouts = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
        config = {**timeouts, "retries": {"max_attempts": 1}}  # s3fs tries again itself
        self._system = S3FileSystem(
            config_kwargs=config, use_listings_cache=False, skip_instance_cache=True, **(options or {})
        )
        self._system.retries = _TRIES
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self.where = f"s3://{bucket}/{prefix}".rstrip("/")
        self._has_versions: bool | None = None

    def tops(self) -> Iterator[str]:
        self._has_versions = None  # an operator can turn them on and off
        for page in self._pages("list_objects_v2", Prefix=self._prefix, Delimiter="/"):
            for found in page.get("CommonPrefixes", []):
                yield found["Prefix"].removeprefix(self._prefix).removesuffix("/")

    def objects(self, below: str) -> Iterator[StoredObject]:
        if not self._is_versioned():
            for page in self._pages("list_objects_v2", Prefix=self._prefix + below):
                for found in page.get("Contents", []):
                    yield self._stored(found, f"etag {found['ETag']} {_nanoseconds(found['LastModified'])}")
            return
        for page in self._pages("list_object_versions", Prefix=self._prefix + below):
            for found in page.get("Versions", []):
                if found["IsLatest"]:
                    yield self._stored(found, f"version {found['VersionId']} {found['ETag']}")

    @contextmanager
    def stream(self, key: str, version: str, size: int, offset: int) -> Iterator[Iterator[bytes]]:
        kind, name, *_ = version.split(" ")
        pinned = {"VersionId": name} if kind == "version" else {"IfMatch": name}
        if offset < size:
            pinned["Range"] = f"bytes={offset}-"
        answer = self._call("get_object", Key=self._prefix + key, **pinned)
        body = answer["Body"]
        try:
            if answer["ContentLength"] != size - min(offset, size):
                raise changed(key)
            yield self._pieces(body, size - offset)
        finally:
            self._system.loop.call_soon_threadsafe(body.close)

    def _pieces(self, body: Any, most: int) -> Iterator[bytes]:
        from fsspec.asyn import sync

        async def piece() -> bytes:
            found = b""
            while len(found) < _PIECE_BYTES and (more := await body.read(_PIECE_BYTES - len(found))):
                found += more
            return found

        while True:
            with self._errors():
                found = sync(self._system.loop, piece, timeout=_WAIT_SECONDS)
            if not found:
                return
            yield found

    def _is_versioned(self) -> bool:
        """Return whether the bucket keeps versions. One that does not tell is read as one that keeps none."""
        if self._has_versions is None:
            try:
                self._has_versions = "Status" in self._call("get_bucket_versioning")
            except _RefusedError as error:
                if error.got not in _NO_VERSIONS:
                    raise
                self._has_versions = False
        return self._has_versions

    def _pages(self, method: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a listing, each of a thousand entries at most."""
        while True:
            page = self._call(method, MaxKeys=_PAGE_KEYS, **arguments)
            yield page
            if not page.get("IsTruncated"):
                return
            if method == "list_objects_v2":
                arguments["ContinuationToken"] = page["NextContinuationToken"]
            else:
                arguments["KeyMarker"] = page["NextKeyMarker"]
                arguments["VersionIdMarker"] = page["NextVersionIdMarker"]

    def _stored(self, found: dict[str, Any], version: str) -> StoredObject:
        key = found["Key"].removeprefix(self._prefix)
        return StoredObject(key, found["Size"], version, _nanoseconds(found["LastModified"]))

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        from fsspec.asyn import sync

        with self._errors(str(arguments.get("Key", ""))):
            found: dict[str, Any] = sync(
                self._system.loop,
                self._system._call_s3,
                method,
                Bucket=self._bucket,
                timeout=_WAIT_SECONDS,
                **arguments,
            )
        return found

    @contextmanager
    def _errors(self, key: str = "") -> Iterator[None]:
        """Turn the errors of s3fs, botocore and aiohttp into those of this project."""
        from aiohttp import ClientError
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (TimeoutError, OSError, BotoCoreError, ClientError, ValueError) as error:
            code = _code_of(error)
            if key and code in _GONE:
                raise changed(key) from None
            if code in _REFUSED:
                raise _RefusedError(self.where, code) from None
            got, wanted = printable(code, 100), "an answer; the next scan asks again"
            raise TemporaryError("the object store does not answer", where=self.where, got=got, wanted=wanted) from None


class _RefusedError(TemporaryError):
    """The store refuses the credentials, or does not know the request."""

    def __init__(self, where: str, code: str) -> None:
        wanted = "credentials in the environment or profile that may list the bucket and read its objects"
        super().__init__("the object store refuses access", where=where, got=code, wanted=wanted)


def _code_of(error: BaseException) -> str:
    """Return the store's code for an error, such as "SlowDown"; else the name of its class. Its text is not used."""
    cause: BaseException | None = error
    while cause is not None:
        answer = getattr(cause, "response", None)
        if isinstance(answer, dict):
            return str(answer.get("Error", {}).get("Code", "")) or type(cause).__name__
        cause = cause.__cause__
    return type(error).__name__


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * _NS_PER_SECOND + at.microsecond * 1000
