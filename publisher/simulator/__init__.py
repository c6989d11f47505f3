"""A fake AMD, a fake confidential VM and a fake key distribution service, in AMD's exact formats.

The demo and the tests use it. Its evidence has the form of real evidence, but its root's private keys are public. The
verifier calls such evidence `simulated` and gives it grade 0.

    amd = FakeAmd.load(ProductLine.GENOA)
    guest = FakeGuest.on(amd, at=now)
    evidence = guest.evidence(report_data)

A test can change every field by keyword: `guest.report(report_data, vmpl=1)`, `guest.vek(serial=1)`,
`amd.reissue(CaRole.ASK, not_after=...)`, `amd.crl(..., revoked=(131074,))`.
"""

from provenance_oracle.publisher.simulator.amd import FakeAmd, Vek
from provenance_oracle.publisher.simulator.certificates import Name, Pss, X509Extension
from provenance_oracle.publisher.simulator.forms import CaRole
from provenance_oracle.publisher.simulator.guest import FakeGuest
from provenance_oracle.publisher.simulator.kds import FakeKds, Resource

__all__ = ["CaRole", "FakeAmd", "FakeGuest", "FakeKds", "Name", "Pss", "Resource", "Vek", "X509Extension"]
