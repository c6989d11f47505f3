"""Parse the ARK's certificate revocation list (CRL). It is not trusted until `chain` verified it.

Source: RFC 5280, section 5. The strict parser of `der` reads every field. The form was compared with AMD's lists for
Milan and Genoa.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from provenance_oracle.verifier.snp.certificates import (
    Extension,
    Signed,
    malformed_endorsement,
    parse_extensions,
    parse_tagged_extensions,
    problem_at,
    split_pem,
    split_signed,
)
from provenance_oracle.verifier.snp.der import SEQUENCE, Value, parse_asn1_time, parse_der, parse_unsigned
from provenance_oracle.verifier.strict.encodings import certificate_hint

CRL_MAX_BYTES = 1024 * 1024
_PARSED_MAX = 4
AUTHORITY_KEY_ID = "2.5.29.35"
_V2 = bytes.fromhex("020101")
_CRL_NUMBER, _DELTA, _SCOPE = "2.5.29.20", "2.5.29.27", "2.5.29.28"


@dataclass(frozen=True)
class Crl:
    """A parsed certificate revocation list. Nothing in it is trusted.

    `der` is the whole list, `issuer` the issuer's DER name, `authority_key_id` the raw value of that extension, and
    `number` the CRL number. `this_update` and `next_update` are in UTC. `where` is the name of the file, for messages.
    """

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
        """Return whether the list is current at the time `at`: from this_update to next_update, both included."""
        return self.this_update <= at <= self.next_update


@lru_cache(maxsize=_PARSED_MAX)  # of its bytes and name alone: releases on one product line bring the same list
def parse_crl(data: bytes, where: str) -> Crl:
    """Parse one complete revocation list in PEM or DER, of at most 1 MiB of DER. `where` names the file in messages.

    Raises:
        FormatError: the data is not one strictly encoded X.509 v2 list, or the list is a delta or of partial scope, has
            a critical extension, lists a serial number twice, or has no next update, CRL number or authority key id
            (check `endorsements-format`).
    """
    der = _one_der(data, where)
    problem = problem_at(where)
    hint = "" if der[:1] == bytes([SEQUENCE]) else certificate_hint(der)
    if hint:
        raise malformed_endorsement(
            where, f"not a revocation list{hint}", f"tag {der[0]:#x}", f"PEM or DER of at most {CRL_MAX_BYTES} bytes"
        )
    # RFC 5280, 5.1: six fields in this order; the entries come before the last field and are left out if there are none
    signed, fields = split_signed(der, where)
    if len(fields) not in (6, 7) or fields[0].encoding != _V2:
        raise malformed_endorsement(
            where,
            "wrong structure of the revocation list",
            f"{len(fields)} fields",
            "X.509 v2 with next update and extensions",
        )
    algorithm, issuer, this_update, next_update = fields[1:5]
    if algorithm.encoding != signed.algorithm:
        raise malformed_endorsement(
            where, "conflicting signature algorithms", "two different ones", "the same inside and outside"
        )
    if issuer.tag != SEQUENCE:
        raise malformed_endorsement(where, "malformed issuer", f"tag {issuer.tag:#x}", "a name")
    number, authority_key_id = _parse_list_extensions(parse_tagged_extensions(fields[-1], 0, where), where)
    return Crl(
        der=der,
        signed=signed,
        issuer=issuer.encoding,
        number=number,
        authority_key_id=authority_key_id,
        this_update=parse_asn1_time(this_update, problem),
        next_update=parse_asn1_time(next_update, problem),
        revoked_serials=_parse_entries(fields[5], where) if len(fields) == 7 else frozenset(),
        where=where,
    )


def _one_der(data: bytes, where: str) -> bytes:
    if len(data) > 2 * CRL_MAX_BYTES:
        raise malformed_endorsement(
            where, "the revocation list is too large", f"{len(data)} bytes", f"at most {CRL_MAX_BYTES}"
        )
    ders = split_pem(data, b"X509 CRL", where) if data.startswith(b"-----BEGIN ") else [data]
    if len(ders) != 1 or len(ders[0]) > CRL_MAX_BYTES:
        raise malformed_endorsement(
            where,
            "wrong number or size of revocation lists",
            f"{len(ders)} of them",
            f"one of at most {CRL_MAX_BYTES} bytes",
        )
    return ders[0]


def _parse_list_extensions(extensions: tuple[Extension, ...], where: str) -> tuple[int, bytes]:
    """Return the CRL number and the raw authority key id. Refuse delta lists and lists of partial scope."""
    values = {extension.oid: extension.value for extension in extensions}
    present = ", ".join(sorted(values))
    if any(extension.critical for extension in extensions) or values.keys() & {_DELTA, _SCOPE}:
        raise malformed_endorsement(
            where,
            "unsupported extensions of the revocation list",
            present,
            "a complete list, and no critical extension",
        )
    if not values.keys() >= {_CRL_NUMBER, AUTHORITY_KEY_ID}:
        raise malformed_endorsement(
            where, "missing extensions of the revocation list", present, "CRL number and authority key id"
        )
    problem = problem_at(where, " in the CRL number")
    return parse_unsigned(parse_der(values[_CRL_NUMBER], problem), problem), values[AUTHORITY_KEY_ID]


def _parse_entries(field: Value, where: str) -> frozenset[int]:
    """Return the serial numbers of the entries. Extensions of an entry are ignored unless they are critical."""
    if field.tag != SEQUENCE or not field.children:  # a list without entries has no such field (RFC 5280, 5.1.2.6)
        got = f"tag {field.tag:#x}, {len(field.children)} entries"
        raise malformed_endorsement(where, "malformed entries of the revocation list", got, "a sequence of one or more")
    serials = [_parse_entry(entry, where) for entry in field.children]
    revoked = frozenset(serials)
    if len(revoked) != len(serials):
        raise malformed_endorsement(
            where, "repeated entries of the revocation list", "a serial number twice", "each once"
        )
    return revoked


def _parse_entry(entry: Value, where: str) -> int:
    parts = entry.children
    if entry.tag != SEQUENCE or len(parts) not in (2, 3):
        raise malformed_endorsement(
            where,
            "malformed entry of the revocation list",
            entry.encoding[:16].hex(),
            "a serial number and a time",
        )
    parse_asn1_time(parts[1], problem_at(where))
    if len(parts) == 3 and any(extension.critical for extension in parse_extensions(parts[2], where)):
        raise malformed_endorsement(where, "unsupported entry of the revocation list", "a critical extension", "none")
    return parse_unsigned(parts[0], problem_at(where))
