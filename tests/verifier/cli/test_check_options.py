"""`check` with one file, with facts to insist on, with files left out, and with a model of the hub."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.cli.hub import cached_snapshot, hub_folder
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.judgement.release import CRL_PATH
from tests.support.check_command import check, document
from tests.support.hub_caches import COMMIT, to_cache
from tests.support.model_signatures import SIGNING_KEY, pem_of
from tests.support.signed_releases import BY_CERTIFICATE, BY_KEY, PUBLISHERS, lay_out_signed
from tests.support.signing_chains import CA, LEAF, ROOT, certified, pem_of_certificates
from tests.support.whole_releases import FILES, Deviation, lay_out


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "release")


# Some files


@pytest.mark.parametrize("words", [("config.json",), ("config.json", "tokenizer/vocab.txt")])
def test_some_files_are_checked_and_the_others_are_named(release: Path, words: tuple[str, ...]) -> None:
    (release / "model.safetensors").write_bytes(b"another model")
    result = check(release, *words)
    assert result.exit_code == 0, result.output
    assert f"checked          {len(words)} file" in result.output
    assert "NOT CHECKED" in result.output
    assert f"Only {len(words)} of 3 files were checked." in result.output.splitlines()[1]
    found = document(check(release, *words, "--json"))
    assert found["not_checked"] == sorted(FILES.keys() - set(words))
    assert (found["model_digest"], found["verdict_digest"], found["verdict_reproduced"]) == (None, None, False)
    outcomes = {one["check"]: one["outcome"] for one in found["findings"]}
    assert (outcomes["file-set"], outcomes["file-digests"]) == ("not-checked", "passed")


def test_a_file_alone_finds_its_release(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(release / "tokenizer" / "vocab.txt").exit_code == 0
    monkeypatch.chdir(release / "tokenizer")
    assert check("vocab.txt").exit_code == 0
    assert check("vocab.txt", "../config.json").exit_code == 0
    assert check("..", "vocab.txt", "config.json").exit_code == 0


def test_a_file_that_differs_is_forged(release: Path) -> None:
    (release / "config.json").write_bytes(b"[]\n")
    assert check(release / "config.json").exit_code == 4
    assert check(release / "model.safetensors").exit_code == 0
    (release / "config.json").write_bytes(b"longer")
    assert check(release, "config.json").exit_code == 4
    (release / "evil.py").write_bytes(b"")
    result = check(release, "evil.py")
    assert result.exit_code == 4
    assert "not a file of this release" in result.output


def test_all_wrong_files_of_a_part_are_told(release: Path) -> None:
    (release / "config.json").write_bytes(b"[]\n")
    (release / "tokenizer" / "vocab.txt").write_bytes(b"b\nb\n")
    assert "2 files differ from the manifest" in check(release, "config.json", "tokenizer/vocab.txt").output


def test_a_file_of_no_release_is_a_usage_error_that_says_so(release: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").write_bytes(b"")
    result = check(tmp_path / "alone")
    assert result.exit_code == 2
    assert "not a file of a release" in result.output
    for outside in (tmp_path / "alone", "../alone", "missing"):
        result = check(release, outside)
        assert result.exit_code == 2
        assert "no such file in the release" in result.output


def test_a_part_swapped_for_a_link_is_not_followed(release: Path, tmp_path: Path) -> None:
    shutil.copy(release / "config.json", tmp_path / "copy")
    (release / "config.json").unlink()
    (release / "config.json").symlink_to(tmp_path / "copy")
    assert check(release, "config.json").exit_code == 3


def test_evidence_is_judged_for_a_part_too(tmp_path: Path) -> None:
    damaged = lay_out(tmp_path / "bad", Deviation(damage=lambda f: (f / "provenance/cvm-key.pem").write_bytes(b"x")))
    assert check(damaged, "config.json").exit_code == 3


# What the user insists on, and what is always said


def test_publisher_and_namespace_are_always_said(release: Path) -> None:
    found = document(check(release, "--json"))
    text = check(release).output
    assert f"publisher        {found['publisher']}" in text
    assert "namespace        org: not looked up" in text
    assert found["namespace"] == {"name": "org", "looked_up": False, "owner": None}


def test_another_name_publisher_or_measurement_is_refused(release: Path) -> None:
    found = document(check(release, "--json"))
    right = {
        "--name": "org/model",
        "--publisher": found["publisher"],
        "--measurement": found["claims"]["measurement"],
    }
    for words in ([], ["config.json"]):
        assert check(release, *words, *(word for pair in right.items() for word in pair)).exit_code == 0
        assert check(release, *words, "--name", "org/model@1.0").exit_code == 0
        for option, value in (
            ("--name", "evil/other"),
            ("--name", "org/model@2"),
            ("--publisher", "ab" * 32),
            ("--measurement", "ab" * 48),
        ):
            result = check(release, *words, option, value, "--json")
            assert result.exit_code == 5, option
            error = document(result)["error"]
            assert error["wanted"] == value
            assert document(result)["accepted"] is False


@pytest.mark.parametrize("value", ["", "x", "ab", "ab" * 33])
def test_a_mistyped_digest_is_a_usage_error(release: Path, value: str) -> None:
    assert check(release, "--publisher", value).exit_code == 2


def test_the_findings_of_a_refused_name_are_told(release: Path) -> None:
    findings = document(check(release, "--publisher", "ab" * 32, "--json"))["findings"]
    outcomes = {one["check"]: one["outcome"] for one in findings}
    assert (outcomes["publisher-identity"], outcomes["file-digests"]) == ("failed", "passed")


# Files left out, and what to do next


def test_ignored_files_are_printed_and_in_the_document(release: Path) -> None:
    (release / ".git").mkdir()
    (release / ".git" / "HEAD").write_bytes(b"")
    (release / "notes.tmp").write_bytes(b"")
    assert check(release).exit_code == 4
    words = ("--ignore", ".git", "--ignore", "*.tmp")
    result = check(release, *words)
    assert result.exit_code == 0, result.output
    assert "not covered      .git, notes.tmp (you said so)" in result.output
    found = document(check(release, *words, "--json"))
    assert found["not_covered"] == [{"path": p, "reason": "ignored"} for p in (".git", "notes.tmp")]
    hashed = CliRunner().invoke(main, ["hash", str(release), "--device", "cpu", *words, "--json"])
    assert json.loads(hashed.stdout)["models"][0]["provenance_model_v1"] == found["model_digest"]
    assert json.loads(hashed.stdout)["models"][0]["not_covered"] == [".git", "notes.tmp"]


def test_files_of_the_hub_are_printed_and_in_the_document(release: Path) -> None:
    (release / ".gitattributes").write_text("*.gguf filter=lfs diff=lfs merge=lfs -text\n")
    assert "not covered      1 file: .gitattributes (hub and git add these" in check(release).output
    found = document(check(release, "--json"))
    assert found["not_covered"] == [{"path": ".gitattributes", "reason": "added by hub or git"}]


@pytest.mark.parametrize("pattern", ["", "!x", "[", "config.json", "../x"])
def test_patterns_that_cannot_be_are_usage_errors(release: Path, pattern: str) -> None:
    result = check(release, "--ignore", pattern)
    assert result.exit_code == 2
    assert "--ignore" in result.output


def test_a_folder_near_a_release_names_it(release: Path) -> None:
    for folder in (release / "tokenizer", release.parent):
        result = check(folder)
        assert result.exit_code == 3
        assert "not a release: no provenance/ in it" in result.output
        assert str(release) in result.output


def test_a_missing_revocation_list_names_the_options(tmp_path: Path) -> None:
    release = lay_out(tmp_path / "r", Deviation(damage=lambda folder: (folder / CRL_PATH).unlink()))
    stale = lay_out(tmp_path / "stale")
    late = CliRunner().invoke(main, ["check", str(stale), "--offline", "--policy", "demo", "--at", "2028-01-01"])
    for result in (check(release), late):
        assert result.exit_code == 7
        assert "--crl" in result.output
        assert "--fetch" in result.output


# hf://


@pytest.fixture
def hub(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    to_cache(release, tmp_path / "hub")
    return tmp_path / "hub"


@pytest.mark.parametrize("address", ["hf://org/model", f"hf://org/model@{COMMIT}", "hf://org/model@main"])
def test_a_model_is_found_in_the_cache(hub: Path, address: str) -> None:
    assert check(address).exit_code == 0
    assert check(address, "config.json").exit_code == 0


@pytest.mark.parametrize("address", ["hf://", "hf://model", "hf://a/b/c", "hf://a/..", "hf://a/b@../x", "hf://a/b@"])
def test_other_addresses_are_usage_errors(hub: Path, address: str) -> None:
    assert check(address).exit_code == 2


def test_what_is_not_in_the_cache_is_a_usage_error_offline(hub: Path) -> None:
    for address in ("hf://org/other", "hf://org/model@v2", f"hf://org/model@{'0' * 40}"):
        result = check(address)
        assert result.exit_code == 2
        assert "hf download" in result.output


def test_the_cache_is_where_the_hub_has_it(hub: Path, tmp_path: Path) -> None:
    expected = hub / "models--org--model" / "snapshots" / COMMIT
    home = {"HF_HOME": str(tmp_path)}
    for environ in ({"HF_HUB_CACHE": str(hub)}, {"HUGGINGFACE_HUB_CACHE": str(hub)}, home):
        assert cached_snapshot("org/model", "main", environ) == expected
    shutil.copytree(hub, tmp_path / "huggingface" / "hub", symlinks=True)
    assert cached_snapshot("org/model", "main", {"XDG_CACHE_HOME": str(tmp_path)}) is not None
    assert cached_snapshot("org/model", "main", {"HF_HOME": str(tmp_path / "no")}) is None


@pytest.mark.parametrize("ref", [b"", b"../../etc", b"\xff" * 40, b"0" * 300])
def test_a_ref_that_is_no_commit_is_no_snapshot(hub: Path, ref: bytes) -> None:
    (hub / "models--org--model" / "refs" / "main").write_bytes(ref)
    assert cached_snapshot("org/model", "main", {"HF_HUB_CACHE": str(hub)}) is None


class Hub:
    """Stands in for huggingface_hub: `snapshot_download` returns a folder, or raises a failure."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Path | Exception | str) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._answer = answer
        package, errors = types.ModuleType("huggingface_hub"), types.ModuleType("huggingface_hub.errors")
        self.missing = errors.RepositoryNotFoundError = type("RepositoryNotFoundError", (Exception,), {})  # type: ignore[attr-defined]
        errors.RevisionNotFoundError = type("RevisionNotFoundError", (Exception,), {})  # type: ignore[attr-defined]
        package.snapshot_download = self.download  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "huggingface_hub", package)
        monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)

    def download(self, repository: str, *, revision: str | None, etag_timeout: float) -> str:
        self.asked.append((repository, revision))
        if self._answer == "missing":
            raise self.missing("no such\nrepository")
        if isinstance(self._answer, Exception):
            raise self._answer
        return str(self._answer)


