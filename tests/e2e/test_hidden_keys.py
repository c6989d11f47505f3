"""A whole run with each kind of key: it records a release, and nothing that it writes holds a byte of a secret.

Looked through are standard output, the log at DEBUG (of every library too), tracebacks, the report of faulthandler, the
journal with all its files, and a core dump if the kernel writes one. The stores of the keys lie in another folder.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.chain.deploy import deploy_contracts
from provenance_oracle.oracle.chain.deploy_terms import OracleTerms, Terms
from provenance_oracle.oracle.chain.rofl import parse_app_id
from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.keystore import make_keystore
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.verifier.registry.node import connect, open_node
from tests.support.gcp_kms import NAME, running_gcp_kms
from tests.support.moto_kms import running_kms
from tests.support.rofl import APP, FakeAppd, install_subcall, running_appd
from tests.support.softhsm import PIN, make_token

ROOT = Path(__file__).parents[2]
PASSWORD = "Ünbelievable pass/phrase+of some length?"
KEY = bytes.fromhex("c0ffee") + bytes(range(200, 229))
KINDS = ("env", "keystore", "pkcs11", "awskms", "gcpkms", "rofl")
_BLOCK = 3
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAKE_KEY = """
import pathlib, sys
from tests.support.softhsm import Token
Token("hidden", pathlib.Path(sys.argv[1]), sys.argv[2]).make_key()
"""


@dataclass
class Kept:
    """A key where its kind keeps it: the URI, the oracle's other options, and every secret of it by name."""

    uri: str
    secrets: dict[str, bytes]
    options: dict[str, Any] = field(default_factory=dict)
    rofl_app: bytes = bytes(21)


def forms(secret: bytes) -> dict[str, bytes]:
    """Return the encodings in which a secret could show."""
    text = secret.hex()
    number, turned = int.from_bytes(secret, "big"), secret[::-1]
    found = {
        "raw": secret,
        "reversed": turned,
        "hex": text.encode(),
        "HEX": text.upper().encode(),
        "hex reversed": turned.hex().encode(),
        "hex with colons": secret.hex(":").encode(),
        "hex with spaces": secret.hex(" ").encode(),
        "decimal": str(number).encode(),
        "decimal, little endian": str(int.from_bytes(turned, "big")).encode(),
        "list": ", ".join(map(str, secret)).encode(),
        "repr": repr(secret)[2:-1].encode(),
        "UTF-16": secret.decode("latin-1").encode("utf-16-le"),
    }
    for start in range(_BLOCK):  # base64 depends on where the secret begins in the text that holds it
        inside = b64encode(bytes(start) + secret)[(start * 8 + 5) // 6 :].rstrip(b"=")[:-1]
        found |= {
            f"base64 at {start}": inside,
            f"base64url at {start}": inside.translate(bytes.maketrans(b"+/", b"-_")),
        }
    return found


def test_every_form_is_recognised() -> None:
    """The search itself must not fail silently."""
    for secret in (KEY, PASSWORD.encode()):
        made = forms(secret)
        assert all(len(form) >= len(secret) for form in made.values())
        for before in (b"", b"x", b"xy", b"xyz"):
            texts = (
                b64encode(before + secret + b"z"),
                b64encode(before + secret + b"z").translate(bytes.maketrans(b"+/", b"-_")),
            )
            assert all(any(form in text for form in made.values()) for text in texts)


@pytest.fixture(params=KINDS)
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anvil: EmbeddedChain
) -> Iterator[Kept]:
    keys = tmp_path / "keys"
    keys.mkdir()
    with ExitStack() as stack:
        yield _MAKERS[request.param](stack, monkeypatch, keys, anvil)


def _env(_stack: ExitStack, patch: pytest.MonkeyPatch, _keys: Path, _anvil: EmbeddedChain) -> Kept:
    patch.setenv("HIDDEN", KEY.hex())
    return Kept("env:HIDDEN", {"key": KEY})


def _keystore(_stack: ExitStack, _patch: pytest.MonkeyPatch, keys: Path, _anvil: EmbeddedChain) -> Kept:
    password = keys / "pw"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    make_keystore(keys / "key.json", Secret(PASSWORD.encode()), lambda _count: KEY)
    secrets = {"key": KEY, "password": PASSWORD.encode()}
    return Kept(f"keystore:{keys / 'key.json'}", secrets, {"password_file": str(password)})


