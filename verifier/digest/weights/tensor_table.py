"""The per-tensor table: the tensors of a model, with the fs-verity digest of the bytes of each.

The table is a file of the model, `tensors.json`, so the manifest covers it. A file digest shows that weights differ;
the table shows which tensor. It does not depend on the distribution of the tensors over files. You can check every row
with stock tools: cut the tensor's bytes out of its file and run `fsverity digest`.

    {"format": "tag:provenance-oracle,2026:tensor-table/v1",
     "tensors": [{"name", "dtype", "shape", "nbytes", "fsverity_sha256_4096"}, ...]}

Rows are sorted by the UTF-8 bytes of the name, and the document is in RFC 8785 form. Dtypes are those of safetensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import rfc8785

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.safetensors_header import DTYPE_BITS, parse_shape
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.statement import FSVERITY
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

TABLE_PATH = "tensors.json"
TABLE_FORMAT = "tag:provenance-oracle,2026:tensor-table/v1"
MAX_TABLE_BYTES = 100_000_000
MAX_TENSORS = 400_000  # a large mixture of experts in 4 bits has about 280 000
_MAX_TOKENS = 20 * MAX_TENSORS  # JSON tokens; a row with two dimensions has 18
_MAX_NAME_CHARS = 64 * 1024


@dataclass(frozen=True)
class TensorRow:
    """One tensor. `fsverity` is the fs-verity digest (32 bytes) of a file with its `nbytes` canonical bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    fsverity: bytes


def format_table(rows: Iterable[TensorRow]) -> bytes:
    """Return the bytes of `tensors.json`. The names must be unique.

    Raises:
        FormatError: a number is 2^53 or larger, which RFC 8785 cannot express (check `file-digests`).
    """
    ordered = sorted(rows, key=lambda row: row.name.encode())
    tensors = [
        {
            "name": row.name,
            "dtype": row.dtype,
            "shape": list(row.shape),
            "nbytes": row.nbytes,
            FSVERITY: row.fsverity.hex(),
        }
        for row in ordered
    ]
    table: Any = {"format": TABLE_FORMAT, "tensors": tensors}
    try:
        return rfc8785.dumps(table)
    except rfc8785.CanonicalizationError as error:
        got, wanted = str(error), "sizes below 2^53"
        raise FormatError(
            "the table has a size that RFC 8785 cannot express",
            check=Check.FILE_DIGESTS,
            where=TABLE_PATH,
            got=got,
            wanted=wanted,
        ) from error


def parse_table(data: bytes, where: str = TABLE_PATH) -> dict[str, TensorRow]:
    """Parse a table, and return its rows by name. Compare its digest with the manifest first.

    Raises:
        FormatError: the bytes differ from those that `format_table` would write (check `file-digests`).
    """
    value = parse_json(
        data, where=where, check=Check.FILE_DIGESTS, max_bytes=MAX_TABLE_BYTES, max_depth=4, max_tokens=_MAX_TOKENS
    )
    fields = Fields(value, where=where, check=Check.FILE_DIGESTS)
    fields.constant("format", TABLE_FORMAT)
    rows = [_parse_row(row) for row in fields.fields_list("tensors", maximum=MAX_TENSORS)]
    fields.finish()
    table = {row.name: row for row in rows}
    if len(table) != len(rows) or format_table(rows) != data:
        raise FormatError(
            "the table is not in canonical form",
            check=Check.FILE_DIGESTS,
            where=where,
            got="a name twice" if len(table) != len(rows) else "other order, spaces or escapes",
            wanted="unique names in the order of their UTF-8 bytes, in RFC 8785 form",
        )
    return table


def _parse_row(fields: Fields) -> TensorRow:
    name = fields.text("name", max_chars=_MAX_NAME_CHARS)
    dtype = fields.text("dtype")
    shape = parse_shape(fields)
    nbytes = fields.integer("nbytes")
    digest = fields.hex_bytes(FSVERITY, 32)
    fields.finish()
    if dtype not in DTYPE_BITS or math.prod(shape) * DTYPE_BITS[dtype] != 8 * nbytes:
        got = f"{dtype} {list(shape)} in {nbytes} bytes"
        raise fields.error(
            "nbytes",
            "the size does not match the tensor's dtype and shape",
            got=got,
            wanted="a dtype of safetensors, and the bytes of its shape",
        )
    return TensorRow(name, dtype, shape, nbytes, digest)
