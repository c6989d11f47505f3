"""Releases that somebody signed with a private sigstore: good, with one fault each, and changed at random."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.explorer.check.judged import Judged
from tests.explorer.check.signature_cases import SIGNED, release_case
from tests.support.fake_sigstore import END, ISSUER, LINE, NOW, SIGNED_AT, START, FakeSigstore, utf8
from tests.support.mutants import changed_der
from tests.support.odd_notes import GOOD_NOTES, ODD_NOTES
from tests.verifier.identity.test_keyless import BAD_WORLDS
from tests.verifier.identity.test_mutations import change_text, change_value

_SECOND = timedelta(seconds=1)
_DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_WORKFLOW = "https://github.com/o/r/.github/workflows/sign.yml"
_FIELDS = ("log_window", "ca_window", "ct_window", "leaf_window", "ca_validity")
WORLD = FakeSigstore(statement=SIGNED)
STAMPED = replace(WORLD, stamped=True)
LATER = replace(WORLD, version=2)
# Windows that begin with the moment of signing, end with it, or leave it out.
_WINDOWS = ((SIGNED_AT, END), (START, SIGNED_AT), (SIGNED_AT + _SECOND, END), (START, SIGNED_AT - _SECOND))
_WORKFLOWS = replace(WORLD, extensions=(*WORLD.extensions, (9, utf8(f"{_WORKFLOW}@refs/tags/v1@rc"))))
_OTHER_WORLDS = (
    STAMPED,
    LATER,
    replace(STAMPED, promised=False),
    *(
        replace(world, **{field: window})
        for world in (STAMPED, LATER)
        for field in ("tsa_window", "log_window", "ca_window")
        for window in _WINDOWS
    ),
    replace(WORLD, promised=False),
    _WORKFLOWS,
    replace(WORLD, extensions=((1, ISSUER.encode()),)),
    replace(WORLD, extensions=((8, utf8(ISSUER)),)),
    replace(WORLD, extensions=((8, b"\x13\x01a"),)),
    replace(WORLD, names=(x509.UniformResourceIdentifier("me@example.org"),)),
    replace(WORLD, names=(x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("me")),)),
    replace(WORLD, names=(x509.RFC822Name("you@example.org"),)),
    replace(WORLD, sct_at=NOW + timedelta(days=1)),
    replace(WORLD, signer=ec.derive_private_key(9, ec.SECP256R1()).public_key()),
    *(replace(WORLD, **{field: window}) for field in _FIELDS for window in _WINDOWS),
)


def _root(world: FakeSigstore) -> str:
    return json.dumps(world.root())


def _case(world: FakeSigstore, bundle: bytes | None = None, line: str = LINE, at: datetime = NOW) -> Judged:
    data = json.dumps(world.bundle()).encode() if bundle is None else bundle
    return release_case(data, None, line, at=at, root=_root(world))


def known_cases() -> list[Judged]:
    """Return what a browser judges as Python does, whole or with one fault."""
    changes = [changes for name, changes in BAD_WORLDS.items() if name != "no start"]
    faulty = [replace(WORLD, signed_at=signed_at, **fields) for fields, signed_at in changes]
    moments = [SIGNED_AT - timedelta(minutes=5), SIGNED_AT - timedelta(minutes=5, seconds=1)]
    cases = [_case(world) for world in (*_OTHER_WORLDS, *faulty)]
    lines = ["", LINE, f"workflow {ISSUER} {_WORKFLOW}", "key " + "00" * 32]
    cases += [_case(WORLD, line=line) for line in lines]
    cases += [_case(_WORKFLOWS, line=lines[2])]
    cases += [_with_entry(WORLD, _changed_note(change)) for change in (GOOD_NOTES | ODD_NOTES).values()]
    cases += [
        _with_entry(world, change) for world in (WORLD, STAMPED, LATER) for change in (_stray_bits, _empty_promise)
    ]
    return cases + [_case(WORLD, at=moment) for moment in moments]


def _with_entry(world: FakeSigstore, change: Callable[[dict[str, Any]], None]) -> Judged:
    bundle = json.loads(json.dumps(world.bundle()))
    change(bundle["verificationMaterial"]["tlogEntries"][0])
    return _case(world, json.dumps(bundle).encode())


def _changed_note(change: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    def changed(entry: dict[str, Any]) -> None:
        checkpoint = entry["inclusionProof"]["checkpoint"]
        checkpoint["envelope"] = change(checkpoint["envelope"])

    return changed


def _stray_bits(entry: dict[str, Any]) -> None:
    """Write the first hash of the proof in other base64."""
    hashes = entry["inclusionProof"]["hashes"]
    digit = hashes[0][-2]
    hashes[0] = f"{hashes[0][:-2]}{_DIGITS[_DIGITS.index(digit) + 1]}="


def _empty_promise(entry: dict[str, Any]) -> None:
    entry["inclusionPromise"] = {"signedEntryTimestamp": ""}


def _change_stamp(rng: random.Random, bundle: dict[str, Any]) -> bytes:
    """Change the bytes of a timestamp, or replace one DER value in it by another."""
    altered = json.loads(json.dumps(bundle))
    for stamp in altered["verificationMaterial"].get("timestampVerificationData", {}).get("rfc3161Timestamps", []):
        data = base64.b64decode(stamp["signedTimestamp"])
        stamp["signedTimestamp"] = base64.b64encode(changed_der(data, data, rng)).decode()
    return json.dumps(altered).encode()


def changed_cases(rngs: Iterator[random.Random]) -> Iterator[Judged]:
    """Yield a changed bundle for each generator."""
    bundles = [(world, world.bundle()) for world in (WORLD, STAMPED, LATER)]
    for rng in rngs:
        world, bundle = rng.choice(bundles)
        yield _case(
            world,
            rng.choice((change_text, change_value, change_value, _change_stamp))(rng, bundle),
            rng.choice(("", LINE)),
        )
