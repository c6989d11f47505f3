"""configfs-tsm, simulated by a directory whose file operations act like the kernel's."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance_oracle.publisher.evidence.configfs_tsm import TsmFiles, TsmReport, read_tsm_report
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError

_REPORT_DATA = bytes(range(64))


@dataclass
class FakeKernel(TsmFiles):
    """Real files in a real directory. After each operation the fake does the kernel's part.

    The behaviour is that of Linux `drivers/virt/coco/tsm.c`: files appear and vanish with the directory, every write is
    counted, and a report is made when it is read, if there is an inblob.
    """

    provider: str = "sev_guest\n"
    auxblob: bytes | None = b"table"
    privlevel_floor: int = 0
    report_error: int = 0
    report_bytes: int = 1184
    other_writes: int = 0
    requests: list[Path] = field(default_factory=list)
    written: dict[str, bytes] = field(default_factory=dict)

    def make_directory(self, path: Path) -> None:
        super().make_directory(path)
        self.requests.append(path)
        names = {"provider": self.provider.encode(), "generation": b"0\n", "inblob": b"", "privlevel": b""}
        for name, content in names.items():
            (path / name).write_bytes(content)

    def remove_directory(self, path: Path) -> None:
        for attribute in path.iterdir():
            attribute.unlink()
        super().remove_directory(path)

    def write(self, path: Path, data: bytes) -> None:
        if path.name == "privlevel" and not self.privlevel_floor <= int(data) <= 3:
            raise OSError(errno.EINVAL, "Invalid argument", str(path))
        super().write(path, data)
        self.written[path.name] = data
        self._count(path.parent, 1)

    def read(self, path: Path, max_bytes: int) -> bytes:
        if path.name in ("outblob", "auxblob"):
            self._make_report(path)
        return super().read(path, max_bytes)

    def _make_report(self, path: Path) -> None:
        if self.report_error:
            raise OSError(self.report_error, os.strerror(self.report_error), str(path))
        inblob = (path.parent / "inblob").read_bytes()
        assert inblob, "a report without inblob is EINVAL"
        (path.parent / "outblob").write_bytes(inblob.ljust(self.report_bytes, b"\0"))
        if self.auxblob is not None:
            (path.parent / "auxblob").write_bytes(self.auxblob)
        if path.name == "outblob":
            self._count(path.parent, self.other_writes)

    def _count(self, request: Path, writes: int) -> None:
        counter = request / "generation"
        counter.write_text(f"{int(counter.read_text()) + writes}\n")


def test_a_report_is_asked_for_and_the_request_removed(tmp_path: Path) -> None:
    kernel = FakeKernel()
    answer = read_tsm_report(_REPORT_DATA, base=tmp_path, files=kernel, entropy=lambda count: b"\xab" * count)
    assert answer == TsmReport(_REPORT_DATA.ljust(1184, b"\0"), b"table")
    assert kernel.written == {"inblob": _REPORT_DATA}
    assert [path.name for path in kernel.requests] == ["provenance-" + "ab" * 16]
    assert list(tmp_path.iterdir()) == []


def test_every_request_has_a_name_of_its_own(tmp_path: Path) -> None:
    kernel = FakeKernel()
    for _ in range(2):
        read_tsm_report(_REPORT_DATA, base=tmp_path, files=kernel)
    assert len(set(kernel.requests)) == 2


def test_a_privilege_level_is_written_in_decimal(tmp_path: Path) -> None:
    kernel = FakeKernel()
    read_tsm_report(_REPORT_DATA, base=tmp_path, files=kernel, privlevel=2)
    assert kernel.written == {"inblob": _REPORT_DATA, "privlevel": b"2"}


@pytest.mark.parametrize("auxblob", [b"", None])
def test_a_host_may_have_no_certificates(tmp_path: Path, auxblob: bytes | None) -> None:
    answer = read_tsm_report(_REPORT_DATA, base=tmp_path, files=FakeKernel(auxblob=auxblob))
    assert answer.certificate_table == b""


@pytest.mark.parametrize(
    ("kernel", "error", "problem"),
    [
        (FakeKernel(provider="tdx_guest\n"), UsageError, "not an SEV-SNP guest: got tdx_guest"),
        (FakeKernel(other_writes=1), TemporaryError, "another process wrote"),
        (FakeKernel(report_error=errno.EFBIG), FormatError, "too large"),
        (FakeKernel(report_bytes=32769), FormatError, "too large"),
        (FakeKernel(report_error=errno.EIO), TemporaryError, "did not return a report"),
        (FakeKernel(report_error=errno.EWOULDBLOCK), TemporaryError, "did not return a report"),
        (FakeKernel(privlevel_floor=3), UsageError, "privlevel_floor"),
    ],
)
def test_failures_are_named_and_the_request_removed(
    tmp_path: Path, kernel: FakeKernel, error: type[ProvenanceError], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        read_tsm_report(_REPORT_DATA, base=tmp_path, files=kernel, privlevel=2)
    assert list(tmp_path.iterdir()) == []


def test_a_report_too_large_fails_as_a_report() -> None:
    with pytest.raises(FormatError) as caught:
        read_tsm_report(_REPORT_DATA, base=Path("/nowhere"), files=_Failing(errno.EFBIG))
    assert caught.value.check is Check.REPORT_FORMAT


@pytest.mark.parametrize(
    ("code", "problem"),
    [(errno.ENOENT, "configfs-tsm is missing"), (errno.ENXIO, "not a confidential VM"), (errno.EACCES, "needs root")],
)
def test_a_machine_without_reports_says_why(code: int, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_tsm_report(_REPORT_DATA, base=Path("/nowhere"), files=_Failing(code))


def test_without_configfs_nothing_is_touched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="configfs-tsm is missing"):
        read_tsm_report(_REPORT_DATA, base=tmp_path / "absent")


def test_report_data_is_64_bytes() -> None:
    with pytest.raises(UsageError, match="got 63 bytes, wanted 64 bytes"):
        read_tsm_report(bytes(63), base=Path("/nowhere"))


@pytest.mark.parametrize("text", ["", "x\n", "-1\n", "²\n"])
def test_a_strange_write_counter_is_no_crash(tmp_path: Path, text: str) -> None:
    class Strange(FakeKernel):
        def _count(self, request: Path, writes: int) -> None:
            (request / "generation").write_text(text)

    with pytest.raises(TemporaryError, match="write counter"):
        read_tsm_report(_REPORT_DATA, base=tmp_path, files=Strange())


class _Failing(TsmFiles):
    def __init__(self, code: int) -> None:
        self.code = code

    def make_directory(self, path: Path) -> None:
        raise OSError(self.code, os.strerror(self.code), str(path))
