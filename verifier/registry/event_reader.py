"""Read the events of contracts through a node, in as many requests as the node needs and no more.

Some nodes answer for few blocks at a time. The reader remembers how many, and with an `EventCache` also the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.registry.event_cache import Anchor, EventCache, Kept
from provenance_oracle.verifier.registry.node import NodeConnection
from provenance_oracle.verifier.registry.raw_logs import Question, RawLog, log_filter, parse_block_hash, parse_raw_logs
from provenance_oracle.verifier.registry.spans import Spans
from provenance_oracle.verifier.strict.patient_socket import TooMuchError

# Bounds on reading the events of one question.
LOG_REQUESTS_MAX = 4096
LOGS_MAX = 20_000
LOGS_MAX_BYTES = 16 << 20
FINAL_DEPTH_BLOCKS = 64  # events nearer to the head are not kept
_WORTH_KEEPING_BLOCKS = 256  # fewer new blocks are read again next time, which costs less than asking for a hash


class TooManyEventsError(TemporaryError):
    """A range of blocks has more events than one question may read. A caller that can asks for fewer blocks."""


class EventReader:
    """Reads events over one connection. Not for use by several threads at once.

    Args:
        cache: an open cache; None to keep nothing.
    """

    def __init__(self, node: NodeConnection, cache: EventCache | None = None) -> None:
        self._node = node
        self._cache = cache
        self._spans = Spans(cache.span if cache else None)
        self._read: dict[Question, list[RawLog]] = {}  # of the last range of blocks only
        self._read_range = (0, 0)
        self._anchor: Anchor | None = None
        self._anchors_there: dict[Anchor, bool] = {}

    @property
    def keeps_events(self) -> bool:
        """Whether the events of one question answer the next one that is alike."""
        return self._cache is not None

    def read(self, question: Question, first: int, last: int, where: str) -> list[RawLog]:
        """Return the events of blocks `first` to `last`, in no particular order. `where` names the contract.

        Raises:
            TemporaryError: there are too many blocks or events, or the node fails or returns other events.
            Exception: other errors of web3 over the node's answer; see `node_errors`.
        """
        return self.read_all([question], first, last, where)[question]

    def read_all(
        self, questions: Sequence[Question], first: int, last: int, where: str
    ) -> dict[Question, list[RawLog]]:
        """Return the answers to several questions about one contract, and read each block once for all of them.

        Raises as `read` does.
        """
        if (first, last) != self._read_range:
            self._read_range, self._read = (first, last), {}
        for question in questions:
            known = next((asked for asked in self._read if asked.covers(question)), None)
            if known and known != question:
                self._read[question] = [log for log in self._read[known] if question.fits(log)]
        unread = [question for question in questions if question not in self._read]
        if unread:
            self._read |= self._read_unread(unread, first, last, where)
        found = {question: self._read[question] for question in questions}
        if self._cache is None or sum(log.size_bytes for logs in self._read.values() for log in logs) > LOGS_MAX_BYTES:
            self._read = {}
        return found

    def forget(self) -> None:
        """Drop all events that are kept, because they do not fit the contract's state."""
        self._read = {}
        if self._cache:
            self._cache.forget()

    def _read_unread(
        self, questions: Sequence[Question], first: int, last: int, where: str
    ) -> dict[Question, list[RawLog]]:
        kept = {question: self._kept(question, first) for question in questions}
        found = {question: _between(answer.logs if answer else (), first, last) for question, answer in kept.items()}
        start = min((answer.until + 1 if answer else first) for answer in kept.values())
        anchor = self._new_anchor(start, last)
        done = start - 1
        try:
            for end, logs in self._fetch(questions, start, last, where):
                for question, answer in kept.items():
                    known = answer.until if answer else first - 1
                    found[question] += [log for log in logs if log.place.block_number > known and question.fits(log)]
                done = end
        finally:
            if anchor and done > start:
                until = min(done, anchor.number)
                newer = [question for question, answer in kept.items() if answer is None or answer.until < until]
                self._keep({question: found[question] for question in newer}, first, until, anchor)
        return found

    def _fetch(
        self, questions: Sequence[Question], first: int, last: int, where: str
    ) -> Iterator[tuple[int, list[RawLog]]]:
        """Yield the events of blocks `first` to `last` piece by piece, each with the last block of its piece."""
        requests = count = size = 0
        while first <= last:
            requests += 1
            end = self._spans.end(first, last)
            if requests > LOG_REQUESTS_MAX:
                raise self._too_many_blocks(first, end, last, where)
            logs = self._ask(questions, first, end, where)
            if logs is None:
                continue
            count, size = count + len(logs), size + sum(log.size_bytes for log in logs)
            if count > LOGS_MAX or size > LOGS_MAX_BYTES:
                raise TooManyEventsError(
                    "there are too many events to read; ask for a digest instead of a name",
                    where=where,
                    got="more",
                    wanted=f"at most {LOGS_MAX} events and {LOGS_MAX_BYTES} bytes",
                )
            yield end, logs
            first = end + 1

    def _ask(self, questions: Sequence[Question], first: int, end: int, where: str) -> list[RawLog] | None:
        """Return the events of a few blocks, or None if the node wants to be asked for fewer blocks."""
        from web3.exceptions import Web3RPCError

        asked = {**log_filter(questions), "fromBlock": hex(first), "toBlock": hex(end)}
        try:
            answer = self._request("eth_getLogs", asked)
        except (Web3RPCError, TooMuchError):
            if first == end:
                raise
            self._spans.refused(end - first + 1)
            return None
        self._spans.worked(end - first + 1)
        logs = parse_raw_logs(answer, where)
        for log in logs:
            if log.address != questions[0].address or not first <= log.place.block_number <= end:
                raise TemporaryError("the node returned events of another contract or block", where=where)
        if len(questions) == 1 and not all(map(questions[0].fits, logs)):
            raise TemporaryError("the node returned events with other arguments", where=where)
        return logs

    def _request(self, method: str, *params: object) -> Any:
        """Return a result as the node wrote it: web3 would take more time and memory to format it than to fetch it."""
        web3: Any = self._node.web3
        return web3.manager.formatted_response(web3.provider.make_request(method, params), params)

    def _kept(self, question: Question, first: int) -> Kept | None:
        return self._cache.get(question, first, self._has_block) if self._cache else None

    def _keep(self, found: dict[Question, list[RawLog]], first: int, until: int, anchor: Anchor) -> None:
        assert self._cache is not None
        self._cache.span = self._spans.blocks
        self._cache.put(
            {
                question: Kept(first, until, anchor, tuple(_between(logs, first, until)))
                for question, logs in found.items()
            }
        )

    def _new_anchor(self, start: int, last: int) -> Anchor | None:
        """Return a block with its hash up to which events are worth keeping; None if nothing is to be kept."""
        if self._cache is None or last - FINAL_DEPTH_BLOCKS - start < _WORTH_KEEPING_BLOCKS:
            return None
        if self._anchor is None or self._anchor.number - start < _WORTH_KEEPING_BLOCKS:
            number = last - FINAL_DEPTH_BLOCKS
            found = self._hash_of(number)  # before the events: after a reorg meanwhile, the events are dropped
            self._anchor = Anchor(number, found) if found else None
        return self._anchor

    def _too_many_blocks(self, first: int, end: int, last: int, where: str) -> TemporaryError:
        """Return the error for a node that answers for blocks `first` to `end` at a time, and is asked up to `last`."""
        if self._cache:
            advice = "run the command again: it goes on with the first block that is left"
        else:
            advice = "pass a deployment file, which has the first block, or ask a node that gives more at a time"
        return TemporaryError(
            f"there are too many blocks to read; {advice}",
            where=where,
            got=f"{last - first + 1} blocks left after {LOG_REQUESTS_MAX} requests, {end - first + 1} at a time",
            wanted=f"at most {LOG_REQUESTS_MAX} requests",
        )

    def _has_block(self, anchor: Anchor) -> bool:
        if anchor not in self._anchors_there:
            self._anchors_there[anchor] = anchor == self._anchor or self._hash_of(anchor.number) == anchor.hash
        return self._anchors_there[anchor]

    def _hash_of(self, number: int) -> bytes | None:
        """Return the hash of a block; None if the node does not have it."""
        from web3.exceptions import Web3RPCError

        try:
            block = self._request("eth_getBlockByNumber", hex(number), False)
            return parse_block_hash(block["hash"], self._node.where)
        except (Web3RPCError, FormatError, KeyError, TypeError):
            return None


def _between(logs: Sequence[RawLog], first: int, last: int) -> list[RawLog]:
    return [log for log in logs if first <= log.place.block_number <= last]
