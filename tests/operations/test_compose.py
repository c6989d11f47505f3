"""Tests of compose.yaml: its settings are the oracle's, its files exist, and every service is shut in."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.oracle.signers.keystore import KeystoreSigner
from provenance_oracle.oracle.signers.passwords import read_password
from tests.operations.test_dockerfile import STAGES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MAKE_SECRETS = ROOT / "operations" / "compose" / "make_secrets.py"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_rights_and_a_read_only_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not {"cap_add", "devices", "pid", "ipc", "network_mode"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_a_user_other_than_root(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert service["build"]["target"] in STAGES  # test_dockerfile checks the user of every target
        assert "user" not in service
    else:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version_and_a_health_check(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":[\w.-]*[a-z0-9]$", service["image"])
    assert not service["image"].endswith(":latest")
    assert "healthcheck" in service or service["build"]["target"] in ("oracle", "anvil")


@pytest.mark.parametrize("name", SERVICES)
def test_only_prometheus_and_grafana_reach_the_outside_and_only_on_this_machine(name: str) -> None:
    service = SERVICES[name]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    ports = {"prometheus": ["127.0.0.1:9090:9090"], "grafana": ["127.0.0.1:3000:3000"]}.get(name, [])
    assert service["networks"] == (["inside", "outside"] if ports else ["inside"])
    assert service.get("ports", []) == ports


def test_every_secret_is_a_file_and_named_where_it_is_used() -> None:
    made = {name: Path(secret["file"]).name for name, secret in COMPOSE["secrets"].items()}
    assert all(name == file for name, file in made.items())
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == set(made)
    for name, service in SERVICES.items():
        text = yaml.safe_dump(service)
        assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service.get("secrets", [])), name
        assert not re.search(r"0x[0-9a-fA-F]{64}|password: *[^/]", text), name


def test_every_file_that_is_mounted_or_built_from_is_here() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict) and volume["source"] != "./releases":
                assert (ROOT / volume["source"]).exists()
                assert volume["read_only"] is True
            elif isinstance(volume, str):
                assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_the_oracle_s_environment_is_its_settings() -> None:
    environment: dict[str, str] = SERVICES["oracle"]["environment"]
    ours = {name: text for name, text in environment.items() if name.startswith("PROVENANCE_")}
    settings = load_settings(None, ours, {})
    assert settings.sources == ("/releases",)
    assert settings.journal == "postgresql://provenance@postgres/provenance"
    assert settings.listen == "0.0.0.0:8000"
    assert settings.confirmations == 0
    assert set(environment) - set(ours) == {"PGPASSFILE"}


@pytest.mark.parametrize("name", ["registry", "oracle"])
def test_the_commands_can_be_parsed(name: str) -> None:
    [text] = SERVICES[name]["command"]
    words = shlex.split(text.partition("exec provenance ")[2] or text)
    main.commands[words[0]].make_context(words[0], words[1:], resilient_parsing=True)


def test_prometheus_asks_the_oracle_where_it_listens() -> None:
    configuration = yaml.safe_load((ROOT / "operations" / "prometheus" / "prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]
    _, _, port = SERVICES["oracle"]["environment"]["PROVENANCE_LISTEN"].rpartition(":")
    assert job["static_configs"] == [{"targets": [f"oracle:{port}"]}]


def test_grafana_asks_prometheus_shows_the_dashboard_and_has_no_account() -> None:
    folder = ROOT / "operations" / "grafana" / "provisioning"
    [source] = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:" + SERVICES["prometheus"]["ports"][0].rpartition(":")[2]
    [provider] = yaml.safe_load((folder / "dashboards" / "oracle.yaml").read_text())["providers"]
    mounts = {volume["target"]: volume["source"] for volume in SERVICES["grafana"]["volumes"]}
    assert list((ROOT / mounts[provider["options"]["path"]]).glob("*.json"))
    assert ROOT / mounts["/etc/grafana/provisioning"] == folder
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    command = [sys.executable, str(MAKE_SECRETS), "--folder", str(folder), "--keep-owner"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder


def test_the_secrets_are_those_of_the_file_and_only_their_owner_reads_them(secrets: Path) -> None:
    assert {path.name for path in secrets.iterdir()} == set(COMPOSE["secrets"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o400}


def test_the_oracle_opens_its_keystore_and_anvil_funds_the_account(secrets: Path) -> None:
    password = read_password(secrets / "oracle_keystore_password")
    signer = KeystoreSigner(secrets / "oracle_keystore", password)
    assert signer.address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"  # anvil prints it as account (1)


def test_the_database_and_the_oracle_have_one_password(secrets: Path) -> None:
    password = (secrets / "postgres_password").read_text()
    assert len(password) == 64
    user = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert (secrets / "oracle_pgpass").read_text() == f"postgres:5432:*:{user}:{password}\n"
    assert SERVICES["oracle"]["environment"]["PROVENANCE_JOURNAL"].startswith(f"postgresql://{user}@postgres/")


def test_secrets_that_exist_are_kept(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    command = [sys.executable, str(MAKE_SECRETS), "--folder", str(secrets), "--keep-owner"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before


def test_without_root_it_says_who_must_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", [str(MAKE_SECRETS)])
    with pytest.raises(SystemExit, match="run this as root"):
        runpy.run_path(str(MAKE_SECRETS), run_name="__main__")
