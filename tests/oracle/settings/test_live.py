"""Tests of settings that change while the oracle runs."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from provenance_oracle.oracle.settings.live import LiveSettings, reloading_on_hangup, view_of
from provenance_oracle.oracle.settings.load import Effective, Given, read_settings
from provenance_oracle.oracle.settings.names import SPECS
from provenance_oracle.oracle.settings.settings import Settings

OPTIONS = {"sources": ["drop"], "journal": "j", "rpc_urls": ["http://h/key"], "registry": "0x11"}


class Case:
    """A settings file, and the settings that a running oracle has from it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.applied: list[Settings] = []
        self.write("scan_seconds: 5\n")
        self.live = LiveSettings(self._read().settings, self._read, self.applied.append)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def _read(self) -> Effective:
        return read_settings(Given(self.file, OPTIONS), {})


@pytest.fixture
def case(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Case:
    caplog.set_level(logging.INFO)
    return Case(tmp_path / "oracle.yaml")


def test_a_live_setting_changes_at_once(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.write("scan_seconds: 7\nmax_fee_gwei: 3\n")
    case.live.reload()
    assert (case.live().scan_seconds, case.live().max_fee_gwei) == (7, 3)
    assert case.applied == [case.live()]
    assert "the setting scan_seconds is now 7, no longer 5" in caplog.messages
    assert "the settings were read anew; 2 changed" in caplog.messages


def test_another_setting_waits_for_a_restart(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.write("scan_seconds: 7\nconfirmations: 3\n")
    case.live.reload()
    assert (case.live().scan_seconds, case.live().confirmations) == (7, 12)
    assert "the setting confirmations stays 12 until a restart, which makes it 3" in caplog.messages


def test_a_setting_that_is_no_longer_given_has_its_default_again(case: Case) -> None:
    case.write("gas_max: 400000\n")
    case.live.reload()
    assert case.live().scan_seconds == 30


@pytest.mark.parametrize("text", ["scan_seconds: 0\n", "scan_second: 7\n", "scan_seconds: [\n", ""])
def test_a_wrong_file_leaves_the_settings_in_force(case: Case, caplog: pytest.LogCaptureFixture, text: str) -> None:
    before = case.live()
    case.write(text)
    case.live.reload()
    assert case.live() is before
    assert case.applied == []
    (line,) = caplog.records
    assert (line.levelname, line.getMessage().partition(":")[0]) == (
        "ERROR",
        "the settings are wrong, so the earlier ones stay in force",
    )


def test_a_missing_file_leaves_the_settings_in_force(case: Case) -> None:
    before = case.live()
    case.file.unlink()
    case.live.reload()
    assert case.live() is before


def test_remarks_and_secrets_of_changed_settings(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.write("journal: postgresql://u:s3cret@h/d\npassword_file: x\n")
    without = {name: value for name, value in OPTIONS.items() if name != "journal"}
    live = LiveSettings(case.live(), lambda: read_settings(Given(case.file, without), {}))
    live.reload()
    assert "the setting journal stays j until a restart, which makes it postgresql://***@h/d" in caplog.messages
    assert "the setting password_file has no effect: there is no keystore" in caplog.messages
    assert "s3cret" not in caplog.text


def test_sighup_reloads_within_the_block(case: Case) -> None:
    before = signal.getsignal(signal.SIGHUP)
    with reloading_on_hangup(case.live):
        for seconds in (7, 8):
            case.write(f"scan_seconds: {seconds}\n")
            os.kill(os.getpid(), signal.SIGHUP)
            while case.live().scan_seconds != seconds:
                time.sleep(0.01)
    assert signal.getsignal(signal.SIGHUP) is before


def test_a_view_has_the_attributes_of_the_moment() -> None:
    now = ["a"]
    view = view_of(lambda: Path(now[0]))
    assert view.name == "a"
    now[0] = "b"
    assert view.name == "b"


def test_the_settings_of_places_and_keys_are_not_live() -> None:
    for name in ("sources", "journal", "rpc_urls", "registry", "key", "keystore", "policy"):
        assert not SPECS[name].live
