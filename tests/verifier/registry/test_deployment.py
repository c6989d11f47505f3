"""Deployment files: read strictly, and compared with the chain in each fact that they state."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.cli.options import registry_reader
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment, parse_deployment
from provenance_oracle.verifier.registry.lookup import open_deployment
from tests.support.chain_fixtures import DeployedRegistry, make_record

DEPLOYMENT = Deployment(23294, b"\x01" * 20, b"\x02" * 20, b"\x03" * 20, 7, b"\x04" * 32, b"\x05" * 32)
FILE = json.loads(encode_deployment(DEPLOYMENT))


@given(
    chain_id=st.integers(1, 2**63 - 1),
    addresses=st.lists(st.binary(min_size=20, max_size=20), min_size=3, max_size=3),
    block=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2),
)
def test_every_field_comes_back(chain_id: int, addresses: list[bytes], block: int, hashes: list[bytes]) -> None:
    deployment = Deployment(chain_id, *addresses, block, *hashes)
    data = encode_deployment(deployment)
    assert parse_deployment(data, "file") == deployment
    assert encode_deployment(parse_deployment(data, "file")) == data


@pytest.mark.parametrize("key", FILE)
def test_every_key_must_be_there(key: str) -> None:
    without = {name: value for name, value in FILE.items() if name != key}
    with pytest.raises(FormatError, match=key) as caught:
        parse_deployment(json.dumps(without).encode(), "file")
    assert caught.value.check is Check.REGISTRY_RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"chain_id": 0},
        {"chain_id": "1"},
        {"block": -1},
        {"block": True},
        {"registry": "0x" + "12" * 19},
        {"registry": "0x52908400098527886E0F7030069857D2E4169Ee7"},
        {"lineage": 5},
        {"transaction": "12" * 32},
        {"transaction": "0x" + "AB" * 32},
        {"code_hash": "0x" + "12" * 31},
    ],
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProvenanceError) as caught:
        parse_deployment(json.dumps(FILE | change).encode(), "file")
    assert isinstance(caught.value, FormatError | UsageError)
    assert caught.value.where.startswith("file")


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"null", b" " * 70_000])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_deployment(data, "file")


# With a chain


def deployment_of(registry: DeployedRegistry) -> Deployment:
    namespaces, lineage = (bytes.fromhex(one.address[2:]) for one in (registry.namespaces, registry.lineage))
    code_hash = keccak256(load_artifact().deployed_bytecode)
    return Deployment(
        registry.chain.chain_id,
        registry.address_bytes,
        namespaces,
        lineage,
        registry.block_number,
        registry.transaction_hash,
        code_hash,
    )


@pytest.mark.chain
def test_a_file_stands_for_its_registry(registry: DeployedRegistry, tmp_path: Path) -> None:
    registry.publish(make_record())
    file = tmp_path / "31337.json"
    file.write_bytes(encode_deployment(deployment_of(registry)))
    for text in (str(file), registry.address):
        found = registry_reader(registry.chain.rpc_url, text)
        assert found.match_record(make_record()).name == make_record().name


@pytest.mark.chain
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chain_id": 1}, "the node has another chain"),
        ({"registry": b"\x77" * 20}, "the address has no such contract"),
        ({"namespaces": b"\x77" * 20}, "namespaces: the chain differs from the deployment file"),
        ({"lineage": b"\x77" * 20}, "lineage: the chain differs from the deployment file"),
        ({"code_hash": b"\x77" * 32}, "code_hash: the chain differs from the deployment file"),
    ],
)
def test_a_file_that_is_of_another_registry_is_refused(
    registry: DeployedRegistry, change: dict[str, Any], words: str
) -> None:
    deployment = deployment_of(registry)
    open_deployment(registry.chain.rpc_url, deployment)
    with pytest.raises(UsageError, match=words):
        open_deployment(registry.chain.rpc_url, replace(deployment, **change))


@pytest.mark.chain
def test_what_is_neither_an_address_nor_a_file_is_a_usage_error(registry: DeployedRegistry, tmp_path: Path) -> None:
    for text in ("", str(tmp_path / "missing.json"), str(tmp_path), "0x12", "x" * 5000):
        with pytest.raises(UsageError):
            registry_reader(registry.chain.rpc_url, text)


@pytest.mark.parametrize(
    ("named", "got"),
    [
        ((None, None), "no --rpc and no --registry"),
        (("http://127.0.0.1:1", ""), "no --registry"),
        ((None, "0x"), "no --rpc"),
    ],
)
def test_options_left_out_are_named(named: tuple[str | None, str | None], got: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry_reader(*named)
    assert (caught.value.got, caught.value.wanted) == (got, "--network NAME, or --rpc URL --registry ADDRESS|FILE")
    with pytest.raises(UsageError, match=r"FILE, or --offline$"):
        registry_reader(*named, or_else=("--offline",))
