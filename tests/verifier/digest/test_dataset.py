"""The digest of a data set: a slow, independent reference, golden values, and changes that must or must not matter."""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import random
import struct
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.dataset import LANES, SUM_BYTES, DatasetHasher
from provenance_oracle.verifier.errors import UsageError, VerificationError
from tests.verifier.digest.tree.test_fsverity import naive

Sample = tuple[int, object, object]

# Values without NumPy or torch, so that they are checked wherever the tests run.
SAMPLES: list[Sample] = [
    (0, "text", 1),
    (1, b"bytes", None),
    (2, {"b": [1, 2.5, True], "a": "ä"}, "label"),
    (2**63 - 1, ["", b"", {}, [], None, -1], {"source": "page"}),
    (7, "x" * 600_000, 0),
]
GOLDEN = {
    1: "5cd7d4ac7e1dd17c8363a44610ba8842728caed41e68ba9a1b0073c333d64e40",
    2: "c4843fe3a98644c4a5c97d5fc50bc97dc25e1a16fe912a810a10687744fc253c",
    5: "278f161c6dbb13affb776eb6f3cc5fd9bdaa53c8ed1aed3b6a11a467dd0ffc79",
}


# The reference: sums of Python integers, lane by lane; a recursive encoder that joins text, not a stream of parts.


def encode(value: Any) -> bytes:
    def sized(data: bytes) -> bytes:
        return struct.pack("<Q", len(data)) + data

    if value is None:
        return b"n"
    if type(value) is str:
        return b"t" + sized(value.encode())
    if type(value) is bytes:
        return b"b" + sized(value)
    if type(value) in (list, tuple):
        return b"l" + struct.pack("<Q", len(value)) + b"".join(map(encode, value))
    if type(value) is dict:
        members = sorted((key.encode(), encode(key) + encode(item)) for key, item in value.items())
        return b"d" + struct.pack("<Q", len(members)) + b"".join(member for _, member in members)
    if type(value) is bool:
        return array("BOOL", (), bytes([value]))
    if type(value) is int:
        return array("I64", (), value.to_bytes(8, "little", signed=True))
    if type(value) is float:
        return array("F64", (), struct.pack("<d", value))
    raise AssertionError(type(value))


def array(dtype: str, shape: tuple[int, ...], data: bytes) -> bytes:
    sizes = b"".join(size.to_bytes(8, "little") for size in (len(shape), *shape, len(data)))
    return b"a" + encode(dtype) + sizes + data


def reference(encoded: list[tuple[int, bytes]]) -> bytes:
    """Return the digest by the reference. `encoded` has pairs (index, encoded sample and label)."""
    lanes = [0] * 1024
    for index, data in encoded:
        message = b"provenance-dataset-v1\0" + index.to_bytes(8, "little") + data
        element = hashlib.shake_256(naive(message)).digest(2048)
        for lane in range(1024):
            lanes[lane] = (lanes[lane] + element[2 * lane] + 256 * element[2 * lane + 1]) % 65536
    whole = b"".join(lane.to_bytes(2, "little") for lane in lanes)
    return hashlib.sha256(b"provenance-dataset-v1\n" + str(len(encoded)).encode() + b"\n" + whole).digest()


def reference_of(samples: list[Sample]) -> bytes:
    return reference([(index, encode(sample) + encode(label)) for index, sample, label in samples])


def hasher_of(samples: list[Sample]) -> DatasetHasher:
    hasher = DatasetHasher()
    for index, sample, label in samples:
        hasher.update(index, sample, label)
    return hasher


def digest_of(*samples: Sample) -> bytes:
    return hasher_of(list(samples)).digest()


# The definition of the digest


@pytest.mark.parametrize("count", GOLDEN)
def test_golden_values(count: int) -> None:
    assert digest_of(*SAMPLES[:count]).hex() == GOLDEN[count]
    assert reference_of(SAMPLES[:count]).hex() == GOLDEN[count]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=6))
def test_equals_the_reference(pairs: list[tuple[object, object]]) -> None:
    samples = [(index, *pair) for index, pair in enumerate(pairs)]
    assert digest_of(*samples) == reference_of(samples)


