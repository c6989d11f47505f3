"""Tests of the distributions: their contents, their page on the package index, and their use after an installation."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.digest.tree.native import build_library, load_ways
from provenance_oracle.verifier.errors import UsageError
from tests.support.installations import Installation, find_pythons, gather_dependencies, make_wheel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY: str = PROJECT["urls"]["Homepage"]
NATIVE = "provenance_oracle/verifier/digest/tree/_native.so"
EPOCH = 1_700_000_000
# The C library of manylinux2014, the oldest system that the dependencies' wheels run on.
OLDEST_GLIBC = (2, 17)
# Top-level packages with the names of our folders. PyPI's `verifier` 1.0.0 installs the first of them.
NAMESAKES = ("verifier", "publisher", "oracle")

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"""\]\(([^)\s]+)|\b(?:src|srcset|href)="([^"]+)|^\[[^]]+\]: +(\S+)""", re.MULTILINE)


@dataclass(frozen=True)
class Built:
    """The distributions of one build."""

    sdist: Path
    pure: Path
    compiled: Path


Build = Callable[[Path, Path], Built]


@pytest.fixture(scope="session")
def ways(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the names of the compiled part's ways that this processor has. Skip if there is no C compiler."""
    try:
        library = build_library(tmp_path_factory.mktemp("library") / "_native.so")
    except UsageError as error:
        pytest.skip(f"no compiled part: {error}")
    return [way.path_name for way in load_ways(library)]


