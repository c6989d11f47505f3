"""A private key in AWS KMS (https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html).

The key has the spec ECC_SECG_P256K1 and the usage SIGN_VERIFY. The account's credentials and region come from where
boto3 finds them, and need the permissions kms:GetPublicKey and kms:Sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from provenance_oracle.oracle.signers.base import DigestSigner
from provenance_oracle.oracle.signers.signatures import address_of_spki, parse_der_signature
from provenance_oracle.verifier.errors import TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.text import printable

_FORM = "awskms:///KEY_ID_OR_ARN"
_URI = re.compile(r"//(?P<endpoint>[A-Za-z0-9.:\[\]-]*)/(?P<key>[A-Za-z0-9:/_-]{1,2048})")
_ARN = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):\d{12}:(key|alias)/.+")
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_KEY_SPEC, _ALGORITHM = "ECC_SECG_P256K1", "ECDSA_SHA_256"
# Short, so that a signal ends the oracle soon. The oracle itself asks again.
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS_MAX = 2, 3, 1
# Errors that pass by themselves. Every other one below status 500 needs a person.
_TEMPORARY = {"KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException", "ServiceUnavailable"}
_TEMPORARY |= {"ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException"}
_TEMPORARY |= {"RequestTimeout", "RequestTimeoutException", "ExpiredTokenException", "RequestExpired"}
_NEXT_STEPS = {
    "AccessDeniedException": "the permissions kms:GetPublicKey and kms:Sign on the key",
    "DisabledException": "an enabled key: aws kms enable-key",
    "KMSInvalidStateException": "an enabled key that is not to be deleted: aws kms describe-key",
    "NotFoundException": "the id, alias or ARN of a key in this account and region",
    "InvalidKeyUsageException": "a key with the usage SIGN_VERIFY",
}
_MORE_STEPS = "credentials of the account that may use the key: aws sts get-caller-identity"


class AwsKmsSigner(DigestSigner):
    """Signs with a key in AWS KMS. The constructor asks once for the public key.

    Args:
        rest: the URI without `awskms:`, as cosign writes it: `///`, then a key's id, ARN or alias. The part between the
            second slash and the third is another endpoint: a VPC endpoint by https, or a local one by http.

    Raises (constructor and every method):
        UsageError: the URI is malformed, the extra, region or credentials are missing, or the key is another kind of
            key, disabled, or not allowed to these credentials.
        TemporaryError: the service does not answer, is overloaded, or answers nonsense.
    """

    def __init__(self, rest: str) -> None:
        forbid_core_dumps()
        found = _URI.fullmatch(rest)
        if found is None:
            raise UsageError("the URI names no key in AWS KMS", where="key", got=printable(rest), wanted=_FORM)
        self._where = f"awskms:///{found['key']}"
        self._key_id = found["key"]
        self._client = self._asked(lambda: _client(self._key_id, found["endpoint"]))
        answer = self._asked(lambda: self._client.get_public_key(KeyId=self._key_id))
        if answer.get("KeyUsage") != "SIGN_VERIFY":
            got, wanted = printable(str(answer.get("KeyUsage"))), f"SIGN_VERIFY, with the spec {_KEY_SPEC}"
            raise UsageError("the key is of another kind", where=self._where, got=got, wanted=wanted)
        super().__init__(address_of_spki(bytes(answer["PublicKey"]), self._where))

    def _sign(self, digest: bytes) -> tuple[int, int]:
        request = {"Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": _ALGORITHM}
        answer = self._asked(lambda: self._client.sign(KeyId=self._key_id, **request))
        return parse_der_signature(bytes(answer["Signature"]), self._where)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        with naming_extras():
            from botocore import exceptions as problems
        try:
            return ask()
        except problems.ClientError as error:
            raise _refusal(error.response, self._where) from None
        except (problems.ConnectionError, problems.HTTPClientError) as error:
            got = printable(type(error).__name__)
            raise TemporaryError("AWS KMS does not answer", where=self._where, got=got, wanted="an answer") from None
        except problems.BotoCoreError as error:  # no credentials, no region, a malformed profile
            got = printable(str(error))
            raise UsageError("AWS KMS cannot be asked", where=self._where, got=got, wanted=_MORE_STEPS) from None


def _client(key_id: str, endpoint: str) -> Any:
    with naming_extras():
        import boto3
        from botocore.config import Config

    arn = _ARN.fullmatch(key_id)
    scheme = "http" if _LOOPBACK.fullmatch(endpoint) else "https"
    timing = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
    return boto3.session.Session().client(
        "kms",
        region_name=arn["region"] if arn else None,
        endpoint_url=f"{scheme}://{endpoint}" if endpoint else None,
        config=Config(retries={"total_max_attempts": _ATTEMPTS_MAX, "mode": "standard"}, **timing),
    )


def _refusal(response: dict[str, Any], where: str) -> UsageError | TemporaryError:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    got = printable(f"status {status}, {code}")
    if code in _TEMPORARY or status >= 500 or status == 429:
        return TemporaryError(
            "AWS KMS does not sign now", where=where, got=got, wanted="a signature; it is asked again"
        )
    return UsageError("AWS KMS refuses the key", where=where, got=got, wanted=_NEXT_STEPS.get(code, _MORE_STEPS))
