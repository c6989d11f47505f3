"""Tests of the quirks of chains and providers that docs/operating.md says are handled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.rpc import Web3Chain
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.registry.node import open_node
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.quirks import QUIRKS, quirky

pytestmark = pytest.mark.chain

PAGE = Path(__file__).parents[3] / "docs" / "operating.md"


def test_the_page_names_every_quirk_that_is_tested() -> None:
    section = PAGE.read_text(encoding="utf-8").split("\n## Node quirks\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", section, re.MULTILINE)
    assert rows[1:] == sorted(QUIRKS)


def test_blocks_with_long_extra_data_are_read(registry: DeployedRegistry) -> None:
    true_chain = Web3Chain(open_node(registry.chain.rpc_url))
    with quirky(registry, "long `extraData`") as (url, _):
        chain = Web3Chain(open_node(url))
        assert chain.identity(registry.address) == true_chain.identity(registry.address)
        assert chain.prices() == true_chain.prices()


def test_a_receipt_without_status_is_an_error_of_the_node(registry: DeployedRegistry) -> None:
    environment = {"PAYER": registry.stranger.key.hex(), "OWNER": registry.guardian.key.hex()}
    with quirky(registry, "receipts without `status`") as (url, _):
        place = ["--rpc", url, "--registry", registry.address, "--key-variable", "PAYER"]
        asked = ["claim", "quirks", "--owner-key-variable", "OWNER", "--identity", "06" * 32, "--identity-limit", "3"]
        result = CliRunner().invoke(main, [*asked, *place], env=environment)
    assert result.exit_code == 7
    assert "the node failed" in result.output
