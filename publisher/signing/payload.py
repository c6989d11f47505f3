"""The files that a publisher vouches for, as the bytes to sign.

Format: in-toto Statement v1 with the predicate of OpenSSF model signing v1.0
(https://github.com/ossf/model-signing-spec, spec/v1.0.md), files signed whole by SHA-256. The encoding is RFC 8785, so
the same files give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import rfc8785

from provenance_oracle.verifier.identity.match import GIT_FILES
from provenance_oracle.verifier.identity.statement import SIGNATURE_PREDICATE
from provenance_oracle.verifier.manifest.statement import STATEMENT_TYPE

# What the reference verifier should pass over: the files of git, and those parts of `provenance/` that are renewed, or
# that have signatures of their own. Our verifier ignores this list, because its writer chooses it.
_IGNORED = (
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "provenance/cvm-key.pem",
    "provenance/model.sig",
    "provenance/publisher-key.pem",
    "provenance/snp",
)


def make_payload(name: str, digests: Mapping[str, bytes]) -> bytes:
    """Return the payload of a signature over whole files.

    Args:
        name: a name for people; it binds nothing.
        digests: the SHA-256 of each file (32 bytes) by its path in the model, POSIX style. At least one path is no file
            of git at the top.
    """
    signed = {path: digests[path] for path in sorted(digests) if path not in GIT_FILES}
    folders = {path.partition("/")[0] for path in signed}
    root = hashlib.sha256(b"".join(signed.values())).hexdigest()
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": SIGNATURE_PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [path for path in _IGNORED if path not in folders],
            },
            "resources": [
                {"name": path, "algorithm": "sha256", "digest": digest.hex()} for path, digest in signed.items()
            ],
        },
    }
    return rfc8785.dumps(statement)  # type: ignore[arg-type]  # its JSON type is invariant in dict
