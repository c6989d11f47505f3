"""Tests of the deployment of a registry, and of the refusal of wrong code, parties and terms."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain import deploy as room
from provenance_oracle.oracle.chain import deployed
from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.chain.deploy import deploy_contracts, number_policies
from provenance_oracle.oracle.chain.deploy_terms import OracleTerms, Terms, majority, parse_oracle
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, shipped_policy
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment, parse_deployment
from provenance_oracle.verifier.registry.lookup import open_deployment
from provenance_oracle.verifier.registry.node import connect, open_node
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry, make_record

pytestmark = pytest.mark.chain


def _signer(key: bytes) -> Signer:
    return EnvironmentSigner("KEY", {"KEY": key.hex()})


def _terms(chain: EmbeddedChain, **changes: Any) -> Terms:
    owner, guardian, *oracles = (account.address for account in chain.accounts[1:6])
    terms = Terms(owner, guardian, tuple(OracleTerms(key, 2) for key in oracles), 4, 48, 24)
    return replace(terms, **changes)


def test_what_is_deployed_is_what_the_terms_say(anvil: EmbeddedChain) -> None:
    terms = _terms(anvil)
    found = deploy_contracts(open_node(anvil.rpc_url), _signer(anvil.accounts[0].key), terms)
    web3: Any = connect(anvil.rpc_url)
    receipt = web3.eth.get_transaction_receipt(found.transaction)
    assert (found.registry.hex(), found.block) == (receipt["contractAddress"][2:].lower(), receipt["blockNumber"])
    assert found.chain_id == anvil.chain_id
    assert found.code_hash == web3.keccak(load_artifact().deployed_bytecode)
    assert open_deployment(anvil.rpc_url, found).chain_id == found.chain_id

    functions = web3.eth.contract(receipt["contractAddress"], abi=load_artifact().abi).functions
    assert [functions.owner().call().lower(), functions.guardian().call().lower()] == [terms.owner, terms.guardian]
    assert functions.publicDelay().call() == 48 * 3600
    assert functions.epochOf(1).call() == (4, 3, 2**40 - 1)
    for index, oracle in enumerate(terms.oracles):
        key, *rest = functions.oracleAt(1, index).call()
        assert (key.lower(), rest) == (oracle.key, [2, 0, 2**40 - 1, bytes(21)])


@pytest.mark.parametrize("role", ["owner", "guardian", "oracle"])
@pytest.mark.parametrize("address", ["0x" + "00" * 20, "0x12", "nobody"])
def test_refuses_a_party_that_is_nobody(anvil: EmbeddedChain, role: str, address: str) -> None:
    change: Any = {"oracles": (OracleTerms(address, 2),)} if role == "oracle" else {role: address}
    with pytest.raises(UsageError, match=f"^{role}: "):
        deploy_contracts(open_node(anvil.rpc_url), _signer(anvil.accounts[0].key), _terms(anvil, **change))


_KEY, _OTHER, _NOBODY = ("0x" + digits * 20 for digits in ("11", "22", "00"))
_APP = b"\x07" * 21


@pytest.mark.parametrize(
    ("oracles", "threshold", "problem"),
    [
        ((), 1, "the number of oracles is wrong"),
        (tuple(OracleTerms(f"0x{number:040x}", 1) for number in range(1, 34)), 1, "the number of oracles is wrong"),
        ((OracleTerms(_KEY, 1), OracleTerms(_OTHER, 1), OracleTerms(_KEY, 1)), 1, f"named twice: got {_KEY}, wanted"),
        ((OracleTerms(_NOBODY, 1, _APP), OracleTerms(_NOBODY, 2, _APP)), 1, f"named twice: got ROFL app {_APP.hex()}"),
        ((OracleTerms(_KEY, 1),), 0, "the threshold and the weights do not fit"),
        ((OracleTerms(_KEY, 1), OracleTerms(_OTHER, 2)), 4, "the threshold and the weights do not fit"),
        ((OracleTerms(_KEY, 65_535), OracleTerms(_OTHER, 1)), 1, "the threshold and the weights do not fit"),
    ],
)
def test_refuses_an_oracle_set_that_the_contract_would_refuse(
    anvil: EmbeddedChain, oracles: tuple[OracleTerms, ...], threshold: int, problem: str
) -> None:
    terms = _terms(anvil, oracles=oracles, threshold=threshold)
    with pytest.raises(UsageError, match=problem):
        deploy_contracts(open_node(anvil.rpc_url), _signer(anvil.accounts[0].key), terms)


def test_an_oracle_is_an_address_and_perhaps_a_weight() -> None:
    assert parse_oracle(_KEY) == OracleTerms(_KEY, 1)
    assert parse_oracle(f"{_KEY}:65535") == OracleTerms(_KEY, 65_535)
    for text in ("", "nobody", f"{_KEY}:", f"{_KEY}:0", f"{_KEY}:-1", f"{_KEY}:65536", f"{_KEY}:1:1", f"{_KEY}:²"):
        with pytest.raises(UsageError, match=r"^oracle: "):
            parse_oracle(text)


# The id of the price oracle of Oasis, as Oasis publishes it.
APP = "rofl1qqn9xndja7e2pnxhttktmecvwzz0yqwxsquqyxdf"
APP_BYTES = bytes.fromhex("0026534db2efb2a0ccd75aecbde70c7084f201c680")


def test_a_rofl_app_is_an_oracle_without_a_key(anvil: EmbeddedChain) -> None:
    assert parse_oracle(f"{APP}:7") == OracleTerms("0x" + "00" * 20, 7, APP_BYTES)
    result = _command(anvil, "--oracle", APP, "--oracle", f"{_KEY}:2", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["oracles"][0] == {"key": None, "rofl_app": f"0x{APP_BYTES.hex()}", "weight": 1}
    web3: Any = connect(anvil.rpc_url)
    functions = web3.eth.contract(document["registry"], abi=load_artifact().abi).functions
    assert functions.oracleAt(1, 0).call() == ("0x" + "00" * 20, 1, 0, 2**40 - 1, APP_BYTES)


@pytest.mark.parametrize("place", range(5, len(APP)))
def test_a_rofl_app_with_one_wrong_letter_is_refused(place: int) -> None:
    wrong = APP[:place] + ("q" if APP[place] != "q" else "p") + APP[place + 1 :]
    for text in (
        wrong,
        APP[:place] + APP[place + 1 :],
        APP[:place] + "1" + APP[place + 1 :],
        APP[:place] + APP[place:].upper(),
    ):
        with pytest.raises(UsageError, match="the text is not the id of a ROFL app"):
            parse_oracle(text)


@pytest.mark.parametrize(("weights", "wanted"), [([1], 1), ([5], 3), ([1, 1], 2), ([1, 1, 1], 2), ([2, 1, 1], 3)])
def test_two_groups_without_a_common_oracle_never_both_have_a_majority(weights: list[int], wanted: int) -> None:
    assert majority(tuple(OracleTerms(_KEY, weight) for weight in weights)) == wanted


def test_an_account_without_money_is_temporary_and_named(anvil: EmbeddedChain) -> None:
    with pytest.raises(TemporaryError, match="the paying account is empty"):
        deploy_contracts(open_node(anvil.rpc_url), _signer(b"\x51" * 32), _terms(anvil))


def test_no_node_is_temporary(anvil: EmbeddedChain) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TemporaryError):
            deploy_contracts(open_node(url), _signer(anvil.accounts[0].key), _terms(anvil))


@pytest.mark.parametrize("name", ["ProvenanceRegistry", "Namespaces", "Lineage"])
def test_refuses_other_code_at_any_of_the_addresses(
    anvil: EmbeddedChain, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def altered(asked: str = "ProvenanceRegistry") -> Any:
        artifact = load_artifact(asked)
        wanted = artifact.deployed_bytecode[:-1] + b"\x00"
        return replace(artifact, deployed_bytecode=wanted) if asked == name else artifact

    monkeypatch.setattr(deployed, "load_artifact", altered)
    with pytest.raises(VerificationError, match=f"is not the one that was sent.*wanted the {name}"):
        deploy_contracts(open_node(anvil.rpc_url), _signer(anvil.accounts[0].key), _terms(anvil))


@pytest.mark.usefixtures("anvil")
def test_a_transaction_that_no_block_takes_is_temporary_and_its_hash_is_told() -> None:
    with run_anvil(options=("--no-mining",)) as chain, pytest.raises(TemporaryError, match=r"got 0x[0-9a-f]{64}"):
        deploy_contracts(open_node(chain.rpc_url), _signer(chain.accounts[0].key), _terms(chain), receipt_seconds=0.3)


def test_policies_are_numbered_once(registry: DeployedRegistry) -> None:
    signer = _signer(registry.stranger.key)
    arguments = (open_node(registry.chain.rpc_url), signer, registry.address_bytes)
    first = number_policies(*arguments, {"a": b"\x01" * 32, "b": b"\x02" * 32})
    head = registry.contract.w3.eth.block_number
    assert number_policies(*arguments, {"b": b"\x02" * 32, "a": b"\x01" * 32}) == first == {"a": 1, "b": 2}
    assert registry.contract.w3.eth.block_number == head


def _command(chain: EmbeddedChain, *options: str) -> Any:
    arguments = ["deploy", "--rpc", chain.rpc_url, "--key-variable", "K", *options]
    return CliRunner().invoke(main, arguments, env={"K": chain.accounts[0].key.hex()})


def test_the_command_tells_all_and_writes_the_deployment_file(anvil: EmbeddedChain, tmp_path: Path) -> None:
    terms = _terms(anvil)
    parties = ("--owner", terms.owner, "--guardian", terms.guardian)
    first, second, third = (oracle.key for oracle in terms.oracles)
    oracles = ("--oracle", f"{first}:2", "--oracle", second, "--oracle", third)
    places = ("--delay-hours", "1", "--grace-hours", "0", "--deployments", str(tmp_path / "new"))
    result = _command(anvil, *parties, *oracles, *places, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["oracles"][0] == {"key": first, "rofl_app": None, "weight": 2}
    assert (document["threshold"], document["delay_hours"], document["grace_hours"]) == (3, 1, 0)
    assert (document["owner"], document["guardian"]) == (terms.owner, terms.guardian)
    assert set(document["policies"]) == set(document["policy_digests"]) == set(SHIPPED_POLICIES)

    file = tmp_path / "new" / f"{anvil.chain_id}.json"
    reader = open_deployment(anvil.rpc_url, parse_deployment(file.read_bytes(), str(file)))
    for name, number in document["policies"].items():
        assert document["policy_digests"][name] == f"0x{shipped_policy(name).digest.hex()}"
        assert reader.policy_id(shipped_policy(name).digest) == number
    written = json.loads(file.read_bytes())
    assert written == {name: document[name] for name in written}


def test_a_registry_whose_policies_could_not_be_numbered_is_not_lost(
    anvil: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> dict[str, int]:
        raise TemporaryError("node down")

    monkeypatch.setattr(room, "number_policies", failing)
    result = _command(anvil, "--deployments", str(tmp_path), "--json")
    file = tmp_path / f"{anvil.chain_id}.json"
    registry = parse_deployment(file.read_bytes(), str(file)).registry
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["where"]) == (7, f"registry 0x{registry.hex()}")
    monkeypatch.undo()
    again = _command(anvil, *error["wanted"].partition("deploy ")[2].partition(",")[0].split(), "--json")
    assert json.loads(again.stdout)["policies"].keys() == set(SHIPPED_POLICIES)


def test_without_options_the_paying_account_is_all_in_one_and_is_told_so(anvil: EmbeddedChain) -> None:
    result = _command(anvil)
    assert result.exit_code == 0, result.output
    payer = connect(anvil.rpc_url).to_checksum_address(anvil.accounts[0].address)
    assert result.output.count(payer) == 3
    assert "threshold    1 of 1" in result.output
    for number, name in ((1, "strict"), (4, "unsafe-any")):
        assert f"policy       {number} {name:<10}  0x{shipped_policy(name).digest.hex()}\n" in result.output
    assert "one oracle alone can write records" in result.output


def test_the_command_refuses_before_it_pays(anvil: EmbeddedChain, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    head = connect(anvil.rpc_url).eth.block_number
    for options in (["--oracle", "nobody"], ["--threshold", "9"], ["--deployments", str(tmp_path / "file")]):
        assert _command(anvil, *options).exit_code == 2
    assert _command(anvil, "--delay-hours", "0").exit_code == 2
    assert connect(anvil.rpc_url).eth.block_number == head


def test_a_second_registry_leaves_the_first_one_s_file(anvil: EmbeddedChain, tmp_path: Path) -> None:
    places = ("--deployments", str(tmp_path))
    assert _command(anvil, *places).exit_code == 0
    file = tmp_path / f"{anvil.chain_id}.json"
    first = file.read_bytes()
    block = parse_deployment(first, "file").block
    head = connect(anvil.rpc_url).eth.block_number
    refused = _command(anvil, *places)
    assert refused.exit_code == 2
    assert f"{file}: an earlier registry has this file" in refused.stderr
    assert f"--replace keeps it as {anvil.chain_id}.<its block>.json" in refused.stderr
    assert connect(anvil.rpc_url).eth.block_number == head
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [first]

    replaced = _command(anvil, *places, "--replace")
    kept = tmp_path / f"{anvil.chain_id}.{block}.json"
    assert replaced.exit_code == 0
    assert f"kept         {kept}" in replaced.output
    assert kept.read_bytes() == first
    registries = [open_deployment(anvil.rpc_url, parse_deployment(path.read_bytes(), "f")) for path in (file, kept)]
    assert registries[0].address != registries[1].address

    head = connect(anvil.rpc_url).eth.block_number
    file.write_bytes(first)  # the first file again, whose copy is kept already
    assert f"{kept}: an earlier registry is kept here already" in _command(anvil, *places, "--replace").stderr
    file.write_text("no deployment")
    assert _command(anvil, *places, "--replace").exit_code == 3
    assert _command(anvil, "--replace").exit_code == 2
    assert connect(anvil.rpc_url).eth.block_number == head
    assert (file.read_text(), kept.read_bytes()) == ("no deployment", first)


def test_a_file_that_came_in_between_is_left_and_the_registry_is_told(
    anvil: EmbeddedChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"{anvil.chain_id}.json"

    def slow(*arguments: Any, **options: Any) -> Deployment:
        file.write_text("another's")
        return deploy_contracts(*arguments, **options)

    monkeypatch.setattr(room, "deploy_contracts", slow)
    result = _command(anvil, "--deployments", str(tmp_path))
    assert (result.exit_code, file.read_text()) == (2, "another's")
    assert re.search("the registry is 0x[0-9a-f]{40}", result.stderr)


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ((), "no such option"),
        (("--key", "env:K", "--keystore", "k"), "--key and --keystore,"),
        (("--key", "keystore:k"), "--key,"),
        (("--keystore", "k"), "--keystore"),
        (("--password-file", "p"), "--password-file"),
        (("--key-variable", "K", "--keystore", "k", "--password-file", "p"), "--key-variable and --keystore and"),
    ],
)
def test_a_key_that_is_not_named_is_asked_for_by_its_options(options: tuple[str, ...], got: str) -> None:
    result = CliRunner().invoke(main, ["deploy", "--rpc", "http://127.0.0.1:1", *options])
    assert result.exit_code == 2
    assert f"no key is named: got {got}" in result.stderr
    assert "wanted --key URI, --key-variable NAME, or --keystore FILE and --password-file FILE" in result.stderr


def test_the_page_tells_every_option_of_the_terms_with_its_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
    rows = dict(re.findall(r"^\| `(--[a-z-]+) [^|]*\| ([^|]*) \|", page, re.MULTILINE))
    options = {one.opts[0]: one for one in main.commands["deploy"].params}
    others = {"--network", "--rpc", "--key", "--key-variable", "--keystore", "--password-file", "--json", "--quiet"}
    first_lines = page.partition("`watch` scans")[0]
    assert all(f"`{name}" in first_lines or f" {name} " in first_lines for name in options.keys() - others)
    for name in ("--delay-hours", "--grace-hours"):
        assert rows[name] == str(options[name].default)


@pytest.mark.usefixtures("anvil")
@pytest.mark.parametrize("hardfork", ["paris", "shanghai", "osaka"])
def test_works_on_the_oldest_fork_it_is_compiled_for_and_on_the_newest(hardfork: str) -> None:
    record = make_record()
    with run_anvil(options=("--hardfork", hardfork)) as chain:
        registry = deploy_registry(chain)
        registry.publish(record)
        registry.reader().match_record(record)
        assert registry.contract.functions.isModel(record.model_digest, record.manifest_digest, 1).call()
