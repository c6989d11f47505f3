"""Compare a parser of the explorer with Python's, input by input."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.manifest.names import parse_path, refuse_collisions
from provenance_oracle.verifier.manifest.statement import parse_statement
from provenance_oracle.verifier.snp.certificates import parse_certificate, split_certificates
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.der import Value, parse_asn1_time, parse_der, parse_object_id, parse_unsigned
from provenance_oracle.verifier.snp.endorsements import parse_vek
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.strict.parse_json import parse_json
from tests.explorer.check.engines import NodeEngine

_CHECK = Check.MANIFEST_FORMAT
_COMPONENTS = ("bootloader", "tee", "snp", "microcode", "fmc")


def compare(node: NodeEngine, name: str, inputs: Iterable[bytes]) -> None:
    """Give inputs to a parser of `exposed.ts` and to Python's. Some must be accepted and some refused."""
    given = list(dict.fromkeys(inputs))
    results = node.call("parse", {"name": name, "inputs": [base64.b64encode(one).decode() for one in given]})
    seen = set()
    for data, ours in zip(given, results, strict=True):
        try:
            theirs = _PARSERS[name](data)
        except FormatError:
            theirs = "refused"
        assert ours == theirs, data
        seen.add(theirs == "refused")
    assert seen == {True, False}


def value_of(data: bytes) -> Value:
    """Return DER as parsed."""
    return parse_der(data, _problem)


def _problem(what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=_CHECK, got=got, wanted=wanted)


def _tree(value: Value) -> list[Any]:
    return [value.tag, value.content.hex(), [_tree(child) for child in value.children]]


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {"object": [[key, _json(inner)] for key, inner in value.items()]}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return {"number": str(value)} if isinstance(value, int) and not isinstance(value, bool) else value


def _apart(data: bytes) -> str:
    refuse_collisions(data.decode().split("\n"), where="x", check=_CHECK)
    return "apart"


def _tcb(data: bytes) -> str:
    tcb = parse_vek(parse_certificate(data, "x")).tcb
    return " ".join(f"{name} {tcb[name]}" for name in _COMPONENTS if name in tcb)


def _statement(data: bytes) -> Any:
    manifest = parse_statement(data, "x")
    files = [
        [f.path, str(f.size), f.fsverity and f.fsverity.hex(), f.sha256 and f.sha256.hex()] for f in manifest.files
    ]
    used = [
        [one.role, one.name, one.uri, [[name, digest.hex()] for name, digest in one.digests], one.relation]
        for one in manifest.dependencies
    ]
    times = [time and time.timestamp() for time in (manifest.started_at, manifest.finished_at)]
    report = manifest.report_digest and manifest.report_digest.hex()
    named = [manifest.name, manifest.version, manifest.publisher, manifest.invocation_id, manifest.digest.hex()]
    return [named, files, used, times, report]


_path = partial(parse_path, where="x", check=_CHECK)
_read_json = partial(parse_json, where="x", check=_CHECK, max_bytes=1 << 20)
_PARSERS: dict[str, Callable[[bytes], Any]] = {
    "der": lambda data: _tree(value_of(data)),
    "time": lambda data: parse_asn1_time(value_of(data), _problem).timestamp(),
    "number": lambda data: str(parse_unsigned(value_of(data), _problem)),
    "oid": lambda data: parse_object_id(value_of(data), _problem),
    "json": lambda data: _json(_read_json(data)),
    "floats": lambda data: _json(_read_json(data, whole_floats=True)),
    "tokens": lambda data: _json(_read_json(data, max_tokens=10)),
    "path": lambda data: _path(data.decode()),
    "provenance": lambda data: _path(data.decode(), in_provenance=True),
    "paths": _apart,
    "report": lambda data: parse_report(data, "x").measurement.hex(),
    "certificate": lambda data: parse_certificate(data, "x").spki.hex(),
    "certificates": lambda data: [one.hex() for one in split_certificates(data, "x")],
    "vek": _tcb,
    "list": lambda data: sorted(str(serial) for serial in parse_crl(data, "x").revoked_serials),
    "key": lambda data: parse_public_key(data, "x").algorithm,
    "statement": _statement,
    "envelope": lambda data: parse_envelope(data, "x").payload.hex(),
}
