"""Parse ids of Oasis ROFL apps. The text form is `rofl1` and the bech32 form (BIP 173) of 21 bytes."""

from __future__ import annotations

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

PREFIX = "rofl"
APP_ID_BYTES = 21
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LETTERS = 6
# 21 bytes are 168 bits. 34 letters of 5 bits hold 170; the last two bits are padding.
_LETTERS = 34 + _CHECKSUM_LETTERS
_SPARE_BITS = 2


def parse_app_id(text: str) -> bytes:
    """Return the 21 bytes of an app's id.

    Raises:
        UsageError: the text does not have this form, or its checksum is wrong.
    """
    letters = text.removeprefix(f"{PREFIX}1")
    words = [_ALPHABET.find(letter) for letter in letters]
    well_formed = text != letters and len(words) == _LETTERS and -1 not in words
    if well_formed and _checksum(words) == 1:
        number = sum(word << 5 * place for place, word in enumerate(reversed(words[:-_CHECKSUM_LETTERS])))
        return (number >> _SPARE_BITS).to_bytes(APP_ID_BYTES, "big")
    wanted = f"{PREFIX}1 and {_LETTERS} letters"
    raise UsageError("the text is not the id of a ROFL app", where="oracle", got=printable(text), wanted=wanted)


def _checksum(words: list[int]) -> int:
    """Return the remainder that BIP 173 calls polymod. It is 1 if the checksum is right."""
    prefix = [ord(letter) >> 5 for letter in PREFIX] + [0] + [ord(letter) & 31 for letter in PREFIX]
    remainder = 1
    for word in prefix + words:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate(_GENERATORS):
            remainder ^= generator if top >> bit & 1 else 0
    return remainder
