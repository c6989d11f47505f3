"""A registry with releases of every kind, made by the commands that publishers, oracles and guardians type."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.deploy_proofs import deploy_proofs
from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.in_memory import InMemorySigner
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from provenance_oracle.verifier.registry.node import open_node
from tests.explorer.nasty import nasty_release, publish_nasty
from tests.support.chain_fixtures import DeployedRegistry, checksummed, make_failure
from tests.support.policy_pages import POLICIES
from tests.support.publisher_desk import PublisherDesk, run
from tests.support.signed_releases import lay_out_signed_only

_JOURNAL, _POLICY, _DEPLOYMENT = "oracle.sqlite", "stand.yaml", "registry.json"
NAMESPACE, SIGNED_NAMESPACE = "acme", "signers"
REASON = '"><img src=x onerror=alert(1)>'  # of the revocation, which everybody can read


@dataclass(frozen=True)
class Stand:
    """A registry, an oracle's folder, and the releases that it recorded.

    Attributes:
        root: the folder with `releases`, the oracle's journal and its kept verdicts and evidence.
        registry: the contract and the accounts around it.
        nasty: records whose names are nasty strings.
        entries: for each release, by the name of its folder, the record as `provenance show --json` prints it.
    """

    root: Path
    registry: DeployedRegistry
    nasty: tuple[Record, ...]
    entries: Mapping[str, dict[str, Any]]

    @property
    def journal(self) -> Path:
        """The oracle's journal."""
        return self.root / _JOURNAL

    @property
    def policy(self) -> Path:
        """The oracle's policy, which is none of those that are shipped."""
        return self.root / _POLICY

    @property
    def deployment(self) -> Path:
        """The file that names registry and chain."""
        return self.root / _DEPLOYMENT

    def release(self, name: str) -> Path:
        """Return the folder of a release."""
        return self.root / "releases" / name


def make_stand(registry: DeployedRegistry, root: Path, *, with_nasty: bool = True) -> Stand:
    """Make releases, have an oracle record them, and revoke one and state the parent of another.

    The registry needs two oracles, of which the first is enough. Nasty records come first, if there are any.
    """
    nasty = publish_nasty(registry) if with_nasty else ()
    maker = _Maker(registry, root)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("stranger", "oracle", "guardian"):
            patch.setenv(f"STAND_{name.upper()}", getattr(registry, name).key.hex())
        maker.make_all()
    return Stand(root, registry, nasty, maker.entries)


def deploy_simulator(registry: DeployedRegistry, file: Path) -> None:
    """Put the contracts for proofs beside a registry, with the simulator's keys, and write the deployment file."""
    node, payer, contracts = open_node(registry.chain.rpc_url), registry.stranger, registry.reader().contracts()
    signer, keeper = InMemorySigner(Secret(payer.key), "stranger"), checksummed(registry.guardian)
    proofs = deploy_proofs(node, signer, contracts["registry"], keeper=keeper, keys="simulator")
    chain_id, block, transaction = registry.chain.chain_id, registry.block_number, registry.transaction_hash
    place = Deployment(chain_id=chain_id, block=block, transaction=transaction, proofs=proofs, **contracts)
    file.write_bytes(encode_deployment(place))


