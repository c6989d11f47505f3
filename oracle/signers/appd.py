"""The daemon of an Oasis ROFL container, `rofl-appd`: an HTTP server on a UNIX socket.

Its interface: https://docs.oasis.io/build/rofl/features/appd. Only the container that the app runs in reaches the
socket, so its answers are as trustworthy as the enclave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.in_memory import KEY_BYTES
from provenance_oracle.verifier.errors import TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.text import printable

SOCKET_VARIABLE = "ROFL_APPD_SOCKET"
DEFAULT_SOCKET = "/run/rofl-appd.sock"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_WORDS_MAX_CHARS = 200
_T = TypeVar("_T")


class Appd:
    """A client of the daemon.

    Args:
        environ: ROFL_APPD_SOCKET in it names the socket; by default /run/rofl-appd.sock.

    Raises (every method):
        UsageError: the extra is missing, or the daemon refuses the request.
        TemporaryError: the daemon is not there, fails, or answers nonsense.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        with naming_extras():
            from oasis_rofl_client import RoflClient

        self.socket = environ.get(SOCKET_VARIABLE) or DEFAULT_SOCKET
        self._client = RoflClient(url=self.socket)

    def app_id(self) -> str:
        """Return the id of the app that runs here: `rofl1...`."""
        return str(self._asked(self._client.get_app_id))

    def derive_key(self, key_id: str) -> Secret:
        """Return the secp256k1 key that belongs to this app and `key_id`: the same bytes on every machine of the app.

        The caller has called `forbid_core_dumps`.
        """
        if not _KEY_ID.fullmatch(key_id):
            wanted = "1 to 64 letters, digits, dots, dashes or underscores"
            raise UsageError("the text is not the id of a key", where="key", got=printable(key_id), wanted=wanted)
        text = self._asked(lambda: self._client.generate_key(key_id))
        if not isinstance(text, str) or not _HEX_KEY.fullmatch(text):  # no `got`: it may be most of a key
            raise TemporaryError("the answer is not a key", where=self.socket, wanted=f"{KEY_BYTES} bytes in hex")
        return Secret(bytes.fromhex(text))

    def sign_submit(self, to: str, data: bytes, *, gas: int) -> None:
        """Have the daemon sign a call with a key that the runtime knows as this app's, and wait until it took effect.

        The app's account pays. The daemon tells neither the transaction's hash nor its fee.

        Args:
            to: the contract's address, 0x and 40 hex digits.
            gas: the limit of gas.
        """
        call: Any = {"to": to, "value": 0, "gas": gas, "data": f"0x{data.hex()}"}
        answer = self._asked(lambda: self._client.sign_submit(call, encrypt=False))
        if not isinstance(answer, dict) or "ok" not in answer:
            got, wanted = printable(str(answer), max_chars=_WORDS_MAX_CHARS), "ok; the app's account must hold the fee"
            raise TemporaryError("the transaction of the ROFL app failed", where=self.socket, got=got, wanted=wanted)

    def _asked(self, ask: Callable[[], _T]) -> _T:
        with naming_extras():
            import cbor2
            import httpx
        try:
            return ask()
        except httpx.HTTPStatusError as error:
            status, words = error.response.status_code, error.response.text
            got = printable(f"status {status}: {words}", max_chars=_WORDS_MAX_CHARS)
            kind = TemporaryError if status >= 500 else UsageError
            raise kind("the ROFL daemon refuses", where=self.socket, got=got, wanted="an answer") from None
        except httpx.TransportError as error:
            got = printable(f"{type(error).__name__}: {error}")
            wanted = f"the daemon's socket in this container; {SOCKET_VARIABLE} names it"
            raise TemporaryError("the ROFL daemon does not answer", where=self.socket, got=got, wanted=wanted) from None
        except (ValueError, KeyError, TypeError, AttributeError, cbor2.CBORDecodeError) as error:
            # no words of the error: they may quote a key
            got = type(error).__name__
            raise TemporaryError("the answer of the ROFL daemon is malformed", where=self.socket, got=got) from None
