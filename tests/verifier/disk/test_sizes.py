"""Tests of plans from names and sizes, before any download."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.disk import PRIVATEMODE, plan_sizes, tinfoil
from provenance_oracle.verifier.disk.sizes import parse_sizes
from provenance_oracle.verifier.disk.tree import FileKind, nodes_below
from provenance_oracle.verifier.errors import FormatError, ProvenanceError

# The files of facebook/opt-125m at 27dcfa74d334bc871f3234de431e71c6eeba5dd6.
OPT_125M = b"""\
250540281 pytorch_model.bin
250709016 tf_model.h5
250485441 flax_model.msgpack
898822 vocab.json
685 tokenizer_config.json
441 special_tokens_map.json
7099 README.md
456318 merges.txt
137 generation_config.json
11117 LICENSE.md
651 config.json
1173 .gitattributes
"""


def test_the_published_offset_of_opt_125m():
    planned = plan_sizes(OPT_125M, PRIVATEMODE)
    assert (planned.hash_offset, planned.plan.blocks, planned.files) == (753115136, 183866, 12)
    # Whole blocks for every file would give another offset, so this tests the packing.
    whole_blocks = sum(-(-int(line.split()[0]) // 4096) * 4096 for line in OPT_125M.splitlines())
    assert planned.hash_offset < whole_blocks


def test_the_order_of_lines_does_not_matter():
    lines = OPT_125M.splitlines(keepends=True)
    assert plan_sizes(b"".join(reversed(lines)), PRIVATEMODE).hash_offset == 753115136


def test_leaving_a_file_out_moves_the_offset():
    assert plan_sizes(OPT_125M, PRIVATEMODE, excluded="*.h5,*.msgpack").hash_offset < 753115136 - 250709016
    assert plan_sizes(b"5 .git/x\n" + OPT_125M, PRIVATEMODE).hash_offset == 753115136
    assert plan_sizes(b"5 .cache/x\n" + OPT_125M, tinfoil("a/b", "0" * 40)).hash_offset == 753115136


def test_nested_excluded_files_are_assumed_to_be_pointers():
    planned = plan_sizes(b"5000 sub/a.bin\n0 sub/empty/a.bin\n129 sub/pointer/a.bin\n", PRIVATEMODE, excluded="a.bin")
    assert planned.assumed_pointers == ("sub/a.bin",)
    assert planned.hash_offset == 4096


def test_a_list_becomes_a_tree():
    root, files = parse_sizes(b"1 b/x y\n2 a\r\n3 b/c/d\n", "list")
    found = [(path, node.kind, node.size) for path, node in nodes_below(root)]
    assert files == 3
    assert found == [
        (b"a", FileKind.FILE, 2),
        (b"b", FileKind.DIRECTORY, 0),
        (b"b/c", FileKind.DIRECTORY, 0),
        (b"b/c/d", FileKind.FILE, 3),
        (b"b/x y", FileKind.FILE, 1),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"12", b"a 12", b"-1 a", b"1.5 a", b"+1 a", b"1_0 a", b"1e3 a", b"99999999999999999 a", b"1 ", b"1 /a",
        b"1 a/", b"1 a//b", b"1 ../a", b"1 a/../b", b"1 .", b"1 a\0b",
        b"1 " + b"n" * 256, b"1 " + b"/".join([b"d"] * 65),
        b"\xd9\xa1 a",
    ],
)  # fmt: skip
def test_odd_lines_are_refused_with_their_number(line):
    with pytest.raises(FormatError, match="list, line 2"):
        parse_sizes(b"1 fine\n" + line + b"\n", "list")


@pytest.mark.parametrize("lines", [b"1 a\n1 a", b"1 a/b\n1 a", b"1 a\n1 a/b"])
def test_names_that_clash_are_refused(lines):
    with pytest.raises(FormatError, match="list, line 2"):
        parse_sizes(lines, "list")


def test_long_lists_are_refused():
    with pytest.raises(FormatError, match="too long"):
        parse_sizes(b"1 a\n" * 200_001, "list")


@given(st.binary(max_size=60) | st.text(alphabet="0123 /a.\n", max_size=60).map(str.encode))
def test_only_known_errors_leave_the_parser(data):
    try:
        planned = plan_sizes(data, PRIVATEMODE)
    except ProvenanceError:
        return
    assert planned.hash_offset % 4096 == 0
