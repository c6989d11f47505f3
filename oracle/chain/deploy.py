"""Deploy a registry, and check that the code on the chain is the contract that this version ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.chain.payer import RECEIPT_SECONDS, Payer
from provenance_oracle.oracle.chain.rofl import APP_ID_BYTES, PREFIX, parse_app_id
from provenance_oracle.oracle.chain.signers import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors, parse_address
from provenance_oracle.verifier.strict.abi_values import parse_account, parse_number

ORACLES_MAX = 32
WEIGHT_MAX = 2**16 - 1
_FOR_EVER = 2**40 - 1
_HOUR_SECONDS = 3600
_NO_APP = bytes(APP_ID_BYTES)
_NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class OracleTerms:
    """One oracle of the first set: the address of its key, and the weight of its signature (1 to WEIGHT_MAX).

    `rofl_app` is the id of a ROFL app (21 bytes), or zeros. An app has no key here: it binds one itself on Oasis
    Sapphire.
    """

    key: str
    weight: int
    rofl_app: bytes = _NO_APP


@dataclass(frozen=True)
class Terms:
    """The parties to a registry and their rights. `owner` and `guardian` are addresses.

    Announcements wait in public for `delay_hours`. Signatures of an earlier oracle set count for `grace_hours` after
    the next set is in force. A record needs signatures whose weights reach `threshold`.
    """

    owner: str
    guardian: str
    oracles: tuple[OracleTerms, ...]
    threshold: int
    delay_hours: int
    grace_hours: int


def parse_oracle(text: str) -> OracleTerms:
    """Parse an address, or the id of a ROFL app (`rofl1…`), with or without `:WEIGHT`. The default weight is 1.

    Raises:
        UsageError: the text is neither, or the weight is not a number from 1 to WEIGHT_MAX.
    """
    name, separator, weight = text.partition(":")
    app = parse_app_id(name) if name.startswith(PREFIX) else _NO_APP
    address = _NOBODY if any(app) else name
    parse_address(address, "oracle")
    number = int(weight) if weight.isascii() and weight.isdecimal() and len(weight) <= 5 else 0
    if separator and not 1 <= number <= WEIGHT_MAX:
        raise UsageError("the weight is wrong", where="oracle", got=text, wanted=f"ADDRESS:WEIGHT, 1 to {WEIGHT_MAX}")
    return OracleTerms(address, number if separator else 1, app)


def majority(oracles: tuple[OracleTerms, ...]) -> int:
    """Return the least weight that two disjoint groups of oracles cannot both have."""
    return sum(oracle.weight for oracle in oracles) // 2 + 1


def chain_id_of(node: NodeConnection) -> int:
    """Return the id of a node's chain.

    Raises:
        TemporaryError: the node failed.
    """
    with node_errors(node.where):
        return int(node.web3.eth.chain_id)


def deploy_contracts(
    node: NodeConnection, signer: Signer, terms: Terms, *, receipt_seconds: float = RECEIPT_SECONDS
) -> Deployment:
    """Deploy a registry and wait until it is in a block.

    Args:
        signer: pays for the transaction, and gets no right over the registry.
        receipt_seconds: how long to wait for the block at most.

    Raises:
        UsageError: an address is wrong or zero, an oracle is named twice, or the oracles cannot reach the threshold.
        TemporaryError: the node failed, the paying account is empty, or the transaction is in no block yet. The message
            has the transaction's hash.
        VerificationError: the transaction failed, or the contract at the new address has other code.
    """
    payer = Payer(node, signer, receipt_seconds=receipt_seconds)
    arguments, artifact = _constructor_arguments(terms), load_artifact()
    with node_errors(payer.where):
        factory: Any = payer.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        chain_id = payer.web3.eth.chain_id
    receipt = payer.send(factory.constructor(*arguments), "ProvenanceRegistry")
    with node_errors(payer.where):
        registry = parse_account(receipt["contractAddress"], payer.where)
        code = _require_code(payer, "ProvenanceRegistry", registry)
        functions = payer.web3.eth.contract(receipt["contractAddress"], abi=artifact.abi).functions
        satellites = (functions[name]().call() for name in ("namespaces", "lineage"))
        namespaces, lineage = (parse_account(address, payer.where) for address in satellites)
        _require_code(payer, "Namespaces", namespaces)
        _require_code(payer, "Lineage", lineage)
        code_hash = bytes(payer.web3.keccak(code))
    block, transaction = receipt["blockNumber"], bytes(receipt["transactionHash"])
    return Deployment(chain_id, registry, namespaces, lineage, block, transaction, code_hash)


def number_policies(
    node: NodeConnection, signer: Signer, registry: bytes, policies: Mapping[str, bytes]
) -> dict[str, int]:
    """Send a transaction for each policy that has no number yet. Return the numbers by name.

    Args:
        registry: address, 20 bytes.
        policies: digests (32 bytes) by name.

    Raises:
        TemporaryError: the node failed. The registry works without these numbers, because an oracle numbers each policy
            that it needs.
        VerificationError: a transaction is in a block and failed.
    """
    payer, numbers = Payer(node, signer), {}
    with node_errors(payer.where):
        address = payer.web3.to_checksum_address(registry)
        functions = payer.web3.eth.contract(address, abi=load_artifact().abi).functions
        for name, digest in policies.items():
            if parse_number(functions.policyIdOf(digest).call(), payer.where) == 0:
                payer.send(functions.numberPolicy(digest), "ProvenanceRegistry")
            numbers[name] = parse_number(functions.policyIdOf(digest).call(), payer.where)
            if numbers[name] == 0:
                got, wanted = f"none of {name}", "one, since it was given"
                raise TemporaryError(
                    "the node shows no number of a policy yet", where=payer.where, got=got, wanted=wanted
                )
    return numbers


def _constructor_arguments(terms: Terms) -> tuple[object, ...]:
    owner, guardian = _party(terms.owner, "owner"), _party(terms.guardian, "guardian")
    if not 1 <= len(terms.oracles) <= ORACLES_MAX:
        got, wanted = f"{len(terms.oracles)} oracles", f"1 to {ORACLES_MAX}"
        raise UsageError("the number of oracles is wrong", where="oracle", got=got, wanted=wanted)
    oracles = [(_key(oracle), oracle.weight, 0, _FOR_EVER, oracle.rofl_app) for oracle in terms.oracles]
    names = [f"ROFL app {one.rofl_app.hex()}" if any(one.rofl_app) else _key(one) for one in terms.oracles]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UsageError("an oracle is named twice", where="oracle", got=", ".join(twice), wanted="every oracle once")
    weight = sum(oracle.weight for oracle in terms.oracles)
    if not 1 <= terms.threshold <= weight <= WEIGHT_MAX:
        got = f"threshold {terms.threshold} of {weight}"
        wanted = f"1 to the weight of all oracles, which is at most {WEIGHT_MAX}"
        raise UsageError("the threshold and the weights do not fit", where="threshold", got=got, wanted=wanted)
    delay_seconds, grace_seconds = terms.delay_hours * _HOUR_SECONDS, terms.grace_hours * _HOUR_SECONDS
    return owner, guardian, delay_seconds, grace_seconds, oracles, terms.threshold


def _key(oracle: OracleTerms) -> str:
    return _NOBODY if any(oracle.rofl_app) else _party(oracle.key, "oracle")


def _party(text: str, role: str) -> str:
    from eth_utils.address import to_checksum_address

    address = parse_address(text, role)
    if not any(address):
        raise UsageError("the zero address is not an account", where=role, got=text, wanted="an account")
    return str(to_checksum_address(address))


def _require_code(payer: Payer, name: str, address: bytes) -> bytes:
    code = bytes(payer.web3.eth.get_code(payer.web3.to_checksum_address(address)))
    if code != load_artifact(name).deployed_bytecode:
        raise VerificationError(
            "the contract at this address is not the one that was sent",
            where=f"{payer.where}, 0x{address.hex()}",
            got=f"{len(code)} bytes of code",
            wanted=f"the {name} that this version ships",
        )
    return code
