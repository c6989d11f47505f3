"""A fake AMD, a fake confidential VM and a fake key distribution service, in AMD's exact formats.

For the demo and the tests: evidence that behaves like the real thing, under a root whose private keys everybody
has. The verifier calls it `simulated` and gives it grade 0.

    amd = FakeAmd.load(ProductLine.GENOA)
    guest = FakeGuest.on(amd, at=now)
    evidence = guest.evidence(report_data)

Every deviation a test may want is a keyword: `guest.report(report_data, vmpl=1)`, `guest.vek(serial=1)`,
`amd.reissue(CaRole.ASK, not_after=...)`, `amd.crl(..., revoked=(131074,))`.
"""

from provenance_oracle.publisher.simulator.amd import FakeAmd, Vek
from provenance_oracle.publisher.simulator.certificates import Name, Pss, X509Extension
from provenance_oracle.publisher.simulator.forms import CaRole
from provenance_oracle.publisher.simulator.guest import FakeGuest
from provenance_oracle.publisher.simulator.kds import FakeKds, Resource

__all__ = ["CaRole", "FakeAmd", "FakeGuest", "FakeKds", "Name", "Pss", "Resource", "Vek", "X509Extension"]
