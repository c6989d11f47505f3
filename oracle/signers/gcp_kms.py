"""A private key in Google Cloud KMS (https://docs.cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions/asymmetricSign).

The key's version has the algorithm EC_SIGN_SECP256K1_SHA256, which Google offers with the protection level HSM. The
account's credentials come from where google-auth finds them, and need the permissions
cloudkms.cryptoKeyVersions.viewPublicKey and cloudkms.cryptoKeyVersions.useToSign.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from provenance_oracle.oracle.signers.base import DigestSigner
from provenance_oracle.oracle.signers.signatures import address_of_spki, parse_der_signature
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.strict.crc32c import crc32c
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, Server, default_port, environment_proxy
from provenance_oracle.verifier.strict.parse_json import parse_json
from provenance_oracle.verifier.text import printable

_FORM = "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N"
# Another endpoint than Google's; the variable is the one of `gcloud` for its property api_endpoint_overrides/cloudkms.
ENDPOINT_VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"
_ENDPOINT = "https://cloudkms.googleapis.com/"
_SCOPE = "https://www.googleapis.com/auth/cloudkms"
_PART = "[A-Za-z0-9:._-]{1,63}"
_NAME = re.compile(
    rf"projects/{_PART}/locations/{_PART}/keyRings/{_PART}/cryptoKeys/{_PART}/cryptoKeyVersions/[1-9][0-9]{{0,9}}"
)
_ALGORITHM = "EC_SIGN_SECP256K1_SHA256"
_ANSWER_MAX_BYTES, _ANSWER_SECONDS, _TOKEN_SECONDS = 64 * 1024, 5.0, 5.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NEXT_STEPS = {
    401: "credentials that are valid: gcloud auth application-default login",
    403: "the role roles/cloudkms.signerVerifier on the key",
    404: f"the name of a key's version, as in {_FORM}",
}
_ENABLED = "an enabled version: gcloud kms keys versions enable"


class GcpKmsSigner(DigestSigner):
    """Signs with a version of a key in Google Cloud KMS. The constructor asks once for the public key.

    Args:
        rest: the URI without `gcpkms:`.
        environ: may name another endpoint.

    Raises (constructor and every method):
        UsageError: the URI is malformed, the extra or the credentials are missing, or the key is another kind of key,
            disabled, or not allowed to these credentials.
        TemporaryError: the service does not answer, is overloaded, or answers nonsense.
    """

    def __init__(self, rest: str, environ: Mapping[str, str]) -> None:
        forbid_core_dumps()
        self._name = rest.removeprefix("//")
        if not rest.startswith("//") or _NAME.fullmatch(self._name) is None:
            raise UsageError("the URI names no key in Google Cloud KMS", where="key", got=printable(rest), wanted=_FORM)
        self._where = f"gcpkms://{self._name}"
        self._lock = threading.Lock()
        self._client = HttpClient(_server(environ.get(ENDPOINT_VARIABLE) or _ENDPOINT))
        self._token = _token_source(self._where)
        answer = self._asked("GET", f"/v1/{self._name}/publicKey", None)
        if answer.get("algorithm") != _ALGORITHM:
            got = printable(str(answer.get("algorithm")))
            raise UsageError("the key is of another kind", where=self._where, got=got, wanted=_ALGORITHM)
        pem = str(answer.get("pem")).encode()
        self._match("pemCrc32c", answer, str(crc32c(pem)))
        super().__init__(address_of_spki(pem, self._where))

    def _sign(self, digest: bytes) -> tuple[int, int]:
        request = {
            "digest": {"sha256": base64.b64encode(digest).decode()},
            "digestCrc32c": str(crc32c(digest)),
        }
        answer = self._asked("POST", f"/v1/{self._name}:asymmetricSign", request)
        self._match("verifiedDigestCrc32c", answer, True)
        self._match("name", answer, self._name)
        try:
            signature = base64.b64decode(str(answer.get("signature")), validate=True)
        except binascii.Error:
            signature = b""
        self._match("signatureCrc32c", answer, str(crc32c(signature)))
        return parse_der_signature(signature, self._where)

    def _match(self, name: str, answer: Mapping[str, Any], wanted: object) -> None:
        """Raise TemporaryError unless a member of an answer is as wanted: then something on the way altered it."""
        got = answer.get(name)
        if got != wanted or type(got) is not type(wanted):
            problem = f"the answer's {name} does not fit, so the answer or the request was altered on its way"
            raise TemporaryError(problem, where=self._where, got=printable(str(got)), wanted=printable(str(wanted)))

    def _asked(self, method: str, path: str, request: Mapping[str, Any] | None) -> Mapping[str, Any]:
        body = None if request is None else json.dumps(request).encode()
        with self._lock:
            headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
            answer = self._client.exchange(method, path, headers, body, body_max_bytes=_ANSWER_MAX_BYTES)
        value = _parsed(answer.body, self._where)
        if answer.status != 200:
            raise _refusal(answer, value, self._where)
        return value


def _server(endpoint: str) -> Server:
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        got = printable(f"{parts.scheme}://{host}")
        raise UsageError("the endpoint must be reached by https", where=ENDPOINT_VARIABLE, got=got, wanted=_ENDPOINT)
    port = parts.port or default_port(parts.scheme)
    return Server(parts.scheme, host, port, host, _ANSWER_SECONDS, environment_proxy(parts.scheme, host))


def _token_source(where: str) -> Callable[[], str]:
    """Return a function that returns an access token, and asks for another one shortly before it ends.

    Only the function holds the credentials, so that no print of a signer shows them.
    """
    with naming_extras():
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    try:
        credentials, _project = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as error:
        raise _no_token(error, where) from None

    refresh: Any = credentials.refresh

    def token() -> str:
        if not credentials.valid:
            request = Request()
            try:
                refresh(lambda *args, **more: request(*args, **{**more, "timeout": _TOKEN_SECONDS}))
            except GoogleAuthError as error:
                raise _no_token(error, where) from None
        return str(credentials.token)

    return token


def _no_token(error: Any, where: str) -> UsageError | TemporaryError:
    """Return the error for an account without a token. Only the class of the library's error shows, not its words."""
    got, wanted = type(error).__name__, _NEXT_STEPS[401]
    if getattr(error, "retryable", False) or got == "TransportError":
        return TemporaryError("no access token can be had now", where=where, got=got, wanted="an access token")
    return UsageError("no access token can be had", where=where, got=got, wanted=wanted)


def _parsed(body: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = parse_json(body, where=where, check=Check.REGISTRY_RECORD, max_bytes=_ANSWER_MAX_BYTES)
    except FormatError as error:
        raise TemporaryError("the answer is not JSON", where=where, got=error.got, wanted="JSON") from None
    if not isinstance(value, dict):
        raise TemporaryError("the answer is not an object", where=where, wanted="a JSON object")
    return value


def _refusal(answer: Answer, value: Mapping[str, Any], where: str) -> UsageError | TemporaryError:
    error = value.get("error")
    state = str(error.get("status", "")) if isinstance(error, dict) else ""
    got = printable(f"status {answer.status}, {state}")
    if answer.status >= 500 or answer.status in (408, 429) or state == "RESOURCE_EXHAUSTED":
        return TemporaryError("Google Cloud KMS does not sign now", where=where, got=got, wanted="a signature")
    wanted = _NEXT_STEPS.get(answer.status, _ENABLED)
    return UsageError("Google Cloud KMS refuses the key", where=where, got=got, wanted=wanted)