@pytest.mark.parametrize("size", [0, 4000, 4096, 65_400, 65_536, 70_000, 524_288, 600_000])
def test_equals_the_reference_for_samples_of_every_size(size: int) -> None:
    sample = random.Random(size).randbytes(size)
    assert digest_of((3, sample, None)) == reference_of([(3, sample, None)])


def test_lanes_wrap_around_without_a_carry() -> None:
    """With this many samples every lane overflows many times."""
    samples = [(index, None, None) for index in range(300)]
    assert digest_of(*samples) == reference_of(samples)


def test_the_sum_is_long_enough_to_be_safe() -> None:
    """Plain lattice reduction breaks 32 lanes of 16 bits; this project has no sum shorter than 1024 lanes."""
    assert (LANES, SUM_BYTES) == (1024, 2048)


# Changes that must not matter


@pytest.fixture
def samples() -> list[Sample]:
    """More than a thousand samples of mixed sizes."""
    source = random.Random(5)
    return [(index, source.randbytes(source.choice([0, 1, 100, 5000])), index % 10) for index in range(1100)]


def test_order_and_number_of_workers_do_not_matter(samples: list[Sample]) -> None:
    wanted = hasher_of(samples).digest()
    random.Random(1).shuffle(samples)
    assert hasher_of(samples).digest() == wanted
    for workers in (1, 2, 7):
        parts = [hasher_of(samples[worker::workers]) for worker in range(workers)]
        whole = DatasetHasher()
        for part in reversed(parts):
            whole.combine(part)
        assert (whole.digest(), whole.count) == (wanted, len(samples))


def test_workers_in_other_processes(samples: list[Sample]) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(hasher_of, [samples[::2], samples[1::2]]))
    whole = DatasetHasher()
    for part in parts:
        whole.combine(part)
    assert whole.digest() == hasher_of(samples).digest()


def test_a_copy_goes_on_by_itself() -> None:
    one = hasher_of(SAMPLES[:1])
    other = pickle.loads(pickle.dumps(one))
    other.update(*SAMPLES[1])
    assert other.digest() == digest_of(*SAMPLES[:2])
    assert one.digest() == digest_of(*SAMPLES[:1])


def test_what_was_combined_stays_as_it_is() -> None:
    one, other = hasher_of(SAMPLES[:1]), hasher_of(SAMPLES[1:2])
    one.combine(other)
    assert other.digest() == digest_of(SAMPLES[1])


def test_a_digest_in_between_changes_nothing() -> None:
    hasher = hasher_of(SAMPLES[:1])
    hasher.digest()
    hasher.update(*SAMPLES[1])
    assert hasher.digest() == digest_of(*SAMPLES[:2])


# Changes that must matter


def test_everything_about_a_sample_counts() -> None:
    base: Sample = (3, {"x": "ab", "y": [1, 2]}, 1)
    others: list[Sample] = [
        base,
        (4, *base[1:]),
        (3, base[1], 2),
        (3, base[1], None),
        (3, base[1], "1"),
        (3, base[1], True),
        (3, base[1], 1.0),
        (3, base[1], [1]),
        (3, {"x": "ab", "z": [1, 2]}, 1),
        (3, {"x": "ab", "y": [2, 1]}, 1),
        (3, {"x": "ab", "y": [[1, 2]]}, 1),
        (3, {"x": "abc", "y": [1, 2]}, 1),
        (3, {"x": b"ab", "y": [1, 2]}, 1),
        (3, {"x": "a", "y": ["b", 1, 2]}, 1),
        (3, [base[1], 1], None),
        (3, None, [base[1], 1]),
        (3, "", ""),
        (3, None, None),
        (3, "ab", "c"),
        (3, "a", "bc"),
    ]
    digests = {digest_of(other) for other in others} | {digest_of(base, (4, None, None))}
    assert len(digests) == len(others) + 1


def test_labels_cannot_be_swapped_between_samples() -> None:
    assert digest_of((0, "a", 0), (1, "b", 1)) != digest_of((0, "a", 1), (1, "b", 0))


def test_one_bit_anywhere_counts() -> None:
    sample = bytearray(random.Random(2).randbytes(9000))
    seen = {digest_of((0, bytes(sample), None))}
    for place in (0, 4000, 4095, 4096, 8999):
        sample[place] ^= 1
        seen.add(digest_of((0, bytes(sample), None)))
        sample[place] ^= 1
    assert len(seen) == 6