class _Maker:
    """Makes the releases of a stand, group after group: an oracle takes no release before its parents."""

    def __init__(self, registry: DeployedRegistry, root: Path) -> None:
        self._registry, self._root, self._releases = registry, root, root / "releases"
        self._desk = PublisherDesk(root)
        self.entries: dict[str, dict[str, Any]] = {}
        self._named = {
            "signed": f"{SIGNED_NAMESPACE}/signed",
            "nasty": "nasty/release",
        }  # what leads to the record of each folder
        self._chain = ("--rpc", registry.chain.rpc_url, "--registry", root / _DEPLOYMENT)
        deploy_simulator(registry, root / _DEPLOYMENT)
        page = (POLICIES / "demo.yaml").read_text().replace("name: demo", "name: stand", 1)
        (root / _POLICY).write_text(page.replace("graded: false", "graded: false\nsigned_releases: accepted", 1))

    def make_all(self) -> None:
        by_key, by_certificate = self._desk.ways["key"], self._desk.ways["certificate"]
        self._call("claim", NAMESPACE, "--key-variable", "STAND_STRANGER", "--identity-limit", 2)
        self._pack("base", f"{NAMESPACE}/base", *by_key)
        lay_out_signed_only(self._releases / "signed")
        nasty_release(self._releases / "nasty")
        self._watch("--signed-namespace", SIGNED_NAMESPACE)
        base = f"{NAMESPACE}/base=@{self._releases / 'base'}"
        self._pack("first", f"{NAMESPACE}/tiny", *by_key, "--base-model", base)
        self._pack("tuned", f"{NAMESPACE}/tuned", *by_key, change=_rewrite)
        self._pack("revoked", f"{NAMESPACE}/withdrawn", *by_key, change=_rewrite_again)
        self._watch()
        first = f"{NAMESPACE}/tiny=@{self._releases / 'first'}"
        data = f"data.jsonl=@{self._releases / 'base' / 'config.json'}"
        changed = (*by_certificate, "--base-model", first, "--dataset", data)
        self._pack("second", f"{NAMESPACE}/tiny", *changed, version="2.0", line="milan", change=_rewrite)
        self._watch()
        self._pack("held", f"{NAMESPACE}/tiny", "--sign-key", self._root / "other.key", version="3.0")
        for name in ("one", "two"):
            self._pack(name, f"lab/{name}", change=lambda folder, name=name: (folder / "id").write_text(name))
        self._watch("--batch-uri", "https://oracle.example/batches/", "--batch-after-seconds", 0)
        failed = make_failure(name="lab/failed")
        self._registry.publish(failed, signers=(0, 1))
        self.entries["failed"] = self._show(failed.manifest_digest.hex())
        self._call(
            "revoke", self.entries["revoked"]["model_digest"], "--reason", REASON, "--key-variable", "STAND_GUARDIAN"
        )
        self._state_parent("tuned", "base")
        proving = ("--policy", self._root / _POLICY, "--key-variable", "STAND_STRANGER")
        self._call("prove", self._releases / "second", *proving)
        for name, entry in self.entries.items():
            self.entries[name] = self._show(entry["manifest_digest"])

    def _pack(
        self,
        folder: str,
        name: str,
        *options: object,
        version: str = "1.0",
        line: str = "genoa",
        change: Callable[[Path], object] = lambda _folder: None,
    ) -> None:
        model, key, evidence = self._releases / folder, self._root / f"{folder}.key", self._root / f"{folder}.evidence"
        shutil.copytree(self._desk.model, model)
        change(model)
        _done("attest", "--key", key, "--new-key", "--simulator", line, "--out", evidence)
        named = ("--name", name, "--version", version)
        packed = _done("pack", model, "--evidence", evidence, "--key", key, *named, *options)
        self._named[folder] = packed["manifest_digest"]

    def _watch(self, *options: object) -> None:
        """Run the oracle over all releases until those that it accepts are final, and note their records."""
        keys = ("--key-variable", "STAND_STRANGER", "--report-key-variable", "STAND_ORACLE")
        judging = ("--policy", self._root / _POLICY, "--judge-processes", 1, "--watch", "scan-only")
        chain = ("--confirmations", 0, "--settle-seconds", 1)
        journal = ("--journal", self._root / _JOURNAL)
        rows = self._call("watch", self._releases, *journal, *keys, *judging, *chain, *options, "--once")["releases"]
        for row in rows:
            if not row["release"].startswith("policy "):
                assert row["state"] == "final", row
                self.entries[row["release"]] = self._show(self._named[row["release"]])

    def _show(self, what: str) -> dict[str, Any]:
        code, document = run("show", what, *self._chain)
        if code == RecordError.exit_code and "entries" not in document:  # it may be in a batch
            proof = self._root / f"{what}.proof"
            proof.write_text(json.dumps(_done("proof", what, "--journal", self._root / _JOURNAL)))
            code, document = run("show", what, "--proof", proof, *self._chain)
        assert code in (0, RecordError.exit_code), document  # the latter: it is held, revoked or failed
        [entry] = document["entries"]
        assert isinstance(entry, dict)
        return entry

    def _state_parent(self, child: str, parent: str) -> None:
        """State a parent, as the owner of the namespace does for a release whose manifest names none."""
        ids = [bytes.fromhex(self.entries[name]["record_id"]) for name in (child, parent)]
        release = keccak256(
            f"{self.entries[child]['name'].partition('/')[2]}@{self.entries[child]['version']}".encode()
        )
        lineage = self._registry.lineage.functions
        self._registry.send(lineage.stateParent(namespace_id(NAMESPACE), release, *ids), self._registry.stranger)

    def _call(self, command: str, *words: object) -> dict[str, Any]:
        return _done(command, *words, *self._chain)


def _done(*words: object) -> dict[str, Any]:
    code, document = run(*words)
    assert code == 0, document
    return document


def _rewrite(folder: Path) -> None:
    """Change the files of a model: one is other, one new, one gone."""
    (folder / "config.json").write_text('{"architectures": ["TinyModel"], "hidden_size": 33}\n')
    (folder / "tokenizer.json").write_text("{}\n")
    (folder / "README.md").unlink()


def _rewrite_again(folder: Path) -> None:
    (folder / "config.json").write_text("{}\n")
