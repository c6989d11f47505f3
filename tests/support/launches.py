"""Launches: the inputs of a real one, and a firmware image of our own that has every kind of section."""

from __future__ import annotations

import json
import struct
import uuid
from pathlib import Path

from provenance_oracle.verifier.snp.launch import LaunchInputs, Ovmf, OvmfSection, digest_of_command_line

_FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d"
_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc"
_HASHES_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454"
_RESET = "00f771de-1a7e-4fcb-890e-68c77e2fb44e"
_SECTIONS = ((0x800000, 0x9000, 1), (0x80D000, 0x1000, 2), (0x80E000, 0x1000, 3), (0x80F000, 0x1000, 0x10))


def real_launch(vectors: Path) -> tuple[LaunchInputs, bytes]:
    """Return the inputs of the launch of `milan-v3-dstack`, and the measurement that the processor signed."""
    folder = vectors / "snp" / "milan-v3-dstack"
    found = json.loads((folder / "launch_inputs.json").read_text())["measurement"]
    sections = tuple(OvmfSection(one["gpa"], one["size"], one["section_type"]) for one in found["ovmf_sections"])
    assert found["vcpu_type"] == "EPYC-v4"
    inputs = LaunchInputs(
        ovmf=Ovmf(
            bytes.fromhex(found["ovmf_hash"]), sections, found["sev_hashes_table_gpa"], found["sev_es_reset_eip"]
        ),
        kernel=bytes.fromhex(found["kernel_hash"]),
        initrd=bytes.fromhex(found["initrd_hash"]),
        command_line=digest_of_command_line(found["base_cmdline"]),
        vcpus=found["vcpus"],
        vcpu_signature=0x800F12,
        guest_features=found["guest_features"],
        vmm="qemu",
    )
    return inputs, (folder / "report.bin").read_bytes()[0x90:0xC0]


def firmware(takes_kernel: bool = True) -> bytes:
    """Return an OVMF image of two pages (the tables are described in sev-snp-measure's `ovmf.py`)."""
    sections = _SECTIONS if takes_kernel else _SECTIONS[:-1]
    items = b"".join(struct.pack("<III", *section) for section in sections)
    metadata = struct.pack("<4sIII", b"ASEV", 16 + len(items), 1, len(sections)) + items
    image = bytearray(0x2000)
    image[0x1000 : 0x1000 + len(metadata)] = metadata
    table = _entry(_METADATA, (0x1000).to_bytes(4, "little")) + _entry(_RESET, (0x80B004).to_bytes(4, "little"))
    if takes_kernel:
        table = _entry(_HASHES_TABLE, struct.pack("<II", 0x80FC00, 0x400)) + table
    table += struct.pack("<H", len(table) + 18) + uuid.UUID(_FOOTER).bytes_le
    image[0x2000 - 32 - len(table) : 0x2000 - 32] = table
    return bytes(image)


def _entry(name: str, data: bytes) -> bytes:
    return data + struct.pack("<H", len(data) + 18) + uuid.UUID(name).bytes_le
