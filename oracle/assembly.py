"""Assemble the oracle from its settings: sources, journal, keys, judgement and writer."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.amd_cache import KeptAnswers
from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.batches import SINGLE, Batching
from provenance_oracle.oracle.chain.connection import Connection, keeping_key, note_block, open_as_sender
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.index_source import read_registry
from provenance_oracle.oracle.chain.ledger import LedgerOptions, Peers, open_writer
from provenance_oracle.oracle.chain.proving import Prove, Proving
from provenance_oracle.oracle.chain.release_proofs import ProvingOptions
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.clock_check import ClockCheck
from provenance_oracle.oracle.conditions import Conditions, Trouble
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.documents import status_json
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.stores import is_url
from provenance_oracle.oracle.journal.work import own_name
from provenance_oracle.oracle.judging.open import open_judges
from provenance_oracle.oracle.judging.publisher_keys import read_publisher_keys
from provenance_oracle.oracle.metrics import Metrics
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Feed, Pipeline
from provenance_oracle.oracle.quorum.exchange import BATCHES, RECORDS, DocumentKind, Exchange
from provenance_oracle.oracle.quorum.open import open_exchange
from provenance_oracle.oracle.recording import Recording
from provenance_oracle.oracle.service import Service, Timing
from provenance_oracle.oracle.settings.effects import is_path
from provenance_oracle.oracle.settings.live import view_of
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.signers.open import key_uri, open_signer
from provenance_oracle.oracle.signers.patient import PatientSigner
from provenance_oracle.oracle.signers.verdicts import VerdictSigning
from provenance_oracle.oracle.sources.base import Source
from provenance_oracle.oracle.sources.open import open_sources
from provenance_oracle.oracle.sources.turns import Turns
from provenance_oracle.oracle.sources.watch import WatchMode, watching
from provenance_oracle.oracle.web.open import serving_oracle
from provenance_oracle.verifier.errors import UsageError, naming_extras
from provenance_oracle.verifier.judgement.judge_any import judge_any
from provenance_oracle.verifier.judgement.judge_signed import SignerTrust
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.snp.kds import HttpsFetcher

_log = logging.getLogger(__name__)
_WEI_PER_GWEI = 10**9
_PAUSE_SECONDS = 0.5
_HOUR = timedelta(hours=1)


@contextmanager
def open_oracle(
    settings: Settings,
    bell: Bell,
    environ: Mapping[str, str] = os.environ,
    *,
    live: Callable[[], Settings] | None = None,
) -> Iterator[Service]:
    """Open the journal and the keys and yield the service, ready to run. No network yet.

    Args:
        bell: wakes and stops the service.
        environ: holds the private keys that the settings name by variable.
        live: returns the settings in force now, if they can change while the service runs.

    Raises:
        UsageError: folder, key, policy, deployment file or journal are not usable, or the setting `device` or `watch`
            needs hardware or a package that is missing.
        FormatError: the deployment file is not one.
        TemporaryError: the journal's disk is full or fails. A key that does not answer now is waited for.
    """
    sources = open_sources(settings, environ, bell.check)
    policy = load_policy(settings.policy)
    now = live or (lambda: settings)
    payer, reporter = _open_keys(settings, environ, view_of(lambda: _backoff(now())))
    peers = _peers(settings, bell)
    patience = view_of(lambda: _patience(now()))
    batching = view_of(lambda: _batching(now()))
    proving = _proving_options(settings, now)
    ledger = replace(_ledger_options(settings, view_of(lambda: _fee_limits(now())), batching), proving=proving)
    with open_journal(settings.journal, settings.evidence) as journal:
        metrics = Metrics(journal.counts, journal.open_batches, _now, version("provenance-oracle"))
        conditions = Conditions(_now, metrics)
        _reopen_rejected(journal, policy)
        clock_check = ClockCheck(_now)
        outcomes = Outcomes(journal, policy, patience, _now, clock_check.is_doubtful, metrics)
        parts: dict[str, Any] = {"journal": journal, "policy": policy, "outcomes": outcomes, "clock": _now}
        parts["meter"] = metrics
        by_name = {source.name: source for source in sources}
        records: dict[str, Any] = {"batching": batching, "conditions": conditions, "on_step": bell.check, **parts}
        records["sign_verdicts"] = VerdictSigning(journal, reporter, clock=_now, on_step=bell.check)

        def opening() -> RegistryWriter:
            chain: dict[str, Any] = {"clock": _now, "on_wait": bell.check, "meter": metrics}
            places = partial(_exchanges, settings, reporter.address, bell)
            if proving is None:
                journal.drop_proofs(note="the setting prove is `never`", at=_now())
            meeting = peers and replace(peers, exchanges=places(), batch_exchanges=places(BATCHES))
            return open_writer(ledger, payer, reporter, journal, peers=meeting, **chain)

        if proving is not None:
            records["proving"] = Proving(
                journal, view_of(lambda: _backoff(now())), clock=_now, on_step=bell.check, meter=metrics
            )

        keys_work = partial(conditions.end, Trouble.SIGNER)
        connection = Connection(
            open_writer=partial(open_as_sender, journal, payer, reporter, opening, keys_work),
            keep_key=keeping_key(ledger, reporter, bell, metrics),
            recording_of=partial(Recording, by_name, **records),
            on_block=partial(note_block, clock_check, metrics),
        )
        pipeline_of = _pipelines(settings, bell, peers, patience=patience, **parts)
        feeds = [Feed(source, pipeline_of(source), bell.new_ring()) for source in sources]
        fetcher = KeptAnswers(HttpsFetcher(on_wait=bell.check)) if settings.fetch else None
        judge = partial(judge_any, trust=SignerTrust(keys=read_publisher_keys(settings.publisher_keys)))
        with open_judges(settings, policy, judge, fetcher, metrics) as judges:
            work = (judges.all, view_of(lambda: _timing(now())), bell, Turns(lambda: _now().timestamp()))
            told: dict[str, Any] = {"conditions": conditions, "meter": metrics, "small_judges": judges.small}
            service = Service(feeds, journal, connection.recording, *work, **told)
            views = _views(service, journal, metrics, conditions)
            own = (peers.own, peers.own_batches) if peers else ()
            with (
                _watching(settings, feeds),
                _explorer(settings, policy, views) as more,
                serving_oracle(settings, feeds, views, own, more),
            ):
                yield service


def _pipelines(settings: Settings, bell: Bell, peers: Peers | None, **parts: Any) -> Callable[[Source], Pipeline]:
    """Return a function that makes the pipeline of a source."""
    return partial(
        Pipeline,
        deadline=partial(Deadline, settings.release_deadline_seconds, bell.check),
        moment_of=peers.moments.of if peers else _present,
        proves=Prove(settings.prove).wants,
        worker=own_name(),
        **parts,
    )


def _views(
    service: Service, journal: Journal, metrics: Metrics, conditions: Conditions
) -> dict[str, Callable[[], Any]]:
    """Return the arguments of `oracle.web.app.Views`."""
    readiness = service.readiness
    return {
        "blocking": lambda: readiness.blocking,
        "metrics": metrics.text,
        "status": lambda: status_json(
            journal.progress(since=_now() - _HOUR), conditions.standing(), at=_now(), ready=readiness.status.ready
        ),
    }


@contextmanager
def _explorer(settings: Settings, policy: Policy, views: dict[str, Callable[[], Any]]) -> Iterator[Sequence[Any]]:
    """Yield the routes of the REST API and the page, if the settings ask for them, and add their figures to `views`."""
    if not (settings.index and settings.listen):
        yield ()
        return
    with naming_extras():
        from provenance_oracle.oracle.web.explorer.beside_oracle import explorer_beside
    own = views["metrics"]
    with explorer_beside(settings, read_registry(settings.registry), policy, _now) as parts:
        views["metrics"] = lambda: own() + parts.figures()
        yield parts.routes


def _peers(settings: Settings, bell: Bell) -> Peers | None:
    """Return what we share with the other oracles; None if the settings name none. The exchanges come later.

    Raises:
        UsageError: a text of the settings names no place.
    """
    _exchanges(settings, "", bell)
    return Peers() if settings.peers else None


def _exchanges(settings: Settings, own: str, bell: Bell, kind: DocumentKind = RECORDS) -> tuple[Exchange, ...]:
    """Return the places where oracles exchange proposals. `own` is the address of the key that signs ours."""
    seconds = settings.rpc_timeout_seconds
    return tuple(open_exchange(text, own, seconds, bell.check, kind) for text in settings.peers)


def _present(_manifest_digest: bytes) -> None:
    return None


@contextmanager
def _watching(settings: Settings, feeds: Sequence[Feed]) -> Iterator[None]:
    """Ask for an early scan of a folder among the sources whenever it changes, until the block ends."""
    with ExitStack() as stack:
        for text, feed in zip(settings.sources, feeds, strict=True):
            if is_path(text):
                stack.enter_context(watching(Path(text), WatchMode(settings.watch), feed.ring.ring))
        yield


def _reopen_rejected(journal: Journal, policy: Policy) -> None:
    count = journal.reopen_rejected(policy.digest, at=_now())
    if count:
        _log.info(
            "the policy is now %s (%s); releases that another policy rejected are judged again: %d",
            policy.name,
            policy.digest.hex()[:16],
            count,
        )


def _open_keys(settings: Settings, environ: Mapping[str, str], backoff: Backoff) -> tuple[PatientSigner, PatientSigner]:
    """Return the paying key and the key that signs reports, which are one if the settings name no other."""
    password, opener = settings.password_file, partial(open_signer, environ=environ)
    uri = key_uri(settings.key, settings.key_variable, settings.keystore)
    payer = PatientSigner(partial(opener, uri, password_file=password), backoff)
    password = settings.report_password_file
    uri = key_uri(settings.report_key, settings.report_key_variable, settings.report_keystore)
    if not uri and password is None:
        return payer, payer
    return payer, PatientSigner(partial(opener, uri, password_file=password), backoff)


def reporting_address(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the account of the key that signs reports, in checksum form. Raises as `PatientSigner` does."""
    _, reporter = _open_keys(settings, environ, _backoff(settings))
    return reporter.address


