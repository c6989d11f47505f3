"""The reference tool accepts what we sign, and we accept what it signs."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.signing.signature import Publisher
from provenance_oracle.publisher.signing.signers import CertificateSigner, KeySigner, PublisherSigner
from provenance_oracle.verifier.identity.certificates import parse_signing_certificate
from tests.support.model_signatures import SIGNING_KEY, write_files
from tests.support.publisher_files import write_chain
from tests.support.reference_signer import model_signing
from tests.support.signing_chains import CA, LEAF, ROOT, certified

pytestmark = pytest.mark.slow

CHAIN = certified(LEAF, CA, ROOT)
FILES = {
    "a/b.bin": b"1",
    "a-b.bin": b"2",  # before `a/b.bin` by code point, and after it by path component
    "ünïcode.txt": b"",
    "model.safetensors": b"weights",
    ".gitattributes": b"*.safetensors filter=lfs",
    "provenance/manifest.dsse.json": b"{}",
}
UNSIGNED = {"provenance/cvm-key.pem": b"key", "provenance/snp/report.bin": b"report", "provenance/snp/ark.crl": b"old"}


def signed_model(root: Path, signer: PublisherSigner) -> tuple[Path, Path]:
    """Write and sign a model; return its folder and the bundle."""
    model = root / "model"
    write_files(model, FILES | UNSIGNED)
    digests = {path: hashlib.sha256(data).digest() for path, data in FILES.items()}
    signature = Publisher(None, signer, lambda: datetime(2026, 11, 20, tzinfo=UTC)).sign("acme/tiny", digests)
    bundle = model / "provenance" / "model.sig"
    bundle.write_bytes(signature.bundle)
    if signature.key:
        (model / "provenance" / "publisher-key.pem").write_bytes(signature.key)
        (root / "key.pem").write_bytes(signature.key)
    return model, bundle


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_the_tool_verifies_a_key_s_signature(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    model, bundle = signed_model(tmp_path, KeySigner(ec.generate_private_key(curve)))
    words = ("--public_key", tmp_path / "key.pem")
    assert model_signing("verify", "key", model, "--signature", bundle, *words).returncode == 0
    (model / "model.safetensors").write_bytes(b"other")
    changed = model_signing("verify", "key", model, "--signature", bundle, *words)
    assert changed.returncode == 1
    assert "model.safetensors" in changed.stdout + changed.stderr


def test_the_tool_verifies_a_certificate_s_signature(tmp_path: Path) -> None:
    chain = [parse_signing_certificate(one.public_bytes(Encoding.DER), "chain") for one in CHAIN]
    model, bundle = signed_model(tmp_path, CertificateSigner(SIGNING_KEY, chain))
    root = write_chain(tmp_path / "root.pem", CHAIN[2:])
    words = ("verify", "certificate", model, "--signature", bundle, "--certificate_chain")
    assert model_signing(*words, root).returncode == 0
    other = write_chain(tmp_path / "other.pem", certified(replace(ROOT, name="Other", key=CA.key)))
    assert model_signing(*words, other).returncode == 1


def test_the_tool_verifies_from_anywhere_a_copy_under_another_name_and_after_a_new_revocation_list(
    tmp_path: Path,
) -> None:
    model, bundle = signed_model(tmp_path, KeySigner(SIGNING_KEY))
    words = ("--public_key", "../key.pem")
    inside = ("verify", "key", ".", "--signature", bundle.relative_to(model), *words)
    assert model_signing(*inside, cwd=model).returncode == 0
    copy = tmp_path / "sub" / "copy"
    shutil.copytree(model, copy)
    (copy / "provenance" / "snp" / "ark.crl").write_bytes(b"new")
    signature = "copy/provenance/model.sig"
    assert model_signing("verify", "key", "copy", "--signature", signature, *words, cwd=copy.parent).returncode == 0


def test_files_of_github_are_signed_and_the_tool_wants_an_option_for_them(tmp_path: Path) -> None:
    files = FILES | {".github/ci.yml": b"on: push"}
    write_files(tmp_path / "model", files)
    digests = {path: hashlib.sha256(data).digest() for path, data in files.items()}
    signature = Publisher(None, KeySigner(SIGNING_KEY), lambda: datetime(2026, 11, 20, tzinfo=UTC)).sign("m", digests)
    for name, data in (("model.sig", signature.bundle), ("key.pem", signature.key or b"")):
        (tmp_path / name).write_bytes(data)
    key, bundle = tmp_path / "key.pem", tmp_path / "model.sig"
    words = ("verify", "key", tmp_path / "model", "--signature", bundle, "--public_key", key)
    assert model_signing(*words).returncode == 1
    assert model_signing(*words, "--no-ignore-git-paths").returncode == 0
