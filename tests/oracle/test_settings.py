"""Tests of the settings: the precedence of three sources, the check of each value, and unknown names."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from provenance_oracle.oracle import settings as module
from provenance_oracle.oracle.settings import Settings, load_settings
from provenance_oracle.oracle.sources.watch import WatchMode
from provenance_oracle.verifier.errors import UsageError

NEEDED = {"folder": "drop", "journal": "j.db", "rpc_url": "http://127.0.0.1:1", "registry": "0x" + "11" * 20}


def load(text: str = "", environ: dict[str, str] | None = None, **options: object) -> Settings:
    return load_settings(None, environ or {}, NEEDED | options)


def from_file(tmp_path: Path, text: str, **options: object) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return load_settings(file, {}, NEEDED | options)


def test_what_is_not_given_has_its_default() -> None:
    settings = load()
    assert settings.folder == Path("drop")
    assert (settings.policy, settings.watch, settings.confirmations) == ("baseline", WatchMode.AUTO, 12)


def test_options_go_before_environment_before_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("scan_seconds: 1\nsettle_seconds: 1\nconfirmations: 1\n")
    environ = {"PROVENANCE_SCAN_SECONDS": "2", "PROVENANCE_SETTLE_SECONDS": "2", "OTHER": "x"}
    settings = load_settings(file, environ, NEEDED | {"scan_seconds": 3, "policy": None})
    assert (settings.scan_seconds, settings.settle_seconds, settings.confirmations) == (3, 2, 1)


def test_every_setting_has_a_kind_and_can_come_from_the_environment() -> None:
    assert list(module._KINDS) == [field.name for field in fields(Settings)]
    texts = {"watch": "poll", "allow_development_key": "true", "fetch": "true", "device": "cpu", "gas_max": "200000"}
    environ = {f"PROVENANCE_{name.upper()}": texts.get(name, "7") for name in module._KINDS}
    settings = load_settings(None, environ, {})
    assert settings.allow_development_key is True
    assert settings.watch is WatchMode.POLL
    assert settings.keystore == Path("7")


@pytest.mark.parametrize("name", NEEDED)
def test_what_has_no_default_must_be_given(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: the setting is missing"):
        load_settings(None, {}, {key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scan_seconds", 0),
        ("scan_seconds", 86_401),
        ("scan_seconds", "5.5"),
        ("scan_seconds", "05"),
        ("scan_seconds", "-1"),
        ("scan_seconds", ""),
        ("scan_seconds", "9" * 30),
        ("scan_seconds", True),
        ("scan_seconds", [1]),
        ("confirmations", -1),
        ("gas_max", 99_999),
        ("watch", "sometimes"),
        ("allow_development_key", "yes"),
        ("allow_development_key", 1),
        ("policy", ""),
        ("policy", 3),
        ("folder", ""),
        ("keystore", 3),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"option: the setting {name} has a wrong value"):
        load(**{name: value})


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such setting"):
        load(scan_second=3)
    with pytest.raises(UsageError, match="there is no such setting"):
        from_file(tmp_path, "scan_second: 3\n")


@pytest.mark.parametrize("text", ["- a\n", "scan_seconds: 1\nscan_seconds: 2\n", "scan_seconds: 1.5\n", "just text\n"])
def test_a_file_that_is_no_page_of_settings_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"settings\.yaml"):
        from_file(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot be read"):
            load_settings(path, {}, NEEDED)


def test_the_process_environment_is_a_mapping_that_fits() -> None:
    load_settings(None, {k: v for k, v in os.environ.items() if not k.startswith("PROVENANCE_")}, NEEDED)
