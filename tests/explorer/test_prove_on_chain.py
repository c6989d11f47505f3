"""A stranger proves a release from the page: assembled and simulated here, sent by his own wallet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance_oracle.oracle.chain.prove_release import TRANSACTION_GAS_MAX
from provenance_oracle.verifier.proofs.evidence_calls import with_endorsed_key
from tests.explorer.bench import (
    SECTION,
    SHOWN,
    TOLD,
    Bench,
    asked_of,
    assembled,
    running_bench,
    small_blocks,
    wallet_script,
)
from tests.explorer.browser import SCHEMES, WIDTHS, Browser
from tests.explorer.site import Site
from tests.support.fake_nodes import topic
from tests.support.proofs import NOW, P384_KEY, encode_function

pytestmark = pytest.mark.chain

_LARGE = {f"part-{number:04d}.bin": b"" for number in range(220)}
# Releases of the tests' registry, each with a record.
_RELEASES: dict[str, dict[str, Any]] = {
    "good": {},
    "announced": {},
    "p384": {"key": P384_KEY},
    "expired": {"at": NOW - timedelta(days=500), "csp_id": "CN=cloud.example"},  # a VLEK lasts a year
    "ed25519": {"key": Ed25519PrivateKey.from_private_bytes(bytes(range(32)))},
    "large": {"key": P384_KEY, "files": _LARGE},
}


@pytest.fixture(scope="module")
def bench(anvil_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("bench"), _RELEASES) as bench:
        yield bench


def _call(bench: Bench, name: str, *, record: bool = True) -> str:
    data = bench.proofs.prove_call(bench.evidence(name), bench.records[name] if record else b"")
    return f"0x{data.hex()}"


def _gas(bench: Bench, data: str) -> int:
    return int(bench.evm.ask("eth_estimateGas", {"to": bench.proofs.address, "data": data}), 16)


def test_without_a_wallet_the_page_gives_everything_to_send_it(browser: Browser, bench: Bench) -> None:
    with assembled(browser, bench, "good") as page:
        assert page.texts(SHOWN) == ["The chain accepts it."]
        told = page.text(".proving")
        data = _call(bench, "good")
        assert f"{_gas(bench, data):,}; a transaction may have {TRANSACTION_GAS_MAX:,}" in told
        assert "SIMULATED hardware, VCEK" in told
        assert "no wallet in this browser" in told
        assert page.count(".proving button.primary") == 0
        page.click(".proving details > summary")
        assert page.texts(".proving pre")[0].replace("\n", "") == data
        told = page.text(".proving")
        assert bench.proofs.address.lower() in told
        assert f"provenance prove RELEASE --rpc {bench.site.node} --registry" in told
        for scheme, width in product(SCHEMES, WIDTHS):
            page.look(scheme, width)
            assert (scheme, width, page.axe(SECTION)) == (scheme, width, [])
            assert (scheme, width, page.sideways()) == (scheme, width, 0)


def test_the_record_can_be_left_out(browser: Browser, bench: Bench) -> None:
    with browser.page(bench.site.url, bench.site.node) as page:
        page.open(bench.site.record("p384"))
        page.click("details.prove > summary")
        page.click("#prove-record")
        page.choose("#prove-folder", bench.folders["p384"])
        page.wait(SHOWN)
        page.click(".proving details > summary")
        assert page.texts(".proving pre")[0].replace("\n", "") == _call(bench, "p384", record=False)
        assert "--no-record" in page.text(".proving")


def test_a_wallet_of_another_chain_is_switched_and_proves_the_release(browser: Browser, bench: Bench) -> None:
    limit = min(_gas(bench, _call(bench, "announced")) * 11 // 10, TRANSACTION_GAS_MAX)
    with assembled(browser, bench, "announced", wallet_script(bench)) as page:
        assert page.count('role=button[name="Prove with your wallet"]') == 1
        page.click('role=button[name="Prove with your wallet"]')
        page.wait(f"{SECTION} dt:text-is('Transaction')")
        assert page.texts(f"{SECTION} .banner > strong") == ["Simulated."]
        asked = asked_of(page)
        # nothing is asked of the wallet before the reader presses the button, and paid only for what was simulated
        first, last = ("eth_requestAccounts", "wallet_switchEthereumChain"), "eth_sendTransaction"
        order = (*first, "eth_call", "eth_estimateGas", last)
        places = [asked.index(method) for method in order]
        assert places == sorted(places) and asked.count(last) == 1
        [sent] = [one["params"][0] for one in page.evaluate("walletAsked") if one["method"] == last]
        told = page.text(SECTION)
    assert (sent["to"], sent["value"], sent["data"]) == (bench.proofs.address.lower(), "0x0", _call(bench, "announced"))
    assert abs(int(sent["gas"], 16) - limit) <= limit // 100
    assert bench.word("announced") != 0
    [event] = bench.evm.ask("eth_getLogs", {"fromBlock": "0x0", "topics": [topic("ReleaseProven", "HardwareProofs")]})
    assert event["transactionHash"] in told
    receipt = bench.evm.ask("eth_getTransactionReceipt", event["transactionHash"])
    confirmed = topic("RecordConfirmed", "HardwareProofs")
    assert [log["topics"][0] for log in receipt["logs"]].count(confirmed) == 1


def test_wallets_that_announce_themselves_have_a_button_each(browser: Browser, bench: Bench) -> None:
    names = ["Fox", "<img src=x onerror=alert(1)>\u202e"]
    with assembled(browser, bench, "good", wallet_script(bench, announced=names)) as page:
        assert page.texts(".proving button.primary") == ["Prove with Fox", f"Prove with {names[1][:-1]}\\u202e"]
        assert page.aliens() == []


_REJECTED = {"code": 4001, "message": "User rejected the request."}
_REVERTED = {"code": 3, "message": "execution reverted", "data": f"0x{encode_function('KeyNotBound()').hex()}"}
# How a wallet does not do what the page asks, and what the page says then.
_UNWILLING: dict[str, tuple[dict[str, Any], str, str]] = {
    "no account": ({"throws": {"eth_requestAccounts": _REJECTED}}, "Not sent.", "You refused it in the wallet."),
    "no switch": ({"throws": {"wallet_switchEthereumChain": _REJECTED}}, "Not sent.", "You refused it in the wallet."),
    "no payment": ({"throws": {"eth_sendTransaction": _REJECTED}}, "Not sent.", "You refused it in the wallet."),
    "an unknown chain": (
        {"throws": {"wallet_switchEthereumChain": {"code": 4902, "message": "unknown"}}},
        "Not sent.",
        "The wallet does not know this chain.",
    ),
    "a switch that is none": (
        {"answers": {"wallet_switchEthereumChain": None}},
        "Not sent.",
        "The wallet is on chain 8453, and the registry is on chain 31337.",
    ),
    "another failure": (
        {"throws": {"eth_sendTransaction": {"code": -32603, "message": "insufficient funds"}}},
        "Not sent.",
        "The wallet did not do it: insufficient funds",
    ),
    "a list without accounts": ({"answers": {"eth_requestAccounts": []}}, "Not sent.", "The wallet named no account."),
    "an account that is none": (
        {"answers": {"eth_requestAccounts": ["<b>"]}},
        "Not sent.",
        "The wallet named no account.",
    ),
    "no hash": ({"answers": {"eth_sendTransaction": "0x12"}}, "Not sent.", "The wallet gave no hash of a transaction."),
    "its node refuses the proof": (
        {"throws": {"eth_call": _REVERTED}},
        "The chain refuses the proof.",
        "KeyNotBound(): the report does not bind the VM’s key",
    ),
    "its node answers nonsense": ({"answers": {"eth_estimateGas": "much"}}, "No verdict.", "gave no usable answer"),
}


@pytest.mark.parametrize("case", _UNWILLING)
def test_a_wallet_that_does_not_send_is_told_in_words(browser: Browser, bench: Bench, case: str) -> None:
    changes, title, words = _UNWILLING[case]
    before = bench.sent()
    with assembled(browser, bench, "good", wallet_script(bench, **changes)) as page:
        page.click('role=button[name="Prove with your wallet"]')
        page.wait(TOLD)
        assert page.texts(f"{TOLD} > strong") == [title]
        assert words in page.text(TOLD)
        is_paid = case in ("no payment", "another failure", "no hash")
        assert ("eth_sendTransaction" in asked_of(page)) == is_paid
        assert page.attributes(".proving button.primary", "disabled") == [None], "the reader may try again"
    assert (bench.sent(), bench.word("good")) == (before, 0)


def test_a_transaction_that_fails_in_its_block_proves_nothing(browser: Browser, bench: Bench) -> None:
    with assembled(browser, bench, "good", wallet_script(bench, gas="0x100000")) as page:
        page.click('role=button[name="Prove with your wallet"]')
        page.wait(TOLD)
        assert page.texts(f"{TOLD} > strong") == ["It failed."]
    assert bench.word("good") == 0


def test_a_certificate_that_the_chain_knows_is_left_out(browser: Browser, bench: Bench) -> None:
    evidence = bench.evidence("p384")
    bench.proofs.send("endorse(bytes,bytes32)", evidence.vek, bytes(32))
    with assembled(browser, bench, "p384") as page:
        assert "known to the contract, so it is left out" in page.text(".proving")
        page.click(".proving details > summary")
        data = bench.proofs.prove_call(with_endorsed_key(evidence), bench.records["p384"])
        assert page.texts(".proving pre")[0].replace("\n", "") == f"0x{data.hex()}"


# What the page says of folders that cannot prove the release, and the release of the folder.
_REFUSED: dict[str, tuple[str, str, str, str]] = {
    "an old certificate": ("expired", "expired", "The chain refuses the proof.", "NotInTime("),
    "the files of another release": ("good", "expired", "The chain refuses the proof.", "RecordDiffers("),
    "Ed25519": ("ed25519", "ed25519", "The chain could not read this release.", "provenance attest --new-key"),
    "too many files": ("large", "large", "The proof does not fit into a transaction.", "--key-type p256"),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_what_the_chain_refuses_is_said_by_name_and_offered_to_nowallet(
    browser: Browser, bench: Bench, case: str
) -> None:
    name, of, title, words = _REFUSED[case]
    with assembled(browser, bench, name, wallet_script(bench), of=of) as page:
        assert page.texts(SHOWN) == [title]
        assert words in page.text(".proving")
        assert page.count(".proving button.primary") == 0
        assert asked_of(page) == []


def test_a_block_may_have_less_gas_than_a_transaction(browser: Browser, bench: Bench) -> None:
    with small_blocks(bench, 2_000_000) as (node, _), assembled(browser, bench, "good", node=node) as page:
        assert page.texts(SHOWN) == ["The proof does not fit into a transaction."]
        assert "a transaction may have 2,000,000" in page.text(".proving")


def test_genuine_files_of_another_release_prove_nothing_here(browser: Browser, bench: Bench) -> None:
    with browser.page(bench.site.url, bench.site.node, script=wallet_script(bench)) as page:
        page.open(bench.site.record("p384"))
        page.click("details.prove > summary")
        page.click("#prove-record")
        page.choose("#prove-folder", bench.folders["good"])
        page.wait(SHOWN)
        assert page.texts(SHOWN) == ["Another release."]
        assert page.count(".proving button.primary") == 0


def test_the_evidence_that_an_oracle_kept_is_enough(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("first"))
        page.click("details.prove > summary")
        page.click('role=button[name="Assemble the proof"]')
        page.wait(SHOWN)
        assert page.texts(SHOWN) == ["The chain accepts it."]


def test_without_evidence_the_page_asks_for_the_folder(browser: Browser, bench: Bench) -> None:
    with browser.page(bench.site.url, bench.site.node) as page:
        page.open(bench.site.record("good"))
        page.click("details.prove > summary")
        page.click('role=button[name="Assemble the proof"]')
        page.wait(SHOWN)
        assert page.texts(SHOWN) == ["No evidence here."]