def test_a_whole_snapshot_is_not_downloaded_again(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Hub(monkeypatch, hub).asked
    assert hub_folder("hf://org/model", offline=False).name == COMMIT
    assert asked == []


@pytest.mark.parametrize("missing", ["config.json", "provenance/manifest.dsse.json", "provenance/cvm-key.pem"])
def test_a_snapshot_that_lacks_files_is_completed(hub: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Programs download only the files that they load, so a cache seldom has a model whole."""
    (hub / "models--org--model" / "snapshots" / COMMIT / missing).unlink()
    asked = Hub(monkeypatch, hub / "downloaded").asked
    assert hub_folder("hf://org/model@main", offline=False) == hub / "downloaded"
    assert asked == [("org/model", "main")]


def test_failures_of_the_hub(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Hub(monkeypatch, "missing")
    with pytest.raises(UsageError, match="no such model"):
        hub_folder("hf://org/other", offline=False)
    Hub(monkeypatch, OSError("no route to host"))
    with pytest.raises(TemporaryError, match="no route to host"):
        hub_folder("hf://org/other", offline=False)


def test_without_the_extra_the_message_names_it(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"provenance-oracle\[hf\]"):
        hub_folder("hf://org/other", offline=False)


def test_the_release_in_the_cache_is_the_release(hub: Path, release: Path) -> None:
    digests = {document(check(place, "--json"))["verdict_digest"] for place in (release, "hf://org/model")}
    assert len(digests) == 1
    assert len(hashlib.sha256().digest()) == len(bytes.fromhex(digests.pop()))


# The publisher


def _ca(folder: Path) -> Path:
    path = folder / "ca.pem"
    path.write_bytes(pem_of_certificates(certified(LEAF, CA, ROOT)[-1:]))
    return path


def _key(folder: Path) -> Path:
    path = folder / "key.pem"
    path.write_bytes(pem_of(SIGNING_KEY))
    return path


def test_the_publisher_is_shown(tmp_path: Path) -> None:
    result = check(lay_out_signed(tmp_path / "release"))
    assert f"signed by        {BY_KEY.line}, over 4 of 4 files" in result.output
    assert f"publisher        {BY_KEY.identity.digest.hex()}\n" in result.output
    found = document(check(tmp_path / "release", "--json"))
    assert found["publisher"] == found["signed_by"]["digest"] == BY_KEY.identity.digest.hex()
    assert (found["signed_by"]["named"], found["signed_by"]["not_covered"]) == (True, [])


def test_a_signer_whom_the_manifest_does_not_name_is_shown_as_no_publisher(tmp_path: Path) -> None:
    result = check(lay_out_signed(tmp_path / "release", named=False))
    assert result.exit_code == 0
    assert "NOT the publisher: the manifest names none" in result.output
    assert document(check(tmp_path / "release", "--json"))["signed_by"]["named"] is False


def test_an_expected_publisher(tmp_path: Path) -> None:
    by_key, by_certificate = lay_out_signed(tmp_path / "a"), lay_out_signed(tmp_path / "b", BY_CERTIFICATE)
    for release, options, exit_code in (
        (by_key, ["--identity", BY_KEY.line], 0),
        (by_key, ["--identity", BY_CERTIFICATE.line, "--identity", BY_KEY.line], 0),
        (by_key, ["--publisher-key", _key(tmp_path)], 0),
        (by_key, ["--publisher-ca", _ca(tmp_path)], 5),
        (by_certificate, ["--publisher-ca", _ca(tmp_path)], 0),
        (by_certificate, ["--identity", BY_CERTIFICATE.line], 0),
        (by_certificate, ["--publisher-key", _key(tmp_path)], 5),
        (by_certificate, ["--identity", "me@example.org"], 2),
        (by_certificate, ["--publisher-key", tmp_path / "none"], 2),
    ):
        assert check(release, *options).exit_code == exit_code, options


def test_another_sigstore_must_be_named(tmp_path: Path) -> None:
    publisher = PUBLISHERS["sigstore, log version 2"]
    assert publisher.root
    root = tmp_path / "root.json"
    root.write_bytes(publisher.root.data)
    release = lay_out_signed(tmp_path / "release", publisher)
    assert check(release).exit_code == 4
    assert check(release, "--sigstore-root", root, "--identity", publisher.line).exit_code == 0
