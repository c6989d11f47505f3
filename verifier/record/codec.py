"""A record as the bytes that oracles sign and the registry hashes, and the ids under which the registry keeps it.

Offset and size in bytes, then the field:

    0     32  model digest            96    32  report digest
    32    32  manifest digest         128   32  policy digest
    64    32  verdict digest          160   32  publisher identity
    192   32  facts, big-endian; sizes in bits from the highest: product line 8 | grade 8 | revision 16 | policy id 32 |
              judged at 40 | zero 55 | passed 1 | checks 32 | reported TCB 64
    224   1+n namespace: one byte for its length n, then its UTF-8 bytes
          1+m release, `model@version`: one byte for its length m, then its UTF-8 bytes
          32k ids of k parents, to the end

`contracts/lib/RecordCodec.sol` and `contracts/lib/RecordIds.sol` have the same format in Solidity.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from provenance_oracle.verifier.checks import HARDWARE_CHECKS, Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.fields import NO_REPORT, RecordFields, WrittenRecord
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import GRADE_MAX, UNBACKED_CODES, parse_moment

PARENTS_MAX = 8
TEXT_MAX_BYTES = 255
_NAMESPACES_MAX = 1024
_RELEASES_MAX = 1024

_DIGEST_NAMES = (
    "model_digest",
    "manifest_digest",
    "verdict_digest",
    "snp_report_digest",
    "policy_digest",
    "publisher_identity",
)
_FACTS = 32 * len(_DIGEST_NAMES)
_TEXTS = _FACTS + 32
_ZERO_FACTS = ((1 << 55) - 1) << 97
_HARDWARE_FACTS = (1 << 64) - 1 | sum(1 << check.bit for check in HARDWARE_CHECKS) << 64
# Name, lowest bit and width in bits of every number in the facts.
_NUMBERS = (
    ("checks", 64, 32),
    ("passed", 96, 1),
    ("judged_at", 152, 40),
    ("policy_id", 192, 32),
    ("revision", 224, 16),
    ("grade", 240, 8),
    ("product_line", 248, 8),
)


def encode_record(record: RecordFields, *, policy_id: int, parents: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a record.

    Args:
        policy_id: the registry's number for the record's policy.
        parents: ids of the releases that this release was made from, at most 8 of 32 bytes each.

    Raises:
        FormatError: a field does not fit the format (check `registry-record`).
    """
    digests = [getattr(record, name) for name in _DIGEST_NAMES]
    if any(len(digest) != 32 for digest in (*digests, *parents)) or len(record.reported_tcb) != 8:
        raise _malformed("record", "a digest or TCB of another length", "digests of 32 bytes, a TCB of 8")
    if len(parents) > PARENTS_MAX:
        raise _malformed("record", f"{len(parents)} parents", f"at most {PARENTS_MAX}")
    values = vars(record) | {"judged_at": int(record.judged_at.timestamp()), "policy_id": policy_id}
    facts = int.from_bytes(record.reported_tcb, "little")
    for name, lowest_bit, width in _NUMBERS:
        if not 0 <= values[name] < 1 << width:
            raise _malformed(f"record, {name}", str(values[name]), f"a number of {width} bits")
        facts |= int(values[name]) << lowest_bit
    _require_no_hardware(record, facts, "record")
    namespace, release = _split_name(record)
    return b"".join((*digests, facts.to_bytes(32, "big"), _text(namespace), _text(release), *parents))


