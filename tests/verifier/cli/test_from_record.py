"""Tests of `provenance check --from-record` on a chain: the answer, its reasons, and how each failure ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.judgement.release import CRL_PATH
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.record.proof_file import proof_json
from tests.support.batches import sealing
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, checksummed, make_record
from tests.support.kept_verdicts import DEMO, STRANGER, keep_judgement, raised_floor
from tests.support.live_releases import lay_out
from tests.support.whole_releases import FILES

pytestmark = pytest.mark.chain

LATER = JUDGED_AT + timedelta(days=700)  # the list in the release has expired by then
SOON = JUDGED_AT + timedelta(days=9)


class Recorded:
    """A release whose record is on chain, and the place with what the oracle kept."""

    def __init__(self, registry: DeployedRegistry, folder: Path) -> None:
        self.registry, self.place = registry, folder / "verdicts"
        lay_out(folder / "release", FILES, table=False, at=JUDGED_AT)
        self.kept = keep_judgement(folder / "release", DEMO, JUDGED_AT)
        self.kept.signer = EnvironmentSigner("KEY", {"KEY": registry.oracle.key.hex()})

    @property
    def record(self) -> Record:
        return replace(self.kept.judgement.record, verdict_digest=self.kept.digest)

    def publish(self) -> None:
        self.registry.publish(self.record)
        self.kept.write(self.place)

    def check(self, *options: object, digest: str = "", evidence: object = None) -> Result:
        place = ("--rpc", self.registry.chain.rpc_url, "--registry", self.registry.address)
        words = ("check", "--from-record", digest or self.record.manifest_digest.hex())
        kept = ("--evidence", self.place if evidence is None else evidence)
        given = options if "--policy" in options else (*options, "--policy", "demo")
        result = CliRunner().invoke(main, [str(one) for one in (*words, *kept, *place, *given)])
        assert "Traceback" not in result.output
        assert "internal error" not in result.output
        return result

    def document(self, *options: object, **others: Any) -> tuple[int, Any]:
        result = self.check(*options, "--json", **others)
        return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def recorded(registry: DeployedRegistry, tmp_path: Path) -> Recorded:
    found = Recorded(registry, tmp_path)
    found.publish()
    return found


def changed(document: Any) -> list[tuple[str, str, str]]:
    changes = document["from_record"]["changes"]
    return [(one["check"], one["then"]["outcome"], one["now"]["outcome"]) for one in changes if one["is_decisive"]]


def test_a_record_is_judged_again_without_the_model(recorded: Recorded) -> None:
    found = recorded.check("--at", JUDGED_AT.isoformat())
    assert found.exit_code == 0
    for line in (
        "accepted: org/model 1.0, judged again from its record",
        f"                 signed by {checksummed(recorded.registry.oracle)}",
        "recorded         demo of",
        "repeated         the same verdict bit for bit",
        "today            demo of",
        "files            not repeated: they were not given (name the release's folder to hash them)",
        "changed          no outcome",
    ):
        assert line in found.output
    code, document = recorded.document("--at", JUDGED_AT.isoformat())
    assert (code, document["schema"], document["accepted"]) == (0, "provenance-oracle/check/v2", True)
    assert (document["model_digest"], document["verdict_digest"]) == (None, None)
    assert document["not_checked"] == sorted(FILES)
    told = document["from_record"]
    assert told["verdict"]["digest"] == recorded.kept.digest.hex() == told["record"]["verdict_digest"]
    assert told["verdict"]["signed_by"] == [recorded.registry.oracle.address.lower()]
    assert told["repeated"] == {"bit_for_bit": True, "grade": 0, "wording": []}
    assert (told["today"]["accepted"], changed(document)) == (True, [])
    outcomes = {one["check"]: one["outcome"] for one in document["findings"]}
    assert (outcomes["registry-record"], outcomes["file-digests"]) == ("passed", "not-checked")


def test_the_files_of_a_release_are_hashed_if_it_is_given(recorded: Recorded) -> None:
    code, document = recorded.document(recorded.kept.folder, "--at", JUDGED_AT.isoformat())
    assert (code, document["model_digest"]) == (0, recorded.record.model_digest.hex())
    assert document["verdict_reproduced"]
    (recorded.kept.folder / "config.json").write_bytes(b"[]\n")
    code, document = recorded.document(recorded.kept.folder, "--at", JUDGED_AT.isoformat())
    assert (code, changed(document)) == (4, [("file-digests", "passed", "failed")])


@pytest.mark.parametrize("name", ["model", "name"])
def test_a_model_or_a_name_leads_to_the_record_too(recorded: Recorded, name: str) -> None:
    digest = {"model": recorded.record.model_digest.hex(), "name": recorded.record.name}[name]
    assert recorded.check("--at", JUDGED_AT.isoformat(), digest=digest).exit_code == 0


def test_a_policy_that_asks_for_more_refuses_today_and_says_which_check_changed(
    recorded: Recorded, tmp_path: Path
) -> None:
    (tmp_path / "raised.yaml").write_bytes(raised_floor().page)
    options = ("--policy", tmp_path / "raised.yaml", "--at", JUDGED_AT.isoformat())
    found = recorded.check(*options)
    assert found.exit_code == 5
    assert "changed          tcb-floor: passed, now failed" in found.output
    assert "255" in found.output
    code, document = recorded.document(*options)
    assert (code, changed(document)) == (5, [("tcb-floor", "passed", "failed")])
    assert (document["accepted"], document["error"]["class"]) == (False, "AppraisalError")
    assert document["from_record"]["today"]["policy"]["name"] == "raised"


def test_a_list_that_expired_is_told_and_tried_again_later(recorded: Recorded) -> None:
    code, document = recorded.document("--at", LATER.isoformat())
    assert (code, changed(document)) == (7, [("vek-revocation", "passed", "not-checked")])
    assert "--crl FILE" in document["error"]["message"]


def test_what_the_user_insists_on_is_compared(recorded: Recorded) -> None:
    assert recorded.check("--at", JUDGED_AT.isoformat(), "--name", "org/model@1.0").exit_code == 0
    assert recorded.check("--at", JUDGED_AT.isoformat(), "--name", "org/other").exit_code == 5


def test_a_revoked_record_is_judged_again_and_ends_with_exit_code_6(recorded: Recorded) -> None:
    recorded.registry.revoke(recorded.record)
    code, document = recorded.document("--at", JUDGED_AT.isoformat())
    assert (code, document["error"]["class"]) == (6, "RecordError")
    assert document["from_record"]["repeated"]["bit_for_bit"]


def test_no_record_and_no_evidence_end_with_exit_code_6(recorded: Recorded, tmp_path: Path) -> None:
    assert recorded.check(digest="00" * 32).exit_code == 6
    (tmp_path / "empty").mkdir()
    assert recorded.check(evidence=tmp_path / "empty").exit_code == 6


def _flip(suffix: str) -> Callable[[Recorded], object]:
    def flip(recorded: Recorded) -> None:
        (file,) = (path for path in recorded.place.rglob(f"*{suffix}") if path.name.count(".") == suffix.count("."))
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

    return flip


def _without_a_file(recorded: Recorded) -> None:
    del recorded.kept.files[CRL_PATH]
    recorded.kept.write(recorded.place)


def _with_a_file(recorded: Recorded) -> None:
    recorded.kept.files["more"] = b""
    recorded.kept.write(recorded.place)


def _signed_by_another(recorded: Recorded) -> None:
    recorded.kept.signer = STRANGER
    recorded.kept.write(recorded.place)


def _too_large(recorded: Recorded) -> None:
    (file,) = recorded.place.rglob("*.evidence.tar")
    with file.open("r+b") as archive:
        archive.truncate(1 << 40)


FAULTS: dict[str, tuple[Callable[[Recorded], object], int]] = {
    "a byte of the verdict": (_flip(".json"), 4),
    "a byte of the envelope": (_flip(".dsse.json"), 4),
    "another key": (_signed_by_another, 4),
    "an input is missing": (_without_a_file, 4),
    "an input too many": (_with_a_file, 4),
    "an oversized archive": (_too_large, 3),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_altered_has_the_right_exit_code(recorded: Recorded, fault: str) -> None:
    spoil, wanted = FAULTS[fault]
    spoil(recorded)
    code, document = recorded.document("--at", JUDGED_AT.isoformat())
    assert (code, document["error"]["check"]) == (wanted, "registry-record")


def test_a_false_verdict_that_an_oracle_recorded_is_forged(registry: DeployedRegistry, tmp_path: Path) -> None:
    liar = Recorded(registry, tmp_path)
    liar.kept.restate(lambda one: one["predicate"]["verifiedLevels"].append("PROVENANCE_ORACLE_LINEAGE"))
    liar.publish()
    assert liar.check("--at", JUDGED_AT.isoformat()).exit_code == 4


@pytest.mark.parametrize(
    "words",
    [
        ("--evidence", "x", "release"),
        ("--from-record", "00" * 32),
        ("--from-record", "00" * 32, "--evidence", "x", "--offline"),
        ("--from-record", "00" * 32, "--evidence", "file:///etc/passwd"),
        ("--from-record", "00" * 32, "--evidence", "x", "release", "file"),
        (),
    ],
)
def test_options_that_contradict_each_other_are_usage_errors(
    registry: DeployedRegistry, words: tuple[str, ...]
) -> None:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address)
    result = CliRunner().invoke(main, ["check", *words, *place, "--json"])
    assert (result.exit_code, json.loads(result.stdout)["error"]["exit_code"]) == (2, 2)


def test_several_records_of_one_model_must_be_told_apart(recorded: Recorded, registry: DeployedRegistry) -> None:
    other = replace(recorded.record, manifest_digest=b"m" * 32, snp_report_digest=b"r" * 32, name="org/copy")
    registry.publish(other)
    code, document = recorded.document(digest=recorded.record.model_digest.hex())
    assert (code, recorded.record.manifest_digest.hex() in document["error"]["got"]) == (2, True)


def test_a_record_in_a_batch_is_judged_again_with_its_proof(registry: DeployedRegistry, tmp_path: Path) -> None:
    found = Recorded(registry, tmp_path)
    encoded, _, call = sealing(registry, [found.record, make_record(name="other/model")], (0,))
    registry.send(call, registry.stranger)
    found.kept.write(found.place)
    leaves = leaves_of(encoded)
    (tmp_path / "proof.json").write_text(json.dumps(proof_json(leaves, leaves.leaves[0])))
    assert found.check("--at", JUDGED_AT.isoformat()).exit_code == 6
    code, document = found.document("--at", JUDGED_AT.isoformat(), "--proof", tmp_path / "proof.json")
    assert (code, document["record"]["batch"]["leaf"]) == (0, 0)
    assert document["from_record"]["repeated"]["bit_for_bit"]


def test_all_checks_that_differ_in_any_way_are_listed_on_demand(recorded: Recorded) -> None:
    later = recorded.check("--at", SOON.isoformat(), "-v").output
    assert "changed          vek-validity: passed, in other words" in later
    assert "changed          vek-validity" not in recorded.check("--at", SOON.isoformat()).output
