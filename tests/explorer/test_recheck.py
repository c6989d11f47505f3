"""The button "Check it in this browser" finds what `provenance check` finds, also where a piece was changed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.snp.products import ProductLine
from tests.explorer.browser import Browser, Page
from tests.explorer.site import StaticSite
from tests.explorer.stand import Stand
from tests.support.chain_fixtures import make_record
from tests.support.publisher_desk import run
from tests.support.real_sets import crl, real_set
from tests.support.whole_releases import lay_out, name_report, put_evidence

pytestmark = pytest.mark.chain

_SNP = Path("provenance", "snp")
_REAL_SET = "milan-v3-mstav-aci"
# In the browser nothing is judged by a policy, and nothing is compared with the chain a second time.
_POLICY_CHECKS = {
    "guest-policy",
    "platform-info",
    "vmpl",
    "tcb-floor",
    "tcb-consistency",
    "publisher-identity",
    "lineage",
}


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# For each piece of a release, how it is changed.
_PIECES: dict[str, Callable[[Path], Any]] = {
    "report, its signature": lambda folder: _flip(folder / _SNP / "report.bin", 0x2A0),
    "report, its measurement": lambda folder: _flip(folder / _SNP / "report.bin", 0x90),
    "report, its report data": lambda folder: _flip(folder / _SNP / "report.bin", 0x50),
    "report, cut": lambda folder: (folder / _SNP / "report.bin").write_bytes(bytes(100)),
    "certificate of the chip": lambda folder: _flip(folder / _SNP / "vek.der", -1),
    "certificates of AMD": lambda folder: _flip(folder / _SNP / "chain.pem", 400),
    "revocation list": lambda folder: _flip(folder / _SNP / "ark.crl", -1),
    "key": lambda folder: _flip(folder / "provenance" / "cvm-key.pem", 100),
    "manifest": lambda folder: _flip(folder / MANIFEST_PATH, 100),
    "a file that no release has": lambda folder: (folder / "provenance" / "extra").write_bytes(b""),
}
_OF_PUBLISHERS: dict[str, Callable[[Path], Any]] = {
    "the publisher's signature": lambda folder: _flip(folder / "provenance" / "model.sig", -60),
    "a byte of a file": lambda folder: _flip(folder / "config.json", 0),
    "a file more": lambda folder: (folder / "more.txt").write_text("more"),
}


@dataclass(frozen=True)
class Found:
    """What a judge found: whether it accepts the release, the check that failed, and the outcome of each check."""

    accepted: bool
    failed: str | None
    outcomes: dict[str, str]


def _in_browser(page: Page, folder: Path) -> Found:
    page.choose("#folder", folder)
    page.wait(".result > .banner")
    first = page.texts(".result > .banner > strong")[0]
    assert first in ("Simulated.", "Your browser confirms the signature.", "Refused.")
    rows = page.evaluate(
        """[...document.querySelectorAll(".result tbody tr")].map(
          (row) => [row.querySelector(".check-id").textContent, row.querySelector(".tag").textContent])"""
    )
    outcomes = {check: outcome.lower().replace(" ", "-") for check, outcome in rows}
    failed = [check for check, outcome in outcomes.items() if outcome == "failed"]
    page.evaluate("document.querySelector('.result').replaceChildren()")
    return Found(first != "Refused.", failed[0] if failed else None, outcomes)


def _by_python(folder: Path, policy: object) -> Found:
    code, document = run("check", folder, "--offline", "--policy", policy)
    outcomes = {finding["check"]: finding["outcome"] for finding in document["findings"]}
    return Found(code == 0, document.get("error", {}).get("check"), outcomes)


def _compare(
    page: Page, folder: Path, policy: object, pieces: dict[str, Callable[[Path], Any]], made: Path
) -> dict[str, str]:
    """Change each piece of a copy; return the check that fails, for which Python and browser have to agree."""
    told = {}
    for number, (piece, change) in enumerate(pieces.items()):
        copy = shutil.copytree(folder, made / str(number))
        change(copy)
        here, there = _in_browser(page, copy), _by_python(copy, policy)
        assert (piece, here.accepted, here.failed) == (piece, False, there.failed)
        told[piece] = str(here.failed)
    return told


def test_a_release_passes_with_the_outcomes_of_python(browser: Browser, static: StaticSite) -> None:
    stand = static.stand
    for name in ("first", "second"):
        with browser.page(static.url, static.node) as page:
            page.open(static.record(name))
            here, there = _in_browser(page, stand.release(name)), _by_python(stand.release(name), stand.policy)
            assert here.accepted and there.accepted
            compared = {check for check, outcome in here.outcomes.items() if outcome != "not-checked"}
            assert {check: here.outcomes[check] for check in compared - {"registry-record"}} == {
                check: there.outcomes[check] for check in compared - {"registry-record"}
            }
            passed = {check for check, outcome in there.outcomes.items() if outcome == "passed"}
            assert passed - compared <= _POLICY_CHECKS
            assert here.outcomes["registry-record"] == "passed"


def test_each_changed_piece_is_refused_by_its_check(browser: Browser, static: StaticSite, tmp_path: Path) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second"))
        pieces = {**_PIECES, **_OF_PUBLISHERS}
        told = _compare(page, static.stand.release("second"), static.stand.policy, pieces, tmp_path)
    assert len(set(told.values())) >= 8


def test_with_a_file_less_the_set_of_files_is_not_checked(browser: Browser, static: StaticSite, tmp_path: Path) -> None:
    """As with `provenance check RELEASE FILE...`: a reader may look at some of the files."""
    folder = shutil.copytree(static.stand.release("second"), tmp_path / "release")
    (folder / "tokenizer.json").unlink()
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second"))
        found = _in_browser(page, folder)
        assert (found.outcomes["file-set"], found.outcomes["file-digests"]) == ("not-checked", "passed")


def test_a_release_that_has_only_a_signature(browser: Browser, static: StaticSite, tmp_path: Path) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("signed"))
        found = _in_browser(page, static.stand.release("signed"))
        assert found.accepted
        passed = {check for check, outcome in found.outcomes.items() if outcome == "passed"}
        assert passed >= {"publisher-signature", "publisher-identity", "file-set", "file-digests", "registry-record"}
        folder = shutil.copytree(static.stand.release("signed"), tmp_path / "release")
        _flip(folder / "config.json", 0)
        assert _in_browser(page, folder).failed == "publisher-signature"


def test_a_release_of_another_record_is_refused(browser: Browser, static: StaticSite) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second"))
        assert _in_browser(page, static.stand.release("first")).failed == "registry-record"


@pytest.fixture(scope="module")
def genuine(stand: Stand, vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a release with the evidence of a real chip. The key of its VM is not ours, so our key cannot be bound."""
    found = real_set(vectors, _REAL_SET)
    folder = lay_out(tmp_path_factory.mktemp("genuine") / "release")
    evidence = found.evidence
    files = {"report": evidence.report, "vek": evidence.vek, "chain": evidence.chain}
    put_evidence(folder, files | {"crl": crl(vectors, "ARK-Milan-crl6-2025")})
    name_report(folder)
    stand.registry.publish(
        make_record(
            name="org/model",
            manifest_digest=hashlib.sha256(folder.name.encode()).digest(),
            snp_report_digest=hashlib.sha256(evidence.report[:0x2A0]).digest(),
            product_line=PRODUCT_LINE_CODES[ProductLine.MILAN],
        )
    )
    return folder


def test_evidence_of_a_real_chip_passes_up_to_the_key_that_is_not_ours(
    browser: Browser, static: StaticSite, genuine: Path, tmp_path: Path
) -> None:
    record = make_record(manifest_digest=hashlib.sha256(genuine.name.encode()).digest())
    with browser.page(static.url, static.node) as page:
        page.open(static.route("r", record.model_digest.hex(), record.manifest_digest.hex()))
        here = _in_browser(page, genuine)
        assert here.failed == _by_python(genuine, "baseline").failed == "key-binding"
        hardware = ("vek-chain", "vek-validity", "product-line", "vek-match", "report-signature")
        assert {here.outcomes[check] for check in hardware} == {"passed"}
        pieces = {piece: change for piece, change in _PIECES.items() if piece not in ("key", "manifest")}
        told = _compare(page, genuine, "baseline", pieces, tmp_path)
    assert "key-binding" not in told.values()
