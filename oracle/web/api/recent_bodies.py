"""The bodies of the last second, so that a badge or record which everybody looks at is made once a second.

Every answer may be kept for longer than that by the caches between here and the client (Cache-Control).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from provenance_oracle.oracle.web.api.table import Body

KEPT_SECONDS = 1.0
_BODIES_MAX = 512
_BODY_MAX_BYTES = 64 * 1024


class RecentBodies:
    """Bodies by the address that was asked for. One thread uses it.

    Args:
        clock: returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, Body]] = OrderedDict()

    def find(self, address: bytes) -> Body | None:
        """Return the body of an address; None if none was made in the last KEPT_SECONDS."""
        found = self._kept.get(address)
        return found[1] if found is not None and self._clock() - found[0] < KEPT_SECONDS else None

    def keep(self, address: bytes, body: Body) -> None:
        """Keep a body that is not too large, in place of the oldest one."""
        if len(body.data) > _BODY_MAX_BYTES:
            return
        self._kept.pop(address, None)
        self._kept[address] = (self._clock(), body)
        if len(self._kept) > _BODIES_MAX:
            self._kept.popitem(last=False)
