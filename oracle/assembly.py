"""Assemble the oracle from its settings: sources, journal, keys, judgement and writer."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from provenance_oracle.oracle.amd_cache import KeptAnswers
from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.batches import SINGLE, Batching
from provenance_oracle.oracle.chain.connection import Connection, keeping_key, note_block, open_as_sender
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.ledger import LedgerOptions, Peers, open_writer
from provenance_oracle.oracle.clock_check import ClockCheck
from provenance_oracle.oracle.cluster.connection import RayConnection
from provenance_oracle.oracle.cluster.hasher import ClusterHasher
from provenance_oracle.oracle.conditions import Conditions
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.documents import status_json
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.journal.stores import is_url
from provenance_oracle.oracle.metrics import Metrics
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Judge, Pipeline
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals
from provenance_oracle.oracle.quorum.moments import Moments
from provenance_oracle.oracle.quorum.open import open_exchange
from provenance_oracle.oracle.quorum.remembering_hasher import RememberedDigests, RememberingHasher
from provenance_oracle.oracle.recording import Recording
from provenance_oracle.oracle.service import Feed, Service, Timing
from provenance_oracle.oracle.settings.effects import is_path
from provenance_oracle.oracle.settings.live import view_of
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.open import key_uri, open_signer
from provenance_oracle.oracle.signers.secret_files import read_password
from provenance_oracle.oracle.sources.open import open_sources
from provenance_oracle.oracle.sources.turns import Turns
from provenance_oracle.oracle.sources.watch import WatchMode, watching
from provenance_oracle.verifier.cli.options import read_bounded
from provenance_oracle.verifier.digest.choose import NamedHasher, open_hasher
from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.record.leaves import leaves_json
from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment
from provenance_oracle.verifier.snp.kds import HttpsFetcher

_log = logging.getLogger(__name__)
_WEI_PER_GWEI = 10**9
_BYTES_PER_GB = 10**9
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
        TemporaryError: the journal's disk is full or fails.
    """
    sources = open_sources(settings, environ, bell.check)
    policy = load_policy(settings.policy)
    payer = _open_payer(settings, environ)
    reporter = _open_reporter(settings, payer, environ)
    _log.info("the account %s pays, and the key %s signs reports", payer.address, reporter.address)
    peers = _peers(settings, reporter.address, bell)
    now = live or (lambda: settings)
    batching = view_of(lambda: _batching(now()))
    ledger = _ledger_options(settings, view_of(lambda: _fee_limits(now())), batching)
    timing = view_of(lambda: _timing(now()))
    patience = view_of(lambda: _patience(now()))
    with open_journal(settings.journal, settings.evidence) as journal:
        metrics = Metrics(journal.counts, _now, version("provenance-oracle"))
        conditions = Conditions(_now, metrics)
        _reopen_rejected(journal, policy)
        clock_check = ClockCheck(_now)
        outcomes = Outcomes(journal, policy, patience, _now, clock_check.is_doubtful, metrics)
        chain: dict[str, Any] = {"clock": _now, "on_wait": bell.check, "peers": peers, "meter": metrics}
        opening = partial(open_writer, ledger, payer, reporter, journal, **chain)
        connection = Connection(
            open_writer=partial(open_as_sender, journal, opening),
            keep_key=keeping_key(ledger, reporter, bell),
            recording_of=partial(
                Recording,
                {source.name: source for source in sources},
                journal,
                policy=policy,
                outcomes=outcomes,
                clock=_now,
                on_step=bell.check,
                batching=batching,
                conditions=conditions,
                meter=metrics,
            ),
            on_block=partial(note_block, clock_check, metrics),
        )
        pipeline_of = partial(
            Pipeline,
            journal=journal,
            policy=policy,
            outcomes=outcomes,
            patience=patience,
            clock=_now,
            deadline=partial(Deadline, settings.release_deadline_seconds, bell.check),
            accepting=Lock(),
            moment_of=peers.moments.of if peers else _present,
            worker=f"{socket.gethostname()}/{os.getpid()}",
            meter=metrics,
        )
        feeds = [Feed(source, pipeline_of(source), bell.new_ring()) for source in sources]
        turns = Turns(lambda: _now().timestamp())
        judges = _judges(settings, bell)
        facts: dict[str, Any] = {"conditions": conditions, "meter": metrics}
        service = Service(feeds, journal, connection.recording, judges, timing, bell, turns, **facts)
        views: dict[str, Callable[[], Any]] = {
            "blocking": lambda: service.readiness.blocking,
            "metrics": metrics.text,
            "status": lambda: status_json(
                journal.progress(since=_now() - _HOUR),
                conditions.standing(),
                at=_now(),
                ready=service.readiness.status.ready,
            ),
        }
        with _watching(settings, feeds), _serving(settings, feeds, views, peers):
            yield service


