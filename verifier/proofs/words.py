"""What a proof on chain says: one word of 256 bits, which `contracts/proofs/ProofWords.sol` packs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, parse_moment
from provenance_oracle.verifier.snp.report import SigningKey

# Name, lowest bit and width of each number.
_NUMBERS = (
    ("proven_at", 0, 40),
    ("guest_policy", 40, 26),
    ("platform_info", 66, 8),
    ("vmpl", 74, 2),
    ("product_line", 79, 8),
    ("report_version", 87, 8),
    ("lowest_tcb", 95, 64),
    ("cpuid", 159, 24),
    ("certificate_line", 183, 8),
    ("intermediate", 191, 16),
)
_FLAGS = (("from_host", 76), ("names_no_chip", 77), ("is_vlek", 78), ("revoked", 255))
_RESERVED = ((1 << 48) - 1) << 207
FORBIDDEN = 1 << 59 | 1 << 58 | 3 << 74 | 1 << 76 | 1 << 86


@dataclass(frozen=True)
class ProofWord:
    """A proof's word.

    Attributes:
        proven_at: time of the block.
        guest_policy, platform_info: AMD's bits, of the latter the lowest eight.
        vmpl: of the guest that asked for the report.
        product_line: a code of `PRODUCT_LINE_CODES`, or SIMULATED_CODE.
        lowest_tcb: byte by byte the least of four TCBs, eight bytes as a report stores them.
        cpuid: family, model and stepping, lowest byte first; 0 for reports of version 2.
        certificate_line: the product line of the certificate, also for simulated hardware.
        intermediate: the number of the intermediate that somebody added; 0 for one that is pinned.
        from_host: the host asked for the report.
        names_no_chip: the host hides its chip, or a VLEK signed.
        is_vlek: a VLEK signed, not a VCEK.
        revoked: AMD revoked the intermediate key since.
    """

    word: int
    proven_at: datetime
    guest_policy: int
    platform_info: int
    vmpl: int
    product_line: int
    report_version: int
    lowest_tcb: bytes
    cpuid: int
    certificate_line: int
    intermediate: int
    from_host: bool
    names_no_chip: bool
    is_vlek: bool
    revoked: bool

    @property
    def is_simulated(self) -> bool:
        """Whether the keys were the simulator's: then nothing is proven."""
        return self.product_line == SIMULATED_CODE

    @property
    def opens_gate(self) -> bool:
        """Whether `HardwareGate` lets it pass with its own mask."""
        return not self.revoked and not self.word & FORBIDDEN

    @property
    def signing_key(self) -> SigningKey:
        """The kind of the key that signed the report."""
        return SigningKey.VLEK if self.is_vlek else SigningKey.VCEK


def unpack_proof(word: int, where: str) -> ProofWord:
    """Unpack a word. `where` names it in messages.

    Raises:
        FormatError: the contract cannot hold such a word (check `registry-record`).
    """
    numbers: Any = {name: word >> lowest_bit & (1 << width) - 1 for name, lowest_bit, width in _NUMBERS}
    flags = {name: bool(word >> bit & 1) for name, bit in _FLAGS}
    if word >> 256 or word & _RESERVED or not numbers["proven_at"]:
        problem, wanted = "the contract cannot hold such a proof", "a time, and no reserved bits"
        raise FormatError(problem, check=Check.REGISTRY_RECORD, where=where, got=f"{word:#x}", wanted=wanted)
    return ProofWord(
        word=word,
        proven_at=parse_moment(numbers.pop("proven_at"), where),
        lowest_tcb=numbers.pop("lowest_tcb").to_bytes(8, "little"),
        **numbers,
        **flags,
    )