@pytest.fixture(scope="session")
def build(ways: list[str]) -> Build:
    """Return a function that builds like the Makefile's target dist, with a fixed date."""
    for name in ("auditwheel", "hatch_fancy_pypi_readme", "hatchling"):
        if not importlib.util.find_spec(name):
            pytest.skip(f"{name} is not installed")
    spec = importlib.util.spec_from_file_location("dist", ROOT / "tools" / "dist.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def run(sources: Path, target: Path) -> Built:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
            pure, compiled, sdist = sorted(tool.build_distributions(sources, target))
        assert sdist.name == f"provenance_oracle-{PROJECT['version']}.tar.gz"
        assert pure.name.endswith("-py3-none-any.whl") and "-py3-none-manylinux" in compiled.name
        return Built(sdist, pure, compiled)

    return run


@pytest.fixture(scope="session")
def built(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def built_by_pip(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that pip makes from the sdist."""
    target = tmp_path_factory.mktemp("built-by-pip")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", target]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, built.sdist], check=True)
    [wheel] = target.iterdir()
    return wheel


def files_of(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel, by path, without those about the wheel itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        about_the_wheel = ("/", ".dist-info/RECORD", ".dist-info/WHEEL")
        return {name: archive.read(name) for name in names if not name.endswith(about_the_wheel)}


def files_of_sources() -> dict[str, bytes]:
    """Return the files of our packages by their path in an installation."""
    package = ROOT / "src" / "provenance_oracle"
    found = [path for path in package.iterdir() if path.is_file()]
    found += [path for folder in package.iterdir() for path in folder.resolve().rglob("*") if path.is_file()]
    found = [path for path in found if path.suffix != ".so" and "__pycache__" not in path.parts]
    tops = {path: package if path.parent == package else ROOT for path in found}
    return {f"provenance_oracle/{path.relative_to(top)}": path.read_bytes() for path, top in tops.items()}


def metadata_of(wheel: Path) -> Message:
    [text] = [data for name, data in files_of(wheel).items() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(text)


def description_of(wheel: Path) -> str:
    """Return the page that the package index shows."""
    payload = metadata_of(wheel).get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def targets(page: str) -> list[str]:
    """Return the targets of all links and images outside of code."""
    return ["".join(groups) for groups in _TARGET.findall(_FENCE.sub("", page))]


def test_the_sdist_holds_every_source_once_and_nothing_else(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() for member in members), "a link would lead out of the sdist"
    names = [member.name.partition("/")[2] for member in members]
    assert len(names) == len(set(names))
    assert {name for name in names if name.startswith("src/")} == {f"src/{name}" for name in files_of_sources()}
    others = {name.partition("/")[0] for name in names} - {"src", "docs"}
    pages = {"README.md", "CHANGELOG.md", "LIMITATIONS.md", "SECURITY.md", "LICENSE"}
    assert others == pages | {"pyproject.toml", "hatch_build.py", "PKG-INFO", ".gitignore"}
    assert built.sdist.stat().st_size < 6 * 2**18


def test_wheels_hold_the_sources_and_the_compiled_part(built: Built, built_by_pip: Path) -> None:
    pure, compiled = files_of(built.pure), files_of(built.compiled)
    assert {name: data for name, data in pure.items() if name.startswith("provenance_oracle/")} == files_of_sources()
    assert compiled.keys() - pure.keys() == {NATIVE}
    assert {name: data for name, data in compiled.items() if name != NATIVE} == pure
    assert files_of(built_by_pip) == compiled


def test_a_wheel_of_the_checkout_equals_that_of_the_sdist(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--no-hooks", "--directory", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / built.pure.name).read_bytes() == built.pure.read_bytes()


def test_a_second_build_elsewhere_gives_the_same_bytes(built: Built, build: Build, tmp_path: Path) -> None:
    """The folder, the umask and the time have no effect on the files. The second build starts from the first sdist."""
    mask = os.umask(0o077)
    try:
        with tarfile.open(built.sdist) as archive:
            archive.extractall(tmp_path / "a much longer folder", filter="data")
        [sources] = (tmp_path / "a much longer folder").iterdir()
        again = build(sources, tmp_path / "dist")
    finally:
        os.umask(mask)
    for first, second in zip(vars(built).values(), vars(again).values(), strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


def test_every_file_has_the_date_that_was_asked_for(built: Built) -> None:
    wanted = datetime.fromtimestamp(EPOCH, UTC).timetuple()[:5]
    for wheel in (built.pure, built.compiled):
        with zipfile.ZipFile(wheel) as archive:
            assert {info.date_time[:5] for info in archive.infolist()} == {wanted}
    with tarfile.open(built.sdist) as archive:
        assert {member.mtime for member in archive.getmembers()} == {EPOCH}


def test_the_compiled_part_runs_with_old_c_libraries(built: Built) -> None:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    elf = ELFFile(BytesIO(files_of(built.compiled)[NATIVE]))
    symbols = list(elf.get_section_by_name(".dynsym").iter_symbols())
    exported = {symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"}
    assert exported and all(name.startswith("provenance_") for name in exported)
    needed = [section for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection)]
    versions = [version.name for section in needed for _, found in section.iter_versions() for version in found]
    for name in versions:
        library, _, number = name.partition("_")
        assert library == "GLIBC", f"needs {name}"
        assert tuple(map(int, number.split("."))) <= OLDEST_GLIBC, f"needs {name}"


def test_the_page_of_the_package_index_has_no_relative_link(built: Built) -> None:
    page, readme = description_of(built.compiled), (ROOT / "README.md").read_text()
    assert _FENCE.findall(page) == _FENCE.findall(readme), "the page changes code"
    assert len(targets(page)) == len(targets(readme)) > 10
    for shown, written in zip(targets(page), targets(readme), strict=True):
        if re.match(r"https?://|#", written):
            assert shown == written
        else:
            assert shown in (f"{REPOSITORY}/blob/main/{written}", f"{raw_files()}{written}")
            assert (ROOT / written.partition("#")[0]).exists()


def raw_files() -> str:
    return f"{REPOSITORY.replace('github.com', 'raw.githubusercontent.com')}/main/"


def test_images_and_diagrams_survive_on_the_page(tmp_path: Path) -> None:
    """Apply the substitutions of pyproject.toml to a README with every form that a README may use."""
    pytest.importorskip("hatch_fancy_pypi_readme")
    diagram = '```mermaid\nflowchart LR\n  a[("journal")] --> b["[oracle]"]\n```\n'
    page = f"""![house](docs/house.svg) [![build](https://ci.example/badge.svg)](docs/ci.md) [up](#top)
<img src="docs/small.png" alt="small"> <a href="docs/x.md#y">x</a> [1][ref] [mail](mailto:a@b.c) [y](https://example.com/a_(b))
[ref]: docs/roles.md
{diagram}"""
    (tmp_path / "README.md").write_text(page)
    command = [sys.executable, "-m", "hatch_fancy_pypi_readme", str(ROOT / "pyproject.toml")]
    shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    pages, raw = f"{REPOSITORY}/blob/main/", raw_files()
    wanted = page.replace("](docs/house", f"]({raw}docs/house").replace('src="', f'src="{raw}')
    wanted = wanted.replace("](docs/ci", f"]({pages}docs/ci").replace('href="', f'href="{pages}')
    assert shown.rstrip() == wanted.replace("[ref]: ", f"[ref]: {pages}").rstrip()


def test_the_metadata_leads_to_the_repository_and_names_the_pythons(built: Built) -> None:
    metadata = metadata_of(built.compiled)
    urls = dict(str(line).split(", ", 1) for line in metadata.get_all("Project-URL", []))
    assert list(urls) == ["Homepage", "Documentation", "Source", "Issues", "Changelog"]
    assert all(url.startswith(REPOSITORY) for url in urls.values())
    for page in (urls["Documentation"], urls["Changelog"]):
        assert (ROOT / page.split("/main/")[1]).exists()
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    assert metadata["License-Expression"] == "Apache-2.0"


@pytest.fixture(scope="session")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that returns a folder with the dependencies for a Python. Skip if pip cannot get them."""
    folders: dict[str, Path] = {}

    def gather(minor: str) -> Path:
        if minor not in folders:
            folder = tmp_path_factory.mktemp("dependencies") / minor
            try:
                gather_dependencies(folder, minor, PROJECT["dependencies"], ROOT / "requirements" / "base.txt")
            except LookupError as error:
                pytest.skip(str(error))
            folders[minor] = folder
        return folders[minor]

    return gather


# The installed package prints its place, the state of its files, and its way to hash.
REPORT = """
import hashlib, json
from base64 import urlsafe_b64encode
from importlib.metadata import distribution
import provenance_oracle.oracle
from provenance_oracle import verify_model
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.native import LIBRARY, load_ways

def sha256(path):
    return urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")

files = [file for file in distribution("provenance-oracle").files if file.hash]
print(json.dumps({
    "places": [provenance_oracle.__file__, verify_model.__code__.co_filename, provenance_oracle.oracle.__file__],
    "changed": [str(file) for file in files if sha256(file.locate()) != file.hash.value],
    "files": len(files),
    "ways": [way.path_name for way in load_ways(LIBRARY)],
    "used": CpuHasher().path_name,
}))
"""


def check_ours(installation: Installation, ways: list[str]) -> None:
    """Assert that our package is complete, that it is the installed one, and that it hashes by one of the ways."""
    report = json.loads(installation.run("python", "-c", REPORT))
    assert all(Path(place).is_relative_to(installation.folder) for place in report["places"])
    assert report["changed"] == [] and report["files"] > 100
    assert report["ways"] == ways
    assert report["used"] in (ways or ["python"])


def check_release(installation: Installation) -> None:
    """Make a release on simulated hardware and judge it, like tools/check_base.py."""
    assert installation.run("provenance", "--version") == f"provenance-oracle {PROJECT['version']}\n"
    model = installation.folder / "model"
    model.mkdir()
    (model / "weights").write_bytes(bytes(10000))
    installation.run("provenance", "attest", "--key", "key", "--simulator", "milan", "--out", "evidence")
    signed = ["--evidence", "evidence", "--key", "key", "--name", "base/check", "--version", "1"]
    installation.run("provenance", "pack", "model", *signed)
    assert "accepted" in installation.run("provenance", "check", "model", "--offline", "--policy", "demo")


def check_namesakes(installation: Installation) -> None:
    """Assert that the packages of the other distribution are its own."""
    code = f"import {', '.join(NAMESAKES)}; print({', '.join(f'{name}.CAME_WITH' for name in NAMESAKES)})"
    assert installation.run("python", "-c", code).split() == ["verifier"] * len(NAMESAKES)


@pytest.mark.parametrize("minor", find_pythons())
class TestInstalled:
    """Tests in a fresh environment of every Python on this machine."""

    @pytest.fixture
    def installation(self, tmp_path: Path, minor: str, dependencies: Callable[[str], Path]) -> Installation:
        return Installation(tmp_path / "environment", find_pythons()[minor], dependencies(minor))

    @pytest.fixture
    def namesake(self, tmp_path: Path) -> Path:
        return make_wheel(tmp_path, "verifier", NAMESAKES)

    def test_the_compiled_wheel_after_a_namesake_of_our_folders(
        self, built: Built, installation: Installation, namesake: Path, ways: list[str]
    ) -> None:
        installation.install(namesake)
        installation.install(built.compiled)
        check_ours(installation, ways)
        check_release(installation)
        check_namesakes(installation)
        installation.uninstall("verifier")
        check_ours(installation, ways)

    def test_the_wheel_of_the_sdist_before_a_namesake_of_our_folders(
        self, built_by_pip: Path, installation: Installation, namesake: Path, ways: list[str]
    ) -> None:
        installation.install(built_by_pip)
        installation.install(namesake)
        check_ours(installation, ways)
        check_release(installation)
        check_namesakes(installation)
        installation.uninstall("verifier")
        check_ours(installation, ways)

    def test_the_pure_wheel(self, built: Built, installation: Installation) -> None:
        installation.install(built.pure)
        check_ours(installation, [])
        check_release(installation)
