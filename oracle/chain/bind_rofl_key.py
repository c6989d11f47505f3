"""Bind a key of a ROFL app to the app's place among a registry's oracles, once.

The contract takes the binding only from a transaction whose origin the Oasis runtime knows as the app's. After that the
key sends ordinary transactions.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from provenance_oracle.oracle.chain.calls import bind_rofl_key_call
from provenance_oracle.oracle.chain.rofl import parse_app_id
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.oracle_sets import AppSeat

_log = logging.getLogger(__name__)
_GAS = 500_000  # the call needs about 100,000; the runtime's subcall has no public price
_KEEP_SECONDS = 60.0
_LOOKS_MAX, _LOOK_SECONDS = 30, 1.0  # Sapphire has a block every 6 seconds


class BoundRegistry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that a binding needs."""

    address: bytes

    def app_seat(self, app: bytes) -> AppSeat | None:
        """Return the place of a ROFL app in the oracle set in force; None if the app has none."""

    def time(self) -> int:
        """Return the Unix time of the newest block."""


class AppDaemon(Protocol):
    """The part of `oracle.signers.appd.Appd` that a binding needs."""

    def app_id(self) -> str:
        """Return the id of the app: `rofl1...`."""

    def sign_submit(self, to: str, data: bytes, *, gas: int) -> None:
        """Send a call as the app and wait until it took effect."""


def bind_rofl_key(
    registry: BoundRegistry, appd: AppDaemon, key: str, *, sleep: Callable[[float], object] = time.sleep
) -> bool:
    """Bind a key to the app's place in the oracle set in force, unless the place has this key already.

    The function reads the chain first and again after it sent the call, so it is safe to call it again after any
    failure.

    Args:
        key: the key's address, 0x and 40 hex digits.
        sleep: waits so many seconds between two looks at the chain.

    Returns:
        Whether a call was sent. The key is bound then, and its signatures count at the newest block.

    Raises:
        UsageError: the app has no place in the set, or the daemon refuses.
        TemporaryError: daemon or node fail, the call failed, or the chain does not show the binding yet.
    """
    text = appd.app_id().strip()
    app = parse_app_id(text)
    seat = _seat(registry, app, text)
    wanted = bytes.fromhex(key.removeprefix("0x"))
    is_bound = seat.key == wanted
    if not is_bound:
        if any(seat.key):
            _log.warning("oracle %d gets the key %s in place of 0x%s", seat.index, key, seat.key.hex())
        appd.sign_submit(f"0x{registry.address.hex()}", bind_rofl_key_call(seat.index, key), gas=_GAS)
    for _ in range(_LOOKS_MAX):
        seat = _seat(registry, app, text)
        if seat.key == wanted and seat.valid_from <= registry.time():
            level = logging.DEBUG if is_bound else logging.INFO
            _log.log(level, "the key %s is that of oracle %d, the ROFL app %s", key, seat.index, text)
            return not is_bound
        sleep(_LOOK_SECONDS)
    got, words = f"0x{seat.key.hex()}, valid from {seat.valid_from}", f"{key}, valid at the newest block"
    raise TemporaryError("the chain does not show the key of the ROFL app yet", where=text, got=got, wanted=words)


class BoundKey:
    """Keeps a key bound: the owner may put another set in force, in which the app's place has no key again.

    Args:
        open_registry: opens the registry; called once for each look at it.
        key, sleep: as for `bind_rofl_key`.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        open_registry: Callable[[], BoundRegistry],
        appd: AppDaemon,
        key: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_registry = open_registry
        self._appd = appd
        self._key = key
        self._sleep = sleep
        self._clock = clock
        self._next_look = -math.inf

    def keep(self) -> None:
        """Bind the key if its place has not got it. Look at the chain once a minute, however often this is called.

        Raises:
            UsageError, TemporaryError: see `bind_rofl_key`. The next call looks again.
        """
        if self._clock() >= self._next_look:
            bind_rofl_key(self._open_registry(), self._appd, self._key, sleep=self._sleep)
            self._next_look = self._clock() + _KEEP_SECONDS


def _seat(registry: BoundRegistry, app: bytes, text: str) -> AppSeat:
    seat = registry.app_seat(app)
    if seat is None:
        wanted = f"a set with it: provenance deploy --oracle {text}, or the owner's next set"
        raise UsageError("the app is not an oracle of this registry", where=text, got="no place", wanted=wanted)
    return seat