def _judges(settings: Settings, bell: Bell) -> list[Judge]:
    """Return a judge for each thread. The first has one core, because it takes small releases only."""
    fetcher = KeptAnswers(HttpsFetcher(on_wait=bell.check)) if settings.fetch else None
    limits = Limits(total_bytes=settings.release_max_gb * _BYTES_PER_GB)
    small = open_hasher("cpu", threads=1, notify=_log.info)
    devices = [settings.device, *["cpu"] * (settings.judges - 2)]
    large = [_with_cluster(open_hasher(device, notify=_log.info), settings) for device in devices]
    hashers = [small, *large]
    remembered = RememberedDigests()
    chosen = [RememberingHasher(one, remembered) for one in hashers] if settings.peers else hashers
    return [partial(judge, fetcher=fetcher, hasher=hasher, limits=limits) for hasher in chosen]


def _with_cluster(local: NamedHasher, settings: Settings) -> NamedHasher:
    """Return a hasher that has large files hashed by the Ray cluster of the settings, if they name one."""
    return ClusterHasher(local, partial(RayConnection, settings.ray_address)) if settings.ray_address else local


def _peers(settings: Settings, own: str, bell: Bell) -> Peers | None:
    """Return the places where the settings have oracles exchange proposals; None if they name none."""
    if not settings.peers:
        return None
    exchanges = tuple(open_exchange(text, own, settings.rpc_timeout_seconds, bell.check) for text in settings.peers)
    return Peers(exchanges, Moments(), OwnProposals())


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


@contextmanager
def _serving(
    settings: Settings,
    feeds: Sequence[Feed],
    views: Mapping[str, Callable[[], Any]],
    peers: Peers | None,
) -> Iterator[None]:
    """Answer health, metrics and webhooks by HTTP until the block ends, if the setting `listen` says where.

    The server also has the batches that the oracle recorded, and its proposals for the other oracles of a quorum.

    Args:
        views: the arguments of `oracle.web.app.Views`.

    Raises:
        UsageError: the address cannot be listened on, or the file with the secret cannot be read.
    """
    if not settings.listen:
        yield
        return
    with naming_extras():
        from provenance_oracle.oracle.web.app import Views, make_app
        from provenance_oracle.oracle.web.batches import batch_route
        from provenance_oracle.oracle.web.hooks import HubHook
        from provenance_oracle.oracle.web.proposals import proposals_route
        from provenance_oracle.oracle.web.server import serving

    def wake(source: str) -> None:
        for feed in feeds:
            if feed.source.name == source:
                feed.ring.ring()

    hook = None
    if settings.webhook_secret_file:
        secret = read_password(settings.webhook_secret_file).reveal()
        hook = HubHook(secret, [feed.source.name for feed in feeds], wake, time.monotonic)
    routes = [batch_route(partial(_leaves_document, settings.journal))]
    routes += [proposals_route(peers.own)] if peers else []
    with serving(make_app(Views(**views), hook, routes), settings.listen):
        yield


def _leaves_document(journal: str, root: bytes) -> bytes | None:
    records, named = find_leaves(journal, root=root)
    return leaves_json(records, frozenset(named)) if records else None


def _reopen_rejected(journal: Journal, policy: Policy) -> None:
    count = journal.reopen_rejected(policy.digest, at=_now())
    if count:
        _log.info(
            "the policy is now %s (%s); releases that another policy rejected are judged again: %d",
            policy.name,
            policy.digest.hex()[:16],
            count,
        )


def _open_payer(settings: Settings, environ: Mapping[str, str]) -> Signer:
    uri = key_uri(settings.key, settings.key_variable, settings.keystore)
    return open_signer(uri, password_file=settings.password_file, environ=environ)


def _open_reporter(settings: Settings, payer: Signer, environ: Mapping[str, str]) -> Signer:
    """Return the key that signs reports: the key that the settings name for reports, or the paying key."""
    uri = key_uri(settings.report_key, settings.report_key_variable, settings.report_keystore)
    if not uri and settings.report_password_file is None:
        return payer
    return open_signer(uri, password_file=settings.report_password_file, environ=environ)


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
    """Return when records share a transaction. Peers exchange signatures of single records only."""
    if settings.peers:
        return SINGLE
    return Batching(settings.batch_max, settings.batch_after_seconds, settings.batch_uri)


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
    if registry.startswith("0x"):
        return _Place(registry)
    found = parse_deployment(read_bounded(Path(registry), FILE_MAX_BYTES), registry)
    return _Place(f"0x{found.registry.hex()}", found.chain_id, found.block)


def _now() -> datetime:
    return datetime.now(UTC)
