"""`provenance measure`: the launch measurement of a confidential VM, computed from the parts that it starts with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    DEFAULT_POLICY,
    FILE,
    hex_of,
    output_options,
    read_bounded,
    read_small,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError, VerificationError, unwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance_oracle.verifier.snp.launch import LaunchInputs

_NUMBER = "a decimal number, or 0x and hex digits"
# The names of the parts in messages, by the fields of `LaunchInputs`.
_PARTS = {
    "ovmf": "firmware",
    "kernel": "kernel",
    "initrd": "initrd",
    "command_line": "command line",
    "vcpus": "number of vCPUs",
    "vcpu_signature": "vCPU type",
    "guest_features": "guest features",
    "vmm": "VMM",
}


@click.command()
@click.option("--ovmf", type=FILE, help="The firmware image (OVMF, AmdSevX64) that the host starts the VM with.")
@click.option("--kernel", type=FILE, help="The kernel, if the host measures it (QEMU: kernel-hashes=on).")
@click.option("--initrd", type=FILE, help="The initrd.")
@click.option("--append", metavar="TEXT", default="", help="The kernel's command line.")
@click.option("--vcpus", type=int, help="Number of vCPUs.")
@click.option("--vcpu-type", metavar="NAME", help="QEMU's name of the vCPU type, such as EPYC-Milan, or its signature.")
@click.option("--guest-features", default="0x1", show_default=True, help="SEV_FEATURES: 0x1, 0x21 with DebugSwap.")
@click.option("--vmm", type=click.Choice(("qemu", "ec2", "gce")), default="qemu", show_default=True, help="The VMM.")
@click.option("--inputs", type=FILE, help="Inputs that `provenance measure --json` printed, instead of all these.")
@click.option("--report", "report_file", type=FILE, help="Compare with this report. Its signature is not verified.")
@click.option("--expect", metavar="HEX", help="Compare with this measurement.")
@click.option("--known", type=FILE, multiple=True, help="Inputs of another launch, tried if the comparison fails.")
@click.option(
    "--policy", "policy_file", metavar="NAME|FILE", help="The policy to pin the measurement in. Default: baseline."
)
@click.option("--write-policy", type=FILE, help="Write a copy of the policy with the measurement pinned. A new file.")
@output_options
@command_body(schemas.MEASURE)
def measure(
    output: Output,
    /,
    report_file: Path | None,
    expect: str | None,
    known: tuple[Path, ...],
    policy_file: str | None,
    write_policy: Path | None,
    **given: str | int | Path | None,
) -> None:
    """Compute the launch measurement that a VM's report must show.

    If a comparison fails, the command tries other vCPUs, guest features, VMMs and the parts of --known, and says what
    differs. Needs the extra `measure`.

    \b
    Examples:
      provenance measure --ovmf OVMF.fd --kernel vmlinuz --initrd initrd.img \\
        --append "$(cat cmdline)" --vcpus 4 --vcpu-type EPYC-Milan
      provenance measure --inputs launch.json --report report.bin --known old.json
      provenance measure --inputs launch.json --policy strict \\
        --write-policy image-7.yaml
    """
    from provenance_oracle.verifier.documents.launch import measure_json
    from provenance_oracle.verifier.snp.launch import launch_digest

    inputs = _inputs(given)
    digest = launch_digest(inputs)
    wanted = _wanted(report_file, expect)
    if wanted is not None and wanted != digest:
        raise _mismatch(inputs, digest, wanted, known, given)
    output.text(f"measurement      {digest.hex()}")
    if wanted is not None:
        output.text(f"equal            {report_file or 'to --expect'}")
    for field, part in _PARTS.items():
        output.text(f"{part:<16} {_shown(inputs, field)}")
    if write_policy:
        _write_policy(write_policy, policy_file or DEFAULT_POLICY, digest, inputs)
        output.text(f"policy           {write_policy}")
    output.document(True, measure_json(inputs, digest, policy=str(write_policy) if write_policy else None))


def _inputs(given: Mapping[str, str | int | Path | None]) -> LaunchInputs:
    from provenance_oracle.verifier.documents.launch import LAUNCH_FILE_MAX_BYTES, parse_launch
    from provenance_oracle.verifier.snp import launch

    path, ovmf, kernel, initrd = (given[name] for name in ("inputs", "ovmf", "kernel", "initrd"))
    if isinstance(path, Path):
        if ovmf or kernel or initrd or given["vcpus"] or given["vcpu_type"]:
            wanted = "--inputs alone, or --ovmf and the other parts"
            raise UsageError("the inputs are given twice", got="--inputs and parts", wanted=wanted)
        return parse_launch(read_bounded(path, LAUNCH_FILE_MAX_BYTES), str(path))
    if not isinstance(ovmf, Path) or not isinstance(given["vcpus"], int):
        wanted = "--ovmf FILE --vcpus N --vcpu-type NAME, or --inputs FILE"
        raise UsageError("parts of the launch are missing", got="no firmware or no number of vCPUs", wanted=wanted)
    if not kernel and (initrd or given["append"]):
        raise UsageError("only a kernel has an initrd and a command line", got="no --kernel", wanted="--kernel FILE")
    return launch.LaunchInputs(
        ovmf=launch.read_ovmf(ovmf),
        kernel=launch.digest_of_file(kernel) if isinstance(kernel, Path) else None,
        initrd=launch.digest_of_file(initrd) if isinstance(initrd, Path) else launch.NO_FILE,
        command_line=launch.digest_of_command_line(str(given["append"])),
        vcpus=given["vcpus"],
        vcpu_signature=_signature(given["vcpu_type"], str(given["vmm"])),
        guest_features=_number("--guest-features", str(given["guest_features"]), 64),
        vmm=str(given["vmm"]),
    )


def _signature(name: object, vmm: str) -> int:
    """Return the signature of a vCPU type. Only QEMU writes it into the vCPU's registers."""
    from provenance_oracle.verifier.snp.launch import vcpu_signatures

    known = vcpu_signatures()
    if name is None and vmm != "qemu":
        return 0
    if isinstance(name, str) and name in known:
        return known[name]
    if isinstance(name, str) and name.startswith("0x"):
        return _number("--vcpu-type", name, 32)
    wanted = f"one of {', '.join(known)}, or a signature such as 0xa00f11"
    raise UsageError("unknown vCPU type", where="--vcpu-type", got=str(name or "none"), wanted=wanted)


