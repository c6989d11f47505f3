"""The terms of a registry: the parties to it, the first oracle set, the threshold and the delays."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.rofl import APP_ID_BYTES, PREFIX, parse_app_id
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.node import parse_address
from provenance_oracle.verifier.registry.secp256k1 import checksum_address

ORACLES_MAX = 32
WEIGHT_MAX = 2**16 - 1
_FOR_EVER = 2**40 - 1
HOUR_SECONDS = 3600
_NO_APP = bytes(APP_ID_BYTES)
_NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class OracleTerms:
    """One oracle of the first set: the address of its key, and the weight of its signature (1 to WEIGHT_MAX).

    `rofl_app` is the id of a ROFL app (21 bytes), or zeros. An app has no key here: it binds one itself on Oasis
    Sapphire.
    """

    key: str
    weight: int
    rofl_app: bytes = _NO_APP


@dataclass(frozen=True)
class Terms:
    """The parties to a registry and their rights. `owner` and `guardian` are addresses.

    Announcements wait in public for `delay_hours`. Signatures of an earlier oracle set count for `grace_hours` after
    the next set is in force. A record needs signatures whose weights reach `threshold`.
    """

    owner: str
    guardian: str
    oracles: tuple[OracleTerms, ...]
    threshold: int
    delay_hours: int
    grace_hours: int


def parse_oracle(text: str) -> OracleTerms:
    """Parse an address, or the id of a ROFL app (`rofl1…`), with or without `:WEIGHT`. The default weight is 1.

    Raises:
        UsageError: the text is neither, or the weight is not a number from 1 to WEIGHT_MAX.
    """
    name, separator, weight = text.partition(":")
    app = parse_app_id(name) if name.startswith(PREFIX) else _NO_APP
    address = _NOBODY if any(app) else name
    parse_address(address, "oracle")
    number = int(weight) if weight.isascii() and weight.isdecimal() and len(weight) <= 5 else 0
    if separator and not 1 <= number <= WEIGHT_MAX:
        raise UsageError("the weight is wrong", where="oracle", got=text, wanted=f"ADDRESS:WEIGHT, 1 to {WEIGHT_MAX}")
    return OracleTerms(address, number if separator else 1, app)


def majority(oracles: tuple[OracleTerms, ...]) -> int:
    """Return the least weight that two disjoint groups of oracles cannot both have."""
    return sum(oracle.weight for oracle in oracles) // 2 + 1


def constructor_arguments(terms: Terms) -> tuple[object, ...]:
    """Return the arguments of the registry's constructor.

    Raises:
        UsageError: an address is wrong or zero, an oracle is named twice, or the oracles cannot reach the threshold.
    """
    owner, guardian = _party(terms.owner, "owner"), _party(terms.guardian, "guardian")
    if not 1 <= len(terms.oracles) <= ORACLES_MAX:
        got, wanted = f"{len(terms.oracles)} oracles", f"1 to {ORACLES_MAX}"
        raise UsageError("the number of oracles is wrong", where="oracle", got=got, wanted=wanted)
    oracles = [(_key(oracle), oracle.weight, 0, _FOR_EVER, oracle.rofl_app) for oracle in terms.oracles]
    names = [f"ROFL app {one.rofl_app.hex()}" if any(one.rofl_app) else _key(one) for one in terms.oracles]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UsageError("an oracle is named twice", where="oracle", got=", ".join(twice), wanted="every oracle once")
    weight = sum(oracle.weight for oracle in terms.oracles)
    if not 1 <= terms.threshold <= weight <= WEIGHT_MAX:
        got = f"threshold {terms.threshold} of {weight}"
        wanted = f"1 to the weight of all oracles, which is at most {WEIGHT_MAX}"
        raise UsageError("the threshold and the weights do not fit", where="threshold", got=got, wanted=wanted)
    delay_seconds, grace_seconds = terms.delay_hours * HOUR_SECONDS, terms.grace_hours * HOUR_SECONDS
    return owner, guardian, delay_seconds, grace_seconds, oracles, terms.threshold


def _key(oracle: OracleTerms) -> str:
    return _NOBODY if any(oracle.rofl_app) else _party(oracle.key, "oracle")


def _party(text: str, role: str) -> str:
    address = parse_address(text, role)
    if not any(address):
        raise UsageError("the zero address is not an account", where=role, got=text, wanted="an account")
    return checksum_address(address)
