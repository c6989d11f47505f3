"""Keep private keys out of core dumps."""

from __future__ import annotations

import ctypes
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def forbid_core_dumps() -> None:
    """Make a crash of this process leave no core dump, before a private key comes into its memory.

    The limit stops files. A kernel that pipes dumps into a program ignores it, and obeys the process flag, which also
    keeps other processes of the same user from reading this one's memory. Where neither exists, nothing happens.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
