"""Tests of `provenance adopt`: a release recorded before the claim gets its name, and readers find it by that name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.registry.events import Admission, Publication
from tests.support.chain_fixtures import DeployedRegistry, make_record

pytestmark = pytest.mark.chain

EARLIER = make_record(name="acme/model")


@pytest.fixture
def claimed(registry: DeployedRegistry) -> DeployedRegistry:
    """Return a registry with a release in a namespace that its publisher's account claimed later."""
    parent = make_record(name="base/model", model_digest=b"\x21" * 32, manifest_digest=b"\x22" * 32)
    registry.publish(parent)
    registry.publish(EARLIER, parents=(registry.reader().entry(parent.manifest_digest).record_id,))
    registry.pass_time(2)
    registry.claim("acme", registry.stranger, (EARLIER.publisher_identity,))
    return registry


def adopt(registry: DeployedRegistry, digest: str, key: str = "STRANGER") -> tuple[int, Any]:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address, "--key-variable", key)
    environment = {name: getattr(registry, name.lower()).key.hex() for name in ("GUARDIAN", "STRANGER")}
    result = CliRunner().invoke(main, ["adopt", digest, *place, "--json"], env=environment)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def test_its_name_leads_to_it_from_then_on(claimed: DeployedRegistry) -> None:
    reader = claimed.reader()
    assert reader.entries_of_name("acme/model") == ()
    exit_code, document = adopt(claimed, "0x" + EARLIER.manifest_digest.hex())
    assert exit_code == 0
    assert (document["name"], document["version"]) == ("acme/model", "1.0")
    (entry,) = reader.entries_of_name("acme/model@1.0")
    assert entry.standing.named
    published, adopted = reader.history(entry)
    assert isinstance(published, Publication)
    assert isinstance(adopted, Admission)
    assert adopted.is_adoption
    assert adopted.place.transaction_hash.hex() == document["transaction"][2:]


def test_a_release_that_was_judged_again_is_adopted_by_its_first_judgement(claimed: DeployedRegistry) -> None:
    claimed.publish(make_record(name="acme/model", revision=1))
    assert adopt(claimed, EARLIER.manifest_digest.hex())[0] == 0
    (entry,) = claimed.reader().entries_of_name("acme/model")
    assert (entry.revision, entry.standing.named) == (1, True)


def test_what_cannot_be_adopted_says_why(claimed: DeployedRegistry) -> None:
    exit_code, document = adopt(claimed, EARLIER.manifest_digest.hex(), key="GUARDIAN")
    assert (exit_code, document["error"]["got"].partition("(")[0]) == (2, "NotNamespaceOwner")
    assert adopt(claimed, "12" * 32)[0] == 6
    assert adopt(claimed, "acme/model")[1]["error"]["wanted"] == "64 hex digits"
    assert adopt(claimed, EARLIER.manifest_digest.hex())[0] == 0
    exit_code, document = adopt(claimed, EARLIER.manifest_digest.hex())
    assert (exit_code, document["error"]["wanted"]) == (2, "one recorded before the claim")
