"""Real bundles, and bundles with one fault each: every one ends as its list says, by the command, offline."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.errors import ProvenanceError, VerificationError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.certificate_method import verify_by_certificate
from provenance_oracle.verifier.identity.certificates import parse_anchors
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.identity.signer import match_signer
from provenance_oracle.verifier.identity.statement import parse_signed_files
from tests.support.vector_folders import folder_of

# The exit code of each folder in `oms-faults`: 3 malformed, 4 forged, 5 genuine but not over every file.
FAULTS = {
    "0-good-key": 0,
    "a-empty-resources": 3,
    "a2-ignore-dot": 3,
    "0-good-certificate": 0,
    "0-good-certificate-no-root": 0,
    "b1-expired-leaf": 4,
    "b2-not-yet-valid-leaf": 4,
    "b4-expired-root": 4,
    "b6-no-eku-leaf": 0,
    "b6b-server-and-code": 0,
    "b6c-no-digital-signature": 4,
    "b8-issuer-no-ca": 4,
    "b10-critical-unknown": 4,
    "b11-wrong-anchor": 4,
    "c-shards": 0,
    "c2-shards-float": 0,
    "c3-shards-short": 4,
    "c5-shards-other-size": 3,
    "d-blake2b": 0,
    "d3-md5": 3,
    "e-parent-path": 3,
    "f-ignored-code": 5,
    "f4-gitattributes": 0,
    "g-shards-empty-code": 5,
    "h-symlinked-folder": 3,
    "i-duplicate": 3,
    "i2-unsorted": 3,
    "i4-colon-shards": 0,
    "l-extra-file": 5,
    "m2-code-point-order": 0,
    "o-old-predicate": 3,
    "q-duplicate-key": 3,
    "t-other-hint": 4,
    "u-media-type": 3,
    "v-payload-type": 3,
    "w-tampered": 4,
    "x-missing": 4,
    "y2-no-keyid": 0,
    "y3-go-no-tlog": 0,
    "z-secp384r1": 0,
    "z3-ignored-glob": 3,
}
# The identity that each keyless model in `oms` must have; "" for the models that a key or a certificate signed.
MODELS = {
    "oms-v0.3.1-sigstore": "sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com",
    "oms-v1.0.0-sigstore": "sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com",
    "oms-v1.0.1-sigstore": "sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com",
    "oms-v1.1.0-sigstore": "sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com",
    "oms-v0.3.1-key": "",
    "oms-v1.0.0-key": "",
    "oms-v1.0.1-key": "",
    "oms-v1.1.0-key": "",
    "oms-v0.2.0-certificate": "",
    "oms-v0.3.1-certificate": "",
    "oms-v1.0.0-certificate": "",
    "oms-v1.0.1-certificate": "",
    "oms-v1.1.0-certificate": "",
}
ONE_FILE = ("oms-v0.3.1-key", "oms-v1.0.0-key")
# Bundles in `oms` without a model, and whether they have the format.
SCHEMAS = {
    "omsspec-valid-certificate": True,
    "omsspec-valid-key": True,
    "omsspec-valid-sigstore": True,
    "omsspec-invalid-empty": False,
    "omsspec-invalid-missing-envelope": False,
    "omsspec-invalid-missing-tlog-entries": False,
    "omsspec-invalid-missing-verification-material": False,
    "omsspec-invalid-payload-wrong-predicate": False,
}
_AUTHORITY = "authority 4d182395cb23f115d169c47779904a9d00ad4bd7eab043a3cdf1c8c9d4a4cbd9"
# Real bundles in `oms-nvidia`, the identity of each, and the number of its resources; None: another CA signed it.
NVIDIA: dict[str, tuple[str, int] | None] = {
    "nvidia-good-mcore-linting-and-formatting": (
        _AUTHORITY,
        4,
    ),
    "nvidia-component-order-rag-blueprint": (
        _AUTHORITY,
        37,
    ),
    "nvidia-other-chain-amc-setup-calibration-stack": None,
}
AT = "2026-11-01"
BUNDLE = "bundle.sigstore.json"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every socket an error: nothing here may ask anybody."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def judged(folder: Path, *options: str, model: str = "model") -> Result:
    words = ["signature", str(folder / model), "--signature", str(folder / BUNDLE), "--at", AT, *options]
    for option, name in (("--publisher-key", "key.pub"), ("--publisher-ca", "ca.pem")):
        if (folder / name).exists():
            words += [option, str(folder / name)]
    result = CliRunner().invoke(main, words)
    assert "Traceback" not in result.output
    return result


def test_the_lists_are_those_of_the_folders(vectors: Path) -> None:
    faults = json.loads((folder_of(vectors, "oms-faults") / "INDEX.json").read_text())
    assert {case["id"]: case["expect"] == "pass" for case in faults} == {
        name: not code for name, code in FAULTS.items()
    }
    bundles = json.loads((folder_of(vectors, "oms") / "MANIFEST.json").read_text())["vectors"]
    assert {case["id"] for case in bundles} == MODELS.keys() | SCHEMAS.keys()
    assert all((folder_of(vectors, "oms-nvidia") / f"{name}.sigstore.json").is_file() for name in NVIDIA)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_as_its_list_says(vectors: Path, name: str) -> None:
    result = judged(folder_of(vectors, "oms-faults") / name)
    assert result.exit_code == FAULTS[name], result.output


@pytest.mark.parametrize("name", MODELS)
def test_what_signers_of_every_version_wrote_verifies(vectors: Path, name: str) -> None:
    folder = folder_of(vectors, "oms") / name
    is_old = name == "oms-v0.2.0-certificate"
    options = ["--allow-old"] * is_old + (["--identity", MODELS[name]] if MODELS[name] else [])
    has_extra = (folder / "model" / "ignore-me").exists()
    model = "model/signme-1" if name in ONE_FILE else "model"
    result = judged(folder, *options, *(["--ignore", "ignore-me"] * has_extra), model=model)
    assert result.exit_code == 0, result.output
    if has_extra:  # the signer left it out; the user has to as well
        assert judged(folder, *options).exit_code == 5
    if is_old:
        assert judged(folder).exit_code == 4


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_bundle_fits_the_format_or_not(vectors: Path, name: str) -> None:
    try:
        bundle = parse_bundle((folder_of(vectors, "oms") / name / BUNDLE).read_bytes(), "model.sig")
        parse_signed_files(bundle.envelope.payload, "model.sig")
        fits = True
    except ProvenanceError:
        fits = False
    assert fits == SCHEMAS[name]


@pytest.mark.parametrize("name", NVIDIA)
def test_a_bundle_by_nvidia(vectors: Path, name: str) -> None:
    folder = folder_of(vectors, "oms-nvidia")
    bundle = parse_bundle((folder / f"{name}.sigstore.json").read_bytes(), "model.sig")
    anchors = parse_anchors((folder / "ca.pem").read_bytes(), "ca.pem")
    at = datetime(2026, 11, 1, tzinfo=UTC)
    wanted = NVIDIA[name]
    if wanted is None:
        with pytest.raises(VerificationError, match="another CA"):
            verify_by_certificate(bundle, expected=None, anchors=anchors, at=at)
        return
    line, resources = wanted
    expected = parse_identity(line, "identity")
    for given in (anchors, ()):
        signer = verify_by_certificate(bundle, expected=expected, anchors=given, at=at)
        assert match_signer(signer, expected, "model.sig") == expected
    assert len(parse_signed_files(bundle.envelope.payload, "model.sig").parts) == resources
