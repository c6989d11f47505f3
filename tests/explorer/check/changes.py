"""Change a release at random, in every file of it. What only a signature would refuse is signed again."""

from __future__ import annotations

import base64
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from provenance_oracle.publisher.simulator import CaRole, der
from provenance_oracle.publisher.simulator.certificates import Pss
from provenance_oracle.publisher.simulator.report import sign_report
from provenance_oracle.verifier.judgement.release import (
    CHAIN_PATH,
    CRL_PATH,
    KEY_PATH,
    REPORT_PATH,
    VEK_DER_PATH,
    VEK_PEM_PATH,
)
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.snp.certificates import parse_certificate, split_certificates, split_signed
from provenance_oracle.verifier.snp.report import SIGNED_BYTES
from tests.explorer.check.cases import AT, Case, Simulated
from tests.support.mutants import changed, changed_der, changed_report

Rng = random.Random


def mutants(bases: Sequence[Case], simulated: Sequence[Simulated], rngs: Iterator[Rng]) -> Iterator[Case]:
    """Yield a changed case for each generator: half of them of `bases`, half of the simulator's, signed again."""
    for rng in rngs:
        if rng.randrange(2):
            yield _changed_case(rng.choice(bases), rng.choice(bases), rng)
        else:
            yield rng.choice(_AGAIN)(rng.choice(simulated), rng)


# --- not signed again ----------------------------------------------------------------------------------------


def _changed_case(case: Case, other: Case, rng: Rng) -> Case:
    path = rng.choice(sorted(case.files))
    data = case.files[path]
    if rng.randrange(12) == 0:  # a file of another release, or none
        swapped = next((other.files[name] for name in other.files if name.split(".")[0] == path.split(".")[0]), None)
        files = {name: value for name, value in case.files.items() if name != path}
        return Case({**files, path: swapped} if swapped and rng.randrange(2) else files, case.at)
    if rng.randrange(12) == 0:
        return case.with_file(path, data[: rng.randrange(len(data))])
    if path == REPORT_PATH:
        return case.with_file(path, changed_report(data, other.files.get(path, data), rng))
    if path == MANIFEST_PATH:
        return case.with_file(path, _changed_json(data, rng))
    if path == KEY_PATH:
        return case.with_file(path, _changed_pem(data, rng))
    return case.with_file(path, _changed_certificates(path, data, other, rng))


def _changed_certificates(path: str, data: bytes, other: Case, rng: Rng) -> bytes:
    """Change one certificate or list, as DER or as text."""
    if data.startswith(b"-----") and rng.randrange(2):
        return _changed_pem(data, rng)
    if path == CRL_PATH:
        return changed_der(data, data, rng)
    ders = split_certificates(data, path)
    place = rng.randrange(len(ders))
    donor = rng.choice(split_certificates(other.files.get(CHAIN_PATH, data), CHAIN_PATH))
    ders[place] = changed_der(ders[place], donor, rng)
    if rng.randrange(6) == 0:
        rng.shuffle(ders)
    return b"".join(ders)


def _changed_pem(data: bytes, rng: Rng) -> bytes:
    match rng.randrange(6):
        case 0:
            return data.replace(b"\n", b"\r\n", rng.choice((1, -1)))
        case 1:
            return data + rng.choice((b"\n", b"\n\n", b"\r\n", b" ", b"x", data))
        case 2:
            return data.rstrip(b"\n")
        case 3:
            return rng.choice((b"\n", b"\xef\xbb\xbf", b"text\n")) + data
        case _:
            return changed(data, rng)


def _changed_json(data: bytes, rng: Rng) -> bytes:
    if rng.randrange(2):
        return changed(data, rng)
    return _text(_changed_tree(json.loads(data), rng), rng)


# --- signed again by the simulator ---------------------------------------------------------------------------


def _other_statement(of: Simulated, rng: Rng) -> Case:
    tree: Any = of.statement
    if rng.randrange(8) == 0:  # whose signature is not there
        named = tree["predicate"]["buildDefinition"]["internalParameters"]
        named["publisher"] = {"identity": rng.choice(("key ", "simulated-snp-measurement ", "")) + "ab" * 32}
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        tree = _changed_tree(tree, rng)
    payload = _text(tree, rng)
    return of.signed(changed(payload, rng) if rng.randrange(8) == 0 else payload)


