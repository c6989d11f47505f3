"""Make the recorded values in golden/ with real tools. This is not a test; run it by hand when the trees change:

    python tests/verifier/disk/make_golden.py MKFS_1_9_1 MKFS_1_9 MKFS_1_5 VERITYSETUP

with paths to mkfs.erofs of the erofs-utils releases 1.9.1 (or 1.8.6 to 1.9.4, but 1.9), 1.9 and 1.5, and to
veritysetup.
The project's own code computes no value here: it generates trees and data, and the tools compute the values.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import random_trees
from verity_cases import CASES, data_of

ZERO = "00000000-0000-0000-0000-000000000000"
TREES = 400


def root_of_image(veritysetup: str, image: Path) -> str:
    command = [
        veritysetup,
        "format",
        f"--uuid={ZERO}",
        "--salt=00",
        f"--hash-offset={image.stat().st_size}",
        image,
        image,
    ]
    return _root(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _root(text: str) -> str:
    return next(line.split()[-1] for line in text.splitlines() if line.startswith("Root hash:"))


def tree_row(tools: list[str], veritysetup: str, seed: int) -> list[object]:
    with tempfile.TemporaryDirectory() as folder:
        random_trees.write_tree(random_trees.tree_of(seed), Path(folder, "tree"))
        results: list[object] = []
        for tool in tools:
            image = Path(folder, "image")
            command = [tool, "-T0", "-x-1", "--all-root", f"-U{ZERO}", image, Path(folder, "tree")]
            subprocess.run(command, check=True, capture_output=True, env={})
            results += [image.stat().st_size, root_of_image(veritysetup, image)]
            image.unlink()
        return [seed, *results]


def verity_row(veritysetup: str, number: int) -> list[object]:
    algorithm, hash_format, data_block, hash_block, salt, blocks = CASES[number]
    with tempfile.TemporaryDirectory() as folder:
        data, area = Path(folder, "data"), Path(folder, "area")
        data.write_bytes(data_of(blocks, data_block))
        command = [
            veritysetup, "format", f"--hash={algorithm}", f"--format={hash_format}", f"--data-block-size={data_block}",
            f"--hash-block-size={hash_block}", f"--salt={salt or '-'}", f"--uuid={ZERO}", data, area,
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        # With one data block, the bytes after the superblock are padding of no fixed length.
        area_bytes = area.read_bytes() if blocks > 1 else area.read_bytes()[:512]
        return [number, _root(output), sha256(area_bytes).hexdigest()]


def write(name: str, about: str, columns: list[str], rows: list[list[object]]) -> None:
    lines = ",\n".join(json.dumps(row) for row in rows)
    head = f'{{"about": {json.dumps(about)},\n"columns": {json.dumps(columns)},\n"rows": [\n'
    (Path(__file__).parent / "golden" / name).write_text(f"{head}{lines}\n]}}\n")


def main(current: str, release_1_9: str, release_1_5: str, veritysetup: str) -> None:
    write(
        "erofs.json",
        "Roots that mkfs.erofs and veritysetup gave for the trees of random_trees.py; see make_golden.py.",
        ["seed", "hash_offset_1_9_1", "root_1_9_1", "hash_offset_1_9", "root_1_9", "hash_offset_1_5", "root_1_5"],
        [tree_row([current, release_1_9, release_1_5], veritysetup, seed) for seed in range(TREES)],
    )
    write(
        "verity.json",
        "Roots that veritysetup 2.6.1 gave for the data of verity_cases.py; see make_golden.py.",
        ["case", "root", "hash_area_sha256"],
        [verity_row(veritysetup, number) for number in range(len(CASES))],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
