"""TCB versions: eight bytes whose layout depends on the product line.

Source: AMD 56860 (SEV-SNP Firmware ABI), structure TCB_VERSION, as implemented in virtee/sev by `from_legacy_bytes`
and `from_turin_bytes`. The layouts were compared with real certificates of all three lines.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.products import ProductLine

# Position of each component in the eight bytes as stored, lowest address first. The other bytes must be zero.
_LEGACY = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
_TURIN = {"fmc": 0, "bootloader": 1, "tee": 2, "snp": 3, "microcode": 7}
TCB_LAYOUTS = {ProductLine.MILAN: _LEGACY, ProductLine.GENOA: _LEGACY, ProductLine.TURIN: _TURIN}


@dataclass(frozen=True)
class Tcb:
    """Security version numbers of the components of the platform's firmware, 0 to 255 each.

    `fmc` exists on Turin only and is None on other lines.
    """

    bootloader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None

    def __str__(self) -> str:
        parts = ((f.name, getattr(self, f.name)) for f in fields(self))
        return " ".join(f"{name} {value}" for name, value in parts if value is not None)


def parse_tcb(data: bytes, line: ProductLine, where: str) -> Tcb:
    """Split the eight bytes of a TCB version by the layout of `line`. `where` names the field in messages.

    Raises:
        FormatError: a byte that the layout reserves is not zero (check `report-format`).
    """
    layout = TCB_LAYOUTS[line]
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
    """Return one phrase per component of `tcb` that is below `floor`; an empty list means that none is.

    Versions are compared component by component, never as one integer. A floor without fmc does not check fmc. A TCB
    without fmc does not meet a floor with fmc.
    """
    low = []
    for field in fields(Tcb):
        wanted, got = getattr(floor, field.name), getattr(tcb, field.name)
        if wanted is not None and (got is None or got < wanted):
            low.append(f"{field.name} {got} < {wanted}")
    return low
