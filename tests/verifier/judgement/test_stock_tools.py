"""Tests with in-toto's own package: a verdict is a valid statement, and its predicate a SLSA verification summary."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION, make_failed_verdict
from provenance_oracle.verifier.policy import load_policy
from tests.support.whole_releases import AT, lay_out

# The members of the predicate in https://slsa.dev/spec/v1.2/verification_summary, and those that it requires.
REQUIRED = {"verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"}
MEMBERS = {*REQUIRED, "inputAttestations", "dependencyLevels", "slsaVersion"}
# The packages have no annotations of types.
JSON: Any = import_module("google.protobuf.json_format")
STATEMENT: Any = import_module("in_toto_attestation.v1.statement").Statement
RESOURCE: Any = import_module("in_toto_attestation.v1.resource_descriptor").ResourceDescriptor
STATEMENT_MESSAGE: Any = import_module("in_toto_attestation.v1.statement_pb2").Statement
RESOURCE_MESSAGE: Any = import_module("in_toto_attestation.v1.resource_descriptor_pb2").ResourceDescriptor


@pytest.fixture(scope="module", params=["PASSED", "FAILED"])
def verdict(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a verdict of each kind as text."""
    policy = load_policy("demo")
    release = read_release(lay_out(tmp_path_factory.mktemp("releases") / "release"))
    if request.param == "PASSED":
        return judge(release, policy, at=AT).verdict.statement.decode()
    refusal = VerificationError("forged")
    return make_failed_verdict(release.envelope, release, policy, AT, refusal).statement.decode()


def test_it_is_a_statement_that_in_toto_reads_whole(verdict: str) -> None:
    message = JSON.Parse(verdict, STATEMENT_MESSAGE())
    STATEMENT.copy_from_pb(message).validate()
    assert JSON.MessageToDict(message) == json.loads(verdict)


def test_it_is_no_statement_without_its_subject(verdict: str) -> None:
    other = json.loads(verdict)
    other["subject"][0]["digest"] = {}
    with pytest.raises(ValueError, match="digest"):
        STATEMENT.copy_from_pb(JSON.ParseDict(other, STATEMENT_MESSAGE())).validate()
    with pytest.raises(JSON.ParseError):
        JSON.ParseDict(other | {"unknown": 1}, STATEMENT_MESSAGE())


def test_policy_and_inputs_are_resource_descriptors(verdict: str) -> None:
    predicate = json.loads(verdict)["predicate"]
    for resource in (predicate["policy"], *predicate["inputAttestations"]):
        message = JSON.ParseDict(resource, RESOURCE_MESSAGE())
        RESOURCE.copy_from_pb(message).validate()
        assert JSON.MessageToDict(message) == resource


def test_the_predicate_has_the_members_of_a_verification_summary(verdict: str) -> None:
    statement = json.loads(verdict)
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert set(statement["predicate"]) >= REQUIRED
    assert set(statement["predicate"]) - MEMBERS == {EXTENSION}, "a name that is a URI, as in-toto asks of extensions"
