"""Files are opened and looked at by path only where a reason stands here. All else goes through `verifier.strict`.

A path that is looked at and then used again can lead elsewhere in between. So the folders of strangers are read by
`strict.walk`, `strict.release_folder` and `strict.files` only, relative to an open folder.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("verifier", "publisher", "oracle")
# Calls that take a path, or a name in a folder. A method of this name is one of them whatever it is called on.
LOOKS = {"is_file", "is_dir", "is_symlink", "exists", "lexists", "stat", "lstat", "samefile", "getsize"}
READS = {"scandir", "listdir", "iterdir", "glob", "rglob", "read_bytes", "read_text", "readlink", "open", "copyfile"}
READS |= {"copytree", "fwalk"}
# The modules that do so, the calls they may use, and the reason. No entry covers the folder of a release or a model.
ALLOWED = {
    # The one way into a stranger's folder: relative to a descriptor, or a single file that the user named.
    "verifier/strict/files.py": {"open", "scandir", "stat"},
    "verifier/strict/walk.py": {"readlink"},
    "verifier/strict/release_folder.py": {"is_symlink", "open", "readlink", "stat"},
    "verifier/strict/write_file.py": {"open"},
    # The user's own cache: relative to the descriptor of a folder whose owner and mode were checked.
    "verifier/strict/private_folder.py": {"open", "scandir", "stat"},
    # A single file that the user names, which may be a pipe.
    "verifier/cli/options.py": {"open", "is_dir"},
    "verifier/cli/configuration.py": {"open"},
    "verifier/cli/networks.py": {"exists"},
    "verifier/disk/verify_image.py": {"open"},
    "verifier/registry/node.py": {"is_dir"},
    "publisher/keys.py": {"lexists"},
    "verifier/strict/secret_files.py": {"open"},
    "oracle/settings/load.py": {"open", "stat"},
    "oracle/cli/deployment_files.py": {"lexists", "open"},
    # To find the folder that the user means. Nothing is opened; reading the release opens it anew.
    "verifier/cli/check.py": {"lexists"},
    "verifier/cli/hub.py": {"is_dir"},
    "publisher/dependencies.py": {"is_dir"},
    "verifier/loaders/vllm_loader.py": {"is_dir"},
    # Files that the command itself makes, in a folder that the user names for them.
    "verifier/disk/build.py": {"exists", "is_file"},
    "verifier/hub/snapshot.py": {"lexists", "lstat", "open"},  # of the folder into which it downloads, under a lock
    "verifier/cli/measure.py": {"open"},  # a new file, with the policy
    "publisher/fit_to_publish.py": {"iterdir", "open", "stat"},  # `stat`: of the key that the user names
    "oracle/demo/folder.py": {"is_dir", "is_file", "is_symlink", "iterdir", "lexists", "read_text"},
    "oracle/demo/run.py": {"copytree", "is_file", "open", "rglob", "stat"},
    "oracle/demo/chain.py": {"exists", "open", "read_text"},
    "oracle/demo/explorer.py": {"exists", "open", "read_text"},
    "oracle/demo/genuine.py": {"is_file", "read_bytes"},  # public evidence, of which only the EVM judges
    # Files of the project, of the operator and of the operating system.
    "verifier/digest/tree/native.py": {"read_bytes"},
    "oracle/web/explorer/page_files.py": {"iterdir", "read_bytes"},  # the built page, which the project ships
    "verifier/digest/choose.py": {"exists"},
    "verifier/digest/gpu/cupy_device.py": {"read_text"},
    "verifier/registry/contract.py": {"read_text"},
    "verifier/policy.py": {"read_bytes"},
    "verifier/identity/sigstore_root.py": {"read_bytes"},
    "verifier/cli/console.py": {"open"},
    "publisher/simulator/amd.py": {"read_bytes"},
    "publisher/evidence/configfs_tsm.py": {"open"},
    "oracle/sources/watch.py": {"read_text"},
    "oracle/chain/anvil.py": {"open", "read_text"},
    "verifier/strict/tar.py": {"open"},  # an archive in memory
    # The path of a file that is open already; a worker compares the file that it finds there with the open one.
    "oracle/cluster/hasher.py": {"readlink"},
    "oracle/index/snapshot.py": {"open"},  # a file that the operator names; its digest is compared first
    "oracle/index/sqlite_index.py": {"exists", "is_dir", "is_file", "open"},
    "oracle/journal/evidence.py": {"exists", "listdir", "open", "read_bytes"},
    "oracle/journal/kept_evidence.py": {"is_file"},
    "oracle/journal/name_lock.py": {"open"},
    "oracle/journal/new_file.py": {"lexists", "open"},
    "oracle/journal/backup.py": {"lexists"},
    "oracle/journal/reader.py": {"is_file"},
    "oracle/journal/sqlite.py": {"exists", "is_dir", "open", "stat"},
}


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def calls_by_path(source: str) -> Iterator[tuple[str, int]]:
    """Yield the name and line of each call that looks at, lists, opens or copies something by path."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "walk" and isinstance(node.func, ast.Attribute):
            yield "walk", node.lineno
        elif name == "open":
            if _is_by_path(node):
                yield "open", node.lineno
        elif name in LOOKS | READS:
            yield name, node.lineno


def _is_by_path(call: ast.Call) -> bool:
    """Return whether a call of `open` opens a file: `open(path)`, `os.open(path)` or `path.open("rb")`.

    Methods of other things have this name too, and never take a mode: `folder.open(path, found)`.
    """
    if isinstance(call.func, ast.Name):
        return True
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Name) and owner.id in ("os", "io", "codecs", "gzip"):
        return True
    return (not call.args and owner is not None and _is_path(owner)) or _has_mode(call)


def _has_mode(call: ast.Call) -> bool:
    modes = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and isinstance(mode.value, str) for mode in modes)


def _is_path(owner: ast.expr) -> bool:
    """Return whether an expression looks like a path: `Path(...)`, `folder / name`, `self.path`."""
    if isinstance(owner, ast.Call):
        return getattr(owner.func, "id", "") == "Path"
    last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return isinstance(owner, ast.BinOp) or last.endswith(("path", "file"))


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_uses_paths_without_a_reason(module: Path) -> None:
    allowed = ALLOWED.get(str(module.relative_to(ROOT)), set())
    found = [f"line {line}: {name}" for name, line in calls_by_path(module.read_text()) if name not in allowed]
    assert found == []


def test_every_exception_is_needed() -> None:
    used = {module: {name for name, _ in calls_by_path((ROOT / module).read_text())} for module in ALLOWED}
    assert used == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "open(path)",
        "os.open(path, os.O_RDONLY)",
        "path.open('rb')",
        "path.open(mode='rb')",
        "Path(path).open()",
        "(folder / name).open()",
        "os.scandir(folder)",
        "folder.iterdir()",
        "os.walk(folder)",
        "folder.walk()",
        "folder.rglob('*')",
        "path.is_file()",
        "os.path.lexists(path)",
        "entry.stat(follow_symlinks=False)",
        "path.read_bytes()",
        "shutil.copyfile(a, b)",
    ],
)
def test_a_call_by_path_is_noticed(source: str) -> None:
    assert list(calls_by_path(source))


@pytest.mark.parametrize(
    "source",
    ["folder.open(path, found)", "journal.open(key, at=at)", "lanes.open()", "walk(folder, visit)"],
)
def test_other_calls_are_left_alone(source: str) -> None:
    assert not list(calls_by_path(source))
