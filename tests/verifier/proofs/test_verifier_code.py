"""A verifier is four contracts, and another code at any of their addresses makes it another verifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.proofs.verifier_code import SIMULATOR_VERIFIER, child_of, match_verifier
from provenance_oracle.verifier.registry.node import NodeConnection, open_node
from tests.support.evm import Evm, creation_code

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def deployed(anvil_program: Path) -> Iterator[tuple[Evm, NodeConnection, bytes]]:
    with run_anvil() as chain:
        evm = Evm(chain.rpc_url)
        yield evm, open_node(chain.rpc_url), bytes.fromhex(evm.deploy(creation_code(SIMULATOR_VERIFIER))[2:])


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "has no such verifier": lambda verifier: verifier,
    "has other keys": lambda verifier: child_of(verifier, 1),
    "has another P384": lambda verifier: child_of(verifier, 2),
    "has other table": lambda verifier: child_of(child_of(verifier, 2), 1),
}


@pytest.mark.parametrize("problem", PLACES)
def test_each_of_the_four_codes_is_compared(deployed: tuple[Evm, NodeConnection, bytes], problem: str) -> None:
    """Another constructor can make the same verifier with children of its own, such as keys that it holds."""
    evm, node, verifier = deployed
    assert match_verifier(node, verifier, "verifier") == SIMULATOR_VERIFIER
    address = f"0x{PLACES[problem](verifier).hex()}"
    code = evm.code(address)
    evm.ask("anvil_setCode", address, f"0x{code[:-1].hex()}{code[-1] ^ 1:02x}")
    with pytest.raises(UsageError, match=problem):
        match_verifier(node, verifier, "verifier")
    evm.ask("anvil_setCode", address, f"0x{code.hex()}")
    assert match_verifier(node, verifier, "verifier") == SIMULATOR_VERIFIER
