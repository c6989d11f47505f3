"""The inputs of a launch measurement as a JSON document, written and read."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.documents.schemas import MEASURE
from provenance_oracle.verifier.snp.launch import VCPUS_MAX, LaunchInputs, Ovmf, OvmfSection
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

LAUNCH_FILE_MAX_BYTES = 256 * 1024
_U32 = 2**32 - 1


def measure_json(inputs: LaunchInputs, measurement: bytes, *, policy: str | None = None) -> dict[str, object]:
    """Return the body of `provenance-oracle/measure/v1`. `policy` is the path of the policy that was written."""
    return {"measurement": measurement.hex(), "inputs": inputs_json(inputs), "policy": policy}


def inputs_json(inputs: LaunchInputs) -> dict[str, object]:
    """Return the member `inputs`: digests in hex, the rest as numbers. Without a kernel there is no `kernel_sha256`."""
    ovmf = inputs.ovmf
    return {
        "ovmf": {
            "launch_digest": ovmf.launch_digest.hex(),
            "sections": [{"gpa": part.gpa, "size": part.size, "kind": part.kind} for part in ovmf.sections],
            "hashes_table_gpa": ovmf.hashes_table_gpa,
            "reset_eip": ovmf.reset_eip,
        },
        **({"kernel_sha256": inputs.kernel.hex()} if inputs.kernel else {}),
        "initrd_sha256": inputs.initrd.hex(),
        "command_line_sha256": inputs.command_line.hex(),
        "vcpus": inputs.vcpus,
        "vcpu_signature": inputs.vcpu_signature,
        "guest_features": inputs.guest_features,
        "vmm": inputs.vmm,
    }


def parse_launch(data: bytes, where: str) -> LaunchInputs:
    """Parse a document that `provenance measure --json` printed, of at most 256 KiB; return its inputs.

    Raises:
        FormatError: it is another document (check `measurement`).
    """
    value = parse_json(data, where=where, check=Check.MEASUREMENT, max_bytes=LAUNCH_FILE_MAX_BYTES)
    document = Fields(value, where=where, check=Check.MEASUREMENT)
    document.constant("schema", MEASURE)
    fields = document.fields("inputs")
    ovmf = fields.fields("ovmf")
    sections = tuple(
        OvmfSection(part.integer("gpa"), part.integer("size"), part.integer("kind"))
        for part in ovmf.fields_list("sections", minimum=1, maximum=64)
    )
    inputs = LaunchInputs(
        ovmf=Ovmf(
            launch_digest=ovmf.hex_bytes("launch_digest", 48),
            sections=sections,
            hashes_table_gpa=ovmf.integer("hashes_table_gpa", maximum=_U32),
            reset_eip=ovmf.integer("reset_eip", maximum=_U32),
        ),
        kernel=fields.optional_hex_bytes("kernel_sha256", 32),
        initrd=fields.hex_bytes("initrd_sha256", 32),
        command_line=fields.hex_bytes("command_line_sha256", 32),
        vcpus=fields.integer("vcpus", minimum=1, maximum=VCPUS_MAX),
        vcpu_signature=fields.integer("vcpu_signature", maximum=_U32),
        guest_features=fields.integer("guest_features"),
        vmm=fields.text("vmm"),
    )
    fields.finish()
    return inputs
