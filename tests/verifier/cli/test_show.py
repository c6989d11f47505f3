"""Tests of `provenance check` and `provenance show` against a registry."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.documents.errors import error_json
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.codec import record_id, release_id
from provenance_oracle.verifier.record.fields import Record
from tests.support.chain_fixtures import (
    JUDGED_AT,
    DeployedRegistry,
    checksummed,
    deploy_registry,
    make_failure,
    make_record,
    make_signed,
)
from tests.support.fake_nodes import lying, telling_logs
from tests.support.live_releases import lay_out
from tests.support.terminals import on_terminal
from tests.support.world import fresh_record

pytestmark = pytest.mark.chain

BASE = make_record(name="base/model", model_digest=b"\x21" * 32, manifest_digest=b"\x22" * 32)
TUNED = make_record(name="example/model")
TUNED_AGAIN = replace(TUNED, revision=1, grade=2)
SIMULATED = make_record(
    name="sim/model", model_digest=b"\x31" * 32, manifest_digest=b"\x32" * 32, product_line=255, grade=0
)

PAGE = {"total": 1, "revoked": 0, "first": 1, "next_after": None, "before_claim": []}


def run(registry: DeployedRegistry, *arguments: str, url: str = "") -> Result:
    options = ("--rpc", url or registry.chain.rpc_url, "--registry", registry.address)
    result = CliRunner().invoke(main, [*arguments, *options])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    assert all(line.isprintable() for line in result.output.splitlines())
    return result


def document(registry: DeployedRegistry, *arguments: str) -> Any:
    return json.loads(run(registry, *arguments, "--json").stdout)


# check


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    """Return a release that was just made and judged, and its record."""
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {"config.json": b"{}\n", "weights.bin": bytes(9000)}, table=False, at=JUDGED_AT)
    return folder, judge(read_release(folder), load_policy("demo"), at=JUDGED_AT).record


def check(registry: DeployedRegistry, folder: Path, *options: str) -> Result:
    return run(registry, "check", str(folder), "--policy", "demo", *options)


def test_a_recorded_release_is_accepted(registry: DeployedRegistry, release: tuple[Path, Record]) -> None:
    folder, record = release
    registry.publish(record)
    found = check(registry, folder)
    assert found.exit_code == 0, found.output
    assert "signed by 1 oracle of set 1, weight 1, threshold 1" in found.output
    assert "reproduced here bit for bit" in found.output
    body = json.loads(check(registry, folder, "--json").stdout)
    assert (body["schema"], body["accepted"]) == ("provenance-oracle/check/v2", True)
    assert body["record"]["signers"] == [{"index": 0, "address": registry.oracle.address, "weight": 1, "counts": True}]
    assert (body["record"]["active"], body["record"]["closed_because"]) == (True, None)


def test_none_revoked_held_and_doubtful_end_with_6(registry: DeployedRegistry, release: tuple[Path, Record]) -> None:
    folder, record = release
    assert check(registry, folder).exit_code == 6
    registry.publish(replace(record, passed=False))
    assert "nothing but FAILED verdicts" in check(registry, folder).stderr
    registry.claim("org", registry.stranger, identities=(b"\x61" * 32,))
    registry.publish(record)
    for shut, words in (
        (lambda: None, "is held"),
        (lambda: registry.revoke(record), "was revoked"),
    ):
        shut()
        found = check(registry, folder, "--json")
        assert found.exit_code == 6
        assert words in json.loads(found.stdout)["error"]["message"]
    other = deploy_registry(registry.chain, oracles=2, threshold=2)
    other.publish(record, signers=(0, 1))
    other.revoke_oracle(1)
    found = check(other, folder)
    assert (found.exit_code, "is doubtful" in found.stderr) == (6, True)


def test_a_revoked_model_is_refused_at_once(registry: DeployedRegistry, release: tuple[Path, Record]) -> None:
    folder, record = release
    registry.publish(record)
    functions = registry.contract.functions
    registry.send(functions.revokeAllOf(record.model_digest, "a backdoor"), registry.guardian)
    for _ in ("not applied", "applied"):
        found = check(registry, folder, "--json")
        assert found.exit_code == 6
        error = json.loads(found.stdout)["error"]
        assert "the record was revoked" in error["message"]
        assert error["got"].endswith("on, and so is every other release of these files")
        registry.send(functions.applyRevocations(record.model_digest, [record.manifest_digest]), registry.stranger)


def test_show_says_that_a_model_is_revoked_and_how_to_shut_its_gate(registry: DeployedRegistry) -> None:
    registry.publish(BASE)
    functions, digest = registry.contract.functions, BASE.model_digest.hex()
    registry.send(functions.revokeAllOf(BASE.model_digest, "a backdoor"), registry.guardian)
    for gate in (f"OPEN until somebody applies the revocation: provenance revoke {digest} --apply", "SHUT"):
        found = run(registry, "show", digest, "--history")
        assert found.exit_code == 6
        for words in (", with every release of these files", "every release of these files REVOKED: a backdoor", gate):
            assert words in found.output
        registry.send(functions.applyRevocations(BASE.model_digest, [BASE.manifest_digest]), registry.stranger)
    assert "REVOKED with effect from this time, with its model" in run(registry, "show", digest, "--history").output


def test_a_release_of_a_revoked_model_needs_no_record_to_be_refused(
    registry: DeployedRegistry, release: tuple[Path, Record]
) -> None:
    folder, record = release
    registry.send(registry.contract.functions.revokeAllOf(record.model_digest, "bad"), registry.guardian)
    found = check(registry, folder)
    assert found.exit_code == 6
    assert "every release of these files revoked" in found.output + found.stderr


def test_another_release_s_record_ends_with_4(registry: DeployedRegistry, release: tuple[Path, Record]) -> None:
    folder, record = release
    registry.publish(replace(record, version="9"))
    assert check(registry, folder).exit_code == 4


# show


@pytest.fixture
def shown(registry: DeployedRegistry) -> DeployedRegistry:
    """Return a registry with a revoked base model, and a claimed namespace with a model made from it, judged twice."""
    registry = deploy_registry(registry.chain, oracles=3, threshold=2)
    registry.publish(BASE, signers=(0, 1))
    registry.publish(SIMULATED, signers=(0, 1))
    registry.claim("example", registry.stranger)
    parents = tuple(release_id(one.model_digest, one.manifest_digest) for one in (BASE, SIMULATED))
    registry.publish(TUNED, signers=(0, 2), parents=parents)
    registry.publish(TUNED_AGAIN, signers=(1, 2), parents=parents)
    registry.revoke(BASE, "weights\x1b[2J were stolen")
    return registry


@pytest.mark.parametrize(
    "what",
    [
        "example/model",
        "example/model@1.0",
        TUNED.model_digest.hex(),
        "0x" + TUNED.manifest_digest.hex(),
        record_id(TUNED).hex(),
        "0x" + record_id(TUNED_AGAIN).hex(),
    ],
)
def test_show_tells_who_signed_and_by_what_policy(shown: DeployedRegistry, what: str) -> None:
    found = run(shown, "show", what)
    assert found.exit_code == 0
    for words in (
        "example/model 1.0, in a claimed namespace",
        f"policy digest    {'05' * 32} (number 1 of this registry)",
        "judgement 2 of this release",
        "signed by        2 oracles of set 1, weight 2, threshold 2",
        f"{shown.oracles[1].address}, weight 1",
        "2 (strict)",
        f"release id       {record_id(TUNED).hex()} (gates and their errors call it recordId)",
        f"record id        {record_id(TUNED_AGAIN).hex()}",
        "gate             open to requireModel with a minimum grade of 2 or less",
    ):
        assert words in found.output
    body = document(shown, "show", what)
    (entry,) = body["entries"]
    assert (body["schema"], body["accepted"]) == ("provenance-oracle/show/v2", True)
    assert (entry["revision"], entry["revisions"], entry["named"], entry["active"]) == (1, 1, True, True)
    assert (entry["epoch"], entry["weight"], entry["threshold"], entry["policy_id"]) == (1, 2, 2, 1)
    assert (entry["release_id"], entry["record_id"]) == (record_id(TUNED).hex(), record_id(TUNED_AGAIN).hex())
    assert (entry["gate_open"], entry["gate_shut_because"]) == (True, None)
    assert set(body) == {"schema", "accepted", "entries", *PAGE}


def test_show_says_why_a_record_is_shut(shown: DeployedRegistry) -> None:
    found = run(shown, "show", "base/model", "--lineage")
    assert found.exit_code == 6
    assert "REVOKED          the record was revoked from 20" in found.stdout
    assert "gate             SHUT: the record was revoked" in found.stdout
    assert "lineage of base/model" in found.stdout
    assert "not accepted (exit 6): " in found.stderr
    shown.revoke_oracle(2)
    found = run(shown, "show", "example/model")
    assert found.exit_code == 6
    assert "DOUBTFUL         the record is doubtful" in found.stdout
    assert "gate             open until somebody calls recount; requireMeets is already shut" in found.stdout
    assert f"{shown.oracles[2].address}, weight 1, KEY REVOKED: the signature does not count" in found.stdout
    body = document(shown, "show", "example/model")
    assert [body["entries"][0][key] for key in ("doubtful", "active", "gate_open")] == [True, False, True]
    shown.send(shown.contract.functions.recount(record_id(TUNED_AGAIN)), shown.stranger)
    assert "gate             SHUT: the record is doubtful" in run(shown, "show", "example/model").stdout


def test_show_of_what_is_not_active_is_one_document_with_the_error_that_check_has(shown: DeployedRegistry) -> None:
    found = run(shown, "show", "base/model", "--json")
    body = json.loads(found.stdout)
    assert (found.exit_code, body["accepted"]) == (6, False)
    assert set(body) == {"schema", "accepted", "entries", "error", "findings", *PAGE}
    (entry,) = body["entries"]
    assert (entry["closed_because"], entry["gate_shut_because"]) == ("the record was revoked",) * 2
    assert entry["closure"] == "revoked"
    with pytest.raises(RecordError) as refused:
        shown.reader().match_record(BASE)
    assert body["error"] == error_json(refused.value)["error"] | {"message": body["error"]["message"]}
    assert "the record was revoked: got revoked from 20" in body["error"]["message"]


def test_show_ends_with_0_if_one_of_several_is_active(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    registry.publish(make_record(manifest_digest=b"\x0a" * 32, version="2.0"))
    registry.revoke(make_record(manifest_digest=b"\x0a" * 32))
    found = run(registry, "show", "example/model")
    assert (found.exit_code, found.stdout.count("gate  ")) == (0, 2)
    assert [one["gate_open"] for one in document(registry, "show", "example/model")["entries"]] == [False, True]
    assert "2 records, 1 revoked, which come first; shown: 1 to 2" in found.stdout


def test_show_says_how_many_records_there_are_and_how_to_see_the_rest(registry: DeployedRegistry) -> None:
    """A revoked release is not hidden by newer recordings of the same files."""
    records = [make_record(manifest_digest=bytes([number]) * 32, version=f"{number}.0") for number in (1, 2, 3)]
    for record in records:
        registry.publish(record)
    registry.revoke(records[0])
    what = records[0].model_digest.hex()
    found = run(registry, "show", what, "--limit", "2")
    assert found.exit_code == 0
    assert found.stdout.index("REVOKED") < found.stdout.index("example/model 3.0")
    assert "3 records, 1 revoked, which come first; shown: 1 to 2" in found.stdout
    last = record_id(records[2]).hex()
    assert f"1 more: provenance show {what} --after {last}" in found.stdout
    rest = run(registry, "show", what, "--after", last)
    assert "example/model 2.0" in rest.stdout
    assert "shown: 3 to 3" in rest.stdout
    assert "more:" not in rest.stdout
    body = document(registry, "show", what, "--limit", "2")
    assert {name: body[name] for name in PAGE} == PAGE | {"total": 3, "revoked": 1, "next_after": last}
    body = document(registry, "show", what, "--after", last)
    assert {name: body[name] for name in PAGE} == PAGE | {"total": 3, "revoked": 1, "first": 3}
    for wrong, words in (("77" * 32, "no record with this id"), ("x", "not an id")):
        refused = run(registry, "show", what, "--after", wrong)
        assert (refused.exit_code, words in refused.stderr) == (2, True)


def test_show_says_what_was_recorded_before_the_claim(registry: DeployedRegistry) -> None:
    old = make_record()
    registry.publish(old)
    registry.claim("example", registry.stranger, limit=1)
    found = run(registry, "show", "example/model")
    assert found.exit_code == 6
    for words in ("before the namespace was claimed: not under this name", old.manifest_digest.hex(), "adopts"):
        assert words in found.stderr
    registry.publish(make_record(manifest_digest=b"\x0a" * 32, version="2.0"))
    found = run(registry, "show", "example/model")
    assert found.exit_code == 0
    assert f"not under this name; by digest: {old.manifest_digest.hex()}" in found.stdout
    assert "provenance adopt DIGEST" in found.stdout
    (listed,) = document(registry, "show", "example/model")["before_claim"]
    assert listed == {
        "name": old.name,
        "version": old.version,
        "model_digest": old.model_digest.hex(),
        "manifest_digest": old.manifest_digest.hex(),
    }


def test_show_says_that_gates_are_shut_to_simulated_hardware(shown: DeployedRegistry) -> None:
    found = run(shown, "show", "sim/model")
    assert (found.exit_code, "gate             SHUT: the hardware was simulated" in found.stdout) == (0, True)
    (entry,) = document(shown, "show", "sim/model")["entries"]
    assert (entry["active"], entry["gate_open"]) == (True, False)
    assert entry["gate_shut_because"] == "the hardware was simulated"
    shown.revoke(SIMULATED)
    assert "SHUT: the record was revoked; the hardware was simulated" in run(shown, "show", "sim/model").stdout


def test_show_says_what_a_signature_alone_does_not_say(registry: DeployedRegistry) -> None:
    signed = make_signed()
    registry.publish(signed)
    found = run(registry, "show", signed.name)
    assert found.exit_code == 0
    assert "no confidential hardware: signed by the publisher above; nothing is known of where it" in found.stdout
    assert "gate             SHUT: the release has only a signature: no confidential hardware" in found.stdout
    assert "report digest" not in found.stdout
    assert f"publisher        {signed.publisher_identity.hex()}" in found.stdout
    assert "by publisher     open to requireSignedBy with the publisher above" in found.stdout
    (entry,) = document(registry, "show", signed.manifest_digest.hex())["entries"]
    assert (entry["active"], entry["gate_open"], entry["product_line"]) == (True, False, "no confidential hardware")
    assert entry["publisher_gate_open"] is True
    registry.revoke(signed)
    assert "by publisher" not in run(registry, "show", signed.name).stdout


def test_show_says_that_nobody_noted_the_publisher(registry: DeployedRegistry) -> None:
    signed = make_record(checks=1 << Check.PUBLISHER_SIGNATURE.bit)
    registry.publish(signed)
    assert "by publisher     SHUT until anybody notes the publisher" in run(registry, "show", signed.name).stdout
    registry.send(registry.contract.functions.notePublisher(registry.encode(signed)), registry.stranger)
    assert "by publisher     open to requireSignedBy" in run(registry, "show", signed.name).stdout
    registry.publish(make_record(manifest_digest=b"\x0a" * 32))
    (bare,) = document(registry, "show", "0a" * 32)["entries"]
    assert bare["publisher_gate_open"] is None, "no signature of a publisher was judged"


def test_show_says_until_when_a_gate_is_open(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    tomorrow = registry.contract.w3.eth.get_block("latest")["timestamp"] + 86400
    registry.revoke(make_record(), effective_from=tomorrow)
    found = run(registry, "show", "example/model")
    assert (found.exit_code, "gate             open until the revocation takes effect, 20" in found.stdout) == (6, True)


def test_show_says_that_a_record_is_held(registry: DeployedRegistry) -> None:
    registry.claim("example", registry.stranger, identities=(b"\x61" * 32,))
    registry.publish(make_record())
    found = run(registry, "show", "example/model")
    assert found.exit_code == 6
    assert "HELD             the record is held" in found.stdout
    assert "gate             SHUT: the record is held" in found.stdout


def test_show_tells_failed_verdicts_apart(registry: DeployedRegistry) -> None:
    registry.publish(make_failure())
    for what in (make_failure().manifest_digest.hex(), record_id(make_failure()).hex()):
        found = run(registry, "show", what, "--history")
        assert found.exit_code == 6
        assert "FAILED           the verdict is FAILED" in found.output
        assert "gate             SHUT: the verdict is FAILED" in found.output
        assert document(registry, "show", what)["accepted"] is False
    assert run(registry, "show", make_failure().name).exit_code == 6


def test_history_is_told_with_the_proof_that_the_name_s_is_complete(shown: DeployedRegistry) -> None:
    found = run(shown, "show", "example/model", "--history")
    assert "published: example/model 1.0, by oracles 0, 2 of set 1" in found.output
    assert "superseded by judgement 2: example/model 1.0, by oracles 1, 2 of set 1" in found.output
    assert "complete: 4 entries" in found.output  # claimed, trusted on first use, twice recorded
    body = document(shown, "show", "example/model", "--history")
    assert [event["event"] for event in body["events"]] == ["published", "superseded"]
    (namespace,) = body["namespaces"]
    assert (namespace["history_entries"], namespace["history_complete"]) == (4, True)
    assert namespace["owner"] == shown.stranger.address
    assert namespace["identities"] == ["06" * 32]
    unclaimed = run(shown, "show", "base/model", "--history")
    assert "claimed by nobody" in unclaimed.output
    assert "weights\\u001b[2J were stolen" in unclaimed.output
    assert document(shown, "show", "base/model", "--history")["namespaces"] == []


def test_publishers_changed_in_the_order_of_the_chain_also_within_a_block(registry: DeployedRegistry) -> None:
    rpc = registry.contract.w3.provider.make_request
    versions = ("1", "2", "3", "4")
    calls = [
        registry.publishing(fresh_record(name="acme/model", version=one, publisher_identity=one.encode() * 32))
        for one in versions
    ]
    rpc("evm_setAutomine", [False])
    try:
        for call in calls:
            call.transact({"from": checksummed(registry.stranger), "gas": 500_000})
        rpc("evm_mine", [])
    finally:
        rpc("evm_setAutomine", [True])
    changes = document(registry, "show", "acme/model", "--history")["publisher_changes"]
    assert [(one["from_version"], one["to_version"]) for one in changes] == list(itertools.pairwise(versions))


def test_an_incomplete_history_is_an_error(shown: DeployedRegistry) -> None:
    silent = telling_logs("NamespaceEntry", lambda logs: logs[:1] + logs[2:], "Namespaces")
    with lying(shown, silent) as (url, _):
        found = run(shown, "show", TUNED.model_digest.hex(), "--history", url=url)
    assert found.exit_code == 4
    assert "history is not complete" in found.stderr


def test_lineage_is_a_tree_that_says_what_is_open(shown: DeployedRegistry) -> None:
    found = run(shown, "show", "example/model", "--lineage")
    assert "lineage of example/model 1.0: 2 recorded ancestors" in found.output
    assert "    base/model 1.0  attested, SHUT: the record was revoked" in found.output
    assert "    sim/model 1.0  attested, SHUT: the hardware was simulated" in found.output
    (lineage,) = document(shown, "show", "example/model", "--lineage")["lineage"]
    assert lineage["manifest_digest"] == TUNED.manifest_digest.hex()
    assert [(one["name"], one["depth"], one["attested"], one["open"]) for one in lineage["ancestors"]] == [
        ("base/model", 1, True, False),
        ("sim/model", 1, True, False),
    ]


def test_nothing_found_ends_with_6(registry: DeployedRegistry) -> None:
    for what in ("nobody/nothing", "77" * 32):
        assert run(registry, "show", what, "--history", "--lineage").exit_code == 6


def test_a_contract_beside_the_registry_is_told_from_it(registry: DeployedRegistry) -> None:
    commands = (("show", "example/model"), ("claim", "acme", "--key-variable", "K"))
    for command, name in itertools.product(commands, ("Namespaces", "Lineage")):
        address = getattr(registry, name.lower()).address
        place = ("--rpc", registry.chain.rpc_url, "--registry", address)
        found = CliRunner().invoke(main, [*command, *place], env={"K": registry.stranger.key.hex()})
        problem = f"the address has no such contract: got the {name} contract, wanted"
        assert (found.exit_code, problem in found.stderr) == (2, True)


def test_records_fit_a_terminal_and_their_digests_stay_whole(shown: DeployedRegistry) -> None:
    words = ("show", "example/model", "--history", "--lineage")
    place = ("--rpc", shown.chain.rpc_url, "--registry", shown.address)
    lines = on_terminal(*words, *place, columns=80).text.splitlines()
    assert lines[0] == "example/model: active, gate open"
    assert [line for line in lines if len(line) > 80] == []
    alone = {line.strip() for line in lines}
    (entry,) = document(shown, *words)["entries"]
    digests = ("release_id", "manifest_digest", "model_digest", "verdict_digest", "policy_digest")
    assert {entry[name] for name in digests} <= alone
    assert {event["transaction"] for event in document(shown, *words)["events"]} <= alone
