"""The token for the Hugging Face Hub, from a file or from the environment. It is in no log line and no error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.secret_files import read_secret
from provenance_oracle.verifier.text import printable

_VARIABLE = "HF_TOKEN"
_MAX_BYTES = 1024
_TOKEN = re.compile(rb"[!-~]+")


def read_hub_token(file: Path | None, environ: Mapping[str, str]) -> Secret | None:
    """Return the token in a file that only its owner can access, else that of HF_TOKEN; None if there is neither.

    Raises:
        UsageError: the file cannot be read, others have rights to it, or it holds no token.
    """
    if file is None:
        where, data = _VARIABLE, environ.get(_VARIABLE, "").encode("utf-8", "surrogateescape")
        if not data:
            return None
    else:
        where = printable(str(file))
        data = read_secret(file, _MAX_BYTES + 1)
    token = data.strip()
    if len(data) > _MAX_BYTES or not _TOKEN.fullmatch(token):
        wanted = f"one word of at most {_MAX_BYTES} printable characters"
        raise UsageError("no token for the hub", where=where, got="something else", wanted=wanted)
    return Secret(token)
