"""Who appoints whom, and what the contract says of itself."""

from __future__ import annotations

import pytest

from tests.chain_fixtures import ADMIN_DELAY_SECONDS, DeployedRegistry, make_record

pytestmark = pytest.mark.chain


def _address(registry: DeployedRegistry, party: str) -> str:
    return str(registry.contract.w3.to_checksum_address(getattr(registry, party).address))


def test_the_parties_hold_their_own_role_and_no_other(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    roles = {"admin": bytes(32), "oracle": functions.ORACLE_ROLE().call(), "guardian": functions.GUARDIAN_ROLE().call()}
    for party in ("admin", "oracle", "guardian", "stranger"):
        held = {name for name, role in roles.items() if functions.hasRole(role, _address(registry, party)).call()}
        assert held == {party} - {"stranger"}
    payer = registry.contract.w3.to_checksum_address(registry.chain.accounts[0].address)
    assert not any(functions.hasRole(role, payer).call() for role in roles.values())


def test_the_admin_replaces_an_oracle_and_its_records_stay(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    role = functions.ORACLE_ROLE().call()
    record = make_record()
    registry.publish(record)
    registry.send(functions.revokeRole(role, _address(registry, "oracle")), registry.admin)
    registry.send(functions.grantRole(role, _address(registry, "stranger")), registry.admin)
    other = registry.publishing(make_record(manifest_digest=b"\x11" * 32))
    assert registry.refusal(other, registry.oracle)[0] == "AccessControlUnauthorizedAccount"
    assert registry.refusal(other, registry.stranger) == ("", ())
    assert functions.isRecorded(record.model_digest, 1).call()


@pytest.mark.parametrize("party", ["oracle", "guardian", "stranger"])
def test_nobody_else_appoints(registry: DeployedRegistry, party: str) -> None:
    functions = registry.contract.functions
    for role in (functions.ORACLE_ROLE().call(), functions.GUARDIAN_ROLE().call()):
        call = functions.grantRole(role, _address(registry, "stranger"))
        assert registry.refusal(call, getattr(registry, party))[0] == "AccessControlUnauthorizedAccount"


def test_the_admin_role_cannot_be_granted_directly(registry: DeployedRegistry) -> None:
    call = registry.contract.functions.grantRole(bytes(32), _address(registry, "stranger"))
    assert registry.refusal(call, registry.admin) == ("AccessControlEnforcedDefaultAdminRules", ())


def test_the_admin_is_handed_over_in_two_steps_after_a_delay(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    assert functions.defaultAdminDelay().call() == ADMIN_DELAY_SECONDS
    registry.send(functions.beginDefaultAdminTransfer(_address(registry, "stranger")), registry.admin)
    accept = functions.acceptDefaultAdminTransfer()
    assert registry.refusal(accept, registry.stranger)[0] == "AccessControlEnforcedDefaultAdminDelay"
    assert functions.owner().call() == _address(registry, "admin")


# What IProvenanceRegistry declares. Its ERC-165 id is the exclusive or of their selectors.
_INTERFACE = {
    "publish", "revoke", "requireRecorded", "isRecorded", "isRecordedSimulated", "standingOf", "entryOf", "statusOf",
    "recordCountOf", "manifestOf", "latestManifestOf", "manifestByReport",
}  # fmt: skip


def test_names_the_interfaces_it_has(registry: DeployedRegistry) -> None:
    from eth_utils.abi import function_abi_to_4byte_selector

    functions = registry.contract.functions
    own = 0
    for item in registry.contract.abi:
        if item["type"] == "function" and item["name"] in _INTERFACE:
            own ^= int.from_bytes(function_abi_to_4byte_selector(item), "big")
    erc165, access_control, none = "01ffc9a7", "7965db0b", "ffffffff"
    ids = [bytes.fromhex(erc165), bytes.fromhex(access_control), own.to_bytes(4, "big"), bytes.fromhex(none)]
    assert [functions.supportsInterface(one).call() for one in ids] == [True, True, True, False]
