"""Tests of releases on the hub: which commits are releases, and that they are read at their commit and nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.sources import hub as module
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.hub import HubPart, HubSource, parse_hub_source
from provenance_oracle.oracle.sources.hub_api import HubApi
from provenance_oracle.oracle.sources.look import look_at
from provenance_oracle.oracle.sources.open import open_sources
from provenance_oracle.oracle.sources.web_client import WebClient
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.policy import Policy
from tests.support.stand_in_hub import Asked, Reply, StandInHub, stand_in_hub
from tests.support.whole_releases import AT, SIMULATOR_ROOTS, lay_out, pinning_policy

RELEASE = {"w.bin": bytes(5000), MANIFEST_PATH: b"{}", "provenance/cvm-key.pem": b"key"}
MODEL = {"w.bin": bytes(5000)}


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


@pytest.fixture(scope="module")
def policy() -> Policy:
    return pinning_policy()


def source_of(hub: StandInHub, text: str = "hf://acme", releases_max: int = 1000) -> HubSource:
    return HubSource(text, parse_hub_source(text), HubApi(WebClient(hub.url)), releases_max=releases_max)


def found(source: HubSource) -> dict[str, str]:
    return {handle.id: handle.revision for handle in source.releases()}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hf://acme", (HubPart("acme"),)),
        ("hf://acme/m.v1", (HubPart("acme", "m.v1"),)),
        ("hf://acme/m@v1/x", (HubPart("acme", "m", "v1/x"),)),
        ("hf://acme,b/c", (HubPart("acme"), HubPart("b", "c"))),
    ],
)
def test_the_text_of_a_source(text: str, parts: tuple[HubPart, ...]) -> None:
    assert parse_hub_source(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "hf://",
        "hf://a/b/c",
        "hf://a@main",
        "hf://../x",
        "hf://a/..",
        "hf://a/b@../x",
        "hf://a,",
        "hf:///a",
        "hf://a b",
        f"hf://{','.join('a' * 65)}",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a source on the hub"):
        parse_hub_source(text)


def test_a_commit_with_a_manifest_is_a_release(hub: StandInHub) -> None:
    commits = {name: hub.push(f"acme/{name}", RELEASE) for name in "ab"}
    hub.push("acme/plain", MODEL)
    hub.push("acme/unsigned", {**MODEL, "provenance/cvm-key.pem": b"key"})
    hub.push("other/x", RELEASE)
    handles = list(source_of(hub).releases())
    assert {handle.id: handle.revision for handle in handles} == {f"acme/{name}": commits[name] for name in "ab"}
    assert {(one.fingerprint == one.revision, one.written_at, one.total_bytes) for one in handles} == {
        (True, 1767323045.0, 5005)
    }


def test_each_commit_is_looked_at_once(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    hub.push("acme/plain", MODEL)
    source = source_of(hub)
    first = found(source)
    assert len(hub.paths("/api/models/acme/")) == 2
    assert found(source) == first
    assert len(hub.paths("/api/models/acme/")) == 2
    commit = hub.push("acme/plain", RELEASE)
    assert found(source)["acme/plain"] == commit
    assert len(hub.paths("/api/models/acme/")) == 3


def test_one_repository_at_its_branch(hub: StandInHub) -> None:
    commit = hub.push("acme/a", RELEASE)
    hub.push("acme/b", RELEASE)
    assert found(source_of(hub, "hf://acme/a,acme/a")) == {"acme/a": commit}
    assert not hub.paths("/api/models?")
    assert hub.paths("/api/models/acme/a/revision")[0] == "/api/models/acme/a/revision/main"


def test_a_repository_that_is_not_there_stops_no_other(hub: StandInHub, caplog: pytest.LogCaptureFixture) -> None:
    commit = hub.push("acme/a", RELEASE)
    source = source_of(hub, "hf://acme/none,acme/a")
    for _ in range(2):
        assert found(source) == {"acme/a": commit}
    assert len([line for line in caplog.messages if "acme/none at main cannot be read" in line]) == 1


def test_private_repositories_need_the_token(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    hub.private.add("acme/a")
    hub.token = "hf_x"
    assert found(source_of(hub)) == {}
    source = HubSource(
        "n", parse_hub_source("hf://acme"), HubApi(WebClient(hub.url, lambda: "Bearer hf_x")), releases_max=9
    )
    assert list(found(source)) == ["acme/a"]


def test_a_gated_repository_is_left_out_and_looked_at_again_later(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub lists its files, and gives none."""
    monkeypatch.setattr(module, "_AGAIN_SCANS", 3)
    hub.push("acme/gated", RELEASE)
    hub.before = lambda asked: Reply(403) if "/resolve/" in asked.path else None
    source = source_of(hub)
    assert [found(source) for _ in range(3)] == [{}] * 3
    assert len(hub.paths("/acme/gated/resolve/")) == 1
    assert "acme/gated is left out" in caplog.text
    hub.before = lambda _asked: None
    assert list(found(source)) == ["acme/gated"]


