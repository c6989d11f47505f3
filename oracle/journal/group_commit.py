"""Transactions of several threads on one connection, each durable when it returns, with few commits.

A commit waits for the disk, a few milliseconds. A thread that ends its block while others wait for their turn leaves
the commit to them, and returns once one of them made it. So ten threads that write at the same time wait for the disk
once, not ten times. A thread may also leave its commit to a later block. Each block after the first has a savepoint:
one that fails takes back nothing of the others.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from provenance_oracle.oracle.journal.store import Session
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError

_BLOCKS_MAX = 64  # in one commit
_LATER_SECONDS = 0.25  # after which no commit is left to a later block: the lock keeps other processes from writing
_PATIENCE_SECONDS = 0.05  # after which a thread no longer leaves the commit to another one


class _Group:
    """The blocks that one commit makes durable."""

    def __init__(self) -> None:
        self.count = 0
        self.until = time.monotonic() + _LATER_SECONDS
        self.done = threading.Event()
        self.error: Exception | None = None
        self.before_commit: list[Callable[[], object]] = []

    def end(self, error: Exception | None) -> None:
        self.error = error
        self.done.set()


class GroupCommit(ABC):
    """The transactions of a store. A subclass says how one begins and ends on its connection.

    The methods that a subclass gives are called by one thread at a time, and raise the store's own failures.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._count_lock = threading.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self.commits = 0  # for tests and measurements

    @abstractmethod
    def _begin(self) -> Session:
        """Begin a transaction, or return the session of the one that is open."""

    @abstractmethod
    def _commit(self) -> None:
        """Commit, durably."""

    @abstractmethod
    def _rollback(self) -> None:
        """Take back the open transaction, if there is one. Never raises."""

    @abstractmethod
    def _is_open(self) -> bool:
        """Return whether the transaction is still open: some failures of a database end it."""

    @abstractmethod
    def _failures(self) -> AbstractContextManager[None]:
        """Turn the database's failures in a block into ours."""

    @contextmanager
    def transaction(self, *, later: bool = False) -> Iterator[Session]:
        """Run the statements of a block as one durable transaction: all take effect, or none does.

        Args:
            later: return before the commit, which a later transaction or `flush` makes. If that fails, the block is
                taken back, and its caller is not told.
        """
        with self._failures():
            with self._in_turn():
                session, group = self._joined()
                try:
                    if group.count:  # the first block of a group needs no savepoint: its failure ends the group
                        session.execute("SAVEPOINT block")
                    yield session
                    if group.count:
                        session.execute("RELEASE SAVEPOINT block")
                    group.count += 1
                except BaseException as error:
                    self._undo_block(session, group, error)
                    raise
                finally:
                    is_last = not self._waiting and (not later or time.monotonic() > group.until)
                    if group is self._group and (is_last or group.count >= _BLOCKS_MAX):
                        self._finish(group)
            if not later:
                self._wait_for(group)

    def flush(self) -> None:
        """Commit what `transaction(later=True)` left open."""
        with self._turn:
            group = self._group
            if group is not None:
                self._finish(group)
        if group is not None:
            self._wait_for(group)

    def before_commit(self, step: Callable[[], object]) -> None:
        """Have `step` called right before the commit of the transaction that this thread is in."""
        assert self._group is not None
        self._group.before_commit.append(step)

    def _end_group(self) -> None:
        """Commit what a thread that was interrupted left open. For `close`."""
        with self._turn:
            if self._group is not None:
                self._finish(self._group)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        with self._count_lock:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._count_lock:
                self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    def _joined(self) -> tuple[Session, _Group]:
        session = self._begin()
        if self._group is None:
            self._group = _Group()
        return session, self._group

    def _undo_block(self, session: Session, group: _Group, error: BaseException) -> None:
        """Take back one block. If the database took back the whole transaction, the other blocks have failed too."""
        if self._is_open() and group.count:
            try:
                session.execute("ROLLBACK TO SAVEPOINT block")
                session.execute("RELEASE SAVEPOINT block")
            except Exception as second:
                error = second
            else:
                return
        self._rollback()
        self._group = None
        problem = "the transaction that this one shared was taken back"
        group.end(error if isinstance(error, ProvenanceError) else TemporaryError(problem, where="journal"))

    def _finish(self, group: _Group) -> None:
        self._group = None
        try:
            with self._failures():
                for step in group.before_commit:
                    step()
                self._commit()
                self.commits += 1
        except Exception as error:
            self._rollback()
            group.end(error)
        except BaseException:
            self._rollback()
            group.end(TemporaryError("the commit was interrupted", where="journal"))
            raise
        else:
            group.end(None)

    def _wait_for(self, group: _Group) -> None:
        while not group.done.wait(_PATIENCE_SECONDS):
            with self._turn:
                if group is self._group:
                    self._finish(group)
        if isinstance(group.error, ProvenanceError):
            raise type(group.error)(group.error.problem, where=group.error.where, got=group.error.got) from group.error
        if group.error is not None:
            raise group.error
