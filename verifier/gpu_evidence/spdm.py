"""Parse the messages that a GPU signs: an SPDM 1.1 GET_MEASUREMENTS request and the MEASUREMENTS response to it.

Source: DMTF DSP0274 1.1.0, GET_MEASUREMENTS request and MEASUREMENTS response. NVIDIA fills the opaque data with fields
of u16 type, u16 size and value (NVIDIA/nvtrust, `spdm_msrt_resp_msg.py`). Integers are little-endian, except the two
numbers of the signature. The lengths were compared with real evidence of Hopper and Blackwell GPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from provenance_oracle.verifier.gpu_evidence.bundle import NONCE_BYTES, malformed_gpu

REQUEST_BYTES = 37
# SPDM 1.1, code, Param1 (a signature is asked for), Param2 (all measurements).
_REQUEST_HEAD = bytes.fromhex("11e001ff")
_RESPONSE_HEAD = bytes.fromhex("116000")  # SPDM 1.1, code, Param1 (reserved)
_SLOT_MAX = 7
_COMPONENT_BYTES = 48
_SIGNATURE_BYTES = 2 * _COMPONENT_BYTES
_DMTF_SPECIFICATION = 1
_VALUE_HEAD_BYTES = 3
_OPAQUE_MAX_BYTES = 1024  # DSP0274 1.1.0, OpaqueLength
# Order of the group of P-384 (FIPS 186-5, NIST SP 800-186).
_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
# Fields of NVIDIA's opaque data.
DRIVER_VERSION, VBIOS_VERSION, FIRMWARE_ID = 3, 6, 20


@dataclass(frozen=True)
class Measurement:
    """One measurement. `index` is from 1 to 254, `kind` is DMTFSpecMeasurementValueType, `value` mostly SHA-384."""

    index: int
    kind: int
    value: bytes


@dataclass(frozen=True)
class Measurements:
    """The fields of request and response. Nothing in them is trusted.

    `nonce` (32 bytes) is the request's: that of the caller. `slot` is the certificate slot. `measurements` have rising
    indices. `opaque` maps types of NVIDIA's fields to their values, in which texts end with a zero byte. `signed` holds
    request and response without the signature, whose numbers are `signature_r` and `signature_s`.
    """

    nonce: bytes
    slot: int
    measurements: tuple[Measurement, ...]
    opaque: Mapping[int, bytes]
    signature_r: int
    signature_s: int
    signed: bytes

    @property
    def driver_version(self) -> str:
        """The version of NVIDIA's driver in the VM, such as `580.95.05`; empty if the GPU does not tell it."""
        return self.opaque.get(DRIVER_VERSION, b"").rstrip(b"\0").decode("ascii", "replace")

    @property
    def vbios_version(self) -> str:
        """The version of the GPU's VBIOS as NVIDIA writes it, such as `96.00.74.00.1A`; empty if it is not told."""
        value = self.opaque.get(VBIOS_VERSION, b"")
        if len(value) != 8:
            return ""
        return ".".join(f"{byte:02X}" for byte in (*value[3::-1], value[4]))