def _pkcs11(_stack: ExitStack, patch: pytest.MonkeyPatch, keys: Path, _anvil: EmbeddedChain) -> Kept:
    """Make the key in a process of its own, because a process loads SoftHSM with one folder only."""
    patch.setenv("SOFTHSM2_CONF", str(keys / "softhsm2.conf"))
    token = make_token(keys, "hidden")
    subprocess.run([sys.executable, "-c", _MAKE_KEY, str(keys), token.module], cwd=ROOT, check=True)
    return Kept(token.uri(), {"PIN": PIN.encode()})


def _awskms(stack: ExitStack, patch: pytest.MonkeyPatch, _keys: Path, _anvil: EmbeddedChain) -> Kept:
    kms = stack.enter_context(running_kms(patch))
    return Kept(f"awskms:///{kms.make_key()}", {"access key": os.environ["AWS_SECRET_ACCESS_KEY"].encode()})


def _gcpkms(stack: ExitStack, patch: pytest.MonkeyPatch, keys: Path, _anvil: EmbeddedChain) -> Kept:
    kms = stack.enter_context(running_gcp_kms(patch, keys))
    primes = kms.account.key.private_numbers()
    secrets = {
        "prime p": primes.p.to_bytes(128, "big"),
        "exponent d": primes.d.to_bytes(256, "big"),
        "token": b"-of-the-stand-in",
    }
    return Kept(f"gcpkms://{NAME}", secrets)


def _rofl(stack: ExitStack, patch: pytest.MonkeyPatch, keys: Path, anvil: EmbeddedChain) -> Kept:
    appd = FakeAppd(connect(anvil.rpc_url), anvil.accounts[37])
    stack.enter_context(running_appd(appd, keys / "appd.sock"))
    patch.setenv("ROFL_APPD_SOCKET", str(keys / "appd.sock"))
    app = parse_app_id(APP)
    install_subcall(appd.web3, app, appd.account.address)
    return Kept("rofl:hidden", {"key": appd.key("hidden")}, rofl_app=app)


_MAKERS = {"env": _env, "keystore": _keystore, "pkcs11": _pkcs11, "awskms": _awskms, "gcpkms": _gcpkms, "rofl": _rofl}


def _address(kept: Kept) -> str:
    """Return the key's address, asked for in a process of its own, as SoftHSM needs it."""
    password = Path(kept.options["password_file"]) if kept.options else None
    if not kept.uri.startswith("pkcs11:"):
        return open_signer(kept.uri, password_file=password).address
    command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", "key", "--key", kept.uri, "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return str(json.loads(done.stdout)["address"])


def _registry_of(chain: EmbeddedChain, kept: Kept, address: str) -> str:
    payer = chain.accounts[0]
    oracle = OracleTerms("0x" + "00" * 20 if any(kept.rofl_app) else address, 1, kept.rofl_app)
    terms = Terms(payer.address, payer.address, (oracle,), 1, 1, 1)
    signer = EnvironmentSigner("P", {"P": payer.key.hex()})
    return f"0x{deploy_contracts(open_node(chain.rpc_url), signer, terms).registry.hex()}"


def _allow_cores() -> None:
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def test_a_release_is_recorded_and_no_secret_is_written(kept: Kept, anvil: EmbeddedChain, tmp_path: Path) -> None:
    address, folder = _address(kept), tmp_path / "run"
    folder.mkdir()
    provider: Any = connect(anvil.rpc_url).provider
    provider.make_request("anvil_setBalance", [address, hex(10**18)])
    provider.make_request("evm_setIntervalMining", [1])  # a new ROFL key counts from the next second on
    try:
        options = {"rpc_urls": [anvil.rpc_url], "registry": _registry_of(anvil, kept, address), "confirmations": 0}
        options |= {"key": kept.uri, "watch": "scan-only", **kept.options}
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.leak_driver", str(folder), json.dumps(options)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            capture_output=True,
            timeout=120,
            check=False,
            preexec_fn=_allow_cores,
        )
    finally:
        provider.make_request("evm_setIntervalMining", [0])
        provider.make_request("evm_setAutomine", [True])
    (folder / "stdout").write_bytes(done.stdout)
    (folder / "stderr").write_bytes(done.stderr)
    assert done.stdout.split(b"\n")[0] == b'["final", "final"]', done.stderr.decode()[-3000:]
    assert b"Fatal Python error: Aborted" in done.stderr
    assert not [path for path in folder.rglob("core*") if path.is_file()]
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(written) >= 4
    shown = [
        f"{name} as {form} in {path.name}"
        for name, secret in kept.secrets.items()
        for form, data in forms(secret).items()
        for path, content in written.items()
        if data in content
    ]
    assert shown == []
