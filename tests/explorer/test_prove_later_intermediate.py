"""A stranger proves releases under an intermediate of AMD that the contracts do not have: the same call adds it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.prove_release import ProofPlan, plan_proof
from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.judgement.release import CHAIN_PATH, CRL_PATH, read_release
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
from provenance_oracle.verifier.proofs.intermediates import added_intermediate
from provenance_oracle.verifier.proofs.reader import ProofReader
from provenance_oracle.verifier.registry.deployment import parse_deployment
from provenance_oracle.verifier.registry.node import open_node
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.strict.timestamps import format_time
from tests.explorer.bench import SECTION, SHOWN, Bench, asked_of, assembled, running_bench, small_blocks, wallet_script
from tests.explorer.browser import Browser, Page
from tests.support.fake_nodes import topic
from tests.support.proofs import NOW, later_amd

pytestmark = pytest.mark.chain

_ADDS = "this chain does not know it yet, so the transaction adds it"
_HALF_AN_HOUR = timedelta(minutes=30)  # the page wants a list that is current for an hour


_TURIN = later_amd(ProductLine.TURIN)  # one for both releases: each call makes another certificate
_RELEASES: dict[str, dict[str, Any]] = {
    "first": {"amd": _TURIN},
    "second": {"amd": _TURIN},
    "milan": {"amd": later_amd(ProductLine.MILAN)},
    "genoa": {"amd": later_amd(ProductLine.GENOA)},  # no list of Genoa comes to this chain
}


@pytest.fixture(scope="module")
def bench(anvil_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench"), _RELEASES) as bench:
        yield bench


def _planned(bench: Bench, name: str) -> ProofPlan:
    """Return what `provenance prove` would send now."""
    release, file = read_release(bench.folders[name]), bench.site.stand.deployment
    reader = ProofReader(open_node(bench.site.node), parse_deployment(file.read_bytes(), "file"))
    added = added_intermediate(release.evidence)
    return plan_proof(reader, evidence_of(release), bench.records[name], intermediate=added)


def _with_list(bench: Bench, folder: Path, name: str, **dates: Any) -> Bench:
    """Return the bench with a copy of a release that has another list; without dates it has none."""
    shutil.copytree(bench.folders[name], folder)
    (folder / CRL_PATH).unlink()
    if dates:
        (folder / CRL_PATH).write_bytes(_RELEASES[name]["amd"].current_crl(NOW, **dates))
    return replace(bench, folders=bench.folders | {name: folder})


def _data(page: Page) -> str:
    page.click(".proving details > summary")
    return page.texts(".proving pre")[0].replace("\n", "")


def _proven(browser: Browser, bench: Bench, name: str) -> tuple[str, str]:
    """Have a wallet prove a release; return what the page told before, and the data of the only transaction."""
    before = bench.sent()
    with assembled(browser, bench, name, wallet_script(bench)) as page:
        assert page.texts(SHOWN) == ["The chain accepts it."]
        told = page.text(".proving")
        page.click('role=button[name="Prove with your wallet"]')
        page.wait(f"{SECTION} dt:text-is('Transaction')")
        assert page.texts(f"{SECTION} .banner > strong") == ["Simulated."]
        [sent] = [one["params"][0] for one in page.evaluate("walletAsked") if one["method"] == "eth_sendTransaction"]
    assert bench.sent() == before + 1
    return told, sent["data"]


def _added_events(bench: Bench) -> int:
    wanted = {"fromBlock": "0x0", "topics": [topic("IntermediateAdded", "HardwareProofs")]}
    return len(bench.evm.ask("eth_getLogs", wanted))


def test_one_transaction_adds_the_intermediate_and_proves_and_the_next_one_finds_it(
    browser: Browser, bench: Bench
) -> None:
    before, planned = _added_events(bench), _planned(bench, "first")
    told, data = _proven(browser, bench, "first")
    assert f"SEV-Turin 196610: {_ADDS}" in told
    assert data == f"0x{planned.data.hex()}"
    assert bench.word("first") >> 191 == before + 1
    planned = _planned(bench, "second")
    told, data = _proven(browser, bench, "second")
    assert _ADDS not in told
    assert data == f"0x{planned.data.hex()}"
    assert bench.word("second") >> 191 == before + 1
    assert _added_events(bench) == before + 1


def test_the_list_is_left_out_only_if_the_chain_has_one_that_lasts(
    browser: Browser, bench: Bench, tmp_path: Path
) -> None:
    amd = _RELEASES["milan"]["amd"]
    bench.proofs.send("submitCrl(bytes)", amd.current_crl(NOW, next_update=NOW + _HALF_AN_HOUR))
    with_list = _planned(bench, "milan")
    with assembled(browser, bench, "milan") as page:
        assert _data(page) == f"0x{with_list.data.hex()}"
    bench.proofs.send("submitCrl(bytes)", amd.current_crl(NOW))
    bench = _with_list(bench, tmp_path / "bare", "milan")
    without = _planned(bench, "milan")
    assert len(without.data) < len(with_list.data)
    with assembled(browser, bench, "milan") as page:
        assert _ADDS in page.text(".proving")
        assert _data(page) == f"0x{without.data.hex()}"


# Lists that are not enough for a chain without one, by their dates.
_LISTS: dict[str, dict[str, Any]] = {
    "none": {},
    "out of date": {"this_update": NOW - timedelta(days=60), "next_update": NOW - timedelta(days=1)},
    "out of date soon": {"next_update": NOW + _HALF_AN_HOUR},
}


@pytest.mark.parametrize("case", _LISTS)
def test_without_a_current_list_nothing_is_sent_and_the_next_step_is_told(
    browser: Browser, bench: Bench, tmp_path: Path, case: str
) -> None:
    dates, before = _LISTS[case], bench.sent()
    bench = _with_list(bench, tmp_path / "changed", "genoa", **dates)
    with pytest.raises(AppraisalError, match="takes it in only with a current list"):
        _planned(bench, "genoa")
    with assembled(browser, bench, "genoa", wallet_script(bench)) as page:
        assert page.texts(SHOWN) == ["The chain needs a current list."]
        told = page.text(".proving")
        assert "does not know the intermediate SEV-Genoa 196610 yet" in told
        found = f"ends at {format_time(dates['next_update'])}" if dates else "this release has none"
        for words in (found, CRL_PATH, "--fetch", "Nothing was sent."):
            assert words in told
        assert page.count(".proving button.primary") == 0
        assert asked_of(page) == []
    assert (bench.sent(), bench.word("genoa")) == (before, 0)


def test_a_proof_that_does_not_fit_with_its_intermediate_says_so(browser: Browser, bench: Bench) -> None:
    with small_blocks(bench, 3_000_000) as (node, _), assembled(browser, bench, "genoa", node=node) as page:
        assert page.texts(SHOWN) == ["The proof does not fit into a transaction."]
        assert "a transaction may have 3,000,000" in page.text(".proving")


def test_the_name_of_an_intermediate_is_hostile_text(browser: Browser, bench: Bench, tmp_path: Path) -> None:
    bench = _with_list(bench, tmp_path / "bare", "genoa")
    ask = _RELEASES["genoa"]["amd"].authorities[CaRole.ASK]
    subject = replace(ask.template.subject, common_name="<img src=x onerror=alert(1)>\u202e" + "x" * 5000)
    nasty = FakeAmd.load(ProductLine.GENOA).replaced(CaRole.ASK, ask.key, serial=1, subject=subject)
    (bench.folders["genoa"] / CHAIN_PATH).write_bytes(nasty.chain_pem(SigningKey.VCEK))
    with assembled(browser, bench, "genoa") as page:
        told = page.text(".proving")
        assert "intermediate <img src=x onerror=alert(1)>\\u202exxx" in told
        assert "…" in told and "x" * 300 not in told
        assert page.aliens() == []
