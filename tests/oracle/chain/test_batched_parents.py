"""A record whose parent is only in a batch waits until somebody writes the parent out."""

from __future__ import annotations

import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import NamedParent
from provenance_oracle.verifier.record.leaves import leaves_json
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.fake_nodes import QuietHandler, serving
from tests.support.published import Published
from tests.support.world import fresh_record

pytestmark = pytest.mark.chain


def test_a_child_waits_for_a_parent_that_only_a_batch_has(registry: DeployedRegistry, tmp_path: Path) -> None:
    world = Published(registry, tmp_path)
    try:
        parent, other = fresh_record(model_digest=b"\x51" * 32), fresh_record()
        root = world.publish_batch([other, parent]).root or b""
        child = fresh_record(named_parents=(NamedParent(parent.model_digest, parent.manifest_digest),))
        row_id = world.row(child)
        waiting = world.looking().publish(row_id, child)
        assert (waiting.state, waiting.is_alone) == (State.JUDGED, True)
        assert f"manifest {parent.manifest_digest.hex()}, which is recorded only in batch {root.hex()}" in waiting.note
        assert "write it out with `materialise` and the output of `provenance proof`" in waiting.note
        # as docs/operating.md says
        arguments = ["proof", parent.manifest_digest.hex(), "--journal", str(world.path)]
        materialise(registry, CliRunner().invoke(main, arguments).stdout)
        world.finish(row_id, child)
        entry = registry.reader().entry_of(child.model_digest, child.manifest_digest)
        assert entry.parents == (record_id(parent),)
    finally:
        world.journal.close()


def materialise(registry: DeployedRegistry, proof_document: str) -> None:
    """Write a record out of its batch, with the output of `provenance proof`."""
    printed = json.loads(proof_document)
    words = printed["proof"]
    proof = (words["contentDigest"], int(words["summary"], 16), words["siblings"])
    call = registry.contract.functions.materialise(bytes.fromhex(printed["record"]), proof)
    registry.send(call, registry.stranger)


def test_a_child_waits_for_a_parent_in_a_batch_of_another_oracle(registry: DeployedRegistry, tmp_path: Path) -> None:
    documents: dict[str, bytes] = {}

    class Handler(QuietHandler):
        def do_GET(self: BaseHTTPRequestHandler) -> None:
            body = documents.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serving(Handler) as url:
        one, two = Published(registry, tmp_path / "one", f"{url}/"), Published(registry, tmp_path / "two")
        try:
            parent, other = fresh_record(model_digest=b"\x51" * 32), fresh_record()
            root = (one.publish_batch([other, parent]).root or b"").hex()
            child = fresh_record(named_parents=(NamedParent(parent.model_digest, parent.manifest_digest),))
            row_id = two.row(child)
            unknown = two.looking().publish(row_id, child)
            assert (unknown.state, unknown.is_alone) == (State.JUDGED, True)
            assert "the records of" in unknown.note, (
                "this batch, and those of other tests, at addresses that nobody has"
            )
            documents[f"/{root}.json"] = leaves_json(*find_leaves(str(one.path), root=bytes.fromhex(root)))
            two.now += timedelta(seconds=61)
            waiting = two.looking().publish(row_id, child)
            assert f"recorded only in batch {root} of another oracle" in waiting.note
            assert f"`provenance proof --leaves` with {url}/{root}.json" in waiting.note
            # as docs/operating.md says
            (tmp_path / "leaves.json").write_bytes(documents[f"/{root}.json"])
            arguments = ["proof", parent.manifest_digest.hex(), "--leaves", str(tmp_path / "leaves.json")]
            materialise(registry, CliRunner().invoke(main, arguments).stdout)
            two.finish(row_id, child)
            entry = registry.reader().entry_of(child.model_digest, child.manifest_digest)
            assert entry.parents == (record_id(parent),)
        finally:
            one.journal.close()
            two.journal.close()
