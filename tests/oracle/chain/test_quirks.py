"""Tests of the quirks of chains and providers that docs/operating.md says are handled."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.rpc import Prices, Web3Chain
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.rows import AttemptState
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.node import open_node
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry, make_record
from tests.support.quirks import GWEI, LOG_BLOCKS, QUIRKS, SUGGESTED_TIP_GWEI, quirky
from tests.support.world import LIMITS, World, fresh_record

pytestmark = pytest.mark.chain

PAGE = Path(__file__).parents[3] / "docs" / "operating.md"
# Quirks under which the oracle works as on any other chain.
WITHOUT_A_TRACE = sorted(QUIRKS.keys() - {"minimum tip", "receipts without `status`"})
EMPTY_ACCOUNT = "11" * 32


def test_the_page_names_every_quirk_that_is_tested() -> None:
    section = PAGE.read_text(encoding="utf-8").split("\n## Node quirks\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", section.split("\n### ")[0], re.MULTILINE)
    assert rows[1:] == sorted([*QUIRKS, "no fees"])


@pytest.mark.parametrize("quirk", WITHOUT_A_TRACE)
def test_a_record_is_written_and_read_in_spite_of_a_quirk(
    registry: DeployedRegistry, tmp_path: Path, quirk: str
) -> None:
    world, record = World(registry, tmp_path), fresh_record()
    world.rpc("anvil_mine", LOG_BLOCKS)
    with quirky(registry, quirk) as (url, _):
        world.writer = world.connected(rpc_urls=(url,))
        row_id = world.row(record)
        world.finish(row_id, record)
        (attempt,) = world.journal.attempts(row_id)
        assert attempt.state is AttemptState.MINED
        found = RegistryReader(url, registry.address).match_record(record)
    assert found == registry.reader().match_record(record)
    assert attempt.transaction.raw[:1] == b"\x02" or quirk == "no `baseFeePerGas`"
    world.journal.close()


@pytest.mark.parametrize("quirk", WITHOUT_A_TRACE)
def test_a_namespace_is_claimed_in_spite_of_a_quirk(registry: DeployedRegistry, quirk: str) -> None:
    with quirky(registry, quirk) as (url, _):
        result = _claim(url, registry, registry.stranger.key.hex())
    assert result.exit_code == 0, result.output
    assert registry.reader().namespace("quirks")


def _claim(url: str, registry: DeployedRegistry, key: str) -> Any:
    place = ("--rpc", url, "--registry", registry.address, "--key-variable", "PAYER")
    return CliRunner().invoke(main, ["claim", "quirks", *place, "--json"], env={"PAYER": key})


def test_blocks_with_long_extra_data_are_read(registry: DeployedRegistry) -> None:
    true_chain = Web3Chain(open_node(registry.chain.rpc_url))
    with quirky(registry, "long `extraData`") as (url, _):
        chain = Web3Chain(open_node(url))
        assert chain.identity(registry.address) == true_chain.identity(registry.address)
        assert chain.prices() == true_chain.prices()


def test_without_a_base_fee_the_gas_price_is_offered(registry: DeployedRegistry) -> None:
    with quirky(registry, "no `baseFeePerGas`") as (url, _):
        chain = Web3Chain(open_node(url))
        assert chain.prices() == Prices(0, int(registry.contract.w3.eth.gas_price), is_legacy=True)


def test_without_a_suggested_tip_it_is_the_rest_of_the_gas_price(registry: DeployedRegistry) -> None:
    with quirky(registry, "no `eth_maxPriorityFeePerGas`") as (url, _):
        prices = Web3Chain(open_node(url)).prices()
    assert prices.base_fee_wei + prices.priority_fee_wei == registry.contract.w3.eth.gas_price


def test_a_limit_below_the_minimum_tip_is_named_with_its_setting(registry: DeployedRegistry, tmp_path: Path) -> None:
    world, record = World(registry, tmp_path), fresh_record()
    with quirky(registry, "minimum tip") as (url, _):
        world.writer = world.connected(rpc_urls=(url,))
        row_id = world.row(record)
        note = world.looking().publish(row_id, record).note
        assert note == (
            "node says: transaction underpriced: gas tip cap 5000000000 (code -32000); the node suggests a tip of "
            "30 gwei; the setting priority_fee_max_gwei allows 5 gwei"
        )
        limits = FeeLimits(LIMITS.max_fee_wei, SUGGESTED_TIP_GWEI * GWEI, LIMITS.gas_max, bump_after_seconds=0)
        world.writer = world.connected(rpc_urls=(url,), limits=limits)
        world.finish(row_id, record)
    world.journal.close()


def test_a_limit_below_the_base_fee_is_named_with_its_setting(registry: DeployedRegistry, tmp_path: Path) -> None:
    world, record = World(registry, tmp_path), fresh_record()
    world.writer = world.connected(limits=FeeLimits(1, 0, LIMITS.gas_max, 90))
    with pytest.raises(TemporaryError, match="raise the setting max_fee_gwei"):
        world.looking().publish(world.row(record), record)
    world.writer = world.connected(limits=FeeLimits(LIMITS.max_fee_wei, 0, 1, 90))
    with pytest.raises(TemporaryError, match="raise the setting gas_max"):
        world.looking().publish(world.row(record), record)
    world.journal.close()


def test_a_receipt_without_status_is_an_error_of_the_node(registry: DeployedRegistry) -> None:
    environment = {"PAYER": registry.stranger.key.hex(), "OWNER": registry.guardian.key.hex()}
    with quirky(registry, "receipts without `status`") as (url, _):
        place = ["--rpc", url, "--registry", registry.address, "--key-variable", "PAYER"]
        asked = ["claim", "quirks", "--owner-key-variable", "OWNER", "--identity", "06" * 32, "--identity-limit", "3"]
        result = CliRunner().invoke(main, [*asked, *place], env=environment)
    assert result.exit_code == 7
    assert "the node failed" in result.output


@pytest.mark.usefixtures("anvil")
def test_an_empty_account_pays_on_a_chain_without_fees(tmp_path: Path) -> None:
    with run_anvil(options=("--disable-min-priority-fee",)) as chain:
        registry = deploy_registry(chain)
        registry.contract.w3.provider.make_request("anvil_setNextBlockBaseFeePerGas", [hex(2 * GWEI)])
        world, record = World(registry, tmp_path), make_record()
        world.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        world.rpc("evm_mine")
        result = _claim(chain.rpc_url, registry, EMPTY_ACCOUNT)
        assert result.exit_code == 0, result.output
        world.payer = type(world.payer)(world.payer.address, bytes.fromhex(EMPTY_ACCOUNT))
        world.writer = world.connected(limits=replace(LIMITS, bump_after_seconds=0))
        world.rpc("evm_setAutomine", False)
        row_id = world.row(record)
        for _ in range(3):
            world.publish(row_id, record)
        assert len(world.journal.attempts(row_id)) == 1
        world.rpc("evm_setAutomine", True)
        world.rpc("evm_mine")
        world.finish(row_id, record)
        world.journal.close()