def test_a_sample_that_looks_like_a_node_is_not_one() -> None:
    """A sample that consists of the digests of another sample's blocks has another digest."""
    sample = random.Random(3).randbytes(8192)
    leaves = b"".join(hashlib.sha256(sample[start : start + 4096]).digest() for start in (0, 4096))
    assert digest_of((0, sample, None)) != digest_of((0, leaves, None))


# A sample twice, and other misuse


def test_a_sample_is_taken_once() -> None:
    hasher = hasher_of(SAMPLES)
    wanted = hasher.digest()
    for again in (SAMPLES[3], (SAMPLES[3][0], "another", None)):
        with pytest.raises(UsageError, match=f"index {2**63 - 1} twice"):
            hasher.update(*again)
    assert (hasher.digest(), hasher.count) == (wanted, len(SAMPLES))


def test_workers_that_took_one_sample_both_cannot_be_combined() -> None:
    one, other = hasher_of([(n, None, None) for n in range(600)]), hasher_of([(n, None, None) for n in range(599, 900)])
    wanted = one.digest()
    with pytest.raises(UsageError, match="index 599 twice"):
        one.combine(other)
    with pytest.raises(UsageError, match="index 0 twice"):
        one.combine(one)
    assert (one.digest(), one.count) == (wanted, 600)


@settings(max_examples=50)
@given(st.sets(st.integers(0, 2**63 - 1) | st.integers(0, 2000)), st.sets(st.integers(0, 2000)))
def test_exactly_the_indexes_that_were_taken_are_refused(one: set[int], other: set[int]) -> None:
    first = hasher_of([(index, None, None) for index in one])
    second = hasher_of([(index, None, None) for index in other])
    if one & other:
        with pytest.raises(UsageError, match=f"index {min(one & other)} twice"):
            first.combine(second)
    else:
        first.combine(second)
        assert first.count == len(one) + len(other)


def test_what_is_kept_of_a_dense_range_is_small() -> None:
    hasher = hasher_of([(index, None, None) for index in range(20_000)])
    assert len(pickle.dumps(hasher)) < 2500 + 20_000 // 4


def test_no_samples_have_no_digest() -> None:
    with pytest.raises(UsageError, match="no sample was taken"):
        DatasetHasher().digest()
    with pytest.raises(UsageError, match="no sample was taken"):
        DatasetHasher().match(bytes(32))


def test_a_recorded_digest_is_matched_or_refused() -> None:
    hasher = hasher_of(SAMPLES)
    hasher.match(reference_of(SAMPLES))
    with pytest.raises(VerificationError) as caught:
        hasher.match(reference_of(SAMPLES[:-1]))
    assert caught.value.check is Check.LINEAGE


@pytest.mark.parametrize("index", [-1, 2**63, True, 1.0, "1", None])
def test_an_index_is_a_place_in_the_data_set(index: Any) -> None:
    with pytest.raises(UsageError, match="the sample index is not valid"):
        DatasetHasher().update(index, None)


STRANGE: dict[str, Callable[[], object]] = {
    "an object": object,
    "a set": lambda: {1},
    "a generator": lambda: iter([1]),
    "a key that is no text": lambda: {1: 2},
    "a lone surrogate": lambda: "\ud800",
    "a large integer": lambda: 2**63,
    "nested too deep": lambda: nested(34),
}


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else None


def test_nesting_has_a_limit_that_nobody_meets() -> None:
    assert digest_of((0, nested(32), None)) == reference_of([(0, nested(32), None)])


@pytest.mark.parametrize("kind", STRANGE)
def test_other_values_are_refused_and_not_taken(kind: str) -> None:
    hasher = DatasetHasher()
    with pytest.raises(UsageError):
        hasher.update(0, STRANGE[kind]())
    with pytest.raises(UsageError):
        hasher.update(0, None, {"meta": [STRANGE[kind]()]})
    assert hasher.count == 0
    hasher.update(0, None)


def test_keys_of_one_text_are_refused() -> None:
    class Apart(str):
        __slots__ = ()
        __hash__ = object.__hash__

        def __eq__(self, other: object) -> bool:
            return self is other

    with pytest.raises(UsageError, match="two keys of one text"):
        DatasetHasher().update(0, {Apart("a"): 1, Apart("a"): 2})
