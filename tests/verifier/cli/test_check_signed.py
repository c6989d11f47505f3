"""`check` of a release that has only a signature, offline."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.cli.hub import hub_folder
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH
from tests.support.hub_caches import to_cache
from tests.support.model_signatures import SIGNING_KEY, pem_of
from tests.support.signed_releases import BY_CERTIFICATE, BY_KEY, lay_out_signed, lay_out_signed_only
from tests.support.signing_chains import CA, LEAF, ROOT, certified, pem_of_certificates
from tests.support.whole_releases import AT


def check(*words: object, policy: str = "signed") -> Result:
    options = ("--offline", "--policy", policy, "--at", AT.isoformat())
    result = CliRunner().invoke(main, ["check", *options, *map(str, words)])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "acme.pem"
    path.write_bytes(pem_of(SIGNING_KEY))
    return path


def test_the_answer_says_who_signed_and_that_nothing_else_is_known(tmp_path: Path) -> None:
    folder = lay_out_signed_only(tmp_path / "model")
    result = check(folder)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert f"signed by {BY_CERTIFICATE.line}; nothing is known of where it was made" in " ".join(lines[:4])
    assert f"publisher        {BY_CERTIFICATE.identity.digest.hex()}" in lines
    assert "grade            0 (not graded: no confidential hardware)" in lines
    found = json.loads(check(folder, "--json").stdout)
    assert (found["schema"], found["accepted"], found["claims"]) == ("provenance-oracle/check/v2", True, None)
    assert (found["name"], found["record"], found["grade"]) == (None, None, 0)
    assert found["publisher"] == found["signed_by"]["digest"] == BY_CERTIFICATE.identity.digest.hex()


def test_the_default_policy_asks_for_hardware_and_names_the_other(tmp_path: Path) -> None:
    result = check(lay_out_signed_only(tmp_path / "model"), policy="baseline")
    assert result.exit_code == 5
    assert "policy `signed`" in result.output


def test_a_key_must_be_given(tmp_path: Path, key: Path) -> None:
    folder = lay_out_signed_only(tmp_path / "model", BY_KEY)
    result = check(folder)
    assert (result.exit_code, "--publisher-key" in result.output) == (2, True)
    assert check(folder, "--publisher-key", key).exit_code == 0


def test_an_expected_publisher(tmp_path: Path, key: Path) -> None:
    folder, ca = lay_out_signed_only(tmp_path / "model"), tmp_path / "ca.pem"
    ca.write_bytes(pem_of_certificates(certified(LEAF, CA, ROOT)[-1:]))
    assert check(folder, "--identity", BY_CERTIFICATE.line).exit_code == 0
    assert check(folder, "--publisher-ca", ca).exit_code == 0
    assert check(folder, "--identity", BY_KEY.line).exit_code == 5
    assert check(folder, "--publisher-key", key).exit_code == 5


def test_a_signature_may_lie_beside_the_model(tmp_path: Path, key: Path) -> None:
    folder = lay_out_signed_only(tmp_path / "model", BY_KEY)
    bundle = (folder / SIGNED_BUNDLE_PATH).rename(tmp_path / "model.oms")
    assert check(folder, "--signature", bundle, "--publisher-key", key).exit_code == 0
    assert check(folder, "--publisher-key", key).exit_code == 3  # no release at all
    evidence = lay_out_signed(tmp_path / "evidence")
    assert check(evidence, "--signature", bundle, policy="demo").exit_code == 2


def test_a_model_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network: a whole snapshot is not downloaded again."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    snapshot = to_cache(lay_out_signed_only(tmp_path / "model"), tmp_path / "hub")
    assert hub_folder("hf://org/model", offline=False) == snapshot
    assert check("hf://org/model", "--identity", BY_CERTIFICATE.line).exit_code == 0
    (snapshot / "config.json").unlink()
    with pytest.raises(UsageError, match="not whole in the cache"):
        hub_folder("hf://org/model", offline=False)


def test_a_changed_file_is_forged(tmp_path: Path) -> None:
    folder = lay_out_signed_only(tmp_path / "model")
    (folder / "config.json").write_bytes(b"[]\n")
    result = check(folder)
    assert (result.exit_code, "different: config.json" in result.output) == (4, True)


def test_single_files_cannot_be_checked(tmp_path: Path) -> None:
    folder = lay_out_signed_only(tmp_path / "model")
    assert check(folder, "config.json").exit_code == 2
