"""Hundreds of strings that a careless page would run, follow, hide or break on, and records that carry them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.characters import unacceptable_in
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.manifest.names import parse_path
from provenance_oracle.verifier.manifest.statement import Dependency, Role
from provenance_oracle.verifier.record.codec import TEXT_MAX_BYTES
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.chain_fixtures import DeployedRegistry, make_record

_RUN = "document.title='pwned'"
_ELEMENTS = (
    f"<script>{_RUN}</script>",
    f'<img src=x onerror="{_RUN}">',
    f"<svg/onload={_RUN}>",
    f"<svg><script href=data:,{_RUN} /></svg>",
    f'<iframe srcdoc="<script>parent.{_RUN}</script>">',
    f'<a href="javascript:{_RUN}">click</a>',
    f"<details open ontoggle={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<body onload={_RUN}>",
    f"<math><mtext><style><img src=x onerror={_RUN}></style>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<form action=https://evil.example/><button>Confirm</button></form>",
    "<object data=https://evil.example/></object>",
    "<template><p>hidden</p></template>",
    "<plaintext>",
)
_ESCAPES = (
    "",
    '">',
    "'>",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "-->",
    "]]>",
    "&lt;",
    "\\x3c",
    "%3C",
    "${",
    "`",
)
_WORDS = (
    *(
        f"{scheme}:{_RUN}"
        for scheme in ("javascript", "JaVaScRiPt", " javascript", "vbscript", "data:text/html,<script>")
    ),
    "//evil.example/x",
    "https://evil.example/",
    "https://user:pass@evil.example/",
    "file:///etc/passwd",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{{7*7}}",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "undefined",
    "null",
    "NaN",
    "true",
    "0",
    "-1",
    "1e999",
    "' OR 1=1 --",
    "'; DROP TABLE records; --",
    "%",
    "_%_",
    "*",
    "?",
    "#",
    "#/plots",
    "?rpc=https://evil.example/",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "%00",
    "%s%n",
    "$(reboot)",
    "`reboot`",
    "| reboot",
    "=1+1",
    "@SUM(1)",
    "+1",
    "a" * 200,
    "W" * 200,
    "- " * 60,
    "ﷺ" * 20,
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤",
    "田中さんにあげて下さい",
    "مُنَاقَشَةُ",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈",
    "𝒶𝒸𝓂ℯ",
    "аcme",
    "ａｃｍｅ",
    "acme ",
    " acme",
    "ACME",
)
_UNPRINTABLE = (
    "\u202egpj.exe",
    "\u2066acme\u2069",
    "ac\u200bme",
    "ac\u200dme",
    "\ufeffacme",
    "ac\u00adme",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\x1b]0;t\x07",
    "\r\nSet-Cookie: a=b",
    "a\nb",
    "a\tb",
    "\u2028",
    "\u2029",
    "\u3164",
    "\u00a0",
    "\ue000",
    "\U000e0041\U000e0042",
    "\uffff",
    "\x7f",
    "\x85",
    "\x08\x08\x08",
)
STRINGS = tuple(dict.fromkeys([*(e + x for e, x in product(_ESCAPES, _ELEMENTS)), *_WORDS, *_UNPRINTABLE]))
REVOKED_EVERY = 9
_PART_BYTES = 100  # of a model's name and a version, which share a text of TEXT_MAX_BYTES


def publish_nasty(registry: DeployedRegistry) -> tuple[Record, ...]:
    """Record releases whose namespaces, models and versions are the strings.

    Every REVOKED_EVERY-th is revoked, and its namespace is the reason.
    """
    records = []
    threes = zip(STRINGS[::3], STRINGS[1::3], STRINGS[2::3], strict=True)
    for number, (namespace, model, version) in enumerate(threes):
        digest = hashlib.sha256(namespace.encode()).digest()
        report = hashlib.sha256(digest).digest()
        # What divides the parts of a name is replaced by what looks like it.
        name = f"{_cut(namespace.replace('/', '∕'), TEXT_MAX_BYTES)}/{_cut(model, _PART_BYTES)}"
        version = _cut(version.replace("@", "＠"), _PART_BYTES)
        record = make_record(name=name, version=version, manifest_digest=digest, snp_report_digest=report)
        registry.publish(record)
        if number % REVOKED_EVERY == 0:
            registry.revoke(record, reason=namespace)
        records.append(record)
    return tuple(records)


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def nasty_release(folder: Path) -> None:
    """Make a release whose files and dependencies have the strings as names, as far as a manifest may have them."""
    at = datetime.now(UTC).replace(microsecond=0)
    guest = FakeGuest.on(FakeAmd.load(ProductLine.MILAN), at=at)
    key = ec.generate_private_key(ec.SECP384R1())
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}\n")
    for number, text in enumerate(STRINGS):
        path = f"{number}/{text}"  # in a folder of its own: no two collide
        if is_path(path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(b"")
    lines = [text for text in STRINGS if text and not unacceptable_in(text)]
    sources = tuple(Dependency(Role.DATASET, text, text, (("sha256", bytes(32)),), text) for text in lines)
    listed = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    evidence = guest.evidence(bound_report_data(public_key_of(key)[1]))
    pack_release(folder, evidence, key, name="nasty/release", version="1", at=at, sources=sources, include=listed)


def is_path(text: str) -> bool:
    """Return whether a file of a release may have this path."""
    try:
        parse_path(text, where="here", check=Check.FILE_SET)
    except FormatError:
        return False
    return True
