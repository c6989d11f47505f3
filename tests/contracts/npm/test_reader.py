"""The package's reader queries a real registry, and detects unreliable nodes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import namespace_id, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.signing import batch_digest
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from tests.contracts.npm.project import (
    Project,
    hex_of,
    reader_of,
    record_in_typescript,
    release_of,
    run_node,
)
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, make_failure, make_record, make_signed
from tests.support.fake_nodes import babbling, dripping, lying

pytestmark = pytest.mark.chain

ANYTHING = {"minimumGrade": 0, "maximumAge": 2**40 - 1, "minimumWeight": 1, "anyPolicy": True, "policies": []}
UNKNOWN = b"\x99" * 32
OPEN, REVOKED, SIMULATED, HELD = (
    make_record(manifest_digest=bytes((number,)) * 32, **changes)
    for number, changes in enumerate(
        (
            {},
            {},
            {"product_line": 255, "grade": 0},
            {"name": "claimed/model", "publisher_identity": UNKNOWN},
        ),
        start=1,
    )
)

Ask = Callable[..., list[Any]]


def test_an_open_record(project: Project, ask: Ask, registry: DeployedRegistry) -> None:
    registry.publish(OPEN)
    release, policy = release_of(OPEN), registry.policy_id(OPEN.policy_digest)
    asked = (
        ("isModel", *release, 1),
        ("requireModel", *release, 1),
        ("meets", *release, ANYTHING),
        ("requireMeets", *release, ANYTHING | {"anyPolicy": False, "policies": [policy + 1, policy]}),
        ("isSimulatedModel", *release),
        ("recordOfName", "example", "model@1.0"),
    )
    assert ask(*asked) == ask(*asked, through="a provider") == [True, None, True, None, False, None]
    standing, record = ask(("standingOf", *release), ("recordOf", *release))
    assert standing == _standing_of(registry, OPEN)
    assert record == record_in_typescript(registry.encode(OPEN))
    assert _run_example(project, registry, OPEN) == ["example/model@1.0"]


def test_the_latest_judgement_of_several(ask: Ask, registry: DeployedRegistry) -> None:
    later = replace(OPEN, revision=1, grade=2, verdict_digest=b"\x23" * 32)
    for record in (make_failure(manifest_digest=OPEN.manifest_digest), OPEN, later):
        registry.publish(record)
    found, standing = ask(("recordOf", *release_of(OPEN)), ("standingOf", *release_of(OPEN)))
    assert found == record_in_typescript(registry.encode(later))
    assert (standing["revisions"], standing["grade"]) == (1, 2)


def test_a_shut_gate_says_why(project: Project, ask: Ask, registry: DeployedRegistry) -> None:
    registry.claim("claimed", registry.stranger, identities=[OPEN.publisher_identity])
    for record in (OPEN, REVOKED, SIMULATED, HELD):
        registry.publish(record)
    registry.revoke(REVOKED)
    revoked_at = _standing_of(registry, REVOKED)["revokedAt"]
    policy, judged_at = registry.policy_id(OPEN.policy_digest), int(JUDGED_AT.timestamp())
    _wait_past(registry, judged_at)
    unknown = make_record(manifest_digest=UNKNOWN)
    cases: list[tuple[Record, Any, dict[str, Any]]] = [
        (unknown, 0, {"error": "RecordNotFound"}),
        (REVOKED, 0, {"error": "RecordIsRevoked", "revokedAt": revoked_at}),
        (HELD, 0, {"error": "RecordIsClosed", "held": True, "doubtful": False}),
        (SIMULATED, 0, {"error": "RecordIsSimulated"}),
        (OPEN, 2, {"error": "GradeTooLow", "grade": 1, "minimumGrade": 2}),
        (OPEN, {"maximumAge": 0}, {"error": "RecordIsExpired", "judgedAt": judged_at, "maximumAge": 0}),
        (OPEN, {"anyPolicy": False}, {"error": "WrongPolicy", "policyId": policy}),
        (OPEN, {"minimumWeight": 2}, {"error": "WeightTooLow", "weight": 1, "minimumWeight": 2}),
    ]
    wishes = [(*release_of(record), ANYTHING | wish if isinstance(wish, dict) else wish) for record, wish, _ in cases]
    reasons = ask(*(("requireModel" if wish[2] in (0, 2) else "requireMeets", *wish) for wish in wishes))
    assert [reason["refusal"] for reason in reasons] == [
        refusal | {"recordId": hex_of(record_id(record))} for record, _, refusal in cases
    ]
    assert {reason["error"] for reason in reasons} == {"GateError"}
    told = [reason["message"] for reason in reasons]
    assert told[0] == f"RecordNotFound recordId={hex_of(record_id(unknown))}"
    assert told[2] == f"RecordIsClosed recordId={hex_of(record_id(HELD))} held=true doubtful=false"
    assert ask(("firstLine", "requireModel", *wishes[0])) == [f"GateError: {told[0]}"]
    answers = ask(*(("isModel" if wish[2] in (0, 2) else "meets", *wish) for wish in wishes))
    assert answers == [False] * len(cases)
    # a provider's errors have the node's error as their cause
    assert ask(("requireModel", *wishes[0]), through="a provider")[0]["refusal"] == reasons[0]["refusal"]
    assert ask(("recordOf", *wishes[0][:2]))[0]["refusal"] == reasons[0]["refusal"]
    assert ask(("standingOf", *wishes[0][:2]), ("isSimulatedModel", *release_of(SIMULATED))) == [None, True]
    assert _run_example(project, registry, REVOKED, unknown) == [f"revoked since {revoked_at}", "RecordNotFound"]


def test_the_gate_by_publisher(ask: Ask, registry: DeployedRegistry) -> None:
    signed = make_signed(manifest_digest=b"\x07" * 32)
    for record in (OPEN, REVOKED, signed):
        registry.publish(record)
    registry.revoke(REVOKED)
    registry.send(registry.contract.functions.notePublisher(registry.encode(REVOKED)), registry.stranger)
    publisher, other = hex_of(signed.publisher_identity), hex_of(UNKNOWN)
    by = ("requireSignedBy", "isSignedBy")
    assert ask(*((gate, *release_of(signed), publisher) for gate in by)) == [None, True]
    assert ask(("recordOf", *release_of(signed))) == [record_in_typescript(registry.encode(signed))]
    cases = [
        (signed, other, {"error": "SignedByAnother", "publisher": publisher}),
        (OPEN, publisher, {"error": "SignedByAnother", "publisher": hex_of(bytes(32))}),  # nobody noted it
        (REVOKED, publisher, {"error": "RecordIsRevoked", "revokedAt": _standing_of(registry, REVOKED)["revokedAt"]}),
    ]
    reasons = ask(*(("requireSignedBy", *release_of(record), identity) for record, identity, _ in cases))
    assert [reason["refusal"] for reason in reasons] == [
        refusal | {"recordId": hex_of(record_id(record))} for record, _, refusal in cases
    ]
    assert ask(*(("isSignedBy", *release_of(record), identity) for record, identity, _ in cases)) == [False] * 3
    (shut,) = ask(("requireModel", *release_of(signed), 0))
    assert shut["refusal"] == {"error": "RecordIsSignedOnly", "recordId": hex_of(record_id(signed))}


def test_a_question_that_no_gate_takes_is_not_answered_with_no(ask: Ask, registry: DeployedRegistry) -> None:
    registry.publish(OPEN)
    (result,) = ask(("meets", *release_of(OPEN), ANYTHING | {"anyPolicy": False, "policies": list(range(33))}))
    assert result["refusal"] == {"error": "TooMany", "count": "33n", "most": "32n"}


def test_names(ask: Ask, registry: DeployedRegistry) -> None:
    registry.claim("example", registry.stranger, identities=[OPEN.publisher_identity])
    registry.publish(OPEN)
    name = ("example", "model@1.0")
    assert ask(("recordOfName", *name), ("requireNamed", *name, 1)) == [hex_of(record_id(OPEN))] * 2
    unknown, shut = ask(("recordOfName", "example", "model@2"), ("requireNamed", *name, 2))
    assert unknown is None
    assert shut["refusal"]["error"] == "GradeTooLow"
    (nothing,) = ask(("requireNamed", "example", "model@2", 1))
    ids = {"namespaceId": hex_of(namespace_id("example")), "releaseDigest": hex_of(namespace_id("model@2"))}
    assert nothing["refusal"] == {"error": "NothingNamed"} | ids


def test_record_ids_and_policies(ask: Ask, registry: DeployedRegistry) -> None:
    for record in (OPEN, REVOKED):
        registry.publish(record)
    registry.revoke(REVOKED)
    good, revoked = hex_of(record_id(OPEN)), hex_of(record_id(REVOKED))
    assert ask(("isOpen", good, 1), ("isOpen", good, 2), ("requireOpen", good, 1)) == [True, False, None]
    (refused,) = ask(("requireOpen", revoked, 1))
    assert (refused["error"], refused["refusal"]["error"]) == ("GateError", "RecordIsRevoked")
    policies = ask(("policyIdOf", hex_of(OPEN.policy_digest)), ("policyIdOf", hex_of(UNKNOWN)))
    assert policies == [registry.policy_id(OPEN.policy_digest), None]


def test_signers_are_counted_whatever_the_standing(ask: Ask, registry: DeployedRegistry) -> None:
    registry.publish(REVOKED)
    registry.revoke(REVOKED)
    release = release_of(REVOKED)
    accounts = sorted(account.address.lower() for account in (registry.oracle, registry.stranger))
    lists = (accounts, [registry.stranger.address], [], accounts[::-1])
    *counts, descending = ask(*(("countSigners", *release, one) for one in lists))
    assert counts == [1, 0, 0]
    assert descending["message"] == "NotAscending index=1"
    (short,) = ask(("countSigners", *release, [accounts[0], "0x00"]))
    assert (short["error"], short["message"]) == ("FormatError", "oracles: 1: 1 bytes, not 20")


def test_viem_signs_and_publishes_as_the_readme_says(project: Project, ask: Ask, registry: DeployedRegistry) -> None:
    fields = record_in_typescript(registry.encode(OPEN))
    published = ("publish", registry.chain.rpc_url, hex_of(registry.oracle.key), _deployment_file(registry), fields)
    assert project.call(published) == [None]
    assert ask(("recordOf", *release_of(OPEN))) == [fields]


def test_a_dapp_with_the_errors_in_its_abi_can_tell_what_was_refused(
    project: Project, registry: DeployedRegistry
) -> None:
    asked = (registry.chain.rpc_url, registry.address, *release_of(OPEN), 1)
    with_and_without = project.call(("errorName", "gateErrors", *asked), ("errorName", "", *asked))
    assert with_and_without == ["RecordNotFound", None]


def test_a_past_block(ask: Ask, registry: DeployedRegistry) -> None:
    before = registry.contract.w3.eth.block_number
    registry.publish(OPEN)
    opened = [ask(("isModel", *release_of(OPEN), 1), at=f"{block}n") for block in (before, before + 2)]
    assert opened == [[False], [True]]


def test_gates_through_a_proof(ask: Ask, registry: DeployedRegistry) -> None:
    records = [make_record(manifest_digest=bytes((number,)) * 32) for number in range(1, 4)]
    batch = seal_batch(tuple(registry.encode(record) for record in records))
    sealed = {"count": 3, "sealed_at": int(JUDGED_AT.timestamp()), "uri": ""}
    digest = batch_digest(registry.chain.chain_id, registry.address_bytes, 1, batch.root, **sealed)
    recorded = registry.contract.functions.recordBatch(batch.root, *sealed.values(), registry.quorum(digest))
    registry.send(recorded, registry.stranger)
    release, proof = release_of(records[2]), batch.proofs[2]
    good = {
        "contentDigest": hex_of(proof.content_digest),
        "summary": f"{proof.summary}n",
        "siblings": [hex_of(sibling) for sibling in proof.siblings],
    }
    gates = {
        "isModelFromProof": 1,
        "meetsFromProof": ANYTHING,
        "requireModelFromProof": 1,
        "requireMeetsFromProof": ANYTHING,
    }

    def ask_all(proof: dict[str, Any]) -> list[Any]:
        return ask(*((gate, *release, proof, wish) for gate, wish in gates.items()))

    assert ask_all(good) == [True, True, None, None]
    wrong = ask_all(good | {"siblings": good["siblings"][::-1]})
    assert wrong[:2] == [False, False]
    assert [result["refusal"]["error"] for result in wrong[2:]] == ["RecordNotFound"] * 2
    assert {result["error"] for result in ask_all(good | {"siblings": good["siblings"][1:]})} == {"FormatError"}


def test_arguments_that_cannot_be_right(ask: Ask) -> None:
    model, manifest = release_of(OPEN)
    grades = [("isModel", model, manifest, grade) for grade in (3, 256, -1, 0.5, "1", None)]
    digests = [("requireModel", *digests, 1) for digests in (("0x00", manifest), (model, "manifest"), (model, None))]
    changes: tuple[dict[str, Any], ...] = ({"policies": {}}, {"policies": ["1"]}, {"minimumGrade": 3})
    wishes = [("meets", model, manifest, wish) for wish in (None, [], *(ANYTHING | change for change in changes))]
    others = (("isModelFromProof", model, manifest, {"siblings": None}, 1), ("requireNamed", "half \ud800", "a@1", 1))
    results = ask(*grades, *digests, *wishes, *others)
    assert {result["error"] for result in results} == {"FormatError"}
    told = {result["message"] for result in results}
    assert told >= {
        "minimumGrade: 3, above 2",
        "minimumGrade: -1, not a number of 8 bits",
        "modelDigest: 1 bytes, not 32",
        "manifestDigest: not 0x and pairs of digits",
        "requirements: policies: no uint32[]",
        "requirements: policies: 0: 1, not a number of 32 bits",
        "requirements: minimumGrade: 3, above 2",
        "proof: contentDigest: not 0x and pairs of digits",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chainId": None}, "chainId: null, not a number of 53 bits"),
        ({"chainId": "10"}, "chainId: 10, not a number of 53 bits"),
        ({"registry": "0x0a"}, "registry: 1 bytes, not 20"),
        ({"block": -1}, "block: -1, not a number of 64 bits"),
        ({"at": "-1n"}, "at: -1, not a number of 64 bits"),
        ({"rpcUrl": None}, "neither rpcUrl nor provider"),
        ({"rpcUrl": None, "provider": {}}, "neither rpcUrl nor provider"),
    ],
)
def test_options_that_cannot_be_right(project: Project, options: dict[str, Any], said: str) -> None:
    good = {"rpcUrl": "http://localhost", "chainId": 10, "registry": "0x" + "0a" * 20, "block": 0, "at": "0n"}
    fine, refused = project.call(("makeReader", good), ("makeReader", good | options))
    assert fine is None
    assert (refused["error"], refused["message"]) == ("FormatError", said)


def test_a_deployment_file_that_was_not_parsed(project: Project, registry: DeployedRegistry) -> None:
    file = _deployment_file(registry) | {"rpcUrl": registry.chain.rpc_url}
    (refused,) = project.call(("makeReader", file))
    assert (refused["error"], refused["message"]) == ("FormatError", "chainId: undefined, not a number of 53 bits")


def test_another_chain_is_no_answer(ask: Ask, registry: DeployedRegistry) -> None:
    registry.publish(OPEN)
    release = release_of(OPEN)
    for result in ask(("isModel", *release, 1), ("requireModel", *release, 2), ("recordOf", *release), chainId=1):
        assert result == {"error": "NodeError", "message": f"chain {registry.chain.chain_id}, not 1"}


def test_where_no_contract_is_no_gate_opens(ask: Ask, registry: DeployedRegistry) -> None:
    # A call that returns nothing, such as requireModel, succeeds at an address without a contract.
    address = registry.stranger.address
    for result in ask(("requireModel", *release_of(OPEN), 1), ("isModel", *release_of(OPEN), 1), registry=address):
        assert result == {"error": "NodeError", "message": f"no registry at {address.lower()}, block latest"}


def test_a_chain_that_has_not_finalized_the_registry_yet(ask: Ask, registry: DeployedRegistry) -> None:
    (result,) = ask(("isModel", *release_of(OPEN), 1), at="finalized")
    assert result == {"error": "NodeError", "message": f"no registry at {registry.address.lower()}, block finalized"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "JSON"),
        (b"<html>", "JSON"),
        (b"[]", "chain NaN"),
        (b'{"result": null}', "chain 0"),
        (b'{"error": {"code": -32005, "message": "slow down"}}', "slow down"),
        (b'{"result": "%s"}' % (b"0" * (1 << 20)), "too long"),
    ],
)
def test_a_node_that_babbles(project: Project, answer: bytes, said: str) -> None:
    with babbling(200, answer) as (url, _):
        assert said in _error_at(project, url)


@pytest.mark.parametrize("answer", ["0x", "0x" + "00" * 31 + "02", "0x" + "00" * 33, "yes", True])
def test_an_answer_that_is_neither_yes_nor_no(project: Project, registry: DeployedRegistry, answer: object) -> None:
    with lying(registry, lambda method, _, __: answer if method == "eth_call" else None) as (url, _):
        assert "no registry" in _error_at(project, url, registry)


def test_an_error_that_is_none_of_the_contracts(project: Project, registry: DeployedRegistry) -> None:
    for data in ("0x", "0x08c379a0", "0x670a7e6a", "Reverted"):  # one of them is cut off
        error = {"error": {"code": 3, "message": "reverted", "data": data}}
        with lying(registry, lambda method, _, __, error=error: error if method == "eth_call" else None) as (url, _):
            assert _error_at(project, url, registry) == "reverted"


def test_an_answer_that_changes_meanwhile(project: Project, registry: DeployedRegistry) -> None:
    answers = iter(("0x" + "00" * 32, "0x"))
    with lying(registry, lambda method, _, __: next(answers) if method == "eth_call" else None) as (url, _):
        assert "changed" in _error_at(project, url, registry, "requireModel")


def test_events_that_are_not_the_record(project: Project, registry: DeployedRegistry) -> None:
    registry.publish(OPEN)
    forged = f"0x{1:064x}{64:064x}{3:064x}abcdef"
    logs = [None, {}, {"data": 1}, {"data": "0xzz"}, {"data": forged}]
    for told in (logs, {"result": None}, {"result": {}}):
        with lying(registry, lambda method, _, __, told=told: told if method == "eth_getLogs" else None) as (url, _):
            reader = reader_of(registry) | {"rpcUrl": url}
            (result,) = project.call(("recordOf", *release_of(OPEN)), reader=reader)
        assert result == {"error": "NodeError", "message": "no event with the record"}


def test_nobody_waits_for_ever(project: Project, registry: DeployedRegistry) -> None:
    place = reader_of(registry)
    ends: tuple[dict[str, Any], ...] = (
        {"through": "silence", "timeout": 50},
        {"through": "silence", "aborted": True},
        {"aborted": True},
    )
    for options in ends:
        (result,) = project.call(("isModel", *release_of(OPEN), 1), reader=place | options)
        assert result["error"] == "NodeError"
        assert "aborted" in result["message"]
    with dripping(b" ", 0.01) as url:
        assert "aborted" in _error_at(project, url, timeout=200)


def _error_at(
    project: Project, url: str, registry: DeployedRegistry | None = None, name: str = "isModel", **options: Any
) -> str:
    """Return the message of a reader's NodeError for a node that fails it."""
    place = reader_of(registry) if registry else {"chainId": 10, "registry": "0x" + "0a" * 20}
    (result,) = project.call((name, *release_of(OPEN), 1), reader=place | {"rpcUrl": url} | options)
    assert result["error"] == "NodeError"
    return str(result["message"])


