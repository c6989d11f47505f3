"""The adapter answers the command line of the conformance suite, with bundles of every signer's version and its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.model_signatures import FILES, SIGNING_KEY, pem_of, write_files
from tests.support.publisher_files import write_chain, write_key
from tests.support.signing_chains import CA, LEAF, ROOT, certified
from tests.support.vector_folders import folder_of
from tests.verifier.identity.test_vectors import BUNDLE, FAULTS, MODELS, ONE_FILE

pytestmark = pytest.mark.slow

ADAPTER = Path(__file__).parents[2] / "support" / "conformance_adapter.py"
# Bundles of `oms-faults` that the suite's own cases resemble, and two that must pass.
SOME = ("0-good-key", "0-good-certificate", "b1-expired-leaf", "b11-wrong-anchor", "l-extra-file", "w-tampered")


def answer(command: str, method: str, model: Path, *words: object) -> int:
    """Run the adapter as the suite does, in another folder, and return the exit code."""
    arguments = [command, "--method", method, "--model-path", model, *words]
    found = subprocess.run(
        [sys.executable, ADAPTER, *map(str, arguments)],
        cwd=model.parent,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
        check=False,
    )
    assert "Traceback" not in found.stderr, found.stderr
    assert "internal error" not in found.stderr, found.stderr
    return found.returncode


def verify(folder: Path, method: str, *words: object, model: str = "model") -> int:
    given = {"key": ("--public-key", folder / "key.pub"), "certificate": ("--cert-chain", folder / "ca.pem")}
    return answer("verify-model", method, folder / model, "--bundle", folder / BUNDLE, *given.get(method, ()), *words)


@pytest.mark.parametrize("name", MODELS)
def test_models_of_every_signer_s_version_verify(vectors: Path, name: str) -> None:
    folder = folder_of(vectors, "oms") / name
    words: list[object] = []
    if MODELS[name]:
        _, issuer, person = MODELS[name].split(" ")
        words += ["--identity", person.removeprefix("email:"), "--identity-provider", issuer]
    if (folder / "model" / "ignore-me").exists():
        words += ["--ignore-paths", folder / "model" / "ignore-me"]
    model = "model/signme-1" if name in ONE_FILE else "model"
    assert verify(folder, name.rpartition("-")[2], *words, model=model) == 0


@pytest.mark.parametrize("name", SOME)
def test_faults_end_as_their_list_says(vectors: Path, name: str) -> None:
    folder = folder_of(vectors, "oms-faults") / name
    method = "certificate" if (folder / "ca.pem").exists() else "key"
    assert verify(folder, method) == FAULTS[name]


def test_files_that_nobody_signed_are_tolerated_only_on_request(vectors: Path) -> None:
    folder = folder_of(vectors, "oms-faults") / "l-extra-file"
    method = "certificate" if (folder / "ca.pem").exists() else "key"
    assert verify(folder, method, "--ignore-unsigned-files") == 0


@pytest.mark.parametrize("method", ["key", "certificate"])
def test_what_the_adapter_signs_it_verifies(tmp_path: Path, method: str) -> None:
    model, bundle = tmp_path / "model", tmp_path / "model" / "model.sig"
    write_files(model, FILES | {".github/ci.yml": b"on: push", "notes [1].txt": b"mine"})
    key = write_key(tmp_path / "key.pem")
    leaf, *authorities = certified(LEAF, CA, ROOT)
    leaf_path, chain = write_chain(tmp_path / "leaf.pem", [leaf]), write_chain(tmp_path / "ca.pem", authorities)
    (tmp_path / "key.pub").write_bytes(pem_of(SIGNING_KEY))
    left_out = ("--ignore-paths", model / "notes [1].txt")
    words: tuple[object, ...] = ("--private-key", key, "--output-bundle", bundle, *left_out)
    if method == "certificate":
        words += ("--signing-cert", leaf_path, "--cert-chain", chain)
    assert answer("sign-model", method, model, *words) == 0
    bundle.rename(tmp_path / BUNDLE)
    assert verify(tmp_path, method, *left_out) == 0
    assert verify(tmp_path, method) == 5  # the file that was left out is there
    (model / "config.json").write_bytes(b"other")
    assert verify(tmp_path, method, *left_out) == 4


def test_a_model_without_files_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    words = ("--private-key", write_key(tmp_path / "key.pem"), "--output-bundle", tmp_path / BUNDLE)
    assert answer("sign-model", "key", tmp_path / "model", *words) == 2
    assert not (tmp_path / BUNDLE).exists()
