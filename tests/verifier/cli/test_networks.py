"""Tests of the user's configuration file, of --network on every command that reads a chain, and of `networks`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.cli.chain_options import ChainOptions, ChainPlace
from provenance_oracle.verifier.cli.configuration import configuration_path, load_configuration, masked_url
from provenance_oracle.verifier.errors import UsageError
from tests.support.whole_releases import AT, lay_out

ADDRESS = "0x" + "11" * 20
OTHER = "0x" + "22" * 20
FILE = f"""
network: usual
networks:
  usual:
    node: https://usual.example/v3/SECRETKEY
    registry: "{ADDRESS}"
    policy: strict
  dead:
    node: http://127.0.0.1:1
    registry: deployments/1.json
    policy: mine/own.yaml
  bare:
    node: http://127.0.0.1:2
"""
OPTION = ChainPlace("http://option", OTHER)
NOTHING = ChainPlace(None, None)
ENVIRONMENT = ChainPlace("http://environment", "environment.json")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the configuration file, with FILE in it, where the commands look for it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "provenance" / "config.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


# The order in which options, environment and file decide


def _place(
    monkeypatch: pytest.MonkeyPatch,
    *,
    network: str | None = None,
    options: ChainPlace = NOTHING,
    environment: ChainPlace = NOTHING,
    use_default: bool = True,
) -> ChainPlace:
    for name, value in (("PROVENANCE_RPC", environment.rpc_url), ("PROVENANCE_REGISTRY", environment.registry)):
        monkeypatch.setenv(name, value or "")
    return ChainOptions(network, options.rpc_url, options.registry).place(use_default=use_default)


def test_option_then_environment_then_file_decides(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = ChainPlace("https://usual.example/v3/SECRETKEY", ADDRESS, "strict")
    assert _place(monkeypatch, options=OPTION, environment=ENVIRONMENT) == OPTION
    assert _place(monkeypatch, environment=ENVIRONMENT) == ENVIRONMENT
    assert _place(monkeypatch) == usual
    assert _place(monkeypatch, use_default=False) == NOTHING


def test_each_value_is_decided_by_itself_and_a_policy_stays_with_its_registry(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, registry = ChainPlace("http://option", None), ChainPlace(None, OTHER)
    assert _place(monkeypatch, options=node) == ChainPlace("http://option", ADDRESS, "strict")
    found = _place(monkeypatch, options=registry)
    assert found == ChainPlace("https://usual.example/v3/SECRETKEY", OTHER, None)
    assert _place(monkeypatch, options=node, environment=ENVIRONMENT) == ChainPlace("http://option", "environment.json")


def test_a_network_that_an_option_names_comes_before_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ChainPlace("http://127.0.0.1:1", f"{file.parent}/deployments/1.json", f"{file.parent}/mine/own.yaml")
    assert _place(monkeypatch, network="dead", environment=ENVIRONMENT) == dead
    assert _place(monkeypatch, network="dead", options=OPTION, environment=ENVIRONMENT) == OPTION
    bare = _place(monkeypatch, network="bare", environment=ENVIRONMENT)
    assert bare == ChainPlace("http://127.0.0.1:2", "environment.json")


# --network


@pytest.mark.parametrize(
    "command",
    ["show org/x", "check RELEASE", "claim org --key-variable K", "deploy --key-variable K", "watch . --journal j"],
)
def test_every_command_that_reads_a_chain_takes_a_network(
    command: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = command.replace("RELEASE", str(lay_out(tmp_path / "r"))).split()
    more = ("--key-variable", "K", "--once") if words[0] == "watch" else ()
    place = () if words[0] == "deploy" else ("--registry", ADDRESS)
    result = CliRunner().invoke(main, [*words, *more, *place, "--network", "bare"], env={"K": "01" * 32})
    assert (result.exit_code, "127.0.0.1:2" in result.output) == (7, True), result.output
    unknown = run(*words, "--network", "nowhere")
    assert unknown.exit_code == 2
    assert "--network: there is no such network: got nowhere, wanted one of usual, dead, bare" in unknown.stderr


def test_the_policy_of_a_network_is_used_and_an_option_comes_first(file: Path, tmp_path: Path) -> None:
    release = lay_out(tmp_path / "r")
    check = ("check", release, "--offline", "--at", AT.isoformat(), "--json")
    refused = run(*check, "--network", "usual")
    assert json.loads(refused.stdout)["error"]["check"] == "vek-chain"  # strict refuses the simulator
    accepted = json.loads(run(*check, "--network", "usual", "--policy", "demo").stdout)
    assert (accepted["accepted"], accepted["policy"]["name"]) == (True, "demo")
    own = run(*check, "--network", "dead")
    assert (own.exit_code, f"{file.parent}/mine/own.yaml" in own.stdout) == (2, True)


def test_offline_asks_for_no_configuration(file: Path, tmp_path: Path) -> None:
    file.write_text("network: [")
    release = lay_out(tmp_path / "r")
    assert run("check", release, "--offline", "--policy", "demo", "--at", AT.isoformat()).exit_code == 0
    assert run("check", release, "--policy", "demo").exit_code == 2


def test_without_a_file_the_message_says_where_it_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    result = run("show", "org/x", "--network", "usual")
    assert result.exit_code == 2
    assert f"a network in {tmp_path}/provenance/config.yaml" in result.stderr
    assert "--network NAME, or --rpc URL" in run("show", "org/x").stderr


# networks


def test_networks_are_listed_without_their_keys(file: Path) -> None:
    text = run("networks").stdout
    assert text.splitlines()[:3] == [
        f"{file}: 3 networks",
        "usual, the default",
        "  node           https://usual.example/***",
    ]
    document: Any = json.loads(run("networks", "--json").stdout)
    assert (document["schema"], document["accepted"]) == ("provenance-oracle/networks/v1", True)
    assert (document["file"], document["default"]) == (str(file), "usual")
    assert document["networks"] == [
        {"name": "usual", "node": "https://usual.example/***", "registry": ADDRESS, "policy": "strict"},
        {
            "name": "dead",
            "node": "http://127.0.0.1:1",
            "registry": f"{file.parent}/deployments/1.json",
            "policy": f"{file.parent}/mine/own.yaml",
        },
        {"name": "bare", "node": "http://127.0.0.1:2", "registry": None, "policy": None},
    ]
    assert "SECRETKEY" not in text + json.dumps(document)
    file.unlink()
    assert run("networks").stdout == f"{file}: no such file, so there are no networks\n"
    assert json.loads(run("networks", "--json").stdout)["networks"] == []


MASKED = {
    "https://example.org": "https://example.org",
    "https://example.org/": "https://example.org",
    "https://example.org:8545/v3/key": "https://example.org:8545/***",
    "https://example.org?key=1": "https://example.org/***",
    "https://user:pass@example.org/": "https://***@example.org",
    "http://[::1]:8545/#key": "http://[::1]:8545/***",
}


@pytest.mark.parametrize("url", MASKED)
def test_what_may_be_a_key_is_masked(url: str) -> None:
    assert masked_url(url) == MASKED[url]


# The file


WRONG = {
    "": "file is empty",
    "a: 1": "unknown key: got a, wanted only networks, network",
    "networks: 1": "networks: not a mapping",
    "networks: {}": "networks: the mapping is empty or too long",
    "networks: {A: {node: http://x}}": "the text has the wrong form: got A",
    "networks: {a: {}}": "networks.a: the network has no node",
    "networks: {a: {node: http://x, rpc: http://x}}": "networks.a: unknown key: got rpc, wanted only node, registry",
    "networks: {a: {node: 1}}": "networks.a.node: wrong kind of value",
    "networks: {a: {node: 'ws://x/SECRETKEY'}}": "networks.a: the text is not an endpoint",
    "network: a": "there is no such network: got a, wanted a network in this file",
    "networks: {a: {node: http://x}, a: {node: http://y}}": "a key is given twice",
    "networks: &x {a: {node: http://x}}": "anchors and aliases are not allowed here",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_refused_with_the_place_and_a_next_step(text: str, file: Path) -> None:
    file.write_text(text)
    result = run("networks")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error (exit 2): {file}")
    assert WRONG[text] in result.stderr
    assert "`provenance networks --help` shows an example" in result.stderr
    assert "SECRETKEY" not in result.output


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(file: Path) -> None:
    file.write_bytes(b"#" * (1 << 20))
    assert "file is too large" in run("networks").stderr
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match="the configuration cannot be read"):
        load_configuration(file)


def test_the_path_follows_xdg() -> None:
    home = Path.home() / ".config" / "provenance" / "config.yaml"
    assert configuration_path({}) == configuration_path({"XDG_CONFIG_HOME": "relative"}) == home
    assert configuration_path({"XDG_CONFIG_HOME": "/etc/x"}) == Path("/etc/x/provenance/config.yaml")


def test_the_example_of_the_help_is_a_file_that_can_be_read(file: Path) -> None:
    shown = run("networks", "--help").output.partition("Example of a file:\n")[2].partition("\n\n")[0]
    file.write_text(shown)
    assert list(load_configuration(file).by_name) == ["sapphire"]


def test_the_example_on_the_page_is_a_file_that_can_be_read(file: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    file.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert list(load_configuration(file).by_name) == ["sapphire", "local"]
    assert load_configuration(file).network == "sapphire"
