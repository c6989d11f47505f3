"""The ARK's certificate revocation list, read by the strict walker of `der`. Not trusted until `chain` verifies it.

Source: RFC 5280, section 5; compared with AMD's lists of Milan and Genoa.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.snp.certificates import (
    Extension,
    Signed,
    malformed,
    parse_extensions,
    parse_tagged_extensions,
    problem_at,
    split_pem,
    split_signed,
)
from provenance_oracle.verifier.snp.der import SEQUENCE, Value, parse_der, parse_time, parse_unsigned

CRL_MAX_BYTES = 1024 * 1024
AUTHORITY_KEY_ID = "2.5.29.35"
_V2 = bytes.fromhex("020101")
_CRL_NUMBER, _DELTA, _SCOPE = "2.5.29.20", "2.5.29.27", "2.5.29.28"


@dataclass(frozen=True)
class Crl:
    """A certificate revocation list. `issuer` is the DER name, `authority_key_id` the raw value of that extension."""

    der: bytes
    signed: Signed
    issuer: bytes
    number: int
    authority_key_id: bytes
    this_update: datetime
    next_update: datetime
    revoked_serials: frozenset[int]
    where: str

    def covers(self, at: datetime) -> bool:
        """Whether this list speaks for moment `at`, both ends included."""
        return self.this_update <= at <= self.next_update


def parse_crl(data: bytes, where: str) -> Crl:
    """Parse one list, PEM or DER, that is complete: no delta, no partial scope, nothing critical that is not known.

    Raises:
        FormatError: anything else, a serial number twice, or no next update (check `endorsements-format`).
    """
    der = _one_der(data, where)
    problem = problem_at(where)
    # RFC 5280, 5.1: all six fields in this order, and the entries before the last, left out where there are none
    signed, fields = split_signed(der, where)
    if len(fields) not in (6, 7) or fields[0].encoding != _V2:
        raise malformed(
            where, "form of the revocation list", f"{len(fields)} fields", "X.509 v2 with next update and extensions"
        )
    algorithm, issuer, this_update, next_update = fields[1:5]
    if algorithm.encoding != signed.algorithm:
        raise malformed(where, "signature algorithm", "two different ones", "the same inside and outside")
    if issuer.tag != SEQUENCE:
        raise malformed(where, "issuer", f"tag {issuer.tag:#x}", "a name")
    number, authority_key_id = _parse_list_extensions(parse_tagged_extensions(fields[-1], 0, where), where)
    return Crl(
        der=der,
        signed=signed,
        issuer=issuer.encoding,
        number=number,
        authority_key_id=authority_key_id,
        this_update=parse_time(this_update, problem),
        next_update=parse_time(next_update, problem),
        revoked_serials=_parse_entries(fields[5], where) if len(fields) == 7 else frozenset(),
        where=where,
    )


def _one_der(data: bytes, where: str) -> bytes:
    if len(data) > 2 * CRL_MAX_BYTES:
        raise malformed(where, "too large a revocation list", f"{len(data)} bytes", f"at most {CRL_MAX_BYTES}")
    ders = split_pem(data, b"X509 CRL", where) if data.startswith(b"-----BEGIN ") else [data]
    if len(ders) != 1 or len(ders[0]) > CRL_MAX_BYTES:
        raise malformed(where, "revocation list", f"{len(ders)} of them", f"one of at most {CRL_MAX_BYTES} bytes")
    return ders[0]


def _parse_list_extensions(extensions: tuple[Extension, ...], where: str) -> tuple[int, bytes]:
    """Return the list's number and its issuer's key id; a delta or a partial list may not pass as the whole one."""
    values = {extension.oid: extension.value for extension in extensions}
    present = ", ".join(sorted(values))
    if any(extension.critical for extension in extensions) or values.keys() & {_DELTA, _SCOPE}:
        raise malformed(where, "extensions", present, "a complete list, and no critical extension")
    if not values.keys() >= {_CRL_NUMBER, AUTHORITY_KEY_ID}:
        raise malformed(where, "extensions", present, "CRL number and authority key id")
    problem = problem_at(where, " in the CRL number")
    return parse_unsigned(parse_der(values[_CRL_NUMBER], problem), problem), values[AUTHORITY_KEY_ID]


def _parse_entries(field: Value, where: str) -> frozenset[int]:
    """Serial numbers of the entries. What an entry adds about itself may be ignored unless it is critical."""
    if field.tag != SEQUENCE:
        raise malformed(where, "entries", f"tag {field.tag:#x}", "a sequence")
    serials = [_parse_entry(entry, where) for entry in field.children]
    revoked = frozenset(serials)
    if len(revoked) != len(serials):
        raise malformed(where, "entries", "a serial number twice", "each once")
    return revoked


def _parse_entry(entry: Value, where: str) -> int:
    parts = entry.children
    if entry.tag != SEQUENCE or len(parts) not in (2, 3):
        raise malformed(where, "entry", entry.encoding[:16].hex(), "a serial number and a time")
    parse_time(parts[1], problem_at(where))
    if len(parts) == 3 and any(extension.critical for extension in parse_extensions(parts[2], where)):
        raise malformed(where, "entry", "a critical extension", "none")
    return parse_unsigned(parts[0], problem_at(where))
