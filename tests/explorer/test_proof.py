"""A record's page says whether the chain itself checked AMD's signature, as the node's word and event tell it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import Site, StaticSite, copy_page, static_config, static_site
from tests.explorer.stand import Stand
from tests.support.fake_nodes import lying, selector, telling_calls, telling_logs, topic, with_word

pytestmark = pytest.mark.chain

PROVEN = "section[aria-labelledby=s-proven-on-chain]"
_CONTRACT = "HardwareProofs"
_REVOKED = 1 << 255  # the bit of a revoked proof
_AS_GENUINE = ~(255 << 79)  # the product line of the word


def _logs(change: Callable[[list[Any]], list[Any]]) -> Callable[[Stand], AbstractContextManager[Any]]:
    return lambda stand: lying(stand.registry, telling_logs("ReleaseProven", change, _CONTRACT))


def _word(change: Callable[[int], int]) -> Callable[[Stand], AbstractContextManager[Any]]:
    def changed(data: str) -> str:
        return f"0x{change(int(data, 16)):064x}"

    return lambda stand: lying(stand.registry, telling_calls("proofOf", changed, _CONTRACT))


def _code(stand: Stand) -> AbstractContextManager[Any]:
    address = json.loads(stand.deployment.read_text())["amd_verifier"].lower()

    def answer(method: str, params: list[Any], _truth: Any) -> Any:
        return "0x6001" if method == "eth_getCode" and params[0] == address else None

    return lying(stand.registry, answer)


def _time(stand: Stand) -> AbstractContextManager[Any]:
    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        return {"result": truth | {"timestamp": "0x1"}} if method == "eth_getBlockByNumber" else None

    return lying(stand.registry, answer)


def test_a_proven_release_says_so_and_where(browser: Browser, static: StaticSite) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second"))
        told = page.text(PROVEN)
        assert page.texts(f"{PROVEN} .banner > strong") == ["Simulated."]
        assert "SIMULATED, as Milan" in told and "VCEK" in told and "VMPL 0" in told
        assert "bootloader" in told and "shut" in told
        asked = {"fromBlock": 0, "topics": [topic("ReleaseProven", _CONTRACT)]}
        logs = static.stand.registry.contract.w3.eth.get_logs(asked)
        assert [f"0x{log['transactionHash'].hex().removeprefix('0x')}" in told for log in logs] == [True]


def test_a_release_that_nobody_proved_says_so(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("first"))
        assert page.texts(f"{PROVEN} .banner > strong") == ["Not proven."]


def test_without_the_contract_or_hardware_nothing_is_said(browser: Browser, static: StaticSite, tmp_path: Path) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("signed"))
        assert page.count(PROVEN) == 0
    stand = static.stand
    deployment = json.loads(stand.deployment.read_text())
    of_proofs = ("amd_", "hardware_", "disputes")
    older = {name: value for name, value in deployment.items() if not name.startswith(of_proofs)}
    config = json.loads(static_config(stand)) | {"deployment": older}
    folder = copy_page(tmp_path / "page", json.dumps(config))
    with static_site(stand, folder) as plain, browser.page(plain.url, plain.node) as page:
        page.open(plain.record("second"))
        assert page.count(PROVEN) == 0


def test_the_transaction_is_linked_where_the_page_knows_a_block_explorer(
    browser: Browser, static: StaticSite, tmp_path: Path
) -> None:
    folder = copy_page(tmp_path / "page", static_config(static.stand, blockExplorer="https://blocks.example/"))
    with static_site(static.stand, folder) as linked, browser.page(linked.url, linked.node) as page:
        page.open(linked.record("second"))
        [address] = page.attributes(f"{PROVEN} a.out", "href")
        assert address is not None and address.startswith("https://blocks.example/tx/0x")


_LIARS: dict[str, Callable[[Stand], AbstractContextManager[Any]]] = {
    "a word without an event": _logs(lambda _logs: []),
    "a word of genuine hardware": _word(lambda word: word & _AS_GENUINE | 1 << 79),
    "a word without a time": _word(lambda word: word >> 40 << 40),
    "a word with reserved bits": _word(lambda word: word | 1 << 250),
    "another workload": _logs(lambda logs: [log | {"data": with_word(log["data"], 1, 7)} for log in logs]),
    "an event of another release": _logs(
        lambda logs: [log | {"topics": [*log["topics"][:1], f"0x{7:064x}", *log["topics"][2:]]} for log in logs]
    ),
    "other code of the verifier": _code,
    "a block of another time": _time,
}


@pytest.mark.parametrize("lie", _LIARS)
def test_what_a_lying_node_tells_is_never_shown_as_a_proof(browser: Browser, static: StaticSite, lie: str) -> None:
    with _LIARS[lie](static.stand) as (node, _), browser.page(static.url, node) as page:
        page.open(static.record("second", rpc=node))
        assert page.texts(f"{PROVEN} .banner > strong") == ["No verdict."]


def test_a_proof_that_amd_revoked_is_shown_as_revoked(browser: Browser, static: StaticSite) -> None:
    """A word that the contract changed since its event, by `recheck`; here the node adds the bit."""
    with _word(lambda word: word | _REVOKED)(static.stand) as (node, _), browser.page(static.url, node) as page:
        page.open(static.record("second", rpc=node))
        assert page.texts(f"{PROVEN} .banner > strong") == ["Simulated."]
        assert "shut" in page.text(PROVEN)


@pytest.mark.parametrize(
    ("word", "tone"),
    [
        (lambda word: word & _AS_GENUINE | 1 << 79, "Proven on chain."),
        (lambda word: word & _AS_GENUINE | 1 << 79 | _REVOKED, "Revoked."),
        (lambda word: word & _AS_GENUINE | 1 << 79 | 1 << 74, "Proven, but no gate opens."),
    ],
    ids=["genuine", "revoked", "VMPL 1"],
)
def test_each_kind_of_proof_has_its_banner(
    browser: Browser, static: StaticSite, word: Callable[[int], int], tone: str
) -> None:
    """No genuine hardware signs for a key of ours, so the node says in word and event what the contract would."""

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        changed = word(int(truth if method == "eth_call" else truth[0]["data"][:66], 16)) if _is_proof(params) else 0
        if method == "eth_call" and changed:
            return f"0x{changed:064x}"
        if method == "eth_getLogs" and changed:
            return [log | {"data": with_word(log["data"], 0, changed & ~_REVOKED)} for log in truth]
        return None

    with lying(static.stand.registry, answer) as (node, _), browser.page(static.url, node) as page:
        page.open(static.record("second", rpc=node))
        assert page.texts(f"{PROVEN} .banner > strong") == [tone]
        assert ("open" in page.text(f"{PROVEN} dl")) == (tone == "Proven on chain.")


def _is_proof(params: list[Any]) -> bool:
    asked = params[0] if params and isinstance(params[0], dict) else {}
    is_word = str(asked.get("data", "")).startswith(selector("proofOf", _CONTRACT))
    return is_word or asked.get("topics", [""])[0] == topic("ReleaseProven", _CONTRACT)
