"""The files of a deployment: the deployment file, that of an earlier registry, and the transaction on its way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.cli.options import read_bounded
from provenance_oracle.verifier.errors import UsageError, unwritten

if TYPE_CHECKING:
    from provenance_oracle.verifier.registry.deployment import Deployment

_SENT_MAX_BYTES = 512 * 1024


class SentFile:
    """The signed bytes of a deployment, in hex, beside the deployment file `DIR/<chain id>.json` to come.

    `deploy` writes them before it sends them and removes them when the deployment file is written. They are public.
    """

    def __init__(self, deployment_file: Path) -> None:
        self.path = deployment_file.with_suffix(".sent")

    @property
    def exists(self) -> bool:
        """Whether an earlier run left the file."""
        return os.path.lexists(self.path)

    def read(self) -> bytes:
        """Return the signed bytes of an earlier run; empty if there is no file.

        Raises:
            UsageError: the file cannot be read, or is not hex.
        """
        if not self.exists:
            return b""
        try:
            return bytes.fromhex(read_bounded(self.path, _SENT_MAX_BYTES).decode("ascii"))
        except ValueError:
            wanted = "a signed transaction in hex; remove the file to deploy anew"
            raise UsageError("the file is damaged", where=str(self.path), got="no hex", wanted=wanted) from None

    def write(self, raw: bytes) -> None:
        """Write the file so that it outlives a crash.

        Raises:
            UsageError: the file exists or cannot be written.
            TemporaryError: the disk is full.
        """
        try:
            with self.path.open("x", encoding="ascii") as new:
                new.write(f"{raw.hex()}\n")
                new.flush()
                os.fsync(new.fileno())
        except OSError as error:
            raise unwritten("cannot be written", error, where=str(self.path), wanted="a file") from None

    def remove(self) -> None:
        """Remove the file if it is there."""
        self.path.unlink(missing_ok=True)


def make_room(file: Path, *, replace: bool) -> Path | None:
    """Make the folder of a deployment file.

    Returns:
        The path at which to keep the file of an earlier registry; None if there is no such file.

    Raises:
        UsageError: the folder cannot be made, the file exists and `replace` is False, or the path to keep it is taken.
        FormatError: the file that exists is not a deployment file.
    """
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten("cannot be made", error, where=str(file.parent), wanted="a folder") from None
    if not os.path.lexists(file):
        return None
    if not replace:
        wanted = f"no file; --replace keeps it as {file.stem}.<its block>.json"
        raise UsageError("an earlier registry has this file", where=str(file), got="a file", wanted=wanted)
    earlier = parse_deployment(read_bounded(file, FILE_MAX_BYTES), str(file))
    kept = file.with_name(f"{file.stem}.{earlier.block}.json")
    if os.path.lexists(kept):
        raise UsageError("an earlier registry is kept here already", where=str(kept), got="a file", wanted="no file")
    return kept


def write_deployment(file: Path, kept: Path | None, deployment: Deployment) -> None:
    """Write a deployment file, after the earlier one is moved to `kept` if that is given. Nothing is overwritten.

    Raises:
        UsageError: a file cannot be moved or written. The error names the registry, which is on the chain already.
    """
    from provenance_oracle.verifier.registry.deployment import encode_deployment

    try:
        if kept:
            file.rename(kept)
        with file.open("xb") as new:
            new.write(encode_deployment(deployment))
    except OSError as error:
        got = f"{error.strerror}; the registry is 0x{deployment.registry.hex()}"
        raise UsageError("cannot be written", where=str(file), got=got, wanted="a file") from None


def replace_deployment(file: Path, deployment: Deployment) -> None:
    """Replace a deployment file by one of the same registry that says more.

    Raises:
        UsageError: the file cannot be written. The error names the new contracts, which are on the chain already.
    """
    from provenance_oracle.verifier.registry.deployment import encode_deployment

    partial = file.with_suffix(".new")
    try:
        partial.write_bytes(encode_deployment(deployment))
        partial.replace(file)
    except OSError as error:
        got = f"{error.strerror}; the contracts are {deployment.proofs}"
        raise UsageError("cannot be written", where=str(file), got=got, wanted="a file") from None
