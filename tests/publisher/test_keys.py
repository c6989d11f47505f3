"""The VM's key: made once, readable only by its owner, and never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from provenance_oracle.publisher.keys import load_key, load_or_make_key
from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.verifier.errors import UsageError


def _write(path: Path, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey) -> Path:
    return _write_pem(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _write_pem(path: Path, pem: bytes) -> Path:
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "cvm.key"
    made = load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert public_key_of(load_or_make_key(path)) == public_key_of(made) == public_key_of(load_key(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()])
def test_other_kinds_that_sign_manifests(tmp_path: Path, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
    assert public_key_of(load_key(_write(tmp_path / "key", key))) == public_key_of(key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = _write(tmp_path / "key", Ed25519PrivateKey.generate())
    path.chmod(mode)
    with pytest.raises(UsageError, match="only its owner can access"):
        load_or_make_key(path)


def test_what_is_no_such_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    good = ec.generate_private_key(ec.SECP384R1())
    locked = good.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    wrong = [
        _write_pem(tmp_path / "text", b"secret words"),
        _write_pem(tmp_path / "locked", locked),
        _write(tmp_path / "rsa", rsa.generate_private_key(65537, 2048)),
        _write(tmp_path / "curve", ec.generate_private_key(ec.SECP521R1())),
    ]
    for path in wrong:
        with pytest.raises(UsageError) as refused:
            load_key(path)
        assert "secret" not in str(refused.value)


def test_where_nothing_can_be_written_or_read(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir(mode=0o700)
    for path in (tmp_path / "no" / "key", tmp_path / ("x" * 300), tmp_path / "dangling", tmp_path / "folder"):
        with pytest.raises(UsageError):
            load_or_make_key(path)
    assert not (tmp_path / "nowhere").exists()
