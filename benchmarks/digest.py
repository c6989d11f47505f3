"""Hashing speed compared with stock tools, on the same files, in the page cache. Part of `make bench`; asserts nothing.

Every contender runs once in every round, so that a busy moment of the machine affects all of them. The best round of
each counts. Tools that are not installed are omitted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from provenance_oracle.verifier.digest.tree.blocks import BlockHash
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.digest.tree.processes import ProcessBlocks
from provenance_oracle.verifier.strict.files import OpenFile

FILE_BYTES = 256 * 1024 * 1024
ROUNDS = 7
THREADS = 2
TOOLS = {
    "fsverity digest": ["fsverity", "digest"],
    "veritysetup format": ["veritysetup", "format", "--salt=-", "--no-superblock", "{file}", "{hash}"],
    "sha256sum": ["sha256sum"],
    "openssl dgst -sha256": ["openssl", "dgst", "-sha256"],
    "b3sum": ["b3sum"],
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="provenance-bench-") as folder:
        path = Path(folder) / "weights.bin"
        with path.open("wb") as file:
            for _ in range(FILE_BYTES // 2**20):
                file.write(os.urandom(2**20))
        native = load_native()
        seconds = best_of({**ours(path, native), **tools(path), **model_signing(path)})
    print(f"\n{'one file of ' + str(FILE_BYTES // 2**20) + ' MiB, warm':<46}{'seconds':>9}{'GB/s':>8}")
    for name, taken in sorted(seconds.items(), key=lambda row: row[1]):
        print(f"{name:<46}{taken:>9.3f}{FILE_BYTES / taken / 1e9:>8.2f}")
    print(f"\n{'compiled part: ' + (native.path_name if native else 'none'):<46}{'ratio':>9}{'goal':>14}")
    for name, ratio, goal in ratios(seconds):
        print(f"{name:<46}{ratio:>9.2f}{goal:>14}")


def ours(path: Path, native: BlockHash | None) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {"SHA-256 alone, hashlib": partial(sha256_alone, path)}
    ways = {"python": ProcessBlocks(THREADS - 1)} | ({"compiled": native} if native else {})
    for name, blocks in ways.items():
        hasher = CpuHasher(THREADS, blocks)
        found[f"fs-verity, {name}, {THREADS} threads"] = partial(digest, hasher, path, sha256=False)
        found[f"both digests, {name}, {THREADS} threads"] = partial(digest, hasher, path, sha256=True)
        found[f"{THREADS} files, both digests, {name}"] = partial(side_by_side, hasher, path)
    return found


def digest(hasher: CpuHasher, path: Path, *, sha256: bool) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        hasher(OpenFile(path.name, descriptor, path.stat().st_size), sha256=sha256, advance=lambda size: None)
    finally:
        os.close(descriptor)


def side_by_side(hasher: CpuHasher, path: Path) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(digest, hasher, sha256=True), [path] * THREADS))


def sha256_alone(path: Path) -> None:
    """Hash a file as fast as one digest alone can be: pieces of 1 MiB in one buffer."""
    whole, buffer = hashlib.sha256(), memoryview(bytearray(2**20))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            whole.update(buffer[:size])


def tools(path: Path) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    for name, arguments in TOOLS.items():
        program = shutil.which(arguments[0], path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if program is None:
            print(f"not installed: {arguments[0]}")
            continue
        given = [part.format(file=path, hash=path.with_suffix(".hash")) for part in arguments[1:]]
        command = [program, *given] if "{file}" in arguments else [program, *given, str(path)]
        found[name] = partial(subprocess.run, command, capture_output=True, check=True)
    return found


def model_signing(path: Path) -> dict[str, Callable[[], object]]:
    try:
        from model_signing import hashing
    except ImportError as error:
        print(f"not installed: model_signing ({error})")
        return {}
    return {"model_signing, hashing only": partial(hashing.hash, path.parent)}


def best_of(contenders: dict[str, Callable[[], object]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - started)
    return {name: min(times) for name, times in taken.items()}


def ratios(seconds: dict[str, float]) -> list[tuple[str, float, str]]:
    rows = []
    for name, goal in (("compiled", "at least 4"), ("python", "at least 1.3")):
        tree = seconds.get(f"fs-verity, {name}, {THREADS} threads")
        if tree is None:
            continue
        if "fsverity digest" in seconds:
            rows.append((f"fs-verity, {name}, to fsverity digest", seconds["fsverity digest"] / tree, goal))
        slower = max(tree, seconds["SHA-256 alone, hashlib"])
        both = seconds[f"both digests, {name}, {THREADS} threads"]
        rows.append((f"both, {name}, to the slower alone", both / slower, "at most 1.15"))
        side = seconds[f"{THREADS} files, both digests, {name}"]
        rows.append((f"{THREADS} files, both, {name}, to SHA-256 alone", side / seconds["SHA-256 alone, hashlib"], ""))
    return rows


if __name__ == "__main__":
    main()
