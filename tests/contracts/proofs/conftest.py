"""One chain for all tests of proofs: the newest fork with its cap on a transaction, a registry, and the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.judgement.release import Release
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.evm import Evm, creation_code
from tests.support.proofs import P384_KEY, Proofs, make_provable


@dataclass(frozen=True)
class Stage:
    """The chain of all tests. `proofs` trusts the simulator's keys, `genuine` those of AMD; both know the registry."""

    evm: Evm
    registry: DeployedRegistry
    verifier: str
    proofs: Proofs
    amd_verifier: str
    genuine: Proofs


@contextmanager
def _open_stage() -> Iterator[Stage]:
    with run_anvil(options=("--hardfork", "osaka", "--enable-tx-gas-limit", "--accounts", "40")) as chain:
        evm, registry = Evm(chain.rpc_url), deploy_registry(chain)
        verifiers = [evm.deploy(creation_code(name)) for name in ("SimulatorVerifier", "AmdVerifier")]
        simulated, genuine = (Proofs.deploy(evm, verifier, registry.address) for verifier in verifiers)
        yield Stage(evm, registry, verifiers[0], simulated, verifiers[1], genuine)


@pytest.fixture(scope="session")
def stage(anvil_program: Path) -> Iterator[Stage]:
    with _open_stage() as found:
        yield found


@pytest.fixture
def later_stage(anvil_program: Path) -> Iterator[Stage]:
    """Yield a chain for one test that moves its clock far ahead."""
    with _open_stage() as found:
        yield found


@pytest.fixture(scope="session")
def p256(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release whose VM has a key on P-256."""
    return make_provable(tmp_path_factory.mktemp("p256"))


@pytest.fixture(scope="session")
def p384(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release whose VM has a key on P-384."""
    return make_provable(tmp_path_factory.mktemp("p384"), P384_KEY)
