"""Releases for the end-to-end tests: a good one, and one for each fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.publisher.manifest import public_key_of, sign_statement
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import KEY_PATH, REPORT_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.snp.products import ProductLine

NOW = datetime.now(UTC).replace(microsecond=0)
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Case:
    """A release with one fault: the damage to a good release, and the exit code and check of every judgement."""

    name: str
    exit_code: int
    check: str
    damage: Callable[[Path], None]
    guest: dict[str, Any]


def make_release(
    folder: Path,
    *,
    at: datetime = NOW,
    packed_at: datetime | None = None,
    line: ProductLine = ProductLine.GENOA,
    **guest: Any,
) -> None:
    """Make a good release of the demo's tiny model in `folder`, by a simulated guest with a key of its own.

    Its certificates begin at `at`. `pack` refuses forged evidence, so `packed_at` is a moment for which they are valid.
    """
    make_tiny_model(folder)
    key = ec.generate_private_key(ec.SECP384R1())
    evidence = FakeGuest.on(FakeAmd.load(line), at=at, **guest).evidence(bound_report_data(public_key_of(key)[1]))
    pack_release(folder, evidence, key, name=f"test/{folder.name}", version="1.0", at=packed_at or at)


def _nothing(_folder: Path) -> None:
    pass


def _flip_a_byte(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def _rename(folder: Path) -> None:
    (folder / "config.json").rename(folder / "configuration.json")


def _grow(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as file:
        file.truncate(1 << 40)  # a sparse file of one terabyte, which must be refused before a byte is read


def _replace_by_link(folder: Path) -> None:
    (folder / "config.json").rename(folder.parent.parent / f"{folder.name}.json")
    (folder / "config.json").symlink_to(folder.parent.parent / f"{folder.name}.json")


def _replace_by_hard_link(folder: Path) -> None:
    (folder.parent.parent / f"{folder.name}.hard").hardlink_to(folder / "config.json")


def _replace_key(folder: Path) -> None:
    pem, _ = public_key_of(ec.generate_private_key(ec.SECP384R1()))
    (folder / KEY_PATH).write_bytes(pem)


def _replace_report(folder: Path) -> None:
    other = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW).report(b"\x5a" * 64)
    (folder / REPORT_PATH).write_bytes(other)


def _sign_with_another_key(folder: Path) -> None:
    payload = parse_envelope((folder / MANIFEST_PATH).read_bytes()).payload
    (folder / MANIFEST_PATH).write_bytes(sign_statement(payload, ec.generate_private_key(ec.SECP384R1())))


def _forge_report(folder: Path) -> None:
    data = bytearray((folder / REPORT_PATH).read_bytes())
    data[0x90] ^= 1  # the launch measurement
    (folder / REPORT_PATH).write_bytes(data)


def _oversize(path: str) -> Callable[[Path], None]:
    def grow(folder: Path) -> None:
        with (folder / path).open("ab") as file:
            file.truncate(1 << 36)

    return grow


def _write(path: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / path).write_bytes(data) and None


def _case(name: str, exit_code: int, check: str, damage: Callable[[Path], Any] = _nothing, **guest: Any) -> Case:
    return Case(name, exit_code, check, damage, guest)


CASES = (
    _case("flipped-byte", 4, "file-digests", _flip_a_byte),
    _case("extra-file", 4, "file-set", _write("modeling.py", b"import os\n")),
    _case("hidden-file", 4, "file-set", _write(".hidden", b"")),
    _case("missing-file", 4, "file-set", lambda folder: (folder / "README.md").unlink()),
    _case("renamed-file", 4, "file-set", _rename),
    _case("terabyte", 4, "file-set", _grow),
    _case("symlink", 3, "file-set", _replace_by_link),
    _case("hard-link", 3, "file-set", _replace_by_hard_link),
    _case("second-manifest", 3, "file-set", _write("provenance/manifest2.dsse.json", b"{}")),
    _case("second-manifest-outside", 4, "file-set", lambda folder: shutil.copy(folder / MANIFEST_PATH, folder)),
    _case("another-key", 4, "key-binding", _replace_key),
    _case("another-report", 4, "key-binding", _replace_report),
    _case("another-signer", 4, "manifest-signature", _sign_with_another_key),
    _case("forged-report", 4, "report-signature", _forge_report),
    _case("short-report", 3, "report-format", _write(REPORT_PATH, b"\x03")),
    _case("huge-report", 3, "report-format", _oversize(REPORT_PATH)),
    _case("huge-manifest", 3, "manifest-format", _oversize(MANIFEST_PATH)),
    _case("manifest-not-json", 3, "manifest-format", _write(MANIFEST_PATH, b"{")),
    _case("no-key", 3, "key-binding", lambda folder: (folder / KEY_PATH).unlink()),
    _case("debug-guest", 5, "guest-policy", policy=0xB0000),
    _case("old-firmware", 5, "tcb-floor", tcb_below_floor=True),
    _case("wrong-vmpl", 5, "vmpl", vmpl=1),
    _case("wrong-time", 4, "vek-validity", at=NOW - timedelta(days=9 * 365), packed_at=NOW - timedelta(days=4 * 365)),
)


def make_case(folder: Path, case: Case) -> None:
    """Make the release of a case in `folder`."""
    guest = dict(case.guest)
    if guest.pop("tcb_below_floor", False):
        sample = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
        guest["tcb"] = type(sample.tcb)(bootloader=9, tee=0, snp=20, microcode=70)
    make_release(folder, **guest)
    case.damage(folder)
