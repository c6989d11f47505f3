"""A private key that an Oasis ROFL enclave derives for the app that runs in it."""

from __future__ import annotations

from collections.abc import Mapping

from provenance_oracle.oracle.signers.appd import Appd
from provenance_oracle.oracle.signers.in_memory import InMemorySigner
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps


class RoflSigner(InMemorySigner):
    """Signs with a key of the app. The key exists only in the memory of the enclave, and its id brings it back.

    Every machine of the app gets the same key, so run one machine of an app.

    Attributes:
        appd: the daemon that derived the key.

    Raises:
        UsageError: the extra is missing, `key_id` is malformed, or the daemon refuses it.
        TemporaryError: the daemon does not answer.
    """

    def __init__(self, key_id: str, environ: Mapping[str, str]) -> None:
        forbid_core_dumps()
        self.appd = Appd(environ)
        super().__init__(self.appd.derive_key(key_id), f"rofl:{key_id}")