def _other_report(of: Simulated, rng: Rng) -> Case:
    """A report with other fields, signed by the chip's key; the manifest names it, but for some."""
    report = changed_report(of.case.files[REPORT_PATH], rng.randbytes(1184), rng)
    vek = of.guest.vek()
    case = of.case.with_file(REPORT_PATH, sign_report(report[:SIGNED_BYTES].ljust(SIGNED_BYTES, b"\0"), vek.key))
    if rng.randrange(3) == 0:
        return case
    named = Simulated(of.guest, of.key, case)
    return named.signed(json.dumps(named.statement).encode())


def _other_envelope(of: Simulated, rng: Rng) -> Case:
    """Another form of the envelope, or another encoding of its signature."""
    tree = json.loads(of.case.files[MANIFEST_PATH])
    entry = tree["signatures"][0]
    signature = base64.b64decode(entry["sig"])
    if rng.randrange(2):
        entry["sig"] = base64.b64encode(changed(signature, rng)).decode()
    else:
        tree = _changed_tree(tree, rng)
    return of.case.with_file(MANIFEST_PATH, _text(tree, rng))


def _other_certificate(of: Simulated, rng: Rng) -> Case:
    """A certificate of the chip or its issuer with other contents, signed by the authority above."""
    amd, chain = of.guest.amd, split_certificates(of.case.files[CHAIN_PATH], CHAIN_PATH)
    path = next(path for path in (VEK_DER_PATH, VEK_PEM_PATH) if path in of.case.files)
    (vek,) = split_certificates(of.case.files[path], path)
    is_vek = rng.randrange(2) == 0
    middle = CaRole.ASK if of.guest.csp_id is None else CaRole.ASVK
    original, signer = (vek, amd.authorities[middle]) if is_vek else (chain[0], amd.ark)
    tbs = changed_der(parse_certificate(original, path).signed.tbs, rng.choice((vek, *chain)), rng)
    signed = _signed(tbs, signer.key)
    if is_vek:
        return Case({name: data for name, data in of.case.files.items() if name != path} | {VEK_DER_PATH: signed}, AT)
    return of.case.with_file(CHAIN_PATH, signed + amd.ark.certificate)


def _other_list(of: Simulated, rng: Rng) -> Case:
    """A revocation list of another time, with entries, or with other contents, signed by the root."""
    serials = tuple(rng.choice((1, 2, 65537, 65793, 131074, 196609)) for _ in range(rng.randrange(3)))
    intermediate = parse_certificate(split_certificates(of.case.files[CHAIN_PATH], CHAIN_PATH)[0], CHAIN_PATH)
    issued = AT - timedelta(days=rng.choice((-1, 1, 400)))
    data = of.guest.amd.crl(issued, issued + timedelta(days=365), (*serials, intermediate.serial)[rng.randrange(3) :])
    if rng.randrange(2):
        data = _signed(changed_der(split_signed(data, CRL_PATH)[0].tbs, data, rng), of.guest.amd.ark.key)
    return of.case.with_file(CRL_PATH, data)


def _signed(tbs: bytes, key: RSAPrivateKey) -> bytes:
    algorithm = Pss()
    return der.sequence(tbs, algorithm.encode(), der.bit_string(algorithm.sign(tbs, key)))


def _other_moment(of: Simulated, rng: Rng) -> Case:
    """Judged years before or after, or in the first and the last second of the chip's certificate."""
    path = next(path for path in (VEK_DER_PATH, VEK_PEM_PATH) if path in of.case.files)
    vek = parse_certificate(split_certificates(of.case.files[path], path)[0], path)
    near = rng.choice((vek.not_before, vek.not_after)) + timedelta(seconds=rng.choice((-1, 0, 1)))
    return replace(of.case, at=rng.choice((near, AT + timedelta(days=rng.randrange(-20_000, 20_000)))))


_AGAIN: tuple[Callable[[Simulated, Rng], Case], ...] = (
    *(_other_statement, _other_statement, _other_statement, _other_statement),
    *(_other_report, _other_report, _other_envelope, _other_certificate, _other_list, _other_moment),
)


# --- JSON ----------------------------------------------------------------------------------------------------