def decode_record(data: bytes, where: str) -> WrittenRecord:
    """Parse the bytes of a record. Encoding the result again gives the same bytes.

    Args:
        where: names the bytes in messages.

    Raises:
        FormatError: the bytes are not exactly one record, or are a record that every registry refuses (check
            `registry-record`).
    """
    # (1) the layout, as in `RecordCodec.layout`
    if len(data) < _TEXTS + 2:
        raise _malformed(where, f"{len(data)} bytes", f"at least {_TEXTS + 2}")
    namespace, position = _cut_text(data, _TEXTS, where)
    release, position = _cut_text(data, position, where)
    if (len(data) - position) % 32:
        raise _malformed(where, f"{len(data) - position} bytes of parents", "a multiple of 32")
    # (2) the facts
    facts = facts_of(data)
    numbers: Any = {name: facts >> lowest_bit & (1 << width) - 1 for name, lowest_bit, width in _NUMBERS}
    passed, judged_at, policy_id = bool(numbers.pop("passed")), numbers.pop("judged_at"), numbers.pop("policy_id")
    earns_grade = passed and numbers["product_line"] not in UNBACKED_CODES
    if facts & _ZERO_FACTS or policy_id == 0 or numbers["grade"] > (GRADE_MAX if earns_grade else 0):
        raise _malformed(where, f"facts {facts:#x}", "zeros where nothing is said, a policy, a grade that was earned")
    if not passed and (numbers["revision"] or position != len(data)):
        raise _malformed(where, "a FAILED verdict with a revision or parents", "neither")
    # (3) the name
    model, separator, version = release.rpartition("@")
    if not namespace or "/" in namespace or not separator:
        raise _malformed(where, f"{namespace}/{release}", "namespace/model@version")
    digests: Any = {name: data[32 * index : 32 * index + 32] for index, name in enumerate(_DIGEST_NAMES)}
    record = WrittenRecord(
        **digests,
        **numbers,
        judged_at=parse_moment(judged_at, where),
        reported_tcb=(facts & (1 << 64) - 1).to_bytes(8, "little"),
        passed=passed,
        name=f"{namespace}/{model}",
        version=version,
        policy_id=policy_id,
        parents=tuple(data[start : start + 32] for start in range(position, len(data), 32)),
    )
    # (4) nothing of hardware in a release that has only a signature
    _require_no_hardware(record, facts, where)
    return record


def facts_of(data: bytes) -> int:
    """Return the facts in a record's bytes as one integer of 256 bits."""
    return int.from_bytes(data[_FACTS:_TEXTS], "big")


@lru_cache(maxsize=_RELEASES_MAX)
def release_id(model_digest: bytes, manifest_digest: bytes) -> bytes:
    """Return the id (32 bytes) of a release, which is also the id of its first judgement."""
    return keccak256(model_digest + manifest_digest)


def revision_id(release: bytes, revision: int) -> bytes:
    """Return the id (32 bytes) of judgement `revision` of the release with the id `release`; 0 is the first."""
    return keccak256(release + revision.to_bytes(2, "big")) if revision else release


def failure_id(model_digest: bytes, manifest_digest: bytes, verdict_digest: bytes) -> bytes:
    """Return the id (32 bytes) of a FAILED verdict."""
    return keccak256(model_digest + manifest_digest + verdict_digest)


def record_id(record: RecordFields) -> bytes:
    """Return the id (32 bytes) under which the registry keeps a record."""
    if not record.passed:
        return failure_id(record.model_digest, record.manifest_digest, record.verdict_digest)
    return revision_id(release_id(record.model_digest, record.manifest_digest), record.revision)


@lru_cache(maxsize=_NAMESPACES_MAX)
def namespace_id(namespace: str) -> bytes:
    """Return the id (32 bytes) of a namespace. An invalid namespace has an id too, but nobody can claim it."""
    return keccak256(namespace.encode("utf-8", "surrogatepass"))


def _require_no_hardware(record: RecordFields, facts: int, where: str) -> None:
    """Raise FormatError for the record of a signed release that names no publisher, or claims hardware."""
    if not (record.is_signed_only and record.passed):
        return
    if not any(record.publisher_identity):
        raise _malformed(where, "a signed release without a publisher", "the identity of the signer")
    if record.snp_report_digest != NO_REPORT or facts & _HARDWARE_FACTS or record.grade:
        raise _malformed(
            where,
            f"report {record.snp_report_digest.hex()}, facts {facts:#x}",
            "no report, TCB, grade or check of hardware in a signed release",
        )


def _split_name(record: RecordFields) -> tuple[str, str]:
    """Return the namespace and the release text of a record. Name and version can be recovered from them."""
    namespace, separator, model = record.name.partition("/")
    if not namespace or not separator or "@" in record.version:
        raise _malformed("record", f"{record.name}@{record.version}", "namespace/model@version")
    return namespace, f"{model}@{record.version}"


def _text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise _malformed("record", text, "a name in Unicode") from None
    if len(data) > TEXT_MAX_BYTES:
        raise _malformed("record", f"a name of {len(data)} bytes", f"at most {TEXT_MAX_BYTES}")
    return bytes((len(data),)) + data


def _cut_text(data: bytes, position: int, where: str) -> tuple[str, int]:
    """Return the text at `position`, and the position behind it."""
    if position >= len(data) or (end := position + 1 + data[position]) > len(data):
        raise _malformed(where, f"{len(data)} bytes", "texts as long as they say")
    try:
        return data[position + 1 : end].decode(), end
    except UnicodeDecodeError:
        raise _malformed(where, data[position + 1 : end].hex(), "UTF-8") from None


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    return FormatError("the record is malformed", check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)
