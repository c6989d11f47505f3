"""Evidence of GPUs on its way from NVIDIA's tools into a release: `attest --gpu-evidence` and `--gpus`, then `pack`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.publisher.evidence.gpus import gpus_from_driver
from provenance_oracle.publisher.keys import load_key
from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.gpu_evidence.verify import gpu_nonce
from provenance_oracle.verifier.judgement.release import GPU_FOLDER
from tests.publisher.cli.test_attest_and_pack import run
from tests.support.fake_gpus import FakeGpu
from tests.support.publisher_files import write_key

GPU = FakeGpu()


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the publisher's trial trust the fake GPU. `check` has NVIDIA's root alone."""
    monkeypatch.setattr("provenance_oracle.publisher.trial.NVIDIA_DEVICE_ROOTS", (GPU.root,))


def _attest(folder: Path, *more: str | Path) -> tuple[int, dict[str, Any]]:
    source = ("--simulator", "genoa", "--out", folder / "evidence")
    return run("attest", "--key", folder / "cvm.key", *source, *more)


def _nonce(folder: Path) -> bytes:
    return gpu_nonce(public_key_of(load_key(folder / "cvm.key"))[1].spki)


def test_a_list_of_nvidias_tools_becomes_files_of_the_release(tmp_path: Path) -> None:
    _attest(tmp_path)
    document = GPU.document(_nonce(tmp_path))
    (tmp_path / "gpus.json").write_text(json.dumps([document]))
    assert _attest(tmp_path, "--gpu-evidence", tmp_path / "gpus.json")[0] == 0
    make_tiny_model(tmp_path / "model")
    pack = ("--evidence", tmp_path / "evidence", "--key", tmp_path / "cvm.key", "--name", "a/b", "--version", "1")
    assert run("pack", tmp_path / "model", *pack)[0] == 0
    file = tmp_path / "model" / GPU_FOLDER / "gpu-0.json"
    assert json.loads(file.read_bytes()) == document
    code, answer = run("check", tmp_path / "model", "--offline", "--policy", "demo")
    assert (code, answer["error"]["check"]) == (4, "gpu-evidence")
    assert "root is not trusted" in answer["error"]["message"]
    # evidence without GPUs takes the files of the former release away
    _attest(tmp_path)
    assert run("pack", tmp_path / "model", *pack, "--replace")[0] == 0
    assert not file.exists()
    assert run("check", tmp_path / "model", "--offline", "--policy", "demo")[0] == 0


def test_the_publisher_signs_the_evidence_of_gpus_too(tmp_path: Path) -> None:
    _attest(tmp_path)
    (tmp_path / "gpu.json").write_bytes(GPU.file(_nonce(tmp_path)))
    assert _attest(tmp_path, "--gpu-evidence", tmp_path / "gpu.json")[0] == 0
    make_tiny_model(tmp_path / "model")
    pack = ("--evidence", tmp_path / "evidence", "--key", tmp_path / "cvm.key", "--name", "a/b", "--version", "1")
    assert run("pack", tmp_path / "model", *pack, "--sign-key", write_key(tmp_path / "acme.key"))[0] == 0
    key = ("--publisher-key", tmp_path / "model" / "provenance" / "publisher-key.pem")
    assert run("signature", tmp_path / "model", *key)[0] == 0
    (tmp_path / "model" / GPU_FOLDER / "gpu-0.json").write_bytes(b"{}")
    assert run("signature", tmp_path / "model", *key)[0] == 4


def test_evidence_for_another_key_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "gpu.json").write_bytes(GPU.file(bytes(32)))
    code, document = _attest(tmp_path, "--gpu-evidence", tmp_path / "gpu.json")
    assert (code, document["error"]["check"]) == (4, "gpu-evidence")
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize("text", ["[]", "[1]", "{", json.dumps([GPU.document(bytes(32))] * 17)])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gpu.json").write_text(text)
    assert _attest(tmp_path, "--gpu-evidence", tmp_path / "gpu.json")[0] in (2, 3)
    assert _attest(tmp_path, "--gpu-evidence", tmp_path / "gpu.json", "--gpus")[0] == 2


def test_a_request_takes_no_evidence(tmp_path: Path) -> None:
    _attest(tmp_path)
    request = ("attest", "--key", tmp_path / "cvm.key", "--request", tmp_path / "request.bin")
    assert run(*request, "--gpus")[0] == 2
    assert run(*request)[0] == 0
    assert (tmp_path / "request.bin").read_bytes()[:32] == _nonce(tmp_path)


class _Nvml(SimpleNamespace):
    """NVML as `pynvml` shows it: this machine has no GPU in confidential mode."""

    class NVMLError(Exception):
        """The error of every call."""

    def __init__(self, architecture: int, fails: bool = False) -> None:
        super().__init__(architecture=architecture, fails=fails, calls=[])

    def nvmlInit(self) -> None:
        if self.fails:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlShutdown(self) -> None:
        self.calls.append("shutdown")

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetArchitecture(self, _device: int) -> int:
        return int(self.architecture)

    def nvmlDeviceGetConfComputeGpuAttestationReport(self, _device: int, nonce: bytes) -> object:
        data = GPU.messages(nonce)
        return SimpleNamespace(attestationReport=list(data + bytes(9)), attestationReportSize=len(data))

    def nvmlDeviceGetConfComputeGpuCertificate(self, _device: int) -> object:
        data = GPU.chain()
        return SimpleNamespace(attestationCertChain=list(data + bytes(9)), attestationCertChainSize=len(data))


def test_the_driver_is_asked_with_the_key_as_nonce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = _Nvml(9)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert _attest(tmp_path, "--gpus")[0] == 0
    document = json.loads((tmp_path / "evidence" / "gpu-0.json").read_bytes())
    assert (document["arch"], document["nonce"]) == ("HOPPER", _nonce(tmp_path).hex())
    assert nvml.calls == ["shutdown"]


@pytest.mark.parametrize(
    ("nvml", "problem"),
    [
        (None, "nvidia-ml-py"),
        (_Nvml(9, fails=True), "Driver Not Loaded"),
        (_Nvml(8), "architecture 8"),
    ],
)
def test_a_machine_without_such_a_gpu_says_so(nvml: object, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    with pytest.raises(UsageError, match=problem):
        gpus_from_driver(bytes(32))
