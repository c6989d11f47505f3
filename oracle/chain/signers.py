"""Keys that sign, and the places that hold them. A key is never in argv, in a log or in the journal.

    level     loader              key in                                      used on
    dev       EnvironmentSigner   an environment variable                     local chains; others only by a setting
    default   KeystoreSigner      a keystore v3 file, password from a file    any chain

An oracle needs a key for two purposes, and may use two keys. The paying key pays for transactions: it lies on a machine
that is online, holds enough for the fees, and can be replaced at any time. The reporting key signs reports: it is known
to the registry, and another key can take its place only after the owner's announcement and the public delay.

To use a KMS, an HSM or an enclave, write another class with the members of `Signer`. `compact_signature` turns its r
and s into the form that the registry takes.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, Protocol

from provenance_oracle.verifier.errors import UsageError, VerificationError, naming_extras
from provenance_oracle.verifier.registry.node import keeping_recursion_limit
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.text import printable

# Chain ids that development nodes use: anvil and hardhat, geth --dev.
LOCAL_CHAIN_IDS = frozenset({1337, 31337})
_KEY_BYTES = 32
_RLP_LIST = 0xC0  # a raw transaction that begins with this or more has no type
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_KEYSTORE_MAX_BYTES = 64 * 1024
_PASSWORD_MAX_BYTES = 4096


class Secret:
    """Bytes that no repr, log, traceback or pickle shows. Code that uses them calls `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


class Signer(Protocol):
    """A key that pays for transactions, or signs reports, or both."""

    @property
    def address(self) -> str:
        """The account's address in checksum form."""

    @property
    def for_development(self) -> bool:
        """Whether the key is kept without protection, and so belongs on local chains only."""

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Return the raw bytes and the hash (32 bytes) of a transaction with these JSON-RPC fields."""

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        """Return the receiver (an address) and the data of a transaction that this key signed.

        Raises:
            VerificationError: the bytes are no transaction that this key signed.
        """

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the compact signature (ERC-2098, 64 bytes) over a digest of 32 bytes. Signing is deterministic."""


class _KeySigner:
    """Signs with a private key held in memory."""

    for_development = False

    def __init__(self, key: Secret, where: str) -> None:
        self._key = key
        self.address: str = _account(key, where).address

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        signed = _account(self._key, "key").sign_transaction(dict(fields))
        return bytes(signed.raw_transaction), bytes(signed.hash)

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        return _signed_call(raw, self.address)

    def sign_digest(self, digest: bytes) -> bytes:
        signed = _library().unsafe_sign_hash(digest, self._key.reveal())
        return compact_signature(digest, signed.r, signed.s, self.address)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"


class EnvironmentSigner(_KeySigner):
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
        if len(key) != _KEY_BYTES:  # no `got`: the text may be most of a key
            raise UsageError("the variable holds no private key", where=where, wanted="64 hex digits")
        super().__init__(Secret(key), where)


class KeystoreSigner(_KeySigner):
    """A private key from a keystore v3 file (https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/).

    Raises:
        UsageError: the file is not a keystore, others than its owner can access it, or the password is wrong.
    """

    def __init__(self, path: Path, password: Secret) -> None:
        forbid_core_dumps()
        with _open_private(path) as file:
            data = file.read(_KEYSTORE_MAX_BYTES)
        library = _library()
        try:
            key = bytes(library.decrypt(json.loads(data), password.reveal().decode()))
        except Exception:  # the library can raise almost any exception for a malformed file
            raise UsageError(
                "the keystore cannot be opened",
                where=str(path),
                got="wrong password or malformed",
                wanted="keystore v3",
            ) from None
        super().__init__(Secret(key), str(path))


def open_signer(
    variable: str, keystore: Path | None, password_file: Path | None, environ: Mapping[str, str] = os.environ
) -> Signer:
    """Load a key from an environment variable, or from a keystore with its password file.

    Args:
        variable: name of the variable, or "".
        keystore, password_file: both, or None.

    Raises:
        UsageError: the arguments name no key or two, or the key cannot be loaded.
    """
    if bool(variable) == bool(keystore) or bool(keystore) != bool(password_file):
        raise UsageError(
            "exactly one key must be named",
            where="key",
            got="no or several sources",
            wanted="a variable, or keystore and password file",
        )
    if keystore and password_file:
        return KeystoreSigner(keystore, read_password(password_file))
    return EnvironmentSigner(variable, environ)


def read_password(source: Path | int) -> Secret:
    """Read a password from a file that only its owner can access, or from an open file descriptor.

    One end of line at the end, LF or CR LF, is not part of the password, which has 1 to 4096 bytes.

    Raises:
        UsageError: the password cannot be read, others than the owner can access the file, or the length is wrong.
    """
    try:
        with _open_private(source) if isinstance(source, Path) else os.fdopen(source, "rb") as file:
            read = file.read(_PASSWORD_MAX_BYTES + 3)
    except OSError as error:
        raise UsageError(f"the password cannot be read: {error.strerror}", where=f"password {source}") from None
    password = read.removesuffix(b"\n").removesuffix(b"\r") if read.endswith(b"\n") else read
    if not password or len(password) > _PASSWORD_MAX_BYTES:
        raise UsageError(
            "the password is empty or too long", where=f"password {source}", wanted=f"1 to {_PASSWORD_MAX_BYTES} bytes"
        )
    return Secret(password)


def check_custody(signer: Signer, chain_id: int, *, allow_development_key: bool) -> None:
    """Refuse a development key on a chain that is not local.

    Raises:
        UsageError: the key is for development, the chain is not local, and `allow_development_key` is not set.
    """
    if signer.for_development and chain_id not in LOCAL_CHAIN_IDS and not allow_development_key:
        raise UsageError(
            "a key from the environment is for local chains; use a keystore, or set allow_development_key",
            where=f"account {signer.address}",
            got=f"chain {chain_id}",
            wanted=" or ".join(str(known) for known in sorted(LOCAL_CHAIN_IDS)),
        )


def compact_signature(digest: bytes, r: int, s: int, address: str) -> bytes:
    """Return the only form of a signature that the registry takes: r, then the lower s with the parity of y as top bit.

    The signature of a KMS has no parity, and its s may be the higher one. The function tries both parities until the
    signature recovers to the signer.

    Args:
        digest: 32 bytes.
        address: the signer's address in checksum form.

    Returns:
        The compact signature (ERC-2098), 64 bytes.

    Raises:
        UsageError: r and s are not a signature over `digest` by `address`.
    """
    with naming_extras(), keeping_recursion_limit():
        from eth_keys.datatypes import Signature
        from eth_keys.exceptions import BadSignature
        from eth_utils.exceptions import ValidationError
    low = min(s, _CURVE_ORDER - s)
    for parity in (0, 1):
        try:
            found = Signature(vrs=(parity, r, low)).recover_public_key_from_msg_hash(digest)
        except (BadSignature, ValidationError):
            continue
        if found.to_checksum_address() == address:
            return r.to_bytes(32, "big") + (low | parity << 255).to_bytes(32, "big")
    raise UsageError("the signature is by another key", where=f"account {address}", wanted="one that recovers to it")


def full_signature(compact: bytes) -> bytes:
    """Return a compact signature as 65 bytes: r, s, then 27 or 28. The contract Namespaces takes this form."""
    word = int.from_bytes(compact[32:], "big")
    return compact[:32] + (word & (1 << 255) - 1).to_bytes(32, "big") + bytes((27 + (word >> 255),))


def _signed_call(raw: bytes, address: str) -> tuple[str, bytes]:
    """Return the receiver and the data of a raw transaction that `address` signed; see `Signer.call_of`."""
    from eth_utils.address import to_checksum_address
    from rlp import decode  # type: ignore[import-untyped]

    library = _library()
    try:
        sender = library.recover_transaction(raw)
        is_typed = raw[0] < _RLP_LIST  # EIP-2718
        fields: Any = decode(raw[1:] if is_typed else raw)
        to, data = (fields[5], fields[7]) if is_typed else (fields[3], fields[5])
        receiver = str(to_checksum_address(to))
    except Exception:  # the library can raise almost any exception for malformed bytes
        sender = "nobody"
    if sender != address:
        problem = "the journal holds a transaction that this key did not sign"
        raise VerificationError(problem, where="journal", got=f"signed by {sender}", wanted=f"signed by {address}")
    return receiver, bytes(data)


def created_by(address: str, raw: bytes) -> tuple[int, bytes] | None:
    """Return nonce and data of a raw legacy transaction that creates a contract; None if `address` signed no such."""
    from rlp import decode

    try:
        if _library().recover_transaction(raw) != address:
            return None
        fields: Any = decode(raw)
        return (int.from_bytes(fields[0], "big"), bytes(fields[5])) if not fields[3] else None
    except Exception:  # the library can raise almost any exception for malformed bytes
        return None


def _account(key: Secret, where: str) -> Any:
    """Make the library's account for one use, so that no long-lived object of another library holds the key."""
    library = _library()
    try:
        return library.from_key(key.reveal())
    except Exception:
        raise UsageError("the key is not a secp256k1 private key", where=where, wanted="1 to n - 1") from None


def _library() -> Any:
    with naming_extras(), keeping_recursion_limit():
        from eth_account import Account
    return Account


def _open_private(path: Path) -> IO[bytes]:
    """Open a regular file to which group and others have no rights.

    Raises:
        UsageError: the file cannot be opened, is not a regular file, or others have rights to it.
    """
    where = printable(str(path))
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=where) from None
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        file.close()
        raise UsageError(
            "a file with a secret must be a regular file that only its owner can access",
            where=where,
            got=stat.filemode(mode),
            wanted="-rw-------",
        )
    return file
