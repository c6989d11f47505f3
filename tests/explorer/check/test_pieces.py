"""Signatures, digests and names: the explorer's checks agree with published vectors and with Python."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.verifier.characters import _acceptable
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest, model_digest
from provenance_oracle.verifier.manifest.names import _folded
from tests.explorer.check.engines import ChromiumEngine, Engine, FirefoxEngine, NodeEngine
from tests.support.small_order import PRIME, SIGN, SMALL_ORDER, SPKI_HEAD, signed_with_identity
from tests.support.vector_folders import folder_of

_SIGNATURES = {
    "ecdsa_secp256r1_sha256_test": 484,
    "ecdsa_secp384r1_sha384_test": 504,
    "ed25519_test": 151,
    "rsa_pss_4096_sha384_mgf1_48_test": 141,
}
_SIZES = (0, 1, 4095, 4096, 4097, 8192, 128 * 4096 - 1, 128 * 4096, 128 * 4096 + 1, 4 << 20, (4 << 20) + 1)
_LARGE = 128 * 128 * 4096 + 4097  # its tree has three levels


def verify_vectors(engine: Engine, vectors: Path, name: str) -> int:
    """Compare every signature of a file with what it says; return their number."""
    file = json.loads((folder_of(vectors, "wycheproof") / f"{name}.json").read_text())
    cases = [(group["publicKeyDer"], case) for group in file["testGroups"] for case in group["tests"]]
    given = [{"spki": spki, "message": case["msg"], "signature": case["sig"]} for spki, case in cases]
    results = engine.call("signatures", given)
    wrong = [
        case for (_, case), result in zip(cases, results, strict=True) if result is not (case["result"] == "valid")
    ]
    assert not wrong
    return len(cases)


@pytest.mark.parametrize("name", _SIGNATURES)
def test_signatures_of_wycheproof(vectors: Path, chromium: ChromiumEngine, name: str) -> None:
    assert verify_vectors(chromium, vectors, name) == _SIGNATURES[name]


def test_an_ecdsa_signature_has_one_encoding(node: NodeEngine) -> None:
    """A zero before a number that needs none is another encoding of the same signature."""
    key = ec.derive_private_key(5, ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
    signatures = (key.sign(b"m", ec.ECDSA(hashes.SHA256())) for _ in range(1000))
    good = next(one for one in signatures if one[3] == 32 and one[4] < 0x80)  # r is short: half of them are
    padded = bytes([0x30, good[1] + 1, 2, 33, 0]) + good[4:]
    given = [{"spki": spki, "message": b"m".hex(), "signature": one.hex()} for one in (good, padded)]
    assert node.call("signatures", given) == [True, False]


def test_an_ed25519_signature_with_a_point_of_small_order_does_not_verify(chromium: ChromiumEngine) -> None:
    """Chromium takes it, and signatures by keys that are such points."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"7" * 32)
    spki = SPKI_HEAD + key.public_key().public_bytes_raw()
    signatures = (key.sign(b"m"), signed_with_identity(b"7" * 32, b"m"))
    given = [{"spki": spki.hex(), "message": b"m".hex(), "signature": one.hex()} for one in signatures]
    assert chromium.call("signatures", given) == [True, False]


def test_firefox_takes_no_key_for_one_of_another_curve(vectors: Path, firefox: FirefoxEngine) -> None:
    """It imports a key on P-384 as one on P-256, if that is asked for, and then refuses every signature."""
    name = "ecdsa_secp384r1_sha384_test"
    assert verify_vectors(firefox, vectors, name) == _SIGNATURES[name]


def test_digests_of_files(chromium: ChromiumEngine) -> None:
    sizes = (*_SIZES, _LARGE)
    for size, (fsverity, sha256, read) in zip(sizes, chromium.call("digests", sizes), strict=True):
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        whole = None if size == _LARGE else hashlib.sha256(data).hexdigest()
        assert (fsverity, sha256, read) == (fsverity_digest(data).hex(), whole, size)


def test_the_digest_of_a_model(node: NodeEngine) -> None:
    # in UTF-16 the order of the last two paths is another one
    paths = ("b", "a/é", "a.b", "\ufb00", "\U00020000")
    files = [FileDigest(path, size, hashlib.sha256(path.encode()).digest()) for size, path in enumerate(paths)]
    given = [{"path": file.path, "size": file.size, "fsverity": file.fsverity.hex()} for file in files]
    assert node.call("model", given) == model_digest(files).hex()


def test_the_same_characters_are_acceptable(node: NodeEngine) -> None:
    assert base64.b64decode(node.call("acceptable", None)) == _acceptable()


def test_the_same_names_differ_by_letter_case_alone(node: NodeEngine) -> None:
    names = [chr(code) for code, is_acceptable in enumerate(_acceptable()) if is_acceptable]
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for name, other in zip(names, node.call("folded", names), strict=True):
        folded = _folded(name)
        assert (ours.setdefault(folded, other), theirs.setdefault(other, folded)) == (other, folded), name


def test_kinds_of_keys(node: NodeEngine) -> None:
    keys = _keys()
    assert node.call("algorithms", list(keys)) == list(keys.values())


def _keys() -> dict[str, Any]:
    """Return keys by their SubjectPublicKeyInfo, and the kind that each must be taken for."""

    def spki(key: Any) -> str:
        return str(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex())

    p384 = spki(ec.derive_private_key(5, ec.SECP384R1()))
    return {
        spki(ec.derive_private_key(5, ec.SECP256R1())): "ECDSA P-256",
        p384: "ECDSA P-384",
        spki(ec.derive_private_key(5, ec.SECP521R1())): "ECDSA P-521",
        spki(ed25519.Ed25519PrivateKey.generate()): "Ed25519",
        spki(ed448.Ed448PrivateKey.generate()): None,
        spki(ec.derive_private_key(5, ec.SECP256K1())): None,
        spki(rsa.generate_private_key(65537, 2048)): None,
        **{(SPKI_HEAD + (y | sign).to_bytes(32, "little")).hex(): None for y in SMALL_ORDER for sign in (0, SIGN)},
        (SPKI_HEAD + (PRIME + 2).to_bytes(32, "little")).hex(): None,
        (SPKI_HEAD + (2).to_bytes(32, "little")).hex(): "Ed25519",
        p384[:-1] + ("0" if p384[-1] != "0" else "1"): None,  # not on the curve
        p384 + "00": None,
        p384[:-2]: None,
        "": None,
    }
