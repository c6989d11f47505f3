"""A publisher's desk: a model, evidence for it, and keys and certificates to sign it with, all used by the commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.model import make_tiny_model
from tests.support.model_signatures import SIGNING_KEY, pem_of
from tests.support.publisher_files import write_chain, write_key

BUNDLE = Path("provenance", "model.sig")
KEY = Path("provenance", "publisher-key.pem")


def run(*words: object) -> tuple[int, dict[str, Any]]:
    """Run a command; return its exit code and its JSON document."""
    result = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def failed(*words: object) -> tuple[int, str | None]:
    """Return the exit code of a command and the check that failed."""
    code, document = run(*words)
    return code, document.get("error", {}).get("check")


class PublisherDesk:
    """A publisher's desk: a model, evidence for it, and what each way to sign needs.

    Attributes:
        model: the folder of the model.
        ways: the options of each way to sign.
        check_options: those with which `check` judges the model.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.model = root, root / "model"
        make_tiny_model(self.model)
        key = write_key(root / "acme.key")
        chain = write_chain(root / "chain.pem")
        (root / "acme.pub").write_bytes(pem_of(SIGNING_KEY))
        write_key(root / "other.key", ec.generate_private_key(ec.SECP384R1()))
        self.ways: dict[str, tuple[object, ...]] = {
            "key": ("--sign-key", key),
            "certificate": ("--sign-certificate", key, "--chain", chain),
        }
        self.check_options: tuple[object, ...] = ("--offline", "--policy", "demo")
        self.attest("vm")

    def attest(self, name: str) -> None:
        """Make a VM's key, `NAME.key`, and evidence for it, the folder `NAME`."""
        out = ("--simulator", "genoa", "--out", self.root / name)
        assert run("attest", "--key", self.root / f"{name}.key", *out)[0] == 0

    def pack(
        self, *options: object, vm: str = "vm", model: Path | None = None, name: str = "acme/tiny"
    ) -> tuple[int, dict[str, Any]]:
        """Pack a model in a VM; return exit code and document."""
        evidence = ("--evidence", self.root / vm, "--key", self.root / f"{vm}.key")
        return run("pack", model or self.model, *evidence, "--name", name, "--version", "1.0", *options)

    def check(self, model: Path | None = None) -> tuple[int, str | None]:
        """Judge a release; return the exit code and the check that failed."""
        return failed("check", model or self.model, *self.check_options)

    def copy(self, name: str) -> Path:
        """Copy the model to another folder, and return that."""
        return shutil.copytree(self.model, self.root / name)
