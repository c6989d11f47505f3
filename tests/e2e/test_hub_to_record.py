"""Releases on a hub and in a folder, watched by one oracle at the same time, become records on chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chain_fixtures import EmbeddedChain, deploy_registry
from tests.support.releases import make_release
from tests.support.stand_in_hub import stand_in_hub

pytestmark = pytest.mark.chain
TOKEN = "hf_s3cret"


def test_releases_of_a_hub_and_a_folder_are_recorded(anvil: EmbeddedChain, tmp_path: Path) -> None:
    registry = deploy_registry(anvil)
    folder = tmp_path / "releases"
    make_release(folder / "local")
    for name in ("remote", "flipped"):
        make_release(tmp_path / name)
    model = next(path for path in (tmp_path / "flipped").iterdir() if path.is_file())
    model.write_bytes(bytes(len(model.read_bytes())))
    with stand_in_hub() as hub:
        hub.token = TOKEN
        hub.page_items = 2
        hub.push_folder("acme/remote", tmp_path / "remote")
        hub.push_folder("acme/flipped", tmp_path / "flipped")
        hub.push("acme/plain", {"w.bin": b"weights"})
        hub.private.add("acme/remote")
        environ = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "KEY": registry.oracle.key.hex()}
        options = ["--rpc", anvil.rpc_url, "--registry", registry.address, "--policy", "demo", "--key-variable", "KEY"]
        options += ["--journal", str(tmp_path / "oracle.sqlite"), "--confirmations", "0", "--watch", "scan-only"]
        command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", "watch", str(folder), "hf://acme"]
        run = subprocess.run(
            [*command, *options, "--once", "--json"], env={**os.environ, **environ}, capture_output=True, text=True
        )
        stores = [one for one in hub.asked if one.server == "store"]
    listed = json.loads(run.stdout)["releases"]
    rows = {row["release"]: row for row in listed if not row["release"].startswith("policy ")}
    assert {name: row["state"] for name, row in rows.items()} == {
        "local": "final",
        "acme/remote": "final",
        "acme/flipped": "rejected",
    }, run.stderr
    assert run.returncode == rows["acme/flipped"]["exit_code"] == 4
    assert rows["acme/flipped"]["check"] == "file-digests"
    check = ["check", str(tmp_path / "remote"), "--policy", "demo", *options[:4]]
    assert subprocess.run([*command[:3], *check], capture_output=True).returncode == 0
    assert TOKEN not in run.stderr
    assert stores and not any("authorization" in one.headers for one in stores)
