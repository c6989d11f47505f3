"""Arrays and tensors as samples, one by one and in batches as a data loader collates them."""

from __future__ import annotations

from typing import Any

import pytest

from provenance_oracle.verifier.digest.dataset import DatasetHasher
from provenance_oracle.verifier.errors import UsageError
from tests.verifier.digest.test_dataset import array, encode, reference

np = pytest.importorskip("numpy", reason="NumPy is not installed")


def digest_of(*samples: tuple[Any, ...]) -> bytes:
    hasher = DatasetHasher()
    for sample in samples:
        hasher.update(*sample)
    return hasher.digest()


def test_an_array_is_its_dtype_its_shape_and_its_bytes() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    wanted = reference([(5, array("U8", (3, 4), pixels.tobytes()) + encode(1))])
    for same in (pixels, np.asfortranarray(pixels), np.pad(pixels, 1)[1:-1, 1:-1]):
        assert digest_of((5, same, 1)) == wanted
    others = [pixels.reshape(4, 3), pixels.reshape(-1), pixels.view(np.int8), pixels.T, pixels[:2], pixels + 1]
    assert wanted not in {digest_of((5, other, 1)) for other in others}


def test_arrays_without_elements_have_shapes() -> None:
    empty = [np.empty(shape, dtype=np.float32) for shape in ((0,), (0, 3), (3, 0))]
    assert len({digest_of((0, one)) for one in empty}) == 3


@pytest.mark.parametrize(("number", "dtype"), [(3, "int64"), (2.5, "float64"), (True, "bool")])
def test_a_number_of_python_is_what_a_data_loader_makes_of_it(number: Any, dtype: str) -> None:
    assert digest_of((0, None, number)) == digest_of((0, None, np.array(number, dtype=dtype)))
    assert digest_of((0, None, number)) == digest_of((0, None, np.dtype(dtype).type(number)))


@pytest.mark.parametrize("strange", [np.array(["a"]), np.array([None]), np.ones(2, dtype="c16"), np.ma.ones(2)])
def test_other_arrays_are_refused(strange: Any) -> None:
    with pytest.raises(UsageError, match="a sample cannot hold this value"):
        DatasetHasher().update(0, strange)


def samples_of(count: int) -> list[tuple[int, Any, Any]]:
    source = np.random.default_rng(4)
    images = source.integers(0, 256, (count, 3, 5, 5), dtype=np.uint8)
    captions = [f"caption {n}" for n in range(count)]
    return [(n, {"image": images[n], "caption": captions[n]}, n % 3) for n in range(count)]


def collate(samples: list[tuple[int, Any, Any]]) -> tuple[Any, Any, Any]:
    images = np.stack([sample["image"] for _, sample, _ in samples])
    captions = [sample["caption"] for _, sample, _ in samples]
    indexes, labels = np.array([n for n, _, _ in samples]), np.array([label for *_, label in samples])
    return indexes, {"image": images, "caption": captions}, labels


@pytest.mark.parametrize("size", [1, 2, 7, 1030])
def test_the_size_of_a_batch_does_not_matter(size: int) -> None:
    samples = samples_of(1030)
    hasher = DatasetHasher()
    for start in range(0, len(samples), size):
        hasher.update_batch(*collate(samples[start : start + size]))
    assert hasher.digest() == digest_of(*samples)


def test_the_place_in_a_batch_does_not_matter() -> None:
    samples = samples_of(6)
    hasher = DatasetHasher()
    hasher.update_batch(*collate(samples[::-1]))
    assert hasher.digest() == digest_of(*samples)


def test_a_batch_may_have_no_labels_and_may_be_empty() -> None:
    hasher = DatasetHasher()
    hasher.update_batch([], np.empty((0, 3)))
    hasher.update_batch([4, 5], ["a", "b"])
    assert hasher.digest() == digest_of((4, "a"), (5, "b"))


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.ones((3, 4)), "another number of samples"),
        (np.float32(1), "another number of samples"),
        ({"x": np.ones((2, 4)), "y": np.ones((1, 4))}, "another number of samples"),
        ([np.ones(4), np.ones(4)], "the samples of the batch cannot be told apart"),
        (["a", "b", "c"], "the samples of the batch cannot be told apart"),
        ([1, 2], "the samples of the batch cannot be told apart"),
        ("ab", "a sample cannot hold this value"),
        (object(), "a sample cannot hold this value"),
    ],
)
def test_what_is_no_batch_of_two_is_refused(samples: Any, problem: str) -> None:
    hasher = DatasetHasher()
    with pytest.raises(UsageError, match=problem):
        hasher.update_batch([0, 1], samples)
    with pytest.raises(UsageError, match=problem):
        hasher.update_batch([0, 1], ["a", "b"], samples)
    assert hasher.count == 0


@pytest.mark.parametrize("indexes", [3, None, np.array(3), ["a"], [[0, 1]], np.array([0.0, 1.0])])
def test_indexes_are_a_sequence_of_integers(indexes: Any) -> None:
    with pytest.raises(UsageError):
        DatasetHasher().update_batch(indexes, ["a", "b"])


# torch


def test_tensors_are_arrays() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    tensor = torch.from_numpy(pixels)
    wanted = digest_of((0, pixels, 1))
    for same in (tensor, tensor.t().contiguous().t(), torch.nn.Parameter(tensor)):
        assert digest_of((torch.tensor(0), same, torch.tensor(1))) == wanted
    assert digest_of((0, tensor.bfloat16(), 1)) == reference(
        [(0, array("BF16", (3, 4), bytes(tensor.bfloat16().view(torch.uint8).reshape(-1).tolist())) + encode(1))]
    )
    with pytest.raises(UsageError, match="the sample index is not valid"):
        DatasetHasher().update(torch.tensor(0.5), tensor)
    with pytest.raises(UsageError, match="a sample cannot hold this value"):
        DatasetHasher().update(0, torch.empty(3, device="meta"))


class Pictures:
    """A map-style data set that returns the index with each sample."""

    def __init__(self, count: int) -> None:
        self.samples = samples_of(count)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: int) -> tuple[int, Any, Any]:
        return self.samples[place]


@pytest.mark.parametrize("batch", [1, 4, 50])
def test_what_a_data_loader_collates_has_the_digest_of_its_samples(batch: int) -> None:
    data = pytest.importorskip("torch.utils.data", reason="torch is not installed")
    hasher = DatasetHasher()
    for indexes, samples, labels in data.DataLoader(Pictures(50), batch_size=batch, shuffle=True):
        hasher.update_batch(indexes, samples, labels)
    assert hasher.digest() == digest_of(*samples_of(50))


@pytest.mark.gpu
def test_tensors_on_a_gpu() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("torch sees no NVIDIA GPU")
    pixels = np.arange(1200, dtype=np.float32).reshape(3, 400)
    hasher = DatasetHasher()
    hasher.update_batch(torch.arange(3).cuda(), torch.from_numpy(pixels).cuda())
    assert hasher.digest() == digest_of(*enumerate(pixels))
