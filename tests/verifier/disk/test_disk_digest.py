"""Tests of disk records: they must have every parameter that shapes a root, in one form."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.disk import DiskDigest, VerityParameters, match_disk_digests, parse_disk_digest
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError

RECORD = DiskDigest("privatemode", "erofs-1.9", VerityParameters(salt=b"\0"), 77, bytes(range(32)), bytes(32))


def encoded(**changes: object) -> bytes:
    fields = {**RECORD.to_json(), **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def test_a_record_survives_writing_and_reading():
    for record in (RECORD, replace(RECORD, file_sha256=None)):
        assert parse_disk_digest(json.dumps(record.to_json()).encode(), "record") == record
    assert RECORD.hash_offset == 77 * 4096


@pytest.mark.parametrize("field", [name for name in RECORD.to_json() if name != "file_sha256"])
def test_a_record_without_one_of_its_fields_is_malformed(field):
    with pytest.raises(FormatError, match="missing"):
        parse_disk_digest(encoded(**{field: None}), "record")


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": ""},
        {"recipe": "Private mode"},
        {"layout": 19},
        {"algorithm": "md5"},
        {"algorithm": "sha512"},  # the root is too short for this algorithm
        {"hash_format": 2},
        {"data_block_bytes": 4095},
        {"data_block_bytes": 512},  # the offset contradicts this block size
        {"hash_block_bytes": 0},
        {"salt": "0"},
        {"salt": "AA"},
        {"salt": "00" * 257},
        {"uuid": "zero"},
        {"uuid": "{00000000-0000-0000-0000-000000000000}"},
        {"data_blocks": 0},
        {"data_blocks": 78},
        {"data_blocks": 2**32},
        {"hash_offset": 77 * 4096 + 1},
        {"hash_offset": str(77 * 4096)},
        {"root_hash": "00"},
        {"file_sha256": "00"},
        {"note": "x"},
    ],
)
def test_each_odd_field_is_malformed(changes):
    with pytest.raises(FormatError, match="record"):
        parse_disk_digest(encoded(**changes), "record")


def test_an_offset_must_be_whole_blocks_of_the_layout():
    smaller = replace(RECORD, verity=replace(RECORD.verity, data_block_bytes=512))
    with pytest.raises(FormatError, match="multiple of 4096"):
        parse_disk_digest(json.dumps(smaller.to_json()).encode(), "record")


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (replace(RECORD, recipe="tinfoil"), "recipe"),
        (replace(RECORD, layout="erofs-1.8.6+"), "layout"),
        (replace(RECORD, verity=VerityParameters()), "salt"),
        (replace(RECORD, verity=VerityParameters("sha512", salt=b"\0")), "algorithm"),
        (replace(RECORD, verity=VerityParameters(hash_format=0, salt=b"\0")), "hash_format"),
        (replace(RECORD, verity=VerityParameters(hash_block_bytes=512, salt=b"\0")), "hash_block_bytes"),
        (replace(RECORD, verity=VerityParameters(salt=b"\0", uuid=UUID(int=1))), "uuid"),
        (replace(RECORD, data_blocks=76), "data_blocks"),
        (replace(RECORD, root=bytes(32)), "root_hash"),
        (replace(RECORD, file_sha256=bytes(31) + b"\1"), "file_sha256"),
    ],
)
def test_the_first_field_that_differs_is_named(other, field):
    with pytest.raises(VerificationError, match=f": {field} differs:"):
        match_disk_digests(RECORD, other, "disk")


def test_a_file_hash_that_one_side_lacks_is_not_compared():
    match_disk_digests(RECORD, replace(RECORD, file_sha256=None), "disk")
    match_disk_digests(replace(RECORD, file_sha256=None), RECORD, "disk")
    match_disk_digests(RECORD, RECORD, "disk")


@given(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
def test_only_known_errors_leave_the_parser(position, replacement, length):
    good = encoded()
    for data in (good[:position] + replacement + good[position + length :], good[:position], replacement):
        try:
            record = parse_disk_digest(data, "record")
        except ProvenanceError:
            continue
        assert record.hash_offset % 4096 == 0
