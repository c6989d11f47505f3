"""Tests of the strict parser for Privatemode's list of disks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.disk import find_disk, parse_models_yaml, parse_published_disk
from provenance_oracle.verifier.disk.models_yaml import normalized_name
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError

OPT_125M = {
    "model_source": "https://huggingface.co/facebook/opt-125m",
    "commit_hash": "27dcfa74d334bc871f3234de431e71c6eeba5dd6",
    "excluded_files": "",
    "root_hash": "08da1ef4dfc95438a13d964d565a341c0e5de32a5d65c28dcb1414a3a7c675dc",
    "hash_offset": "753115136",
    "erofs_version": "1.9",
    "veritysetup_version": "2.8.4",
    "file_hash_sha256": "3120af8ed8a63429b96bb35abf74e0bffa280849ab4e01e312d85f889191262f",
}
WHISPER = {
    **OPT_125M,
    "model_source": "https://huggingface.co/openai/whisper-large-v3",
    "excluded_files": "flax_model.msgpack,pytorch_model.*",
    "hash_offset": "9265782784",
}
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: model-disks\ndata:\n"


def config_map(**entries: object) -> bytes:
    def block(value):
        return json.dumps(value, indent=2).replace("\n", "\n    ")

    lines = "".join(f"  {name.replace('_', '-')}: |-\n    {block(value)}\n" for name, value in entries.items())
    return (HEAD + lines).encode()


GOOD = config_map(facebook_opt_125m=OPT_125M, openai_whisper_large_v3=WHISPER)


def test_entries_are_read_by_id():
    disks = parse_models_yaml(GOOD)
    assert sorted(disks) == ["facebook-opt-125m", "openai-whisper-large-v3"]
    disk = find_disk(disks, "facebook-opt-125m")
    assert (disk.hash_offset, disk.root.hex()) == (753115136, OPT_125M["root_hash"])
    assert (disk.where, disk.excluded_files) == ("models.yaml: facebook-opt-125m", "")
    assert disks["openai-whisper-large-v3"].excluded_files == "flax_model.msgpack,pytorch_model.*"


def test_an_unknown_id_lists_those_there_are():
    with pytest.raises(UsageError, match="facebook-opt-125m, openai-whisper-large-v3"):
        find_disk(parse_models_yaml(GOOD), "opt-125m")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://huggingface.co/facebook/opt-125m", "facebook-opt-125m"),
        ("https://huggingface.co/boboliu/Qwen3-Embedding-4B-W4A16-G128.git", "boboliu-qwen3-embedding-4b-w4a16-g128"),
        ("https://huggingface.co/moonshotai/Kimi-K2.6", "moonshotai-kimi-k2-6"),
        ("https://host:8/a__b--c.d", "a-b-c-d"),
    ],
)
def test_normalized_names(source, name):
    assert normalized_name(source) == name


@pytest.mark.parametrize(
    "changes",
    [
        {"hash_offset": 753115136},  # a string in the side-car
        {"hash_offset": "753115137"},
        {"hash_offset": "0"},
        {"hash_offset": "0753115136"},
        {"hash_offset": "-4096"},
        {"hash_offset": "9" * 30},
        {"hash_offset": "4096\n"},
        {"root_hash": "ab"},
        {"root_hash": OPT_125M["root_hash"].upper()},
        {"file_hash_sha256": None},
        {"commit_hash": "main"},
        {"model_source": "http://huggingface.co/facebook/opt-125m"},
        {"model_source": "https://huggingface.co/other/model"},  # the id belongs to another model
        {"erofs_version": ""},
        {"veritysetup_version": "2.8.4 "},
        {"excluded_files": ["a"]},
        {"excluded_files": "x" * 9000},
        {"extra": "field"},
    ],
)
def test_each_odd_field_is_refused_and_the_entry_named(changes):
    with pytest.raises(FormatError, match=r"models.yaml: facebook-opt-125m"):
        parse_models_yaml(config_map(facebook_opt_125m={**OPT_125M, **changes}))


@pytest.mark.parametrize("field", OPT_125M)
def test_each_field_is_needed(field):
    fields = {name: value for name, value in OPT_125M.items() if name != field}
    with pytest.raises(FormatError, match=f"{field}: .*missing"):
        parse_published_disk(json.dumps(fields).encode(), "side-car")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"- a",
        b"kind: ConfigMap",
        b"kind: ConfigMap\ndata: {}",
        b"kind: ConfigMap\ndata: [a]",
        b"kind: Secret\ndata: {a: b}",
        b"kind: ConfigMap\ndata: {a: [b]}",
        b"kind: ConfigMap\ndata: {a: '{}'}",
        b"kind: ConfigMap\ndata: &x {a: *x}",
        b"kind: ConfigMap\nkind: ConfigMap\ndata: {a: b}",
        b"kind: ConfigMap\n---\nkind: ConfigMap",
        b"? [a]\n: b",
        b"[" * 5000,
        b'"\\U00110000"',
        b"a" * 600_000,
        HEAD.encode() + b"  facebook-opt-125m: x\n  facebook-opt-125m: x\n",
    ],
)
def test_other_documents_are_refused(data):
    with pytest.raises(FormatError):
        parse_models_yaml(data)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_only_known_errors_leave_the_parser(position, replacement, length):
    for data in (GOOD[:position] + replacement + GOOD[position + length :], GOOD[:position], replacement):
        try:
            disks = parse_models_yaml(data)
        except ProvenanceError:
            continue
        assert all(disk.hash_offset % 4096 == 0 for disk in disks.values())
