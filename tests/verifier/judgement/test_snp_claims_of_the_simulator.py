"""From bytes to findings on every product line, with evidence made by the simulator."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.judgement.snp_claims import grade_of
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, load_policy
from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import ProductLine, RootKind
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from tests.support.sample_claims import BASELINE, DEMO, STRICT, failures

AT = datetime(2026, 11, 21, tzinfo=UTC)
ON_SIMULATOR = replace(STRICT, name="strict-on-simulator", roots=frozenset({RootKind.SIMULATOR}))
# Guest: no SMT, ciphertext hiding, page swapping off. Host: ciphertext hiding, ECC, alias check.
STRICT_GUEST = {"policy": 0x3020000, "platform_info": 0x34}


def _claims(line: ProductLine, **changes: Any) -> Claims:
    amd = FakeAmd.load(line)
    evidence = FakeGuest.on(amd, at=AT, **changes).evidence(b"r" * 64)
    endorsements = parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    chain = verify_chain(endorsements, roots=(amd.trusted_root(),), at=AT)
    return verify_report_signature(match_vek_to_report(chain, parse_report(evidence.report)))


@pytest.mark.parametrize("line", ProductLine)
def test_a_plain_guest_meets_demo_and_not_strict(line: ProductLine) -> None:
    claims = _claims(line)
    assert claims.root_kind in DEMO.roots
    assert not failures(claims, DEMO)
    assert not failures(claims, BASELINE)
    expected = {Check.GUEST_POLICY, Check.PLATFORM_INFO}
    assert set(failures(claims, STRICT)) == expected | ({Check.PRODUCT_LINE} if line is ProductLine.MILAN else set())
    assert grade_of(claims) == 0


@pytest.mark.parametrize("line", ProductLine)
def test_version_4_needs_a_policy_that_lists_it(line: ProductLine) -> None:
    """No shipped policy lists version 4, so only a policy of one's own accepts it. It has no mitigation vectors."""
    claims = _claims(line, version=4)
    for name in SHIPPED_POLICIES:
        found = failures(claims, load_policy(name))[Check.REPORT_FORMAT]
        assert (found.got, "4" in found.wanted) == ("report version 4", False)
    listed = replace(BASELINE, report_versions=(3, 4, 5))
    assert not failures(claims, listed)
    assert set(failures(claims, replace(listed, mitigations=STRICT.mitigations))) == {Check.MITIGATIONS}


@pytest.mark.parametrize("line", [ProductLine.GENOA, ProductLine.TURIN])
def test_strict_can_be_met(line: ProductLine) -> None:
    claims = _claims(line, **STRICT_GUEST)
    assert claims.root_kind in ON_SIMULATOR.roots
    assert not failures(claims, ON_SIMULATOR)
    # The same evidence under AMD's root would have grade 2; under the simulator's root it has grade 0.
    assert grade_of(claims) == 0
    assert grade_of(replace(claims, root_kind=RootKind.AMD)) == 2
