"""Evidence of GPUs in a release: judged where it is, in verdict and record, and absent from both where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.verifier.checks import Check, Finding, Outcome
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.gpu_evidence.verify import gpu_nonce
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import GPU_FOLDER, GPU_PATHS, read_release
from tests.support.fake_gpus import FakeGpu, spki_of
from tests.support.whole_releases import AT, KEY, lay_out, pinning_policy

NONCE = gpu_nonce(spki_of(KEY))
GPU = FakeGpu()
_OTHER = ec.derive_private_key(21, ec.SECP384R1())
OTHER_GPU = GPU.with_certificate(1, key=_OTHER).with_certificate(0, signer=_OTHER, authority_of=_OTHER)
_MEANING = "made for this key; not proved to be attached to this VM"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("gpus") / "release")


@pytest.fixture
def put(release: Path) -> Callable[..., None]:
    """Return a function that puts files of GPUs into the release, in place of those before."""
    folder = release / GPU_FOLDER

    def put(*files: bytes, **named: bytes) -> None:
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for path_in_release, data in zip(GPU_PATHS, files, strict=False):
            (release / path_in_release).write_bytes(data)
        for name, data in named.items():
            (folder / f"{name.replace('_', '-')}.json").write_bytes(data)
        if not files and not named:
            folder.rmdir()

    return put


def _judge(release: Path, *roots: bytes) -> Judgement:
    return judge(read_release(release), pinning_policy(), at=AT, gpu_roots=roots or (GPU.root,))


def _refusal(release: Path, *roots: bytes) -> ProvenanceError:
    with pytest.raises((FormatError, VerificationError)) as caught:
        _judge(release, *roots)
    return caught.value


def _finding(judgement: Judgement) -> Finding | None:
    return next((found for found in judgement.findings if found.check is Check.GPU_EVIDENCE), None)


def test_it_is_in_verdict_and_record(release: Path, put: Callable[..., None]) -> None:
    put(GPU.file(NONCE))
    judgement = _judge(release)
    finding = _finding(judgement)
    assert finding is not None
    assert finding.outcome is Outcome.PASSED
    assert finding.got == f"genuine GPU (GH100 A01 GSP BROM, driver 580.95.05), {_MEANING}"
    assert judgement.record.checks >> Check.GPU_EVIDENCE.bit & 1
    predicate = json.loads(judgement.verdict.statement)["predicate"]
    assert "PROVENANCE_ORACLE_GPU_EVIDENCE" in predicate["verifiedLevels"]
    assert GPU_PATHS[0] in [one["uri"] for one in predicate["inputAttestations"]]
    assert GPU_PATHS[0].encode() in archive(read_release(release), judgement.result.policy)


def test_a_release_without_it_has_the_verdict_that_it_always_had(release: Path, put: Callable[..., None]) -> None:
    put()
    judgement = _judge(release)
    assert _finding(judgement) is None
    assert b"gpu" not in judgement.verdict.statement
    assert not judgement.record.checks >> Check.GPU_EVIDENCE.bit


def test_each_gpu_counts_once(release: Path, put: Callable[..., None]) -> None:
    put(GPU.file(NONCE), OTHER_GPU.file(NONCE))
    finding = _finding(_judge(release))
    assert finding is not None
    assert finding.got.startswith("genuine GPUs (2 x GH100")
    put(GPU.file(NONCE), GPU.file(NONCE))
    error = _refusal(release)
    assert (error.check, error.where) == (Check.GPU_EVIDENCE, GPU_PATHS[1])
    assert "one GPU made two files" in str(error)


@pytest.mark.parametrize(
    ("data", "roots", "exit_code", "problem"),
    [
        (GPU.file(NONCE), (bytes(32),), 4, "root is not trusted"),
        (GPU.file(bytes(32)), (), 4, "not made for this key"),
        (replace(GPU, signer=_OTHER).file(NONCE), (), 4, "signature does not verify"),
        (b"{}", (), 3, "missing"),
        (b" " * (64 * 1024 + 1), (), 3, "too large"),
    ],
)
def test_only_this_check_fails(
    release: Path, put: Callable[..., None], data: bytes, roots: tuple[bytes, ...], exit_code: int, problem: str
) -> None:
    put(data)
    error = _refusal(release, *roots)
    assert (error.check, error.exit_code) == (Check.GPU_EVIDENCE, exit_code)
    assert error.where.startswith(GPU_PATHS[0])
    assert problem in str(error)
    assert [found.check for found in error.findings if found.outcome is Outcome.FAILED] in ([error.check], [])


def test_files_have_numbers_without_a_gap_and_no_other_names(release: Path, put: Callable[..., None]) -> None:
    put(gpu_1=GPU.file(NONCE))
    error = _refusal(release)
    assert (error.check, error.where) == (Check.GPU_EVIDENCE, GPU_PATHS[0])
    for name in ("gpu_16", "gpu_00", "other"):
        put(**{name: GPU.file(NONCE)})
        error = _refusal(release)
        assert (error.check, error.wanted) == (Check.FILE_SET, f"{GPU_PATHS[0]} to {GPU_PATHS[15]}")


def test_a_flipped_byte_changes_the_outcome_or_the_verdict(release: Path, put: Callable[..., None]) -> None:
    data = GPU.file(NONCE)
    put(data)
    good = _judge(release).verdict.digest
    for at in range(0, len(data), len(data) // 40):
        put(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            assert _judge(release).verdict.digest != good
        except ProvenanceError as error:
            assert error.check is Check.GPU_EVIDENCE
    put()
