"""TCB layouts: eight bytes that mean different things on different product lines.

Source: AMD 56860 (SEV-SNP firmware ABI), TCB_VERSION, as read in virtee/sev `from_legacy_bytes` and
`from_turin_bytes` and compared with real certificates of all three lines.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.products import ProductLine

# Position of each component in the eight bytes as stored, lowest first; the others must be zero.
_LEGACY = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
_TURIN = {"fmc": 0, "bootloader": 1, "tee": 2, "snp": 3, "microcode": 7}
LAYOUTS = {ProductLine.MILAN: _LEGACY, ProductLine.GENOA: _LEGACY, ProductLine.TURIN: _TURIN}


@dataclass(frozen=True)
class Tcb:
    """Security version numbers of the parts of the platform's firmware, 0 to 255 each; fmc on Turin only."""

    bootloader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None

    def __str__(self) -> str:
        parts = ((f.name, getattr(self, f.name)) for f in fields(self))
        return " ".join(f"{name} {value}" for name, value in parts if value is not None)


def parse_tcb(data: bytes, line: ProductLine, where: str) -> Tcb:
    """Split eight TCB bytes by the layout of `line`.

    Raises:
        FormatError: a byte that the layout reserves is not zero (check `report-format`).
    """
    layout = LAYOUTS[line]
    reserved = [data[i] for i in range(8) if i not in layout.values()]
    if any(reserved):
        raise FormatError(
            f"reserved TCB bytes of {line} are set",
            check=Check.REPORT_FORMAT,
            where=where,
            got=data.hex(),
            wanted="zero in every reserved byte",
        )
    return Tcb(**{name: data[position] for name, position in layout.items()})


def shortfall(tcb: Tcb, floor: Tcb) -> list[str]:
    """Return one phrase per component of `tcb` that is below `floor`; empty when none is.

    Versions are compared component by component, never as one integer. A floor without fmc asks
    nothing of fmc; a floor with fmc is not met by a TCB without it.
    """
    low = []
    for field in fields(Tcb):
        wanted, got = getattr(floor, field.name), getattr(tcb, field.name)
        if wanted is not None and (got is None or got < wanted):
            low.append(f"{field.name} {got} < {wanted}")
    return low