def audited_ledger(settings: Settings) -> LedgerOptions:
    """Return the registry and the nodes of the settings for an audit, which sends nothing."""
    return replace(_ledger_options(settings, _fee_limits(settings), SINGLE), index=None)


def _backoff(settings: Settings) -> Backoff:
    return Backoff(settings.retry_first_seconds, settings.retry_max_seconds, random.random)


def _timing(settings: Settings) -> Timing:
    return Timing(settings.scan_seconds, settings.settle_seconds, _PAUSE_SECONDS, _backoff(settings))


def _patience(settings: Settings) -> Patience:
    return Patience(_backoff(settings), settings.internal_errors_max, settings.recordings_per_day_max)


def _fee_limits(settings: Settings) -> FeeLimits:
    return FeeLimits(
        max_fee_wei=settings.max_fee_gwei * _WEI_PER_GWEI,
        priority_fee_max_wei=settings.priority_fee_max_gwei * _WEI_PER_GWEI,
        gas_max=settings.gas_max,
        bump_after_seconds=settings.bump_after_seconds,
    )


def _batching(settings: Settings) -> Batching:
    """Return when records share a transaction."""
    return Batching(settings.batch_max, settings.batch_after_seconds, settings.batch_uri)


def _proving_options(settings: Settings, now: Callable[[], Settings]) -> ProvingOptions | None:
    """Return how releases are proven on chain; None if they are not.

    Raises:
        UsageError: they are to be proven, and the settings name no contract for it.
    """
    if Prove(settings.prove) is Prove.NEVER:
        return None
    found = read_registry(settings.registry)
    if isinstance(found, str) or found.proofs is None:
        got = "an address" if isinstance(found, str) else f"{settings.registry} without hardware_proofs"
        wanted = "a deployment file with hardware_proofs (`provenance deploy --with-proofs`), or prove: never"
        raise UsageError("no contract proves releases", where="settings prove and registry", got=got, wanted=wanted)
    return view_of(lambda: ProvingOptions(found, now().prove_fee_max_gwei * _WEI_PER_GWEI))


def _ledger_options(settings: Settings, limits: FeeLimits, batching: Batching) -> LedgerOptions:
    place = _read_place(settings.registry)
    return LedgerOptions(
        rpc_urls=settings.rpc_urls,
        registry_address=place.address,
        chain_id=place.chain_id,
        first_block=place.first_block,
        confirmations=None if isinstance(settings.confirmations, str) else settings.confirmations,
        limits=limits,
        rpc_timeout_seconds=settings.rpc_timeout_seconds,
        allow_development_key=settings.allow_development_key,
        in_flight_max=settings.in_flight_max,
        batching=batching,
        index=None if is_url(settings.journal) else Path(f"{settings.journal}.index"),
        head_age_max_seconds=settings.head_age_max_seconds,
    )


@dataclass(frozen=True)
class _Place:
    address: str
    chain_id: int | None = None
    first_block: int = 0


def _read_place(registry: str) -> _Place:
    """Parse the setting `registry`. A text that does not begin with 0x is the path of a deployment file."""
    found = read_registry(registry)
    if isinstance(found, str):
        return _Place(found)
    return _Place(f"0x{found.registry.hex()}", found.chain_id, found.block)


def _now() -> datetime:
    return datetime.now(UTC)
