"""Loading a publisher's private key."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provenance_oracle.publisher.signing.keys import load_publisher_key
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.secret_files import read_password_file
from tests.support.publisher_files import write_key


def unasked() -> bytes:
    raise AssertionError("nobody should ask for a password")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_keys_on_the_three_curves_are_loaded(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    loaded = load_publisher_key(write_key(tmp_path / "key", key), unasked)
    assert loaded.private_numbers() == key.private_numbers()


def test_a_password_is_asked_for_only_if_the_key_has_one(tmp_path: Path) -> None:
    path = write_key(tmp_path / "key", password=b"secret words")
    assert load_publisher_key(path, lambda: b"secret words").curve.name == "secp256r1"
    with pytest.raises(UsageError, match="wrong password"):
        load_publisher_key(path, lambda: b"other")
    with pytest.raises(UsageError, match="wrong password"):
        load_publisher_key(path, lambda: b"")


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256K1()), ed25519.Ed25519PrivateKey.generate()])
def test_other_keys_are_refused(tmp_path: Path, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
    path = tmp_path / "key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(UsageError, match=r"P-256, P-384 or P-521"):
        load_publisher_key(path, unasked)


def test_a_file_that_is_no_key_is_refused_without_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(UsageError) as raised:
        load_publisher_key(path, unasked)
    assert "c2VjcmV0" not in str(raised.value)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only its owner can access"):
        load_publisher_key(write_key(tmp_path / "key", mode=0o640), unasked)


@pytest.mark.parametrize(
    ("data", "password"), [(b"a b\n", b"a b"), (b"a\r\n", b"a"), (b"a\n\n", b"a\n"), (b"a\r", b"a\r")]
)
def test_a_password_is_the_line_of_its_file(tmp_path: Path, data: bytes, password: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    path.chmod(0o600)
    assert read_password_file(path) == password
    path.chmod(0o604)
    with pytest.raises(UsageError, match="only its owner can access"):
        read_password_file(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"x" * 4097])
def test_no_password_and_a_very_long_one_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="the password is empty or too long"):
        read_password_file(path)
