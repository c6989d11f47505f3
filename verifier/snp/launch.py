"""Compute the launch measurement that a guest's report must show, from the parts that the host starts it with.

Sources: AMD 56860, section 8.17 (launch digest and PAGE_INFO); virtee/sev-snp-measure 0.0.13 for the parts that each
VMM measures, in its order. That package, of the extra `measure`, makes the computation. A test rebuilds the measurement
that a real Milan processor signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, naming_extras
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file

if TYPE_CHECKING:
    from sevsnpmeasure.gctx import GCTX

VMMS = ("qemu", "ec2", "gce")
VCPUS_MAX = 512
DEFAULT_GUEST_FEATURES = 1  # SEV_FEATURES: SNP active
_OVMF_MAX_BYTES = 64 << 20
_PAGE_BYTES = 4096
_SECTION_KINDS = (1, 2, 3, 4, 0x10)  # memory, secrets, CPUID, SVSM calling area, kernel hashes
_KERNEL_HASHES = 0x10
_SECTIONS_MAX = 64
_SECTION_MAX_BYTES = 64 << 20
_ADDRESS_END = 1 << 52
NO_FILE = hashlib.sha256().digest()  # the initrd's digest where there is none


@dataclass(frozen=True)
class OvmfSection:
    """A range of memory that the firmware image describes: address, size in bytes and kind, which are measured."""

    gpa: int
    size: int
    kind: int


@dataclass(frozen=True)
class Ovmf:
    """The parts of a firmware image that enter the measurement.

    `launch_digest` (48 bytes) is the measurement after the image's pages. `hashes_table_gpa` is the address of the page
    with the kernel's hashes, or 0 if the image has none. `reset_eip` is the address at which other vCPUs start.
    """

    launch_digest: bytes
    sections: tuple[OvmfSection, ...]
    hashes_table_gpa: int
    reset_eip: int


@dataclass(frozen=True)
class LaunchInputs:
    """Everything that the launch measurement depends on.

    `kernel`, `initrd` and `command_line` are SHA-256 (32 bytes) of the files, and of the text with a zero byte.
    `kernel` is None if the host measures none of the three. `vcpu_signature` is CPUID Fn1 EAX, and `guest_features`
    SEV_FEATURES. `vmm` is one of VMMS.
    """

    ovmf: Ovmf
    kernel: bytes | None
    initrd: bytes
    command_line: bytes
    vcpus: int
    vcpu_signature: int
    guest_features: int
    vmm: str


def launch_digest(inputs: LaunchInputs) -> bytes:
    """Return the launch measurement, 48 bytes.

    Raises:
        UsageError: the extra `measure` is not installed, or a number is out of range.
        FormatError: the firmware image cannot have been measured so (check `measurement`).
    """
    *_, digest = launch_digests(inputs, inputs.vcpus)
    return digest


def launch_digests(inputs: LaunchInputs, most_vcpus: int) -> Iterator[bytes]:
    """Yield the launch measurement with one vCPU, with two, and so on up to `most_vcpus`, whatever `inputs` say.

    Raises: as `launch_digest`.
    """
    _refuse_odd(inputs, most_vcpus)
    with naming_extras():
        from sevsnpmeasure.sev_mode import SevMode
        from sevsnpmeasure.vmm_types import VMMType
        from sevsnpmeasure.vmsa import VMSA
    vmm = VMMType[inputs.vmm.upper() if inputs.vmm == "qemu" else inputs.vmm]
    context = _before_vcpus(inputs, vmm)
    pages = VMSA(SevMode.SEV_SNP, inputs.ovmf.reset_eip, inputs.vcpu_signature, inputs.guest_features, vmm)
    for page in pages.pages(most_vcpus):
        context.update_vmsa_page(page)
        yield context.ld()


def _before_vcpus(inputs: LaunchInputs, vmm: Any) -> GCTX:
    """Return the state after the firmware image and its sections. The package takes files, and we have their hashes."""
    from sevsnpmeasure.gctx import GCTX
    from sevsnpmeasure.guest import snp_update_metadata_pages
    from sevsnpmeasure.sev_hashes import SevHashes

    hashes = None
    if inputs.kernel is not None:
        hashes = SevHashes.__new__(SevHashes)
        hashes.kernel_hash, hashes.initrd_hash = inputs.kernel, inputs.initrd
        hashes.cmdline_hash = inputs.command_line
    context = GCTX(seed=inputs.ovmf.launch_digest)
    snp_update_metadata_pages(context, _Metadata(inputs.ovmf), hashes, vmm)
    return context


class _Metadata:
    """An `Ovmf` in the form that the package asks: its own class has no way to be made without the image."""

    def __init__(self, ovmf: Ovmf) -> None:
        self._ovmf = ovmf

    def metadata_items(self) -> list[Any]:
        from sevsnpmeasure.ovmf import OvmfSevMetadataSectionDesc

        return [OvmfSevMetadataSectionDesc(part.gpa, part.size, part.kind) for part in self._ovmf.sections]

    def has_metadata_section(self, kind: Any) -> bool:
        return any(part.kind == kind.value for part in self._ovmf.sections)

    def sev_hashes_table_gpa(self) -> int:
        return self._ovmf.hashes_table_gpa


def _refuse_odd(inputs: LaunchInputs, vcpus: int) -> None:
    """Refuse numbers with which the package would run without end or stop at an assertion."""
    if not 1 <= vcpus <= VCPUS_MAX:
        raise UsageError("the number of vCPUs is out of range", got=str(vcpus), wanted=f"1 to {VCPUS_MAX}")
    if inputs.vmm not in VMMS:
        raise UsageError("unknown VMM", got=inputs.vmm, wanted=" or ".join(VMMS))
    ovmf = inputs.ovmf
    if not 1 <= len(ovmf.sections) <= _SECTIONS_MAX:
        raise _odd_firmware("wrong number of sections", str(len(ovmf.sections)), f"1 to {_SECTIONS_MAX}")
    for part in ovmf.sections:
        fits = part.kind in _SECTION_KINDS and part.size % _PAGE_BYTES == 0 and 0 <= part.gpa < _ADDRESS_END
        if not fits or not 0 < part.size <= _SECTION_MAX_BYTES:
            got = f"kind {part.kind:#x}, {part.size} bytes at {part.gpa:#x}"
            raise _odd_firmware("a section cannot be measured", got, "a kind that QEMU knows, in whole pages")
    if inputs.kernel is None:
        return
    pages = [part.size for part in ovmf.sections if part.kind == _KERNEL_HASHES]
    if pages != [_PAGE_BYTES] or not ovmf.hashes_table_gpa:
        wanted = "one page for hashes; build OVMF for SEV (AmdSevX64), or leave out --kernel"
        raise _odd_firmware("the firmware takes no kernel hashes", f"{len(pages)} pages for them", wanted)


def read_ovmf(path: Path) -> Ovmf:
    """Read a firmware image, whole pages of at most 64 MiB, and return the parts that are measured.

    Raises:
        UsageError: there is no such file, or the extra `measure` is not installed.
        FormatError: it is not an OVMF image for SEV-SNP (check `measurement`).
    """
    with naming_extras():
        from sevsnpmeasure.gctx import GCTX
        from sevsnpmeasure.ovmf import OVMF
    where, wanted = str(path), "an OVMF image built for SEV-SNP"
    with open_any_file(path) as file:
        size = file.size
    if not 0 < size <= _OVMF_MAX_BYTES or size % _PAGE_BYTES:
        raise _odd_firmware("not a firmware image", f"{size} bytes", f"whole pages, at most {_OVMF_MAX_BYTES}", where)
    try:
        image = OVMF(str(path))
        context = GCTX()
        context.update_normal_pages(image.gpa(), image.data())
        sections = tuple(OvmfSection(part.gpa, part.size, part.section_type().value) for part in image.metadata_items())
        table = image.sev_hashes_table_gpa() if image.is_sev_hashes_table_supported() else 0
        return Ovmf(context.ld(), sections, table, image.sev_es_reset_eip())
    except (RuntimeError, ValueError, IndexError) as error:  # how the package refuses an image
        raise _odd_firmware("not a firmware image for SEV-SNP", str(error), wanted, where) from error


def digest_of_file(path: Path) -> bytes:
    """Return SHA-256 of a kernel or initrd. Raises UsageError if there is no such file."""
    digest = hashlib.sha256()
    with open_any_file(path) as file:
        for piece in pieces_of_file(file):
            digest.update(piece)
    return digest.digest()


def digest_of_command_line(text: str) -> bytes:
    """Return SHA-256 of a kernel's command line as QEMU hashes it: with a zero byte, also when it is empty."""
    return hashlib.sha256(text.encode() + b"\0").digest()


def vcpu_signatures() -> dict[str, int]:
    """Return the vCPU types by QEMU's names, each with its signature.

    Raises:
        UsageError: the extra `measure` is not installed.
    """
    with naming_extras():
        from sevsnpmeasure.vcpu_types import CPU_SIGS
    return dict(CPU_SIGS)


def _odd_firmware(problem: str, got: str, wanted: str, where: str = "ovmf") -> FormatError:
    return FormatError(problem, check=Check.MEASUREMENT, where=where, got=got, wanted=wanted)
