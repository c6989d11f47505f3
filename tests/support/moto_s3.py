"""S3 on a loopback port: moto's server, which counts requests and can be told to fail them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_environment import lead_to

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@dataclass
class MotoS3:
    """The server.

    Attributes:
        asked: method, path and query of each request.
        on_get: called with the path of each GET before it is answered.
        fault: returns status, code and text of a refusal for a request; None lets it pass.
    """

    endpoint: str
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    on_get: Callable[[str], object] = lambda _path: None
    fault: Callable[[str, str], tuple[int, str, str] | None] = lambda _method, _path: None

    def client(self) -> Any:
        import boto3

        return boto3.client("s3", region_name="us-east-1", endpoint_url=self.endpoint)

    def bucket(self, name: str, *, versions: bool = False) -> str:
        client = self.client()
        client.create_bucket(Bucket=name)
        if versions:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def upload(self, folder: Path, bucket: str, prefix: str) -> None:
        """Upload a release as a publisher does: the signed manifest last."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(paths, key=lambda path: path.name == "manifest.dsse.json"):
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            self.client().put_object(Bucket=bucket, Key=key, Body=path.read_bytes())


@contextmanager
def running_s3(patch: pytest.MonkeyPatch) -> Iterator[MotoS3]:
    """Run the server, and let the environment lead to it with test credentials."""
    pytest.importorskip("s3fs", reason="no s3fs: pip install 'provenance-oracle[s3]'")
    pytest.importorskip("moto", reason="no moto: pip install 'moto[s3,server]'")
    from moto.server import ThreadedMotoServer

    class Server(ThreadedMotoServer):  # type: ignore[misc]
        """Wraps the application, so that the tests see and refuse requests."""

        def _server_entry(self) -> None:
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
            from werkzeug.serving import make_server

            inner = DomainDispatcherApplication(create_backend_app)
            self._server = make_server("127.0.0.1", 0, _wrapped(inner, lambda: s3), True)
            self._server_ready_event.set()
            self._server.serve_forever()

    server = Server(ip_address="127.0.0.1", port=0, verbose=False)
    s3 = MotoS3("")
    server.start()
    host, port = server.get_host_and_port()
    s3.endpoint = f"http://{host}:{port}"
    lead_to(patch, "S3", s3.endpoint, region="us-east-1", secret=SECRET)
    try:
        yield s3
    finally:
        server.stop()


def _wrapped(inner: Any, server: Callable[[], MotoS3]) -> Any:
    def application(environ: Any, start: Any) -> Any:
        s3, method, path = server(), environ["REQUEST_METHOD"], environ["PATH_INFO"]
        s3.asked.append((method, path, environ["QUERY_STRING"]))
        if (fault := s3.fault(method, path)) is not None:
            status, code, text = fault
            start(f"{status} told to fail", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()]
        if method == "GET":
            s3.on_get(path)
        return inner(environ, start)

    return application
