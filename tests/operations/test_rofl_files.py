"""Tests of the shape of rofl.yaml and rofl-compose.yaml. Nothing here runs Oasis's own tools."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.oracle.signers.appd import DEFAULT_SOCKET

ROOT = Path(__file__).parents[2]
APP: dict[str, Any] = yaml.safe_load((ROOT / "rofl.yaml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "rofl-compose.yaml").read_text())
GIVEN = {
    "PROVENANCE_SOURCES": "hf://acme",
    "PROVENANCE_REGISTRY": "0x" + "11" * 20,
    "PROVENANCE_RPC_URLS": "https://testnet.sapphire.oasis.io",
}


def test_the_app_is_a_container_in_a_tdx_machine_with_a_disk() -> None:
    assert (APP["tee"], APP["kind"]) == ("tdx", "container")
    assert set(APP["resources"]) == {"memory", "cpus", "storage"}
    assert APP["resources"]["storage"]["kind"] == "disk-persistent"
    assert (ROOT / APP["artifacts"]["container"]["compose"]).name == "rofl-compose.yaml"
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert APP["version"] == version[1]


def test_every_deployment_is_on_sapphire_with_a_whole_policy() -> None:
    for name, deployment in APP["deployments"].items():
        assert (deployment["network"], deployment["paratime"]) == (name, "sapphire")
        assert set(deployment["policy"]) == {"quotes", "enclaves", "endorsements", "fees", "max_expiration"}
        assert "tdx" in deployment["policy"]["quotes"]["pcs"]


def test_the_image_is_named_in_full_and_by_digest() -> None:
    (service,) = COMPOSE["services"].values()
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9./-]+@sha256:[0-9a-f]{64}", service["image"])
    assert service["platform"] == "linux/amd64"


def test_the_container_reaches_the_daemon_and_keeps_its_journal() -> None:
    (service,) = COMPOSE["services"].values()
    assert f"{DEFAULT_SOCKET}:{DEFAULT_SOCKET}" in service["volumes"]
    volume, _, place = service["volumes"][1].partition(":")
    assert volume in COMPOSE["volumes"]
    assert service["environment"]["PROVENANCE_JOURNAL"].startswith(f"{place}/")
    assert service["read_only"] is True
    assert "privileged" not in service


def test_the_environment_holds_settings_and_no_secret() -> None:
    (service,) = COMPOSE["services"].values()
    environment = {name: GIVEN.get(name, value) for name, value in service["environment"].items()}
    for name in GIVEN:
        assert service["environment"][name] == f"${{{name}}}"
    settings = load_settings(None, environment, {})
    assert settings.key == "rofl:oracle"
    assert settings.confirmations == 0, "Sapphire's blocks are final at once"
    assert service["command"] == ["watch"]
