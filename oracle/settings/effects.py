"""Find settings that were given and have no effect because of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

from provenance_oracle.oracle.settings.settings import Settings

_HUB_SCHEME = "hf://"
# Settings that nothing reads yet. Take a name off the list when you make it work.
NOT_WIRED: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Need:
    """The condition under which some settings have an effect, and the same in words."""

    names: tuple[str, ...]
    holds: Callable[[Settings], bool]
    words: str


def is_path(source: str) -> bool:
    """Return whether a source is a folder on this machine: a path, not a URL."""
    return "://" not in source


def _has_hub(settings: Settings) -> bool:
    return any(source.startswith(_HUB_SCHEME) for source in settings.sources)


_NEEDS = (
    _Need(
        ("password_file",), lambda s: s.keystore is not None or s.key.startswith("keystore:"), "there is no keystore"
    ),
    _Need(
        ("report_password_file",),
        lambda s: s.report_keystore is not None or s.report_key.startswith("keystore:"),
        "there is no report_keystore",
    ),
    _Need(
        ("allow_development_key",),
        lambda s: bool(s.key_variable or s.report_key_variable) or "env:" in (s.key[:4], s.report_key[:4]),
        "no key comes from the environment",
    ),
    _Need(("watch",), lambda s: any(map(is_path, s.sources)), "no source is a folder"),
    _Need(("judge_processes",), lambda s: any(map(is_path, s.sources)), "no source is a folder"),
    _Need(("judge_processes",), lambda s: not s.peers, "with peers, the oracle's own process judges"),
    _Need(("judge_processes",), lambda s: is_path(s.journal), "an oracle that shares its journal judges by itself"),
    _Need(("hub_token_file",), _has_hub, "no source is on the hub (hf://)"),
    _Need(("webhook_secret_file",), lambda s: bool(s.listen), "listen is not set, so there is no server"),
    _Need(("index", "proxies"), lambda s: bool(s.listen), "listen is not set, so there is no server"),
    _Need(
        ("page_rpc", "requests_per_second_max"), lambda s: bool(s.index), "index is not set, so there is no REST API"
    ),
    _Need(("batch_after_seconds",), lambda s: s.batch_max > 1, "batch_max is 1"),
    _Need(
        ("batch_max", "batch_after_seconds"),
        lambda s: bool(s.batch_uri),
        "batch_uri is not set, so there are no batches",
    ),
    _Need(("batch_uri",), lambda s: not s.peers, "peers sign single records only"),
)


def useless_settings(settings: Settings, chosen: Set[str]) -> Iterator[str]:
    """Yield a line for every setting that was given and has no effect.

    Args:
        chosen: names of the settings that were given.
    """
    for name in NOT_WIRED:
        if name in chosen:
            yield f"the setting {name} has no effect in this version"
    for need in _NEEDS:
        if not need.holds(settings):
            for name in need.names:
                if name in chosen:
                    yield f"the setting {name} has no effect: {need.words}"
    if settings.retry_max_seconds < settings.retry_first_seconds and "retry_max_seconds" in chosen:
        yield "the setting retry_first_seconds has no effect: it is longer than retry_max_seconds"
