"""A fake confidential VM on a fake chip. It makes reports and the evidence that a publisher would collect."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.simulator.amd import FakeAmd, Vek
from provenance_oracle.publisher.simulator.report import ReportFields, encode_tcb, sign_report
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import VEK_FORMS, Cpuid, ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

_CPUIDS = {
    ProductLine.MILAN: Cpuid(0x19, 0x01, 1),
    ProductLine.GENOA: Cpuid(0x19, 0x11, 1),
    ProductLine.TURIN: Cpuid(0x1A, 0x02, 1),
}
# At or above the floors known in 2026 for these steppings.
_TCBS = {
    ProductLine.MILAN: Tcb(bootloader=4, tee=0, snp=29, microcode=222),
    ProductLine.GENOA: Tcb(bootloader=10, tee=0, snp=28, microcode=88),
    ProductLine.TURIN: Tcb(fmc=1, bootloader=1, tee=1, snp=4, microcode=81),
}
_CHIP_ID = hashlib.sha512(b"chip id of the simulator").digest()
_MEASUREMENT = hashlib.sha384(b"launch measurement of the simulator").digest()

_CHIP_ID_BYTES = 64
_POLICY = 0x30000  # ABI 0.0, SMT allowed, the bit that must be one
_ECC, _ALIAS_CHECK_COMPLETE = 1 << 2, 1 << 5
_MIT_VECTOR = 0x3F
_VEK_ISSUED_BEFORE = timedelta(days=30)
_CPUID_SINCE, _MIT_VECTORS_SINCE = 3, 5
_SIGNING_KEY_SHIFT = 2


@dataclass(frozen=True)
class FakeGuest:
    """One VM on one chip at one moment. `on` makes one without faults for a product line.

    Args:
        amd: the fake AMD that endorses the chip.
        at: the moment at which the evidence is collected; certificates and list are dated around it.
        chip_id: 64 bytes; on Turin the last 56 are zero.
        tcb: the current, committed, reported and launch TCB.
        csp_id: name of the cloud provider whose VLEK signs (`CN=...`); None: the chip's VCEK signs.
        version: the version of the report: 2 to 5.
    """

    amd: FakeAmd
    at: datetime
    cpuid: Cpuid
    chip_id: bytes
    tcb: Tcb
    csp_id: str | None = None
    version: int = 5
    policy: int = _POLICY
    platform_info: int = _ECC | _ALIAS_CHECK_COMPLETE
    vmpl: int = 0
    measurement: bytes = _MEASUREMENT
    host_data: bytes = bytes(32)
    mit_vector: int = _MIT_VECTOR

    @classmethod
    def on(cls, amd: FakeAmd, *, at: datetime, **changes: Any) -> FakeGuest:
        """Return a guest without faults on a processor of `amd.line`. `changes` replace fields."""
        chip_id = _CHIP_ID[: VEK_FORMS[amd.line].hwid_bytes].ljust(_CHIP_ID_BYTES, b"\0")
        guest = cls(amd, at, cpuid=_CPUIDS[amd.line], chip_id=chip_id, tcb=_TCBS[amd.line])
        return replace(guest, **changes)

    @property
    def vek_kind(self) -> SigningKey:
        """The kind of key that signs this guest's reports."""
        return SigningKey.VCEK if self.csp_id is None else SigningKey.VLEK

    def vek(self, **deviations: Any) -> Vek:
        """Return the key that signs this guest's reports, with its certificate. `deviations` as in FakeAmd.vcek."""
        dated: dict[str, Any] = {"not_before": self.at - _VEK_ISSUED_BEFORE, **deviations}
        if self.csp_id is not None:
            return self.amd.vlek(self.csp_id, self.tcb, **dated)
        return self.amd.vcek(self.chip_id[: VEK_FORMS[self.amd.line].hwid_bytes], self.tcb, **dated)

    def crl(self, **deviations: Any) -> bytes:
        """Return an empty revocation list (DER) issued the day before `at`. `deviations` as in FakeAmd.crl."""
        return self.amd.current_crl(self.at, **deviations)

    def fields(self, report_data: bytes) -> ReportFields:
        """Return the fields of this guest's report over 64 bytes of report_data."""
        tcb = encode_tcb(self.tcb, self.amd.line)
        has_cpuid, has_mit_vectors = self.version >= _CPUID_SINCE, self.version >= _MIT_VECTORS_SINCE
        return ReportFields(
            version=self.version,
            policy=self.policy,
            vmpl=self.vmpl,
            platform_info=self.platform_info,
            key_info=self.vek_kind << _SIGNING_KEY_SHIFT,
            report_data=report_data,
            measurement=self.measurement,
            host_data=self.host_data,
            report_id=hashlib.sha256(self.chip_id + self.measurement).digest(),
            chip_id=self.chip_id if self.vek_kind is SigningKey.VCEK else bytes(_CHIP_ID_BYTES),
            current_tcb=tcb,
            reported_tcb=tcb,
            committed_tcb=tcb,
            launch_tcb=tcb,
            cpuid_family=self.cpuid.family if has_cpuid else 0,
            cpuid_model=self.cpuid.model if has_cpuid else 0,
            cpuid_stepping=self.cpuid.stepping if has_cpuid else 0,
            launch_mit_vector=self.mit_vector if has_mit_vectors else 0,
            current_mit_vector=self.mit_vector if has_mit_vectors else 0,
        )

    def report(self, report_data: bytes, *, key: ec.EllipticCurvePrivateKey | None = None, **changes: Any) -> bytes:
        """Return a report (1184 bytes) signed by the VEK or `key`. `changes` replace fields of ReportFields first."""
        return sign_report(replace(self.fields(report_data), **changes).encode(), key or self.vek().key)

    def evidence(self, report_data: bytes) -> Evidence:
        """Return the evidence that a release needs: report, VEK in DER, chain in PEM, revocation list in DER."""
        vek = self.vek()
        return Evidence(
            report=self.report(report_data, key=vek.key),
            vek=vek.certificate,
            chain=self.amd.chain_pem(self.vek_kind),
            crl=self.crl(),
        )
