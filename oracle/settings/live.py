"""Settings that change while the oracle runs: SIGHUP reads file, environment and options anew.

A wrong file changes nothing. A changed setting that a running oracle cannot take over waits for a restart. The log has
a line for either.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from types import FrameType
from typing import Any, Generic, TypeVar, cast

from provenance_oracle.oracle.settings.load import Effective
from provenance_oracle.oracle.settings.names import SPECS
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_END_SECONDS = 1.0  # a file that is a pipe may be read for ever, and must not keep the oracle from ending
_T = TypeVar("_T")


class LiveSettings:
    """The settings in force. Any thread may read them.

    Args:
        settings: the settings at the start.
        read: reads them anew. It raises UsageError for wrong ones.
        apply: called after a change, with the new settings.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Effective],
        apply: Callable[[Settings], object] = lambda _settings: None,
    ) -> None:
        self._settings = settings
        self._read = read
        self._apply = apply

    def __call__(self) -> Settings:
        """Return the settings in force."""
        return self._settings

    def reload(self) -> None:
        """Read the settings anew and take over those that may change. No problem with them is raised."""
        try:
            effective = self._read()
        except UsageError as error:
            _log.error("the settings are wrong, so the earlier ones stay in force: %s", error)
            return
        for remark in effective.remarks:
            _log.warning("%s", remark)
        changes: dict[str, Any] = {}
        for name, spec in SPECS.items():
            before, after = getattr(self._settings, name), getattr(effective.settings, name)
            if before == after:
                continue
            words = tuple(printable(str(spec.shown(value))) for value in (before, after))
            if spec.live:
                changes[name] = after
                _log.info("the setting %s is now %s, no longer %s", name, words[1], words[0])
            else:
                _log.warning("the setting %s stays %s until a restart, which makes it %s", name, *words)
        self._settings = replace(self._settings, **changes)
        self._apply(self._settings)
        _log.info("the settings were read anew; %d changed", len(changes))


class _View(Generic[_T]):
    """Passes every attribute to an object that is made anew."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def view_of(make: Callable[[], _T]) -> _T:
    """Return an object whose attributes are those of `make()` at the moment of use.

    A long-lived part keeps it in place of a frozen group of settings, and so sees their changes.
    """
    return cast(_T, _View(make))


@contextmanager
def reloading_on_hangup(live: LiveSettings) -> Iterator[None]:
    """Reload the settings on SIGHUP, within the block, in a thread of its own."""
    requests: SimpleQueue[bool] = SimpleQueue()  # its `put` is safe in a signal handler

    def request(_number: int, _frame: FrameType | None) -> None:
        requests.put(True)

    def work() -> None:
        while requests.get():
            live.reload()

    thread = threading.Thread(target=work, name="settings", daemon=True)
    before = signal.signal(signal.SIGHUP, request)
    thread.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
        requests.put(False)
        thread.join(_END_SECONDS)
