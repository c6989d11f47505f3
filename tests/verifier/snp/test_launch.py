"""The launch measurement: equal to the one that a real processor signed, and to the package's own way from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.snp.launch import (
    NO_FILE,
    LaunchInputs,
    OvmfSection,
    digest_of_command_line,
    digest_of_file,
    launch_digest,
    read_ovmf,
    vcpu_signatures,
)
from provenance_oracle.verifier.snp.launch_search import explain_launch
from tests.support.launches import firmware, real_launch


@pytest.fixture
def real(vectors: Path) -> LaunchInputs:
    return real_launch(vectors)[0]


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    files = {"ovmf": firmware(), "kernel": b"kernel" * 999, "initrd": b"initrd"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in files}


def test_the_measurement_is_that_of_a_real_processor(vectors: Path) -> None:
    inputs, measured = real_launch(vectors)
    assert launch_digest(inputs) == measured


@pytest.mark.parametrize("vmm", ["qemu", "ec2", "gce"])
@pytest.mark.parametrize("with_kernel", [True, False])
def test_files_give_the_measurement_that_the_package_gives(parts: dict[str, Path], vmm: str, with_kernel: bool) -> None:
    from sevsnpmeasure.guest import snp_calc_launch_digest
    from sevsnpmeasure.vmm_types import VMMType

    signature = vcpu_signatures()["EPYC-Milan"]
    inputs = LaunchInputs(
        ovmf=read_ovmf(parts["ovmf"]),
        kernel=digest_of_file(parts["kernel"]) if with_kernel else None,
        initrd=digest_of_file(parts["initrd"]) if with_kernel else NO_FILE,
        command_line=digest_of_command_line("root=a" if with_kernel else ""),
        vcpus=3,
        vcpu_signature=signature,
        guest_features=0x21,
        vmm=vmm,
    )
    names = [str(parts[name]) if with_kernel else "" for name in ("kernel", "initrd")]
    kind = VMMType["QEMU" if vmm == "qemu" else vmm]
    append = "root=a" if with_kernel else ""
    theirs = snp_calc_launch_digest(3, signature, str(parts["ovmf"]), *names, append, 0x21, "", kind)
    assert launch_digest(inputs) == theirs


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"vcpus": 64}, ("vcpus",)),
        ({"vcpu_signature": 0xA00F11}, ("vcpu_signature",)),
        ({"guest_features": 0x21}, ("guest_features",)),
        ({"vmm": "gce"}, ("vmm",)),
        ({"kernel": None}, ("kernel",)),
        ({"vcpus": 5, "guest_features": 0x21}, ("vcpus", "guest_features")),
        ({"kernel": b"k" * 32}, ("kernel",)),
        ({"initrd": b"i" * 32}, ("initrd",)),
        ({"command_line": b"c" * 32}, ("command_line",)),
        ({"kernel": b"k" * 32, "initrd": b"i" * 32}, ("kernel", "initrd")),
        ({"command_line": digest_of_command_line("root=a\n")}, ("command_line",)),
    ],
)
def test_a_mismatch_is_explained(real: LaunchInputs, changes: dict[str, Any], differing: tuple[str, ...]) -> None:
    started = replace(real, **changes)
    known = [replace(real, kernel=b"k" * 32, initrd=b"i" * 32, command_line=b"c" * 32)]
    found = explain_launch(real, launch_digest(started), known, "root=a")
    assert found is not None
    assert set(found.differing) == set(differing)
    assert launch_digest(found.inputs) == launch_digest(started)


def test_another_firmware_is_named_if_it_is_known(real: LaunchInputs) -> None:
    other = replace(real, ovmf=replace(real.ovmf, launch_digest=bytes(48)))
    found = explain_launch(real, launch_digest(other), [other])
    assert found is not None
    assert found.differing == ("ovmf",)


def test_what_is_not_known_is_not_explained(real: LaunchInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provenance_oracle.verifier.snp.launch_search._TRIALS_MAX", 20)
    assert explain_launch(real, bytes(48)) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"vcpus": 0}, "out of range"), ({"vcpus": 513}, "out of range"), ({"vmm": "xen"}, "unknown VMM")],
)
def test_numbers_out_of_range_are_the_users_mistake(real: LaunchInputs, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        launch_digest(replace(real, **changes))


@pytest.mark.parametrize(
    "section",
    [OvmfSection(0, 4096, 9), OvmfSection(0, 100, 1), OvmfSection(0, 0, 1), OvmfSection(0, 1 << 40, 1)],
)
def test_a_section_that_cannot_be_measured_is_malformed(real: LaunchInputs, section: OvmfSection) -> None:
    with pytest.raises(FormatError, match="a section cannot be measured") as caught:
        launch_digest(replace(real, ovmf=replace(real.ovmf, sections=(*real.ovmf.sections, section))))
    assert caught.value.check is Check.MEASUREMENT


def test_firmware_without_a_page_for_hashes_takes_no_kernel(tmp_path: Path, real: LaunchInputs) -> None:
    (tmp_path / "ovmf").write_bytes(firmware(takes_kernel=False))
    inputs = replace(real, ovmf=read_ovmf(tmp_path / "ovmf"))
    with pytest.raises(FormatError, match="takes no kernel hashes"):
        launch_digest(inputs)
    assert len(launch_digest(replace(inputs, kernel=None))) == 48


@pytest.mark.parametrize("data", [b"", b"x", bytes(4096), firmware()[:-4096], b"\xff" * 4096])
def test_a_file_that_is_no_firmware_is_malformed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ovmf").write_bytes(data)
    with pytest.raises(FormatError, match="not a firmware image"):
        read_ovmf(tmp_path / "ovmf")
