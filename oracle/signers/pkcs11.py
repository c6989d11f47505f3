"""A private key in a PKCS #11 token: a hardware security module, a smart card, or SoftHSM for tests.

The key never leaves the token. The process holds the token's PIN, and one session.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from provenance_oracle.oracle.signers.base import DigestSigner
from provenance_oracle.oracle.signers.passwords import read_password
from provenance_oracle.oracle.signers.pkcs11_uri import Pkcs11Key
from provenance_oracle.oracle.signers.signatures import address_of_point, parse_raw_signature
from provenance_oracle.verifier.errors import TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps

# DER of the curve's object identifier 1.3.132.0.10, as CKA_EC_PARAMS holds it.
_SECP256K1 = bytes.fromhex("06052b8104000a")
_POINT_HEADER = bytes.fromhex("0441")  # an OCTET STRING of 65 bytes
_NO_USE = ("MechanismInvalid", "AttributeTypeInvalid", "FunctionNotSupported")  # the key is not one that signs
# Errors that a person must mend: trying again does not help, and a further wrong PIN may lock the token.
_PIN_ERRORS = ("PinIncorrect", "PinInvalid", "PinLenRange", "PinExpired", "PinLocked", "UserPinNotInitialized")
_KEY_ERRORS = ("NoSuchKey", "MultipleObjectsReturned", "MultipleTokensReturned", "KeyTypeInconsistent", *_NO_USE)


class Pkcs11Signer(DigestSigner):
    """Signs with a key in a token. It logs in once, and again after the session was lost.

    Raises (constructor and every method):
        UsageError: the extra or the module is missing, the PIN is wrong, or there is no such key on secp256k1. After
            one wrong PIN the signer never logs in again, because a few wrong ones lock a token.
        TemporaryError: the token is not there, or its session was lost. The next call opens another one.
    """

    def __init__(self, key: Pkcs11Key) -> None:
        forbid_core_dumps()
        self._key = key
        self._pin = read_password(key.pin_file)
        self._lock = threading.Lock()
        self._private: Any = None
        self._refusal: UsageError | None = None
        super().__init__(self._open())

    def _sign(self, digest: bytes) -> tuple[int, int]:
        with naming_extras():
            from pkcs11 import Mechanism
        with self._lock:
            if self._private is None and self._open() != self.address:
                raise UsageError("the token holds another key now", where=self._key.where, wanted=self.address)
            with self._token_errors():
                signature = bytes(self._private.sign(digest, mechanism=Mechanism.ECDSA))
        return parse_raw_signature(signature, self._key.where)

    def _open(self) -> str:
        """Open a session, find the key in it, and return the key's address."""
        if self._refusal is not None:
            raise self._refusal
        with naming_extras():
            from pkcs11 import Attribute, ObjectClass
        with self._token_errors():
            session = self._session()
            name: dict[str, Any] = {"label": self._key.label or None, "id": self._key.id or None}
            private = session.get_key(object_class=ObjectClass.PRIVATE_KEY, **name)
            public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, **name)
            curve, point = bytes(public[Attribute.EC_PARAMS]), bytes(public[Attribute.EC_POINT])
        if curve != _SECP256K1:
            raise UsageError("the key is on another curve", where=self._key.where, got=curve.hex(), wanted="secp256k1")
        address = address_of_point(point.removeprefix(_POINT_HEADER), self._key.where)
        self._private = private
        return address

    def _session(self) -> Any:
        from pkcs11 import lib
        from pkcs11.exceptions import UserAlreadyLoggedIn

        module = str(self._key.module)
        try:
            library = lib(module)
        except RuntimeError as error:
            wanted = "the shared library of the token, in module-path"
            raise UsageError("the module cannot be loaded", where=module, got=str(error), wanted=wanted) from None
        serial = self._key.serial.encode() or None
        token = library.get_token(token_label=self._key.token or None, token_serial=serial)
        try:
            return token.open(user_pin=self._pin.reveal().decode())
        except UserAlreadyLoggedIn:  # another key of this process is in the same token: a login counts for all
            return token.open()

    @contextmanager
    def _token_errors(self) -> Iterator[None]:
        from pkcs11.exceptions import PKCS11Error

        where = self._key.where
        try:
            yield
        except PKCS11Error as error:
            self._close()
            name = type(error).__name__
            if name in _PIN_ERRORS:
                wanted = f"the PIN in {self._key.pin_file}; not tried again before a restart, so as not to lock it"
                self._refusal = UsageError("the token refuses the PIN", where=where, got=name, wanted=wanted)
                raise self._refusal from None
            if name in _KEY_ERRORS:
                wanted = "one private key that may sign, and its public key, with this label and id"
                raise UsageError("the token has no such key", where=where, got=name, wanted=wanted) from None
            raise TemporaryError("the token does not answer", where=where, got=name, wanted="a session") from None

    def _close(self) -> None:
        from pkcs11.exceptions import PKCS11Error

        private, self._private = self._private, None
        if private is not None:
            with suppress(PKCS11Error):
                private.session.close()
