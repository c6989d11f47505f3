from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.judgement.snp_claims import check_claims, grade_of
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.real_sets import NAMES, claims_by_fields, real_folder
from tests.support.sample_claims import (
    BASELINE,
    CHIP,
    DEMO,
    STRICT,
    TCB_FIELDS,
    UNSAFE,
    by_check,
    claims_with,
    failures,
)

# --- real reports --------------------------------------------------------------------------------------------

BASELINE_PASSES = {
    "genoa-v3-mstav-aci",
    "genoa-v3-openpcc-azure",
    "genoa-v3-scitt-aci",
    "genoa-v3-trustee-azure-vtpm",
    "genoa-v5-lunal-SIENA-model-a0",
    "genoa-v5-routex",
    "milan-v3-cmcp-azure",
    "milan-v3-confai-azure",
    "milan-v3-ms-sidecar",
    "milan-v3-mstav-aci",
    "milan-v3-oak-release",
    "milan-v3-oak-rk-release",
    "milan-v3-scitt-aci",
    "milan-v3-trustee-azure-vtpm-v1",
    "milan-v3-trustee-azure-vtpm-v2",
    "turin-v5-anolis",
    "turin-v5-mstav-aci",
}


@pytest.fixture(scope="module")
def real(vectors: Path) -> dict[str, Claims]:
    return {name: claims_by_fields(real_folder(vectors, name)) for name in NAMES}


def test_real_reports_by_their_fields(real: dict[str, Claims]) -> None:
    assert len(real) == 26
    assert {name for name, claims in real.items() if not failures(claims, UNSAFE)} == set(real)
    assert {name for name, claims in real.items() if not failures(claims, BASELINE)} == BASELINE_PASSES
    assert {name for name, claims in real.items() if not failures(claims, DEMO)} == BASELINE_PASSES
    assert not {name for name, claims in real.items() if not failures(claims, STRICT)}
    assert {name: grade_of(claims) for name, claims in real.items()} == {
        name: int(name in BASELINE_PASSES) for name in real
    }


def test_why_real_reports_fail(real: dict[str, Claims]) -> None:
    assert {name: set(failures(claims, BASELINE)) for name, claims in real.items() if name not in BASELINE_PASSES} == {
        "milan-v2-VLEK-anolis": {
            Check.REPORT_FORMAT,
            Check.VEK_MATCH,
            Check.PLATFORM_INFO,
            Check.VMPL,
            Check.TCB_FLOOR,
        },
        "milan-v2-cmc": {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR},
        "milan-v2-automata-gcp": {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR},
        "milan-v2-enarx-steward-IDBLOCK": {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR},
        "milan-v2-gosevguest-DEBUGPOLICY": {
            Check.REPORT_FORMAT,
            Check.GUEST_POLICY,
            Check.PLATFORM_INFO,
            Check.TCB_FLOOR,
        },
        "milan-v2-ms-sidecar-aci": {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR},
        "milan-v2-trustee-azure": {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR},
        "milan-v3-VLEK-trustee-aws": {Check.VEK_MATCH, Check.VMPL, Check.TCB_FLOOR},
        "milan-v3-dstack": {Check.TCB_FLOOR},
    }
    dstack = failures(real["milan-v3-dstack"], BASELINE)[Check.TCB_FLOOR].got
    assert "reported snp 23 < 24, microcode 213 < 219" in dstack
    vlek = failures(real["milan-v3-VLEK-trustee-aws"], BASELINE)[Check.TCB_FLOOR].got
    assert vlek == "reported microcode 217 < 219"
    siena = failures(real["genoa-v5-lunal-SIENA-model-a0"], STRICT)
    assert "without 2" in siena[Check.MITIGATIONS].got
    turin = failures(real["turin-v5-mstav-aci"], STRICT)
    assert set(turin) == {Check.GUEST_POLICY, Check.PLATFORM_INFO}
    for name in ("smt on", "ciphertext_hiding off", "page_swap_disable off"):
        assert name in turin[Check.GUEST_POLICY].got


# --- properties ----------------------------------------------------------------------------------------------

_TCBS = st.builds(Tcb, *[st.integers(0, 255)] * 4, st.none() | st.integers(0, 255))
_CHANGES: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "version": lambda: st.sampled_from([2, 3, 4, 5]),
    "policy": lambda: st.integers(0, 2**64 - 1),
    "platform_info": lambda: st.integers(0, 2**64 - 1),
    "vmpl": lambda: st.sampled_from([0, 1, 3, 4, 0xFFFFFFFF]),
    "cpuid": lambda: st.none() | st.builds(Cpuid, *[st.integers(0, 255)] * 3),
    "launch_mit_vector": lambda: st.none() | st.integers(0, 2**64 - 1),
    "line": lambda: st.sampled_from(ProductLine),
    "chip_id": lambda: st.none() | st.just(CHIP),
    "csp_id": lambda: st.none() | st.text(max_size=5),
    "vek_kind": lambda: st.sampled_from(SigningKey),
    "root_kind": lambda: st.sampled_from(RootKind),
    **{name: lambda: _TCBS for name in TCB_FIELDS},
}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_claims_give_findings_and_strict_implies_baseline(data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(sorted(_CHANGES)), max_size=5))
    claims = claims_with(**{name: data.draw(_CHANGES[name]()) for name in sorted(names)})
    for policy in (UNSAFE, DEMO, BASELINE, STRICT):
        by_check(check_claims(claims, policy))
    if not failures(claims, STRICT):
        assert not failures(claims, BASELINE)
    assert grade_of(claims) in (0, 1, 2)
