"""The per-tensor table: written by the publisher, read strictly, and checkable with stock tools."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.tensor_table import write_tensor_table
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights import tensor_table
from provenance_oracle.verifier.digest.weights.safetensors_header import parse_header
from provenance_oracle.verifier.digest.weights.tensor_table import TABLE_FORMAT, TensorRow, format_table, parse_table
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError
from tests.verifier.digest.tree.test_fsverity import naive
from tests.verifier.digest.weights.test_safetensors_header import entry, pack_header

ROWS = [
    TensorRow("a", "F32", (2, 3), 24, bytes(32)),
    TensorRow("b", "I64", (), 8, bytes([1]) * 32),
    TensorRow("é", "BF16", (0, 7), 0, bytes([2]) * 32),
    TensorRow("😀", "F4", (4,), 2, bytes([3]) * 32),
]
DATA = bytes(range(250)) * 40
WEIGHTS = {
    "one.safetensors": pack_header({"b": entry("U8", [100, 40], 0, 4000), "a": entry("F32", [], 4000, 4004)})
    + DATA[:4004],
    "two.safetensors": pack_header({"c": entry("U8", [6000], 0, 6000), "none": entry("F32", [0], 6000, 6000)})
    + DATA[:6000],
}
INDEX = {"weight_map": {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}


def lay_out(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def entries(name: str, data: bytes) -> list[tuple[str, int, int]]:
    size = 8 + int.from_bytes(data[:8], "little")
    header = parse_header(data[:size], where=name, file_bytes=len(data))
    return [(tensor.name, tensor.begin, tensor.end) for tensor in header.tensors]


def test_what_is_written_is_read_in_any_order() -> None:
    data = format_table(reversed(ROWS))
    assert list(parse_table(data).values()) == ROWS
    assert data.startswith(f'{{"format":"{TABLE_FORMAT}","tensors":[{{"dtype":"F32","fsverity_'.encode())


def test_golden() -> None:
    assert format_table(ROWS[:1]) == (
        b'{"format":"tag:provenance-oracle,2026:tensor-table/v1","tensors":[{"dtype":"F32","fsverity_sha256_4096":"'
        + b"0" * 64
        + b'","name":"a","nbytes":24,"shape":[2,3]}]}'
    )


def table(**changes: object) -> bytes:
    row = {"dtype": "U8", "fsverity_sha256_4096": "00" * 32, "name": "a", "nbytes": 4, "shape": [4]} | changes
    return json.dumps({"format": TABLE_FORMAT, "tensors": [row]}, separators=(",", ":"), sort_keys=True).encode()


def test_the_table_of_the_bad_ones_is_good_without_a_change() -> None:
    assert parse_table(table())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"tensors":[]}',
        table() + b"\n",
        table().replace(b":", b": ", 1),
        table().replace(b'"a"', b'"\\u0061"'),
        table().replace(b"v1", b"v2"),
        table().replace(b"}]}", b'}],"x":1}'),
        table().replace(b"}]}", b"}," + table()[table().index(b"[") + 1 :]),
        table(nbytes=5),
        table(nbytes=-4),
        table(shape=[5]),
        table(shape=[2.0, 2]),
        table(shape=[1] * 65),
        table(shape=[2**53, 0], nbytes=0),
        table(dtype="F128"),
        table(dtype="F4", shape=[3], nbytes=1),
        table(fsverity_sha256_4096="00" * 31),
        table(fsverity_sha256_4096="0A" * 32),
        table(strides=[1]),
        table(name=1),
        format_table(ROWS).replace(b'"name":"a"', b'"name":"c"'),
        format_table(ROWS).replace(b'"name":"a"', b'"name":"b"'),
    ],
)
def test_anything_but_its_one_form_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        parse_table(data)
    assert caught.value.check is Check.FILE_DIGESTS
    assert caught.value.where.startswith("tensors.json")


@given(st.data())
def test_changed_bytes_are_refused_or_another_table(draws: st.DataObject) -> None:
    good = format_table(ROWS)
    data = bytearray(good)
    for _ in range(draws.draw(st.integers(1, 3))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    try:
        found = parse_table(bytes(data))
    except ProvenanceError:
        return
    assert format_table(found.values()) == bytes(data)


def test_a_table_of_the_most_tensors_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table as large as a mixture of experts needs reaches no limit of the JSON reader before that of the table."""
    tokens_a_row = tensor_table._MAX_TOKENS // tensor_table.MAX_TENSORS
    rows = [TensorRow(f"model.layers.{n}.mlp.experts.weight", "U8", (2, 3), 6, bytes(32)) for n in range(500)]
    monkeypatch.setattr(tensor_table, "MAX_TENSORS", len(rows))
    monkeypatch.setattr(tensor_table, "_MAX_TOKENS", tokens_a_row * len(rows))
    assert len(parse_table(format_table(rows))) == len(rows)
    monkeypatch.setattr(tensor_table, "MAX_TENSORS", len(rows) - 1)
    with pytest.raises(FormatError, match="tensors"):
        parse_table(format_table(rows))