def test_a_repository_whose_listing_is_not_shown_is_left_out(hub: StandInHub, caplog: pytest.LogCaptureFixture) -> None:
    hub.push("acme/a", RELEASE)
    hub.before = lambda asked: Reply(401) if "/tree/" in asked.path else None
    assert found(source_of(hub)) == {}
    assert "acme/a is left out" in caplog.text


def test_a_scan_looks_at_a_bounded_number_of_new_commits(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOKS_MAX", 2)
    for name in "abcde":
        hub.push(f"acme/{name}", RELEASE)
    source = source_of(hub)
    assert [len(found(source)) for _ in range(4)] == [2, 4, 5, 5]


def test_an_owner_of_very_many_repositories_is_watched_in_part(
    hub: StandInHub, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abcde":
        hub.push(f"acme/{name}", RELEASE)
    assert list(found(source_of(hub, releases_max=1))) == ["acme/a"]
    assert "more than 1 repositories" in caplog.text


def test_a_repository_that_fails_keeps_no_other_out(hub: StandInHub, caplog: pytest.LogCaptureFixture) -> None:
    """Four of them fail, more than a scan bears; each comes last in the next scan."""
    bad = [f"acme/bad{number}" for number in range(4)]
    for name in [*bad, "acme/good"]:
        hub.push(name, RELEASE)

    def before(asked: Asked) -> Reply | None:
        return Reply(500) if "/tree/" in asked.path and "/bad" in asked.path else None

    hub.before = before
    source = source_of(hub)
    with pytest.raises(TemporaryError, match="status 500"):
        found(source)
    assert [list(found(source)) for _ in range(2)] == [["acme/good"]] * 2


def test_a_failed_look_hides_no_known_release(hub: StandInHub) -> None:
    """The service offers what a scan finds only if the scan ends."""
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    assert list(found(source)) == ["acme/a"]
    hub.push("acme/b", RELEASE)
    hub.before = lambda asked: Reply(500) if "/tree/" in asked.path else None
    assert list(found(source)) == ["acme/a"]


def test_a_hub_that_is_down_is_temporary(hub: StandInHub) -> None:
    hub.before = lambda _asked: Reply(503)
    with pytest.raises(TemporaryError, match="status 503"):
        found(source_of(hub))


@pytest.mark.parametrize(
    "item",
    [
        {"id": "acme/../x", "sha": "0" * 40},
        {"id": "acme/a/b", "sha": "0" * 40},
        {"id": "evil/a", "sha": "0" * 40},
        {"id": "acme/a", "sha": "main"},
        {"id": "acme/a", "sha": "../" + "0" * 37},
        {"id": 3, "sha": "0" * 40},
        {},
    ],
)
def test_a_listing_of_something_else_is_passed_over(
    hub: StandInHub, item: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    import json

    hub.before = lambda asked: (
        Reply(200, json.dumps([item]).encode()) if asked.path.startswith("/api/models?") else None
    )
    assert found(source_of(hub)) == {}
    assert len(hub.asked) == 1
    assert "lists something else" in caplog.text


@pytest.mark.parametrize("moment", ["yesterday", None, 5, "9999-99-99"])
def test_a_moment_that_is_none_is_the_oldest(hub: StandInHub, moment: object) -> None:
    assert module._unix(moment) == 0.0


def test_shares_are_the_owner_and_the_key(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    hub.push("acme/b", RELEASE)
    hub.push("acme/c", {**RELEASE, "provenance/cvm-key.pem": b"other"})
    source = source_of(hub)
    shares = [source.shares(handle) for handle in source.releases()]
    assert {owner for owner, _ in shares} == {"owner acme"}
    assert len({key for _, key in shares}) == 2
    assert source.shares(Handle("acme/unknown", "f")) == ("owner acme",)


def test_a_release_on_the_hub_is_judged_like_the_same_folder(hub: StandInHub, policy: Policy, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "release")
    hub.page_items = 3
    hub.push_folder("acme/model", folder)
    source = source_of(hub)
    (handle,) = source.releases()
    hub.push("acme/model", {"moved": b"on"})
    expected = judge(read_release(folder), policy, at=AT, roots=SIMULATOR_ROOTS)
    with source.open(handle) as files:
        judgement = judge(read_release(files), policy, at=AT, roots=SIMULATOR_ROOTS)
    assert judgement.verdict == expected.verdict
    assert judgement.record == expected.record


def test_every_byte_is_streamed_once_and_none_is_kept(hub: StandInHub, tmp_path: Path) -> None:
    files = {f"part{number}.xet": bytes([number]) * 700_000 for number in range(4)} | {"empty": b"", "small": b"s"}
    hub.push("acme/a", {**RELEASE, **files})
    source = source_of(hub)
    (handle,) = source.releases()
    for path, data in files.items():
        (tmp_path / path).write_bytes(data)
    (tmp_path / "w.bin").write_bytes(RELEASE["w.bin"])
    expected = digest_files(tmp_path, list_files(tmp_path))
    with source.open(handle) as opened:
        digests = digest_files(opened, list_files(opened))
    assert digests.model_digest == expected.model_digest
    read = [path.rpartition("/")[2] for path in hub.paths("/acme/a/resolve") if "/provenance/" not in path]
    assert sorted(read) == ["part0.xet", "part1.xet", "part2.xet", "part3.xet", "small", "w.bin"]  # no empty file
    assert [one for one in hub.asked if one.server == "store" and "authorization" in one.headers] == []


def test_a_connection_that_breaks_goes_on_where_it_ended(hub: StandInHub) -> None:
    data = bytes(range(256)) * 4000
    hub.push("acme/a", {**RELEASE, "w.bin": data})
    source = source_of(hub)
    (handle,) = source.releases()
    ranges: list[str] = []

    def before(asked: Asked) -> Reply | None:
        if asked.server != "store":
            return None
        ranges.append(asked.headers["range"])
        if len(ranges) > 1:
            return None
        return Reply(
            206,
            data[:300_000],
            {
                "Content-Length": str(len(data)),
                "Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}",
                "Connection": "close",
            },
        )

    hub.before = before
    with source.open(handle) as opened:
        listing = list_files(opened)
        digest_files(opened, listing)
    assert ranges == [f"bytes=0-{len(data) - 1}", f"bytes=300000-{len(data) - 1}"]


def test_a_commit_that_has_gone_is_no_release_any_more(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    (handle,) = source.releases()
    hub.commits["acme/a"].clear()
    with source.open(handle) as opened:
        assert look_at(opened, handle.id) is None
        with pytest.raises(UsageError, match="no such release"):
            list_files(opened)


def test_a_file_that_goes_while_it_is_read_is_a_change(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    (handle,) = source.releases()
    with source.open(handle) as opened:
        listing = list_files(opened)
        hub.commits["acme/a"].clear()
        with pytest.raises(ChangedError):
            digest_files(opened, listing)


def tree(hub: StandInHub, *items: dict[str, object]) -> None:
    """Answer listings of the root with these items."""

    def before(asked: Asked) -> Reply | None:
        is_root = asked.path.partition("?")[0].endswith(hub.heads["acme/a"])
        return Reply(200, json.dumps(items).encode()) if is_root else None

    hub.before = before


ITEM = {"type": "file", "path": "w.bin", "size": 5000, "oid": "0" * 40}


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({**ITEM, "path": "../w.bin"}, FormatError),
        ({**ITEM, "path": "/etc/passwd"}, FormatError),
        ({**ITEM, "path": "a/./b"}, FormatError),
        ({**ITEM, "path": "a\\b\u202e"}, FormatError),
        ({**ITEM, "type": "commit"}, FormatError),
        ({**ITEM, "size": -1}, FormatError),
        ({**ITEM, "size": 2**63}, FormatError),
        ({**ITEM, "size": 2**50}, FormatError),
        ({**ITEM, "size": "5"}, TemporaryError),
        ({**ITEM, "size": True}, TemporaryError),
        ({**ITEM, "path": 5}, TemporaryError),
        ({**ITEM, "oid": None}, TemporaryError),
        ({**ITEM, "lfs": {"oid": None}}, TemporaryError),
    ],
)
def test_a_hostile_listing_is_refused(hub: StandInHub, item: dict[str, object], error: type[Exception]) -> None:
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    (handle,) = source.releases()
    tree(hub, item)
    with source.open(handle) as opened, pytest.raises(error):
        list_files(opened)


def test_two_files_of_one_name_are_refused(hub: StandInHub) -> None:
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    (handle,) = source.releases()
    tree(hub, ITEM, ITEM)
    with source.open(handle) as opened, pytest.raises(FormatError):
        list_files(opened)


def test_a_listing_of_too_many_pages_is_a_release_with_too_many_files(
    hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance_oracle.oracle.sources.hub_files._PAGES_MAX", 3)
    hub.push("acme/a", RELEASE)
    source = source_of(hub)
    (handle,) = source.releases()
    hub.push("acme/a", RELEASE | {f"f{number}": b"" for number in range(50)})
    (handle,) = source.releases()
    hub.page_items = 5
    with source.open(handle) as opened, pytest.raises(FormatError, match="too many files") as caught:
        list_files(opened)
    assert caught.value.check is Check.FILE_SET


def test_the_setting_opens_a_hub_with_its_token(
    hub: StandInHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = tmp_path / "token"
    token.write_text("hf_s3cret\n")
    token.chmod(0o600)
    hub.token = "hf_s3cret"
    hub.push("acme/a", RELEASE)
    hub.private.add("acme/a")
    places = {"journal": "j", "rpc_urls": ("http://h",), "registry": "0x1"}
    settings = Settings(sources=("hf://acme",), hub_token_file=token, **places)  # type: ignore[arg-type]
    (source,) = open_sources(settings, {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_other"})
    assert source.name == "hf://acme"
    assert [handle.id for handle in source.releases()] == ["acme/a"]
    assert "s3cret" not in caplog.text + repr(settings) + repr(vars(source))
