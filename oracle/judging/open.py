"""Open the judges that the settings ask for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from provenance_oracle.oracle.cluster.connection import RayConnection
from provenance_oracle.oracle.cluster.hasher import ClusterHasher
from provenance_oracle.oracle.journal.stores import is_url
from provenance_oracle.oracle.judging.judges import Judge, JudgeRelease, ThreadJudge
from provenance_oracle.oracle.judging.messages import Setup
from provenance_oracle.oracle.judging.pool import JudgePool
from provenance_oracle.oracle.judging.process_judge import ProcessJudge
from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.oracle.quorum.remembering_hasher import RememberedDigests, RememberingHasher
from provenance_oracle.oracle.settings.effects import is_path
from provenance_oracle.oracle.settings.settings import AUTO, Settings
from provenance_oracle.verifier.digest.choose import NamedHasher, open_hasher
from provenance_oracle.verifier.digest.files import FileHasher, Limits
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.kds import Fetcher

_log = logging.getLogger(__name__)
_BYTES_PER_GB = 10**9
_PROCESSES_MAX = 64


@dataclass(frozen=True)
class Judges:
    """Judges, each for a thread of its own. The first `small` of them take small releases only."""

    all: tuple[Judge, ...]
    small: int


@contextmanager
def open_judges(
    settings: Settings, policy: Policy, judge: Callable[..., Any], fetcher: Fetcher | None, meter: Meter
) -> Iterator[Judges]:
    """Yield the judges. Their processes start with the first releases, and end with the block.

    Args:
        judge: `verifier.judgement.judge_any.judge_any`, with its argument `trust` filled in.
        fetcher: fetches revocation lists; None if nothing is fetched.

    Raises:
        UsageError: the setting `device` needs hardware or a package that is missing.
    """
    limits = Limits(total_bytes=settings.release_max_gb * _BYTES_PER_GB)
    processes = _processes(settings)
    # (1) judges in threads: those for small releases have one core each
    small = [open_hasher("cpu", threads=1, notify=_log.info) for _ in range(processes)]
    devices = [settings.device, *["cpu"] * (settings.judges - 2)]
    large = [_with_cluster(open_hasher(device, notify=_log.info), settings) for device in devices]
    here = [
        _in_thread(judge, hasher, fetcher, limits, policy, meter) for hasher in _remembering(small + large, settings)
    ]
    if processes == 1:
        yield Judges(tuple(here), 1)
        return
    # (2) before them, processes that all of them share
    with closing(JudgePool(processes, Setup(policy, limits, fetcher is not None), fetcher)) as pool:
        yield Judges(tuple(ProcessJudge(pool, one, meter) for one in here), processes)


def _processes(settings: Settings) -> int:
    """Return the number of processes; 1 for the oracle's own.

    Oracles of a quorum judge again at the moments of others, from digests that the process remembers. Processes that
    share a journal share its work by leases, which each takes before it judges.
    """
    if not any(map(is_path, settings.sources)) or settings.peers or is_url(settings.journal) or not sys.executable:
        return 1
    if settings.judge_processes == AUTO:
        return min(len(os.sched_getaffinity(0)), _PROCESSES_MAX)
    return int(settings.judge_processes)


def _in_thread(
    judge: Callable[..., Any],
    hasher: FileHasher,
    fetcher: Fetcher | None,
    limits: Limits,
    policy: Policy,
    meter: Meter,
) -> ThreadJudge:
    told: JudgeRelease = partial(judge, fetcher=fetcher, hasher=hasher, limits=limits)
    return ThreadJudge(told, policy, meter)


def _with_cluster(local: NamedHasher, settings: Settings) -> NamedHasher:
    """Return a hasher that has large files hashed by the Ray cluster of the settings, if they name one."""
    return ClusterHasher(local, partial(RayConnection, settings.ray_address)) if settings.ray_address else local


def _remembering(hashers: list[NamedHasher], settings: Settings) -> list[FileHasher]:
    """Return hashers that remember digests together, if other oracles may have us judge again."""
    remembered = RememberedDigests()
    return [RememberingHasher(one, remembered) if settings.peers else one for one in hashers]