def test_the_publisher_writes_every_tensor_of_every_file(tmp_path: Path) -> None:
    lay_out(tmp_path, WEIGHTS | {"m.safetensors.index.json": json.dumps(INDEX).encode()})
    path = write_tensor_table(tmp_path)
    rows = parse_table(path.read_bytes())
    wanted = {}
    for name, data in WEIGHTS.items():
        wanted |= {tensor: naive(data[begin:end]) for tensor, begin, end in entries(name, data)}
    assert {name: row.fsverity for name, row in rows.items()} == wanted
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_rows_do_not_depend_on_the_files(tmp_path: Path) -> None:
    spread = write_tensor_table(
        lay_out(tmp_path / "two", WEIGHTS | {"m.safetensors.index.json": json.dumps(INDEX).encode()})
    )
    one = pack_header(
        {
            "c": entry("U8", [6000], 0, 6000),
            "b": entry("U8", [100, 40], 6000, 10000),
            "a": entry("F32", [], 10000, 10004),
            "none": entry("F32", [0], 10004, 10004),
        }
    )
    data = one + DATA[:6000] + DATA[:4004]
    whole = write_tensor_table(lay_out(tmp_path / "one", {"m.safetensors": data}))
    assert spread.read_bytes() == whole.read_bytes()


@pytest.mark.skipif(not shutil.which("fsverity"), reason="the tool fsverity is not installed")
def test_a_row_is_what_the_stock_tool_says_of_the_bytes(tmp_path: Path) -> None:
    lay_out(tmp_path, {"one.safetensors": WEIGHTS["one.safetensors"]})
    rows = parse_table(write_tensor_table(tmp_path).read_bytes())
    for name, begin, end in entries("one.safetensors", WEIGHTS["one.safetensors"]):
        (tmp_path / "cut").write_bytes(WEIGHTS["one.safetensors"][begin:end])
        said = subprocess.run(
            ["fsverity", "digest", "--compact", str(tmp_path / "cut")], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == rows[name].fsverity.hex()


def test_two_files_with_one_name_have_no_table(tmp_path: Path) -> None:
    data = WEIGHTS["one.safetensors"]
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    lay_out(
        tmp_path,
        {"1.safetensors": data, "2.safetensors": data, "m.safetensors.index.json": json.dumps(index).encode()},
    )
    with pytest.raises(FormatError, match="two files hold a tensor of this name"):
        write_tensor_table(tmp_path)


def test_which_files_must_be_clear(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a tensor table needs safetensors or GGUF files"):
        write_tensor_table(tmp_path)
    lay_out(tmp_path, WEIGHTS)
    with pytest.raises(UsageError, match="which files hold the weights"):
        write_tensor_table(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"{}",
        b'{"weight_map":{}}',
        b'{"weight_map":{"a":1}}',
        b'{"weight_map":{"a":""}}',
        b'{"weight_map":{"a":"../x.safetensors"}}',
        b'{"weight_map":{"a":"/x.safetensors"}}',
        b'{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}',
        b'{"weight_map":["x.safetensors"]}',
        b'{"weight_map":{"a":"provenance/x"}}',
    ],
)
def test_a_malformed_index_is_refused(index: bytes, tmp_path: Path) -> None:
    lay_out(tmp_path, WEIGHTS | {"m.safetensors.index.json": index})
    with pytest.raises(FormatError) as caught:
        write_tensor_table(tmp_path)
    assert caught.value.check is Check.FILE_DIGESTS


def test_an_index_in_a_subfolder_names_its_neighbours(tmp_path: Path) -> None:
    files = {f"sub/{name}": data for name, data in WEIGHTS.items()}
    lay_out(tmp_path, files | {"sub/m.safetensors.index.json": json.dumps(INDEX).encode()})
    assert parse_table(write_tensor_table(tmp_path).read_bytes()).keys() == {"a", "b", "c", "none"}


def test_an_index_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = lay_out(tmp_path, WEIGHTS) / "m.safetensors.index.json"
    path.touch()
    os.truncate(path, 100_000_001)
    with pytest.raises(FormatError, match="the index is too large"):
        write_tensor_table(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, {"one.safetensors": WEIGHTS["one.safetensors"]})

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(TemporaryError, match="No space left"):
        write_tensor_table(tmp_path)
    assert not (tmp_path / "tensors.json").exists()
