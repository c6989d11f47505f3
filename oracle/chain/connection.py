"""The oracle's connection to the chain: opened once a node answers, and compared with the journal before every pass."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.bind_rofl_key import BoundKey
from provenance_oracle.oracle.chain.ledger import LedgerOptions
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.clock_check import ClockCheck
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.metrics import Meter, Metrics
from provenance_oracle.oracle.signers.patient import PatientSigner
from provenance_oracle.oracle.signers.rofl import RoflSigner
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.node import open_node, shown_url
from provenance_oracle.verifier.registry.reader import RegistryReader

_log = logging.getLogger(__name__)
_Recorder = TypeVar("_Recorder")


class Connection(Generic[_Recorder]):
    """Opens the writer once the node answers, and compares chain and contract with the journal before every pass.

    Args:
        open_writer: opens the connection to the chain; see `writer.open_writer`.
        recording_of: makes the recorder, given `writer`.
        on_block: called before every pass with the time of the newest block. What it raises ends the pass.
        keep_key: called before every pass, after the comparison.
    """

    def __init__(
        self,
        open_writer: Callable[[], RegistryWriter],
        recording_of: Callable[..., _Recorder],
        on_block: Callable[[datetime | None], object],
        keep_key: Callable[[], object] = lambda: None,
    ) -> None:
        self._open_writer = open_writer
        self._recording_of = recording_of
        self._on_block = on_block
        self._keep_key = keep_key
        self._writer: RegistryWriter | None = None

    def recording(self) -> _Recorder:
        """Return the recorder, after the chain and the contract were compared with the journal.

        Raises:
            UsageError: it is another chain or contract, a development key would be used on a public chain, or the key's
                ROFL app is no oracle.
            TemporaryError: the node, the journal's disk or the ROFL daemon fails, or the clock is behind the chain.
        """
        if self._writer is None:
            self._writer = self._open_writer()
        else:
            self._writer.check_chain()
        self._on_block(self._writer.newest_time)
        self._keep_key()
        return self._recording_of(writer=self._writer)


def note_block(clock_check: ClockCheck, metrics: Metrics, newest: datetime | None) -> None:
    """Count a newest block, and compare this machine's clock with its time."""
    if newest is not None:
        metrics.head(newest)
    clock_check.compare(newest)


def keeping_key(ledger: LedgerOptions, reporter: PatientSigner, bell: Bell, meter: Meter) -> Callable[[], object]:
    """Return a function that keeps the reporting key bound, if it is one of a ROFL app. `meter` counts its requests."""
    reading, kept = partial(open_ledger_reader, ledger, meter), list[BoundKey]()

    def keep() -> None:
        key = reporter.open()
        if isinstance(key, RoflSigner):
            if not kept:
                kept.append(BoundKey(reading, key.appd, key.address, sleep=bell.sleep))
            kept[0].keep()

    return keep


def open_as_sender(
    journal: Journal,
    payer: PatientSigner,
    reporter: PatientSigner,
    opening: Callable[[], RegistryWriter],
    on_keys: Callable[[], object] = lambda: None,
) -> RegistryWriter:
    """Open the writer, as the one process that writes for a journal.

    Others that share the journal judge, and one of them takes over when this process ends. A process whose keys do not
    answer leaves the place to others.

    Args:
        on_keys: called when both keys are open.

    Raises:
        TroubleError: a key cannot be opened now.
        TakenError: another process writes for this journal.
        UsageError, TemporaryError: see `open_writer`.
    """
    payer.open()
    reporter.open()
    on_keys()
    journal.hold_sender()
    _log.info("the account %s pays, and the key %s signs reports", payer.address, reporter.address)
    return opening()


def open_ledger_reader(ledger: LedgerOptions, meter: Meter) -> RegistryReader:
    """Open the registry at the first endpoint that serves. Raise the error of the last one if none does."""

    def opening(url: str) -> RegistryReader:
        node = open_node(url, ledger.rpc_timeout_seconds, on_event=partial(meter.rpc, shown_url(url)))
        return RegistryReader(node, address=ledger.registry_address, chain_id=ledger.chain_id)

    for url in ledger.rpc_urls[:-1]:
        with suppress(TemporaryError):
            return opening(url)
    return opening(ledger.rpc_urls[-1])
