"""Tests of the settings: the precedence of three sources, the check of each value, and unknown names."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.proving import Prove
from provenance_oracle.oracle.settings.effects import NOT_WIRED
from provenance_oracle.oracle.settings.load import Given, Origin, load_settings, read_settings
from provenance_oracle.oracle.settings.names import SPECS, variable_of
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.sources.watch import WatchMode
from provenance_oracle.verifier.digest.choose import DEVICES
from provenance_oracle.verifier.errors import TemporaryError, UsageError

NEEDED = {"sources": ["drop"], "journal": "j.db", "rpc_urls": ["http://127.0.0.1:1"], "registry": "0x" + "11" * 20}


def load(text: str = "", environ: dict[str, str] | None = None, **options: object) -> Settings:
    return load_settings(None, environ or {}, NEEDED | options)


def from_file(tmp_path: Path, text: str, **options: object) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    return load_settings(file, {}, NEEDED | options)


def test_what_is_not_given_has_its_default() -> None:
    settings = load()
    assert settings.sources == ("drop",)
    assert (settings.policy, settings.watch, settings.confirmations) == ("baseline", "auto", 12)


def test_options_go_before_environment_before_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("scan_seconds: 1\nsettle_seconds: 1\nconfirmations: 1\n")
    environ = {"PROVENANCE_SCAN_SECONDS": "2", "PROVENANCE_SETTLE_SECONDS": "2", "OTHER": "x"}
    settings = load_settings(file, environ, NEEDED | {"scan_seconds": 3, "policy": None})
    assert (settings.scan_seconds, settings.settle_seconds, settings.confirmations) == (3, 2, 1)


def test_every_setting_can_come_from_the_environment() -> None:
    texts = {"watch": "poll", "allow_development_key": "true", "fetch": "true", "device": "cpu", "gas_max": "200000"}
    texts |= {"prove": "graded"}
    texts |= {"log_format": "json", "log_level": "debug", "sources": "a b", "peers": "p q\nr\n", "listen": "8080"}
    environ = {variable_of(name): texts.get(name, "7") for name in SPECS}
    effective = read_settings(Given(), environ)
    assert set(effective.origins.values()) == {Origin.ENVIRONMENT}
    settings = effective.settings
    assert settings.allow_development_key is True
    assert settings.watch == WatchMode.POLL
    assert settings.keystore == Path("7")
    assert (settings.sources, settings.peers, settings.listen) == (("a", "b"), ("p q", "r"), "127.0.0.1:8080")


def test_every_default_fits_its_kind() -> None:
    for name, spec in SPECS.items():
        value = getattr(load(), name)
        assert value in (None, "", ()) or spec.kind.parse(value) == value, name


def test_the_words_of_settings_are_those_of_the_code_that_takes_them() -> None:
    assert SPECS["watch"].kind.choices == tuple(WatchMode)
    assert SPECS["device"].kind.choices == tuple(DEVICES)
    assert SPECS["prove"].kind.choices == tuple(Prove)


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
        ("confirmations", "safe"),
        ("confirmations", "Finalized"),
        ("gas_max", 99_999),
        ("watch", "sometimes"),
        ("allow_development_key", "yes"),
        ("allow_development_key", 1),
        ("policy", ""),
        ("policy", 3),
        ("sources", ""),
        ("sources", []),
        ("sources", ["a", 3]),
        ("sources", ["a", ""]),
        ("sources", ["a", "a"]),
        ("sources", [str(n) for n in range(65)]),
        ("sources", {"a": "b"}),
        ("journal", ""),
        ("keystore", 3),
        ("batch_max", 129),
        ("listen", "host"),
        ("listen", "host:"),
        ("listen", "host:0"),
        ("listen", "host:65536"),
        ("listen", "a b:80"),
        ("listen", "http://host:80"),
        ("listen", True),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"option: the setting {name} has a wrong value"):
        load(**{name: value})


def test_a_list_in_the_file_may_be_one_text(tmp_path: Path) -> None:
    options = {"sources": None, "rpc_urls": None}
    settings = from_file(tmp_path, "sources: my models\nrpc_urls:\n  - http://a\n  - http://b\n", **options)
    assert (settings.sources, settings.rpc_urls) == (("my models",), ("http://a", "http://b"))


def test_the_origin_of_every_value_is_known(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("scan_seconds: 1\nsettle_seconds: 1\npolicy: strict\n")
    environ = {"PROVENANCE_SETTLE_SECONDS": "2", "PROVENANCE_RPC": "http://c"}
    given = Given(file, {"sources": ("drop",), "journal": "j"}, {"registry": "0x22", "policy": None})
    effective = read_settings(given, environ)
    names = ("sources", "registry", "rpc_urls", "settle_seconds", "scan_seconds", "policy", "gas_max")
    origins = ["option", "network", "environment", "environment", "file", "file", "default"]
    assert [effective.origins[name] for name in names] == origins
    assert effective.settings.rpc_urls == ("http://c",)
    assert effective.remarks == ()


def test_a_network_goes_before_the_environment_and_after_options() -> None:
    given = Given(None, NEEDED | {"rpc_urls": None}, {"rpc_urls": ["http://n"], "registry": "0x22"})
    settings = read_settings(given, {"PROVENANCE_RPC_URLS": "http://e"}).settings
    assert (settings.rpc_urls, settings.registry) == (("http://n",), NEEDED["registry"])


def remarks(environ: dict[str, str] | None = None, **options: object) -> tuple[str, ...]:
    return read_settings(Given(None, NEEDED | options), environ or {}).remarks


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PROVENANCE_SCAN_SECOND": "3"}, "PROVENANCE_SCAN_SECOND names no setting .* nearest name is scan_seconds"),
        ({"PROVENANCE_FOLDER": "x"}, "PROVENANCE_FOLDER names no setting .* its name is now sources"),
        ({"PROVENANCE_RPC_URL": "x"}, "its name is now rpc_urls"),
        ({"PROVENANCE_QQQ": "x"}, "PROVENANCE_QQQ names no setting and has no effect$"),
        ({"PROVENANCE_RPC": "x", "PROVENANCE_RPC_URLS": "y"}, "PROVENANCE_RPC_URLS decides"),
    ],
)
def test_a_variable_without_effect_is_told(environ: dict[str, str], words: str) -> None:
    (line,) = remarks(environ)
    assert re.search(words, line)


@pytest.mark.parametrize(
    ("mode", "line", "told"),
    [
        (0o644, "journal: postgresql://u:pw@h/d", True),
        (0o640, "rpc_urls: https://h/v3/key", True),
        (0o600, "journal: postgresql://u:pw@h/d", False),
        (0o644, "journal: postgresql://h/d", False),
        (0o644, "rpc_urls: https://h", False),
    ],
)
def test_a_file_with_secrets_that_others_can_read_is_told(tmp_path: Path, mode: int, line: str, told: bool) -> None:
    file = tmp_path / "oracle.yaml"
    file.write_text(f"{line}\n")
    file.chmod(mode)
    options = NEEDED | dict.fromkeys([line.partition(":")[0]])
    found = read_settings(Given(file, options), {}).remarks
    assert [f"({line.partition(':')[0]})" in remark and "chmod 600" in remark for remark in found] == [True] * told


def test_variables_of_other_commands_are_not_told() -> None:
    assert remarks({"PROVENANCE_DEBUG": "1", "PROVENANCE_RPC": "http://a", "OTHER": "x"}) == ()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"password_file": "p"}, "password_file"),
        ({"keystore": "k", "report_password_file": "p"}, "report_password_file"),
        ({"keystore": "k", "allow_development_key": True}, "allow_development_key"),
        ({"sources": ["s3://b/p"], "watch": "poll"}, "watch"),
        ({"sources": ["s3://b/p"], "judge_processes": 2}, "judge_processes"),
        ({"peers": ["/p"], "judge_processes": 2}, "judge_processes"),
        ({"journal": "postgresql://h/d", "judge_processes": 2}, "judge_processes"),
        ({"retry_first_seconds": 10, "retry_max_seconds": 5}, "retry_first_seconds"),
    ],
)
def test_a_setting_without_effect_is_told(options: dict[str, object], name: str) -> None:
    (line,) = remarks(**options)
    assert line.startswith(f"the setting {name} has no effect")


def test_a_setting_that_nothing_reads_yet_is_told() -> None:
    for name in NOT_WIRED:
        assert name in SPECS
        value = {"log_format": "json"}.get(name, "8" if SPECS[name].kind.metavar != "URL" else ["8"])
        assert f"the setting {name} has no effect in this version" in remarks(**{name: value})


SECRETS = {
    "rpc_urls": ["https://me:s3cret@node.example/s3cret?key=s3cret#s3cret"],
    "journal": "postgresql://me:s3cret@db.example/oracle?password=s3cret",
    "sources": ["s3://me:s3cret@bucket/prefix?token=s3cret"],
    "peers": ["https://me:s3cret@peer.example/x?key=s3cret"],
    "key": "pkcs11:token=oracle?pin-value=s3cret",
}


def test_no_secret_of_a_value_is_shown() -> None:
    settings = load(**SECRETS)
    assert "s3cret" not in repr(settings)
    shown = {name: SPECS[name].shown(getattr(settings, name)) for name in SECRETS}
    assert shown == {
        "rpc_urls": ["https://***@node.example/***"],
        "journal": "postgresql://***@db.example/oracle?***",
        "sources": ["s3://***@bucket/prefix?***"],
        "peers": ["https://***@peer.example/x?***"],
        "key": "pkcs11:token=oracle?***",
    }


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_in_the_refusal_of_a_value(name: str) -> None:
    value = SECRETS[name]
    wrong = [*value, *value] if isinstance(value, list) else {"a": value}
    with pytest.raises(UsageError) as refusal:
        load(**{name: wrong})
    assert "s3cret" not in str(refusal.value)


def test_an_endpoint_without_path_is_shown_whole() -> None:
    assert SPECS["rpc_urls"].shown(("http://127.0.0.1:8545", "no url")) == ["http://127.0.0.1:8545", "no url"]


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no such setting.*scan_seconds"):
        load(scan_second=3)
    with pytest.raises(UsageError, match="its name is now rpc_urls"):
        from_file(tmp_path, "rpc_url_second: http://a\n")
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


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc")
def test_settings_on_a_failing_disk_are_temporary() -> None:
    with pytest.raises(TemporaryError, match="cannot be read: got Input/output error"):
        load_settings(Path("/proc/self/mem"), {}, NEEDED)


def test_the_process_environment_is_a_mapping_that_fits() -> None:
    load_settings(None, {k: v for k, v in os.environ.items() if not k.startswith("PROVENANCE_")}, NEEDED)
