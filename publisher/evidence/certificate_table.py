"""The certificate table that a hypervisor hands to the guest beside a report.

Source: AMD 56421 (GHCB specification), 4.1.8.1: entries of GUID, offset and length, ended by one of zeros, then
the certificates. It comes from the host, so every number in it is doubted.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from uuid import UUID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

ARK_GUID = UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
ASK_GUID = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")  # an ASVK has this one too
VCEK_GUID = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
VLEK_GUID = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
_CERTIFICATE_GUIDS = frozenset({ARK_GUID, ASK_GUID, VCEK_GUID, VLEK_GUID})

_ENTRY = struct.Struct("<16sII")  # the GUID is in text order, the two numbers are little-endian
_NO_ENTRY = bytes(_ENTRY.size)
_MAX_ENTRIES = 64


def parse_certificate_table(data: bytes, where: str) -> tuple[bytes, ...]:
    """Return the blobs that are named as certificates, each DER or PEM; others, which hosts may add, are left out.

    No data at all, as from a host without certificates, is an empty table.

    Raises:
        FormatError: an entry points outside the data, or the table has no end.
    """
    if not data:
        return ()
    certificates: list[bytes] = []
    for number in range(_MAX_ENTRIES):
        entry = data[number * _ENTRY.size : (number + 1) * _ENTRY.size]
        if entry == _NO_ENTRY:
            return tuple(certificates)
        if len(entry) < _ENTRY.size:
            raise _malformed("the certificate table is cut off", where, f"{len(data)} bytes", "an entry of zeros")
        guid, offset, length = _ENTRY.unpack(entry)
        if offset + length > len(data):
            got = f"bytes {offset} to {offset + length}"
            raise _malformed("a certificate lies outside the table", where, got, f"at most {len(data)}")
        if UUID(bytes=guid) in _CERTIFICATE_GUIDS:
            certificates.append(data[offset : offset + length])
    raise _malformed("the certificate table has no end", where, f"{_MAX_ENTRIES} entries", "an entry of zeros")


def encode_certificate_table(blobs: Mapping[UUID, bytes]) -> bytes:
    """Write a table as a hypervisor does: the simulator's part of the exchange."""
    offset = _ENTRY.size * (len(blobs) + 1)
    entries = b""
    for guid, blob in blobs.items():
        entries += _ENTRY.pack(guid.bytes, offset, len(blob))
        offset += len(blob)
    return entries + _NO_ENTRY + b"".join(blobs.values())


def _malformed(problem: str, where: str, got: str, wanted: str) -> FormatError:
    return FormatError(problem, check=Check.ENDORSEMENTS_FORMAT, where=where, got=got, wanted=wanted)
