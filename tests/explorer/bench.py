"""What stands around a proof by a stranger: a registry with records, contracts for proofs, the page, and a wallet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of
from provenance_oracle.verifier.snp.report import parse_report
from tests.explorer.browser import Browser, Page
from tests.explorer.site import StaticSite, copy_page, static_config, static_site
from tests.explorer.stand import Stand, deploy_simulator
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.evm import Evm
from tests.support.fake_nodes import lying
from tests.support.proofs import Proofs, digests_of, id_of, make_provable, make_simulated

SECTION = "section[aria-labelledby=s-proven-on-chain]"
SHOWN = ".proving .banner > strong"
TOLD = ".wallet .banner"
_WALLET = Path(__file__).with_name("wallet.js")
_OTHER_CHAIN = "0x2105"


@dataclass(frozen=True)
class Bench:
    """A registry with contracts for proofs, releases with records, and the page.

    Attributes:
        folders: of the releases, by name.
        records: as the registry has them.
    """

    evm: Evm
    proofs: Proofs
    site: StaticSite
    folders: dict[str, Path]
    records: dict[str, bytes]

    @property
    def registry(self) -> DeployedRegistry:
        return self.site.stand.registry

    def evidence(self, name: str) -> EvidenceCall:
        return evidence_of(read_release(self.folders[name]))

    def word(self, name: str) -> int:
        return self.proofs.word(id_of(self.evidence(name).payload))

    def sent(self) -> int:
        """Return how many transactions the wallet's account has sent."""
        return int(self.evm.ask("eth_getTransactionCount", self.registry.stranger.address, "latest"), 16)


@contextmanager
def running_bench(root: Path, releases: Mapping[str, Mapping[str, Any]]) -> Iterator[Bench]:
    """Run a chain with a registry, make releases with a record each, and serve the page.

    Args:
        releases: options of `make_provable`, by the name of the release.
    """
    with run_anvil(options=("--hardfork", "osaka", "--enable-tx-gas-limit", "--accounts", "40")) as chain:
        registry = deploy_registry(chain)
        stand = Stand(root, registry, (), {})
        deploy_simulator(registry, stand.deployment)
        folders, records, entries = {}, {}, {}
        for name, options in releases.items():
            folders[name] = root / name
            release = make_provable(folders[name], **options, name=f"acme/{name}")
            payload = parse_envelope(release.envelope).payload
            report = parse_report(release.evidence.report, "report")
            record = make_simulated(report, *digests_of(payload), name=f"acme/{name}")
            registry.publish(record)
            records[name] = registry.encode(record)
            entries[name] = {"model_digest": record.model_digest.hex(), "manifest_digest": record.manifest_digest.hex()}
        evm = Evm(chain.rpc_url)
        proofs = Proofs(evm, json.loads(stand.deployment.read_text())["hardware_proofs"])
        page = copy_page(root / "page", static_config(stand))
        with static_site(replace(stand, entries=entries), page) as site:
            yield Bench(evm, proofs, site, folders, records)


def wallet_script(bench: Bench, **changes: Any) -> str:
    """Return a script that puts a wallet into a page: by default at `window.ethereum`, and on another chain."""
    settings = {
        "node": bench.site.node,
        "account": bench.registry.stranger.address,
        "chainId": _OTHER_CHAIN,
        "announced": [],
        "throws": {},
        "answers": {},
        "gas": None,
    }
    return f"const settings = {json.dumps(settings | changes)};\n{_WALLET.read_text()}"


@contextmanager
def assembled(
    browser: Browser, bench: Bench, name: str, script: str = "", *, of: str = "", node: str | None = None
) -> Iterator[Page]:
    """Open the page of a release and give it a folder, which is that of the release `of` if one is named.

    `node` is the URL of another node that the page asks.
    """
    with browser.page(bench.site.url, node or bench.site.node, script=script) as page:
        page.open(bench.site.record(name, rpc=node) if node else bench.site.record(name))
        assert page.texts(f"{SECTION} .banner > strong")[0] == "Not proven."
        page.click("details.prove > summary")
        page.choose("#prove-folder", bench.folders[of or name])
        page.wait(SHOWN)
        yield page


def small_blocks(bench: Bench, gas: int) -> Any:
    """Run a node that says its blocks may have this much gas, and that runs a call with what the page asks."""

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        return {"result": truth | {"gasLimit": hex(gas)}} if method == "eth_getBlockByNumber" else None

    return lying(bench.registry, answer)


def asked_of(page: Page) -> list[str]:
    """Return the methods that the page has asked of the wallet."""
    return [one["method"] for one in page.evaluate("walletAsked")]
