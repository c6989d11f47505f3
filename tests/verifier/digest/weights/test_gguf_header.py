"""Headers of GGUF files: the published package's are read as it reads them, and hostile ones are refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights import gguf_header
from provenance_oracle.verifier.digest.weights.gguf_header import read_gguf_header
from provenance_oracle.verifier.digest.weights.safetensors_header import Header
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.files import open_any_file

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")
numpy = pytest.importorskip("numpy", reason="NumPy is not installed")


def write_model(path: Path, *, alignment: int = 32) -> Path:
    """Write a small model as the published package does, with keys of many types and quantised tensors."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment != 32:
        writer.add_custom_alignment(alignment)
    writer.add_context_length(2048)
    writer.add_rope_freq_base(10000.5)
    writer.add_token_list(["<s>", "</s>", "ä", ""])
    writer.add_token_scores([0.5, 1.5, 2.5, 3.5])
    writer.add_bool("general.truth", True)
    writer.add_chat_template("{{ messages }}")
    writer.add_array("general.lists", [1, 2, 3])
    generator = numpy.random.default_rng(1)
    rows = generator.standard_normal((6, 64)).astype(numpy.float32)
    writer.add_tensor("token_embd.weight", rows)
    writer.add_tensor("blk.0.half", rows.astype(numpy.float16)[:, :5])
    writer.add_tensor("blk.0.norm", rows[0, :3])
    for kind in ("Q8_0", "Q4_0", "BF16"):
        quantised = gguf.quantize(rows, gguf.GGMLQuantizationType[kind])
        writer.add_tensor(f"blk.0.{kind}", quantised, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def header_of(path: Path, file_bytes: int | None = None) -> Header:
    with open_any_file(path) as file:
        return read_gguf_header(file, file.size if file_bytes is None else file_bytes)


@pytest.mark.parametrize("alignment", [32, 8, 4096])
def test_tensors_are_read_as_the_package_reads_them(alignment: int, tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", alignment=alignment)
    found, data = header_of(path), path.read_bytes()
    tensors = gguf.GGUFReader(path).tensors
    assert {(t.name, int(t.data_offset), int(t.n_bytes), t.data.shape) for t in tensors} == {
        (entry.name, entry.begin, entry.nbytes, entry.shape) for entry in found.tensors
    }
    for tensor in tensors:
        entry = next(entry for entry in found.tensors if entry.name == tensor.name)
        assert data[entry.begin : entry.end] == tensor.data.tobytes()
        assert entry.dtype == {"float32": "F32", "float16": "F16", "uint8": "U8"}[tensor.data.dtype.name]
    assert found.data == data[: found.tensors[0].begin]


def test_a_file_that_is_cut_after_its_header_is_read(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    whole, size = header_of(path), path.stat().st_size
    path.write_bytes(whole.data)
    assert header_of(path, size) == whole


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def build(
    *,
    keys: list[bytes] | None = None,
    tensors: list[bytes] | None = None,
    data: int = 32,
    magic: bytes = b"GGUF",
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    keys = [] if keys is None else keys
    tensors = [tensor("a", (8,))] if tensors is None else tensors
    head = magic + struct.pack("<IQQ", version, *(counts or (len(tensors), len(keys)))) + b"".join([*keys, *tensors])
    return head + bytes(-len(head) % 32) + bytes(data)


HUGE = 2**64 - 1
LIST = struct.pack("<IQ", 4, 1)
ALIGNMENT = "general.alignment"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "another format": (build(magic=b"GGML"), "known version"),
    "version 1": (build(version=1), "known version"),
    "big-endian": (build(version=3 << 24), "known version"),
    "empty": (b"", "ends within its header"),
    "only the magic": (b"GGUF", "ends within its header"),
    "tensors without end": (build(counts=(HUGE, 0)), "too many tensors"),
    "keys without end": (build(counts=(1, HUGE)), "too many keys"),
    "more tensors than bytes": (build(counts=(300_000, 0)), "header|block|type|dimensions|name"),
    "no tensor": (build(tensors=[]), "no tensor"),
    "a name without end": (build(tensors=[struct.pack("<Q", HUGE)]), "too many bytes in a name"),
    "a value without end": (build(keys=[key("k", 8, struct.pack("<Q", HUGE))]), "too many bytes in a value"),
    "a value beyond the file": (build(keys=[key("k", 8, struct.pack("<Q", 9_000_000))]), "ends within its header"),
    "a list without end": (build(keys=[key("k", 9, struct.pack("<IQ", 0, HUGE))]), "too many items"),
    "empty texts without end": (
        build(keys=[key("k", 9, struct.pack("<IQ", 8, 4_000_000))], tensors=[], data=0),
        "no tensor|header",
    ),
    "lists of many items": (
        build(keys=[key(f"k{n}", 9, struct.pack("<IQ", 9, 3_000_000) + bytes(12)) for n in range(2)]),
        "too many items|header",
    ),
    "lists in lists": (
        build(keys=[key("k", 9, struct.pack("<IQ", 9, 1) * 20 + struct.pack("<IQ", 0, 0))]),
        "unknown type",
    ),
    "a value of no type": (build(keys=[key("k", 13, bytes(8))]), "unknown type"),
    "a key twice": (build(keys=[key("k", 0, b"a"), key("k", 0, b"b")]), "a key stands twice"),
    "no UTF-8": (build(tensors=[struct.pack("<Q", 1) + b"\xff" + tensor("", (8,))[8:]]), "not UTF-8"),
    "no alignment": (build(keys=[key(ALIGNMENT, 4, struct.pack("<I", 0))]), "alignment is unusable"),
    "alignment 48": (build(keys=[key(ALIGNMENT, 4, struct.pack("<I", 48))]), "alignment is unusable"),
    "alignment of a gigabyte": (build(keys=[key(ALIGNMENT, 4, struct.pack("<I", 2**30))]), "alignment is unusable"),
    "alignment as 64 bits": (build(keys=[key(ALIGNMENT, 10, struct.pack("<Q", 32))]), "alignment is unusable"),
    "five dimensions": (build(tensors=[tensor("a", (8, 1, 1, 1, 1))]), "too many dimensions"),
    "an unknown type": (build(tensors=[tensor("a", (8,), kind=999)]), "unknown type"),
    "half a block": (build(tensors=[tensor("a", (33,), kind=8)]), "whole number of blocks"),
    "a tensor beyond the file": (build(tensors=[tensor("a", (2**40,))]), "end where the file ends"),
    "dimensions whose product overflows": (build(tensors=[tensor("a", (2**63, 2, 2**63, 2))]), "end where the file"),
    "an offset beyond the file": (build(tensors=[tensor("a", (8,), offset=2**63)]), "do not follow"),
    "an overlap": (build(tensors=[tensor("a", (8,)), tensor("b", (8,))]), "do not follow"),
    "a gap": (build(tensors=[tensor("a", (8,)), tensor("b", (8,), offset=96)], data=128), "do not follow"),
    "no alignment of a tensor": (build(tensors=[tensor("a", (8,), offset=4)], data=36), "do not follow"),
    "bytes after the tensors": (build(data=64), "end where the file ends"),
    "a name twice": (build(tensors=[tensor("a", (8,)), tensor("a", (8,), offset=32)], data=64), "two tensors have one"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_refused_with_the_place(name: str, tmp_path: Path) -> None:
    data, words = HOSTILE[name]
    (tmp_path / "m.gguf").write_bytes(data)
    with pytest.raises(FormatError, match=words) as caught:
        header_of(tmp_path / "m.gguf")
    assert caught.value.check is Check.FILE_DIGESTS
    assert "m.gguf, byte " in str(caught.value)


def test_the_smallest_header_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(build())
    (found,) = header_of(tmp_path / "m.gguf").tensors
    assert (found.name, found.dtype, found.shape, found.nbytes) == ("a", "F32", (8,), 32)


def test_no_prefix_of_a_header_is_accepted(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    data, size = header_of(path).data, path.stat().st_size
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            header_of(path, size)


def test_every_byte_of_a_header_that_is_changed_is_read_or_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    data, size = header_of(path).data, path.stat().st_size
    for place in range(0, len(data), 3):
        for value in (0x00, 0x7F, 0xFF):
            path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            try:
                header_of(path, size)
            except FormatError:
                continue


def test_no_more_than_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that claims a value of many gigabytes, in a sparse file, is refused before it is read."""
    monkeypatch.setattr(gguf_header, "MAX_HEADER_BYTES", 4_000_000)
    path = tmp_path / "m.gguf"
    path.write_bytes(build(keys=[key("k", 8, struct.pack("<Q", 4_000_000))]))
    with path.open("r+b") as file:
        file.truncate(2**40)
    read: list[int] = []
    read_into = FileSource.read_into

    def spy(source: Any, target: memoryview, offset: int) -> None:
        read.append(len(target))
        read_into(source, target, offset)

    monkeypatch.setattr(FileSource, "read_into", spy)
    with pytest.raises(FormatError, match="too large"):
        header_of(path)
    assert sum(read) <= 4_000_000


def test_the_work_grows_with_the_header_and_no_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the reads of values: twice the keys, list items and tensors take twice as many."""
    take, calls = gguf_header._Reader.take, 0

    def spy(reader: Any, size: int) -> bytes:
        nonlocal calls
        calls += 1
        return take(reader, size)

    monkeypatch.setattr(gguf_header._Reader, "take", spy)
    counts = []
    for size in (500, 1000, 2000):
        keys = [key(f"k{n}", 9, struct.pack("<IQ", 8, 3) + text("x") * 3) for n in range(size)]
        tensors = [tensor(f"t{n}", (8,), offset=32 * n) for n in range(size)]
        (tmp_path / "m.gguf").write_bytes(build(keys=keys, tensors=tensors, data=32 * size))
        calls = 0
        assert len(header_of(tmp_path / "m.gguf").tensors) == size
        counts.append(calls)
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
