"""Tests of keys: their sources, the chains for which they may sign, and that nothing shows them."""

from __future__ import annotations

import json
import logging
import os
import pickle
import traceback
from pathlib import Path

import pytest

from provenance_oracle.oracle.signers.base import DigestSigner, Secret, check_custody, check_keys
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.keystore import KeystoreSigner
from provenance_oracle.oracle.signers.passwords import read_password
from provenance_oracle.oracle.signers.signatures import compact_signature, full_signature
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.registry.light_imports import light_imports
from tests.support.verdict_signers import signers_of_verdicts

with light_imports():
    from eth_account import Account

KEY = bytes(range(1, 33))
ADDRESS = Account.from_key(KEY).address
FIELDS = {
    "type": 2,
    "chainId": 31337,
    "nonce": 3,
    "to": "0x" + "11" * 20,
    "value": 0,
    "data": b"\x01\x02",
    "gas": 21_000,
    "maxFeePerGas": 10,
    "maxPriorityFeePerGas": 1,
}


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "wäsche", kdf="pbkdf2", iterations=1000)))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex(), f" 0x{KEY.hex()}\n"])
def test_a_key_from_the_environment_signs(text: str) -> None:
    signer = EnvironmentSigner("ORACLE_KEY", {"ORACLE_KEY": text})
    assert signer.address == ADDRESS
    raw, digest = signer.sign_transaction(FIELDS)
    assert Account.recover_transaction(raw) == ADDRESS
    assert signer.sign_transaction(FIELDS) == (raw, digest), "a key in memory signs alike"


@pytest.mark.parametrize(
    "kind", [{}, {"type": None, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 1}]
)
def test_the_call_of_a_transaction_is_read_from_its_signed_bytes(kind: dict[str, object]) -> None:
    signer = EnvironmentSigner("K", {"K": KEY.hex()})
    fields = {name: value for name, value in (FIELDS | kind).items() if value is not None}
    raw, _ = signer.sign_transaction(fields)
    assert signer.call_of(raw) == (FIELDS["to"], FIELDS["data"])
    stranger = EnvironmentSigner("K", {"K": "22" * 32})
    for other in (stranger.sign_transaction(fields)[0], raw[:-1], raw + b"\0", raw[1:], b"", b"\x02", b"raw"):
        with pytest.raises(VerificationError, match="this key did not sign"):
            signer.call_of(other)


FAILING = Path("/proc/self/mem")  # a file of mode 0600 in which reading at the start is an I/O error (EIO)
DIGEST = bytes(range(32, 64))
# The order of secp256k1. Only the lower half of the values of s is accepted.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_a_digest_is_signed_compactly_with_the_lower_s() -> None:
    signer = EnvironmentSigner("K", {"K": KEY.hex()})
    parities = set()
    for number in range(32):
        digest = bytes([number]) * 32
        signature = signer.sign_digest(digest)
        assert signer.sign_digest(digest) == signature, "a key in memory signs alike"
        assert Account._recover_hash(digest, signature=full_signature(signature)) == ADDRESS
        word = int.from_bytes(signature[32:])
        parities.add(word >> 255)
        assert (len(signature), (word & (1 << 255) - 1) <= ORDER // 2) == (64, True)
    assert parities == {0, 1}


def test_a_verdict_is_signed_in_der_with_the_lower_s() -> None:
    signer = EnvironmentSigner("K", {"K": KEY.hex()})
    assert signers_of_verdicts(signer, 32) == {ADDRESS}
    assert signer.sign_der(DIGEST) == signer.sign_der(DIGEST), "a key in memory signs alike"


class OtherKey(DigestSigner):
    """A holder that signs with the key of its account first, and with another one then."""

    def __init__(self, *keys: bytes) -> None:
        super().__init__(ADDRESS)
        self._keys = list(keys)

    def _sign(self, digest: bytes) -> tuple[int, int]:
        signed = Account.unsafe_sign_hash(digest, self._keys.pop(0))
        return signed.r, ORDER - signed.s


def test_a_verdict_that_another_key_signed_is_not_kept() -> None:
    with pytest.raises(UsageError, match="by another key"):
        OtherKey(b"\x11" * 32).sign_der(DIGEST)
    signer = OtherKey(KEY, b"\x11" * 32)
    signer.sign_der(DIGEST)
    with pytest.raises(UsageError, match="by another key"):
        signer.sign_der(DIGEST)


def test_what_a_kms_gives_is_made_low_and_its_parity_found() -> None:
    signed = Account.unsafe_sign_hash(DIGEST, KEY)
    wanted = EnvironmentSigner("K", {"K": KEY.hex()}).sign_digest(DIGEST)
    for s in (signed.s, ORDER - signed.s):
        assert compact_signature(DIGEST, signed.r, s, ADDRESS) == wanted


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (0, 0), (ORDER, 1), (1, ORDER), (1, ORDER + 1), (2**256, 1), (5, 5)]
)
def test_what_is_no_signature_by_the_key_is_refused(r: int, s: int) -> None:
    with pytest.raises(UsageError, match="the signature is by another key"):
        compact_signature(DIGEST, r, s, ADDRESS)