_NUMBERS = (0, -1, 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**20, 10**30, 1.0, 0.5, 1e300, math.nan)
PATHS = (
    *(
        "../x",
        "a//b",
        "/a",
        "./a",
        "a/.",
        "C:x",
        "a\\b",
        "provenance/x",
        "Provenance/x",
        "CONFIG.JSON",
        "config.json/x",
    ),
    *(
        "a/" * 32 + "b",
        "a/" * 33 + "b",
        "a" * 255,
        "a" * 256,
        "é",
        "e\u0301",
        "\u202ename",
        "a\u0000b",
        "a\nb",
        "\ufeff",
    ),
    *("config.json/x", "dataset", "\ufeff", "😀", "\ud800", "Ω", "ı", "tokenizeR/x", "\u0378"),
)
_WORDS = (
    *(
        "org/model/x",
        "org",
        "a..b/c",
        "-a/b",
        "org/" + "m" * 96,
        "org/" + "m" * 97,
        "1.0+x",
        "v" * 64,
        "v" * 65,
        "dataset",
    ),
    *("ab" * 32, "AB" * 32, "ab" * 31, "ab" * 33, "g" * 64, "", " ", "x" * 1025, "x" * 2049, "x" * 4097, "é" * 65536),
)
_TIMES = (
    *("2026-02-29T00:00:00Z", "2024-02-29T23:59:59.123456Z", "2026-11-20T10:00:00+00:00", "2026-11-20 10:00:00Z"),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-20T24:00:00Z"),
    *("2026-11-20T10:00:60Z", "2026-11-20T10:00:00.1234567Z"),
)
VALUES: tuple[Any, ...] = (*_NUMBERS, *PATHS, *_WORDS, *_TIMES, True, False, None, [], {}, [[]], [{}])
_NAMES = (
    *("", "name", "digest", "sha256", "sha-256", "size", "é", "__proto__", "constructor", "_type", "snpReport"),
    *("keyid", "sig"),
)


def _changed_tree(tree: Any, rng: Rng) -> Any:
    """Return a tree of JSON with one value removed, replaced, repeated, renamed or moved."""
    places = list(places_in(tree))
    if not places:
        return rng.choice(VALUES)
    inside, key = rng.choice(places)
    match rng.randrange(8):
        case 0:
            del inside[key]
        case 1 if isinstance(inside, dict):
            inside[rng.choice(_NAMES)] = inside.pop(key)
        case 2 if isinstance(inside, dict):
            inside[rng.choice(_NAMES)] = rng.choice(VALUES)
        case 3 if isinstance(inside, list):
            inside += [inside[key]] * rng.choice((1, 2))
        case 4:
            source, at = rng.choice(places)
            inside[key] = json.loads(json.dumps(source[at]))
        case 5 if isinstance(inside[key], str) and inside[key]:
            inside[key] = _changed_text(inside[key], rng)
        case 6:
            for _ in range(rng.choice((1, 10, 40))):
                inside[key] = [inside[key]] if rng.randrange(2) else {"x": inside[key]}
        case _:
            inside[key] = rng.choice(VALUES)
    return tree


def _changed_text(text: str, rng: Rng) -> str:
    at = rng.randrange(len(text))
    other = rng.choice(
        ("", "A", "0", "/", "..", "\u0000", "\u200b", "é", "\u0301", "😀", "\ud800", text[at] * 2, text[at].upper())
    )
    return text[:at] + other + text[at + 1 :]


def places_in(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each object or list of a tree of JSON with each of its keys or positions."""
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from places_in(tree[key])


def _text(tree: Any, rng: Rng) -> bytes:
    """Return the JSON of a tree in one of several spellings, now and then with a fault that no tree can have."""
    text = json.dumps(tree, ensure_ascii=bool(rng.randrange(2)), indent=rng.choice((None, None, 1)))
    match rng.randrange(24):
        case 0:
            text = text.replace('"name": ', '"name": "twice", "name": ', 1)
        case 1:
            text = text.replace(": ", rng.choice((":", " :\t", ":\n\r", ":\f", ":\u00a0")))
        case 2:
            text += rng.choice((" ", "\n", "x", "{}", "\u0000"))
        case 3:
            text = rng.choice(("\ufeff", " ", "//\n")) + text
        case 4:
            text = text.replace(
                '"size": ', rng.choice(('"size": 0', '"size": -', '"size": +', '"size": 1e', '"size": 0.'))
            )
        case 5:
            text = text.replace("e", rng.choice(("\\u0065", "\\u00E9", "\\x65", "\\ud83d\\ude00", "\\udead")), 3)
        case 6:
            text = text.replace("}", ",}", 1)
        case 7:
            text = "[" * 40 + text + "]" * 40
        case _:
            pass
    return text.encode("utf-8", "surrogatepass")
