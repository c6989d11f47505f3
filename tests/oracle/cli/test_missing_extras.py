"""A package that is not installed is named with the extra that brings it, and never blamed on the user's input."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance_oracle.verifier.errors import UsageError, naming_extras

ROOT = Path(__file__).parents[3]
# Runs the code after it with these packages missing.
_WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""
_COMMAND = "from provenance_oracle.oracle.cli.main import main; main(sys.argv[1:])"


def run(missing: set[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _WITHOUT.format(missing=missing) + _COMMAND, *arguments]
    environment = {**os.environ, "KEY": "01" * 32}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("package", ["eth_account", "web3", "eth_utils"])
def test_a_keystore_is_not_blamed_for_a_missing_package(package: str, tmp_path: Path) -> None:
    for name, text in (("ks", json.dumps({"version": 3})), ("pw", "secret")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    keys = (("--keystore", str(tmp_path / "ks"), "--password-file", str(tmp_path / "pw")), ("--key-variable", "KEY"))
    for key in keys if package == "eth_account" else keys[1:]:
        done = run({package}, "deploy", "--rpc", "http://127.0.0.1:1", *key)
        assert done.returncode == 2, done.stderr
        assert "pip install 'provenance-oracle[chain]'" in done.stderr
        assert "password" not in done.stderr


def test_an_address_is_not_blamed_either() -> None:
    done = run({"eth_utils"}, "show", "org/x", "--rpc", "http://127.0.0.1:1", "--registry", "0x" + "11" * 20)
    assert done.returncode == 2, done.stderr
    assert "[chain]" in done.stderr


def test_a_package_of_no_extra_stays_a_bug() -> None:
    with pytest.raises(ModuleNotFoundError), naming_extras():
        raise ModuleNotFoundError("no", name="cryptography")
    with pytest.raises(UsageError, match=r"\[torch\]"), naming_extras():
        raise ModuleNotFoundError("no", name="torch.nn")


def test_no_import_stands_in_a_broad_except() -> None:
    broad = {"Exception", "BaseException"}
    found = []
    for path in (path for folder in ("verifier", "publisher", "oracle") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Try) and any(
                handler.type is None or ast.unparse(handler.type) in broad for handler in node.handlers
            ):
                imports = [inner for part in node.body for inner in ast.walk(part) if isinstance(inner, ast.ImportFrom)]
                found += [f"{path.name}:{inner.lineno}" for inner in imports]
    assert found == []


def test_weights_cannot_be_loaded_without_torch_and_it_says_so() -> None:
    code = "from provenance_oracle.verifier.digest.weights import loading; loading._allocate(None, 'x')"
    command = [sys.executable, "-c", _WITHOUT.format(missing={"torch"}) + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "UsageError: this needs the extra 'torch': got no torch, wanted pip install" in done.stderr
