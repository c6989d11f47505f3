"""AWS KMS on a loopback port: moto's server, which signs digests here as AWS does and can be told to fail.

moto 5 hashes every message, also one of the type DIGEST. So the signing of the type DIGEST is put right here, and each
request of a signature is compared with the shape of the API's page.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.aws_environment import lead_to

REGION = "eu-central-1"


@dataclass
class MotoKms:
    """The server. `faults` holds one answer for each of the next requests: status and the error's name."""

    endpoint: str
    faults: list[tuple[int, str]] = field(default_factory=list)
    signs: list[dict[str, Any]] = field(default_factory=list)

    def client(self) -> Any:
        import boto3

        return boto3.client("kms", region_name=REGION, endpoint_url=self.endpoint)

    def make_key(self, spec: str = "ECC_SECG_P256K1", usage: str = "SIGN_VERIFY") -> str:
        """Make a key and return its ARN."""
        return str(self.client().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"])


@contextmanager
def running_kms(patch: pytest.MonkeyPatch) -> Iterator[MotoKms]:
    """Run the server, and let the environment lead boto3 to it with test credentials."""
    pytest.importorskip("boto3", reason="no boto3: pip install 'provenance-oracle[aws]'")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from moto.kms.responses import KmsResponse
    from moto.kms.utils import ECDSAPrivateKey
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    kms = MotoKms(f"http://{host}:{port}")
    sign, call = KmsResponse.sign, KmsResponse.call_action

    def checked_sign(self: Any) -> str:
        body = {name: self._get_param(name) for name in ("KeyId", "Message", "MessageType", "SigningAlgorithm")}
        kms.signs.append(body)
        assert (body["MessageType"], body["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        assert len(body["Message"]) == 32
        return sign(self)

    def faulty(self: Any) -> Any:
        if kms.faults:
            status, name = kms.faults.pop(0)
            return status, {"status": status}, json.dumps({"__type": name, "message": "told to fail"})
        return call(self)

    def sign_digest(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        return bytes(self.private_key.sign(message, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))

    patch.setattr(KmsResponse, "sign", checked_sign)
    patch.setattr(KmsResponse, "call_action", faulty)
    patch.setattr(ECDSAPrivateKey, "sign", sign_digest)
    secret = base64.b64encode(b"a secret of thirty bytes or so").decode()
    lead_to(patch, "KMS", kms.endpoint, region=REGION, secret=secret)
    try:
        yield kms
    finally:
        server.stop()
