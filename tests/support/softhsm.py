"""A PKCS #11 token in a folder: SoftHSM 2, with keys on chosen curves that cannot be taken out."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN, SO_PIN = "473829105566", "990011223344"


@dataclass(frozen=True)
class Token:
    """A token with one label. A process loads SoftHSM once, so all its tokens lie in one folder."""

    label: str
    folder: Path
    module: str

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def uri(self, label: str = "oracle", **changes: str) -> str:
        query = {"module-path": self.module, "pin-source": f"file:{self.pin_file}"} | changes
        return f"pkcs11:token={self.label};object={label}?" + "&".join("=".join(pair) for pair in query.items())

    def session(self, pin: str = PIN) -> Any:
        """Open a session that can write, after all others of this process were lost."""
        import pkcs11

        self.lose_sessions()
        return pkcs11.lib(self.module).get_token(token_label=self.label).open(rw=True, user_pin=pin)

    def make_key(self, label: str = "oracle", curve: str = "secp256k1") -> None:
        """Make a key pair in the token. The private key is sensitive and not extractable."""
        import pkcs11
        from pkcs11.util.ec import encode_named_curve_parameters

        with self.session() as session:
            parameters = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            domain = session.create_domain_parameters(pkcs11.KeyType.EC, parameters, local=True)
            domain.generate_keypair(store=True, label=label, id=label.encode())

    def lose_sessions(self) -> None:
        """End every session of this process, as a token does that was unplugged."""
        import pkcs11

        pkcs11.lib(self.module).reinitialize()


def find_module() -> str:
    """Return the path of SoftHSM's module, or skip."""
    found = [path for path in MODULES if os.path.exists(path)]
    if not found or shutil.which("softhsm2-util") is None:
        pytest.skip("no SoftHSM 2: apt-get install softhsm2")
    return found[0]


def make_token(folder: Path, label: str) -> Token:
    """Make a token. The caller sets SOFTHSM2_CONF to `folder / "softhsm2.conf"` before it loads the module."""
    module = find_module()
    (folder / "tokens").mkdir(exist_ok=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN]
    subprocess.run(command, env={**os.environ, "SOFTHSM2_CONF": str(conf)}, check=True, capture_output=True)
    token = Token(label, folder, module)
    token.pin_file.write_text(PIN + "\n")
    token.pin_file.chmod(0o600)
    return token