def _run_example(project: Project, registry: DeployedRegistry, *records: Record) -> list[str]:
    """Return the results of the README's function for these releases."""
    place = [registry.chain.rpc_url, _deployment_file(registry)]
    arguments = json.dumps([[*place, *release_of(record)] for record in records])
    script = f"for (const values of {arguments}) console.log(await describe(...values));"
    (project.folder / "run-example.mjs").write_text(f'import {{ describe }} from "./example.ts";\n{script}\n')
    return run_node("run-example.mjs", folder=project.folder).splitlines()


def _deployment_file(registry: DeployedRegistry) -> dict[str, Any]:
    deployment = Deployment(
        registry.chain.chain_id,
        registry.address_bytes,
        bytes.fromhex(registry.namespaces.address[2:]),
        bytes.fromhex(registry.lineage.address[2:]),
        registry.block_number,
        registry.transaction_hash,
        keccak256(bytes(registry.contract.w3.eth.get_code(registry.address))),
    )
    return dict(json.loads(encode_deployment(deployment)))


def _standing_of(registry: DeployedRegistry, record: Record) -> dict[str, Any]:
    """Return the standing from the contract, with the names of the ABI."""
    values = registry.contract.functions.standingOf(record.model_digest, record.manifest_digest).call()
    (outputs,) = (item["outputs"] for item in registry.contract.abi if item.get("name") == "standingOf")
    return dict(zip((part["name"] for part in outputs[0]["components"]), values, strict=True))


def _wait_past(registry: DeployedRegistry, moment: int) -> None:
    """Mine blocks until one is later than a moment."""
    while registry.contract.w3.eth.get_block("latest")["timestamp"] <= moment:
        registry.contract.w3.provider.make_request("evm_mine", [])
