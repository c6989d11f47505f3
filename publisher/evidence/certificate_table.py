"""The certificate table that a hypervisor passes to the guest with a report.

Source: AMD 56421 (GHCB specification), 4.1.8.1: entries of GUID (16 bytes), offset and length (4 bytes each), ended by
an entry of zeros, then the certificates. The host writes the table, so every number in it is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from uuid import UUID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

ARK_GUID = UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
ASK_GUID = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")  # an ASVK has it too
VCEK_GUID = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
VLEK_GUID = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
_CERTIFICATE_GUIDS = frozenset({ARK_GUID, ASK_GUID, VCEK_GUID, VLEK_GUID})

_ENTRY = struct.Struct("<16sII")  # the GUID has the byte order of its text form; the two numbers are little-endian
_NO_ENTRY = bytes(_ENTRY.size)
_MAX_ENTRIES = 64


def parse_certificate_table(data: bytes, where: str) -> tuple[bytes, ...]:
    """Return the blobs with the GUID of a certificate, each DER or PEM. Other blobs, which hosts may add, are ignored.

    Empty data, as from a host without certificates, is an empty table.

    Raises:
        FormatError: an entry points outside the data, or the table has no end (check `endorsements-format`).
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
    """Return the bytes of a table as a hypervisor writes it, for the simulator."""
    offset = _ENTRY.size * (len(blobs) + 1)
    entries = b""
    for guid, blob in blobs.items():
        entries += _ENTRY.pack(guid.bytes, offset, len(blob))
        offset += len(blob)
    return entries + _NO_ENTRY + b"".join(blobs.values())


def _malformed(problem: str, where: str, got: str, wanted: str) -> FormatError:
    return FormatError(problem, check=Check.ENDORSEMENTS_FORMAT, where=where, got=got, wanted=wanted)
