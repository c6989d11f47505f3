"""A stand-in for Google Cloud KMS and Google's token service, which checks that each request has the documented shape.

KMS: https://docs.cloud.google.com/kms/docs/reference/rest; tokens: RFC 7523, as google-auth asks for them.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

NAME = "projects/example/locations/europe-west3/keyRings/oracle/cryptoKeys/signing/cryptoKeyVersions/1"
_SPKI = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Account:
    """A service account with its own RSA key, as the file of its credentials holds it."""

    email: str = "oracle@example.iam.gserviceaccount.com"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def pem(self) -> str:
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.key.private_bytes(serialization.Encoding.PEM, *form).decode()


@dataclass
class GcpKms:
    """The server. `changes` replaces members of the next answers; `faults` answers the next requests by an error."""

    url: str = ""
    account: Account = field(default_factory=Account)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256K1()))
    algorithm: str = "EC_SIGN_SECP256K1_SHA256"
    faults: list[tuple[int, str]] = field(default_factory=list)
    token_faults: list[int] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    signs: int = 0

    def write_credentials(self, path: Path) -> None:
        document = {
            "type": "service_account",
            "client_email": self.account.email,
            "private_key_id": "k1",
            "private_key": self.account.pem(),
            "token_uri": f"{self.url}/token",
            "project_id": "example",
        }
        path.write_text(json.dumps(document))
        path.chmod(0o600)

    def public_key(self) -> dict[str, Any]:
        pem = self.key.public_key().public_bytes(*_SPKI)
        found = {"pem": pem.decode(), "algorithm": self.algorithm, "pemCrc32c": str(castagnoli(pem)), "name": NAME}
        return found | {"protectionLevel": "HSM"}

    def sign(self, body: dict[str, Any]) -> dict[str, Any]:
        digest = base64.b64decode(body["digest"]["sha256"], validate=True)
        self._require(set(body) == {"digest", "digestCrc32c"} and set(body["digest"]) == {"sha256"}, "other members")
        self._require(body["digestCrc32c"] == str(castagnoli(digest)), "digestCrc32c")
        signature = self.key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        self.signs += 1
        return {
            "signature": base64.b64encode(signature).decode(),
            "signatureCrc32c": str(castagnoli(signature)),
            "verifiedDigestCrc32c": True,
            "name": NAME,
            "protectionLevel": "HSM",
        }

    def grant(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """Check the account's signed claim and return a token."""
        self._require(form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "grant_type")
        head, claims, signature = form["assertion"][0].split(".")
        signed = base64.urlsafe_b64decode(signature + "==")
        public = self.account.key.public_key()
        public.verify(signed, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        found = json.loads(base64.urlsafe_b64decode(claims + "=="))
        self._require(found["iss"] == self.account.email, "iss")
        self._require(found["scope"] == "https://www.googleapis.com/auth/cloudkms", "scope")
        self.tokens.append(f"token-{len(self.tokens)}-of-the-stand-in")
        return {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("POST", "/token"):
            if self.token_faults:
                return self.token_faults.pop(0), {"error": "told_to_fail"}
            return 200, self.grant(parse_qs(body.decode()))
        if headers.get("Authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}
        if self.faults:
            status, name = self.faults.pop(0)
            return status, {"error": {"code": status, "message": "told to fail", "status": name}}
        if (method, path) == ("GET", f"/v1/{NAME}/publicKey"):
            return 200, self.public_key() | self.changes
        if (method, path) == ("POST", f"/v1/{NAME}:asymmetricSign"):
            self._require(headers.get("Content-Type") == "application/json", "Content-Type")
            request = json.loads(body)
            if len(base64.b64decode(request["digest"]["sha256"])) != 32:
                return 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}
            return 200, self.sign(request) | self.changes
        return 404, {"error": {"code": 404, "status": "NOT_FOUND"}}

    def _require(self, holds: bool, words: str) -> None:
        if not holds:
            self.problems.append(words)


def castagnoli(data: bytes) -> int:
    """Return CRC-32C, by division of the bits as one number, unlike the code under test."""
    bits = int.from_bytes(bytes(int(f"{byte:08b}"[::-1], 2) for byte in data))
    value = bits << 32 ^ 0xFFFFFFFF << 8 * len(data)
    for place in range(value.bit_length() - 1, 31, -1):
        if value >> place & 1:
            value ^= 0x11EDC6F41 << place - 32
    return int(f"{value:032b}"[::-1], 2) ^ 0xFFFFFFFF


@contextmanager
def running_gcp_kms(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[GcpKms]:
    """Run the stand-in, and let the environment lead to it with the credentials of a service account."""
    pytest.importorskip("google.auth", reason="no google-auth: pip install 'provenance-oracle[gcp]'")
    kms = GcpKms()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, document = kms.answer(self.command, self.path, self.headers, body)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _handle  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kms.url = f"http://127.0.0.1:{server.server_address[1]}"
    kms.write_credentials(folder / "account.json")
    patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "account.json"))
    patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", f"{kms.url}/")
    patch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kms
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
