"""Tests of a ROFL app's key and its binding, with the real client and a stand-in for the daemon."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.bind_rofl_key import BoundKey, bind_rofl_key
from provenance_oracle.oracle.chain.calls import bind_rofl_key_call
from provenance_oracle.oracle.chain.rofl import parse_app_id
from provenance_oracle.oracle.signers.appd import Appd
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.oracle.signers.rofl import RoflSigner
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.oracle_sets import AppSeat
from tests.support.rofl import APP, FakeAppd, running_appd

GENERATE, SUBMIT, APP_ID = "/rofl/v1/keys/generate", "/rofl/v1/tx/sign-submit", "/rofl/v1/app/id"
KEY, OTHER = "0x" + "aa" * 20, bytes([0xBB] * 20)


@pytest.fixture
def appd(tmp_path: Path) -> Iterator[FakeAppd]:
    daemon = FakeAppd(None, None)  # type: ignore[arg-type]
    with running_appd(daemon, tmp_path / "appd.sock"):
        yield daemon


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ROFL_APPD_SOCKET": str(tmp_path / "appd.sock")}


def test_a_key_is_derived_by_its_id(appd: FakeAppd, environ: dict[str, str]) -> None:
    signer = open_signer("rofl:oracle", environ=environ)
    assert isinstance(signer, RoflSigner)
    assert not signer.for_development
    assert open_signer("rofl:oracle", environ=environ).address == signer.address
    assert open_signer("rofl:other", environ=environ).address != signer.address
    assert appd.asked == [f"POST {GENERATE}"] * 3


def test_the_socket_is_at_its_usual_place_by_default() -> None:
    pytest.importorskip("oasis_rofl_client", reason="no oasis-rofl-client")
    assert Appd({}).socket == "/run/rofl-appd.sock"


@pytest.mark.parametrize("key_id", ["a b", "a/b", "é", "x" * 65, "../x"])
def test_another_id_of_a_key_is_refused(appd: FakeAppd, environ: dict[str, str], key_id: str) -> None:
    with pytest.raises(UsageError, match="not the id of a key"):
        open_signer(f"rofl:{key_id}", environ=environ)
    assert appd.asked == []


@pytest.mark.parametrize(
    ("status", "text", "kind", "problem"),
    [
        (400, "no such kind", UsageError, "refuses: got status 400: no such kind"),
        (500, "down", TemporaryError, "refuses: got status 500"),
        (200, "", TemporaryError, "malformed"),
        (200, "not json", TemporaryError, "malformed"),
        (200, "{}", TemporaryError, "malformed"),
        (200, '["key"]', TemporaryError, "malformed"),
        (200, json.dumps({"key": "11" * 31}), TemporaryError, "not a key"),
        (200, json.dumps({"key": "0x" + "11" * 32}), TemporaryError, "not a key"),
        (200, json.dumps({"key": 5}), TemporaryError, "not a key"),
        (200, json.dumps({"key": "00" * 32}), UsageError, "not a secp256k1 private key"),
    ],
)
def test_a_daemon_that_fails_names_itself(
    appd: FakeAppd, environ: dict[str, str], status: int, text: str, kind: type[Exception], problem: str
) -> None:
    appd.answers[GENERATE] = (status, text)
    with pytest.raises(kind, match=problem) as caught:
        open_signer("rofl:oracle", environ=environ)
    assert "1111" not in str(caught.value)


def test_a_daemon_that_is_not_there_is_temporary(tmp_path: Path) -> None:
    pytest.importorskip("oasis_rofl_client", reason="no oasis-rofl-client")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # httpcore leaves the socket to the garbage collector
        with pytest.raises(TemporaryError, match=r"does not answer: .*ROFL_APPD_SOCKET names it"):
            open_signer("rofl:oracle", environ={"ROFL_APPD_SOCKET": str(tmp_path / "none")})
        gc.collect()


@pytest.mark.parametrize(
    "data",
    ["", "zz", "00", "a1646661696c01", "a1646661696ca364636f6465086666d6f64756c65"],  # no CBOR; {"fail": 1}; cut short
)
def test_a_submission_that_did_not_work_is_temporary(appd: FakeAppd, environ: dict[str, str], data: str) -> None:
    appd.answers[SUBMIT] = (200, json.dumps({"data": data}))
    with pytest.raises(TemporaryError):
        Appd(environ).sign_submit(KEY, b"x", gas=1)


class Registry:
    """A registry that shows a binding after so many looks."""

    address = bytes(range(20))

    def __init__(self, seat: AppSeat | None, shown_after: int = 0) -> None:
        self.seat = seat
        self.next: AppSeat | None = None
        self.looks_left = shown_after
        self.valid_from, self.now = 100, 100

    def time(self) -> int:
        self.now += 1
        return self.now

    def app_seat(self, app: bytes) -> AppSeat | None:
        assert app == parse_app_id(APP)
        if self.next is not None:
            self.looks_left -= 1
            if self.looks_left < 0:
                self.seat = self.next
        return self.seat


class Daemon:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.calls: list[tuple[str, bytes]] = []

    def app_id(self) -> str:
        return APP + "\n"

    def sign_submit(self, to: str, data: bytes, *, gas: int) -> None:
        self.calls.append((to, data))
        self.registry.next = AppSeat(1, 3, bytes.fromhex(KEY[2:]), self.registry.valid_from)


def test_a_key_is_bound_to_the_place_of_the_app_and_looked_for() -> None:
    registry, waits = Registry(AppSeat(1, 3, bytes(20), 0), shown_after=2), list[float]()
    daemon = Daemon(registry)
    assert bind_rofl_key(registry, daemon, KEY, sleep=waits.append)
    assert daemon.calls == [(f"0x{registry.address.hex()}", bind_rofl_key_call(3, KEY))]
    assert len(waits) == 2
    assert not bind_rofl_key(registry, daemon, KEY, sleep=waits.append), "a second start finds it bound"
    assert len(daemon.calls) == 1


def test_the_key_s_signatures_count_before_it_is_used() -> None:
    """The contract counts a new key from the second after the binding."""
    registry, waits = Registry(AppSeat(1, 3, bytes(20), 0)), list[float]()
    registry.valid_from = 104
    assert bind_rofl_key(registry, Daemon(registry), KEY, sleep=waits.append)
    assert len(waits) == 3


def test_an_earlier_key_is_replaced_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry(AppSeat(1, 3, OTHER, 0))
    assert bind_rofl_key(registry, Daemon(registry), KEY, sleep=lambda _: None)
    assert f"in place of 0x{OTHER.hex()}" in caplog.text


def test_an_app_without_a_place_is_told_the_next_step() -> None:
    registry = Registry(None)
    daemon = Daemon(registry)
    with pytest.raises(UsageError, match=f"not an oracle of this registry.*provenance deploy --oracle {APP}"):
        bind_rofl_key(registry, daemon, KEY)
    assert daemon.calls == []


def test_a_binding_that_the_chain_never_shows_is_temporary() -> None:
    registry, waits = Registry(AppSeat(1, 3, bytes(20), 0), shown_after=1000), list[float]()
    with pytest.raises(TemporaryError, match="does not show the key"):
        bind_rofl_key(registry, Daemon(registry), KEY, sleep=waits.append)
    assert len(waits) == 30


def test_a_key_is_kept_bound_when_another_set_comes_into_force() -> None:
    """The chain is looked at once a minute, and a failed look is repeated at the next call."""
    registry, now, opened = Registry(AppSeat(1, 3, bytes(20), 0)), [0.0], list[int]()
    daemon = Daemon(registry)

    def open_registry() -> Registry:
        opened.append(1)
        if len(opened) == 1:
            raise TemporaryError("no node")
        return registry

    bound = BoundKey(open_registry, daemon, KEY, sleep=lambda _: None, clock=lambda: now[0])
    with pytest.raises(TemporaryError):
        bound.keep()
    bound.keep()
    registry.seat, registry.next = AppSeat(2, 3, bytes(20), 0), None
    bound.keep()
    assert (len(opened), len(daemon.calls)) == (2, 1)
    now[0] = 60.0
    bound.keep()
    assert (len(opened), len(daemon.calls)) == (3, 2)
