"""Make the secrets of compose.yaml: passwords, and a keystore with an account that anvil funds.

Run it as root, since each file must belong to the user of the container that reads it. A file that exists is kept. For
another chain than anvil, put your own keystore and its password in place of the two files.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

ORACLE_USER, POSTGRES_USER = 65532, 999  # of our image, and of Debian's image of PostgreSQL
# The mnemonic of anvil and Hardhat. Everybody knows it: it protects nothing beyond a local chain.
_MNEMONIC = "test test test test test test test test test test test junk"
_PATH = "m/44'/60'/0'/0/1"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("secrets"), help="default: ./secrets")
    parser.add_argument("--keep-owner", action="store_true", help="leave the files to the user who runs this")
    asked = parser.parse_args()
    if os.geteuid() != 0 and not asked.keep_owner:
        sys.exit("run this as root: the files belong to the users of the containers, 65532 and 999")
    make_secrets(asked.folder, keep_owner=asked.keep_owner)


def make_secrets(folder: Path, *, keep_owner: bool) -> None:
    """Write the files that are missing. Each has mode 0400."""
    folder.mkdir(mode=0o755, exist_ok=True)
    keystore_password, database_password = secrets.token_hex(32), secrets.token_hex(32)
    if not (folder / "oracle_keystore").exists():
        _write(folder / "oracle_keystore_password", keystore_password, ORACLE_USER, keep_owner)
        _write(folder / "oracle_keystore", _keystore(keystore_password), ORACLE_USER, keep_owner)
    if not (folder / "postgres_password").exists():
        _write(folder / "oracle_pgpass", f"postgres:5432:*:provenance:{database_password}\n", ORACLE_USER, keep_owner)
        _write(folder / "postgres_password", database_password, POSTGRES_USER, keep_owner)


def _keystore(password: str) -> str:
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(_MNEMONIC, account_path=_PATH)
    return json.dumps(Account.encrypt(account.key, password))


def _write(path: Path, text: str, owner: int, keep_owner: bool) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if not keep_owner:
            os.fchown(file.fileno(), owner, owner)
    print(path)


if __name__ == "__main__":
    main()
