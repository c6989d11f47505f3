"""The digest `provenance-dataset-v1` of samples in any order, from any number of workers.

    element    SHAKE256 (FIPS 202), 2048 bytes, of the fs-verity digest of the sample's bytes (see `samples`)
    sum        the sum of all elements as vectors of 1024 lanes, each a 16-bit little-endian integer modulo 2^16
    digest     SHA-256 of the line `provenance-dataset-v1`, a line with the number of samples in decimal, and the sum

The sum is LtHash16 with 1024 lanes (Lewi, Kim, Maykov, Weis: "Securing Update Propagation with Homomorphic Hashing",
2019). With far fewer lanes it is easy to find two sets of samples with the same sum. An element added 2^16 times would
cancel out, so each sample has its own index as part of its bytes, and no index is accepted twice.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable
from functools import cache
from typing import SupportsIndex

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.samples import encode_sample, split_batch
from provenance_oracle.verifier.digest.tree.blocks import BlockHash, PythonBlocks
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES, descriptor_digest
from provenance_oracle.verifier.digest.tree.merkle import hash_nodes
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.errors import UsageError, VerificationError

DATASET_FORMAT = "provenance-dataset-v1"
LANES = 1024
SUM_BYTES = 2 * LANES
INDEX_MAX = 2**63 - 1

# The top bit of every lane, and the other bits. Without the top bits an addition never carries into the next lane.
_TOP_BITS = int.from_bytes(b"\x00\x80" * LANES, "little")
_LOWER_BITS = int.from_bytes(b"\xff\x7f" * LANES, "little")
_PAGE_BITS = 512
# The compiled part hashes many blocks side by side; with fewer bytes than this, hashlib is faster.
_FEW_BYTES = 16 * BLOCK_BYTES
_FEW_BLOCKS = PythonBlocks()


class DatasetHasher:
    """Computes the digest of a data set from samples in any order. Hashers can be pickled and combined.

    Give each worker a hasher of its own and `combine` them at the end. The hasher remembers the indexes it has taken,
    at about half a byte each in a dense range. So it refuses a second sample with the same index at once, and also when
    hashers are combined.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._count = 0
        self._seen: dict[int, int] = {}  # page -> one bit for each of its indexes

    @property
    def count(self) -> int:
        """The number of samples taken so far."""
        return self._count

    def update(self, index: SupportsIndex, sample: object, label: object = None) -> None:
        """Take one sample.

        Args:
            index: the sample's place in the data set (not in a batch), 0 to 2^63 - 1.
            sample: torch tensors (on any device), NumPy arrays, text, bytes, numbers, None; or lists, tuples and
                mappings of them.
            label: label and metadata, of the same kinds.

        Raises:
            UsageError: the index was taken before, or a value has another type. The hasher is unchanged then.
        """
        place = _parse_index(index)
        element = _element(encode_sample(place, sample, label, format_name=DATASET_FORMAT.encode()))
        page, bit = divmod(place, _PAGE_BITS)
        self._mark(page, 1 << bit)
        self._sum = _add(self._sum, element)
        self._count += 1

    def update_batch(self, indexes: Iterable[SupportsIndex], samples: object, labels: object = None) -> None:
        """Take a batch as a data loader collates it. The digest is the same as for its samples one by one.

        Args:
            indexes: the samples' indexes, in order; also a tensor or array of one dimension.
            samples, labels: arrays with one row for each sample, lists of texts, or mappings of them.

        Raises:
            UsageError: see `update`; or the batch cannot be split into samples. A part of it may have been taken then.
        """
        places = [_parse_index(index) for index in _listed(indexes)]
        rows = split_batch(samples, len(places), "samples")
        for place, sample, label in zip(places, rows, split_batch(labels, len(places), "labels"), strict=True):
            self.update(place, sample, label)

    def combine(self, other: DatasetHasher) -> None:
        """Take all samples that another hasher has taken. The other hasher does not change.

        Raises:
            UsageError: both have taken a sample with the same index. This hasher is unchanged then.
        """
        for page, bits in other._seen.items():
            self._refuse_taken(page, bits)
        for page, bits in other._seen.items():
            self._mark(page, bits)
        self._sum = _add(self._sum, other._sum)
        self._count += other._count

    def digest(self) -> bytes:
        """Return the digest (32 bytes) of the samples taken so far. You can add more samples after that.

        Raises:
            UsageError: no sample was taken.
        """
        if not self._count:
            raise UsageError("no sample was taken", where="data set", got="nothing", wanted="one sample or more")
        lines = f"{DATASET_FORMAT}\n{self._count}\n".encode()
        return hashlib.sha256(lines + self._sum.to_bytes(SUM_BYTES, "little")).digest()

    def match(self, wanted: bytes) -> None:
        """Compare the digest with a recorded one (32 bytes), such as `provenance_dataset_v1` of a manifest's data set.

        Raises:
            VerificationError: the digests differ (check `lineage`). UsageError: no sample was taken.
        """
        found = self.digest()
        if found != wanted:
            raise VerificationError(
                f"{DATASET_FORMAT} of {self._count} samples differs",
                check=Check.LINEAGE,
                where="data set",
                got=found.hex(),
                wanted=wanted.hex(),
            )

    def _mark(self, page: int, bits: int) -> None:
        self._refuse_taken(page, bits)
        self._seen[page] = self._seen.get(page, 0) | bits

    def _refuse_taken(self, page: int, bits: int) -> None:
        taken = self._seen.get(page, 0) & bits
        if taken:
            index = page * _PAGE_BITS + (taken & -taken).bit_length() - 1
            wanted = "every sample once; a sampler that pads the last batch of each worker repeats some"
            problem = "two samples have the same index"
            raise UsageError(problem, where="data set", got=f"index {index} twice", wanted=wanted)


def _listed(indexes: Iterable[SupportsIndex]) -> list[SupportsIndex]:
    try:
        return list(indexes)
    except TypeError as error:
        problem = "the indexes of the batch cannot be listed"
        raise UsageError(problem, where="indexes", got=str(error), wanted="integers") from error


def _parse_index(index: SupportsIndex) -> int:
    try:
        place = operator.index(index)
    except (TypeError, ValueError, RuntimeError) as error:  # the last is torch's, for a tensor that is no integer
        raise UsageError("the sample index is not valid", where="index", got=str(error), wanted="an integer") from error
    if isinstance(index, bool) or not 0 <= place <= INDEX_MAX:
        raise UsageError(
            "the sample index is not valid", where="index", got=str(index)[:40], wanted=f"0 to {INDEX_MAX}"
        )
    return place


def _element(data: bytes) -> int:
    """Return the vector of a sample's bytes as one integer of 1024 lanes of 16 bits."""
    level, is_root = data, False
    while not is_root:
        blocks = _block_hash() if len(level) > _FEW_BYTES else _FEW_BLOCKS
        level = hash_nodes(blocks, level)
        is_root = len(level) == DIGEST_BYTES
    stretched = hashlib.shake_256(descriptor_digest(len(data), level)).digest(SUM_BYTES)
    return int.from_bytes(stretched, "little")


def _add(one: int, other: int) -> int:
    """Add two vectors lane by lane, modulo 2^16."""
    return ((one & _LOWER_BITS) + (other & _LOWER_BITS)) ^ ((one ^ other) & _TOP_BITS)


@cache
def _block_hash() -> BlockHash:
    return load_native() or PythonBlocks()