@pytest.mark.parametrize("text", ["", "zz", KEY.hex()[:-2], KEY.hex() + "00", "00" * 32, "ff" * 32, "é" * 64])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        EnvironmentSigner("ORACLE_KEY", {"ORACLE_KEY": text})
    assert "ORACLE_KEY" in str(caught.value)
    assert not text or text not in str(caught.value)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(UsageError, match="environment variable ORACLE_KEY"):
        EnvironmentSigner("ORACLE_KEY", {})


def test_a_keystore_opens_with_its_password(keystore: Path) -> None:
    signer = KeystoreSigner(keystore, Secret("wäsche".encode()))
    assert signer.address == ADDRESS
    assert not signer.for_development


@pytest.mark.parametrize("password", [b"wrong", b"\xff\xfe"])
def test_a_wrong_password_is_refused(keystore: Path, password: bytes) -> None:
    with pytest.raises(UsageError, match="wrong password or malformed"):
        KeystoreSigner(keystore, Secret(password))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 3}', "not json", "[" * 100_000])
def test_a_malformed_keystore_is_refused(keystore: Path, text: str) -> None:
    keystore.write_text(text)
    with pytest.raises(UsageError, match="wrong password or malformed"):
        KeystoreSigner(keystore, Secret(b"x"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_keystore_that_others_can_open_is_refused(keystore: Path, mode: int) -> None:
    keystore.chmod(mode)
    with pytest.raises(UsageError, match="only its owner can access"):
        KeystoreSigner(keystore, Secret("wäsche".encode()))


def test_a_missing_keystore_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, problem in (
        (tmp_path / "none", "cannot be read"),
        (tmp_path, "only its owner can access|cannot be read"),
    ):
        with pytest.raises(UsageError, match=problem):
            KeystoreSigner(path, Secret(b"x"))
    with pytest.raises(UsageError, match="only its owner can access"):
        KeystoreSigner(tmp_path / "pipe", Secret(b"x"))


@pytest.mark.skipif(not FAILING.exists(), reason="no /proc")
def test_a_key_or_password_on_a_failing_disk_is_temporary(keystore: Path) -> None:
    for read in (lambda: KeystoreSigner(FAILING, Secret(b"x")), lambda: read_password(FAILING)):
        with pytest.raises(TemporaryError, match="cannot be read: got Input/output error"):
            read()


def test_a_password_comes_from_a_file_or_a_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b" secret \n")
    path.chmod(0o600)
    assert read_password(path).reveal() == b" secret "
    for written, password in ((b"secret\r\n", b"secret"), (b"secret\r", b"secret\r"), (b"secret\n\n", b"secret\n")):
        path.write_bytes(written)  # an editor on Windows ends a line with CR LF
        assert read_password(path).reveal() == password
    reader, writer = os.pipe()
    os.write(writer, b"secret")
    os.close(writer)
    assert read_password(reader).reveal() == b"secret"
    path.chmod(0o644)
    with pytest.raises(UsageError, match="only its owner can access"):
        read_password(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"x" * 4097, b"x" * 4097 + b"\r\n"])
def test_what_is_no_password_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="the password is empty or too long"):
        read_password(path)


def test_a_closed_descriptor_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_password(10_000)


@pytest.mark.parametrize(
    ("chain_id", "allowed", "refused"), [(31337, False, False), (1, False, True), (1, True, False)]
)
def test_a_development_key_is_for_local_chains(chain_id: int, allowed: bool, refused: bool) -> None:
    signer = EnvironmentSigner("K", {"K": KEY.hex()})
    if refused:
        with pytest.raises(UsageError, match="for local chains"):
            check_custody(signer, chain_id, allow_development_key=allowed)
    else:
        check_custody(signer, chain_id, allow_development_key=allowed)


def test_a_keystore_is_for_any_chain(keystore: Path) -> None:
    check_custody(KeystoreSigner(keystore, Secret("wäsche".encode())), 1, allow_development_key=False)


@pytest.mark.parametrize(("chain_id", "same", "warned"), [(1, True, True), (1, False, False), (31337, True, False)])
def test_one_key_for_both_purposes_is_warned_of(
    keystore: Path, caplog: pytest.LogCaptureFixture, chain_id: int, same: bool, warned: bool
) -> None:
    payer = KeystoreSigner(keystore, Secret("wäsche".encode()))
    reporter = payer if same else EnvironmentSigner("K", {"K": "22" * 32})
    check_keys(payer, reporter, chain_id, allow_development_key=True)
    assert ("both pays and signs reports" in caplog.text) == warned


def test_a_secret_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(KEY)
    signer = EnvironmentSigner("K", {"K": KEY.hex()})
    logging.getLogger("t").warning("%s %r %s %r", secret, secret, signer, signer)
    shown = [caplog.text, f"{secret}{signer}", repr(vars(signer))]
    try:
        raise ValueError(secret, signer)
    except ValueError:
        shown.append(traceback.format_exc())
    forms = (KEY.hex(), repr(KEY), str(int.from_bytes(KEY)))
    assert not [form for form in forms if form in "".join(shown)]
    with pytest.raises(TypeError):
        pickle.dumps(secret)