def _number(option: str, text: str, bits: int) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << bits:
        raise UsageError("not a number of this option", where=option, got=text, wanted=_NUMBER)
    return value


def _wanted(report_file: Path | None, expect: str | None) -> bytes | None:
    """Return the measurement to compare with, if there is one."""
    if report_file is None or expect is not None:
        if report_file is not None:
            raise UsageError("two measurements to compare with", got="--report and --expect", wanted="one of them")
        return hex_of("--expect", expect, 48)
    from provenance_oracle.verifier.snp.report import parse_report

    return parse_report(read_small(report_file), str(report_file)).measurement


def _mismatch(
    inputs: LaunchInputs, digest: bytes, wanted: bytes, known: tuple[Path, ...], given: Mapping[str, object]
) -> VerificationError:
    """Return the error for a measurement that differs, with the parts that explain it."""
    from provenance_oracle.verifier.checks import Check
    from provenance_oracle.verifier.documents.launch import LAUNCH_FILE_MAX_BYTES, parse_launch
    from provenance_oracle.verifier.snp.launch_search import explain_launch

    others = [parse_launch(read_bounded(path, LAUNCH_FILE_MAX_BYTES), str(path)) for path in known]
    append = None if given["inputs"] else str(given["append"])
    found = explain_launch(inputs, wanted, others, append)
    if found is None:
        why = "and no part that is known explains it; --known gives the inputs of other launches"
    else:
        parts = [f"{_PARTS[field]} differs ({_shown(found.inputs, field)})" for field in found.differing]
        why = " and ".join(parts)
    return VerificationError(
        f"the VM was started from other parts: {why}",
        check=Check.MEASUREMENT,
        where="measurement",
        got=wanted.hex(),
        wanted=digest.hex(),
    )


def _shown(inputs: LaunchInputs, field: str) -> str:
    value = getattr(inputs, field)
    if field == "ovmf":
        return f"launch digest {inputs.ovmf.launch_digest.hex()}"
    if inputs.kernel is None and field in ("kernel", "initrd", "command_line"):
        return "not measured"
    if isinstance(value, bytes):
        return f"sha256 {value.hex()}"
    return f"{value:#x}" if field in ("vcpu_signature", "guest_features") else str(value)


def _write_policy(path: Path, base: str, digest: bytes, inputs: LaunchInputs) -> None:
    """Write a copy of the policy `base`, a name or a file, into a new file that gives the policy its name."""
    from provenance_oracle.verifier.documents.pinned_policy import pin_measurement
    from provenance_oracle.verifier.policy import load_policy, policy_page

    page = pin_measurement(load_policy(base), policy_page(base), path.stem, digest, inputs)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise unwritten("the policy cannot be written", error, where=str(path), wanted="a new file") from error
