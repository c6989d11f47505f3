"""The explorer's checks, bundled once, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.npm.project import NODE_MODULES
from tests.explorer.browser import Browser
from tests.explorer.check.engines import ChromiumEngine, FirefoxEngine, NodeEngine, build, running_node, site
from tests.support.marionette import firefox_program, running_firefox


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the checks, or skip the test if esbuild is missing."""
    if not (NODE_MODULES / "esbuild").is_dir():
        pytest.skip("no esbuild; run: python tools/npm.py ci --prefix hardhat")
    return build(tmp_path_factory.mktemp("checks"))


@pytest.fixture(scope="package")
def node(bundle: Path) -> Iterator[NodeEngine]:
    with running_node(bundle) as engine:
        yield engine


@pytest.fixture(scope="package")
def chromium(browser: Browser, bundle: Path) -> Iterator[ChromiumEngine]:
    with site(bundle.parent) as url:
        yield ChromiumEngine(browser, url)


@pytest.fixture(scope="package")
def firefox(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxEngine]:
    program = firefox_program()
    if program is None:
        pytest.skip("no Firefox; install Debian's firefox-esr")
    profile = tmp_path_factory.mktemp("firefox")
    with site(bundle.parent) as url, running_firefox(program, profile) as marionette:
        yield FirefoxEngine(marionette, url)
