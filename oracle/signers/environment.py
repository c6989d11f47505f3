"""A private key from an environment variable, for development on local chains."""

from __future__ import annotations

import os
from collections.abc import Mapping

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.in_memory import KEY_BYTES, InMemorySigner
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps


class EnvironmentSigner(InMemorySigner):
    """A private key from an environment variable, for development.

    Args:
        variable: name of the variable. It holds 64 hex digits, with or without 0x.

    Raises:
        UsageError: the variable is missing or holds no key.
    """

    for_development = True

    def __init__(self, variable: str, environ: Mapping[str, str] = os.environ) -> None:
        forbid_core_dumps()
        where = f"environment variable {variable}"
        text = environ.get(variable, "").strip().removeprefix("0x")
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:  # no `got`: the text may be most of a key
            raise UsageError("the variable holds no private key", where=where, wanted="64 hex digits")
        super().__init__(Secret(key), where)
