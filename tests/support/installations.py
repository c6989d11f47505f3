"""Fresh environments of every Python on this machine, with the dependencies of the base and nothing else."""

from __future__ import annotations

import atexit
import functools
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pip
from packaging.requirements import Requirement

_OLDEST_MINOR = 11
_THIS_MINOR = f"3.{sys.version_info.minor}"
_PIP = Path(pip.__file__).parent  # a folder that any Python can run
_PROGRAM = re.compile(r"python3\.(\d+)")
# Variables that change imports or the place of installations; the last one makes Python compile all modules each time.
_LEAKS = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONDONTWRITEBYTECODE")


@functools.cache
def find_pythons() -> dict[str, Path]:
    """Return one Python for each minor version from 3.11 on that this machine has, by `3.N`."""
    folders = [*Path.home().glob(".pyenv/versions/*/bin"), Path("/usr/bin"), Path("/usr/local/bin")]
    folders += [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    found = {_THIS_MINOR: Path(getattr(sys, "_base_executable", sys.executable))}
    for program in (program for folder in folders for program in sorted(folder.glob("python3.*"))):
        match = _PROGRAM.fullmatch(program.name)
        minor = f"3.{match[1]}" if match else ""
        if match and int(match[1]) >= _OLDEST_MINOR and minor not in found and _runs(program):
            found[minor] = program
    return dict(sorted(found.items()))


def _runs(program: Path) -> bool:
    """Tell whether the program is a Python; a shim of pyenv is not if its version is switched off."""
    return subprocess.run([program, "-I", "-c", "import venv"], capture_output=True, check=False).returncode == 0


class Installation:
    """A virtual environment without pip; this Python's pip installs into it, and never from an index."""

    def __init__(self, folder: Path, python: Path, dependencies: Path) -> None:
        self.folder = folder
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, env=_environment())
        [packages] = folder.glob("lib/python3.*/site-packages")
        (packages / "dependencies.pth").write_text(f"{dependencies}\n")

    def install(self, wheel: Path) -> None:
        self._pip("install", "--no-index", "--no-deps", "--no-compile", str(wheel))

    def uninstall(self, name: str) -> None:
        self._pip("uninstall", "--yes", name)

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the environment in its folder and return its standard output; its exit code has to be 0."""
        command = [self.folder / "bin" / program, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def _pip(self, *arguments: str) -> None:
        subprocess.run([self.folder / "bin" / "python", _PIP, "--quiet", *arguments], check=True, env=_environment())


@functools.cache
def _bytecode() -> str:
    """Return a folder for compiled modules, so that pip's are compiled once and not beside their sources."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return folder.name


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _LEAKS}
    return {**kept, "PYTHONPYCACHEPREFIX": _bytecode()}


def gather_dependencies(folder: Path, minor: str, requirements: Sequence[str], locked: Path) -> None:
    """Fill a folder with dependencies: for this Python those that are installed, for others those that pip finds.

    Args:
        requirements: the requirements of the base distribution.
        locked: the requirements file that pip installs from.

    Raises:
        LookupError: pip cannot get them, most likely because there is no network.
    """
    folder.mkdir()
    if minor == _THIS_MINOR:
        _link_installed(folder, requirements, set())
        return
    options = ["--no-compile", "--only-binary", ":all:", "--require-hashes", "--requirement", locked]
    command = [find_pythons()[minor], _PIP, "--quiet", "install", "--target", folder, *options]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"pip cannot get the dependencies for Python {minor}: {done.stderr}")


def _link_installed(folder: Path, requirements: Sequence[str], done: set[str]) -> None:
    for requirement in map(Requirement, requirements):
        if requirement.name in done or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        done.add(requirement.name)
        installed = distribution(requirement.name)
        for top in _tops(installed):
            (folder / top.name).symlink_to(top)
        _link_installed(folder, installed.requires or (), done)


def _tops(installed: Distribution) -> set[Path]:
    """Return the files and folders of a distribution that lie right in site-packages."""
    names = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
    return {Path(str(installed.locate_file(name))) for name in names}


def make_wheel(folder: Path, name: str, packages: tuple[str, ...]) -> Path:
    """Write a wheel of version 1.0.0 with these top-level packages, each of which only names the wheel."""
    information = f"{name}-1.0.0.dist-info"
    files = {f"{package}/__init__.py": f'CAME_WITH = "{name}"\n' for package in packages}
    files[f"{information}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n"
    files[f"{information}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = f"{information}/RECORD"
    files[record] = "".join(f"{path},,\n" for path in [*files, record])
    wheel = folder / f"{name}-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
