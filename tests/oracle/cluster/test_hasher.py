"""Tests of hashing by workers, without Ray: the workers run in this process and answer as a test wants."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from provenance_oracle.oracle.cluster.connection import PieceAnswer
from provenance_oracle.oracle.cluster.hasher import ClusterHasher, WorkerFaultError
from provenance_oracle.oracle.cluster.pieces import FilePiece, PieceResult, hash_piece, hash_range, piece_of
from provenance_oracle.verifier.digest.files import ReferenceHasher, digest_file
from provenance_oracle.verifier.digest.tree.blocks import PythonBlocks
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.merkle import NODE_BYTES
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.files import open_any_file

MIB = 1024 * 1024


@dataclass
class Here:
    """Workers in this process. They answer the newest piece first. `change` alters an answer before it is given."""

    change: Callable[[PieceAnswer], PieceAnswer] = lambda answer: answer
    slots: int = 3
    waiting: list[tuple[int, FilePiece]] = field(default_factory=list)
    most_waiting: int = 0
    closed: int = 0

    def send(self, number: int, piece: FilePiece) -> None:
        self.waiting.append((number, piece))
        self.most_waiting = max(self.most_waiting, len(self.waiting))

    def receive(self, tick: Callable[[], object]) -> PieceAnswer:
        tick()
        number, piece = self.waiting.pop()
        return self.change(PieceAnswer(number, hash_piece(piece, on_gpu=False), 0))

    def close(self) -> None:
        self.closed += 1


def _file(folder: Path, size: int) -> Path:
    path = folder / "weights"
    path.write_bytes(Random(size).randbytes(size))
    return path


def _hasher(workers: Here, **options: int) -> ClusterHasher:
    sizes = {"piece_bytes": 2 * NODE_BYTES, "worth_bytes": NODE_BYTES} | options
    return ClusterHasher(CpuHasher(1), lambda: workers, random=Random(1), **sizes)


@pytest.mark.parametrize(
    "size",
    [
        NODE_BYTES,
        NODE_BYTES + 1,
        2 * NODE_BYTES - 1,
        2 * NODE_BYTES,
        7 * MIB + 4096,
        7 * MIB + 4097,
        64 * MIB + 123,  # a second level of nodes
    ],
)
def test_every_size_has_the_digest_of_the_reference(tmp_path: Path, size: int) -> None:
    path = _file(tmp_path, size)
    seen: list[int] = []
    found = digest_file(path, hasher=_hasher(Here()), progress=lambda done, _all: seen.append(done))
    assert found == digest_file(path, hasher=CpuHasher(1))
    assert max(seen) == size


def test_it_equals_the_readable_reference(tmp_path: Path) -> None:
    path = _file(tmp_path, 3 * MIB + 5)
    assert digest_file(path, hasher=_hasher(Here())) == digest_file(path, hasher=ReferenceHasher())


def test_small_files_and_whole_file_digests_stay_here(tmp_path: Path) -> None:
    workers = Here()
    path = _file(tmp_path, 2 * MIB)
    hasher = _hasher(workers, worth_bytes=2 * MIB + 1)
    assert digest_file(path, hasher=hasher) == digest_file(path)
    assert digest_file(path, hasher=_hasher(workers), sha256=True) == digest_file(path, sha256=True)
    assert workers.most_waiting == 0


def test_streams_stay_here() -> None:
    class Stream:
        path, size = "weights", 2 * MIB
        left = size

        def read(self, most: int) -> bytes:
            most = min(most, self.left, 100_000)
            self.left -= most
            return bytes(most)

    workers = Here()
    found = _hasher(workers)(Stream(), sha256=False, advance=lambda _size: None)
    assert found.fsverity == fsverity_digest(bytes(2 * MIB))
    assert workers.most_waiting == 0


def test_no_more_pieces_are_out_than_two_for_each_slot(tmp_path: Path) -> None:
    workers = Here(slots=2)
    digest_file(_file(tmp_path, 12 * MIB), hasher=_hasher(workers))
    assert workers.most_waiting == 4


def test_a_worker_that_computes_wrongly_is_named(tmp_path: Path) -> None:
    def flip(answer: PieceAnswer) -> PieceAnswer:
        nodes = bytes(byte ^ 1 for byte in answer.result.nodes)
        return replace(answer, result=replace(answer.result, nodes=nodes, worker="machine-7 (process 3)"))

    workers = Here(flip)
    with pytest.raises(WorkerFaultError, match="take it out of the cluster") as caught:
        digest_file(_file(tmp_path, 4 * MIB), hasher=_hasher(workers))
    assert "machine-7 (process 3)" in caught.value.got
    assert caught.value.exit_code == 1
    assert workers.closed == 1


def test_every_node_of_a_piece_can_be_sampled(tmp_path: Path) -> None:
    """One wrong node of eight is found by some seed and missed by another: the sample is random."""
    path = _file(tmp_path, 4 * MIB)

    def spoil(answer: PieceAnswer) -> PieceAnswer:
        nodes = bytearray(answer.result.nodes)
        nodes[5 * 32] ^= 1
        return replace(answer, result=replace(answer.result, nodes=bytes(nodes)))

    found = set()
    for seed in range(30):
        hasher = ClusterHasher(
            CpuHasher(1), lambda: Here(spoil), random=Random(seed), piece_bytes=4 * MIB, worth_bytes=MIB
        )
        try:
            digest_file(path, hasher=hasher)
            found.add("missed")
        except WorkerFaultError:
            found.add("found")
    assert found == {"missed", "found"}


@pytest.mark.parametrize("size", [0, 32, 96])
def test_an_answer_of_another_length_is_a_fault(tmp_path: Path, size: int) -> None:
    def cut(answer: PieceAnswer) -> PieceAnswer:
        return replace(answer, result=replace(answer.result, nodes=bytes(size)))

    with pytest.raises(WorkerFaultError, match="2 digests of 32 bytes"):
        digest_file(_file(tmp_path, 4 * MIB), hasher=_hasher(Here(cut)))


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_an_answer_that_nobody_asked_for_is_refused(tmp_path: Path, number: int) -> None:
    with pytest.raises(TemporaryError, match="not asked for"):
        digest_file(_file(tmp_path, 2 * MIB), hasher=_hasher(Here(lambda answer: replace(answer, number=number))))


def test_an_answer_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="not asked for"):
        digest_file(_file(tmp_path, 4 * MIB), hasher=_hasher(Here(lambda answer: replace(answer, number=3))))


def test_a_worker_without_the_file_is_named_with_the_next_step(tmp_path: Path) -> None:
    def lost(answer: PieceAnswer) -> PieceAnswer:
        return replace(answer, result=PieceResult(b"", "no such file", False, "machine-7 (process 3)"))

    with pytest.raises(TemporaryError, match="folders must be one") as caught:
        digest_file(_file(tmp_path, 2 * MIB), hasher=_hasher(Here(lost)))
    assert "machine-7" in caught.value.got


def test_a_file_that_changes_is_tried_again_later(tmp_path: Path) -> None:
    path = _file(tmp_path, 4 * MIB)

    def touch(answer: PieceAnswer) -> PieceAnswer:
        os.utime(path, ns=(1, 1))
        return answer

    with pytest.raises(ChangedError):
        digest_file(path, hasher=_hasher(Here(touch)))


def test_a_failure_opens_the_connection_anew(tmp_path: Path) -> None:
    path = _file(tmp_path, 2 * MIB)
    opened: list[Here] = []

    def connect() -> Here:
        opened.append(Here(lambda answer: replace(answer, number=7) if len(opened) == 1 else answer))
        return opened[-1]

    hasher = ClusterHasher(CpuHasher(1), connect, piece_bytes=MIB, worth_bytes=MIB)
    with pytest.raises(TemporaryError):
        digest_file(path, hasher=hasher)
    assert digest_file(path, hasher=hasher) == digest_file(path)
    assert [workers.closed for workers in opened] == [1, 0]


def test_the_wait_for_an_answer_can_be_ended(tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    def stop(_done: int, _all: int) -> None:
        raise Stop

    workers = Here()
    with pytest.raises(Stop):
        digest_file(_file(tmp_path, 2 * MIB), hasher=_hasher(workers), progress=stop)
    assert workers.closed == 1


@pytest.mark.parametrize("member", ["inode", "modified_ns", "changed_ns", "file_bytes"])
def test_a_worker_refuses_another_file_at_the_path(tmp_path: Path, member: str) -> None:
    with open_any_file(_file(tmp_path, 2 * MIB)) as file:
        piece = piece_of(file, file.path, 0, MIB)
    assert not hash_piece(piece, on_gpu=False).problem
    result = hash_piece(replace(piece, **{member: getattr(piece, member) + NODE_BYTES}), on_gpu=False)
    assert result.is_changed
    assert result.nodes == b""


def test_a_worker_reports_a_file_that_it_does_not_have(tmp_path: Path) -> None:
    with open_any_file(_file(tmp_path, 2 * MIB)) as file:
        piece = piece_of(file, file.path, 0, MIB)
    result = hash_piece(replace(piece, path=str(tmp_path / "elsewhere")), on_gpu=False)
    assert "no such file" in result.problem
    assert not result.is_changed


@pytest.mark.parametrize(("offset", "size"), [(4096, NODE_BYTES), (0, 4096), (NODE_BYTES, NODE_BYTES + 4096)])
def test_a_piece_has_whole_nodes(tmp_path: Path, offset: int, size: int) -> None:
    with open_any_file(_file(tmp_path, 4 * MIB)) as file:
        piece = piece_of(file, file.path, offset, size)
        with pytest.raises(ValueError, match="no whole nodes"):
            hash_range(file, piece, PythonBlocks())


def test_pieces_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 524288"):
        ClusterHasher(CpuHasher(1), Here, piece_bytes=NODE_BYTES + 4096)
