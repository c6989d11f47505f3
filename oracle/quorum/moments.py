"""The moments for which releases are judged. Oracles that agree on a release must also agree on its moment.

The moment is signed: certificates and revocation lists count for it, and the verdict states it. The first oracle that
judges a release takes the present. An oracle that finds the same judgement at an earlier moment among the proposals of
the others judges the release again, at that moment.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

# The oracle judges a release again for others at most this often: a liar can propose any number of moments.
_AGAIN_MAX = 3
_KEPT_MAX = 10_000


class Moments:
    """The moments that other oracles proposed, by manifest digest (32 bytes). Safe for several threads.

    A restart forgets them; the proposals of the others bring them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: OrderedDict[bytes, list[datetime]] = OrderedDict()

    def take(self, manifest_digest: bytes, moment: datetime) -> bool:
        """Have a release judged at this moment from now on. Return False if that was done too often for it."""
        with self._lock:
            moments = self._taken.setdefault(manifest_digest, [])
            if len(moments) >= _AGAIN_MAX:
                return False
            moments.append(moment)
            while len(self._taken) > _KEPT_MAX:
                self._taken.popitem(last=False)
            return True

    def of(self, manifest_digest: bytes) -> datetime | None:
        """Return the moment for a release; None for the present."""
        with self._lock:
            moments = self._taken.get(manifest_digest)
            return moments[-1] if moments else None
