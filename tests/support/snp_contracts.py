"""Contracts that judge SEV-SNP evidence, and their answers in the words of the Python verifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.snp.certificates import parse_certificate
from provenance_oracle.verifier.snp.endorsements import parse_vek
from provenance_oracle.verifier.snp.signature import Claims
from tests.support.evm import Answer, Evm, creation_code

Pair = tuple[bytes, bytes]
_NO_CHIP = bytes(64)
_FACTS = ("uint256", "bytes32", "bytes32", "bytes32")


@dataclass(frozen=True)
class Judged:
    """What the EVM found in evidence that it accepts: see SnpVerifier.verify."""

    facts: int
    chip: bytes
    provider: bytes
    key_digest: bytes

    @property
    def tcb(self) -> bytes:
        """The certificate's TCB in the bytes of a report."""
        return (self.facts & (2**64 - 1)).to_bytes(8, "little")

    @property
    def not_before(self) -> int:
        return self.facts >> 64 & (2**40 - 1)

    @property
    def not_after(self) -> int:
        return self.facts >> 104 & (2**40 - 1)

    @property
    def line(self) -> int:
        return self.facts >> 144 & 0xFF

    @property
    def kind(self) -> int:
        return self.facts >> 152


@dataclass(frozen=True)
class Refused:
    """The name of the error with which the EVM refused evidence, and its arguments."""

    error: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class SnpVerifier:
    """A deployed AmdVerifier or SimulatorVerifier."""

    evm: Evm
    address: str

    @classmethod
    def deploy(cls, evm: Evm, name: str = "AmdVerifier", gas: int = 16_777_216) -> SnpVerifier:
        return cls(evm, evm.deploy(creation_code(name), gas))

    def verify(self, report: bytes, vek: bytes) -> Judged | Refused:
        """Judge one piece of evidence."""
        return next(self.verify_all([(report, vek)]))

    def verify_all(self, evidence: Sequence[Pair]) -> Iterator[Judged | Refused]:
        """Judge any number of reports, each with its certificate."""
        answers = self.evm.calls(self.address, [encode_call("verify(bytes,bytes)", *pair) for pair in evidence])
        return map(_judged, answers)

    def endorse(self, vek: bytes) -> Judged | Refused:
        """Judge a certificate alone."""
        return _judged(self.ask("endorse(bytes)", vek))

    def ask(self, signature: str, *arguments: Any) -> Answer:
        """Call any function."""
        return self.evm.call(self.address, encode_call(signature, *arguments))

    def child(self, function: str) -> str:
        """Return the address of one of the contracts that this one made, `keys` or `p384`."""
        return "0x" + self.ask(f"{function}()").data[12:].hex()


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Return the data of a call of the function with this signature."""
    from eth_abi.abi import encode

    types = [kind for kind in signature[signature.index("(") + 1 : -1].split(",") if kind]
    return keccak256(signature.encode())[:4] + encode(types, arguments)


def expected(vek: bytes, claims: Claims) -> Judged:
    """Return what the EVM must find, from the claims of the Python verifier."""
    parsed = parse_vek(parse_certificate(vek, "vek"))
    moments = (parsed.certificate.not_before, parsed.certificate.not_after)
    not_before, not_after = (max(0, int(moment.timestamp())) for moment in moments)
    facts = int.from_bytes(claims.report.reported_tcb, "little") | not_before << 64 | not_after << 104
    facts |= PRODUCT_LINE_CODES[claims.line] << 144 | claims.vek_kind << 152
    return Judged(
        facts=facts,
        chip=keccak256(_NO_CHIP if parsed.hwid is None else parsed.hwid.ljust(64, b"\0")),
        provider=bytes(32) if parsed.csp_id is None else keccak256(parsed.csp_id.encode()),
        key_digest=keccak256(key_of(vek)),
    )


def key_of(vek: bytes) -> bytes:
    """Return x and y of a certificate's P-384 key: what its SubjectPublicKeyInfo ends with."""
    return parse_certificate(vek, "vek").spki[-96:]


def refusal(answer: Answer) -> Refused:
    """Return the typed error with which a call reverted."""
    from eth_abi.abi import decode

    assert answer.reverted
    if answer.data[:4] not in _errors():
        return Refused(answer.data.hex())
    name, types = _errors()[answer.data[:4]]
    return Refused(name, decode(types, answer.data[4:]))


def _judged(answer: Answer) -> Judged | Refused:
    from eth_abi.abi import decode

    return refusal(answer) if answer.reverted else Judged(*decode(_FACTS, answer.data))


@cache
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    """Return name and types of every error of the verifier, by selector."""
    found = {}
    for item in load_artifact("AmdVerifier").abi:
        if item["type"] == "error":
            types = [field["type"] for field in item["inputs"]]
            found[keccak256(f"{item['name']}({','.join(types)})".encode())[:4]] = (item["name"], types)
    return found
