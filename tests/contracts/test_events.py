"""The whole state of a registry can be rebuilt from its events."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.chain_fixtures import DeployedRegistry, make_record
from verifier.record import SIMULATED_CODE

pytestmark = pytest.mark.chain

MANIFESTS = [bytes([0x10 + number]) * 32 for number in range(12)]
MODELS = [bytes([0x40 + number]) * 32 for number in range(3)]
REPORTS = [bytes([0x60 + number]) * 32 for number in range(4)]


def test_events_alone_give_the_state_that_the_views_show(registry: DeployedRegistry) -> None:
    _publish_and_revoke_at_random(registry, random.Random(20261121))
    entries, manifests, first_use = _rebuild(registry)
    functions = registry.contract.functions

    assert 6 < len(entries) < len(MANIFESTS)
    assert {entry["revokedAt"] == 0 for entry in entries.values()} == {True, False}
    for manifest in MANIFESTS:
        kept = entries.get(manifest)
        assert functions.statusOf(manifest).call() == (0 if kept is None else 1 if kept["revokedAt"] == 0 else 2)
        if kept is not None:
            record = tuple(kept["record"].values())
            rest = [kept[name] for name in ("releaseDigest", "oracle", "recordedAt", "revokedAt")]
            assert functions.entryOf(manifest).call() == (record, *rest)
    for model in MODELS:
        listed = [functions.manifestOf(model, index).call() for index in range(functions.recordCountOf(model).call())]
        assert listed == manifests[model]
        assert functions.standingOf(model).call() == _standing(entries, manifests[model])
    for report in REPORTS:
        assert functions.manifestByReport(report).call() == first_use.get(report, bytes(32))


def _publish_and_revoke_at_random(registry: DeployedRegistry, rng: random.Random) -> None:
    """Forty attempts, good and bad alike; what is refused must leave no event."""
    for _ in range(40):
        manifest = rng.choice(MANIFESTS[:-1])
        if rng.random() < 0.2:
            call, sender = registry.revoking(manifest, "because"), registry.guardian
        else:
            line = rng.choice([1, 2, 3, SIMULATED_CODE])
            record = make_record(
                manifest_digest=manifest,
                model_digest=rng.choice(MODELS),
                report_digest=rng.choice(REPORTS),
                product_line=line,
                grade=0 if line == SIMULATED_CODE else rng.choice([0, 1, 2]),
                name=rng.choice(["one/model", "another/model"]),
            )
            call, sender = registry.publishing(record), registry.oracle
        if registry.refusal(call, sender) == ("", ()):
            registry.send(call, sender)


def _rebuild(registry: DeployedRegistry) -> tuple[dict[bytes, Any], dict[bytes, list[bytes]], dict[bytes, bytes]]:
    """Entries by manifest, manifests by model, first manifest by report: from events and nothing else."""
    entries: dict[bytes, Any] = {}
    manifests: dict[bytes, list[bytes]] = defaultdict(list)
    first_use: dict[bytes, bytes] = {}
    events, keccak = registry.contract.events, registry.contract.w3.keccak
    for log in events.RecordPublished().get_logs(from_block=0):
        args, entry = log["args"], dict(log["args"]["entry"])
        record, manifest = entry["record"], bytes(args["manifestDigest"])
        assert manifest not in entries
        assert args["modelDigest"] == record["modelDigest"]
        assert args["nameDigest"] == keccak(text=args["name"])
        entries[manifest] = entry
        manifests[record["modelDigest"]].append(manifest)
        first_use.setdefault(record["reportDigest"], manifest)
    for log in events.RecordRevoked().get_logs(from_block=0):
        args = log["args"]
        entry = entries[bytes(args["manifestDigest"])]
        assert entry["revokedAt"] == 0
        assert args["modelDigest"] == entry["record"]["modelDigest"]
        assert args["guardian"].lower() == registry.guardian.address
        entry["revokedAt"] = args["revokedAt"]
    return entries, manifests, first_use


def _standing(entries: dict[bytes, Any], manifests: list[bytes]) -> tuple[int, ...]:
    records = [entries[manifest]["record"] for manifest in manifests if entries[manifest]["revokedAt"] == 0]
    active = Counter("simulated" if record["productLine"] == SIMULATED_CODE else record["grade"] for record in records)
    return (len(manifests), active["simulated"], active[0], active[1], active[2])
