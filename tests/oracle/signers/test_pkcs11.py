"""Tests of keys in a PKCS #11 token, with SoftHSM 2 and a key that cannot leave it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.oracle.signers.signatures import full_signature
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.light_imports import light_imports
from tests.support.softhsm import PIN, Token, make_token
from tests.support.verdict_signers import signers_of_verdicts

with light_imports():
    from eth_account import Account

DIGEST = bytes(range(32))
FIELDS = {"chainId": 31337, "nonce": 0, "to": "0x" + "11" * 20, "value": 0, "data": b"x", "gas": 50_000, "gasPrice": 9}


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Token]]:
    """Return two tokens. SoftHSM reads its folder once in a process."""
    folder = tmp_path_factory.mktemp("softhsm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        made = {label: make_token(folder, label) for label in ("oracle token", "other")}
        made["oracle token"].make_key()
        made["oracle token"].make_key("report")
        made["oracle token"].make_key("p256", "secp256r1")
        yield made


@pytest.fixture
def token(tokens: dict[str, Token]) -> Token:
    return tokens["oracle token"]


def signed_by(signer: Signer, digest: bytes = DIGEST) -> str:
    return str(Account._recover_hash(digest, signature=full_signature(signer.sign_digest(digest))))


def test_a_key_in_a_token_signs_digests_and_transactions(token: Token) -> None:
    signer = open_signer(token.uri())
    assert not signer.for_development
    assert signed_by(signer) == signer.address
    raw, _ = signer.sign_transaction(FIELDS)
    assert Account.recover_transaction(raw) == signer.address
    assert signer.call_of(raw) == (FIELDS["to"], b"x")
    assert signer.sign_transaction(FIELDS)[0] != raw, "a token signs with a nonce of its own each time"


def test_a_key_in_a_token_signs_verdicts(token: Token) -> None:
    signer = open_signer(token.uri())
    assert signers_of_verdicts(signer) == {signer.address}


def test_the_private_key_cannot_leave_the_token(token: Token) -> None:
    import pkcs11

    with token.session() as session:
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="oracle")
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            private[pkcs11.Attribute.VALUE]


@pytest.mark.parametrize(
    "part", ["object=oracle", "id=oracle", "id=%6f%72acle;type=private", "object=oracle;id=oracle"]
)
def test_a_key_is_found_by_label_or_id(token: Token, part: str) -> None:
    assert open_signer(token.uri().replace("object=oracle", part)).address == open_signer(token.uri()).address


def test_two_keys_of_one_token_sign_in_one_process(token: Token) -> None:
    payer, reporter = open_signer(token.uri()), open_signer(token.uri("report"))
    assert payer.address != reporter.address
    assert (signed_by(payer), signed_by(reporter)) == (payer.address, reporter.address)


def test_a_lost_session_is_temporary_and_opened_again(token: Token) -> None:
    signer = open_signer(token.uri())
    token.lose_sessions()
    with pytest.raises(TemporaryError, match="the token does not answer"):
        signer.sign_digest(DIGEST)
    assert signed_by(signer) == signer.address


def test_a_token_that_is_not_there_is_temporary(token: Token) -> None:
    with pytest.raises(TemporaryError, match="NoSuchToken"):
        open_signer(token.uri().replace("token=oracle token", "token=none"))


def test_a_wrong_pin_is_not_tried_twice(token: Token) -> None:
    """A few wrong PINs lock a token. So the signer does not log in again, even when the PIN would be right."""
    signer = open_signer(token.uri())
    token.lose_sessions()
    with token.session() as session:
        session.set_pin(PIN, "111111111111")
    with pytest.raises(TemporaryError):
        signer.sign_digest(DIGEST)
    with pytest.raises(UsageError, match=r"the token refuses the PIN: got PinIncorrect.*not tried again"):
        signer.sign_digest(DIGEST)
    with token.session("111111111111") as session:
        session.set_pin("111111111111", PIN)
    with pytest.raises(UsageError, match="the token refuses the PIN"):
        signer.sign_digest(DIGEST)
    assert signed_by(open_signer(token.uri())) == signer.address


def test_a_wrong_pin_at_the_start_is_a_usage_error_that_does_not_show_it(token: Token, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("222222222222")
    pin.chmod(0o600)
    token.lose_sessions()
    with pytest.raises(UsageError, match="the token refuses the PIN") as caught:
        open_signer(token.uri(**{"pin-source": str(pin)}))
    assert "2222" not in str(caught.value)


def test_a_pin_file_that_others_can_read_is_refused(token: Token, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text(PIN)
    pin.chmod(0o644)
    with pytest.raises(UsageError, match="only its owner can access"):
        open_signer(token.uri(**{"pin-source": str(pin)}))


@pytest.mark.parametrize(
    ("label", "problem"),
    [("none", "no such key: got NoSuchKey"), ("p256", "another curve"), ("", "does not name a key")],
)
def test_a_key_that_cannot_sign_for_an_account_is_refused(token: Token, label: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        open_signer(token.uri(label))


def test_another_key_in_its_place_is_noticed(token: Token) -> None:
    token.make_key("changing")
    signer = open_signer(token.uri("changing"))
    token.lose_sessions()
    with pytest.raises(TemporaryError):
        signer.sign_digest(DIGEST)
    import pkcs11

    with token.session() as session:
        for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.PUBLIC_KEY):
            session.get_key(object_class=kind, label="changing").destroy()
    token.make_key("changing")
    with pytest.raises(UsageError, match="another key now"):
        signer.sign_digest(DIGEST)


def test_a_module_that_is_none_is_named(token: Token, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the module cannot be loaded"):
        open_signer(token.uri(**{"module-path": str(tmp_path / "none.so")}))
