"""Tests of the oracle as it is assembled from its settings. None of them reaches a network."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import provenance_oracle.oracle.assembly
from provenance_oracle.oracle.assembly import open_oracle
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.batches import SINGLE
from provenance_oracle.oracle.conditions import Trouble
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.oracle.service import Service
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.policy import shipped_policy
from tests.support.desk import LIMITS
from tests.support.gcp_kms import NAME, running_gcp_kms

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "drop").mkdir()
    place = {"rpc_urls": ("http://127.0.0.1:9",), "registry": "0x" + "11" * 20}
    options = {"key_variable": "K", "watch": "scan-only"}
    return Settings(sources=(str(tmp_path / "drop"),), journal=str(tmp_path / "j"), **place, **options)  # type: ignore[arg-type]


def test_another_policy_says_how_many_releases_it_judges_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    forged = VerificationError("forged", check=Check.REPORT_SIGNATURE)
    baseline = shipped_policy("baseline").digest
    with Journal(Path(settings.journal)) as journal:
        for name in ("a", "b"):
            row = journal.open(ReleaseKey("folder", name, name.encode() * 32), "f", at=AT)
            journal.reject(row.id, forged, name.encode(), policy_digest=baseline, retry_at=AT, at=AT)
    for policy, lines in (("baseline", 0), ("strict", 1), ("strict", 0)):
        caplog.clear()
        with open_oracle(replace(settings, policy=policy), Bell(), {"K": "11" * 32}):
            said = [line for line in caplog.messages if "the policy is now" in line]
        assert len(said) == lines, policy
        assert not said or said[0].endswith("releases that another policy rejected are judged again: 2")


def test_a_running_oracle_takes_over_live_settings(settings: Settings) -> None:
    current = [settings]
    with open_oracle(settings, Bell(), {"K": "11" * 32}, live=lambda: current[0]) as service:
        assert service._timing.scan_seconds == 30
        current[0] = replace(settings, scan_seconds=7, retry_first_seconds=2, retry_max_seconds=2)
        assert service._timing.scan_seconds == 7
        assert service._timing.backoff.delay_seconds(5) <= 2


@pytest.mark.parametrize(("given", "wanted"), [("finalized", None), (3, 3)])
def test_the_word_finalized_means_the_chain_s_own_tag(settings: Settings, given: int | str, wanted: int | None) -> None:
    chosen = replace(settings, confirmations=given)
    options = provenance_oracle.oracle.assembly._ledger_options(chosen, LIMITS, SINGLE)
    assert options.confirmations == wanted


def test_a_batch_has_the_live_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    current, seen = [replace(settings, batch_uri="https://h/")], []
    real = provenance_oracle.oracle.assembly._ledger_options

    def ledger_options(*arguments: Any) -> Any:
        seen.append(arguments[-1])
        return real(*arguments)

    monkeypatch.setattr(provenance_oracle.oracle.assembly, "_ledger_options", ledger_options)
    with open_oracle(current[0], Bell(), {"K": "11" * 32}, live=lambda: current[0]):
        assert (seen[0].most, seen[0].after_seconds, seen[0].is_on) == (128, 5, True)
        current[0] = replace(current[0], batch_max=1, batch_after_seconds=7)
        assert (seen[0].most, seen[0].after_seconds, seen[0].is_on) == (1, 7, False)


def test_a_kms_that_is_down_at_the_start_is_a_trouble_until_it_answers_without_a_restart(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"key_variable": "", "key": f"gcpkms://{NAME}", "retry_first_seconds": 1, "rpc_timeout_seconds": 1}
    with running_gcp_kms(monkeypatch, tmp_path) as kms:
        kms.faults = [(503, "UNAVAILABLE")]
        bell = Bell()
        with open_oracle(replace(settings, **key), bell, os.environ) as service:  # type: ignore[arg-type]
            running = threading.Thread(target=service.run)
            running.start()
            try:
                kinds = _troubles_until("node", service)  # the key is there; the node of these settings never is
            finally:
                bell.stop()
                running.join()
    assert kinds == [("signer",), ("node",)]
    assert kms.faults == []


def _troubles_until(last: str, service: Service) -> list[tuple[str, ...]]:
    """Return the kinds of the troubles for which the service is not ready, at each moment until they have `last`."""
    kinds: list[tuple[str, ...]] = []
    until = time.monotonic() + 60
    while not (kinds and last in kinds[-1]) and time.monotonic() < until:
        found = tuple(str(one.kind) for one in service.readiness.blocking if one.kind is not Trouble.START)
        if found and found not in kinds:
            kinds.append(found)
        time.sleep(0.01)
    return kinds
