"""Releases with their publishers' signatures become records of these publishers, in a namespace that trusts one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from tests.support.chain_fixtures import EmbeddedChain, deploy_registry
from tests.support.publisher_desk import BUNDLE, KEY, PublisherDesk, run

pytestmark = pytest.mark.chain

PLACE = "registry.json"


@dataclass(frozen=True)
class Watched:
    """What became of releases.

    Attributes:
        packed, rows: the document of `pack` and the row of `watch` for each.
        later: the rows after the release without a signature was signed.
        folder: the folder with the releases.
        chain: the options that name the chain.
    """

    packed: Mapping[str, dict[str, Any]]
    rows: Mapping[str, dict[str, Any]]
    later: Mapping[str, dict[str, Any]]
    folder: Path
    chain: tuple[object, ...]

    def record(self, name: str) -> dict[str, Any]:
        """Return the record of a release, as `provenance show` prints it."""
        [entry] = run("show", self.packed[name]["manifest_digest"], *self.chain)[1]["entries"]
        assert isinstance(entry, dict)
        return entry


@pytest.fixture(scope="module")
def watched(anvil: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Let an oracle judge one release of each kind. The namespace `acme` trusts the desk's key alone."""
    root = tmp_path_factory.mktemp("signed")
    desk, releases = PublisherDesk(root), root / "releases"
    ways = {
        "by-key": desk.ways["key"],
        "by-certificate": desk.ways["certificate"],
        "by-another-key": ("--sign-key", root / "other.key"),
        "unsigned": (),
        "stripped": desk.ways["key"],
        "late": desk.ways["key"],
        "swapped": desk.ways["key"],
    }
    packed = {}
    for name, options in ways.items():
        desk.attest(name)
        model = shutil.copytree(desk.model, releases / name)
        code, packed[name] = desk.pack(*options, vm=name, model=model, name=f"acme/{name}")
        assert code == 0, packed[name]
    for name in ("stripped", "late"):
        (releases / name / BUNDLE).unlink()
    for path in (BUNDLE, KEY):
        shutil.copy(releases / "by-another-key" / path, releases / "swapped" / path)
    deployed = deploy_registry(anvil)
    contracts = deployed.reader().contracts()
    place = Deployment(
        chain_id=anvil.chain_id, block=deployed.block_number, transaction=deployed.transaction_hash, **contracts
    )
    (root / PLACE).write_bytes(encode_deployment(place))
    chain = ("--rpc", anvil.rpc_url, "--registry", root / PLACE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAYING_KEY", deployed.stranger.key.hex())
        patch.setenv("ORACLE_KEY", deployed.oracle.key.hex())
        line = packed["by-key"]["publisher"]["identity"]
        claimed = run("claim", "acme", *chain, "--key-variable", "PAYING_KEY", "--identity", line)
        assert claimed[0] == 0, claimed
        keys = ("--key-variable", "PAYING_KEY", "--report-key-variable", "ORACLE_KEY")
        journal = ("--journal", root / "oracle.sqlite")
        options = (*journal, "--policy", "demo", *keys, "--confirmations", "0")

        def watch() -> dict[str, dict[str, Any]]:
            rows = run("watch", releases, *chain, *options, "--once")[1]["releases"]
            return {row["release"]: row for row in rows}

        rows = watch()
        assert run("sign", releases / "late", *desk.ways["key"])[0] == 0
        assert run("retry", "late", *journal)[0] == 0  # otherwise the wait of the first try stands
        return Watched(packed, rows, watch(), releases, chain)


@pytest.mark.parametrize("name", ["by-key", "by-certificate", "by-another-key"])
def test_the_record_is_that_of_the_publisher_who_signed(watched: Watched, name: str) -> None:
    assert watched.rows[name]["state"] == "final"
    assert watched.record(name)["publisher_identity"] == watched.packed[name]["publisher"]["digest"]


def test_a_user_confirms_the_record_and_insists_on_the_publisher(watched: Watched) -> None:
    words = ("check", watched.folder / "by-key", "--policy", "demo", *watched.chain, "--identity")
    code, checked = run(*words, watched.packed["by-key"]["publisher"]["identity"])
    assert (code, checked["verdict_reproduced"]) == (0, True)
    assert run(*words, watched.packed["by-another-key"]["publisher"]["identity"])[0] == 5


def test_without_a_signature_the_record_is_that_of_the_workload(watched: Watched) -> None:
    names = ("by-key", "by-certificate", "by-another-key", "unsigned")
    assert len({watched.record(name)["publisher_identity"] for name in names}) == 4


def test_only_the_publisher_whom_the_namespace_trusts_gets_its_name(watched: Watched) -> None:
    names = ("by-key", "by-certificate", "by-another-key", "unsigned")
    held = {name: (watched.record(name)["named"], watched.record(name)["held"]) for name in names}
    assert held == {name: (name == "by-key", name != "by-key") for name in names}


def test_a_release_that_is_signed_later_is_recorded_then(watched: Watched) -> None:
    assert (watched.rows["late"]["state"], watched.later["late"]["state"]) == ("seen", "final")
    assert watched.record("late")["publisher_identity"] == watched.packed["late"]["publisher"]["digest"]
    assert watched.later["stripped"]["state"] == "seen"


def test_a_release_without_its_signature_waits_and_one_with_anothers_is_rejected(watched: Watched) -> None:
    stripped, swapped = watched.rows["stripped"], watched.rows["swapped"]
    assert (swapped["state"], swapped["exit_code"], swapped["check"]) == ("rejected", 5, "publisher-identity")
    assert (stripped["state"], stripped["check"]) == ("seen", "publisher-signature")
    for name in ("stripped", "swapped"):
        assert run("show", watched.packed[name]["manifest_digest"], *watched.chain)[0] == 6
