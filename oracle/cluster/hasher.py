"""A `files.FileHasher` that has large files hashed by the workers of a cluster, and checks a sample of their work.

The oracle cuts a file into pieces, gives them to workers, and builds the tree from the nodes that they return. Of every
piece it hashes random nodes again, from its own descriptor. A difference ends the release with the name of the worker.
The sample finds a broken worker, memory or cache. It does not find a worker that changes one chosen node: workers must
be as trusted as the oracle's own machine (docs/scaling.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from threading import Lock

from provenance_oracle.oracle.cluster.connection import PieceAnswer, Workers
from provenance_oracle.oracle.cluster.pieces import FilePiece, hash_range, piece_of
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.choose import NamedHasher
from provenance_oracle.verifier.digest.tree.blocks import BlockHash, PythonBlocks, Take
from provenance_oracle.verifier.digest.tree.fsverity import DIGEST_BYTES, FileDigest, descriptor_digest
from provenance_oracle.verifier.digest.tree.merkle import NODE_BYTES, Advance, NodeStack
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.strict.files import OpenBytes, OpenFile, changed

_log = logging.getLogger(__name__)
_PIECE_BYTES = 256 * 1024 * 1024
_WORTH_BYTES = 2 * _PIECE_BYTES  # a smaller file is done before a cluster has begun
_SAMPLED_NODES = 2  # of every piece
_AHEAD = 2  # pieces for each slot of the cluster: one running, one ready
_AHEAD_MAX = 1024
_LOCK_SECONDS = 1.0


class WorkerFaultError(ProvenanceError):
    """A worker returned a digest that differs from ours: the worker, its memory or its view of the file is broken.

    It is no VerificationError, because the release is not to blame. Exit code 1.
    """


@dataclass
class _Progress:
    """The pieces of one file: which are sent, and the digests that wait for those of an earlier piece."""

    pieces: list[FilePiece]
    nodes: NodeStack
    sent: int = 0
    pushed: int = 0
    repeated: int = 0
    early: dict[int, bytes] = field(default_factory=dict)


class ClusterHasher:
    """Has large files on disk hashed by a cluster. The local hasher takes all others.

    These are small files, files whose SHA-256 is wanted too, and streams from a store, which come to this machine. The
    SHA-256 of a whole file is serial, and the local hasher computes the tree in the same pass. Threads that call at
    the same time take turns: one file uses all workers.

    Args:
        connect: opens the connection when the first large file comes, and again after a failure.
        random: chooses the nodes to hash again.
        piece_bytes: a multiple of 512 KiB.
    """

    def __init__(
        self,
        local: NamedHasher,
        connect: Callable[[], Workers],
        *,
        random: Random | None = None,
        piece_bytes: int = _PIECE_BYTES,
        worth_bytes: int = _WORTH_BYTES,
    ) -> None:
        if piece_bytes % NODE_BYTES:
            raise ValueError(f"a piece of {piece_bytes} bytes is no multiple of {NODE_BYTES}")
        self._local = local
        self._connect = connect
        self._random = random or SystemRandom()
        self._piece_bytes = piece_bytes
        self._worth_bytes = max(worth_bytes, NODE_BYTES)
        self._blocks: BlockHash = load_native() or PythonBlocks()
        self._connection: Workers | None = None
        self._lock = Lock()
        self.repeated = 0  # pieces given to another worker because theirs died

    @property
    def files_at_once(self) -> int:
        return self._local.files_at_once

    @property
    def path_name(self) -> str:
        """The name of the implementation that runs, for people."""
        return f"ray, and {self._local.path_name} for small files"

    def __call__(self, file: OpenBytes, *, sha256: bool, advance: Advance, also: Sequence[Take] = ()) -> FileDigest:
        """Hash one open file.

        Raises:
            ChangedError: the file changed. TemporaryError: the file cannot be read, or the cluster failed.
            WorkerFaultError: a worker computes wrongly.
        """
        if sha256 or also or file.size < self._worth_bytes or not isinstance(file, OpenFile):
            return self._local(file, sha256=sha256, advance=advance, also=also)
        while not self._lock.acquire(timeout=_LOCK_SECONDS):
            advance(0)  # may end the wait: a deadline, or a request to stop
        try:
            connection = self._connection = self._connection or self._connect()
            root = self._root(connection, file, advance)
        except BaseException:
            self.close()  # what is under way is of no use any more
            raise
        finally:
            self._lock.release()
        return FileDigest(file.path, file.size, descriptor_digest(file.size, root))

    def close(self) -> None:
        """End the connection. The next large file opens it again."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _root(self, connection: Workers, file: OpenFile, advance: Advance) -> bytes:
        progress = _Progress(self._cut(file), NodeStack(self._blocks))
        window = min(_AHEAD_MAX, _AHEAD * max(1, connection.slots))
        while progress.pushed < len(progress.pieces):
            while progress.sent < min(len(progress.pieces), progress.pushed + window):
                connection.send(progress.sent, progress.pieces[progress.sent])
                progress.sent += 1
            self._take(progress, file, connection.receive(lambda: advance(0)), advance)
        self.repeated += progress.repeated
        if progress.repeated:
            _log.warning("%d pieces of %s had to be hashed again: workers died", progress.repeated, file.path)
        return progress.nodes.root()

    def _cut(self, file: OpenFile) -> list[FilePiece]:
        path = str(Path(f"/proc/self/fd/{file.descriptor}").readlink())
        starts = range(0, file.size, self._piece_bytes)
        return [piece_of(file, path, start, min(self._piece_bytes, file.size - start)) for start in starts]

    def _take(self, progress: _Progress, file: OpenFile, answer: PieceAnswer, advance: Advance) -> None:
        """Check an answer, and add the digests that are next to the tree."""
        number = answer.number
        if not progress.pushed <= number < progress.sent or number in progress.early:
            raise TemporaryError("the Ray cluster failed", where=file.path, got=f"an answer {number}, not asked for")
        self._check(file, progress.pieces[number], answer)
        progress.repeated += answer.repeated
        progress.early[number] = answer.result.nodes
        advance(progress.pieces[number].size)
        while progress.pushed in progress.early:
            progress.nodes.push(progress.early.pop(progress.pushed))
            progress.pushed += 1

    def _check(self, file: OpenFile, piece: FilePiece, answer: PieceAnswer) -> None:
        """Raise unless a worker hashed the piece, and its digests are right as far as the sample tells."""
        result = answer.result
        if result.is_changed:
            raise changed(file.path)
        if result.problem:
            wanted = f"the file at {piece.path} on every worker: the oracle's and the workers' folders must be one"
            got = f"{result.worker}: {result.problem}"
            raise TemporaryError("a worker cannot read the file", where=file.path, got=got, wanted=wanted)
        count = -(-piece.size // NODE_BYTES)
        if len(result.nodes) != count * DIGEST_BYTES:
            got = f"{len(result.nodes)} bytes from {result.worker}"
            raise _fault(file.path, got, f"{count} digests of 32 bytes")
        for node in {self._random.randrange(count) for _ in range(_SAMPLED_NODES)}:
            self._check_node(file, piece, node, answer)

    def _check_node(self, file: OpenFile, piece: FilePiece, node: int, answer: PieceAnswer) -> None:
        start = piece.offset + node * NODE_BYTES
        size = min(NODE_BYTES, piece.offset + piece.size - start)
        part = piece_of(file, piece.path, start, size)
        wanted = hash_range(file, part, self._blocks)
        got = answer.result.nodes[node * DIGEST_BYTES : (node + 1) * DIGEST_BYTES]
        if got == wanted:
            return
        if (part.modified_ns, part.changed_ns) != (piece.modified_ns, piece.changed_ns):
            raise changed(file.path)
        where = f"{file.path}, bytes {start} to {start + size}"
        raise _fault(where, f"{got.hex()} from {answer.result.worker}", wanted.hex())


def _fault(where: str, got: str, wanted: str) -> WorkerFaultError:
    problem = "a worker computes wrongly: its digest differs from ours; take it out of the cluster"
    return WorkerFaultError(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
