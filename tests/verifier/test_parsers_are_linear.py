"""Each parser of untrusted bytes does work in proportion to its input, whatever the input looks like.

The tests count calls and allocated memory, not seconds. They compare a small input with one of twice the size, and with
one as large as the parser's limit allows, but of PROVENANCE_PARSER_MIB at most. `make prove` goes to every limit.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import FakeAmd
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.gguf_header import read_gguf_header
from provenance_oracle.verifier.digest.weights.safetensors_header import MAX_HEADER_BYTES, parse_header
from provenance_oracle.verifier.digest.weights.weight_files import parse_index
from provenance_oracle.verifier.disk.lfs import LfsFiles
from provenance_oracle.verifier.disk.models_yaml import MODELS_YAML_MAX_BYTES, normalized_name, parse_models_yaml
from provenance_oracle.verifier.disk.tree import FileKind, Node, directory
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES, parse_bundle
from provenance_oracle.verifier.identity.key_method import PUBLISHER_KEY_MAX_BYTES, parse_publisher_key
from provenance_oracle.verifier.identity.sigstore_root import ROOT_MAX_BYTES, parse_trusted_root
from provenance_oracle.verifier.identity.statement import parse_signed_files
from provenance_oracle.verifier.judgement.recorded_verdict import parse_verdict
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.manifest.dsse import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, parse_envelope
from provenance_oracle.verifier.manifest.statement import parse_statement
from provenance_oracle.verifier.policy import parse_policy
from provenance_oracle.verifier.registry import event_cache
from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment
from provenance_oracle.verifier.registry.raw_logs import parse_raw_logs
from provenance_oracle.verifier.registry.signed_verdict import VERDICT_MAX_BYTES, envelope_of, verify_signed_verdict
from provenance_oracle.verifier.snp.crl import CRL_MAX_BYTES, parse_crl
from provenance_oracle.verifier.snp.der import parse_der
from provenance_oracle.verifier.snp.endorsements import malformed_endorsement
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.strict.abi_values import parse_items, parse_members, parse_word
from provenance_oracle.verifier.strict.files import open_any_file
from provenance_oracle.verifier.strict.parse_json import parse_json
from provenance_oracle.verifier.strict.parse_yaml import YAML_MAX_BYTES, parse_yaml
from provenance_oracle.verifier.strict.tar import files_of_tar, tar_of
from tests.support.model_signatures import SIGNING_KEY, bundle_of, pem_of, resource, statement_of
from tests.support.releases import NOW
from tests.support.work import calls_of, work_of
from tests.verifier.disk.test_models_yaml import OPT_125M
from tests.verifier.manifest.test_statement import STATEMENT

KIB, MIB = 1 << 10, 1 << 20
SLACK = 1.15  # room for what does not depend on the size, and for the growth of lists and dictionaries
DIGEST = "ab" * 32
MOST = int(os.environ.get("PROVENANCE_PARSER_MIB", "4")) * MIB


@dataclass(frozen=True)
class Shape:
    """Inputs of one parser that look alike.

    `make` returns an input of about the given number of bytes, and `parse` parses it. `limit` is the largest size that
    the parser's limits allow for the shape, or 1 MiB where a parser has other shapes that go up to its limit.
    """

    make: Callable[[int], Any]
    parse: Callable[[Any], object]
    limit: int
    is_refused: bool = False


def repeated(size: int, piece: Callable[[int], str], between: str = ",") -> str:
    """Return numbered pieces of about `size` characters in all."""
    return between.join(piece(number) for number in range(size // (len(piece(10**6)) + len(between))))


def json_of(data: bytes) -> object:
    return parse_json(data, where="x.json", check=Check.MANIFEST_FORMAT, max_bytes=MAX_ENVELOPE_BYTES)


def statement(*path: str | int, members: str, closing: str = "}") -> Callable[[int], bytes]:
    """Return a maker of statements with more members at `path`, such as `"k%d":0`."""

    def make(size: int) -> bytes:
        value = copy.deepcopy(STATEMENT)
        inner: Any = value
        for key in path:
            inner = inner[key]
        mark = {"here": 0} if closing == "}" else "here"
        inner.update(mark) if closing == "}" else inner.append(mark)
        text, old = json.dumps(value), '"here": 0' if closing == "}" else '"here"'
        return text.replace(old, repeated(size, lambda number: members % number)).encode()

    return make


SUBJECT = '{"name":"f%d","digest":{"sha256":"' + DIGEST + '"},"annotations":{"size":1}}'
DEPENDENCY = '{"name":"d%d","digest":{"sha256":"' + DIGEST + '"},"annotations":{"role":"code"}}'
DEFINITION = ("predicate", "buildDefinition")


def envelope(size: int) -> bytes:
    payload = base64.b64encode(bytes(size * 3 // 4 - 200)).decode()
    return json.dumps({"payloadType": PAYLOAD_TYPE, "payload": payload, "signatures": [{"sig": "AAAA"}]}).encode()


def safetensors(text: str) -> tuple[bytes, int]:
    data = f"{{{text}}}".encode()
    return len(data).to_bytes(8, "little") + data, 8 + len(data)


def tensors(size: int) -> tuple[bytes, int]:
    def entry(number: int) -> str:
        return f'"{number}":{{"dtype":"U8","shape":[1],"data_offsets":[{number},{number + 1}]}}'

    text = repeated(size, entry)
    data, end = safetensors(text)
    return data, end + text.count("U8")


def header_of(made: tuple[bytes, int]) -> object:
    return parse_header(made[0], where="model.safetensors", file_bytes=made[1])


def gguf(keys: list[bytes], tensors: list[bytes]) -> bytes:
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys)) + b"".join([*keys, *tensors])
    return head + bytes(-len(head) % 32) + bytes(32 * len(tensors))


def gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf_tensors(size: int) -> bytes:
    entries = [gguf_text(f"{n:08}") + struct.pack("<IQIQ", 1, 8, 0, 32 * n) for n in range(size // 72)]
    return gguf([], entries)


def gguf_keys(size: int) -> bytes:
    keys = [gguf_text(f"{n:08}") + struct.pack("<IB", 0, 1) for n in range(size // 21)]
    return gguf(keys, [gguf_text("t") + struct.pack("<IQIQ", 1, 8, 0, 0)])


def gguf_words(size: int) -> bytes:
    words = gguf_text("word") * (size // 12)
    listed = gguf_text("words") + struct.pack("<IIQ", 9, 8, size // 12) + words
    return gguf([listed], [gguf_text("t") + struct.pack("<IQIQ", 1, 8, 0, 0)])


def gguf_of(data: bytes) -> object:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with open_any_file(Path(file.name)) as opened:
            return read_gguf_header(opened, opened.size)


def models_yaml(size: int) -> bytes:
    def entry(number: int) -> str:
        disk = OPT_125M | {"model_source": f"https://example.org/o/m{number:07}"}
        return f"  {normalized_name(str(disk['model_source']))}: |-\n    {json.dumps(disk)}"

    return f"kind: ConfigMap\ndata:\n{repeated(size, entry, chr(10))}\n".encode()


def attributes(text: Callable[[int], str]) -> Callable[[int], Node]:
    def make(size: int) -> Node:
        data = text(size).encode()
        file = Node(b".gitattributes", FileKind.FILE, 0o644, len(data), content=data)
        return directory(b"", 0o755, [file])

    return make


def folders_of_attributes(size: int) -> Node:
    data = b"*.bin filter=lfs\n"
    file = Node(b".gitattributes", FileKind.FILE, 0o644, len(data), content=data)
    names = [b"%07d" % number for number in range(size // 64)]
    return directory(b"", 0o755, [directory(name, 0o755, [file]) for name in names])


def policy(key: str, items: Callable[[int], str]) -> Callable[[int], bytes]:
    """Return a maker of policies: `strict` with a long list in place of one rule."""
    text = resources.files("provenance_oracle.verifier").joinpath("policies/strict.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]

    def make(size: int) -> bytes:
        changed = [f"{key}: [{items(size)}]" if line.startswith(f"{key}:") else line for line in lines]
        return "\n".join(changed).encode()

    return make


def der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def nested_der(size: int) -> bytes:
    value = der(0x04, bytes(size))
    for _ in range(15):
        value = der(0x30, value)
    return value


def der_of(data: bytes) -> object:
    return parse_der(data, lambda what, got, wanted: malformed_endorsement("x.der", what, got, wanted))


def crl(size: int) -> bytes:
    amd = FakeAmd.load(ProductLine.GENOA)
    serials = tuple(range(1 << 62, (1 << 62) + size // 32))
    return amd.crl(NOW - timedelta(days=1), NOW + timedelta(days=1), serials)


def pem(size: int) -> bytes:
    """A list in PEM that only its last line spoils."""
    lines = b"A" * 64 + b"\n"
    return b"-----BEGIN X509 CRL-----\n" + lines * (size // len(lines)) + b"!"


def deployment(size: int) -> bytes:
    return b'{"chain_id": 1, ' + repeated(size, lambda number: f'"k{number}":0').encode() + b"}"


def raw_logs(size: int) -> list[dict[str, object]]:
    place = {"address": "0x" + "12" * 20, "transactionHash": "0x" + DIGEST, "logIndex": "0x0", "data": "0x"}
    return [{**place, "topics": ["0x" + DIGEST], "blockNumber": hex(number)} for number in range(size // 250)]


def file_of_events(size: int) -> bytes:
    events = [
        {"topics": DIGEST, "data": "", "block": number, "index": 0, "transaction": DIGEST}
        for number in range(size // 220)
    ]
    blocks = {"first": 0, "until": size, "block": size, "block_hash": DIGEST}
    return json.dumps(
        {"span": 1000, "answers": [{"address": "12" * 20, "topics": [""], **blocks, "events": events}]}
    ).encode()


def words(size: int) -> list[bytes]:
    return [bytes(32)] * (size // 32)


def bundle(size: int) -> bytes:
    """A bundle whose payload fills it."""
    return json.dumps(bundle_of(bytes(size * 3 // 4 - 400), b"sig", {"publicKey": {"hint": ""}})).encode()


def signed_files(size: int) -> bytes:
    return json.dumps(statement_of([resource(f"f{number:06}", b"") for number in range(size // 150)])).encode()


def signed_shards(size: int) -> bytes:
    entries = [resource(f"w:{number * 1000}:{(number + 1) * 1000}", b"") for number in range(size // 150)]
    return json.dumps(statement_of(entries, method="shards", shard_size=1000)).encode()


def publisher_key(size: int) -> bytes:
    """A key with text around it, as GnuTLS writes it."""
    return b"x" * (size - 1024) + b"\n" + pem_of(SIGNING_KEY)


def trusted_root(size: int) -> bytes:
    return json.dumps({"tlogs": [], "passed over": ["x" * 100] * (size // 105)}).encode()


def recorded_verdict(size: int) -> bytes:
    """A verdict with many members that no oracle writes, which are compared later."""
    members = {f"k{number:06}": 0 for number in range(size // 12)}
    details = {"grade": 0, "findings": []}
    predicate = {
        "verifier": {"version": {"provenance-oracle": "1"}},
        "timeVerified": "2026-11-21T12:00:00Z",
        "policy": {"digest": {"sha256": DIGEST}},
        "inputAttestations": [{"uri": "x", "digest": {"sha256": DIGEST}}],
        "verificationResult": "PASSED",
        "verifiedLevels": [],
        EXTENSION: details,
        **members,
    }
    return json.dumps({"subject": [], "predicate": predicate}, separators=(",", ":")).encode()


def signed_verdict(size: int) -> bytes:
    """An envelope whose signature is none."""
    return envelope_of(bytes(size * 3 // 4), [("0x", b"none")])


def headers(size: int) -> bytes:
    """The same header of an empty file again and again."""
    return tar_of({"a": b""})[:512] * (size // 512)


SHAPES = {
    "evidence, a file": Shape(lambda n: tar_of({"a": bytes(n)}), files_of_tar, MAX_ENVELOPE_BYTES),
    "evidence, headers": Shape(headers, files_of_tar, MAX_ENVELOPE_BYTES, is_refused=True),
    "recorded verdict, members": Shape(recorded_verdict, lambda d: parse_verdict(d, "x.json"), MIB),
    "signed verdict": Shape(
        signed_verdict, lambda d: verify_signed_verdict(d, "x.dsse.json"), VERDICT_MAX_BYTES, is_refused=True
    ),
    "bundle, payload": Shape(bundle, lambda d: parse_bundle(d, "x.sig"), BUNDLE_MAX_BYTES - KIB),
    "bundle, members": Shape(
        lambda n: f"{{{repeated(n, lambda i: f'{chr(34)}k{i}{chr(34)}:0')}}}".encode(),
        lambda d: parse_bundle(d, "x.sig"),
        16 * KIB,
        is_refused=True,
    ),
    "signature, files": Shape(signed_files, lambda d: parse_signed_files(d, "x.sig"), 30 * MIB),
    "signature, shards": Shape(signed_shards, lambda d: parse_signed_files(d, "x.sig"), 30 * MIB),
    "publisher's key": Shape(publisher_key, lambda d: parse_publisher_key(d, "x.pem"), PUBLISHER_KEY_MAX_BYTES),
    "trusted root": Shape(trusted_root, lambda d: parse_trusted_root(d, "x.json"), ROOT_MAX_BYTES - KIB),
    "JSON, members": Shape(
        lambda n: f"{{{repeated(n, lambda i: f'{chr(34)}k{i}{chr(34)}:0')}}}".encode(), json_of, 16 * MIB
    ),
    "JSON, numbers": Shape(lambda n: b"[1" + b",1" * (n // 2) + b"]", json_of, MIB),
    "JSON, objects": Shape(lambda n: b"[{}" + b",{}" * (n // 3) + b"]", json_of, MIB),
    "JSON, escapes": Shape(lambda n: b'"' + b"\\u00e9" * (n // 6) + b'"', json_of, MAX_ENVELOPE_BYTES - KIB),
    "JSON, open string": Shape(lambda n: b'["' + b'\\"' * (n // 2), json_of, MAX_ENVELOPE_BYTES - KIB, is_refused=True),
    "JSON, spaces": Shape(lambda n: b"[" + b" " * n + b"]", json_of, MAX_ENVELOPE_BYTES - KIB),
    "YAML, mapping": Shape(
        lambda n: repeated(n, lambda i: f"k{i}: 1", "\n").encode(),
        lambda d: parse_yaml(d, "x"),
        YAML_MAX_BYTES,
    ),
    "YAML, list below a long key": Shape(
        lambda n: b"? " + b"x" * (n // 2) + b"\n: [" + b"a," * (n // 4 - 4) + b"]",
        lambda d: parse_yaml(d, "x"),
        YAML_MAX_BYTES,
    ),
    "YAML, brackets": Shape(lambda n: b"[" * n, lambda d: parse_yaml(d, "x"), YAML_MAX_BYTES, is_refused=True),
    "YAML, lines of one text": Shape(
        lambda n: b"a: x" + b"\n  x" * (n // 4 - 1), lambda d: parse_yaml(d, "x"), YAML_MAX_BYTES
    ),
    "policy, allow-list": Shape(
        policy("measurements", lambda n: repeated(n, lambda i: f'"{i:096x}"')),
        lambda d: parse_policy(d, "x"),
        YAML_MAX_BYTES - 10 * KIB,
    ),
    "DER, values": Shape(lambda n: der(0x30, b"\2\1\1" * (n // 3)), der_of, 128 * KIB),
    "DER, levels": Shape(nested_der, der_of, CRL_MAX_BYTES),
    "CRL, entries": Shape(crl, lambda d: parse_crl(d, "x.crl"), 500 * KIB),
    "CRL, PEM": Shape(pem, lambda d: parse_crl(d, "x.crl"), 2 * CRL_MAX_BYTES - KIB, is_refused=True),
    "envelope": Shape(envelope, parse_envelope, MAX_ENVELOPE_BYTES),
    "statement, annotations": Shape(
        statement("subject", 0, "annotations", members='"k%d":0'), parse_statement, 15 * MIB
    ),
    "statement, parameters": Shape(
        statement(*DEFINITION, "externalParameters", members='"k%d":[]'), parse_statement, MIB
    ),
    "statement, internal": Shape(statement(*DEFINITION, "internalParameters", members='"k%d":0'), parse_statement, MIB),
    "statement, unknown members": Shape(
        statement(*DEFINITION, members='"k%d":0'), parse_statement, MIB, is_refused=True
    ),
    "statement, files": Shape(statement("subject", members=SUBJECT, closing="]"), parse_statement, 25 * MIB // 2),
    "statement, dependencies": Shape(
        statement(*DEFINITION, "resolvedDependencies", members=DEPENDENCY, closing="]"), parse_statement, 1200 * KIB
    ),
    "statement, digests": Shape(
        statement(*DEFINITION, "resolvedDependencies", 0, "digest", members='"a%d":"00"'), parse_statement, MIB
    ),
    "safetensors, tensors": Shape(tensors, header_of, 12 * MIB),
    "safetensors, metadata": Shape(
        lambda n: safetensors(f'"__metadata__":{{{repeated(n, lambda i: f"{chr(34)}k{i}{chr(34)}:{chr(34) * 2}")}}}'),
        header_of,
        MIB,
    ),
    "safetensors, long text": Shape(
        lambda n: safetensors('"__metadata__":{"k":"' + "x" * (n - 64) + '"}'), header_of, MAX_HEADER_BYTES
    ),
    "GGUF, tensors": Shape(gguf_tensors, gguf_of, 3 * MIB),
    "GGUF, keys": Shape(gguf_keys, gguf_of, MIB),
    "GGUF, words": Shape(gguf_words, gguf_of, 3 * MIB),
    "index of weights": Shape(
        lambda n: (
            f'{{"weight_map":{{{repeated(n, lambda i: f"{chr(34)}t{i}{chr(34)}:{chr(34)}f{i}{chr(34)}")}}}}}'.encode()
        ),
        lambda d: parse_index(d, "x.index.json"),
        MIB,
    ),
    "models.yaml, entries": Shape(models_yaml, parse_models_yaml, MODELS_YAML_MAX_BYTES - KIB),
    "models.yaml, brackets": Shape(lambda n: b"[" * n, parse_models_yaml, MODELS_YAML_MAX_BYTES, is_refused=True),
    ".gitattributes, rules": Shape(
        attributes(lambda n: "*.bin filter=lfs\n" * (n // 17)), LfsFiles, MIB, is_refused=True
    ),
    ".gitattributes, one line": Shape(attributes(lambda n: "*.bin " + "-text " * (n // 6 - 1)), LfsFiles, MIB),
    ".gitattributes, comments": Shape(attributes(lambda n: "# filter=lfs\n" * (n // 13)), LfsFiles, MIB),
    ".gitattributes, folders": Shape(folders_of_attributes, LfsFiles, MIB, is_refused=True),
    "deployment file": Shape(deployment, lambda d: parse_deployment(d, "x"), FILE_MAX_BYTES, is_refused=True),
    "node answer, events": Shape(raw_logs, lambda answer: parse_raw_logs(answer, "x"), 2 * MIB),
    "file of events": Shape(file_of_events, lambda data: event_cache._parse(data, {}, "x"), 2 * MIB),
    "node answer, words": Shape(
        words, lambda answer: parse_members(answer, [parse_word] * len(parse_items(answer, "x")), "x"), 2 * MIB
    ),
}


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    gguf_of(gguf_keys(100))  # so that the import of the package gguf is not counted


def run(shape: Shape, made: Any) -> Callable[[], None]:
    def parse() -> None:
        try:
            shape.parse(made)
        except ProvenanceError:
            assert shape.is_refused, shape

    return parse


@pytest.mark.parametrize("name", SHAPES)
def test_twice_the_input_is_at_most_twice_the_work(name: str) -> None:
    shape = SHAPES[name]
    size = min(12 * KIB, shape.limit // 16)
    small, large = (work_of(run(shape, shape.make(many * size))) for many in (1, 2))
    assert large <= 2 * SLACK * small, (small, large)


@pytest.mark.parametrize("name", SHAPES)
def test_the_largest_input_costs_no_more_than_its_size(name: str) -> None:
    shape = SHAPES[name]
    largest = min(shape.limit, MOST)
    first = min(64 * KIB, largest // 4)
    calls = [calls_of(run(shape, shape.make(size))) for size in (first, 2 * first, largest)]
    assert calls[1] <= 2 * SLACK * calls[0], calls
    assert calls[2] <= largest / first * SLACK * calls[0], calls
