"""The settings of the log of this process, which a command changes for good."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keeping_log_settings() -> Iterator[None]:
    """Undo what the block sets for the log of this process: its own handler, and the levels."""
    loggers = [logging.getLogger(), logging.getLogger("provenance_oracle")]
    levels, handlers = [one.level for one in loggers], list(loggers[0].handlers)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for handler in list(loggers[0].handlers):
            # pytest's own handlers are of other types
            if type(handler) is logging.StreamHandler and handler not in handlers:
                loggers[0].removeHandler(handler)
