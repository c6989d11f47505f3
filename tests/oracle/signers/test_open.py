"""Tests of the URIs that name keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provenance_oracle.oracle.signers.open import key_uri, open_signer
from provenance_oracle.oracle.signers.pkcs11_uri import Pkcs11Key, parse_pkcs11_uri
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.light_imports import light_imports

with light_imports():
    from eth_account import Account

KEY = bytes(range(1, 33))
ADDRESS = Account.from_key(KEY).address
PLACE = "token=a;object=b"
FILES = "module-path=/m.so&pin-source=file:/pin"


def test_a_variable_and_a_keystore_are_opened(tmp_path: Path) -> None:
    keystore, password = tmp_path / "a key?.json", tmp_path / "pw"
    keystore.write_text(json.dumps(Account.encrypt(KEY, "x", kdf="pbkdf2", iterations=1000)))
    password.write_text("x\n")
    for file in (keystore, password):
        file.chmod(0o600)
    assert open_signer("env:K", environ={"K": KEY.hex()}).address == ADDRESS
    assert open_signer(f"keystore:{keystore}", password_file=password).address == ADDRESS


@pytest.mark.parametrize(
    "uri", ["", "env", "env:", "keystore:", "file:x", "0x" + KEY.hex(), KEY.hex(), "K:" + KEY.hex()]
)
def test_another_text_is_refused_and_not_shown(uri: str) -> None:
    with pytest.raises(UsageError, match="the text names no key") as caught:
        open_signer(uri)
    assert KEY.hex() not in str(caught.value)


def test_a_password_belongs_to_a_keystore(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only a keystore has a password file"):
        open_signer("env:K", password_file=tmp_path / "pw", environ={"K": KEY.hex()})
    with pytest.raises(UsageError, match="a keystore needs its password"):
        open_signer("keystore:k")


@pytest.mark.parametrize(
    ("uri", "variable", "keystore", "wanted"),
    [
        ("", "", None, ""),
        ("awskms:///x", "", None, "awskms:///x"),
        ("", "K", None, "env:K"),
        ("", "", Path("k"), "keystore:k"),
    ],
)
def test_older_settings_become_uris(uri: str, variable: str, keystore: Path | None, wanted: str) -> None:
    assert key_uri(uri, variable, keystore) == wanted


@pytest.mark.parametrize(
    ("uri", "variable", "keystore"), [("env:A", "B", None), ("env:A", "", Path("k")), ("", "A", Path("k"))]
)
def test_two_names_of_a_key_are_refused(uri: str, variable: str, keystore: Path | None) -> None:
    with pytest.raises(UsageError, match="exactly one key must be named"):
        key_uri(uri, variable, keystore)


def test_a_pkcs11_uri_is_parsed_by_rfc_7512() -> None:
    text = f"token=My%20token;serial=01ab;object=%C3%A4;id=%00%ff;type=private?{FILES}"
    wanted = Pkcs11Key("My token", "01ab", "ä", b"\x00\xff", Path("/m.so"), Path("/pin"))
    assert parse_pkcs11_uri(text) == wanted
    assert parse_pkcs11_uri(f"{PLACE}?pin-source=file:///etc/pin&module-path=/m.so").pin_file == Path("/etc/pin")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{PLACE}?{FILES}&pin-value=4711", "a PIN is not part of a URI"),
        (f"{PLACE};pin-value=4711?{FILES}", "a PIN is not part of a URI"),
        (f"object=b?{FILES}", "does not name a key"),
        (f"token=a?{FILES}", "does not name a key"),
        (f"token=a;object=?{FILES}", "does not name a key"),
        (f"{PLACE};type=public?{FILES}", "names no private key"),
        (f"{PLACE};token=c?{FILES}", "attribute that cannot be used"),
        (f"{PLACE};slot-id=1?{FILES}", "attribute that cannot be used"),
        (f"{PLACE};serial?{FILES}", "attribute that cannot be used"),
        (f"token=%zz;object=b?{FILES}", "attribute that cannot be used"),
        (f"token=%ff;object=b?{FILES}", "attribute token is not text"),
        (f"{PLACE}?module-path=/m.so", "attribute pin-source is not a file"),
        (f"{PLACE}?pin-source=file:/pin", "attribute module-path is not a file"),
        (f"{PLACE}?module-path=/m.so&pin-source=|/bin/ask", "attribute pin-source is not a file"),
        (f"{PLACE}?module-path=m.so&pin-source=/pin", "attribute module-path is not a file"),
        (f"{PLACE}?{FILES}&module-name=x", "attribute that cannot be used"),
    ],
)
def test_other_pkcs11_uris_are_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        parse_pkcs11_uri(text)
    assert "4711" not in str(caught.value)
