"""The browser, and what the explorer shows: a registry with releases of every kind, and its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from tests.contracts.npm.project import NODE_MODULES
from tests.explorer.browser import Browser, chromium_program, running_browser
from tests.explorer.site import Site, StaticSite, copy_page, running_site, static_config, static_site
from tests.explorer.stand import Stand, make_stand
from tests.support.chain_fixtures import deploy_registry


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Run one Chromium for all tests here."""
    program = chromium_program()
    if program is None:
        pytest.skip("no Chromium; install Debian's chromium, or set CHROMIUM")
    if not (NODE_MODULES / "playwright-core").is_dir():
        pytest.skip("no playwright-core; run: python tools/npm.py ci --prefix hardhat")
    with running_browser(program) as browser:
        yield browser


@pytest.fixture(scope="package")
def stand(anvil_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Make one registry with its releases for all tests here. They change nothing in it."""
    with run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain:
        registry = deploy_registry(chain, oracles=2, weights=(2, 1), threshold=2)
        yield make_stand(registry, tmp_path_factory.mktemp("stand"))


@pytest.fixture(scope="package")
def static(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticSite]:
    """Serve the page's files, and nothing else."""
    folder = copy_page(tmp_path_factory.mktemp("static") / "page", static_config(stand))
    with static_site(stand, folder) as site:
        yield site


@pytest.fixture(scope="package")
def site(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the explorer of the stand, with index and REST."""
    with running_site(stand, tmp_path_factory.mktemp("site")) as site:
        yield site
