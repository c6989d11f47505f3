"""A private sigstore as a server: the certificate authority, the transparency log and the timestamp authority by HTTP.

It answers as sigstore-python asks: Fulcio's `/api/v2/signingCert`, Rekor's `/api/v1/log/entries` or
`/api/v2/log/entries`, and RFC 3161 at `/timestamp`. `FakeSigstore` makes the answers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.fake_sigstore import ROOTS_END, START, FakeSigstore, utf8

ALWAYS = (START, ROOTS_END)
_OPEN = {"ca_window": ALWAYS, "ct_window": ALWAYS, "log_window": ALWAYS, "tsa_window": ALWAYS, "ca_validity": ALWAYS}
_PARTS = {"ca": "caUrls", "oidc": "oidcUrls", "log": "rekorTlogUrls", "tsa": "tsaUrls"}


@dataclass
class SigstoreServer:
    """A running sigstore.

    Attributes:
        url: where it listens.
        world: makes the answers; the certificate of the last request is part of it.
        status: what every request is answered with.
        requests: the paths that were asked for.
    """

    url: str
    world: FakeSigstore
    status: int = 200
    requests: list[str] = field(default_factory=list)

    def config(self) -> bytes:
        """Return the trust configuration of clients: ClientTrustConfig in JSON."""
        selected = {"selector": "ANY"}
        services: dict[str, Any] = {"rekorTlogConfig": selected, "tsaConfig": selected}
        for part, key in _PARTS.items():
            url = f"{self.url}/timestamp" if part == "tsa" else self.url
            version = self.world.version if part == "log" else 1
            if part != "tsa" or self.world.stamped:
                service = {"url": url, "majorApiVersion": version, "operator": "test"}
                services[key] = [service | {"validFor": {"start": "2026-01-01T00:00:00Z"}}]
        config = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", **services}
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": self.world.root(),
                "signingConfig": config,
            }
        ).encode()

    def answer(self, path: str, token: str, asked: bytes) -> bytes:
        """Return the answer to a request."""
        self.requests.append(path)
        if path == "/timestamp":
            request = tsp.TimeStampReq.load(asked)
            return self.world.stamp(request["message_imprint"]["hashed_message"].native)
        question = json.loads(asked)
        if path == "/api/v2/signingCert":
            answer = self._certificate(claims_of(token), question)
        elif path == "/api/v1/log/entries":
            answer = {"uuid": self._entry(json.loads(question["spec"]["proposedContent"]["envelope"]))}
        else:
            spec = question["hashedRekordRequestV002"]
            data = {"algorithm": "SHA2_256", "digest": spec["digest"]}
            body = {"hashedRekordV002": {"data": data, "signature": spec["signature"]}}
            answer = self.world.entry({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": body})
        return json.dumps(answer).encode()

    def _certificate(self, claims: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
        request = x509.load_pem_x509_csr(base64.b64decode(question["certificateSigningRequest"]))
        key, issuer = request.public_key(), claims["iss"]
        assert isinstance(key, ec.EllipticCurvePublicKey)
        extensions = [(1, issuer.encode()), (8, utf8(issuer))]
        if "job_workflow_ref" in claims:
            uri = f"https://github.com/{claims['job_workflow_ref']}"
            name: x509.GeneralName = x509.UniformResourceIdentifier(uri)
            extensions.append((9, utf8(uri)))
        else:
            name = x509.RFC822Name(claims["email"])
        now = datetime.now(UTC).replace(microsecond=0)
        self.world = replace(self.world, signed_at=now, signer=key, names=(name,), extensions=tuple(extensions))
        chain = [self.world.leaf, *self.world.chain]
        pems = [one.public_bytes(Encoding.PEM).decode() for one in chain]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": pems}}}

    def _entry(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Return an entry of a log of version 1 as its API has it."""
        payload, signature = (
            base64.b64decode(text) for text in (envelope["payload"], envelope["signatures"][0]["sig"])
        )
        entry = self.world.entry(self.world.body(payload, signature))
        proof = entry["inclusionProof"]
        return {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": self.world.log_id.hex(),
            "logIndex": int(entry["logIndex"]),
            "verification": {
                "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": [base64.b64decode(one).hex() for one in proof["hashes"]],
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                    "treeSize": int(proof["treeSize"]),
                },
            },
        }


@contextmanager
def sigstore_server(version: int = 1) -> Iterator[SigstoreServer]:
    """Run a sigstore whose log has this version, 1 or 2, with windows that are open for long."""
    world = FakeSigstore(version=version, stamped=version == 2, **_OPEN)  # type: ignore[arg-type]  # all are windows

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._send(sigstore.answer(self.path, token, asked) if sigstore.status == 200 else b"{}")

        def do_GET(self) -> None:
            """Answer `.well-known/openid-configuration`, which some clients read though they have a token."""
            pages = {"authorization_endpoint": f"{sigstore.url}/auth", "token_endpoint": f"{sigstore.url}/token"}
            self._send(json.dumps(pages).encode())

        def _send(self, answer: bytes) -> None:
            self.send_response(sigstore.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sigstore = SigstoreServer(f"http://127.0.0.1:{server.server_address[1]}", world)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield sigstore
        finally:
            server.shutdown()
            thread.join()


def token_of(issuer: str, seconds: int = 600, **claims: object) -> str:
    """Return an OpenID token that nobody signed. The server, like sigstore-python, looks at the claims alone."""
    now = int(datetime.now(UTC).timestamp())
    body = {"aud": "sigstore", "sub": "1", "iat": now - 60, "exp": now + seconds, "iss": issuer, **claims}
    parts = [{"alg": "RS256", "typ": "JWT"}, body]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, base64.urlsafe_b64encode(b"no signature").decode().rstrip("=")])


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