def parse_measurements(data: bytes, where: str) -> Measurements:
    """Parse a request of 37 bytes and the response to it, which fills the rest.

    One zero byte after the signature is allowed: the driver 580.95.05 appends it.

    Raises:
        FormatError: a length, a code or a number is not the format's (check `gpu-evidence`).
    """
    reader = _Reader(data, where)
    # (1) the request: signed measurements, all of them
    reader.constant(_REQUEST_HEAD, "not an SPDM 1.1 request for all measurements, signed")
    nonce = reader.take(NONCE_BYTES, "the request's nonce")
    slot = reader.number(1, "the request's slot")
    reader.expect(slot <= _SLOT_MAX, "unknown slot", str(slot), f"0 to {_SLOT_MAX}")
    # (2) the response: measurements, the GPU's nonce, NVIDIA's fields
    reader.constant(_RESPONSE_HEAD, "not an SPDM 1.1 response with measurements")
    answered = reader.number(1, "the response's slot")
    reader.expect(answered == slot, "the response is of another slot", str(answered), str(slot))
    count = reader.number(1, "the number of measurements")
    record = reader.part(reader.number(3, "the length of the measurements"), "the measurements")
    measurements = _parse_record(record, count)
    reader.take(NONCE_BYTES, "the response's nonce")
    opaque_bytes = reader.number(2, "the length of NVIDIA's fields")
    reader.expect(
        opaque_bytes <= _OPAQUE_MAX_BYTES, "too many fields", f"{opaque_bytes} bytes", f"at most {_OPAQUE_MAX_BYTES}"
    )
    opaque = _parse_opaque(reader.part(opaque_bytes, "NVIDIA's fields"))
    # (3) the signature
    signed = data[: reader.position]
    signature = reader.take(_SIGNATURE_BYTES, "the signature")
    r, s = (int.from_bytes(signature[at : at + _COMPONENT_BYTES], "big") for at in (0, _COMPONENT_BYTES))
    in_range = 0 < r < _P384_ORDER and 0 < s < _P384_ORDER
    reader.expect(in_range, "invalid signature", "a component out of range", "0 < r, s < order of P-384")
    rest = data[reader.position :]
    reader.expect(rest in (b"", b"\0"), "bytes after the signature", f"{len(rest)} bytes", "none, or one zero byte")
    return Measurements(nonce, slot, measurements, opaque, r, s, signed)


def _parse_record(reader: _Reader, count: int) -> tuple[Measurement, ...]:
    """Parse `count` measurement blocks that fill the record; their indices must rise."""
    reader.expect(count > 0, "no measurements", "0", "one or more")
    found: list[Measurement] = []
    for _ in range(count):
        index = reader.number(1, "the index of a measurement")
        last = found[-1].index if found else 0
        reader.expect(last < index < 255, "measurements out of order", f"{index} after {last}", "rising, 1 to 254")
        specification = reader.number(1, "the specification of a measurement")
        is_dmtf = specification == _DMTF_SPECIFICATION
        reader.expect(is_dmtf, "unknown measurement specification", str(specification), "1 (DMTF)")
        size = reader.number(2, "the size of a measurement")
        kind = reader.number(1, "the type of a measurement")
        value_bytes = reader.number(2, "the size of a measurement's value")
        fits = size == _VALUE_HEAD_BYTES + value_bytes
        reader.expect(fits, "conflicting sizes of a measurement", f"{size} and {value_bytes}", "the first 3 larger")
        found.append(Measurement(index, kind, reader.take(value_bytes, "the value of a measurement")))
    reader.finish("bytes after the last measurement")
    return tuple(found)


def _parse_opaque(reader: _Reader) -> Mapping[int, bytes]:
    """Parse NVIDIA's fields, which fill the opaque data. A type that is not known may occur, but none twice."""
    fields: dict[int, bytes] = {}
    while not reader.is_at_end:
        kind = reader.number(2, "the type of a field")
        reader.expect(kind not in fields, "a field occurs twice", f"type {kind}", "each type once")
        fields[kind] = reader.take(reader.number(2, "the size of a field"), f"the field of type {kind}")
    return MappingProxyType(fields)


class _Reader:
    """Takes fields from the start of `data`, and refuses any that does not fit. `position` counts the bytes taken."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._where = where
        self.position = 0

    @property
    def is_at_end(self) -> bool:
        return self.position == len(self._data)

    def take(self, size: int, what: str) -> bytes:
        taken = self._data[self.position : self.position + size]
        self.expect(len(taken) == size, f"{what}: cut short", f"{len(taken)} bytes", f"{size} bytes")
        self.position += size
        return taken

    def number(self, size: int, what: str) -> int:
        return int.from_bytes(self.take(size, what), "little")

    def part(self, size: int, what: str) -> _Reader:
        return _Reader(self.take(size, what), self._where)

    def constant(self, wanted: bytes, problem: str) -> None:
        got = self.take(len(wanted), "the head of a message")
        self.expect(got == wanted, problem, got.hex(), wanted.hex())

    def finish(self, problem: str) -> None:
        self.expect(self.is_at_end, problem, f"{len(self._data) - self.position} bytes", "none")

    def expect(self, holds: bool, problem: str, got: str, wanted: str) -> None:
        if not holds:
            raise malformed_gpu(self._where, problem, got, wanted)
