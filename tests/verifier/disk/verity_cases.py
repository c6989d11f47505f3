"""Cases for dm-verity: parameters, and numbers of blocks at which the number of levels changes."""

from __future__ import annotations

SALTS = ("", "00", "0cfd0d8eafe96c10db5ec4ac930c38ac372cc50144a20975feec5d2a6ee9641d", "5a" * 256)
BLOCK_PAIRS = ((4096, 4096), (512, 512), (1024, 4096), (4096, 1024), (65536, 4096), (4096, 65536))
COUNTS = (1, 2, 127, 128, 129, 300)


def _cases():
    for number, algorithm in enumerate(("sha1", "sha256", "sha384", "sha512")):
        for hash_format in (0, 1):
            for index, pair in enumerate(BLOCK_PAIRS):
                for step, count in enumerate(COUNTS):
                    # Combine every pair with every count; the salts take turns.
                    yield (algorithm, hash_format, *pair, SALTS[(number + index + step) % len(SALTS)], count)
    for salt in SALTS:
        yield ("sha256", 1, 4096, 4096, salt, 16384)
        yield ("sha256", 1, 4096, 4096, salt, 16385)
    yield ("sha256", 1, 512, 512, "00", 20000)


CASES = tuple(case for case in _cases() if case[2] * case[5] <= 70_000_000)


def data_of(blocks: int, block_bytes: int) -> bytes:
    """Return data whose blocks all differ: each block repeats its own number."""
    return b"".join(number.to_bytes(8, "little") * (block_bytes // 8) for number in range(blocks))
