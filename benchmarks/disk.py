"""The time for a model disk's identity, compared with the three tools that publishers run. Part of `make bench`.

The tools write a disk as large as the model; this project writes nothing. Both have the same result if mkfs.erofs is
1.8.6 or newer; its version does not matter for the time. Nothing is asserted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from provenance_oracle.verifier.digest.tree.blocks import BlockHash, PythonBlocks
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, plan_disk

MODEL_BYTES = 512 * 1024 * 1024
ROUNDS = 3
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="provenance-bench-") as root:
        model = make_model(Path(root, "model"))
        seconds = {"root, python": best(lambda: ours(model, PythonBlocks(), file_hash=False))}
        native = load_native()
        if native:
            seconds["root, compiled"] = best(lambda: ours(model, native, file_hash=False))
            seconds["root and file hash, compiled"] = best(lambda: ours(model, native, file_hash=True))
        if all(shutil.which(name, path=PATH) for name in ("mkfs.erofs", "veritysetup", "sha256sum")):
            seconds["mkfs.erofs + veritysetup + sha256sum"] = best(lambda: the_tools(model, Path(root, "disk")))
    print(f"\n{'a model disk of ' + str(MODEL_BYTES // 2**20) + ' MiB, warm':<46}{'seconds':>9}{'ratio':>8}")
    tools = seconds.get("mkfs.erofs + veritysetup + sha256sum")
    for name, taken in sorted(seconds.items(), key=lambda row: row[1]):
        print(f"{name:<46}{taken:>9.3f}{f'{tools / taken:8.2f}' if tools else ''}")
    print(f"{'root, to the three tools: goal':<46}{'':>9}{'4':>8}" if tools else "the three tools are not installed")


def make_model(folder: Path) -> Path:
    folder.mkdir()
    for number in range(2):
        with (folder / f"model-{number}.safetensors").open("wb") as file:
            for _ in range(MODEL_BYTES // 2**21):
                file.write(os.urandom(2**20))
    (folder / "config.json").write_text("{}\n")
    return folder


def ours(model: Path, blocks: BlockHash, *, file_hash: bool) -> None:
    digest_disk(plan_disk(model, PRIVATEMODE), file_hash=file_hash, hash_leaves=blocks.hash_blocks)


def the_tools(model: Path, disk: Path) -> None:
    disk.unlink(missing_ok=True)
    zero = "00000000-0000-0000-0000-000000000000"
    run("mkfs.erofs", "-T0", "-x-1", "--all-root", f"-U{zero}", str(disk), str(model))
    offset = f"--hash-offset={disk.stat().st_size}"
    run("veritysetup", "format", f"--uuid={zero}", "--salt=00", offset, str(disk), str(disk))
    run("sha256sum", str(disk))


def run(*command: str) -> None:
    subprocess.run(command, env={**os.environ, "PATH": PATH}, capture_output=True, check=True)


def best(call: Callable[[], None]) -> float:
    """Return the seconds of the best round, which other load on the machine disturbs least."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    main()
